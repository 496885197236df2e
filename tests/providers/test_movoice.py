"""Movoice: the requests of its page key for key, its five events, look-ups by number and time."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import ValidationError

from runner.errors import InDoubt, Rejected, UsageWrong, WebhookRefused
from runner.model.outcome import Outcome
from runner.providers.movoice import Movoice
from tests.providers.support import Answer, Example, MakeOrder, MakeSent, asked, body_of

MOVOICE = Movoice()


def test_the_first_request_of_its_page_is_built_key_for_key(order: MakeOrder) -> None:
    variables = {"name": "Rahul", "amount_due": "₹2,500", "due_date": "April 25"}
    request = MOVOICE.build(order(agent_id="agent_12345", phone="+12025550101", variables=variables))

    assert (request.method, request.path) == ("POST", "/call")
    assert json.dumps(request.body) == json.dumps(
        {"agent_id": "agent_12345", "recipient_phone": "+12025550101", "variables": variables}
    )
    assert MOVOICE.auth_headers("mv_live_1") == {"Authorization": "Bearer mv_live_1"}


@pytest.mark.parametrize(
    "schedule_at",
    [1714000000, "1714000000", "2024-04-24T23:06:40+00:00", "2024-04-25T04:36:40+05:30", "2024-04-24T23:06:40Z"],
)
def test_the_second_request_of_its_page_is_built_key_for_key(order: MakeOrder, schedule_at: Any) -> None:
    request = MOVOICE.build(
        order(
            agent_id="agent_12345",
            phone="+12025550101",
            variables={"name": "Priya"},
            options={"schedule_at": schedule_at},
        )
    )

    assert json.dumps(request.body) == json.dumps(
        {
            "agent_id": "agent_12345",
            "recipient_phone": "+12025550101",
            "schedule_at": 1714000000,
            "variables": {"name": "Priya"},
        }
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "movoice.call.create.request",
            {
                "variables": {"name": "Ana", "amount_due": "$25"},
                "from_number": "+12025550190",
                "options": {"max_duration": "600"},
            },
        ),
        (
            "movoice.call.create.request.scheduled",
            {"variables": {"name": "Ana"}, "options": {"schedule_at": "2026-01-05T15:00:00Z"}},
        ),
    ],
)
def test_examples(example: Example, order: MakeOrder, name: str, changes: Any) -> None:
    request = MOVOICE.build(order(agent_id="agent_12345", **changes))

    assert json.dumps(request.body) == json.dumps(example(name))


def test_variables_keep_their_types_and_are_left_out_when_there_are_none(order: MakeOrder) -> None:
    assert body_of(MOVOICE.build(order(variables={"n": 2, "ok": True})))["variables"] == {"n": 2, "ok": True}
    assert MOVOICE.build(order()).body == {"agent_id": "agent_1", "recipient_phone": "+12025550101"}


@pytest.mark.parametrize("in_body", [True, False])
def test_the_stamp_is_a_header(order: MakeOrder, key: str, in_body: Any) -> None:
    request = MOVOICE.build(order())
    stamped = MOVOICE.stamp(request, key, in_body=in_body)

    assert (stamped.body, stamped.headers, request.headers) == (request.body, {"Idempotency-Key": key}, {})


@pytest.mark.parametrize(
    "options",
    [
        {"schedule_at": "2026-01-05T15:00:00"},
        {"schedule_at": "soon"},
        {"schedule_at": -1},
        {"max_duration": 0},
        {"from_number": "+1"},
    ],
)
def test_options_that_movoice_does_not_take(options: Any) -> None:
    with pytest.raises(ValidationError):
        MOVOICE.options_model("call").model_validate(options)


def test_no_texts(order: MakeOrder) -> None:
    with pytest.raises(UsageWrong):
        MOVOICE.build(order(channel="text"))
    with pytest.raises(UsageWrong):
        MOVOICE.options_model("text")


def test_receipts(example: Example, answer: Answer) -> None:
    assert (
        MOVOICE.read_receipt(answer(example("movoice.call.create.response"), status=201)).provider_id == "call_998877"
    )
    assert MOVOICE.read_receipt(answer(example("movoice.call.create.response.scheduled"))).provider_id == "call_998878"
    assert MOVOICE.read_receipt(answer({"data": example("movoice.call.create.response")})).provider_id == "call_998877"
    with pytest.raises(Rejected, match="invalid recipient_phone"):
        MOVOICE.read_receipt(answer(example("movoice.error"), status=400))
    with pytest.raises(InDoubt):
        MOVOICE.read_receipt(answer({"status": "initiated"}))


def test_the_poll(example: Example, sent: MakeSent, answer: Answer) -> None:
    for body in (example("movoice.call.get.response"), {"data": example("movoice.call.get.response")}):
        seen = MOVOICE.read_poll(sent(), answer(body))
        assert (seen.provider_id, seen.outcome, seen.tag, seen.sentiment) == (
            "id_1",
            Outcome.ANSWERED,
            "BOOKED",
            "positive",
        )
        assert (seen.summary, seen.duration_seconds, seen.transcript) == ("Booked Friday 2 PM", 45, "agent: Hi Ana")
        assert seen.words == {"status": "completed", "outcome": "BOOKED"}
    assert asked(MOVOICE.poll_request(sent())).path == "/calls/id_1"
    assert MOVOICE.poll_request(sent(provider_id="")) is None


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        *(({"status": word}, None) for word in ("initiated", "scheduled", "active", "new word")),
        ({"status": "failed"}, Outcome.FAILED),
        ({"status": "failed", "reason": "no_answer"}, Outcome.NO_ANSWER),
        ({"status": "failed", "reason": "busy"}, Outcome.BUSY),
        ({"status": "failed", "reason": "invalid_number"}, Outcome.INVALID_NUMBER),
        ({"status": "failed", "reason": "new word"}, Outcome.FAILED),
        ({"status": "completed"}, Outcome.ANSWERED),
    ],
)
def test_statuses(sent: MakeSent, answer: Answer, call: Any, outcome: Any) -> None:
    seen = MOVOICE.read_poll(sent(), answer({"call_id": "c", **call}))

    assert (seen.outcome, seen.words) == (outcome, call)


def test_a_poll_without_a_status_says_nothing(sent: MakeSent, answer: Answer) -> None:
    with pytest.raises(InDoubt):
        MOVOICE.read_poll(sent(), answer({"call_id": "c"}))


def test_the_look_up(sent: MakeSent) -> None:
    request = asked(MOVOICE.find_request(sent(), 2))
    url = urlsplit(request.path)

    assert (request.method, url.path) == ("GET", "/calls")
    assert parse_qs(url.query) == {
        "agent_id": ["agent_1"],
        "from": ["1767625140"],
        "to": ["1767626100"],
        "limit": ["100"],
        "offset": ["200"],
    }


def call(id: str = "c", at: Any = 1767625201, phone: str = "+12025550101") -> dict[str, Any]:
    return {"call_id": id, "created_at": at, "recipient_phone": phone}


@pytest.mark.parametrize(
    "envelope",
    [lambda calls: {"calls": calls}, lambda calls: {"data": calls}, lambda calls: {"data": {"calls": calls}}],
)
@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([], ""),
        ([call("a")], "a"),
        ([call("a", phone="+12025550102"), call("b")], "b"),
        ([call("a", at=1767620000), call("b", at=1767630000)], ""),
    ],
)
def test_a_call_is_found_by_number_and_time(
    sent: MakeSent, answer: Answer, envelope: Any, calls: Any, found: Any
) -> None:
    assert MOVOICE.read_find(sent(), answer(envelope(calls))).provider_id == found


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"calls": "x"},
        {"calls": [call("a"), call("b")]},
        {"calls": [call("a", at=None)]},
        {"calls": [{"call_id": "a", "created_at": 1767625201}]},
    ],
)
def test_look_ups_that_prove_nothing(sent: MakeSent, answer: Answer, body: Any) -> None:
    with pytest.raises(InDoubt):
        MOVOICE.read_find(sent(), answer(body))


@pytest.mark.parametrize(
    ("count", "page", "more"),
    [
        (100, {}, True),
        (99, {}, False),
        (20, {"total": 30, "offset": 0}, True),
        (10, {"total": 30, "offset": 20}, False),
        (0, {"total": 30, "offset": 40}, False),
    ],
)
def test_whether_there_is_another_page(sent: MakeSent, answer: Answer, count: Any, page: Any, more: Any) -> None:
    calls = [call(str(number), phone="+12025550102") for number in range(count)]

    assert MOVOICE.read_find(sent(), answer({"calls": calls, **page})).more is more


def test_the_example_of_a_list(example: Example, sent: MakeSent, answer: Answer) -> None:
    body = example("movoice.call.list.response")
    around = sent(sent_at=datetime.fromtimestamp(1767625000, UTC))

    assert MOVOICE.read_find(around, answer(body)).provider_id == "call_998877"
    assert not MOVOICE.read_find(sent(), answer(body)).found


@pytest.mark.parametrize(
    ("name", "id", "outcome"),
    [
        ("call_started", "call_998877", None),
        ("call_completed", "call_998877", Outcome.ANSWERED),
        ("call_failed", "call_998878", Outcome.NO_ANSWER),
        ("action_triggered", "call_998877", None),
        ("transfer_initiated", "call_998877", None),
    ],
)
def test_events(example: Example, name: str, id: Any, outcome: Any) -> None:
    (seen,) = MOVOICE.read_webhook({}, json.dumps(example(f"movoice.webhook.{name}")).encode())

    assert (seen.provider_id, seen.outcome) == (id, outcome)


def test_what_is_kept_of_an_event(example: Example) -> None:
    (seen,) = MOVOICE.read_webhook({}, json.dumps(example("movoice.webhook.call_completed")).encode())
    assert (seen.tag, seen.sentiment, seen.duration_seconds) == ("BOOKED", "positive", 45)
    assert seen.recording_url == "https://storage.example.test/recordings/call_998877.mp3"
    assert seen.transcript_url == "https://storage.example.test/transcripts/call_998877.json"
    assert seen.transcript == ""

    (failed,) = MOVOICE.read_webhook({}, json.dumps(example("movoice.webhook.call_failed")).encode())
    assert failed.ended_at == datetime.fromtimestamp(1767625100, UTC)
    assert failed.words == {"event_type": "call.failed", "reason": "no_answer"}


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        ("no_answer", Outcome.NO_ANSWER), ("busy", Outcome.BUSY), ("invalid_number", Outcome.INVALID_NUMBER),
        ("agent_error", Outcome.FAILED), ("network_error", Outcome.FAILED), ("new word", Outcome.FAILED), (None, Outcome.FAILED),
    ],
)  # fmt: skip
def test_reasons(reason: Any, outcome: Any) -> None:
    body = json.dumps({"event_type": "call.failed", "call_id": "c", "reason": reason}).encode()

    assert MOVOICE.read_webhook({}, body)[0].outcome is outcome


@pytest.mark.parametrize(
    "body", [{}, {"event_type": "call.completed"}, {"call_id": "c"}, {"event_type": "call.paused", "call_id": "c"}]
)
def test_webhooks_that_make_no_sense(body: Any) -> None:
    with pytest.raises(WebhookRefused):
        MOVOICE.read_webhook({}, json.dumps(body).encode())
