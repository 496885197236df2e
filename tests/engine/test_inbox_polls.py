"""The poll ladder by a hand-set clock: exactly its times, at most six of them, whatever webhooks stay away."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from runner.engine.journal import Journal
from runner.errors import NotSent
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.project import POLL_LADDER
from runner.model.request import Request
from tests.building import NOON, Bench, apply, bench, campaign, contact, phone, reply, standing

S = AttemptState
PEOPLE = tuple(contact(number) for number in range(3))
LADDER = [timedelta(seconds=90), timedelta(minutes=5), timedelta(minutes=15)]
LADDER += [timedelta(hours=1), timedelta(hours=6), timedelta(hours=24)]


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


def watched(engine: Bench) -> list[tuple[timedelta, str]]:
    """Give when each look-up leaves and what it asks for, from now on."""
    asked: list[tuple[timedelta, str]] = []

    def look(request: Request) -> None:
        if request.method == "GET":
            asked.append((engine.clock.at - NOON, request.path))

    engine.transport.before = look
    return asked


async def run_out(engine: Bench) -> None:
    """Run the loop in virtual time until nothing is left to do."""

    def skip(until: datetime) -> bool:
        engine.clock.at = max(until, engine.clock.at)
        return True

    loop = engine.dispatcher(idle=skip)
    engine.alarm.ring = loop.wake
    await asyncio.wait_for(loop.run(until_done=True), 20)


@pytest.mark.fault("F16")
def test_the_ladder_is_the_one_that_is_promised() -> None:
    assert list(POLL_LADDER) == LADDER


@pytest.mark.fault("F16")
async def test_without_webhooks_each_call_is_asked_for_at_these_times_and_then_unknown(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    asked = watched(engine)
    await run_out(engine)
    for number in range(3):
        path = f"/calls/id-{engine.attempt(number)['key']}"
        assert [at for at, wanted in asked if wanted == path] == LADDER
        assert (engine.state(number), engine.attempt(number)["outcome"]) == (S.FINISHED, "unknown")
    assert set(standing(engine.store).values()) == {"completed"}
    assert engine.clock.at == NOON + timedelta(hours=24)


@pytest.mark.parametrize("answer", [NotSent("refused"), reply({}, 500), reply({"status": "a word of its own"})])
async def test_asking_in_vain_changes_no_time(engine: Bench, answer: object) -> None:
    apply(engine.store, campaign(), PEOPLE[:1])
    engine.transport.looks = [answer]  # type: ignore[list-item]
    asked = watched(engine)
    await run_out(engine)
    assert [at for at, _ in asked] == LADDER


@pytest.mark.parametrize("rung", range(6))
async def test_the_first_answer_ends_the_asking(engine: Bench, rung: int) -> None:
    apply(engine.store, campaign(), PEOPLE[:1])
    engine.transport.looks = [*[reply({"status": "in_progress"})] * rung, reply({"status": "completed"})]
    asked = watched(engine)
    await run_out(engine)
    assert [at for at, _ in asked] == LADDER[: rung + 1]
    assert (engine.attempt()["outcome"], standing(engine.store)) == ("answered", {phone(0): "completed"})


@pytest.mark.fault("F44")
async def test_a_runner_that_was_down_asks_for_what_it_missed_once(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE[:1])
    await engine.deliver()
    asked = watched(engine)
    engine.clock.forward(timedelta(hours=7))
    for _ in range(10):
        if engine.state() is S.ACCEPTED:
            engine.clock.at = max(engine.clock.at, engine.store.next_ask() or engine.clock.at)
            await engine.ask()
    assert len(asked) <= 6
    assert asked[0][0] == timedelta(hours=7)
    assert asked[-1][0] == timedelta(hours=24)
    assert engine.attempt()["outcome"] == "unknown"
