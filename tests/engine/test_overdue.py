"""What came too late ends, also while its account is ill or a limit leaves no room: nobody waits for a claim for ever."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from runner.engine.journal import Journal
from runner.errors import NotSent
from runner.ledger.store import Store
from tests.building import NOON, Bench, apply, bench, campaign, contact, phone, reply, standing, states
from tests.engine.test_dispatcher import in_virtual_time

PEOPLE = tuple(contact(number) for number in range(12))
HOUR = timedelta(hours=1)


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


async def ended(engine: Bench) -> None:
    """Run until nothing is left to do, for which time passes at once."""
    await asyncio.wait_for(in_virtual_time(engine).run(until_done=True), 20)


async def test_a_dead_account_keeps_nobody_waiting_beyond_the_schedule_s_end(engine: Bench) -> None:
    """Nothing can be sent for two hours: the run ends, everybody has a named end, and few requests were tried."""
    apply(engine.store, campaign(schedule={"end": (NOON + 2 * HOUR).isoformat()}), PEOPLE)
    engine.transport.dials = engine.transport.looks = [NotSent("refused")]
    await ended(engine)

    assert set(standing(engine.store).values()) == {"failed"}
    assert {state for *_, state in states(engine.store)} == {"expired"}
    assert engine.clock.at <= NOON + 3 * HOUR
    assert len(engine.transport.sent) < 40


async def test_a_step_that_came_too_late_behind_a_limit_is_given_up(engine: Bench) -> None:
    """Three a day, and each call must start within two hours of becoming due: the others get the text instead."""
    steps = [
        {"call": "agent", "retry": {"attempts": 1, "expires": "2h"}},
        {"text": "desk", "message": "hello", "after": "0m"},
    ]
    agents = {"agent": "movoice/agent_1", "desk": "revmo/agent_2"}
    of = campaign(agent=None, agents=agents, steps=steps, limits={"per_day": 3})
    apply(engine.store, of, PEOPLE[:6])
    engine.transport.looks = [reply({"status": "completed"})]
    await asyncio.sleep(0)
    loop = in_virtual_time(engine)
    task = asyncio.create_task(loop.run(until_done=False))
    for _ in range(400):
        await asyncio.sleep(0.005)
        if engine.clock.at > NOON + 4 * HOUR:
            break
    loop.stop()
    await asyncio.wait_for(task, 10)

    calls = [state for _, step, _, state in states(engine.store) if step == "call"]
    assert calls.count("expired") == 3, states(engine.store)
    assert {key for key, step, *_ in states(engine.store) if step != "call"} >= {phone(3), phone(4), phone(5)}
