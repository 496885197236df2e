"""Revmo: the requests of its pages key for key, its answers, its assumed callbacks."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from runner.errors import InDoubt, Rejected, WebhookRefused
from runner.model.campaign import Agent
from runner.model.outcome import Outcome
from runner.providers.revmo import OUTCOMES, Revmo
from tests.providers.support import Answer, Example, MakeOrder, MakeSent, body_of

REVMO = Revmo()


def test_the_call_of_its_page_is_built_key_for_key(order: MakeOrder) -> None:
    request = REVMO.build(
        order(
            agent_id="YOUR_AGENT_ID",
            phone="+12025550102",
            variables={"customer_name": "John Doe", "account_type": "premium"},
            options={"trigger": "sales_followup"},
        )
    )

    assert (request.method, request.path) == ("POST", "/v1/makecall/")
    assert json.dumps(request.body) == json.dumps(
        {
            "agentId": "YOUR_AGENT_ID",
            "to": "+12025550102",
            "trigger": "sales_followup",
            "metadata": {"customer_name": "John Doe", "account_type": "premium"},
        }
    )
    assert REVMO.auth_headers("YOUR_API_KEY") == {"Authorization": "Bearer YOUR_API_KEY"}


def test_the_text_of_its_page_is_built_key_for_key(order: MakeOrder) -> None:
    request = REVMO.build(
        order(
            channel="text",
            agent_id="YOUR_AGENT_ID",
            phone="+12025550102",
            variables={"customer_name": "John Doe", "appointment_time": "2025-02-22T15:00:00Z"},
            message="Hi John, just confirming your appointment tomorrow at 3 PM.",
            options={"trigger": "appointment_reminder", "no_agent": "true"},
        )
    )

    assert (request.method, request.path) == ("POST", "/v1/startsms/")
    assert json.dumps(request.body) == json.dumps(
        {
            "agentId": "YOUR_AGENT_ID",
            "to": "+12025550102",
            "trigger": "appointment_reminder",
            "metadata": {"customer_name": "John Doe", "appointment_time": "2025-02-22T15:00:00Z"},
            "override": "Hi John, just confirming your appointment tomorrow at 3 PM.",
            "no_agent": "true",
        }
    )


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        (
            "revmo.makecall.request",
            {
                "agent_id": "QUdFTlQtMDAwMQ==",
                "variables": {"customer_name": "Test Person", "run_id": "run-0001", "attempt_id": "att-0001"},
                "options": {"trigger": "sales_followup", "initial_silence_timeout": "8000"},
            },
        ),
        (
            "revmo.startsms.request",
            {
                "channel": "text",
                "agent_id": "QUdFTlQtMDAwMQ==",
                "phone": "+12025550102",
                "variables": {"customer_name": "Test Person", "appointment_time": "2026-02-22T15:00:00Z"},
                "options": {"trigger": "appointment_reminder", "initial_silence_timeout": 5},
            },
        ),
        (
            "revmo.startsms.request.single",
            {
                "channel": "text",
                "agent_id": "QUdFTlQtMDAwMQ==",
                "phone": "+12025550102",
                "message": "Your visit is tomorrow at 3 PM. Reply STOP to opt out.",
                "options": {"no_agent": True},
            },
        ),
    ],
)
def test_examples(example: Example, order: MakeOrder, name: str, changes: Any) -> None:
    assert json.dumps(REVMO.build(order(**changes)).body) == json.dumps(example(name))


def test_an_agent_that_answers_is_not_said(order: MakeOrder) -> None:
    assert REVMO.build(order(channel="text", options={"no_agent": False})).body == {
        "agentId": "agent_1",
        "to": "+12025550101",
    }


def test_the_stamp_goes_into_the_metadata_and_changes_nothing_else(order: MakeOrder, key: str) -> None:
    request = REVMO.build(order(variables={"name": "Ana"}, options={"initial_silence_timeout": 5}))
    before = json.dumps(request.body)
    stamped = REVMO.stamp(request, key, in_body=True)

    assert json.dumps(request.body) == before
    assert stamped.headers == {"Idempotency-Key": key}
    assert json.dumps(stamped.body) == json.dumps(
        {
            "agentId": "agent_1",
            "to": "+12025550101",
            "metadata": {"name": "Ana", "attempt_id": key},
            "initial_silence_timeout": 5,
        }
    )
    assert REVMO.stamp(request, key, in_body=False).body == request.body
    assert body_of(REVMO.stamp(REVMO.build(order()), key, in_body=True))["metadata"] == {"attempt_id": key}


@pytest.mark.parametrize(
    ("left", "remaining"),
    [
        (499, 499),
        ("499", 499),
        (0, 0),
        ("0", 0),
        ("unique_call_identifier", None),
        (None, None),
        (True, None),
        (1.5, None),
        (-1, 0),
    ],
)
def test_calls_that_remain(answer: Answer, left: Any, remaining: Any) -> None:
    receipt = REVMO.read_receipt(answer({"result": "Ok", "external_id": "c1", "calls_remaining": left}))

    assert (receipt.provider_id, receipt.remaining) == ("c1", remaining)


def test_receipts(example: Example, answer: Answer) -> None:
    assert REVMO.read_receipt(answer(example("revmo.makecall.response.ok"))).provider_id == "rvm-call-000001"
    assert REVMO.read_receipt(answer(example("revmo.startsms.response"))).provider_id == "rvm-thread-000001"
    with pytest.raises(Rejected, match="invalid phone number"):
        REVMO.read_receipt(answer(example("revmo.makecall.response.error"), status=400))
    for body in (
        example("revmo.makecall.response.error"),
        {"result": "Error", "external_id": "c1"},
        {"result": "Ok"},
        {"external_id": ""},
    ):
        with pytest.raises(InDoubt):
            REVMO.read_receipt(answer(body))


def test_nothing_can_be_asked(sent: MakeSent, answer: Answer) -> None:
    assert REVMO.poll_request(sent()) is None
    assert REVMO.find_request(sent(), 0) is None
    with pytest.raises(InDoubt):
        REVMO.read_poll(sent(), answer({}))
    with pytest.raises(InDoubt):
        REVMO.read_find(sent(), answer({}))


@pytest.mark.parametrize(
    ("word", "outcome"), [*OUTCOMES.items(), ("in-progress", None), ("COMPLETED", Outcome.ANSWERED)]
)
def test_callbacks(word: Any, outcome: Any, key: str) -> None:
    body = {"external_id": "c1", "status": word, "to": "+12025550101", "duration": 46, "metadata": {"attempt_id": key}}
    (seen,) = REVMO.read_webhook({}, json.dumps(body).encode())

    assert (seen.provider_id, seen.reference, seen.outcome, seen.duration_seconds) == ("c1", key, outcome, 46)
    assert seen.words == {"status": word}


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"status":"completed"}', b"<html>"])
def test_callbacks_that_make_no_sense(body: Any) -> None:
    with pytest.raises(WebhookRefused) as refused:
        REVMO.read_webhook({}, body)

    assert refused.value.status == 400


@pytest.mark.parametrize("id", ["QUdFTlQtMDAwMQ==", "YOUR_AGENT_ID", "a", "QUd+/-_1"])
def test_agents(id: Any) -> None:
    assert REVMO.agent_problem(Agent(provider="revmo", id=id)) is None


@pytest.mark.parametrize("id", ["two words", " ", "tab\there", "a\n"])
def test_agents_with_blanks(id: Any) -> None:
    problem = REVMO.agent_problem(Agent(provider="revmo", id=id))

    assert problem is not None
    assert "QUdFTlQtMDAwMQ==" in problem[1]


@pytest.mark.parametrize(
    ("id", "strange"), [("my.agent", "."), ("QUd=FTlQ", "="), ("agent:1", ":"), ("QUdFTlQ\u00e9==", "\u00e9")]
)
def test_agents_that_base64_cannot_name(id: Any, strange: Any) -> None:
    problem = REVMO.agent_problem(Agent(provider="revmo", id=id))

    assert problem is not None
    assert f"base64 has no `{strange}`" in problem[0]


@pytest.mark.parametrize(
    ("channel", "options"),
    [
        ("call", {"initial_silence_timeout": -1}),
        ("call", {"no_agent": True}),
        ("call", {"override": "x"}),
        ("text", {"initial_silence_timeout": 5}),
        ("text", {"override": "x"}),
    ],
)
def test_options_that_revmo_does_not_know(channel: Any, options: Any) -> None:
    with pytest.raises(ValidationError):
        REVMO.options_model(channel).model_validate(options)


@pytest.mark.parametrize(
    ("body", "id", "outcome", "tag"),
    [
        ({"id": "c1", "outcome": "no_answer"}, "c1", Outcome.NO_ANSWER, ""),
        ({"call_id": "c1", "result": "Busy"}, "c1", Outcome.BUSY, ""),
        ({"thread_id": "t1", "event": "sms.delivered"}, "t1", Outcome.DELIVERED, ""),
        ({"external_id": "c1", "id": "event", "event": "call.completed", "outcome": "no-answer"}, "c1", Outcome.NO_ANSWER, ""),
        ({"id": "c1", "status": "completed", "result": "Ok"}, "c1", Outcome.ANSWERED, ""),
        ({"id": "c1", "status": "completed", "outcome": "BOOKED"}, "c1", Outcome.ANSWERED, "BOOKED"),
        ({"id": "c1", "status": "voicemail", "result": "busy"}, "c1", Outcome.VOICEMAIL, ""),
        ({"id": "c1", "status": "Opted out"}, "c1", Outcome.OPTED_OUT, ""),
        ({"id": "c1", "event": "call.started", "result": "Ok"}, "c1", None, ""),
        ({"id": {"nested": 1}, "call_id": 7, "status": []}, "7", None, ""),
    ],
)  # fmt: skip
def test_callbacks_under_other_names(body: Any, id: Any, outcome: Any, tag: Any) -> None:
    (seen,) = REVMO.read_webhook({}, json.dumps(body).encode())

    assert (seen.provider_id, seen.outcome, seen.tag) == (id, outcome, tag)
    assert seen.opt_out is (outcome is Outcome.OPTED_OUT)


def test_what_is_kept_of_a_callback(key: str) -> None:
    body = {
        "status": "completed", "metadata": {"attempt_id": key}, "summary": "Booked.", "sentiment": "positive",
        "transcript": [{"role": "agent", "text": "Hi"}], "transcript_url": "https://t.example.test/1",
        "recording_url": "https://r.example.test/1", "ended_at": "2026-01-05T15:00:58Z", "hangup_cause": "agent",
        "structured_output": {"day": "Friday", "none": None},
    }  # fmt: skip
    (seen,) = REVMO.read_webhook({}, json.dumps(body).encode())

    assert (seen.provider_id, seen.reference, seen.summary, seen.sentiment) == ("", key, "Booked.", "positive")
    assert (seen.transcript, seen.transcript_url) == ("agent: Hi", "https://t.example.test/1")
    assert (seen.recording_url, seen.hangup_cause) == ("https://r.example.test/1", "agent")
    assert seen.structured == {"day": "Friday"}
    assert seen.ended_at is not None
