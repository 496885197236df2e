"""Webhooks that come twice, in another order, late, never, or before the answer about what they tell."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from runner.sandbox.settings import PROVIDERS, Mischief, MovoiceSwitches, RevoxSwitches, RevringSwitches, Target

ANA, SAM = "+12025550101", "+12025550102"


async def test_webhooks_come_twice_and_the_same(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhooks={"revring": Target(url=receiver.url)}, mischief=Mischief(duplicated=1.0))

    await sandbox.post(dialling["revring"].path, dialling["revring"].body, 201)
    first, second = await receiver.arrived(2)
    await sandbox.ended()

    assert first.raw == second.raw
    assert len(receiver.delivered) == 2
    assert len(await sandbox.dials()) == 1


async def test_the_end_is_told_before_the_start(serve: Any, receiver: Any) -> None:
    sandbox = await serve(
        webhooks={"movoice": Target(url=receiver.url)}, mischief=Mischief(reordered=1.0), script={ANA: ("answered",)}
    )
    # the start lets the end overtake it; the end has no successor and comes by itself, late
    await sandbox.post("/_sandbox/webhooks", {"options": {"reordered": 0.5}})
    placed = []
    for at in range(30):
        phone = f"+12025550{100 + at}"
        await sandbox.post("/_sandbox/people", {phone: ["answered"]})
        placed.append(await sandbox.post("/movoice/call", {"agent_id": "a", "recipient_phone": phone}))
    await sandbox.ended()

    events: dict[str, list[str]] = {call["call_id"]: [] for call in placed}
    for webhook in receiver.delivered:
        events[webhook.body["call_id"]].append(webhook.body["event_type"])
    orders = {tuple(names) for names in events.values()}
    assert ("call.completed", "call.started") in orders
    assert ("call.started", "call.completed") in orders


async def test_a_reordered_webhook_without_a_successor_comes_late(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(
        standing=True,
        webhooks={"revmo": Target(url=receiver.url)},
        mischief=Mischief(reordered=1.0, late_seconds=60.0),
    )
    began = sandbox.world.clock.now()

    await sandbox.post(dialling["revmo"].path, dialling["revmo"].body)
    await sandbox.passes(began + timedelta(seconds=50))
    early = len(receiver.delivered)
    await sandbox.passes(began + timedelta(seconds=70))
    await receiver.arrived(1)

    assert early == 0


async def test_a_late_webhook_waits_and_nothing_waits_for_it(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(
        standing=True, webhooks={"revox": Target(url=receiver.url)}, mischief=Mischief(late=1.0, late_seconds=600.0)
    )
    began = sandbox.world.clock.now()

    await sandbox.post(dialling["revox"].path, dialling["revox"].body)
    await sandbox.passes(began + timedelta(seconds=60))
    idle, rests, told = sandbox.world.idle(), sandbox.world.waits_for_time(), len(receiver.delivered)
    due = sandbox.world.next_event_at() - began
    await sandbox.passes(began + timedelta(seconds=700))
    await receiver.arrived(1)

    assert (idle, rests, told) == (True, True, 0)
    assert timedelta(seconds=600) < due < timedelta(seconds=610)


async def test_a_lost_webhook_is_believed_to_be_sent(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhooks={"revring": Target(url=receiver.url)}, mischief=Mischief(lost=1.0, duplicated=1.0))

    call = (await sandbox.post(dialling["revring"].path, dialling["revring"].body, 201))["data"]
    await sandbox.ended()
    await asyncio.sleep(0.02)

    assert receiver.delivered == []
    assert (await sandbox.get(f"/revring/calls/{call['id']}"))["data"]["postCallWebhookStatus"] == "sent"


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_webhook_comes_before_the_answer(serve: Any, receiver: Any, dialling: Any, provider: str) -> None:
    sandbox = await serve(webhooks={provider: Target(url=receiver.url)}, mischief=Mischief(early=1.0))

    reply = await sandbox.http.post(dialling[provider].path, json=dialling[provider].body)
    told_at_answer = len(receiver.delivered)

    assert reply.is_success
    assert told_at_answer >= 1
    assert len(await sandbox.dials()) == 1


async def test_nothing_that_is_not_told_holds_an_answer_up(serve: Any, dialling: Any) -> None:
    sandbox = await serve(mischief=Mischief(early=1.0))

    async with asyncio.timeout(1.5):
        for request in dialling.values():
            assert (await sandbox.http.post(request.path, json=request.body)).is_success
        later = {"agent_id": "a", "recipient_phone": ANA, "schedule_at": 4_000_000_000}
        assert (await sandbox.post("/movoice/call", later))["status"] == "scheduled"


async def test_shares_are_kept_to(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve()
    target = {"revmo": {"url": receiver.url}, "options": {"duplicated": 0.5, "lost": 0.2}}
    assert await sandbox.post("/_sandbox/webhooks", target) == {"webhooks": ["revmo"]}

    for at in range(60):
        await sandbox.post(dialling["revmo"].path, dialling["revmo"].to(f"+12025550{100 + at}"))
    await sandbox.ended()

    times = [webhook.body["external_id"] for webhook in receiver.delivered]
    told = set(times)
    assert 35 <= len(told) <= 57
    assert 10 <= sum(times.count(one) == 2 for one in told) <= 40


@pytest.mark.parametrize(
    ("provider", "waits"),
    [
        ("revmo", [15.0, 150.0]),
        ("revring", [30.0, 150.0, 900.0]),
        ("revox", [5.0]),
        ("movoice", [15.0, 150.0, 900.0, 3600.0]),
    ],
)
async def test_a_repetition_keeps_the_providers_schedule_scaled(
    serve: Any, receiver: Any, dialling: Any, provider: str, waits: list[float]
) -> None:
    """Half as long as documented; Revmo's is assumed, and Revox's is switched."""
    sandbox = await serve(
        standing=True,
        webhooks={provider: Target(url=receiver.url)},
        webhook_retry_scale=0.5,
        script={ANA: ("busy",)},
        revox=RevoxSwitches(webhook_waits=(10.0,)),
    )
    receiver.statuses = [500] * 9
    found = []

    assert (await sandbox.http.post(dialling[provider].path, json=dialling[provider].body)).is_success
    for count in range(1, 9):
        await sandbox.passes(sandbox.world.clock.now() + timedelta(seconds=1))
        await receiver.arrived(count)
        await sandbox.ended()
        if sandbox.world.next_event_at() is None:
            break
        found.append((sandbox.world.next_event_at() - sandbox.world.clock.now()).total_seconds())
        await sandbox.passes(sandbox.world.next_event_at())

    assert found == waits


async def test_options_alone_leave_the_targets_as_they_are(serve: Any, receiver: Any, dialling: Any) -> None:
    sandbox = await serve(webhooks={"revmo": Target(url=receiver.url)})
    await sandbox.post("/_sandbox/webhooks", {"options": {"duplicated": 1}})

    await sandbox.post(dialling["revmo"].path, dialling["revmo"].body)
    await receiver.arrived(2)
    await sandbox.post("/_sandbox/reset", None)
    await sandbox.post(dialling["revmo"].path, dialling["revmo"].body)
    await receiver.arrived(3)
    await sandbox.ended()

    assert len(receiver.delivered) == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "the options of webhooks are an object"),
        ({"eaten": 1}, "webhooks have no option `eaten`"),
        ({"lost": 2}, "`2` is no share"),
        ({"late_seconds": -1}, "`-1` seconds are no delay of webhooks"),
        ({"late_seconds": "soon"}, "`soon` seconds are no delay of webhooks"),
        ({"late_seconds": 1e9}, "`1000000000.0` seconds are no delay of webhooks"),
    ],
)
async def test_options_that_mean_nothing_are_said(serve: Any, options: Any, message: str) -> None:
    sandbox = await serve()

    assert (await sandbox.post("/_sandbox/webhooks", {"options": options}, 400))["error"] == message


async def test_mischief_does_not_stop_at_one_kind(serve: Any, receiver: Any) -> None:
    """With everything at once, each call is still told, and nobody is dialled twice."""
    everything = Mischief(duplicated=0.3, reordered=0.3, late=0.3, late_seconds=0.2, early=0.5)
    sandbox = await serve(
        webhooks={name: Target(url=receiver.url) for name in ("revring", "movoice")},
        mischief=everything,
        revring=RevringSwitches(call_started=True),
        movoice=MovoiceSwitches(action_share=0.5),
    )

    body = {"agentId": "a", "fromNumber": "+12025550190"}
    calls = [sandbox.post("/revring/calls", body | {"toNumber": f"+12025550{100 + at}"}, 201) for at in range(20)]
    ids = {answer["data"]["id"] for answer in await asyncio.gather(*calls)}
    async with asyncio.timeout(5):
        while {webhook.body.get("id") for webhook in receiver.delivered} & ids != ids:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    assert len(await sandbox.dials()) == 20
