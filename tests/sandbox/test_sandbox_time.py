"""The sandbox's time: the wall clock's speed, and an agenda that keeps its order when the clock jumps."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from runner.errors import UsageWrong
from runner.sandbox.agenda import Agenda
from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import Settings

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class JumpingClock:
    """Stands still unless it is told to jump; sleeps end by themselves without any time passing."""

    speed = 1.0

    def __init__(self) -> None:
        self.at = START

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.005))


async def test_a_fast_clock_runs_ahead() -> None:
    clock = WallClock(200.0, start=START)

    await clock.sleep(10)

    assert timedelta(seconds=10) <= clock.now() - START < timedelta(seconds=300)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("inf"), float("nan")])
def test_a_clock_needs_a_speed(speed: Any) -> None:
    with pytest.raises(UsageWrong, match="a clock cannot run at speed"):
        WallClock(speed)


def test_a_clock_starts_at_an_instant_with_a_zone() -> None:
    with pytest.raises(UsageWrong, match="names no zone"):
        WallClock(start=datetime(2026, 3, 1))  # noqa: DTZ001  that is the mistake


async def test_deeds_are_done_in_the_order_of_their_instants_even_after_a_jump() -> None:
    clock = JumpingClock()
    done: list[tuple[int, int]] = []
    agenda = Agenda(clock)

    def plan(seconds: int) -> None:
        agenda.add(START + timedelta(seconds=seconds), lambda: done.append((seconds, len(done))))

    for seconds in (30, 10, 20, 10):
        plan(seconds)
    await asyncio.sleep(0.02)
    assert done == []

    clock.at = START + timedelta(minutes=1)
    await asyncio.sleep(0.05)

    assert done == [(10, 0), (10, 1), (20, 2), (30, 3)]
    await agenda.close()


async def test_an_agenda_is_quiet_until_a_far_deed_is_due() -> None:
    clock, done = JumpingClock(), []
    agenda = Agenda(clock)
    agenda.add(START + timedelta(hours=1), lambda: done.append("far"), far=True)
    near = agenda.add(START + timedelta(seconds=5), lambda: done.append("near"))
    assert not agenda.is_quiet()

    agenda.remove(near)
    agenda.remove(near)
    assert agenda.is_quiet()
    assert agenda.next_at() == START + timedelta(hours=1)

    clock.at = START + timedelta(hours=1)
    assert not agenda.is_quiet()
    await asyncio.sleep(0.05)
    assert done == ["far"]
    assert agenda.is_quiet()
    assert agenda.next_at() is None
    await agenda.close()


async def test_a_deed_that_fails_stops_no_other(caplog: Any) -> None:
    agenda = Agenda(WallClock(start=START))
    done: list[str] = []

    def fail() -> None:
        raise ZeroDivisionError

    agenda.add(START, fail)
    agenda.add(START, lambda: done.append("next"))

    with caplog.at_level(logging.ERROR, logger="outreach.sandbox"):
        await asyncio.sleep(0.03)

    assert done == ["next"]
    assert "ZeroDivisionError" in caplog.text
    await agenda.close()


async def test_a_scheduled_call_is_dialled_as_soon_as_the_clock_has_jumped_to_it(dialling: Any, key: str) -> None:
    clock = JumpingClock()
    at = START + timedelta(hours=20)
    async with running(Settings(), clock) as sandbox:
        headers = {"Authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(base_url=sandbox.url, headers=headers, trust_env=False) as http:
            body = dialling["movoice"].body | {"schedule_at": int(at.timestamp())}
            assert (await http.post("/movoice/call", json=body)).json()["status"] == "scheduled"
        assert sandbox.world.idle()
        assert sandbox.world.next_event_at() == at

        clock.at = at
        assert not sandbox.world.idle()
        async with asyncio.timeout(2):
            while not sandbox.world.dials():  # noqa: ASYNC110  the world tells nobody
                await asyncio.sleep(0.001)

    (dial,) = sandbox.world.dials()
    assert dial.at == at
