"""The loop: inside the limits, never spinning, draining when told, ending when done."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.engine.dispatcher import Dispatcher
from runner.engine.journal import Journal
from runner.errors import InDoubt, LedgerUnwritable
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.outcome import Observation, Outcome
from runner.model.request import Request
from runner.rules.doubt import DoubtBudget
from tests.building import (
    NOON,
    Bench,
    apply,
    bench,
    campaign,
    contact,
    live_calls,
    movoice_took,
    phone,
    reply,
    standing,
    states,
)

S = AttemptState
PEOPLE = tuple(contact(number) for number in range(30))
ANSWERED = Observation(outcome=Outcome.ANSWERED)


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


@asynccontextmanager
async def running(engine: Bench, *, until_done: bool = False) -> AsyncIterator[tuple[Dispatcher, asyncio.Task[None]]]:
    """Run the loop; stop it at the end."""
    loop = engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=until_done))
    try:
        yield loop, task
    finally:
        loop.stop()
        await asyncio.wait_for(task, 10)


def in_virtual_time(engine: Bench) -> Dispatcher:
    """Build a loop for which time passes at once when nothing else happens."""

    def skip(until: datetime) -> bool:
        engine.clock.at = max(until, engine.clock.at)
        return True

    loop = engine.dispatcher(idle=skip)
    engine.alarm.ring = loop.wake
    return loop


async def settled(engine: Bench, seconds: float = 0.15) -> None:
    """Give the loop time to do all that it can: until nothing has moved for a while, however busy the machine is."""
    before = (-1, -1, -1)
    for _ in range(20):
        await asyncio.sleep(seconds)
        now = (len(engine.transport.sent), len(engine.transport.asked), len(engine.alarm.set_to))
        if now == before:
            return
        before = now


def count_ticks(engine: Bench) -> list[datetime]:
    """Note each time that the loop looks at what is due."""
    ticks: list[datetime] = []
    in_force = engine.store.campaigns_in_force

    def noted() -> Any:
        ticks.append(engine.clock.now())
        return in_force()

    engine.store.campaigns_in_force = noted  # type: ignore[method-assign]
    return ticks


def outcomes(*answers: str) -> list[Any]:
    return [
        reply({"status": "failed", "reason": word} if word != "completed" else {"status": word}) for word in answers
    ]


async def test_it_ends_when_everybody_has_an_end(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    engine.transport.looks = outcomes("completed")
    loop = in_virtual_time(engine)
    await asyncio.wait_for(loop.run(until_done=True), 20)
    assert set(standing(engine.store).values()) == {"completed"}
    assert len(engine.transport.sent) == 30


async def test_it_ends_at_once_when_there_is_nothing_to_do(engine: Bench) -> None:
    await asyncio.wait_for(engine.dispatcher().run(until_done=True), 5)
    apply(engine.store, campaign(), PEOPLE[:1])
    engine.store.pause("renewals", "by hand", NOON)
    await asyncio.wait_for(engine.dispatcher().run(until_done=True), 5)
    assert engine.transport.sent == []


@pytest.mark.fault("F12")
async def test_concurrency_counts_live_calls_not_open_requests(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"concurrency": 3}), PEOPLE)
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 3, "accepted calls are live until their outcome is known"
        await engine.reconciliation.settle(1, ANSWERED)
        await settled(engine)
        assert len(engine.transport.sent) == 4
        assert live_calls(engine.store) == {"renewals": 3}


async def test_a_lost_answer_still_counts_as_a_live_call(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"concurrency": 2}), PEOPLE)
    engine.transport.dials = [InDoubt("no answer")]
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 2


async def test_spacing_holds_between_two_starts(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"spacing": "10s"}), PEOPLE[:3])
    async with running(engine) as (loop, _):
        await settled(engine)
        assert len(engine.transport.sent) == 1
        assert engine.alarm.set_to[-1] == NOON + timedelta(seconds=5), "looks again sooner, in case a plan changes"
        engine.clock.forward(timedelta(seconds=9.9))
        loop.wake()
        await settled(engine)
        assert len(engine.transport.sent) == 1
        assert engine.alarm.set_to[-1] == NOON + timedelta(seconds=10)
        engine.clock.forward(timedelta(seconds=0.1))
        loop.wake()
        await settled(engine)
        assert len(engine.transport.sent) == 2


async def test_spacing_holds_over_a_restart(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"spacing": "10s"}), PEOPLE[:3])
    async with running(engine):
        await settled(engine)
    engine.clock.forward(timedelta(seconds=5))
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 1
        engine.clock.forward(timedelta(seconds=5))
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 2


async def test_it_sleeps_while_a_person_is_called_by_another_campaign(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE[:1])
    apply(engine.store, campaign(campaign="reminders"), PEOPLE[:1])
    ticks = count_ticks(engine)
    async with running(engine, until_done=True):
        await settled(engine, 1.0)
        assert len(engine.transport.sent) == 1
        assert len(ticks) < 10, "nothing happens, so nothing is looked at"
        await engine.reconciliation.settle(1, ANSWERED)
        await settled(engine)
        assert len(engine.transport.sent) == 2, "the end of the one call lets the other start"


async def test_it_sleeps_while_nothing_is_due(engine: Bench) -> None:
    apply(engine.store, campaign(windows="daily 20:00-21:00"), PEOPLE)
    ticks = count_ticks(engine)
    async with running(engine, until_done=True):
        await settled(engine, 0.5)
        assert len(ticks) <= 3
        assert engine.alarm.set_to[-1] <= NOON + timedelta(seconds=5), "somebody may apply, resolve or stop meanwhile"


async def test_while_idle_time_is_skipped_it_sleeps_until_something_is_due(engine: Bench) -> None:
    apply(engine.store, campaign(windows="daily 20:00-21:00"), PEOPLE[:1])
    waits: list[datetime] = []

    def note(until: datetime) -> bool:
        waits.append(until)
        return True

    loop = engine.dispatcher(idle=note)
    task = asyncio.create_task(loop.run(until_done=True))
    await settled(engine, 0.2)
    loop.stop()
    await asyncio.wait_for(task, 10)
    assert set(waits) == {NOON + timedelta(hours=8)}


async def test_told_to_stop_it_starts_nothing_and_finishes_what_is_being_sent(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"concurrency": 2}), PEOPLE)
    engine.transport.gate = asyncio.Event()
    loop = engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=False))
    await engine.transport.left.wait()
    loop.stop()
    await settled(engine)
    assert not task.done(), "it waits for the answers"
    engine.transport.gate.set()
    await asyncio.wait_for(task, 5)
    assert [state for *_, state in states(engine.store)][:3] == ["accepted", "accepted", "planned"]


@pytest.mark.fault("F20")
async def test_a_ledger_that_cannot_be_written_stops_everything(
    engine: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    apply(engine.store, campaign(), PEOPLE)
    task = asyncio.create_task(engine.dispatcher().run(until_done=True))
    await asyncio.sleep(0)
    engine.store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerUnwritable):
        await asyncio.wait_for(task, 10)
    engine.store._connection.execute("PRAGMA query_only = OFF")
    sent_with_intent = engine.store._connection.execute("SELECT COUNT(sent_at) FROM attempts").fetchone()[0]
    assert len(engine.transport.sent) <= sent_with_intent


@pytest.mark.fault("F21")
async def test_a_ledger_that_fails_while_sending_lets_the_rest_end(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"concurrency": 5}), PEOPLE)
    engine.transport.gate = asyncio.Event()
    loop = engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=False))
    await engine.transport.left.wait()
    failing = iter([LedgerUnwritable("the disk is full")])
    in_force = engine.store.campaigns_in_force

    def once() -> Any:
        for error in failing:
            raise error
        return in_force()

    engine.store.campaigns_in_force = once  # type: ignore[method-assign]
    loop.wake()
    await settled(engine)
    assert not task.done(), "five answers are still under way"
    engine.transport.gate.set()
    with pytest.raises(LedgerUnwritable):
        await asyncio.wait_for(task, 5)
    assert [state for *_, state in states(engine.store)].count("accepted") == 5
    assert len(engine.transport.sent) == 5


async def test_a_half_applied_campaign_does_not_keep_it_running(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    engine.store._connection.execute("UPDATE revisions SET complete = 0")
    await asyncio.wait_for(engine.dispatcher().run(until_done=True), 5)
    assert engine.transport.sent == []


async def test_everything_that_is_due_to_be_asked_is_asked_once_at_a_time(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE[:5])
    async with running(engine) as (loop, _):
        await settled(engine)
        engine.clock.forward(timedelta(seconds=90))
        for _ in range(5):
            loop.wake()
            await asyncio.sleep(0)
        await settled(engine)
        assert len(engine.transport.asked) == 5


@pytest.mark.parametrize("seed", range(3))
async def test_every_contact_ends_whatever_the_network_does(
    engine: Bench, path: Path, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    # A connection is one thread's: the ledger's own is in use by the journal while a look-up is answered.
    looking = sqlite3.connect(path)
    looking.row_factory = sqlite3.Row
    caplog.set_level(logging.CRITICAL)
    rules = campaign(
        retry="3 times, 1h apart, on no_answer, busy", limits={"concurrency": 7}, windows="daily 10:00-18:00"
    )
    apply(engine.store, rules, PEOPLE)
    placed: dict[str, int] = {}
    made: dict[str, str] = {}
    at: list[tuple[datetime, str]] = []
    turn = iter(range(seed, 10**9))

    def dial(request: Request) -> Any:
        key = next(value for value in request.headers.values() if len(value) == 32)
        at.append((engine.clock.now(), key))
        fault = next(turn) % 7
        if fault == 1:
            raise InDoubt("before it arrived")
        if fault == 2:
            return reply({}, 429)
        placed[key] = placed.get(key, 0) + 1
        made[key] = engine.clock.now().isoformat()
        if fault == 3:
            raise InDoubt("after it arrived")
        return movoice_took(request)

    def look(request: Request) -> Any:
        if "?" in request.path:
            calls = [
                {"call_id": f"id-{key}", "recipient_phone": row["phone"], "created_at": made[key]}
                for key, row in _by_key(looking).items()
                if key in placed and row["state"] == "in_doubt"
            ]
            return reply({"calls": calls, "total": len(calls), "offset": 0})
        return reply([{"status": "completed"}, {"status": "failed", "reason": "no_answer"}][next(turn) % 2])

    engine.transport.dials, engine.transport.looks = [dial], [look]
    engine.delivery = replace(engine.delivery, doubt_budget=DoubtBudget(least=10**6))
    loop = in_virtual_time(engine)
    await asyncio.wait_for(loop.run(until_done=True), 30)
    assert set(standing(engine.store).values()) <= {"completed", "failed"}
    assert max(placed.values()) == 1, "one request placed for each attempt"
    assert all(15 <= when.hour < 23 for when, _ in at), "10:00 to 18:00 in New York"
    tries = {key: number for key, _, number, _ in states(engine.store)}
    assert max(tries.values()) <= 3
    looking.close()


def _by_key(looking: sqlite3.Connection) -> dict[str, Any]:
    return {row["key"]: row for row in looking.execute("SELECT key, phone, state FROM attempts")}


@pytest.mark.fault("F37")
async def test_a_person_has_one_live_attempt_whatever_campaigns_there_are(engine: Bench) -> None:
    for name in ("one", "two", "three"):
        apply(engine.store, campaign(campaign=name), PEOPLE[:4])
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 4
        numbers = [(request.body or {})["recipient_phone"] for request in engine.transport.sent]
        assert sorted(numbers) == [phone(number) for number in range(4)]  # type: ignore[type-var]
