"""A clock that is set, a machine that slept, a provider that says another time: nothing is sent on a wrong hour."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

import pytest

from runner.engine.clock_watch import ClockWatch, WatchedTransport
from runner.engine.dispatcher import Dispatcher, Wakefulness
from runner.engine.journal import Journal
from runner.engine.tenure import Tenure
from runner.ledger.store import Store
from runner.model.attempt import AttemptState as S
from runner.model.outcome import Observation, Outcome
from runner.model.request import Reply
from tests.building import NOON, Bench, apply, bench, campaign, contact

HOUR = timedelta(hours=1)
ANSWERED = Observation(outcome=Outcome.ANSWERED)
PEOPLE = tuple(contact(number) for number in range(3))


@dataclass
class SetClock:
    """A wall clock that people set, and seconds since the start that they do not."""

    at: datetime = NOON
    seconds: float = 1000.0

    def now(self) -> datetime:
        return self.at

    def boottime(self) -> float:
        return self.seconds

    def passes(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


@asynccontextmanager
async def running(engine: Bench, clock: SetClock) -> AsyncIterator[ClockWatch]:
    """Run the loop over a clock that can be set."""
    watch = ClockWatch(clock, hears_replies=True)
    for part in (engine.delivery, engine.reconciliation):
        object.__setattr__(part, "clock", clock)
        object.__setattr__(part, "transport", WatchedTransport(engine.transport, Tenure.alone(), watch))
    object.__setattr__(engine.delivery, "watch", watch)
    loop = Dispatcher(
        engine.journal, engine.policies, engine.delivery, engine.reconciliation, clock,
        Wakefulness(engine.woken, engine.alarm), watch=watch,
    )  # fmt: skip
    task = asyncio.create_task(loop.run(until_done=False))
    await asyncio.wait_for(engine.transport.left.wait(), 20)
    await settled(engine)
    try:
        yield watch
    finally:
        loop.stop()
        await asyncio.wait_for(task, 10)


async def settled(engine: Bench) -> None:
    """Let the loop look again, and all that follows happen: until nothing has moved for a while, on a busy machine too."""
    engine.woken.set()
    before, same = -1, 0
    for _ in range(300):
        await asyncio.sleep(0.02)
        now = len(engine.transport.sent) + len(engine.alarm.set_to)
        before, same = now, same + 1 if now == before else 0
        if same == 10:
            return


def noted(engine: Bench, kind: str) -> list[dict[str, object]]:
    rows = engine.store._connection.execute("SELECT detail FROM events WHERE kind = ?", (kind,))
    return [json.loads(row["detail"]) for row in rows]


@pytest.mark.fault("F27")
async def test_a_clock_set_ahead_stops_one_look_and_then_counts(engine: Bench, clock: SetClock) -> None:
    apply(engine.store, campaign(limits={"concurrency": 1}, windows="mon-fri 12:00-12:30"), PEOPLE)
    async with running(engine, clock):
        assert len(engine.transport.sent) == 1
        clock.at += HOUR
        await engine.reconciliation.settle(1, ANSWERED)
        await settled(engine)
        assert len(engine.transport.sent) == 1, "by the new clock the window is shut"
        assert noted(engine, "clock_set") == [{"seconds": 3600.0}]
        assert engine.campaign_state()[0] == "active"


@pytest.mark.fault("F27")
async def test_a_clock_set_between_the_look_and_the_intent_lets_nothing_leave(engine: Bench, clock: SetClock) -> None:
    apply(engine.store, campaign(), PEOPLE)
    watch = ClockWatch(clock)
    object.__setattr__(engine.delivery, "watch", watch)
    claimed = await engine.claim()
    clock.at += timedelta(seconds=3)
    await engine.delivery.deliver(claimed)
    assert engine.transport.sent == []
    assert {engine.state(number) for number in range(3)} == {S.PLANNED}
    watch.take()
    await engine.deliver()
    assert len(engine.transport.sent) == 3


@pytest.mark.fault("F27")
@pytest.mark.parametrize(("back", "state"), [(30, "active"), (61, "paused"), (3600, "paused")])
async def test_a_clock_set_back_far_needs_a_person(engine: Bench, clock: SetClock, back: int, state: str) -> None:
    apply(engine.store, campaign(limits={"concurrency": 1}), PEOPLE)
    async with running(engine, clock):
        clock.at -= timedelta(seconds=back)
        await settled(engine)
        assert engine.campaign_state()[0] == state
        assert ("set back by" in engine.campaign_state()[1]) is (state == "paused")
        await engine.reconciliation.settle(1, ANSWERED)
        clock.passes(back)
        await settled(engine)
        assert len(engine.transport.sent) == (1 if state == "paused" else 2)


async def test_a_laptop_that_slept_judges_anew_and_bursts_nothing(engine: Bench, clock: SetClock) -> None:
    windows = {"windows": "mon-fri 12:00-13:00", "limits": {"concurrency": 10, "spacing": "10m"}}
    apply(engine.store, campaign(**windows), tuple(contact(number) for number in range(6)))
    async with running(engine, clock):
        assert len(engine.transport.sent) == 1
        clock.passes(8 * 3600)
        await settled(engine)
        assert noted(engine, "clock_set") == [], "both clocks went on over the sleep"
        assert len(engine.transport.sent) == 1, "the window had shut meanwhile"
        clock.passes(16 * 3600)
        await settled(engine)
        assert len(engine.transport.sent) == 2, "what was missed is not made up for in a burst"


@pytest.mark.fault("F28")
@pytest.mark.parametrize(("off", "state"), [(0, "active"), (119, "active"), (200, "paused"), (-200, "paused")])
async def test_a_provider_whose_time_differs_pauses_everything(
    engine: Bench, clock: SetClock, off: int, state: str
) -> None:
    apply(engine.store, campaign(limits={"concurrency": 1}), PEOPLE)
    date = format_datetime(NOON + timedelta(seconds=off), usegmt=True)
    engine.transport.dials = [Reply(status=200, headers={"date": date}, body=b'{"call_id": "1"}')]
    async with running(engine, clock):
        await settled(engine)
        found, reason = engine.campaign_state()
        assert found == state
        if state == "paused":
            which = "behind" if off > 0 else "ahead of"
            assert reason.startswith("account movoice: this machine's clock is 3 min")
            assert which in reason
            await engine.reconciliation.settle(1, ANSWERED)
            await settled(engine)
            assert len(engine.transport.sent) == 1


@pytest.mark.fault("F28")
async def test_an_answer_from_a_store_on_the_way_tells_no_time(engine: Bench, clock: SetClock) -> None:
    watch = ClockWatch(clock, hears_replies=True)
    date = format_datetime(NOON - HOUR, usegmt=True)
    main = engine.accounts.account("movoice")
    watch.hear(main, Reply(status=200, headers={"date": date, "age": "3600"}, body=b""), NOON, NOON)
    assert watch.skew == ""
    watch = ClockWatch(clock, hears_replies=True)
    ClockWatch(clock).hear(main, Reply(status=200, headers={"date": date}, body=b""), NOON, NOON)
    watch.hear(main, Reply(status=200, headers={"date": date}, body=b""), NOON, NOON)
    assert watch.skew == "account movoice: this machine's clock is 59 min 59 s ahead of the provider's"
