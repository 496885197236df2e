"""Webhooks on their way to a real receiver: shapes, order, signatures, repetitions, losses."""

from __future__ import annotations

import asyncio
import base64
import hmac
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest

from runner.sandbox.settings import MovoiceSwitches, RevoxSwitches, RevringSwitches, Target
from runner.sandbox.signatures import sign_movoice, sign_revring

ANA = "+12025550101"
SECRET = "whsec_test_0000"
STATE = {"postCallWebhookStatus", "preCallWebhookStatus", "postCallWebhookAttempts"}


@pytest.mark.parametrize(
    ("secret", "raw", "timestamp", "signature"),
    [
        (
            "whsec_test_0000",
            b'{"id":"a3c18021-192f-465e-87b5-5af428f29e81","status":"COMPLETED"}',
            1767625262,
            "v1=1cef3c1fb90c63db77579faf4fe904b3e9b004cd3e0ac9f1ee6ec1ec9aa2796c",
        ),
        (
            "whsec_dGVzdA==",
            b'{"id":"c1","status":"COMPLETED"}',
            1700000000,
            "v1=9354bb6e03a41761e86af1b5e6a471ec79e3763992f5749ff4f4b8590a175234",
        ),
    ],
)
def test_revring_signs_as_its_vectors_say(secret: Any, raw: Any, timestamp: Any, signature: Any) -> None:
    headers = sign_revring(secret, raw, datetime.fromtimestamp(timestamp, UTC))

    assert headers == {"X-RevRing-Timestamp": str(timestamp), "X-RevRing-Signature": signature}


async def _placed(sandbox: Any, dialling: Any, receiver: Any, provider: str, outcome: str, **target: str) -> None:
    await sandbox.post("/_sandbox/webhooks", {provider: {"url": receiver.url, **target}})
    await sandbox.post("/_sandbox/people", {ANA: [outcome]})
    path, body = dialling[provider].path, dialling[provider].body
    assert (await sandbox.http.post(path, json=body)).is_success


async def test_revring_tells_the_call_record_and_signs_it(serve: Any, receiver: Any, keys: Any, dialling: Any) -> None:
    sandbox = await serve()

    await _placed(sandbox, dialling, receiver, "revring", "answered", secret=SECRET)
    (webhook,) = await receiver.arrived(1)
    await sandbox.ended()

    assert set(webhook.body) == keys("revring.webhook.post_call")
    assert (webhook.body["status"], webhook.body["toNumber"]) == ("COMPLETED", ANA)
    timestamp = webhook.headers["x-revring-timestamp"]
    mac = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + webhook.raw, sha256).hexdigest()
    assert webhook.headers["x-revring-signature"] == f"v1={mac}"
    assert abs(int(timestamp) - sandbox.world.clock.now().timestamp()) < 10
    read = (await sandbox.get(f"/revring/calls/{webhook.body['id']}"))["data"]
    assert (read["postCallWebhookStatus"], read["postCallWebhookAttempts"]) == ("sent", 1)
    assert webhook.body == {name: value for name, value in read.items() if name not in STATE}


async def test_without_a_secret_nothing_is_signed(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve()

    await _placed(sandbox, dialling, receiver, "revring", "answered")
    (webhook,) = await receiver.arrived(1)

    assert not [name for name in webhook.headers if name.startswith("x-")]


@pytest.mark.parametrize("told", [True, False])
async def test_a_call_that_was_never_picked_up_is_told_unless_switched_off(
    serve: Any, receiver: Any, dialling: Any, told: Any
) -> None:
    sandbox = await serve(revring=RevringSwitches(webhook_before_pickup=told))

    await _placed(sandbox, dialling, receiver, "revring", "no_answer")
    await sandbox.ended()

    assert [webhook.body["errorMessage"] for webhook in receiver.delivered] == (
        ["no answer: the callee did not pick up"] if told else []
    )
    (dial,) = await sandbox.dials()
    read = (await sandbox.get(f"/revring/calls/{dial['id']}"))["data"]
    assert read["postCallWebhookStatus"] == ("sent" if told else "skipped")


async def test_revring_tells_that_a_call_started_when_agents_opted_in(
    serve: Any, receiver: Any, keys: Any, dialling: Any
) -> None:
    sandbox = await serve(revring=RevringSwitches(call_started=True))

    await _placed(sandbox, dialling, receiver, "revring", "answered")
    started, ended = await receiver.arrived(2)

    assert (started.body["event"], set(started.body["call"])) == (
        "call.started",
        keys("revring.webhook.call_started.call"),
    )
    assert ended.body["id"] == started.body["call"]["id"]


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        ("answered", "completed"),
        ("voicemail", "voicemail"),
        ("no_answer", "no_answer"),
        ("busy", "busy"),
        ("declined", "busy"),
        ("invalid_number", "failed"),
        ("failed", "failed"),
    ],
)
async def test_revmo_calls_back_in_the_assumed_shape(
    serve: Any, receiver: Any, dialling: Any, outcome: str, status: Any
) -> None:
    sandbox = await serve()

    await _placed(sandbox, dialling, receiver, "revmo", outcome)
    (webhook,) = await receiver.arrived(1)

    (dial,) = await sandbox.dials()
    assert webhook.body == {
        "external_id": dial["id"],
        "status": status,
        "to": ANA,
        "duration": 1 if outcome in {"answered", "voicemail"} else 0,
        "metadata": {},
    }


async def test_revmo_calls_back_for_texts_with_their_metadata(serve: Any, receiver: Any) -> None:
    sandbox = await serve(webhooks={"revmo": Target(url=receiver.url)}, script={ANA: ("delivered",)})
    body = {"agentId": "QUdFTlQ=", "to": ANA, "metadata": {"attempt_id": "att-1"}}

    thread = (await sandbox.post("/revmo/v1/startsms/", body))["thread_id"]
    (webhook,) = await receiver.arrived(1)

    assert (webhook.body["external_id"], webhook.body["status"]) == (thread, "delivered")
    assert webhook.body["metadata"] == {"attempt_id": "att-1"}


async def test_movoice_tells_start_and_end_in_order_and_sparsely(
    serve: Any, receiver: Any, keys: Any, dialling: Any
) -> None:
    sandbox = await serve()

    await _placed(sandbox, dialling, receiver, "movoice", "answered", secret=SECRET)
    started, completed = await receiver.arrived(2)

    assert (started.body["event_type"], completed.body["event_type"]) == ("call.started", "call.completed")
    assert set(started.body) == keys("movoice.webhook.call_started")
    assert set(completed.body) == keys("movoice.webhook.call_completed")
    assert completed.headers["x-movoice-signature"] == hmac.new(SECRET.encode(), completed.raw, sha256).hexdigest()
    assert dict(sign_movoice(SECRET, completed.raw, sandbox.world.clock.now())) == {
        "X-Movoice-Signature": completed.headers["x-movoice-signature"]
    }


@pytest.mark.parametrize("over", ["body", "timestamp.body"])
@pytest.mark.parametrize("encoding", ["hex", "base64"])
async def test_movoice_signs_as_it_is_switched(
    serve: Any, receiver: Any, dialling: Any, encoding: Any, over: Any
) -> None:
    switches = MovoiceSwitches(signature_encoding=encoding, signature_over=over, signature_prefix="v1=")
    sandbox = await serve(movoice=switches)

    await _placed(sandbox, dialling, receiver, "movoice", "busy", secret=SECRET)
    (webhook,) = await receiver.arrived(1)

    headers = {name.lower(): value for name, value in webhook.headers.items()}
    at = headers.get("x-movoice-timestamp")
    assert (at is not None) is (over == "timestamp.body")
    signed = webhook.raw if at is None else f"{at}.".encode() + webhook.raw
    mac = hmac.new(SECRET.encode(), signed, "sha256").digest()
    assert headers["x-movoice-signature"] == "v1=" + (
        mac.hex() if encoding == "hex" else base64.b64encode(mac).decode()
    )


async def test_movoice_tells_why_a_call_failed(serve: Any, receiver: Any, keys: Any, dialling: Any) -> None:
    sandbox = await serve()

    await _placed(sandbox, dialling, receiver, "movoice", "no_answer")
    (webhook,) = await receiver.arrived(1)

    assert set(webhook.body) == keys("movoice.webhook.call_failed")
    assert (webhook.body["event_type"], webhook.body["reason"]) == ("call.failed", "no_answer")


async def test_revox_tells_order_and_attempt(serve: Any, receiver: Any, keys: Any, dialling: Any) -> None:
    sandbox = await serve()

    await _placed(sandbox, dialling, receiver, "revox", "answered")
    (webhook,) = await receiver.arrived(1)

    attempt = webhook.body["call_attempt"]
    assert set(webhook.body) == {"call", "call_attempt"}
    assert set(webhook.body["call"]) == keys("revox.webhook.nested.call")
    assert set(attempt) == keys("revox.webhook.nested.call_attempt")
    assert (attempt["status"], attempt["result"]) == ("completed", "human")
    assert webhook.body["call"]["last_call_attempt"] == attempt


async def test_revox_tells_the_flat_form_when_switched(serve: Any, receiver: Any, keys: Any, dialling: Any) -> None:
    sandbox = await serve(revox=RevoxSwitches(webhook="flat"))

    await _placed(sandbox, dialling, receiver, "revox", "voicemail")
    (webhook,) = await receiver.arrived(1)

    assert set(webhook.body) == keys("revox.webhook.flat")
    (dial,) = await sandbox.dials()
    assert (webhook.body["call_order_id"], webhook.body["result"]) == (dial["id"], "voicemail")


async def test_a_webhook_that_is_not_taken_is_repeated_and_a_redirect_is_not_followed(
    serve: Any, receiver: Any, dialling: Any
) -> None:
    sandbox = await serve(webhook_retry_scale=0.0005)
    receiver.statuses = [500, 302]

    await _placed(sandbox, dialling, receiver, "revring", "busy", secret=SECRET)
    first, second, third = await receiver.arrived(3)
    await asyncio.sleep(0.05)

    assert first.raw == second.raw == third.raw
    read = (await sandbox.get(f"/revring/calls/{first.body['id']}"))["data"]
    assert read["postCallWebhookStatus"] == "sent"
    assert len(receiver.delivered) == 3


async def test_a_webhook_is_given_up_after_its_last_repetition(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhook_retry_scale=0.0001, webhook_retries=2)
    receiver.statuses = [503] * 9

    await _placed(sandbox, dialling, receiver, "revring", "answered")
    webhooks = await receiver.arrived(3)
    await asyncio.sleep(0.2)

    assert len(receiver.delivered) == 3
    read = (await sandbox.get(f"/revring/calls/{webhooks[0].body['id']}"))["data"]
    assert (read["postCallWebhookStatus"], read["postCallWebhookAttempts"]) == ("failed", 3)
    assert sandbox.world.next_event_at() is None


async def test_a_webhook_that_waits_to_be_repeated_is_the_next_event(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhook_retry_scale=1.0)
    receiver.statuses = [500]

    await _placed(sandbox, dialling, receiver, "movoice", "busy")
    await receiver.arrived(1)
    await sandbox.ended()

    waits = sandbox.world.next_event_at() - sandbox.world.clock.now()
    assert 25 < waits.total_seconds() <= 30


async def test_nobody_listening_harms_nothing(serve: Any, dialling: Any) -> None:
    sandbox = await serve(webhooks={name: Target(url="http://127.0.0.1:9/") for name in dialling}, webhook_retries=0)

    for request in dialling.values():
        assert (await sandbox.http.post(request.path, json=request.body)).is_success
    await sandbox.ended()

    assert len(await sandbox.dials()) == len(dialling)


async def test_some_webhooks_are_lost_for_good(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhooks={"revmo": Target(url=receiver.url)}, webhook_share=0.5)
    path, body = dialling["revmo"].path, dialling["revmo"].body

    for n in range(60):
        await sandbox.post(path, body | {"to": f"+12025550{100 + n}"})
    await sandbox.ended()

    assert 15 <= len(receiver.delivered) <= 45
    assert len({webhook.body["external_id"] for webhook in receiver.delivered}) == len(receiver.delivered)


async def test_new_targets_replace_the_old_ones(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhooks={"revmo": Target(url=receiver.url)})
    await sandbox.post("/_sandbox/webhooks", {"revox": {"url": receiver.url}})
    path, body = dialling["revmo"].path, dialling["revmo"].body

    await sandbox.post(path, body)
    await sandbox.ended()

    assert receiver.delivered == []
