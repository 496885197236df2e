"""Revox: orders, rows and both webhooks read into our words, look-ups for requests in doubt."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from runner.errors import InDoubt, WebhookRefused
from runner.model.outcome import Outcome
from runner.providers.revox import Revox
from runner.providers.revox_answers import DIAL_ERRORS, END_REASONS, RESULTS
from tests.providers.support import Answer, Example, MakeSent, asked, body_of

REVOX = Revox()


@pytest.mark.parametrize(
    ("name", "outcome", "words"),
    [
        (
            "completed",
            Outcome.ANSWERED,
            {"status": "completed", "outcome": "interested", "result": "human", "end_reason": "tool_end_call"},
        ),
        ("waiting_retry", None, {"status": "scheduled", "dial_error": "no_answer"}),
        ("cancelled", Outcome.CANCELLED, {"status": "cancelled"}),
    ],
)
def test_polls(example: Example, sent: MakeSent, answer: Answer, name: str, outcome: Any, words: Any) -> None:
    seen = REVOX.read_poll(sent(), answer(example(f"revox.call.get.response.{name}")))

    assert (seen.provider_id, seen.outcome, seen.words) == ("id_1", outcome, words)
    assert seen.reference == "att-0001"


def test_what_is_kept_of_a_call(example: Example, sent: MakeSent, answer: Answer) -> None:
    seen = REVOX.read_poll(sent(), answer(example("revox.call.get.response.completed")))

    assert (seen.tag, seen.summary, seen.duration_seconds) == ("interested", "Confirmed the visit.", 40)
    assert seen.recording_url == "https://rec.example.test/att_1.ogg"
    assert seen.transcript == "assistant: Hi Ana.\nuser: Yes, 3 PM."
    assert seen.ended_at == datetime(2026, 1, 5, 15, 0, 58, tzinfo=UTC)


ATTEMPTS = [
    *((({"result": word}), outcome) for word, outcome in RESULTS.items()),
    *((({"dial_error": word}), outcome) for word, outcome in DIAL_ERRORS.items()),
    *((({"end_reason": word}), outcome) for word, outcome in END_REASONS.items()),
    ({"result": "IVR"}, Outcome.VOICEMAIL),
    ({"result": "human", "end_reason": "user_rejected"}, Outcome.ANSWERED),
    ({"result": "unknown", "dial_error": "busy"}, Outcome.BUSY),
    ({"result": None, "dial_error": None, "end_reason": None}, Outcome.UNKNOWN),
    ({"status": "error"}, Outcome.FAILED),
    ({"result": "new word"}, Outcome.UNKNOWN),
    ({}, Outcome.UNKNOWN),
]


@pytest.mark.parametrize(("attempt", "outcome"), ATTEMPTS)
def test_how_an_attempt_ended(sent: MakeSent, answer: Answer, attempt: Any, outcome: Any) -> None:
    call = {
        "id": "c",
        "status": "completed",
        "call_attempts": [attempt, {"result": "human"}],
        "last_call_attempt": attempt,
    }

    assert REVOX.read_poll(sent(), answer({"call": call})).outcome is outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        *(
            (word, None)
            for word in (
                "initializing",
                "queued_for_calling",
                "calling",
                "post_processing",
                "not_launched",
                "scheduled",
                "paused",
            )
        ),
        ("new word", None),
        (None, None),
        ("completed", Outcome.ANSWERED),
        ("cancelled", Outcome.CANCELLED),
        ("errored", Outcome.ANSWERED),
    ],
)
def test_statuses_of_orders(sent: MakeSent, answer: Answer, status: int, outcome: Any) -> None:
    call = {"id": "c", "status": status, "last_call_attempt": {"result": "human"}}

    assert REVOX.read_poll(sent(), answer({"call": call})).outcome is outcome


def test_an_order_that_failed_without_an_attempt(sent: MakeSent, answer: Answer) -> None:
    call: dict[str, Any] = {"id": "c", "status": "errored", "last_call_attempt": None, "call_attempts": []}

    assert REVOX.read_poll(sent(), answer({"call": call})).outcome is Outcome.FAILED


def test_a_person_who_asked_not_to_be_called(sent: MakeSent, answer: Answer) -> None:
    call = {"id": "c", "status": "completed", "outcome": "do_not_contact", "last_call_attempt": {"result": "human"}}

    assert REVOX.read_poll(sent(), answer({"call": call})).outcome is Outcome.OPTED_OUT
    assert REVOX.read_poll(sent(), answer({"call": {**call, "status": "post_processing"}})).outcome is None


def test_poll_requests(sent: MakeSent) -> None:
    assert asked(REVOX.poll_request(sent(provider_id="a b"))).path == "/call/a%20b"
    assert REVOX.poll_request(sent(provider_id="")) is None


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        ({"id": "a", "status": "ringing", "result": None}, None),
        ({"id": "a", "status": "completed", "result": "voicemail"}, Outcome.VOICEMAIL),
        ({"id": "a", "status": "error", "result": None, "dial_error": "busy"}, Outcome.BUSY),
        ({"id": "a", "status": "error", "result": None}, Outcome.FAILED),
    ],
)
def test_an_order_that_is_the_attempt_itself(sent: MakeSent, answer: Answer, call: Any, outcome: Any) -> None:
    assert REVOX.read_poll(sent(), answer({"call": call})).outcome is outcome


def test_the_look_up_of_a_call(example: Example, sent: MakeSent) -> None:
    request = asked(REVOX.find_request(sent(), 2))

    assert (request.method, request.path) == ("POST", "/call/search")
    required = {
        "assignee_ids",
        "assistant_ids",
        "campaign_ids",
        "directions",
        "from_phone_numbers",
        "outcomes",
        "results",
        "statuses",
    }
    assert required | {"page", "page_size", "to_phone_number"} == set(body_of(request))
    assert required <= set(example("revox.call.search.request"))
    assert (body_of(request)["to_phone_number"], body_of(request)["page"], body_of(request)["page_size"]) == (
        "+12025550101",
        2,
        100,
    )


def call(id: str = "c", at: Any = "2026-01-05T15:00:01.000Z", **more: Any) -> dict[str, Any]:
    return {"id": id, "to_phone_number": "+12025550101", "created_at": at, **more}


def test_a_call_is_found_by_its_key(example: Example, sent: MakeSent, answer: Answer, key: str) -> None:
    body = example("revox.call.search.response")
    assert REVOX.read_find(sent(key="att-0001"), answer(body)).provider_id == "call_0001"
    assert not REVOX.read_find(sent(), answer(body)).found

    several = {"calls": [call("a"), call("b"), call("c", metadata={"attempt_id": key})]}
    assert REVOX.read_find(sent(), answer(several)).provider_id == "c"


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([], ""),
        ([call("a")], "a"),
        ([call("a", at="2026-01-04T15:00:00Z")], ""),
        ([call("a", to_phone_number="+12025550102")], ""),
    ],
)
def test_a_call_without_a_key_is_found_by_number_and_time(
    sent: MakeSent, answer: Answer, calls: Any, found: Any
) -> None:
    assert REVOX.read_find(sent(), answer({"calls": calls})).provider_id == found


@pytest.mark.parametrize(
    "body", [{}, {"calls": None}, {"calls": [call("a"), call("b")]}, {"calls": [call("a", at={})]}]
)
def test_look_ups_that_prove_nothing(sent: MakeSent, answer: Answer, body: Any) -> None:
    with pytest.raises(InDoubt):
        REVOX.read_find(sent(), answer(body))


def test_another_page_is_asked_for_when_one_is_full(sent: MakeSent, answer: Answer) -> None:
    others = [call(str(number), metadata={"attempt_id": "f" * 32}) for number in range(100)]

    assert REVOX.read_find(sent(), answer({"calls": others})).more
    assert not REVOX.read_find(sent(), answer({"calls": others[:99]})).more


def test_the_nested_webhook(example: Example, key: str) -> None:
    body = example("revox.webhook.completed.nested")
    (seen,) = REVOX.read_webhook({}, json.dumps(body).encode())
    assert (seen.provider_id, seen.outcome, seen.duration_seconds) == ("call_0001", Outcome.ANSWERED, 40)
    assert seen.transcript == "assistant: Hi Ana.\nuser: Yes, 3 PM."

    body["call"]["is_completed"] = False
    (live,) = REVOX.read_webhook({}, json.dumps(body).encode())
    assert live.outcome is None

    body["call"]["metadata"] = {"attempt_id": key}
    assert REVOX.read_webhook({}, json.dumps(body).encode())[0].reference == key


@pytest.mark.parametrize(
    ("attempt", "outcome"),
    [
        ({"status": "error", "result": None}, None),
        ({"status": "error", "result": None, "dial_error": "no_answer"}, Outcome.NO_ANSWER),
        ({"status": "completed", "result": "voicemail"}, Outcome.VOICEMAIL),
    ],
)
def test_a_webhook_that_does_not_say_why_nobody_answered_leaves_the_outcome_open(
    attempt: Any, outcome: Outcome | None
) -> None:
    body = {"call": {"id": "c", "is_completed": True, "last_call_attempt": attempt}, "call_attempt": attempt}

    assert REVOX.read_webhook({}, json.dumps(body).encode())[0].outcome is outcome


def test_the_webhook_of_a_call_of_a_native_campaign_names_the_attempt(key: str) -> None:
    body = {
        "call": {
            "id": "c",
            "status": "completed",
            "campaign": {"id": "camp", "name": f"renewals {key}"},
            "last_call_attempt": {},
        }
    }

    assert REVOX.read_webhook({}, json.dumps(body).encode())[0].reference == key


@pytest.mark.parametrize(
    ("changes", "outcome"),
    [
        ({}, Outcome.ANSWERED),
        ({"result": "voicemail"}, None),
        ({"result": None}, None),
        ({"status": "error", "result": None}, None),
        ({"status": "error", "result": None, "dial_error": "busy"}, None),
        ({"status": "error", "result": None, "dial_error": None}, None),
        ({"status": "completed", "result": "unknown", "end_reason": None}, None),
        ({"status": "cancelled", "result": None}, Outcome.CANCELLED),
        ({"status": "ongoing", "result": None}, None),
        ({"status": None}, None),
    ],
)
def test_the_flat_webhook(example: Example, changes: Any, outcome: Any) -> None:
    body = {**example("revox.webhook.completed.flat"), **changes}
    (seen,) = REVOX.read_webhook({}, json.dumps(body).encode())

    assert (seen.provider_id, seen.outcome) == ("11111111-1111-4111-8111-111111111111", outcome)
    assert (seen.summary, seen.transcript, seen.duration_seconds) == ("Brief summary", "agent: Hi Ana ...", 48)


@pytest.mark.parametrize("body", [{}, {"call": {}}, {"call": "x"}, {"call_id": "attempt", "status": "completed"}])
def test_webhooks_that_make_no_sense(body: Any) -> None:
    with pytest.raises(WebhookRefused):
        REVOX.read_webhook({}, json.dumps(body).encode())


def test_nothing_is_signed() -> None:
    assert not REVOX.verify_webhook({}, b"{}", "secret", datetime(2026, 1, 5, tzinfo=UTC))


@pytest.mark.parametrize(
    ("changes", "ended"),
    [
        ({"result": "voicemail"}, "2026-01-05T15:00:58+00:00"),
        ({"result": "voicemail", "ended_at": None}, "2026-01-05T15:01:00+00:00"),
        ({"status": "ongoing", "result": None, "ended_at": None}, None),
    ],
)
def test_a_flat_webhook_that_settles_nothing_says_that_the_dial_has_ended(
    example: Example, changes: Any, ended: str | None
) -> None:
    body = {**example("revox.webhook.completed.flat"), **changes}
    (seen,) = REVOX.read_webhook({}, json.dumps(body).encode())

    assert seen.outcome is None
    assert seen.ended_at == (datetime.fromisoformat(ended) if ended else None)
    assert seen.calls == 1


def test_what_else_is_kept_of_an_order(example: Example, sent: MakeSent, answer: Answer) -> None:
    seen = REVOX.read_poll(sent(), answer(example("revox.call.get.response.completed")))
    assert (seen.structured, seen.hangup_cause, seen.calls, seen.opt_out) == (
        {"confirmed": True}, "tool_end_call", 1, False,
    )  # fmt: skip

    waiting = REVOX.read_poll(sent(), answer(example("revox.call.get.response.waiting_retry")))
    assert (waiting.calls, waiting.structured, waiting.hangup_cause) == (2, {}, "")

    for call, calls in (({"call_attempts": [{}, {}]}, 2), ({"status": "ringing", "result": None}, 1), ({}, None)):
        assert REVOX.read_poll(sent(), answer({"call": {"id": "c", **call}})).calls == calls


def test_an_opt_out_is_heard_while_the_order_goes_on(sent: MakeSent, answer: Answer) -> None:
    call = {"id": "c", "status": "post_processing", "outcome": "do_not_contact"}
    seen = REVOX.read_poll(sent(), answer({"call": call}))

    assert (seen.outcome, seen.opt_out) == (None, True)


def test_a_server_that_counts_pages_from_1_is_read_too(sent: MakeSent, answer: Answer, key: str) -> None:
    """It refuses page 0, or leaves it empty; both say that page 1 is to be asked for."""
    for first in (answer({"error": "page must be at least 1"}, status=400), answer({"calls": [], "total_count": 1})):
        finding = REVOX.read_find(sent(), first)
        assert (finding.found, finding.more) == (False, True)

    assert body_of(asked(REVOX.find_request(sent(), 1)))["page"] == 1
    second = {"calls": [call("a", metadata={"attempt_id": key})], "total_count": 1}
    assert REVOX.read_find(sent(), answer(second)).provider_id == "a"
    empty = REVOX.read_find(sent(), answer({"calls": [], "total_count": 0}))
    assert (empty.found, empty.more) == (False, False)


def test_a_search_that_is_never_answered_ends(sent: MakeSent, answer: Answer) -> None:
    assert REVOX.find_request(sent(), 9) is not None
    assert REVOX.find_request(sent(), 10) is None
    assert REVOX.read_find(sent(), answer({"error": "no"}, status=400)).more
    with pytest.raises(InDoubt):
        REVOX.read_find(sent(), answer({"error": "no"}, status=500))
