"""RevRing: every documented word read into ours, look-ups for requests in doubt, webhooks and their signature."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from runner.errors import InDoubt, WebhookRefused
from runner.model.outcome import Outcome
from runner.providers.revring import Revring
from tests.providers.support import Answer, Example, MakeSent, asked

REVRING = Revring()
AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CALL_ID = "a3c18021-192f-465e-87b5-5af428f29e81"


ERRORS = [
    ("no answer: the callee did not pick up", Outcome.NO_ANSWER),
    ("call rejected by the callee (busy or declined)", Outcome.BUSY),
    ("call rejected (SIP 404: Not Found)", Outcome.INVALID_NUMBER),
    ("call rejected (SIP 486: Busy Here)", Outcome.BUSY),
    ("call rejected (SIP 480: Temporarily Unavailable)", Outcome.FAILED),
    ("call rejected (SIP 408: Request Timeout)", Outcome.NO_ANSWER),
    ("call rejected (SIP 603: Decline)", Outcome.DECLINED),
    ("call rejected (SIP 503: Calls per second limit (trunk))", Outcome.FAILED),
    ("call rejected (SIP nonsense)", Outcome.FAILED),
    ("carrier rejected the call", Outcome.FAILED),
    ("no response from the carrier", Outcome.FAILED),
    ("the line disconnected before the call was answered", Outcome.FAILED),
    ("concurrency_limit", Outcome.FAILED),
    ("billing_inactive", Outcome.FAILED),
    ("agent_unavailable", Outcome.FAILED),
    ("flow_not_configured", Outcome.FAILED),
    ("flow_invalid", Outcome.FAILED),
    ("trunk_not_configured", Outcome.FAILED),
    ("the call could not be completed", Outcome.FAILED),
    ("something new", Outcome.FAILED),
    (None, Outcome.FAILED),
]


@pytest.mark.parametrize(("words", "outcome"), ERRORS)
def test_failed_calls(sent: MakeSent, answer: Answer, words: Any, outcome: Any) -> None:
    seen = REVRING.read_poll(sent(), answer({"data": {"id": "x", "status": "FAILED", "errorMessage": words}}))

    assert seen.outcome is outcome
    assert seen.words.get("errorMessage") == words
    assert seen.provider_id == "id_1"


@pytest.mark.parametrize(
    ("record", "outcome"),
    [
        ({"status": "QUEUED"}, None),
        ({"status": "INITIATED"}, None),
        ({"status": "ONGOING"}, None),
        ({"status": "RINGING_SOMEWHERE"}, None),
        ({"status": None}, None),
        ({"status": "COMPLETED"}, Outcome.ANSWERED),
        ({"status": "COMPLETED", "hangupCause": "IVR_REACHED"}, Outcome.ANSWERED),
        ({"status": "TRANSFERRED"}, Outcome.ANSWERED),
        ({"status": "COMPLETED", "hangupCause": "VOICEMAIL_DETECTED"}, Outcome.VOICEMAIL),
        ({"status": "FAILED", "hangupCause": "VOICEMAIL_DETECTED"}, Outcome.VOICEMAIL),
        ({"status": "COMPLETED", "doNotCallRequested": True}, Outcome.OPTED_OUT),
        ({"status": "COMPLETED", "doNotCallRequested": "true"}, Outcome.ANSWERED),
        ({"status": "ONGOING", "doNotCallRequested": True}, None),
        ({"status": "CANCELED"}, Outcome.CANCELLED),
    ],
)
def test_statuses_of_calls(sent: MakeSent, answer: Answer, record: Any, outcome: Any) -> None:
    assert REVRING.read_poll(sent(), answer({"data": {"id": "x", **record}})).outcome is outcome


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("call.get.response.completed", Outcome.ANSWERED),
        ("call.get.response.failed_no_answer", Outcome.NO_ANSWER),
        ("call.get.response.voicemail", Outcome.VOICEMAIL),
        ("call.cancel.response.200", Outcome.CANCELLED),
    ],
)
def test_records_of_calls(example: Example, sent: MakeSent, answer: Answer, name: str, outcome: Any) -> None:
    assert REVRING.read_poll(sent(), answer(example(f"revring.{name}"))).outcome is outcome


def test_what_is_kept_of_a_call(example: Example, sent: MakeSent, answer: Answer, key: str) -> None:
    body = example("revring.call.get.response.completed")
    body["data"]["metadata"] = {"attempt_id": key}
    seen = REVRING.read_poll(sent(), answer(body))

    assert seen.reference == key
    assert seen.summary == "Contact confirmed 3 PM."
    assert seen.sentiment == "positive"
    assert seen.duration_seconds == 46
    assert seen.recording_url == f"https://recordings.example.test/{CALL_ID}.ogg"
    assert seen.transcript == "assistant: Hi Ana, calling about tomorrow.\nuser: Yes, 3 PM works."
    assert seen.ended_at == datetime(2026, 1, 5, 15, 0, 58, tzinfo=UTC)
    assert seen.words == {"status": "COMPLETED", "hangupCause": "END_CALL_TOOL", "doNotCallRequested": "false"}


@pytest.mark.parametrize(
    ("word", "outcome"),
    [
        ("queued", None), ("sending", None), ("accepted", None), ("new word", None), ("sent", None),
        ("delivered", Outcome.DELIVERED), ("failed", Outcome.FAILED), ("undelivered", Outcome.FAILED),
    ],
)  # fmt: skip
def test_statuses_of_texts(sent: MakeSent, answer: Answer, word: Any, outcome: Any) -> None:
    seen = REVRING.read_poll(sent(channel="text"), answer({"data": {"id": "m", "status": word}}))

    assert (seen.outcome, seen.words) == (outcome, {"status": word})


def test_poll_requests(sent: MakeSent) -> None:
    assert asked(REVRING.poll_request(sent(provider_id="a/b?c"))).path == "/calls/a%2Fb%3Fc"
    assert asked(REVRING.poll_request(sent(channel="text"))).path == "/messages/id_1"
    assert REVRING.poll_request(sent(provider_id="")) is None


def test_an_answer_without_data_says_nothing(sent: MakeSent, answer: Answer) -> None:
    with pytest.raises(InDoubt):
        REVRING.read_poll(sent(), answer({"data": []}))
    with pytest.raises(InDoubt):
        REVRING.read_find(sent(), answer({"data": {}}))


def test_the_look_up_of_a_call(sent: MakeSent) -> None:
    request = asked(REVRING.find_request(sent(provider_id=""), 0))
    url = urlsplit(request.path)

    assert (request.method, url.path) == ("GET", "/calls")
    assert "toNumber=%2B12025550101" in url.query
    assert parse_qs(url.query) == {
        "direction": ["OUTBOUND"],
        "toNumber": ["+12025550101"],
        "agentId": ["agent_1"],
        "createdFrom": ["2026-01-05T14:59:00.000Z"],
        "createdTo": ["2026-01-05T15:15:00.000Z"],
        "page": ["1"],
        "pageSize": ["100"],
    }
    assert "page=3&" in asked(REVRING.find_request(sent(), 2)).path


def test_the_look_up_of_a_text(sent: MakeSent) -> None:
    url = urlsplit(asked(REVRING.find_request(sent(channel="text"), 1)).path)

    assert url.path == "/messages"
    assert parse_qs(url.query) == {
        "direction": ["OUTBOUND"],
        "agentId": ["agent_1"],
        "page": ["2"],
        "pageSize": ["100"],
    }


def record(id: Any = "x", at: Any = "2026-01-05T15:00:01.000Z", **more: Any) -> dict[str, Any]:
    return {"id": id, "toNumber": "+12025550101", "agentId": "agent_1", "createdAt": at, **more}


def test_a_call_is_found_by_its_key_among_others(sent: MakeSent, answer: Answer, key: str) -> None:
    calls = [
        record("a", metadata={"attempt_id": "f" * 32}),
        record("b"),
        record("c", metadata={"attempt_id": key}),
        record("d"),
    ]
    finding = REVRING.read_find(sent(), answer({"data": calls, "hasNextPage": True}))

    assert finding.provider_id == "c"


@pytest.mark.parametrize(
    ("calls", "found"),
    [
        ([], ""),
        ([record("a")], "a"),
        ([record("a", metadata={"attempt_id": "f" * 32})], ""),
        ([record("a", metadata={"attempt_id": "f" * 32}), record("b", metadata=None)], "b"),
        ([record("a", at="2026-01-05T14:58:59Z"), record("b", at="2026-01-05T15:15:01Z")], ""),
        ([record("a", toNumber="+12025550102"), record("b", agentId="agent_2")], ""),
    ],
)
def test_a_call_is_found_by_number_and_time(sent: MakeSent, answer: Answer, calls: Any, found: Any) -> None:
    finding = REVRING.read_find(sent(), answer({"data": calls, "hasNextPage": False}))

    assert (finding.provider_id, finding.more) == (found, False)


@pytest.mark.parametrize(
    "calls", [[record("a"), record("b")], [record("a", at=None)], [record("a", at="soon")], [record(None)]]
)
def test_calls_that_cannot_be_told_apart_stay_in_doubt(sent: MakeSent, answer: Answer, calls: Any) -> None:
    with pytest.raises(InDoubt):
        REVRING.read_find(sent(), answer({"data": calls}))


def test_the_example_of_a_list(example: Example, sent: MakeSent, answer: Answer) -> None:
    body = example("revring.call.list.response")

    assert REVRING.read_find(sent(agent_id=AGENT), answer(body)).provider_id == CALL_ID
    assert not REVRING.read_find(sent(agent_id=AGENT, phone="+12025550102"), answer(body)).found


def test_texts_are_looked_for_back_to_the_time_of_the_request_only(sent: MakeSent, answer: Answer) -> None:
    recent = {"data": [record("a", toNumber="+12025550102")], "hasNextPage": True}
    old = {"data": [record("a", toNumber="+12025550102", at="2026-01-05T10:00:00Z")], "hasNextPage": True}

    assert REVRING.read_find(sent(channel="text"), answer(recent)).more
    assert not REVRING.read_find(sent(channel="text"), answer(old)).more
    assert REVRING.read_find(sent(channel="call"), answer(old)).more


def test_webhooks(example: Example, key: str) -> None:
    (ended,) = REVRING.read_webhook({}, json.dumps(example("revring.webhook.post_call")).encode())
    (started,) = REVRING.read_webhook({}, json.dumps(example("revring.webhook.call_started")).encode())

    assert (ended.provider_id, ended.outcome) == (CALL_ID, Outcome.ANSWERED)
    assert (started.provider_id, started.outcome, started.words) == (CALL_ID, None, {"event": "call.started"})
    for name in ("message_received", "pre_call", "transfer_started"):
        assert REVRING.read_webhook({}, json.dumps(example(f"revring.webhook.{name}")).encode()) == ()


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "x"},
        {"status": "COMPLETED"},
        {"event": "call.started"},
        {"event": "new.event", "id": "x", "status": "COMPLETED"},
    ],
)
def test_webhooks_that_make_no_sense(body: Any) -> None:
    with pytest.raises(WebhookRefused):
        REVRING.read_webhook({}, json.dumps(body).encode())


SIGNED_AT = datetime.fromtimestamp(1767625262, UTC)


def signed(example: Example, **changes: Any) -> tuple[dict[str, str], bytes, str]:
    vector = example("revring.webhook.signature_vector")
    headers = {"x-revring-timestamp": vector["timestamp"], "x-revring-signature": vector["X-RevRing-Signature"]}
    return (
        headers | changes.pop("headers", {}),
        changes.pop("body", vector["raw_body"].encode()),
        changes.pop("secret", vector["secret"]),
    )


def test_the_vector_of_its_signature(example: Example) -> None:
    headers, body, secret = signed(example)

    assert REVRING.verify_webhook(headers, body, secret, SIGNED_AT)
    assert REVRING.verify_webhook(headers, body, f"whsec_new {secret}", SIGNED_AT)
    assert REVRING.verify_webhook(headers, body, f"{secret} whsec_old", SIGNED_AT)


def test_a_second_vector() -> None:
    headers = {
        "x-revring-timestamp": "1700000000",
        "x-revring-signature": "v1=9354bb6e03a41761e86af1b5e6a471ec79e3763992f5749ff4f4b8590a175234",
    }
    now = datetime.fromtimestamp(1700000000, UTC)

    assert REVRING.verify_webhook(headers, b'{"id":"c1","status":"COMPLETED"}', "whsec_dGVzdA==", now)


@pytest.mark.parametrize(
    "changes",
    [
        {"secret": "whsec_other"},
        {"secret": ""},
        {"secret": " "},
        {"body": b'{"id":"other"}'},
        {"headers": {"x-revring-timestamp": "1767625263"}},
        {"headers": {"x-revring-timestamp": ""}},
        {"headers": {"x-revring-timestamp": "1767625262.0"}},
        {"headers": {"x-revring-timestamp": " 1767625262"}},
        {"headers": {"x-revring-timestamp": "1767625262, 1767625262"}},
        {"headers": {"x-revring-timestamp": "\u0661\u0662"}},
        {"headers": {"x-revring-signature": ""}},
        {"headers": {"x-revring-signature": "1cef3c1fb90c63db77579faf4fe904b3e9b004cd3e0ac9f1ee6ec1ec9aa2796c"}},
        {"headers": {"x-revring-signature": "v1="}},
        {"headers": {"x-revring-signature": "v2=1cef3c1fb90c63db77579faf4fe904b3e9b004cd3e0ac9f1ee6ec1ec9aa2796c"}},
        {"headers": {"x-revring-signature": "v1=\u00e9" + "0" * 63}},
    ],
)
def test_forgeries(example: Example, changes: Any) -> None:
    assert not REVRING.verify_webhook(*signed(example, **changes), SIGNED_AT)


@pytest.mark.parametrize(("seconds", "fresh"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_an_old_signature_is_refused(example: Example, seconds: Any, fresh: Any) -> None:
    assert REVRING.verify_webhook(*signed(example), SIGNED_AT + timedelta(seconds=seconds)) is fresh


def test_a_signature_without_headers() -> None:
    assert not REVRING.verify_webhook({}, b"{}", "whsec_x", SIGNED_AT)


def test_a_signature_of_every_byte(example: Example) -> None:
    body = bytes(range(256))
    mac = hmac.new(b"whsec_x", b"1767625262." + body, hashlib.sha256).hexdigest()

    assert REVRING.verify_webhook(
        {"x-revring-timestamp": "1767625262", "x-revring-signature": f"v1={mac}"}, body, "whsec_x", SIGNED_AT
    )


@pytest.mark.parametrize(
    ("extraction", "tag"),
    [
        ({"outcome": "BOOKED", "tag": "X"}, "BOOKED"),
        ({"outcome": False, "tag": "CALLBACK"}, "CALLBACK"),
        ({"disposition": "REFUSED"}, "REFUSED"),
        ({"outcome": "", "reason": "BOOKED"}, ""),
        ({"outcome": {"name": "BOOKED"}}, ""),
        (None, ""),
        ("BOOKED", ""),
    ],
)
def test_the_tag_is_a_text_of_the_extraction(sent: MakeSent, answer: Answer, extraction: Any, tag: str) -> None:
    record = {"id": "x", "status": "COMPLETED", "extraction": extraction}

    assert REVRING.read_poll(sent(), answer({"data": record})).tag == tag


def test_extraction_and_evaluation_are_kept(example: Example, sent: MakeSent, answer: Answer) -> None:
    seen = REVRING.read_poll(sent(), answer(example("revring.call.get.response.completed")))

    assert seen.structured == {
        "callback_requested": False,
        "evaluation": {"appointment_confirmed": {"result": "pass", "rationale": "Agreed to 3 PM."}},
    }
    assert (seen.hangup_cause, seen.opt_out) == ("END_CALL_TOOL", False)


def test_an_opt_out_is_heard_while_the_call_is_live(sent: MakeSent, answer: Answer) -> None:
    seen = REVRING.read_poll(sent(), answer({"data": {"id": "x", "status": "ONGOING", "doNotCallRequested": True}}))

    assert (seen.outcome, seen.opt_out) == (None, True)
