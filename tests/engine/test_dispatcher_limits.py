"""The loop under limits that campaigns share, providers that fail or ask to wait, and doubts that pile up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from runner.engine.dispatcher import Dispatcher
from runner.engine.journal import Journal
from runner.errors import InDoubt, NotSent, Throttled
from runner.ledger.overview import account_health
from runner.ledger.revisions import record
from runner.ledger.standing import read_at_once_by_hand, resume_by_hand
from runner.ledger.store import Store
from runner.model.limits import SharedLimits
from runner.model.outcome import Observation, Outcome
from runner.model.request import Request
from runner.rules.breaker import FIRST_WAIT, BreakerState
from runner.rules.doubt import DoubtBudget
from tests.building import (
    NOON,
    Bench,
    account,
    apply,
    bench,
    campaign,
    contact,
    draft,
    movoice_took,
    planned,
    reply,
    revision,
    standing,
)
from tests.engine.test_dispatcher import in_virtual_time, settled

PEOPLE = tuple(contact(number) for number in range(30))
ANSWERED = Observation(outcome=Outcome.ANSWERED)


def limited(**limits: Any) -> SharedLimits:
    return SharedLimits.model_validate(limits)


@asynccontextmanager
async def running(engine: Bench) -> AsyncIterator[Dispatcher]:
    """Run the loop; stop it at the end."""
    loop = engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=False))
    try:
        yield loop
    finally:
        loop.stop()
        await asyncio.wait_for(task, 10)


def sent_by(engine: Bench) -> dict[str, int]:
    rows = engine.store._connection.execute(
        "SELECT c.name, COUNT(a.sent_at) AS sent FROM attempts a JOIN campaigns c ON c.id = a.campaign_id GROUP BY c.name"
    )
    return {row["name"]: row["sent"] for row in rows}


@pytest.mark.parametrize("shared_by", ["account", "from-number", "ledger"])
async def test_campaigns_share_by_priority(store: Store, journal: Journal, shared_by: str) -> None:
    limits = limited(concurrency=6)
    facts: dict[str, Any] = {"account": {"limits": limits}, "from-number": {"from_limits": limits}, "ledger": {}}[
        shared_by
    ]
    engine = bench(store, journal, account(**facts))
    engine.delivery.pacing.of_ledger = limits if shared_by == "ledger" else None
    agent = {"provider": "movoice", "id": "agent_1", "from": "+12025550190"}
    apply(store, campaign(campaign="much", agent=agent, limits={"priority": 10}), PEOPLE[:15])
    apply(store, campaign(campaign="less", agent=agent), PEOPLE[15:])
    async with running(engine):
        await settled(engine)
        assert sent_by(engine) == {"much": 4, "less": 2}
        for attempt in (1, 2, 3):
            await engine.reconciliation.settle(attempt, ANSWERED)
            await settled(engine)
        assert sent_by(engine) == {"much": 6, "less": 3}, "two for one, whoever's call ended"
        assert len(store.lanes.live(engine.clock.now())) == 6


async def test_an_agent_has_limits_of_its_own(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    agent = {"provider": "movoice", "id": "agent_1", "limits": {"concurrency": 2}}
    apply(store, campaign(agent=agent), PEOPLE)
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 2


async def test_a_day_s_attempts_end_at_the_campaign_s_midnight_over_a_restart(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    apply(store, campaign(limits={"per_day": 3}, schedule={"timezone": "America/New_York"}), PEOPLE)
    for hours, sent in ((0, 3), (11.9, 3), (12, 6), (12.1, 6)):
        engine.clock.at = NOON + timedelta(hours=hours)
        async with running(engine):
            await settled(engine)
            assert len(engine.transport.sent) == sent


async def test_a_ramp_goes_on_over_a_restart(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    apply(store, campaign(limits={"ramp": "6/min -> 60/min over 1h"}), PEOPLE)
    for seconds, sent in ((0, 1), (9, 1), (10, 2), (1800, 3), (1801, 3), (1802, 4)):
        engine.clock.at = NOON + timedelta(seconds=seconds)
        async with running(engine):
            await settled(engine)
            assert len(engine.transport.sent) == sent, f"after {seconds} seconds"


async def test_a_call_that_nobody_hears_of_gives_its_slot_back(store: Store, journal: Journal) -> None:
    engine = bench(store, journal, account(poll=(timedelta(days=9),)))
    apply(store, campaign(limits={"concurrency": 2, "slot_for": "10m"}), PEOPLE)
    async with running(engine) as loop:
        await settled(engine)
        assert len(engine.transport.sent) == 2
        engine.clock.forward(timedelta(minutes=10))
        loop.wake()
        await settled(engine)
        assert len(engine.transport.sent) == 4


@pytest.mark.fault("F10")
async def test_an_account_that_asks_to_wait_is_left_alone_altogether(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    engine.transport.dials = [Throttled("answered 429", retry_after=50), movoice_took]
    apply(store, campaign(limits={"spacing": "1s"}), PEOPLE)
    apply(store, campaign(campaign="other"), PEOPLE[20:])
    async with running(engine) as loop:
        await settled(engine)
        first = len(engine.transport.sent)
        for seconds in (10, 39):
            engine.clock.forward(timedelta(seconds=seconds))
            loop.wake()
            await settled(engine)
            assert len(engine.transport.sent) == first
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == first, "a restart does not make it forget"
        engine.clock.forward(timedelta(seconds=2))
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) > first


@pytest.mark.parametrize("fault", [NotSent("no connection"), InDoubt("answered 503")])
@pytest.mark.fault("F11")
async def test_an_outage_costs_few_calls_and_ends_by_itself(
    store: Store, journal: Journal, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    engine = bench(store, journal, account(settle_after=timedelta(hours=3)))
    apply(store, campaign(limits={"concurrency": 1} if isinstance(fault, NotSent) else {"spacing": "1s"}), PEOPLE)
    engine.delivery = replace(engine.delivery, doubt_budget=DoubtBudget(least=99))
    over = NOON + timedelta(minutes=10)
    dials: list[datetime] = []

    def dial(request: Request) -> Any:
        dials.append(engine.clock.now())
        if engine.clock.now() < over:
            raise fault
        return movoice_took(request)

    def look(_: Request) -> Any:
        if engine.clock.now() < over:
            raise fault
        return reply({"status": "completed"})

    engine.transport.dials, engine.transport.looks = [dial], [look]
    loop = in_virtual_time(engine)
    task = asyncio.create_task(loop.run(until_done=True))
    for _ in range(400):
        await asyncio.sleep(0.01)
        if engine.clock.now() >= over + timedelta(minutes=1) or task.done():
            break
    loop.stop()
    await asyncio.wait_for(task, 10)
    assert len([at for at in dials if at < over]) <= 6
    recovered = [at for at in dials if at >= over]
    assert recovered
    assert recovered[0] - over <= timedelta(seconds=60)
    assert "nothing is sent through it until it answers again" in caplog.text
    assert "it takes calls again" in caplog.text
    kinds = [row[0] for row in store._connection.execute("SELECT detail FROM events WHERE kind = 'breaker'")]
    assert any('"open"' in one for one in kinds)
    assert any('"closed"' in one for one in kinds)


@pytest.mark.fault("F11")
async def test_an_open_breaker_outlives_a_restart_and_is_shown(store: Store, journal: Journal) -> None:
    engine = bench(store, journal, account(settle_after=timedelta(hours=3)))
    apply(store, campaign(), PEOPLE[:5])
    apply(store, campaign(campaign="later"), PEOPLE[5:])
    store.pause("later", "by hand", NOON)
    engine.transport.dials = [InDoubt("answered 503")]
    async with running(engine):
        await settled(engine)
        assert engine.delivery.pacing.breakers.is_open("movoice")
    assert engine.campaign_state()[0] == "paused"
    (shown,) = account_health(store, engine.clock.now())
    assert (shown.account, shown.state) == ("movoice", "open")
    assert shown.reason == "5 sends in a row failed, the last: answered 503"
    store.resume("later", NOON)
    engine.transport.looks = [InDoubt("answered 503")]
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 5
        assert engine.transport.asked == [], "it is not read before its time"
    engine.clock.forward(FIRST_WAIT)
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 5
        assert len(engine.transport.asked) == 1, "one read, and no call"
    assert store.lanes.health()["movoice"].breaker.state is BreakerState.OPEN
    engine.clock.forward(FIRST_WAIT)
    engine.transport.looks, engine.transport.dials = [reply({})], [movoice_took]
    engine.transport.gate = asyncio.Event()
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 6, "one call goes first"
        engine.transport.gate.set()
        await settled(engine)
        assert len(engine.transport.sent) == 15, "then as many as there is room for"
    assert account_health(store, engine.clock.now()) == []


async def test_a_person_has_an_ill_account_looked_at_at_once(store: Store, journal: Journal) -> None:
    engine = bench(store, journal, account(settle_after=timedelta(hours=3)))
    apply(store, campaign(), PEOPLE[:5])
    apply(store, campaign(campaign="later"), PEOPLE[5:])
    store.pause("later", "by hand", NOON)
    engine.transport.dials = [*(InDoubt("answered 503") for _ in range(5)), movoice_took]
    async with running(engine) as loop:
        await settled(engine)
        sent = len(engine.transport.sent)
        assert engine.delivery.pacing.breakers.is_open("movoice")
        assert not engine.transport.asked
        engine.transport.looks = [InDoubt("answered 503"), reply({})]
        for looks in (1, 2):
            resume_by_hand(store, "later", "", engine.clock.now())
            assert read_at_once_by_hand(store, "later", engine.clock.now()) == {"movoice": BreakerState.OPEN}
            loop.wake()
            await settled(engine)
            assert len(engine.transport.asked) == looks
        assert len(engine.transport.sent) > sent, "and then it goes on"
    assert read_at_once_by_hand(store, "later", engine.clock.now()) == {}


async def test_too_many_doubts_pause_a_campaign_and_resuming_forgives_them(store: Store, journal: Journal) -> None:
    engine = bench(store, journal, account(settle_after=timedelta(hours=3)))
    apply(store, campaign(limits={"spacing": "1m"}), PEOPLE)
    engine.transport.dials = [InDoubt("answered 503"), InDoubt("lost"), movoice_took, InDoubt("lost"), movoice_took, InDoubt("lost"), movoice_took]  # fmt: skip
    for sent in range(1, 7):
        async with running(engine):
            await settled(engine, 0.05)
            assert len(engine.transport.sent) == sent
        assert engine.campaign_state()[0] == ("paused" if sent == 6 else "active")
        engine.clock.forward(timedelta(minutes=1))
    assert engine.campaign_state()[1].startswith("4 of the 6 sends of the last hour are or were in doubt")
    store.resume("renewals", engine.clock.now())
    engine.clock.forward(timedelta(minutes=1))
    engine.transport.dials = [InDoubt("lost"), movoice_took]
    async with running(engine):
        await settled(engine, 0.05)
    assert engine.campaign_state()[0] == "active", "one doubt since it was resumed"


async def test_ten_thousand_who_are_due_cost_a_look_no_more_than_a_few(store: Store, journal: Journal) -> None:
    """What a turn reads grows with the room there is, not with who waits."""
    engine = bench(store, journal)
    apply(store, campaign(limits={"concurrency": 3}), [contact(number) for number in range(600)])
    reads: list[int] = []
    due = store.lanes.due

    def counted(lane_id: int, now: datetime, count: int) -> Any:
        found = due(lane_id, now, count)
        reads.append(len(found))
        return found

    store.lanes.due = counted  # type: ignore[method-assign]
    async with running(engine):
        await settled(engine)
    assert sum(reads) <= 4, "three who may start, and the oldest of those who may not"
    plan = store._connection.execute(
        "EXPLAIN QUERY PLAN SELECT id, due_at FROM attempts WHERE lane_id = 1 AND state = 'planned' AND due_at <= 5"
        " ORDER BY due_at, id LIMIT 3"
    ).fetchall()
    assert "attempts_due_by_lane" in plan[0]["detail"]
    assert not any("TEMP B-TREE" in row["detail"] for row in plan)
    assert len(standing(store)) == 600


async def test_what_a_lane_waits_for_has_a_source(store: Store, journal: Journal) -> None:
    engine = bench(store, journal, account(limits=limited(spacing="1m")))
    apply(store, campaign(limits={"per_day": 1}), PEOPLE[:2])
    apply(store, campaign(campaign="other"), PEOPLE[2:])
    pacing = engine.delivery.pacing
    async with running(engine):
        await settled(engine)
        waits = [pacing.waiting(store, lane, engine.clock.now()) for lane in store.lanes.after(0)]
    (first, second) = waits
    assert first is not None
    assert second is not None
    assert (first.source, first.why) == ("limits", "per_day: 1")
    assert (second.source, second.why, second.until) == (
        "accounts.movoice.limits",
        "spacing: 60s",
        NOON + timedelta(minutes=1),
    )


async def test_what_a_turn_claims_counts_as_live_at_once(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    apply(store, campaign(limits={"concurrency": 2}), PEOPLE[:3])
    engine.policies.renew(store.campaigns_in_force())
    pacing, now = engine.delivery.pacing, engine.clock.now()
    first = pacing.release(store, now)
    assert (len(first.claimed), pacing.full) == (2, {("renewals", "movoice"): "concurrency: 2"})
    again = pacing.release(store, now)
    assert (again.claimed, again.next_at, again.stuck) == ([], first.next_at, first.stuck)
    assert first.next_at is not None


async def test_rounds_of_a_campaign_share_its_limits(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    first = campaign(limits={"concurrency": 3})
    for number in (1, 2):
        one = first.model_copy(update={"campaign": f"renewals@2026-01-0{number}T09:00Z"})
        lines, summary = planned(draft(one), PEOPLE[number * 10 : number * 10 + 10])
        new = replace(revision(one, summary.digest), policy=first.model_dump_json(exclude_none=True))
        record(store, new, lines, lambda digest=summary.digest: digest)  # type: ignore[misc]
    async with running(engine):
        await settled(engine)
        assert len(engine.transport.sent) == 3
