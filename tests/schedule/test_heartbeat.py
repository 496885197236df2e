"""The heartbeat, over a real scheduler and real time; and the clock that runs fast."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from runner.schedule.clock import FastClock, SystemClock
from runner.schedule.heartbeat import Heartbeat
from tests.building import NOON

MANY = 1.5
"""seconds in which a busy machine surely rings"""


class Bell:
    """Remembers when it was rung."""

    def __init__(self) -> None:
        self.began = time.monotonic()
        self.rings: list[float] = []
        self.rung = asyncio.Event()

    def ring(self) -> None:
        self.rings.append(time.monotonic() - self.began)
        self.rung.set()

    async def once(self) -> float:
        await asyncio.wait_for(self.rung.wait(), MANY)
        return self.rings[0]


def soon(seconds: float) -> datetime:
    return SystemClock().now() + timedelta(seconds=seconds)


async def test_it_rings_once_at_the_right_time() -> None:
    bell = Bell()
    async with Heartbeat(SystemClock(), bell.ring) as alarm:
        alarm.set(soon(0.2))
        assert 0.19 <= await bell.once() <= 1.0
        await asyncio.sleep(0.3)
    assert len(bell.rings) == 1


async def test_an_earlier_instant_wins() -> None:
    bell = Bell()
    async with Heartbeat(SystemClock(), bell.ring) as alarm:
        alarm.set(soon(30))
        alarm.set(soon(0.1))
        assert await bell.once() <= 1.0
        await asyncio.sleep(0.1)
    assert len(bell.rings) == 1, "the later one is gone with it, and whoever was woken sets it anew"


async def test_a_later_instant_postpones_nothing() -> None:
    bell = Bell()
    async with Heartbeat(SystemClock(), bell.ring) as alarm:
        alarm.set(soon(0.1))
        alarm.set(soon(30))
        assert await bell.once() <= 1.0


@pytest.mark.parametrize("ago", [0.0, 1.0, 3600.0, 86400.0 * 400])
async def test_what_has_passed_rings_at_once(ago: float) -> None:
    bell = Bell()
    async with Heartbeat(SystemClock(), bell.ring) as alarm:
        alarm.set(soon(-ago))
        assert await bell.once() <= 0.8


async def test_it_rings_again_after_it_has_rung() -> None:
    bell = Bell()
    async with Heartbeat(SystemClock(), bell.ring) as alarm:
        for _ in range(20):
            bell.rung.clear()
            alarm.set(soon(0.0))
            await asyncio.wait_for(bell.rung.wait(), MANY)
    assert len(bell.rings) == 20


async def test_a_year_ahead_is_no_trouble_and_nothing_rings_after_the_end() -> None:
    bell = Bell()
    async with Heartbeat(SystemClock(), bell.ring) as alarm:
        alarm.set(soon(86400 * 366))
    await asyncio.sleep(0.05)
    assert bell.rings == []


async def test_it_follows_a_fast_clock() -> None:
    bell, clock = Bell(), FastClock(NOON, 3600.0)
    async with Heartbeat(clock, bell.ring) as alarm:
        alarm.set(NOON + timedelta(minutes=15))
        assert 0.2 <= await bell.once() <= 1.2
    assert clock.now() >= NOON + timedelta(minutes=15)


async def test_after_a_skip_the_alarm_is_nearer() -> None:
    bell, clock = Bell(), FastClock(NOON, 1.0)
    async with Heartbeat(clock, bell.ring) as alarm:
        alarm.set(NOON + timedelta(hours=5))
        clock.skip_to(NOON + timedelta(hours=5))
        alarm.set(NOON + timedelta(hours=5))
        assert await bell.once() <= 0.8


def test_the_machine_s_clock_is_aware() -> None:
    clock = SystemClock()
    assert clock.now().tzinfo is UTC
    assert clock.seconds_until(clock.now() - timedelta(days=1)) == 0
    assert 4 < clock.seconds_until(clock.now() + timedelta(seconds=5)) <= 5


def test_a_fast_clock_runs_fast() -> None:
    clock = FastClock(NOON, 1000.0)
    began = time.monotonic()
    first = clock.now()
    time.sleep(0.05)
    passed, real = (clock.now() - first).total_seconds(), time.monotonic() - began
    assert 50 <= passed <= real * 1000 + 1
    assert clock.seconds_until(clock.now() + timedelta(seconds=1000)) == pytest.approx(1.0, abs=0.01)
    assert clock.seconds_until(NOON) == 0


async def test_a_fast_clock_sleeps_shorter() -> None:
    began = time.monotonic()
    await FastClock(NOON, 1000.0).sleep(50)
    assert 0.04 <= time.monotonic() - began <= 1.0


def test_a_skip_goes_forward_alone() -> None:
    clock = FastClock(NOON, 1.0)
    clock.skip_to(NOON + timedelta(days=3))
    assert timedelta(days=3) <= clock.now() - NOON <= timedelta(days=3, seconds=1)
    clock.skip_to(NOON)
    assert clock.now() - NOON >= timedelta(days=3)
