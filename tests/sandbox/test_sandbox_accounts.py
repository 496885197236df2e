"""What accounts may and may not: Revmo's permission, quota and slash; Movoice's plans, events and signatures."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Any

import pytest

from runner.sandbox.settings import MovoiceSwitches, RevmoSwitches, Target

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
REVMO = {"agentId": "QUdFTlQtMDAwMQ==", "to": ANA}
MOVOICE = {"agent_id": "agent_12345", "recipient_phone": ANA}


@pytest.mark.parametrize(("slash", "status", "dials"), [("404", 404, 0), ("301", 301, 0), ("accept", 200, 1)])
@pytest.mark.parametrize("path", ["/revmo/v1/makecall", "/revmo/v1/startsms"])
async def test_a_path_without_its_slash(serve: Any, slash: Any, status: int, dials: int, path: str) -> None:
    sandbox = await serve(revmo=RevmoSwitches(slash=slash))

    reply = await sandbox.http.post(path, json=REVMO)

    assert reply.status_code == status
    assert reply.headers.get("location") == (f"{path}/" if status == 301 else None)
    assert len(await sandbox.dials()) == dials


@pytest.mark.parametrize(("form", "told"), [("string", "499"), ("int", 499), ("absent", None)])
async def test_the_quota_is_told_in_three_forms(serve: Any, form: Any, told: Any) -> None:
    sandbox = await serve(revmo=RevmoSwitches(calls_remaining_form=form))

    answer = await sandbox.post("/revmo/v1/makecall/", REVMO)

    assert answer.get("calls_remaining") == told
    assert ("calls_remaining" in answer) is (form != "absent")


async def test_the_quota_is_enforced_when_switched(serve: Any) -> None:
    loose = await serve(revmo=RevmoSwitches(calls_remaining=1))
    strict = await serve(revmo=RevmoSwitches(calls_remaining=1, quota_enforced=True))

    answers = [(await loose.post("/revmo/v1/makecall/", REVMO))["calls_remaining"] for _ in range(2)]
    await strict.post("/revmo/v1/makecall/", REVMO)
    refused = await strict.post("/revmo/v1/makecall/", REVMO, 403)
    await strict.post("/revmo/v1/startsms/", REVMO)
    await strict.post("/_sandbox/reset", None)
    await strict.post("/revmo/v1/makecall/", REVMO)

    assert answers == ["0", "0"]
    assert refused == {"result": "Error", "error": "no calls remaining"}
    assert len(await strict.dials()) == 1


async def test_an_account_without_permission_dials_nobody(serve: Any) -> None:
    sandbox = await serve(revmo=RevmoSwitches(permitted=False, thread_key="threadId"))

    for path in ("makecall", "startsms"):
        assert await sandbox.post(f"/revmo/v1/{path}/", REVMO, 403) == {
            "result": "Error",
            "error": "permission denied",
        }
    assert await sandbox.dials() == []


async def test_the_threads_key_can_be_corrected(serve: Any) -> None:
    sandbox = await serve(revmo=RevmoSwitches(thread_key="threadId"))

    assert set(await sandbox.post("/revmo/v1/startsms/", REVMO)) == {"result", "threadId"}


def batch(count: int, **more: Any) -> dict[str, Any]:
    return {"agent_id": "a", "recipients": [{"phone": f"+1202{5550100 + at}"} for at in range(count)]} | more


@pytest.mark.parametrize(
    ("plan", "overflow", "count", "status", "total"),
    [
        ("starter", "reject", 50, 200, 50),
        ("starter", "reject", 51, 400, 0),
        ("starter", "queue", 51, 200, 51),
        ("starter", "truncate", 51, 200, 50),
        ("growth", "reject", 501, 400, 0),
        ("business", "reject", 5_001, 400, 0),
        ("enterprise", "reject", 5_001, 200, 5_001),
    ],
)
async def test_a_plan_bounds_a_batch(serve: Any, plan: Any, overflow: Any, count: int, status: int, total: int) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0), movoice=MovoiceSwitches(plan=plan, overflow=overflow))

    answer = await sandbox.post("/movoice/calls/batch", batch(count), status)

    assert answer.get("total", 0) == total
    at_once = {"starter": 1, "growth": 3, "business": 10}.get(plan, total)
    assert len(await sandbox.dials()) == min(total, at_once)
    assert (await sandbox.get("/movoice/calls"))["total"] == total


@pytest.mark.parametrize(("overflow", "status", "dials"), [("reject", 400, 0), ("queue", 200, 3)])
async def test_a_plan_bounds_the_calls_at_once(serve: Any, overflow: Any, status: int, dials: int) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0), movoice=MovoiceSwitches(plan="growth", overflow=overflow))

    await sandbox.post("/movoice/calls/batch", batch(5, concurrency=9), status)

    assert len(await sandbox.dials()) == dials


async def test_single_calls_share_the_plans_lines_with_batches(serve: Any) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0), movoice=MovoiceSwitches(plan="starter"))
    queueing = await serve(ring_seconds=(20.0, 30.0), movoice=MovoiceSwitches(plan="starter", overflow="queue"))

    await sandbox.post("/movoice/calls/batch", batch(2))
    refused = await sandbox.post("/movoice/call", MOVOICE, 429)
    await queueing.post("/movoice/call", MOVOICE)
    queued = await queueing.post("/movoice/call", MOVOICE | {"recipient_phone": SAM})
    queueing.hang_up((await queueing.dials())[0])

    assert refused == {"error": "concurrency limit reached"}
    assert queued["status"] == "queued"
    assert [dial["to"] for dial in await queueing.dials()] == [ANA, SAM]


@pytest.mark.parametrize(
    ("switches", "prefix"),
    [
        (MovoiceSwitches(), ""),
        (MovoiceSwitches(signature_prefix="sha256="), "sha256="),
        (MovoiceSwitches(signature="none"), None),
    ],
)
async def test_signatures_are_switched(serve: Any, receiver: Any, switches: Any, prefix: Any) -> None:
    sandbox = await serve(movoice=switches, webhooks={"movoice": Target(url=receiver.url, secret="s3")})
    await sandbox.post("/_sandbox/people", {ANA: ["busy"]})

    await sandbox.post("/movoice/call", MOVOICE)
    (webhook,) = await receiver.arrived(1)

    mac = hmac.new(b"s3", webhook.raw, sha256).hexdigest()
    assert webhook.headers.get("x-movoice-signature") == (None if prefix is None else prefix + mac)


async def test_events_of_a_call_are_told_on_demand(serve: Any, receiver: Any) -> None:
    sandbox = await serve(webhooks={"movoice": Target(url=receiver.url, secret="s3")}, ring_seconds=(20.0, 30.0))
    call = (await sandbox.post("/movoice/call", MOVOICE))["call_id"]
    action = {"event": "action.triggered", "call_id": call, "action_name": "book", "parameters": {"date": "2026-01-09"}}

    told = await sandbox.post("/_sandbox/events", {"provider": "movoice"} | action)
    await sandbox.post("/_sandbox/events", {"event": "transfer.initiated", "call_id": call, "to": "+12025550188"})
    booked, put_through = await receiver.arrived(2)

    assert told == {"told": True}
    assert booked.body == {
        "event_type": "action.triggered",
        "call_id": call,
        "action_name": "book",
        "parameters": {"date": "2026-01-09"},
    }
    assert put_through.body == {"event_type": "transfer.initiated", "call_id": call, "to": "+12025550188"}
    assert "x-movoice-signature" in booked.headers


async def test_events_of_a_call_are_told_by_share(serve: Any, receiver: Any) -> None:
    sandbox = await serve(
        webhooks={"movoice": Target(url=receiver.url)},
        movoice=MovoiceSwitches(action_share=1.0, transfer_share=1.0),
        script={ANA: ("answered",), SAM: ("voicemail",), TOM: ("busy",)},
    )

    for phone in (ANA, SAM, TOM):
        await sandbox.post("/movoice/call", MOVOICE | {"recipient_phone": phone})
    webhooks = await receiver.arrived(7)
    await sandbox.ended()

    told = [webhook.body["event_type"] for webhook in webhooks]
    assert (told.count("action.triggered"), told.count("transfer.initiated")) == (1, 1)
    assert (told.count("call.started"), told.count("call.completed"), told.count("call.failed")) == (2, 2, 1)
    assert len(receiver.delivered) == 7


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"provider": "revox"}, "`revox` tells no such events"),
        ({"call_id": "call_none"}, "there is no call `call_none`"),
        ({"event": "call.melted"}, "an event is transfer.initiated, or action.triggered with action_name"),
        ({"action_name": ""}, "an event is transfer.initiated, or action.triggered with action_name"),
        ({"parameters": []}, "an event is transfer.initiated, or action.triggered with action_name"),
    ],
)
async def test_an_event_that_cannot_be_is_said(serve: Any, change: Any, message: str) -> None:
    sandbox = await serve()
    call = (await sandbox.post("/movoice/call", MOVOICE))["call_id"]
    action = {"event": "action.triggered", "call_id": call, "action_name": "book"}

    assert (await sandbox.post("/_sandbox/events", action | change, 400))["error"] == message
