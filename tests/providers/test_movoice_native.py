"""Movoice's batches: what they take, what they refuse, and what can be known of them afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.errors import FilesWrong, InDoubt, Rejected
from runner.model.handover import HandedContact, Handover, NativeStatus
from runner.model.movoice_plan import PLANS
from runner.model.outcome import Outcome
from runner.model.retry import Retry
from runner.ports import NativeCampaigns
from runner.providers.movoice import Movoice, MovoiceApp
from runner.providers.movoice_native import MovoiceBatches
from tests.providers.support import ALWAYS, Answer, Example, MakeHandover, asked, body_of, windows

NATIVE = MovoiceBatches()
START = datetime(2026, 1, 5, 15, 0, tzinfo=UTC)
PEOPLE = (
    HandedContact(phone="+12025550101", variables={"name": "Ana", "amount_due": "$25"}),
    HandedContact(phone="+12025550102", variables={"name": "Sam", "amount_due": "$18"}),
)


@pytest.fixture
def batch(handover: MakeHandover) -> MakeHandover:
    """Build a handover that Movoice can express."""

    def build(**changes: Any) -> Handover:
        return handover(**{"windows": ALWAYS, "retry": Retry(attempts=1), "concurrency": 1} | changes)

    return build


def test_it_is_offered_at_both_hosts() -> None:
    ports: list[NativeCampaigns] = [MovoiceBatches(), MovoiceBatches(paging="page")]

    assert [Movoice().native, MovoiceApp().native] == ports
    assert NATIVE.most_people == 50


def test_the_example(example: Example, batch: MakeHandover) -> None:
    request = MovoiceBatches(plan="business").create(
        batch(agent_id="agent_12345", people=PEOPLE, concurrency=5, start_at=START)
    )

    assert (request.method, request.path) == ("POST", "/calls/batch")
    assert request.body == {**example("movoice.batch.create.request"), "schedule_at": int(START.timestamp())}
    assert example("movoice.batch.create.request")["schedule_at"] == int(START.timestamp())
    assert "schedule_at" not in body_of(NATIVE.create(batch()))


@pytest.mark.parametrize(("plan", "people"), [("starter", 50), ("growth", 500), ("business", 5_000), ("enterprise", 100_000)])  # fmt: skip
def test_plans(plan: Any, people: int) -> None:
    assert MovoiceBatches(plan=plan).most_people == people
    assert MovoiceBatches().most_people == 50


@pytest.mark.parametrize("plan", PLANS)
def test_calls_at_once_are_those_of_the_plan(batch: MakeHandover, plan: Any) -> None:
    limit, native = PLANS[plan].concurrency, MovoiceBatches(plan=plan)
    if limit is None:
        assert native.problem(batch(concurrency=500)) is None
        return
    assert native.problem(batch(concurrency=limit)) is None
    problem = native.problem(batch(concurrency=limit + 1))
    assert problem is not None
    assert f"`{limit + 1}` calls at once are more than movoice's plan `{plan}` allows" == problem[0]
    assert f"limits: {{concurrency: {limit}}}" in problem[1]


REFUSALS: list[tuple[dict[str, Any], str, str]] = [
    ({"windows": windows("10:00-18:00")}, "`daily 10:00-18:00`", "windows: daily 00:00-24:00"),
    ({"windows": windows("mon-sat 00:00-24:00")}, "at any hour", "delivery: single"),
    ({"windows": ()}, "at any hour", "delivery: single"),
    ({"retry": Retry(attempts=3)}, "`3` tries", "retry: never"),
    ({"from_number": "+12025550190"}, "the agent's own number", "remove `from`"),
    ({"per_second": 1.0}, "`per_second: 1`", "remove `per_second`"),
    ({"concurrency": 2}, "plan `starter`", "outreach.yaml: plan: business"),
    ({"options": {"max_duration": 60}}, "`max_duration`", "delivery: single"),
    ({"options": {"schedule_at": 1767625200}}, "`schedule_at`", "schedule: {start"),
    ({"own_rules": True}, "no hours", "windows and retry"),
]


@pytest.mark.parametrize(("changes", "said", "instead"), REFUSALS, ids=[said for _, said, _ in REFUSALS])
def test_what_movoice_cannot_express(batch: MakeHandover, changes: Any, said: str, instead: str) -> None:
    problem = NATIVE.problem(batch(**changes))

    assert problem is not None
    assert said in problem[0]
    assert instead in problem[1]
    with pytest.raises(FilesWrong):
        NATIVE.create(batch(**changes))


def test_what_movoice_can_express(batch: MakeHandover) -> None:
    assert NATIVE.problem(batch(timezone="Europe/Paris", start_at=START)) is None
    assert NATIVE.problem(batch(retry=Retry(attempts=3, on=()))) is None


@pytest.mark.parametrize(
    ("body", "headers", "id"),
    [
        ({"batch_id": "b1", "created_at": 1767625000}, {}, "b1@1767625000"),
        ({"data": {"id": "b1", "created_at": "2026-01-05T14:56:40Z"}}, {}, "b1@1767625000"),
        ({"batch_id": "b1"}, {"date": "Mon, 05 Jan 2026 14:56:40 GMT"}, "b1@1767625000"),
        ({"batch_id": "b1"}, {"date": "Monday"}, "b1"),
        ({"batch_id": "b1"}, {}, "b1"),
    ],
)
def test_the_id_knows_when_the_batch_was_made(answer: Answer, body: Any, headers: Any, id: str) -> None:
    assert NATIVE.read_created(answer(body, **headers)) == id


def test_answers_without_an_id(example: Example, answer: Answer) -> None:
    assert NATIVE.read_created(answer(example("movoice.batch.create.response"))) == "batch_0001@1767625000"
    with pytest.raises(InDoubt):
        NATIVE.read_created(answer({"status": "queued"}))
    with pytest.raises(Rejected):
        NATIVE.read_created(answer(example("movoice.error"), status=400))


@pytest.mark.parametrize(
    ("native", "page", "query"),
    [
        (MovoiceBatches(), 2, {"limit": ["100"], "offset": ["200"]}),
        (MovoiceBatches(paging="page"), 2, {"page": ["3"], "per_page": ["20"]}),
    ],
)
def test_its_calls_are_asked_for_by_time(native: MovoiceBatches, page: int, query: Any) -> None:
    url = urlsplit(asked(native.rows_request("b1@1767625000", page)).path)
    narrowed = urlsplit(asked(native.rows_request("b1@1767625000", page, agent_id="agent_1")).path)

    assert (url.path, parse_qs(url.query)) == ("/calls", {"from": ["1767624990"], **query})
    assert parse_qs(narrowed.query) == {"agent_id": ["agent_1"], "from": ["1767624990"], **query}
    assert native.rows_request("b1", page) is None


def call(id: str, status: str, at: int = 1767625001, phone: str = "+12025550101", **more: Any) -> dict[str, Any]:
    return {"call_id": id, "status": status, "created_at": at, "recipient_phone": phone, **more}


@pytest.mark.parametrize(
    ("one", "calls", "is_calling", "ended"),
    [
        (call("a", "scheduled"), 0, False, None),
        (call("a", "queued"), 0, False, None),
        (call("a", "initiated"), 1, True, None),
        (call("a", "active"), 1, True, None),
        (call("a", "completed", outcome="BOOKED"), 1, False, Outcome.ANSWERED),
        (call("a", "failed", reason="busy"), 1, False, Outcome.BUSY),
    ],
)
def test_rows(answer: Answer, one: Any, calls: int, is_calling: bool, ended: Any) -> None:
    for body in ({"calls": [one]}, {"data": [one]}, {"data": {"calls": [one]}}):
        (row,) = NATIVE.read_rows(answer(body)).rows
        assert (row.phone, row.calls, row.is_calling) == ("+12025550101", calls, is_calling)
        assert (row.ended.outcome if row.ended else None) is ended
        assert row.ended is None or row.ended.provider_id == "a"


def test_the_earliest_call_to_a_number_is_the_batchs(answer: Answer) -> None:
    calls = [
        call("late", "active", at=1767629000),
        call("own", "completed"),
        call("other", "failed", phone="+12025550102"),
    ]
    rows = {row.phone: row for row in NATIVE.read_rows(answer({"calls": calls})).rows}

    assert set(rows) == {"+12025550101", "+12025550102"}
    own = rows["+12025550101"].ended
    assert own is not None
    assert own.provider_id == "own"


@pytest.mark.parametrize(
    ("native", "body", "more"),
    [
        (MovoiceBatches(), {"total": 30, "offset": 0}, True),
        (MovoiceBatches(), {"total": 20, "offset": 0}, False),
        (MovoiceBatches(), {}, False),
        (MovoiceBatches(paging="page"), {}, True),
        (MovoiceBatches(paging="page"), {"total": 40, "page": 2, "per_page": 20}, False),
        (MovoiceBatches(paging="page"), {"pagination": {"total": 41, "page": 2, "per_page": 20}}, True),
    ],
)
def test_pages(answer: Answer, native: MovoiceBatches, body: Any, more: bool) -> None:
    calls = [call(str(number), "active", phone=f"+120255501{number:02}") for number in range(20)]

    assert native.read_rows(answer({"calls": calls, **body})).has_more is more


@pytest.mark.parametrize(
    "body", [{}, {"calls": 1}, {"calls": [{"call_id": "a", "status": "active"}]}, {"calls": [call("a", "")]}]
)
def test_rows_that_say_nothing(answer: Answer, body: Any) -> None:
    with pytest.raises(InDoubt):
        NATIVE.read_rows(answer(body))


def test_what_nobody_can_do(answer: Answer, batch: MakeHandover) -> None:
    assert NATIVE.add("b1", batch()) is None
    assert NATIVE.launch("b1") is None
    assert NATIVE.find_request("renewals", 0) is None
    assert NATIVE.control("b1", "cancel") is None
    for read in (lambda: NATIVE.read_find("renewals", answer({})), lambda: NATIVE.read_done(answer({}))):
        with pytest.raises(InDoubt):
            read()


def test_a_batch_runs_until_its_people_have_ended(answer: Answer) -> None:
    assert NATIVE.status_request("b1@1767625000").path.startswith("/calls?from=1767624990")
    assert NATIVE.status_request("b1").path == "/calls?limit=100&offset=0"
    assert NATIVE.read_status(answer({"calls": []})) is NativeStatus.RUNNING
    with pytest.raises(InDoubt):
        NATIVE.read_status(answer({}))
