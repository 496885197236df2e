"""Failing over: backups carry out what is due while an account fails, and never what was in doubt."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from runner.engine.failover import Failover
from runner.engine.journal import Journal
from runner.errors import InDoubt, NotSent
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.campaign import Campaign
from runner.model.move import Move
from runner.rules.breaker import FIRST_WAIT, IN_A_ROW
from tests.building import NOON, Bench, account, apply, bench, campaign, contact
from tests.engine.test_dispatcher import settled

S = AttemptState
MAIN, SPARE = account(name="main"), account(name="spare")
PEOPLE = tuple(contact(number) for number in range(12))


def two_agents(**changes: Any) -> Campaign:
    """Give a campaign whose agent has a backup with another account and another id."""
    facts: dict[str, Any] = {
        "agent": None,
        "agents": {
            "first": {"provider": "movoice", "id": "agent_1", "account": "main"},
            "second": {"provider": "movoice", "id": "agent_2", "account": "spare"},
        },
        "steps": [{"call": ["first", "second"], "options": {"max_duration": 60}}],
        "limits": {"concurrency": 1},
    }
    return campaign(**facts | changes)


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal, MAIN, SPARE)


def accounts(engine: Bench) -> list[tuple[str, str, int]]:
    rows = engine.store._connection.execute("SELECT state, account, backup FROM attempts ORDER BY id")
    return [tuple(row) for row in rows]


async def open_breaker(engine: Bench, name: str = "main") -> None:
    """Have an account fail as often as it takes."""
    breakers = engine.delivery.pacing.breakers
    for attempt in range(IN_A_ROW):
        fault = partial(breakers.sent, account=name, attempt=-attempt, error=NotSent("gone"), now=engine.clock.now())
        await engine.journal.run(fault)
    assert breakers.is_open(name)


async def shift(engine: Bench) -> None:
    """Look once, as each turn of the loop does."""
    failover = Failover(engine.policies, engine.accounts, engine.delivery.pacing.breakers)

    def look(ledger: Any) -> None:
        engine.policies.renew(ledger.campaigns_in_force())
        failover.shift(ledger, engine.clock.now())

    await engine.journal.run(look)


async def test_the_backup_sends_what_was_reviewed(engine: Bench) -> None:
    """After five failures the others go out through the backup: its agent, its account, the attempt's own key."""
    apply(engine.store, two_agents(), PEOPLE, MAIN, SPARE)
    engine.transport.failing["main"] = NotSent("connection refused")
    loop = engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=False))
    await settled(engine, 0.5)
    loop.stop()
    await asyncio.wait_for(task, 10)

    assert engine.transport.through[:IN_A_ROW] == ["main"] * IN_A_ROW
    assert set(engine.transport.through[IN_A_ROW:]) == {"spare"}
    sent = [one for one, via in zip(engine.transport.sent, engine.transport.through, strict=True) if via == "spare"]
    assert {one.body["agent_id"] for one in sent if one.body} == {"agent_2"}
    keys = {row["key"] for row in engine.store._connection.execute("SELECT key FROM attempts")}
    assert all(keys & set(one.headers.values()) for one in sent)
    assert ("accepted", "spare", 1) in accounts(engine)
    row = engine.store._connection.execute("SELECT detail FROM events WHERE kind = 'taken_over'").fetchone()
    assert json.loads(row["detail"])["source"] == "steps.call.backups"


async def test_nobody_gets_two_requests(engine: Bench) -> None:
    """A lost answer puts an attempt in doubt: it stays with its account, whatever the backup could do."""
    apply(engine.store, two_agents(limits={"concurrency": 20}), PEOPLE, MAIN, SPARE)
    engine.transport.failing["main"] = InDoubt("no answer")
    loop = engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=False))
    await settled(engine, 0.5)
    loop.stop()
    await asyncio.wait_for(task, 10)

    called = [key for one in engine.transport.sent for key in one.headers.values() if len(key) == 32]
    assert len(called) == len(set(called)) == len(engine.transport.sent)
    assert all(via == "main" for state, via, _ in accounts(engine) if state == "in_doubt")


async def test_a_doubt_that_is_proved_absent_waits_for_its_own_account(engine: Bench) -> None:
    """What may have been placed through one account never leaves through another one."""
    apply(engine.store, two_agents(), PEOPLE[:1], MAIN, SPARE)
    await open_breaker(engine)
    moves = [(S.PLANNED, S.CLAIMED), (S.CLAIMED, S.SENDING), (S.SENDING, S.IN_DOUBT), (S.IN_DOUBT, S.PLANNED)]
    for old, new in moves:
        assert engine.store.move([Move(attempt_id=1, old=old, new=new, at=NOON, due_at=NOON, sent_at=NOON)]) == [True]
    await shift(engine)

    assert accounts(engine) == [("planned", "main", 0)]


async def test_a_doubt_of_the_backup_stays_with_the_backup(engine: Bench) -> None:
    """Also when its own agent is well again, and when the plan is applied anew."""
    apply(engine.store, two_agents(), PEOPLE[:1], MAIN, SPARE)
    await open_breaker(engine)
    await shift(engine)
    for old, new in [(S.PLANNED, S.CLAIMED), (S.CLAIMED, S.SENDING), (S.SENDING, S.IN_DOUBT), (S.IN_DOUBT, S.PLANNED)]:
        engine.store.move([Move(attempt_id=1, old=old, new=new, at=NOON, due_at=NOON, sent_at=NOON)])
    engine.delivery.pacing.breakers._health.clear()
    await shift(engine)
    apply(engine.store, two_agents(limits={"concurrency": 3}), PEOPLE[:1], MAIN, SPARE)

    assert accounts(engine) == [("planned", "spare", 1)]
    work = engine.store.assignments([1])[0]
    assert (work.agent, work.agent_id, work.attempt.account) == ("second", "agent_2", "spare")


async def test_what_waits_goes_back_when_the_account_is_well(engine: Bench) -> None:
    """Closed again, the step's own agent does it; while it may try one call, it is given one."""
    apply(engine.store, two_agents(), PEOPLE, MAIN, SPARE)
    await open_breaker(engine)
    await shift(engine)
    assert {via for _, via, _ in accounts(engine)} == {"spare"}

    breakers, later = engine.delivery.pacing.breakers, NOON + FIRST_WAIT + timedelta(seconds=1)
    engine.clock.at = later
    await engine.journal.run(lambda ledger: breakers.to_read(ledger, later))
    await engine.journal.run(lambda ledger: breakers.read(ledger, "main", answered=True, now=later))
    await shift(engine)
    assert sorted(via for _, via, _ in accounts(engine)).count("main") == 1

    breakers._health.clear()
    await shift(engine)
    assert {(via, backup) for _, via, backup in accounts(engine)} == {("main", 0)}


async def test_no_backup_is_well(engine: Bench) -> None:
    """With both breakers open everybody waits where they are."""
    apply(engine.store, two_agents(), PEOPLE, MAIN, SPARE)
    await open_breaker(engine)
    await open_breaker(engine, "spare")
    await shift(engine)

    assert {(state, via) for state, via, _ in accounts(engine)} == {("planned", "main")}


async def test_the_second_backup_takes_over_from_the_first(engine: Bench) -> None:
    """What waits for a backup that fails too goes to the next one, and home when the agent's own account is well."""
    third = account(name="third")
    engine = bench(engine.store, engine.journal, MAIN, SPARE, third)
    agents = {
        name: {"provider": "movoice", "id": f"agent_{name}", "account": name} for name in ("main", "spare", "third")
    }
    of = two_agents(agents=agents, steps=[{"call": ["main", "spare", "third"]}])
    apply(engine.store, of, PEOPLE[:3], MAIN, SPARE, third)
    await open_breaker(engine)
    await shift(engine)
    assert {via for _, via, _ in accounts(engine)} == {"spare"}

    await open_breaker(engine, "spare")
    await shift(engine)
    assert accounts(engine) == [("planned", "third", 2)] * 3

    engine.delivery.pacing.breakers._health.pop("main")
    await shift(engine)
    assert accounts(engine) == [("planned", "main", 0)] * 3


async def test_put_off_at_the_gate_is_the_own_agents_again(engine: Bench) -> None:
    """An attempt that goes back in line is chosen for anew."""
    apply(engine.store, two_agents(), PEOPLE[:1], MAIN, SPARE)
    await open_breaker(engine)
    await shift(engine)
    for old, new in [(S.PLANNED, S.CLAIMED), (S.CLAIMED, S.PLANNED)]:
        engine.store.move([Move(attempt_id=1, old=old, new=new, at=NOON, due_at=NOON)])

    assert accounts(engine) == [("planned", "main", 0)]


async def test_a_new_plan_without_backups_forgets_them(engine: Bench) -> None:
    """Nobody is sent what the file does not say any more."""
    apply(engine.store, two_agents(), PEOPLE[:2], MAIN, SPARE)
    await open_breaker(engine)
    await shift(engine)
    apply(engine.store, two_agents(steps=[{"call": "first"}]), PEOPLE[:2], MAIN, SPARE)
    await shift(engine)

    assert {via for _, via, _ in accounts(engine)} == {"main"}
    assert engine.store.one("any_backup") is None
