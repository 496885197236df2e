"""Virtual time passes at once, in order and to the microsecond; nothing goes to another thread."""

from __future__ import annotations

import asyncio
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from runner.rehearsal.loop import Standstill, VirtualAlarm, VirtualLoop, virtual_loop
from runner.rehearsal.network import InProcessNetwork
from runner.sandbox.strikes import DROP
from runner.schedule.clock import VirtualClock

START = datetime(2026, 3, 8, tzinfo=UTC)
HERE = "http://127.0.0.1:8700"


def test_a_month_passes_at_once_and_timers_ring_in_order() -> None:
    rung: list[tuple[str, float]] = []

    async def ring(name: str, seconds: float) -> None:
        await asyncio.sleep(seconds)
        rung.append((name, asyncio.get_running_loop().time()))

    async def month() -> None:
        await asyncio.gather(ring("late", 30 * 86400), ring("soon", 0.000001), ring("midway", 3600.5))

    began = time.monotonic()
    with virtual_loop() as loop:
        loop.run_until_complete(month())
    assert rung == [("soon", 0.000001), ("midway", 3600.5), ("late", 30 * 86400)]
    assert time.monotonic() - began < 5


def test_an_alarm_rings_at_its_instant_never_before() -> None:
    with virtual_loop() as loop:
        clock = VirtualClock(START, lambda: loop.micros)
        rung: list[datetime] = []

        async def wait() -> None:
            async with VirtualAlarm(clock, lambda: rung.append(clock.now())) as alarm:
                alarm.set(START + timedelta(days=3, microseconds=7))
                alarm.set(START + timedelta(days=9))  # an earlier alarm stays
                await asyncio.sleep(4 * 86400)

        loop.run_until_complete(wait())
        assert rung == [START + timedelta(days=3, microseconds=7)]


def test_work_for_a_thread_is_done_here_and_its_error_comes_back() -> None:
    with virtual_loop() as loop:
        assert loop.run_until_complete(asyncio.wait_for(_elsewhere(loop), 1)) == threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            loop.run_until_complete(asyncio.wait_for(_failing(loop), 1))


async def _elsewhere(loop: VirtualLoop) -> int:
    return int(await loop.run_in_executor(None, threading.get_ident))


async def _failing(loop: VirtualLoop) -> float:
    return float(await loop.run_in_executor(None, lambda: 1 / 0))


def test_a_wait_that_nothing_ends_is_an_error_and_no_hanging() -> None:
    with virtual_loop() as loop, pytest.raises(Standstill):
        loop.run_until_complete(asyncio.Event().wait())


async def _app(scope: Scope, receive: Receive, send: Send) -> None:
    body = (await receive())["body"]
    if scope["path"] == "/drop":
        scope["extensions"][DROP]()
        return
    if scope["path"] == "/hang":
        await asyncio.sleep(120)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    if scope["path"] == "/half":
        await send({"type": "http.response.body", "body": body, "more_body": True})
        scope["extensions"][DROP]()
        return
    await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize(
    ("path", "error", "seconds"),
    [
        ("/drop", httpx.RemoteProtocolError, 0),
        ("/hang", httpx.ReadTimeout, 30),
        ("/half", httpx.RemoteProtocolError, 0),
        ("/refused", httpx.ReadError, 0),
        ("/elsewhere", httpx.ConnectError, 0),
    ],
)
def test_faults_are_the_errors_of_the_library_in_virtual_time(
    path: str, error: type[Exception], seconds: float
) -> None:
    async def post() -> None:
        network = InProcessNetwork()
        network.host(HERE, _app, refuses=lambda: path == "/refused")
        url = "http://127.0.0.1:1" if path == "/elsewhere" else HERE
        async with httpx.AsyncClient(transport=network, timeout=30) as client:
            with pytest.raises(error):
                await client.post(url + path, content=b"body")
        assert asyncio.get_running_loop().time() == seconds
        await network.ended()

    with virtual_loop() as loop:
        loop.run_until_complete(post())


def test_an_answer_comes_back_after_both_ways() -> None:
    async def post() -> None:
        network = InProcessNetwork(latency=lambda _: 0.25)
        network.host(HERE, _app)
        async with httpx.AsyncClient(transport=network) as client:
            assert (await client.post(HERE + "/echo", content=b"body")).content == b"body"
        assert asyncio.get_running_loop().time() == 0.5

    with virtual_loop() as loop:
        loop.run_until_complete(post())
