"""RevRing's own campaigns: every term translated or refused, and every answer read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.errors import FilesWrong, InDoubt, Rejected, Throttled
from runner.model.handover import HandedContact, NativeRow, NativeStatus
from runner.model.outcome import Outcome
from runner.model.retry import Retry
from runner.ports import NativeCampaigns
from runner.providers.revring import Revring, RevringSeed
from runner.providers.revring_native import OUTCOMES, RevringCampaigns
from tests.providers.support import ALWAYS, KEY, UNTOLD, Answer, Example, MakeHandover, asked, body_of, windows

NATIVE = RevringCampaigns()
FROM = "+12025550190"
AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"


def test_it_is_offered_where_the_api_has_it() -> None:
    port: NativeCampaigns = NATIVE

    assert Revring().native == port
    assert RevringSeed().native is None
    assert port.most_people == 10_000


def test_the_example_is_what_an_equivalent_campaign_sends(example: Example, handover: MakeHandover) -> None:
    """Apart from the name, which carries the key; the draft, which is started by itself; and zones, which leave no guess."""
    wanted = example("revring.campaign.create.request")
    people = (
        HandedContact(phone="+12025550101", variables={"first_name": "Ana"}),
        HandedContact(phone="+12025550102", variables={"first_name": "Sam"}),
    )
    request = NATIVE.create(
        handover(
            agent_id=AGENT,
            from_number=FROM,
            people=people,
            windows=windows("mon-fri 09:00-18:00"),
            timezone="America/New_York",
            retry=Retry.model_validate({"attempts": 3, "after": "2h", "on": "no_answer, busy"}),
            per_second=1,
            options={"defaultVariables": {"company": "Acme"}, "voicemailStrategy": "agent"},
        )
    )

    own = {"name": f"renewals {KEY}", "start": False}
    contacts = [{**contact, "timezone": "America/New_York"} for contact in wanted["contacts"][:2]]
    told = {name: value for name, value in wanted.items() if value is not None}
    assert (request.method, request.path) == ("POST", "/campaigns")
    assert request.body == {**told, **own, "contacts": contacts}


def test_more_people_are_added(example: Example, handover: MakeHandover) -> None:
    lee = HandedContact(phone="+12025550104", variables={"first_name": "Lee"})
    request = asked(NATIVE.add("cmp/1", handover(people=(lee,))))

    assert (request.method, request.path) == ("POST", "/campaigns/cmp%2F1/contacts")
    assert request.body == example("revring.campaign.add_contacts.request")


@pytest.mark.parametrize(
    ("texts", "window"),
    [
        (["mon-fri 10:00-18:00"], {"start": "10:00", "end": "18:00", "days": [1, 2, 3, 4, 5]}),
        (["sat,sun 09:30-12:00"], {"start": "09:30", "end": "12:00", "days": [0, 6]}),
        (["20:00-02:00"], {"start": "20:00", "end": "02:00", "days": [0, 1, 2, 3, 4, 5, 6]}),
        (["mon 10:00-24:00"], {"start": "10:00", "end": "23:59", "days": [1]}),
        (["mon-wed 10:00-18:00", "thu 10:00-18:00"], {"start": "10:00", "end": "18:00", "days": [1, 2, 3, 4]}),
        (["00:00-24:00"], None),
    ],
)
def test_hours(handover: MakeHandover, texts: Any, window: Any) -> None:
    body = body_of(NATIVE.create(handover(from_number=FROM, windows=windows(*texts))))

    assert body.get("callingWindow") == (window and {**window, "timezone": "UTC"})


@pytest.mark.parametrize(
    ("timezone", "own", "told", "window"),
    [
        ("contact", "America/Chicago", "America/Chicago", "UTC"),
        ("America/New_York", "America/Chicago", "America/New_York", "America/New_York"),
        ("America/New_York", None, "America/New_York", "America/New_York"),
    ],
)
def test_zones(handover: MakeHandover, timezone: str, own: Any, told: str, window: str) -> None:
    people = (HandedContact(phone="+12025550101", timezone=own),)
    body = body_of(NATIVE.create(handover(from_number=FROM, timezone=timezone, people=people)))

    assert [contact["timezone"] for contact in body["contacts"]] == [told]
    assert body["callingWindow"]["timezone"] == window


@pytest.mark.parametrize(
    ("retry", "policy"),
    [
        ({"attempts": 1}, {"maxAttempts": 1, "retryDelayMinutes": 60, "retryOn": ["no_answer", "busy", "voicemail"]}),
        ({"attempts": 1, "on": ["unknown"]}, {"maxAttempts": 1, "retryDelayMinutes": 60, "retryOn": ["no_answer"]}),
        ({"attempts": 4, "on": []}, {"maxAttempts": 1, "retryDelayMinutes": 60, "retryOn": ["no_answer"]}),
        (
            {"attempts": 10, "after": "7d", "on": ["declined", "failed"]},
            {"maxAttempts": 10, "retryDelayMinutes": 10080, "retryOn": ["declined", "failed"]},
        ),
        ({"attempts": 2, "after": "1m"}, {"maxAttempts": 2, "retryDelayMinutes": 1, "retryOn": ["no_answer", "busy", "voicemail"]}),
    ],
)  # fmt: skip
def test_retries_are_always_told(handover: MakeHandover, retry: Any, policy: Any) -> None:
    body = body_of(NATIVE.create(handover(from_number=FROM, retry=Retry.model_validate(retry))))

    assert body["retryPolicy"] == policy


def test_pace_start_and_environment(handover: MakeHandover) -> None:
    start = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
    body = body_of(
        NATIVE.create(
            handover(
                from_number=FROM, per_second=0.1, start_at=start, concurrency=7, options={"environment": "staging"}
            )
        )
    )
    plain = body_of(NATIVE.create(handover(from_number=FROM)))

    assert (body["callsPerSecond"], body["startAt"], body["maxConcurrency"]) == (0.1, "2026-01-05T15:00:00Z", 7)
    assert body["environment"] == "staging"
    assert not {"callsPerSecond", "startAt", "environment", "defaultVariables", "voicemailStrategy"} & set(plain)


SEVERAL = windows("mon-fri 10:00-12:00", "mon-fri 14:00-18:00")
NOBODY_KNOWS = (HandedContact(phone="+12025550101"), HandedContact(phone="+12025550102", timezone="America/Chicago"))
REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"from_number": ""}, "needs the number", "from: +1"),
    ({"windows": SEVERAL}, "mon-fri 10:00-12:00; mon-fri 14:00-18:00", "windows: mon-fri 10:00-18:00"),
    ({"windows": windows("mon-fri 10:00-18:00", "sat 10:00-14:00")}, "the same on each open day", "delivery: single"),
    ({"windows": windows("mon-fri 20:00-02:00")}, "`mon-fri 20:00-02:00`", "delivery: single"),
    ({"windows": ()}, "one span", "windows:"),
    ({"people": NOBODY_KNOWS}, "`1` of `2` people", "timezone: America/New_York"),
    ({"retry": Retry(attempts=2, call_twice_in_a_row=True)}, "`call_twice_in_a_row`", "2h apart"),
    (
        {
            "windows": tuple(
                one.model_copy(update={"retry_after": timedelta(hours=1)}) for one in windows("10:00-18:00")
            )
        },
        "`retry_after`",
        "2h apart",
    ),
    *(
        ({"retry": Retry.model_validate({"attempts": 3, **retry})}, f"`{next(iter(retry))}`", "delivery: single")
        for retry in UNTOLD
    ),
    ({"retry": Retry(attempts=11)}, "`11` tries", "10 times"),
    ({"retry": Retry(attempts=2, after=timedelta(seconds=90))}, "`90s`", "whole minutes"),
    ({"retry": Retry(attempts=2, after=timedelta(0))}, "`0s`", "whole minutes"),
    ({"retry": Retry(attempts=2, after=timedelta(days=8))}, "`691200s`", "at most 7 days"),
    ({"retry": Retry(attempts=2, on=(Outcome.BUSY, Outcome.SCREENED))}, "`screened`", "no_answer, busy"),
    ({"retry": Retry(attempts=2, on=(Outcome.INVALID_NUMBER,))}, "`invalid_number`", "no_answer, busy"),
    ({"per_second": 0.05}, "per_second: 0.05", "per_second: 1"),
    ({"per_second": 10.5}, "per_second: 10.5", "per_second: 1"),
    ({"options": {"skipQueue": True}}, "`skipQueue`", "delivery: single"),
    ({"options": {"metadata": {"a": 1}}}, "`metadata`", "delivery: single"),
    ({"own_rules": True}, "no hours", "windows and retry"),
]


@pytest.mark.parametrize(("changes", "said", "instead"), REFUSALS, ids=[said for _, said, _ in REFUSALS])
def test_what_revring_cannot_express(handover: MakeHandover, changes: Any, said: str, instead: str) -> None:
    asked_for = handover(**{"from_number": FROM} | changes)
    problem = NATIVE.problem(asked_for)

    assert problem is not None
    assert said in problem[0]
    assert instead in problem[1]
    with pytest.raises(FilesWrong):
        NATIVE.create(asked_for)


def test_what_revring_can_express(handover: MakeHandover) -> None:
    assert NATIVE.problem(handover(from_number=FROM)) is None
    # Without hours nobody's zone matters, and one zone for all leaves nothing to guess.
    assert NATIVE.problem(handover(from_number=FROM, people=NOBODY_KNOWS, windows=ALWAYS)) is None
    assert NATIVE.problem(handover(from_number=FROM, people=NOBODY_KNOWS, timezone="America/New_York")) is None
    assert NATIVE.problem(handover(from_number=FROM, options={"skipQueue": None})) is None
    assert NATIVE.problem(handover(from_number=FROM, people=(), key="")) is None


def test_the_id(example: Example, answer: Answer) -> None:
    assert NATIVE.read_created(answer(example("revring.campaign.create.response.201"), status=201)) == "cmp_0001"
    with pytest.raises(InDoubt):
        NATIVE.read_created(answer({"data": {}}, status=201))
    with pytest.raises(Rejected, match="from_number_not_on_trunk"):
        NATIVE.read_created(answer({"error": "from_number_not_on_trunk"}, status=400))
    with pytest.raises(InDoubt):
        NATIVE.read_created(answer({}, status=500))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("draft", NativeStatus.DRAFT), ("running", NativeStatus.RUNNING), ("paused", NativeStatus.PAUSED),
        ("completed", NativeStatus.COMPLETED), ("canceled", NativeStatus.CANCELLED),
    ],
)  # fmt: skip
def test_statuses(answer: Answer, word: str, status: NativeStatus) -> None:
    assert NATIVE.read_status(answer({"data": {"id": "c", "status": word}})) is status


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, {"data": {"status": "archived"}}, {"data": {"status": None, "id": "c"}}]
)
def test_statuses_that_say_nothing(answer: Answer, body: Any) -> None:
    with pytest.raises(InDoubt):
        NATIVE.read_status(answer(body))


def test_the_example_runs(example: Example, answer: Answer) -> None:
    assert NATIVE.read_status(answer(example("revring.campaign.get.response"))) is NativeStatus.RUNNING


def test_rows(example: Example, answer: Answer) -> None:
    page = NATIVE.read_rows(answer(example("revring.campaign.contacts.response")))
    ana, sam, lee = page.rows

    assert not page.has_more
    assert (ana.phone, ana.calls, ana.is_calling) == ("+12025550101", 1, False)
    assert ana.ended is not None
    assert (ana.ended.outcome, ana.ended.calls) == (Outcome.ANSWERED, 1)
    assert ana.ended.provider_id == "a3c18021-192f-465e-87b5-5af428f29e81"
    assert ana.ended.words == {"status": "completed", "outcome": "answered"}
    assert sam == NativeRow(phone="+12025550102", calls=1)
    assert lee.ended is not None
    assert (lee.ended.outcome, lee.ended.opt_out, lee.calls) == (Outcome.OPTED_OUT, True, 0)


@pytest.mark.parametrize(
    ("status", "outcome", "ended"),
    [
        *(("exhausted", word, outcome) for word, outcome in OUTCOMES.items()),
        ("completed", "voicemail", Outcome.VOICEMAIL),
        ("completed", None, Outcome.UNKNOWN),
        ("completed", "new word", Outcome.UNKNOWN),
        ("skipped", None, Outcome.FAILED),
        ("canceled", None, Outcome.CANCELLED),
        ("canceled", "no_answer", Outcome.CANCELLED),
        ("canceled", "do_not_call", Outcome.OPTED_OUT),
        ("pending", None, None),
        ("dialing", "no_answer", None),
        ("retry_wait", "busy", None),
        ("new word", "answered", None),
    ],
)
def test_how_a_person_ends(answer: Answer, status: str, outcome: Any, ended: Any) -> None:
    contact = {"toNumber": "+12025550101", "status": status, "outcome": outcome, "attempts": 2}
    (row,) = NATIVE.read_rows(answer({"data": [contact], "hasNextPage": True})).rows

    assert (row.ended.outcome if row.ended else None) is ended
    assert (row.calls, row.is_calling) == (2, status == "dialing")


def test_pages(answer: Answer) -> None:
    url = urlsplit(asked(NATIVE.rows_request("cmp 1", 2)).path)

    assert (url.path, parse_qs(url.query)) == ("/campaigns/cmp%201/contacts", {"page": ["3"], "pageSize": ["500"]})
    assert NATIVE.read_rows(answer({"data": [], "hasNextPage": True})).has_more
    with pytest.raises(InDoubt):
        NATIVE.read_rows(answer({"data": {}}))


def test_it_is_found_by_its_key(answer: Answer) -> None:
    name = f"renewals {KEY}"
    others = [{"id": "a", "name": "renewals"}, {"id": "b", "name": f"renewals {'f' * 32}"}, {"id": "c", "name": None}]
    there = {"data": [*others, {"id": "d", "name": name}], "hasNextPage": True}

    assert urlsplit(asked(NATIVE.find_request(name, 1)).path).query == "page=2&pageSize=100"
    assert NATIVE.read_find(name, answer(there)).provider_id == "d"
    absent = NATIVE.read_find(name, answer({"data": others, "hasNextPage": True}))
    assert (absent.found, absent.more) == (False, True)
    assert not NATIVE.read_find(name, answer({"data": others})).more


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (f"renewals {KEY}", {"data": None}),
        (f"renewals {KEY}", {"data": [{"id": "a", "name": f"x {KEY}"}, {"id": "b", "name": f"renewals {KEY}"}]}),
        (f"renewals {KEY}", {"data": [{"name": f"renewals {KEY}"}]}),
        ("renewals", {"data": [{"id": "a", "name": "renewals"}]}),
    ],
)
def test_lists_that_prove_nothing(answer: Answer, name: str, body: Any) -> None:
    with pytest.raises(InDoubt):
        NATIVE.read_find(name, answer(body))


@pytest.mark.parametrize(("action", "verb"), [("pause", "pause"), ("resume", "start"), ("cancel", "cancel")])
def test_control(action: Any, verb: str) -> None:
    request = asked(NATIVE.control("cmp_1", action))

    assert (request.method, request.path, request.body) == ("POST", f"/campaigns/cmp_1/{verb}", None)
    assert asked(NATIVE.launch("cmp_1")).path == "/campaigns/cmp_1/start"
    assert NATIVE.status_request("cmp_1").path == "/campaigns/cmp_1"


def test_what_was_done(example: Example, answer: Answer) -> None:
    assert NATIVE.read_done(answer(example("revring.campaign.get.response")))
    assert NATIVE.read_done(answer(example("revring.campaign.add_contacts.response.201"), status=201))
    assert not NATIVE.read_done(answer(example("revring.campaign.error.409"), status=409))
    assert not NATIVE.read_done(answer({"error": "campaign_closed"}, status=409))
    with pytest.raises(InDoubt):
        NATIVE.read_done(answer({"error": "campaign_active"}, status=409))
    with pytest.raises(Rejected, match="no_contacts"):
        NATIVE.read_done(answer({"error": "no_contacts"}, status=400))
    with pytest.raises(Throttled):
        NATIVE.read_done(answer({}, status=429))


def test_a_chunk_is_no_other_campaign(handover: MakeHandover) -> None:
    """The next chunk has the same name and the same terms, so that adding it again changes nothing."""
    whole = handover(from_number=FROM)
    first, second = (replace(whole, people=(person,)) for person in whole.people)

    assert body_of(NATIVE.create(first))["name"] == whole.name == second.name
    assert body_of(asked(NATIVE.add("c", second)))["contacts"][0]["timezone"] == "America/New_York"
