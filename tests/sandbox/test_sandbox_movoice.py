"""Movoice's face over a real socket: three base paths, two ways of paging, calls for later, batches."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.sandbox.settings import MovoiceSwitches
from runner.sandbox.wire import instant, unix

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
CALL = {"agent_id": "agent_12345", "recipient_phone": ANA}


@pytest.mark.parametrize("base", ["/movoice", "/movoice/v1", "/movoice/api/v1"])
async def test_a_call_is_placed_and_read_back_under_each_base_path(serve: Any, keys: Any, base: str) -> None:
    sandbox = await serve(script={ANA: ("answered",)})
    asked = CALL | {"variables": {"name": "Ana"}, "from_number": "+12025550190", "max_duration": 600}

    created = await sandbox.post(f"{base}/call", asked, **{"Idempotency-Key": "att-1"})
    await sandbox.ended()
    read = await sandbox.get(f"{base}/calls/{created['call_id']}")

    assert set(created) == keys("movoice.call")
    assert (created["status"], created["recipient_phone"]) == ("initiated", ANA)
    assert abs(created["created_at"] - unix(sandbox.world.clock.now())) <= 5
    assert set(read) == keys("movoice.call.detail")
    assert read["status"] == "completed"
    assert read["outcome"] in {"BOOKED", "REFUSED", "CALLBACK"}
    assert {item["role"] for item in read["transcript"]} == {"agent", "user"}
    assert [(dial["reference"], dial["outcome"]) for dial in await sandbox.dials()] == [("att-1", "answered")]


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        ("voicemail", "completed", None),
        ("no_answer", "failed", "no_answer"),
        ("busy", "failed", "busy"),
        ("declined", "failed", "busy"),
        ("invalid_number", "failed", "invalid_number"),
        ("failed", "failed", "network_error"),
    ],
)
async def test_each_outcome_is_told_in_its_words(serve: Any, outcome: str, status: Any, reason: Any) -> None:
    sandbox = await serve(script={ANA: (outcome,)})

    created = await sandbox.post("/movoice/call", CALL)
    await sandbox.ended()
    read = await sandbox.get(f"/movoice/calls/{created['call_id']}")

    assert (read["status"], read.get("reason"), read["outcome"]) == (status, reason, None)


async def test_what_is_wrong_is_refused_and_nobody_is_dialled(serve: Any) -> None:
    sandbox = await serve()
    wrong = [
        {"agent_id": "a"},
        {"recipient_phone": ANA},
        CALL | {"recipient_phone": "+1 202-555-0101"},
        CALL | {"variables": ["Ana"]},
        CALL | {"from_number": "me"},
        CALL | {"max_duration": 0},
        CALL | {"max_duration": "600"},
        CALL | {"schedule_at": "2026-01-05T15:00:00Z"},
        CALL | {"schedule_at": 2**52},
        CALL | {"schedule_at": True},
    ]
    batches = [
        {"agent_id": "a", "recipients": []},
        {"agent_id": "a", "recipients": [{"recipient_phone": ANA}]},
        {"agent_id": "a", "recipients": [{"phone": ANA, "variables": 5}]},
        {"agent_id": "a", "recipients": [{"phone": ANA}], "concurrency": 0},
    ]

    for body in wrong:
        assert set(await sandbox.post("/movoice/call", body, 400)) == {"error"}
    for body in batches:
        assert set(await sandbox.post("/movoice/calls/batch", body, 400)) == {"error"}
    assert await sandbox.dials() == []


async def test_a_call_for_later_is_placed_at_its_time(serve: Any) -> None:
    sandbox = await serve(speed=60.0, movoice=MovoiceSwitches(schedule_lag_seconds=2.0))
    at = unix(sandbox.world.clock.now() + timedelta(seconds=8))

    created = await sandbox.post("/movoice/call", CALL | {"schedule_at": at})
    before = await sandbox.dials()
    waits_until = sandbox.world.next_event_at()
    (dial,) = await sandbox.dialled(1)

    assert created["status"] == "scheduled"
    assert before == []
    assert waits_until is not None
    assert 0 <= waits_until.timestamp() - at <= 2
    assert instant(waits_until) <= dial["at"] < instant(waits_until + timedelta(minutes=1))


async def test_a_time_that_has_passed_means_now(serve: Any) -> None:
    sandbox = await serve()

    created = await sandbox.post("/movoice/call", CALL | {"schedule_at": 1_700_000_000})

    assert created["status"] == "initiated"
    assert len(await sandbox.dials()) == 1


async def test_lists_page_in_two_ways(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",), SAM: ("busy",), TOM: ("no_answer",)})
    ids = [
        (await sandbox.post("/movoice/call", CALL | {"recipient_phone": phone}))["call_id"] for phone in (ANA, SAM, TOM)
    ]
    await sandbox.ended()
    now = unix(sandbox.world.clock.now())

    async def listed(**query: Any) -> list[str]:
        return [call["call_id"] for call in (await sandbox.get("/movoice/calls", **query))["calls"]]

    first = await sandbox.get("/movoice/calls", limit=2)
    assert {name: first[name] for name in first if name != "calls"} == {"total": 3, "limit": 2, "offset": 0}
    assert set(first["calls"][0]) == keys("movoice.call")
    assert await listed() == ids[::-1]
    assert await listed(limit=2, offset=2) == ids[:1]
    assert await listed(page=2, per_page=2) == ids[:1]
    assert await listed(status="failed") == [ids[2], ids[1]]
    assert await listed(status="completed") == [ids[0]]
    assert await listed(status="active") == []
    assert await listed(agent_id="another") == []
    assert await listed(**{"from": now - 60, "to": now + 60}) == ids[::-1]
    assert await listed(**{"from": now + 60}) == []
    assert await listed(to=now - 60) == []
    for query in ("limit=101", "offset=-1", "page=0", "status=queued", "from=today"):
        assert (await sandbox.http.get(f"/movoice/calls?{query}")).status_code == 400
    assert (await sandbox.http.get("/movoice/calls/unknown")).status_code == 404


async def test_lists_may_be_wrapped_and_leave_the_number_out(serve: Any) -> None:
    sandbox = await serve(movoice=MovoiceSwitches(data_envelope=True, list_phone=False))
    placed = (await sandbox.post("/movoice/call", CALL))["call_id"]

    (item,) = (await sandbox.get("/movoice/calls"))["data"]
    detail = (await sandbox.get(f"/movoice/calls/{placed}"))["data"]

    assert (item["call_id"], "recipient_phone" in item) == (placed, False)
    assert detail["recipient_phone"] == ANA


async def test_a_batch_dials_each_recipient_within_its_concurrency(serve: Any, keys: Any) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0))
    recipients = [{"phone": phone, "variables": {"name": "x"}} for phone in (ANA, SAM, TOM)]

    answer = await sandbox.post(
        "/movoice/calls/batch", {"agent_id": "agent_12345", "recipients": recipients, "concurrency": 2}
    )
    at_first = await sandbox.dials()
    sandbox.hang_up(at_first[1])

    assert set(answer) == keys("movoice.batch")
    assert (answer["status"], answer["total"]) == ("queued", 3)
    assert [dial["to"] for dial in at_first] == [ANA, SAM]
    assert [dial["to"] for dial in await sandbox.dials()] == [ANA, SAM, TOM]
