"""Revox's own campaigns in both generations: every term translated or refused, and every answer read."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.errors import FilesWrong, InDoubt, Rejected, WrongGeneration
from runner.model.durations import parse_duration
from runner.model.handover import HandedContact, NativeStatus
from runner.model.outcome import Outcome
from runner.model.retry import Retry
from runner.model.window import Window
from runner.ports import NativeCampaigns
from runner.providers.revox import Revox, RevoxD
from runner.providers.revox_native import RevoxCampaigns
from tests.providers.support import ALWAYS, KEY, UNTOLD, Answer, Example, MakeHandover, asked, body_of, windows

A = RevoxCampaigns("A")
D = RevoxCampaigns("D")
BOTH = pytest.mark.parametrize("native", [A, D], ids=["A", "D"])
ASSISTANT = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
FROM = "+12025550190"
START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
ANA, SAM = (
    HandedContact(phone="+12025550101", variables={"first_name": "Ana"}, timezone="America/New_York"),
    HandedContact(phone="+12025550102", variables={"first_name": "Sam"}, timezone="America/New_York"),
)


def test_each_generation_offers_its_own() -> None:
    ports: list[NativeCampaigns] = [A, D]

    assert [Revox().native, RevoxD().native] == ports
    assert A.most_people == D.most_people == 1_000


def test_the_request_of_its_page_is_built_key_for_key(handover: MakeHandover) -> None:
    """When the assistant's own rules hold and nothing is planted, as the page has it."""
    person = HandedContact(phone="to_phone_number", variables={"foo": "string"})
    request = A.create(
        handover(key="", own_rules=True, agent_id="assistant_id", people=(person,), options={"name": "x"})
    )

    assert (request.method, request.path) == ("POST", "/campaigns")
    assert json.dumps(request.body) == json.dumps(
        {
            "assistant_id": "assistant_id",
            "contacts": [{"prompt_variables": {"foo": "string"}, "to_phone_number": "to_phone_number"}],
            "name": "x",
        }
    )


@pytest.mark.parametrize(
    ("native", "name", "people", "changes"),
    [
        (A, "gen_A_seed", (ANA, SAM), {"windows": windows("10:00-18:00"), "start_at": START}),
        (D, "gen_D", (ANA,), {"windows": windows("mon-fri 10:00-18:00")}),
    ],
)
def test_the_examples(
    example: Example, handover: MakeHandover, native: Any, name: str, people: Any, changes: Any
) -> None:
    wanted = example(f"revox.campaign.create.request.{name}")
    request = native.create(
        handover(campaign="run-0001", agent_id=ASSISTANT, people=people, from_number=FROM, **changes)
    )

    assert request.body == {**wanted, "name": f"run-0001 {KEY}"}


def test_generation_c_is_generation_d_with_two_keys_more(example: Example, handover: MakeHandover) -> None:
    """It is not spoken, and its request shows why: a server of it refuses ours, which lack what it requires."""
    wanted = example("revox.campaign.create.request.gen_C")
    person = HandedContact(phone="+12025550101", timezone="America/New_York")
    ours = body_of(D.create(handover(agent_id=ASSISTANT, people=(person,), windows=windows("mon-fri 10:00-18:00"))))

    assert set(wanted) - set(ours) == {"launch", "type"}
    assert all(ours[name] == wanted[name] for name in ("assistant_id", "contacts", "call_retry_config"))


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["10:00-18:00"], [("10:00", "18:00")]),
        (["mon-fri 10:00-18:00", "sat,sun 10:00-18:00"], [("10:00", "18:00")]),
        (["09:00-12:00", "14:00-18:30"], [("09:00", "12:00"), ("14:00", "18:30")]),
        (["20:00-02:00"], [("00:00", "02:00"), ("20:00", "23:59")]),
        (["00:00-24:00"], [("00:00", "23:59")]),
    ],
)
@BOTH
def test_hours_with_the_delay_in_each(handover: MakeHandover, native: Any, texts: Any, told: Any) -> None:
    config = body_of(native.create(handover(windows=windows(*texts))))["call_retry_config"]

    assert config["calling_windows"] == [
        {"calling_window_start_time": start, "calling_window_end_time": end, "retry_delay_seconds": 7200}
        for start, end in told
    ]
    assert config.get("allowed_days") == (
        ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] if native is D else None
    )
    assert config.get("call_twice_in_a_row", "absent") == (False if native is D else "absent")


@BOTH
@pytest.mark.parametrize(
    ("retry", "tries", "delay"),
    [
        ({"attempts": 1}, 1, 7200),
        ({"attempts": 3, "after": "90s"}, 3, 90),
        ({"attempts": 5, "after": "0.5s"}, 5, 1),
        ({"attempts": 5, "on": []}, 1, 7200),
        ({"attempts": 1, "on": ["failed"], "after": "0s"}, 1, 1),
        ({"attempts": 2, "on": ["voicemail", "busy", "no_answer"]}, 2, 7200),
    ],
)
def test_retries(handover: MakeHandover, native: Any, retry: Any, tries: int, delay: int) -> None:
    config = body_of(native.create(handover(retry=Retry.model_validate(retry))))["call_retry_config"]

    assert config["max_retry_attempts"] == tries
    assert [window["retry_delay_seconds"] for window in config["calling_windows"]] == [delay]


@BOTH
@pytest.mark.parametrize(
    ("changes", "zone"),
    [
        ({}, "America/New_York"),
        ({"timezone": "Europe/Paris"}, "Europe/Paris"),
        ({"timezone": "Europe/Paris", "people": (HandedContact(phone="+33639981234"),)}, "Europe/Paris"),
        ({"people": (HandedContact(phone="+33639981234"),), "windows": ALWAYS}, None),
    ],
)
def test_zones(handover: MakeHandover, native: Any, changes: Any, zone: Any) -> None:
    assert body_of(native.create(handover(**changes)))["call_retry_config"].get("timezone") == zone


@BOTH
def test_the_assistants_own_rules_are_left_alone(handover: MakeHandover, native: Any) -> None:
    asked_for = handover(own_rules=True, windows=windows("mon 10:00-12:00", "sat 9:00-10:00"), retry=Retry(attempts=1))
    body = body_of(native.create(asked_for))

    assert native.problem(asked_for) is None
    assert set(body) == {"assistant_id", "contacts", "name"}
    assert body["name"] == f"renewals {KEY}"


@BOTH
def test_rules_in_revoxs_own_words_travel_as_they_are_written(handover: MakeHandover, native: Any) -> None:
    config = {"calling_windows": [{"calling_window_start_time": "9am"}], "max_retry_attempts": 7}
    options = {"name": "x", "call_retry_config": config, "max_concurrent_calls": 3}
    body = body_of(native.create(handover(own_rules=True, from_number=FROM, options=options)))

    assert body["call_retry_config"] == config
    assert (body["max_concurrent_calls"], body["name"]) == (3, f"x {KEY}")
    assert list(body)[2:] == ["name", "call_retry_config", "from_phone_number", "max_concurrent_calls"]


def test_variables_are_texts(handover: MakeHandover) -> None:
    person = HandedContact(phone="+12025550101", variables={"n": 2, "ok": True}, timezone="America/New_York")
    body = body_of(A.create(handover(people=(person,), options={"name": "visits"}, concurrency=2)))

    assert body["contacts"][0]["prompt_variables"] == {"n": "2", "ok": "true"}
    assert (body["name"], body["max_concurrent_calls"]) == (f"visits {KEY}", 2)


def waiting(text: str, retry_after: str | None) -> Window:
    return windows(text)[0].model_copy(update={"retry_after": parse_duration(retry_after) if retry_after else None})


@BOTH
def test_each_window_s_own_wait_is_told(handover: MakeHandover, native: Any) -> None:
    spans = (waiting("16:00-18:00", "10m"), waiting("09:00-11:00", None), waiting("11:00-12:00", "2h"))
    config = body_of(native.create(handover(windows=spans)))["call_retry_config"]

    found = [tuple(window.values()) for window in config["calling_windows"]]
    assert found == [("09:00", "12:00", 7200), ("16:00", "18:00", 600)]


def test_two_calls_in_a_row_are_told_to_the_generation_that_knows_them(handover: MakeHandover) -> None:
    twice = Retry(attempts=3, call_twice_in_a_row=True)
    for retry in (twice, Retry(attempts=3)):
        config = body_of(D.create(handover(retry=retry)))["call_retry_config"]
        assert config["call_twice_in_a_row"] is retry.call_twice_in_a_row
    assert A.problem(handover(retry=twice)) is not None
    assert "call_twice_in_a_row" not in body_of(A.create(handover()))["call_retry_config"]


PARIS = HandedContact(phone="+33639981234", timezone="Europe/Paris")
NOWHERE = HandedContact(phone="+12025550103")
REFUSALS: list[tuple[tuple[RevoxCampaigns, ...], dict[str, Any], str, str]] = [
    ((A,), {"windows": windows("mon-fri 10:00-18:00")}, "knows no days and would call on `sat`, `sun`", "daily"),
    ((A, D), {"windows": windows("mon-fri 10:00-18:00", "sat 10:00-14:00")}, "the same on each open day", "single"),
    ((A, D), {"windows": windows("mon-fri 20:00-02:00")}, "`mon-fri 20:00-02:00`", "delivery: single"),
    ((A, D), {"windows": ()}, "cannot be told to revox", "windows: daily"),
    ((A, D), {"people": (ANA, PARIS)}, "one time zone", "timezone: America/New_York"),
    ((A, D), {"people": (ANA, NOWHERE)}, "no certain one", "timezone: America/New_York"),
    ((A, D), {"people": (NOWHERE,)}, "no certain one", "delivery: single"),
    ((A, D), {"retry": Retry(attempts=2, on=(Outcome.NO_ANSWER,))}, "`no_answer`", "no_answer, busy, voicemail"),
    (
        (A, D),
        {"retry": Retry(attempts=2, on=(Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL, Outcome.FAILED))},
        "on its own terms",
        "leave `on` out",
    ),
    ((A, D), {"retry": Retry(attempts=2, after=timedelta(0))}, "`0s`", "2h apart"),
    ((A, D), {"windows": (waiting("10:00-18:00", "0s"),)}, "`0s`", "2h apart"),
    (
        (A, D),
        {"windows": (waiting("10:00-18:00", "1h"), waiting("17:00-19:00", "2h"))},
        "`retry_after`",
        "do not overlap",
    ),
    (
        (D,),
        {"windows": (waiting("mon 10:00-18:00", "1h"), waiting("tue 10:00-18:00", "2h"))},
        "`retry_after`",
        "single",
    ),
    ((A,), {"retry": Retry(attempts=2, call_twice_in_a_row=True)}, "`call_twice_in_a_row`", "generation: D"),
    *(
        (
            (A, D),
            {"retry": Retry.model_validate({"attempts": 3, **retry})},
            f"`{next(iter(retry))}`",
            "delivery: single",
        )
        for retry in UNTOLD
    ),
    ((A, D), {"per_second": 2.0}, "`per_second: 2`", "remove `per_second`"),
    ((A, D), {"per_second": 2.0, "own_rules": True}, "`per_second: 2`", "remove `per_second`"),
    ((D,), {"start_at": START}, "`2026-01-05T15:00:00Z`", "remove `start`"),
    ((A, D), {"options": {"metadata": {"a": "b"}}}, "`metadata`", "delivery: single"),
    ((A, D), {"options": {"call_retry_config": {}}}, "`call_retry_config`", "windows and retry"),
    ((A, D), {"options": {"max_concurrent_calls": 2}}, "`max_concurrent_calls`", "limits: {concurrency"),
    ((A, D), {"options": {"scheduled_at": "2026-01-05T15:00:00Z"}}, "`scheduled_at`", "schedule: {start"),
    ((A, D), {"options": {"concurrency": {"key": "x"}}}, "`concurrency`", "delivery: single"),
]


@pytest.mark.parametrize(
    ("native", "changes", "said", "instead"),
    [(native, *rest) for natives, *rest in REFUSALS for native in natives],
    ids=[f"{native.generation} {rest[1]}" for natives, *rest in REFUSALS for native in natives],
)
def test_what_revox_cannot_express(
    handover: MakeHandover, native: RevoxCampaigns, changes: Any, said: str, instead: str
) -> None:
    asked_for = handover(**changes)
    problem = native.problem(asked_for)

    assert problem is not None
    assert said in problem[0]
    assert instead in problem[1]
    with pytest.raises(FilesWrong):
        native.create(asked_for)


def test_what_revox_can_express(handover: MakeHandover) -> None:
    assert A.problem(handover(start_at=START)) is None
    assert D.problem(handover(windows=windows("mon-fri 10:00-18:00"))) is None
    assert A.problem(handover(people=(ANA, PARIS), timezone="Europe/Paris")) is None
    assert A.problem(handover(people=(ANA, NOWHERE), windows=ALWAYS)) is None
    # Rules alone can be judged before anybody is known.
    assert A.problem(handover(people=(), key="")) is None


def test_the_id(example: Example, answer: Answer) -> None:
    assert A.read_created(answer(example("revox.campaign.response.gen_A_seed"))) == "camp_0001"
    assert D.read_created(answer(example("revox.campaign.response.gen_D"))) == "camp_0001"
    assert D.read_created(answer({"campaign": {"id": "c"}})) == "c"
    with pytest.raises(InDoubt):
        A.read_created(answer({"campaign": {}}))
    with pytest.raises(Rejected, match="invalid request"):
        A.read_created(answer(example("revox.error"), status=400))


@pytest.mark.parametrize(
    ("native", "shown", "words", "is_dialling"),
    [
        (A, "gen_D", ("calls nobody until it is launched", "generation: D"), False),
        (D, "gen_A_seed", ("is calling its people already", "cancel it at revox"), True),
    ],
)
def test_the_other_generation_pauses_the_account(
    example: Example, answer: Answer, native: Any, shown: str, words: tuple[str, str], is_dialling: bool
) -> None:
    reply = answer(example(f"revox.campaign.response.{shown}"))
    for read in (native.read_created, native.read_status):
        with pytest.raises(WrongGeneration) as wrong:
            read(reply)
        assert isinstance(wrong.value, Rejected)
        assert wrong.value.pause
        assert words[0] in wrong.value.message
        assert "`camp_0001`" in wrong.value.message
        assert words[1] in wrong.value.help
        assert (wrong.value.native_id, wrong.value.is_dialling) == ("camp_0001", is_dialling)


def test_launching(example: Example, answer: Answer) -> None:
    request = asked(D.launch("camp_0001"))

    assert A.launch("camp_0001") is None
    assert (request.method, request.path) == ("POST", "/campaigns/camp_0001/launch-calls")
    assert request.body == example("revox.campaign.launch.request")
    assert D.read_done(answer(example("revox.campaign.launch.response")))


STATS_A = {"calling": 1, "completed": 2, "failed": 3, "pending": 4, "retry": 5, "total": 15}
STATS_D = {**STATS_A, "not_launched": 6, "skipped": 7, "total": 28}


@pytest.mark.parametrize(
    ("native", "campaign", "status"),
    [
        *((A, {"status": word.value}, word) for word in NativeStatus if word is not NativeStatus.CANCELLED),
        (A, {"status": "completed", "is_cancelled": True}, NativeStatus.CANCELLED),
        (A, {"status": "running", "row_stats": STATS_A}, NativeStatus.RUNNING),
        (D, {"status": "paused", "row_stats": {**STATS_D, "not_launched": 28}}, NativeStatus.DRAFT),
        (D, {"status": "running", "row_stats": STATS_D}, NativeStatus.RUNNING),
        (D, {"status": "completed", "row_stats": {"not_launched": 0, "total": 0}}, NativeStatus.COMPLETED),
        (D, {"status": "paused", "is_cancelled": True, "row_stats": {"not_launched": 1, "total": 1}}, NativeStatus.CANCELLED),
    ],
)  # fmt: skip
def test_statuses(answer: Answer, native: Any, campaign: Any, status: NativeStatus) -> None:
    assert native.read_status(answer({"campaign": {"id": "c", **campaign}})) is status


@pytest.mark.parametrize("body", [{}, {"campaign": {}}, {"campaign": {"id": "c", "status": "archived"}}])
def test_statuses_that_say_nothing(answer: Answer, body: Any) -> None:
    with pytest.raises(InDoubt):
        A.read_status(answer(body))


def test_rows(example: Example, answer: Answer) -> None:
    (waiting,) = A.read_rows(answer(example("revox.campaign.rows.response.gen_A"))).rows
    (ended,) = D.read_rows(answer(example("revox.campaign.rows.response.gen_D"))).rows

    assert (waiting.phone, waiting.calls, waiting.ended) == ("+12025550101", 0, None)
    assert (ended.phone, ended.calls, ended.is_calling) == ("+12025550101", 1, False)
    assert ended.ended is not None
    assert (ended.ended.outcome, ended.ended.tag, ended.ended.calls) == (Outcome.ANSWERED, "interested", 1)


@pytest.mark.parametrize(
    ("call", "calls", "is_calling", "ended"),
    [
        ({"status": "not_launched", "calls_count": 0}, 0, False, None),
        ({"status": "calling", "calls_count": 2}, 2, True, None),
        ({"status": "scheduled", "calls_count": 2, "last_call_attempt": {"dial_error": "busy"}}, 2, False, None),
        ({"status": "completed", "calls_count": 3, "last_call_attempt": {"dial_error": "busy"}}, 3, False, Outcome.BUSY),
        ({"status": "cancelled", "calls_count": 1}, 1, False, Outcome.CANCELLED),
        ({"status": "errored", "call_attempts": []}, 0, False, Outcome.FAILED),
    ],
)  # fmt: skip
def test_where_a_person_stands(answer: Answer, call: Any, calls: int, is_calling: bool, ended: Any) -> None:
    body = {"rows": [{"phone_number": "+12025550101", "call": {"id": "c", **call}}]}
    (row,) = A.read_rows(answer(body)).rows

    assert (row.calls, row.is_calling, row.ended.outcome if row.ended else None) == (calls, is_calling, ended)


def test_pages(answer: Answer) -> None:
    assert asked(A.rows_request("c 1", 2)).path == "/campaigns/c%201/rows?page=3&page_size=100"
    assert asked(D.rows_request("c 1", 0)).path == "/campaigns/c%201/rows"
    assert A.read_rows(answer({"rows": [], "page": 1, "page_size": 100, "total": 101})).has_more
    assert not A.read_rows(answer({"rows": [], "page": 2, "page_size": 100, "total": 200})).has_more
    assert not D.read_rows(answer({"rows": []})).has_more
    with pytest.raises(InDoubt):
        D.read_rows(answer({"rows": None}))


@BOTH
def test_it_is_found_by_its_key(example: Example, answer: Answer, native: Any) -> None:
    body = example("revox.campaign.list.response")
    name = f"renewals {KEY}"
    mine = {"id": "camp_2", "name": f"x {KEY}"}

    assert asked(native.find_request(name, 0)).path == "/campaigns"
    absent = native.read_find(name, answer(body))
    assert (absent.found, absent.more) == (False, False)
    assert native.read_find(name, answer({"campaigns": [*body["campaigns"], mine]})).provider_id == "camp_2"
    doubts: list[Any] = [{"campaigns": [mine, mine]}, {"campaigns": {}}, {"campaigns": [{"name": name}]}]
    for doubt in doubts:
        with pytest.raises(InDoubt):
            native.read_find(name, answer(doubt))
    with pytest.raises(InDoubt):
        native.read_find("renewals", answer(body))


@BOTH
@pytest.mark.parametrize("action", ["pause", "resume", "cancel"])
def test_control(example: Example, answer: Answer, native: Any, action: Any) -> None:
    request = asked(native.control("camp_1", action))

    assert (request.method, request.path, request.body) == ("POST", f"/campaigns/camp_1/{action}", None)
    assert native.read_done(answer(example("revox.campaign.cancel.response")))
    assert not native.read_done(answer({"success": False}))
    with pytest.raises(Rejected):
        native.read_done(answer({}, status=404))
    assert native.add("camp_1", None) is None


def test_a_server_that_wants_days_is_of_generation_d(answer: Answer) -> None:
    for status in (400, 422):
        with pytest.raises(WrongGeneration) as wrong:
            A.read_created(answer({"error": "call_retry_config needs allowed_days"}, status=status))
        assert wrong.value.pause
        assert (wrong.value.native_id, wrong.value.is_dialling) == ("", False)
        assert "allowed_days" in wrong.value.message
    with pytest.raises(Rejected) as refused:
        D.read_created(answer({"error": "call_retry_config needs allowed_days"}, status=400))
    assert not refused.value.pause
    with pytest.raises(InDoubt):
        A.read_created(answer({"error": "allowed_days"}, status=500))
