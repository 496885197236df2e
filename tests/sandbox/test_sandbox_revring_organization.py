"""What a RevRing organization has besides campaigns: the do-not-call list, the signing secret, its queue, its texts."""

from __future__ import annotations

import csv
import hmac
import io
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import pytest

from runner.sandbox.settings import RevringSwitches, Target

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
FROM = "+12025550190"
NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
CALL = {"agentId": "agent-1", "toNumber": ANA, "fromNumber": FROM}


async def test_the_do_not_call_list_is_kept(serve: Any) -> None:
    sandbox = await serve(revring=RevringSwitches(do_not_call=(ANA,)))

    added = await sandbox.post("/revring/do-not-call", {"numbers": [ANA, SAM, SAM], "reason": "asked"}, 201)
    listed = await sandbox.get("/revring/v1/do-not-call", pageSize=1)
    refused = await sandbox.post("/revring/calls", CALL | {"toNumber": SAM, "honorDoNotCall": True}, 409)
    removed = await sandbox.http.delete("/revring/do-not-call/%2B12025550102")
    again = await sandbox.http.delete("/revring/do-not-call/%2B12025550102")
    await sandbox.post("/revring/calls", CALL | {"toNumber": SAM, "honorDoNotCall": True}, 201)

    assert added == {"data": {"added": 1}}
    assert (listed["total"], listed["data"][0]["e164"], listed["data"][0]["reason"]) == (2, SAM, "asked")
    assert set(listed["data"][0]) == {"e164", "reason", "createdAt"}
    assert refused["error"] == "number_on_do_not_call_list"
    assert (removed.status_code, again.status_code) == (200, 404)
    assert [dial["to"] for dial in await sandbox.dials()] == [SAM]


@pytest.mark.parametrize("body", [{}, {"numbers": []}, {"numbers": ["0202"]}, {"numbers": [ANA], "reason": 5}])
async def test_a_wrong_entry_of_the_list_is_refused(serve: Any, body: Any) -> None:
    sandbox = await serve()

    assert (await sandbox.post("/revring/do-not-call", body, 400))["error"] == "invalid_body"


def _signed_by(webhook: Any, secret: str) -> bool:
    timestamp = webhook.headers["x-revring-timestamp"]
    mac = hmac.new(secret.encode(), f"{timestamp}.".encode() + webhook.raw, sha256).hexdigest()
    return bool(webhook.headers["x-revring-signature"] == f"v1={mac}")


async def test_the_signing_secret_is_made_rotated_and_removed(serve: Any, receiver: Any) -> None:
    target = {"revring": Target(url=receiver.url, secret="whsec_of_settings")}
    sandbox = await serve(standing=True, webhooks=target)
    path = "/revring/v1/webhooks/signing-secret"

    async def told() -> Any:
        before = len(receiver.delivered)
        await sandbox.post("/revring/calls", CALL, 201)
        await sandbox.passes(sandbox.world.clock.now() + timedelta(seconds=1))
        return (await receiver.arrived(before + 1))[-1]

    unset = await told()
    first = (await sandbox.post(path, None, 201))["data"]
    by_first = await told()
    second = (await sandbox.post(path, None, 201))["data"]
    within = await told()
    await sandbox.passes(sandbox.world.clock.now() + timedelta(minutes=1))
    after = await told()
    state = (await sandbox.get(path))["data"]
    removed = (await sandbox.http.delete(path)).json()["data"]
    unsigned = await told()

    assert _signed_by(unset, "whsec_of_settings")
    assert first["secret"].startswith("whsec_")
    assert (first["enabled"], first["last4"]) == (True, first["secret"][-4:])
    assert _signed_by(by_first, first["secret"])
    assert _signed_by(within, first["secret"])
    assert _signed_by(after, second["secret"])
    assert state == {"enabled": True, "last4": second["secret"][-4:]}
    assert removed == {"enabled": False, "last4": None}
    assert "x-revring-signature" not in unsigned.headers


async def test_a_call_that_gets_no_line_in_four_hours_fails_and_nobody_is_dialled(serve: Any, receiver: Any) -> None:
    sandbox = await serve(
        standing=True,
        ring_seconds=(20_000.0, 20_000.0),
        revring=RevringSwitches(concurrency=1),
        webhooks={"revring": Target(url=receiver.url)},
        script={ANA: ("busy",), SAM: ("busy",)},
    )
    await sandbox.post("/revring/calls", CALL, 201)
    waits = (await sandbox.post("/revring/calls", CALL | {"toNumber": SAM}, 201))["data"]

    await sandbox.passes(NOON + timedelta(hours=3, minutes=59))
    before = (await sandbox.get(f"/revring/calls/{waits['id']}"))["data"]
    await sandbox.passes(NOON + timedelta(hours=4, minutes=1))
    failed = (await sandbox.get(f"/revring/calls/{waits['id']}"))["data"]
    (webhook,) = await receiver.arrived(1)
    await sandbox.passes(NOON + timedelta(hours=9))

    assert (waits["status"], before["status"]) == ("QUEUED", "QUEUED")
    assert (failed["status"], failed["errorMessage"], failed["startedAt"]) == ("FAILED", "concurrency_limit", None)
    assert webhook.body["id"] == waits["id"]
    assert [dial["to"] for dial in await sandbox.dials()] == [ANA]


async def test_a_call_that_gets_its_line_in_time_does_not_fail(serve: Any) -> None:
    sandbox = await serve(standing=True, revring=RevringSwitches(concurrency=1), ring_seconds=(60.0, 61.0))
    await sandbox.post("/revring/calls", CALL, 201)
    waits = (await sandbox.post("/revring/calls", CALL | {"toNumber": SAM}, 201))["data"]

    await sandbox.passes(NOON + timedelta(hours=9))

    ended = (await sandbox.get(f"/revring/calls/{waits['id']}"))["data"]
    assert ended["errorMessage"] != "concurrency_limit"
    assert len(await sandbox.dials()) == 2


async def test_calls_are_exported_as_a_table(serve: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",), SAM: ("busy",)})
    for phone in (ANA, SAM):
        await sandbox.post("/revring/calls", CALL | {"toNumber": phone}, 201)
    await sandbox.ended()

    reply = await sandbox.http.get("/revring/calls/export")
    failed = await sandbox.http.get("/revring/calls/export?status=FAILED&from=2000-01-01T00:00:00Z")

    assert reply.headers["content-type"].startswith("text/csv")
    assert [row["toNumber"] for row in csv.DictReader(io.StringIO(reply.text))] == [SAM, ANA]
    (row,) = csv.DictReader(io.StringIO(failed.text))
    assert row["errorMessage"] == "call rejected by the callee (busy or declined)"
    assert (await sandbox.http.get("/revring/calls/export?from=soon")).status_code == 400


async def test_people_can_write_and_belong_to_one_conversation(serve: Any, receiver: Any) -> None:
    sandbox = await serve(webhooks={"revring": Target(url=receiver.url, secret="whsec_x")})
    sent = (await sandbox.post("/revring/messages", {"to": ANA, "agentId": "agent-1", "body": "Hello"}, 201))["data"]
    text = {"provider": "revring", "from": ANA, "to": FROM, "body": "STOP"}
    receiver.statuses = [500]

    told = await sandbox.post("/_sandbox/inbound", text)
    (webhook,) = await receiver.arrived(1)
    await sandbox.ended()
    came = (await sandbox.get("/revring/messages", direction="INBOUND"))["data"]
    everything = (await sandbox.get("/revring/messages"))["data"]

    assert told == {"told": True}
    assert set(webhook.body) == {
        "event",
        "organizationId",
        "agentId",
        "conversationId",
        "fromNumber",
        "toNumber",
        "body",
        "messageSid",
    }
    assert (webhook.body["event"], webhook.body["body"]) == ("message_received", "STOP")
    assert (webhook.body["fromNumber"], webhook.body["toNumber"], webhook.body["agentId"]) == (ANA, FROM, "agent-1")
    assert webhook.body["conversationId"] == sent["conversationId"]
    assert _signed_by(webhook, "whsec_x")
    assert sandbox.world.next_event_at() is None  # never repeated, although it was not taken
    assert [(one["fromNumber"], one["body"], one["status"]) for one in came] == [(ANA, "STOP", "received")]
    assert [one["id"] for one in everything] == [came[0]["id"], sent["id"]]
    assert (await sandbox.get(f"/revring/messages/{came[0]['id']}"))["data"] == came[0]
    assert [dial["kind"] for dial in await sandbox.dials()] == ["text"]


async def test_a_text_that_nobody_listens_to_is_kept_all_the_same(serve: Any) -> None:
    sandbox = await serve()

    told = await sandbox.post("/_sandbox/inbound", {"from": SAM, "to": FROM, "body": "yes", "agentId": "agent-9"})

    assert told == {"told": False}
    assert (await sandbox.get("/revring/messages", agentId="agent-9"))["data"][0]["body"] == "yes"
    assert await sandbox.dials() == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provider": "revox"}, "nobody can write to `revox`"),
        ({"from": "Ana"}, "`Ana` is no phone number"),
        ({"to": None}, "`None` is no phone number"),
        ({"body": ""}, "a text has no body"),
    ],
)
async def test_a_text_that_cannot_be_sent_is_said(serve: Any, change: Any, message: str) -> None:
    sandbox = await serve()

    answer = await sandbox.post("/_sandbox/inbound", {"from": ANA, "to": FROM, "body": "x"} | change, 400)

    assert answer["error"] == message


async def test_webhooks_are_not_repeated_by_the_older_documentation(serve: Any, receiver: Any) -> None:
    sandbox = await serve(
        webhooks={"revring": Target(url=receiver.url)}, revring=RevringSwitches(webhook_retries=False)
    )
    receiver.statuses = [500]

    call = (await sandbox.post("/revring/calls", CALL, 201))["data"]
    await receiver.arrived(1)
    await sandbox.ended()

    assert sandbox.world.next_event_at() is None
    assert (await sandbox.get(f"/revring/calls/{call['id']}"))["data"]["postCallWebhookStatus"] == "failed"
