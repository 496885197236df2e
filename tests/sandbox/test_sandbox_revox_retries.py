"""Revox's own retry loop over a real socket: windows, tries, pauses, keys, and every try a dial of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.sandbox.settings import RevoxSwitches, Target

ANA, SAM, TOM, PARIS = "+12025550101", "+12025550102", "+12025550103", "+33639981234"
NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
NEVER = datetime(2026, 4, 1, tzinfo=UTC)
WEEK = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
RETRIES: dict[str, Any] = {
    "allowed_days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "call_twice_in_a_row": False,
    "calling_windows": [
        {"calling_window_start_time": "10am", "calling_window_end_time": "18:00", "retry_delay_seconds": 7200}
    ],
    "max_retry_attempts": 3,
}


def order(phone: str = ANA, config: Any = RETRIES, **more: Any) -> dict[str, Any]:
    return {"phone_number": phone, "assistant": {"prompt": "Hello.", "call_retry_config": config}, **more}


async def placed(sandbox: Any, body: dict[str, Any]) -> dict[str, Any]:
    call: dict[str, Any] = (await sandbox.post("/revox/call", body))["call"]
    return call


async def read(sandbox: Any, call: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await sandbox.get(f"/revox/call/{call['id']}"))["call"]
    return found


async def times(sandbox: Any) -> list[str]:
    return [dial["at"][:16] for dial in await sandbox.dials()]


async def test_an_order_is_tried_until_somebody_is_reached_and_each_try_is_a_dial(serve: Any, receiver: Any) -> None:
    sandbox = await serve(
        standing=True,
        script={ANA: ("no_answer", "voicemail", "answered", "answered")},
        webhooks={"revox": Target(url=receiver.url)},
    )

    call = await placed(sandbox, order(metadata={"attempt_id": "att-1"}))
    await sandbox.passes(NOON + timedelta(hours=1))
    waiting = await read(sandbox, call)
    told_meanwhile = len(receiver.delivered)
    await sandbox.passes(NEVER)
    (webhook,) = await receiver.arrived(1)
    done = await read(sandbox, call)

    assert (waiting["status"], waiting["calls_count"], waiting["outcome"]) == ("scheduled", 1, None)
    assert told_meanwhile == 0
    assert (done["status"], done["calls_count"]) == ("completed", 3)
    assert [one["result"] for one in done["call_attempts"]] == ["human", "voicemail", None]
    assert done["last_call_attempt"] == done["call_attempts"][0]
    assert len({one["id"] for one in done["call_attempts"]}) == 3
    assert await times(sandbox) == ["2026-03-03T17:00", "2026-03-03T19:00", "2026-03-03T21:00"]
    dials = await sandbox.dials()
    assert {(dial["id"], dial["reference"]) for dial in dials} == {(call["id"], "att-1")}
    assert [dial["outcome"] for dial in dials] == ["no_answer", "voicemail", "answered"]
    assert webhook.body["call"]["calls_count"] == 3


async def test_tries_are_used_up(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("no_answer",)})

    call = await placed(sandbox, order())
    await sandbox.passes(NEVER)
    done = await read(sandbox, call)

    assert (done["status"], done["calls_count"], done["outcome"]) == ("completed", 3, None)


async def test_every_try_can_be_told(serve: Any, receiver: Any) -> None:
    sandbox = await serve(
        standing=True,
        script={ANA: ("no_answer",)},
        webhooks={"revox": Target(url=receiver.url)},
        revox=RevoxSwitches(webhook_per_attempt=True, webhook="flat"),
    )

    await placed(sandbox, order())
    await sandbox.passes(NEVER)
    webhooks = await receiver.arrived(3)

    assert [webhook.body["calls_count"] for webhook in webhooks] == [1, 2, 3]
    assert len({webhook.body["call_id"] for webhook in webhooks}) == 3


@pytest.mark.parametrize(
    ("phone", "config", "at"),
    [
        (ANA, {"timezone": "America/Los_Angeles"}, "2026-03-03T18:00"),
        (ANA, {"timezone": None}, "2026-03-03T17:00"),
        (PARIS, {}, "2026-03-04T09:00"),
        (PARIS, {"allowed_days": ["friday"]}, "2026-03-06T09:00"),
    ],
)
async def test_the_first_call_waits_for_the_recipients_window(serve: Any, phone: str, config: Any, at: str) -> None:
    sandbox = await serve(standing=True, script={phone: ("answered",)})

    await placed(sandbox, order(phone, RETRIES | config))
    await sandbox.passes(NEVER)

    assert await times(sandbox) == [at]


async def test_windows_can_be_skipped_and_a_start_can_be_set(serve: Any) -> None:
    sandbox = await serve(standing=True, script={PARIS: ("answered",), ANA: ("answered",)})

    await placed(sandbox, order(PARIS, skip_calling_window=True))
    later = await placed(sandbox, order(ANA, scheduled_at="2026-03-03T23:30:00Z"))
    await sandbox.passes(NEVER)

    assert (later["status"], later["scheduled_at"]) == ("scheduled", "2026-03-03T23:30:00.000Z")
    assert await times(sandbox) == ["2026-03-03T17:00", "2026-03-04T15:00"]


async def test_the_loop_can_be_switched_off(serve: Any) -> None:
    sandbox = await serve(standing=True, revox=RevoxSwitches(own_retries=False), script={PARIS: ("no_answer",)})

    await placed(sandbox, order(PARIS))
    await sandbox.passes(NEVER)

    assert await times(sandbox) == ["2026-03-03T17:00"]


async def test_which_loop_an_order_has(serve: Any) -> None:
    sandbox = await serve(standing=True, script=dict.fromkeys((ANA, SAM, TOM), ("no_answer",)))
    made = [
        (await sandbox.post("/revox/assistants", {"name": "x", "prompt": "x"} | more))["assistant"]["id"]
        for more in ({}, {"call_retry_config": RETRIES | {"max_retry_attempts": 2}})
    ]

    await placed(sandbox, {"phone_number": ANA, "assistant_id": made[0]})  # the documented default: 3
    await placed(sandbox, {"phone_number": SAM, "assistant_id": made[1]})  # its own: 2
    await placed(sandbox, {"phone_number": TOM, "assistant_id": "unknown"})  # at once and once
    await sandbox.passes(NEVER)

    dialled = [dial["to"] for dial in await sandbox.dials()]
    assert [dialled.count(phone) for phone in (ANA, SAM, TOM)] == [3, 2, 1]


async def test_a_pause_stops_the_loop_and_lets_the_running_call_finish(serve: Any) -> None:
    sandbox = await serve(standing=True, ring_seconds=(60.0, 61.0), script={ANA: ("no_answer", "answered")})
    call = await placed(sandbox, order())
    path = f"/revox/call/{call['id']}"

    await sandbox.post(f"{path}/pause", None)
    live = await read(sandbox, call)
    await sandbox.passes(NOON + timedelta(hours=5))
    paused = await read(sandbox, call)
    await sandbox.post(f"{path}/resume", None)
    await sandbox.passes(NEVER)
    done = await read(sandbox, call)

    assert (live["status"], paused["status"], paused["calls_count"]) == ("calling", "paused", 1)
    assert (done["status"], done["calls_count"]) == ("completed", 2)
    assert await times(sandbox) == ["2026-03-03T17:00", "2026-03-03T22:00"]


async def test_a_cancel_between_tries_ends_the_loop(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("no_answer",)})
    call = await placed(sandbox, order())
    await sandbox.passes(NOON + timedelta(hours=1))

    cancelled = await sandbox.post(f"/revox/call/{call['id']}/cancel", None)
    await sandbox.passes(NEVER)

    assert cancelled == {"success": True}
    assert (await read(sandbox, call))["status"] == "cancelled"
    assert len(await sandbox.dials()) == 1


@pytest.mark.parametrize(("generation", "word"), [("A", "calling"), ("D", "post_processing")])
async def test_an_answered_order_is_analysed_before_its_outcome(
    serve: Any, receiver: Any, generation: Any, word: str
) -> None:
    sandbox = await serve(
        standing=True,
        script={ANA: ("answered",)},
        webhooks={"revox": Target(url=receiver.url)},
        revox=RevoxSwitches(generation=generation, post_processing_seconds=30.0),
    )
    call = await placed(sandbox, {"phone_number": ANA, "assistant_id": "a"})
    path = f"/revox/call/{call['id']}"

    await sandbox.passes(NOON + timedelta(seconds=10))
    between = await read(sandbox, call)
    refused = await sandbox.post(f"{path}/cancel", None)
    idle_between, told_between = sandbox.world.idle(), len(receiver.delivered)
    await sandbox.passes(NOON + timedelta(seconds=60))
    (webhook,) = await receiver.arrived(1)
    done = await read(sandbox, call)

    assert (between["status"], between["outcome"], between["is_completed"]) == (word, None, False)
    assert between["last_call_attempt"]["result"] == "human"
    assert (refused, idle_between, told_between) == ({"success": False}, False, 0)
    assert (done["status"], bool(done["outcome"]), webhook.body["call"]["is_completed"]) == ("completed", True, True)


@pytest.mark.parametrize(
    ("generation", "key", "at_once"), [("A", {"key": "clinic", "max": 1}, 1), ("D", {"key": "clinic"}, 2)]
)
async def test_calls_of_one_key_wait_for_each_other(serve: Any, generation: Any, key: Any, at_once: int) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0), revox=RevoxSwitches(generation=generation, key_limit=2))

    for phone in (ANA, SAM, TOM):
        await placed(sandbox, {"phone_number": phone, "assistant_id": "a", "concurrency": key})
    await placed(sandbox, {"phone_number": PARIS, "assistant_id": "a", "concurrency": {"key": "other"}})

    assert [dial["to"] for dial in await sandbox.dials()] == [*(ANA, SAM, TOM)[:at_once], PARIS]
    sandbox.hang_up((await sandbox.dials())[0])
    assert len(await sandbox.dials()) == at_once + 2


async def test_a_window_that_closed_while_a_call_waited_for_its_turn_is_kept(serve: Any) -> None:
    sandbox = await serve(standing=True, ring_seconds=(7200.0, 7201.0), script={ANA: ("busy",), SAM: ("busy",)})
    config = {
        "calling_windows": [
            {"calling_window_start_time": "10:00", "calling_window_end_time": "12:30", "retry_delay_seconds": 60}
        ],
        "max_retry_attempts": 1,
    }
    campaign = {
        "assistant_id": "a",
        "name": "run",
        "contacts": [{"to_phone_number": phone, "prompt_variables": {}} for phone in (ANA, SAM)],
        "call_retry_config": config,
        "max_concurrent_calls": 1,
    }

    await sandbox.post("/revox/campaigns", campaign)
    await sandbox.passes(NEVER)

    assert await times(sandbox) == ["2026-03-03T17:00", "2026-03-04T15:00"]


@pytest.mark.parametrize(
    "change",
    [
        {"calling_windows": []},
        {"calling_windows": [{"calling_window_start_time": "10", "calling_window_end_time": "18:00"}]},
        {
            "calling_windows": [
                {"calling_window_start_time": "ten", "calling_window_end_time": "18:00", "retry_delay_seconds": 60}
            ]
        },
        {"allowed_days": ["mon"]},
        {"allowed_days": []},
        {"timezone": "Mars/Base"},
        {"max_retry_attempts": 0},
    ],
)
async def test_a_loop_that_makes_no_sense_is_refused(serve: Any, change: Any) -> None:
    sandbox = await serve()

    assert set(await sandbox.post("/revox/call", order(config=RETRIES | change), 400)) == {"error"}
    assert await sandbox.dials() == []
