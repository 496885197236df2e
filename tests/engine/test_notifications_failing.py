"""Notifications that fail, hang or are interrupted: sent at least once, and never in the way of calling."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.engine.notifications import MOST_AT_ONCE, Notifications, withheld
from runner.errors import NotifyFailed
from runner.ledger.outbox import Outbox
from runner.ledger.store import Store
from runner.model.notification import Notification, NotifyTarget
from runner.providers.notify import Targets
from runner.rules.notify import LADDER
from runner.schedule.clock import FastClock, SystemClock
from tests.building import Bench, apply, bench, campaign
from tests.engine.notifying import EVERYTHING, PEOPLE, Noted, end, placed, pumping, states, targets, until
from tests.engine.receiving import SECRET, receiver


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    made = bench(store, journal)
    # Receivers hold timestamps against the real time.
    made.clock.at = SystemClock().now()
    return made


# ---- failures ----


async def test_what_fails_is_tried_again_under_the_same_id(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)
    with receiver(lambda count: (500, 302, 404, 200)[count]) as got:
        async with pumping(engine, targets(got), clock=FastClock(engine.clock.at, 600)):
            await until(lambda: len(got.answered) == 4)
            await until(lambda: states(engine.store) == [("sent", 4)])

    assert len(set(got.ids)) == 1
    assert all(headers["webhook-timestamp"] for headers, _ in got.raw)


async def test_after_the_last_try_it_is_given_up(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)

    def no(_: Notification) -> None:
        raise NotifyFailed("it answered 500")

    notifier, outbox = Noted(no), Outbox(engine.store)
    pump = Notifications(engine.journal, outbox, notifier, engine.clock)
    for wait in (*LADDER, timedelta(0)):
        await pump.finish()
        engine.clock.forward(wait)
        pump = Notifications(engine.journal, outbox, notifier, engine.clock)
    await pump.finish()

    assert len(notifier.got) == len(LADDER) + 1
    assert states(engine.store) == [("dead", len(LADDER) + 1)]
    assert len({one.message_id for one in notifier.got}) == 1


async def test_a_receiver_that_is_gone_is_asked_once(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)
    with receiver(lambda _: 410) as got:
        async with pumping(engine, targets(got)):
            await until(lambda: states(engine.store) == [("dead", 1)])


async def test_a_receiver_that_was_down_for_two_hours_gets_everything(engine: Bench) -> None:
    """Two hours of the clock, in seconds: nothing is lost, and few tries are wasted on it meanwhile."""
    await placed(engine, 12, {"outcome": "crm"})
    for number in range(12):
        await end(engine, number)
    clock = FastClock(engine.clock.at, 2400)
    up_at = engine.clock.at + timedelta(hours=2)
    with receiver(lambda _: 200 if clock.now() >= up_at else 503) as got:
        async with pumping(engine, targets(got), clock=clock):
            await until(lambda: len(set(got.taken)) == 12, seconds=30)

    assert len(got.ids) - len(got.taken) < 12 * 4


async def test_what_is_too_old_or_too_much_is_given_up(engine: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await placed(engine, 5, {"outcome": "crm"})
    for number in range(5):
        await end(engine, number)
    outbox = Outbox(engine.store)
    monkeypatch.setattr("runner.ledger.outbox.MOST_WAITING", 3)

    assert outbox.trim(engine.clock.at) == 2
    assert [state for state, _ in states(engine.store)] == ["dead", "dead", "waiting", "waiting", "waiting"]
    assert outbox.trim(engine.clock.at + timedelta(days=4)) == 3
    outbox.trim(engine.clock.at + timedelta(days=20))
    assert states(engine.store) == []


async def test_a_rehearsal_tells_nobody(engine: Bench) -> None:
    await placed(engine, 2, EVERYTHING)
    await end(engine, 0)
    await end(engine, 1)

    assert await withheld(engine.journal, Outbox(engine.store), engine.clock.at) == {"crm": 3}
    notifier = Noted()
    await Notifications(engine.journal, Outbox(engine.store), notifier, engine.clock).finish()
    assert notifier.got == []


# ---- never in the way ----


async def test_the_end_of_a_run_waits_for_what_is_due_and_no_longer(engine: Bench) -> None:
    await placed(engine, 9, {"outcome": "crm", "answered": "slow"})
    for number in range(9):
        await end(engine, number)
    with receiver() as quick, receiver(lambda _: -60) as slow:
        both = Targets(
            {
                name: NotifyTarget(webhook=got.url, secret=("env:S",), allow_loopback=True)
                for name, got in (("crm", quick), ("slow", slow))
            },
            lambda _: SECRET,
        )
        began = time.monotonic()
        await Notifications(engine.journal, Outbox(engine.store), both, SystemClock()).finish(2.0)
        took = time.monotonic() - began
        await both.aclose()

        assert len(quick.taken) == 9
        assert slow.most_at_once <= MOST_AT_ONCE
    assert took < 4
    assert states(engine.store).count(("waiting", 0)) == 9


@pytest.mark.parametrize("trouble", ["none", "hangs", "refuses", "breaks"])
async def test_a_dead_hook_does_not_slow_calling(engine: Bench, trouble: str) -> None:
    """Forty calls are placed and end while notifications of their ends go nowhere."""

    class Dead(Noted):
        async def send(self, this: Notification, now: Any) -> None:  # noqa: ARG002 the port
            self.got.append(this)
            if trouble == "hangs":
                await asyncio.sleep(60)
            if trouble == "refuses":
                raise NotifyFailed("it answered 500")
            if trouble == "breaks":
                raise KeyError(this.target)

    dead = Dead()
    apply(engine.store, campaign(on=EVERYTHING, limits={"concurrency": 4}), PEOPLE)
    async with pumping(engine, dead, clock=engine.clock):
        began = time.monotonic()
        for number in range(len(PEOPLE)):
            await engine.delivery.deliver(await engine.claim(count=1))
            await end(engine, number)
        took = time.monotonic() - began
        await until(lambda: bool(dead.got))

    assert len(engine.transport.sent) == len(PEOPLE)
    # The journal commits each step durably; a notifier that were waited for would cost seconds each.
    assert took < 20
    if trouble == "hangs":
        assert len(dead.got) <= MOST_AT_ONCE


# ---- crashes ----

_PUMP = """
import asyncio, sys
from pathlib import Path
from runner.engine.journal import Journal
from runner.engine.notifications import Notifications
from runner.ledger.outbox import Outbox
from runner.ledger.store import Store
from runner.model.notification import NotifyTarget
from runner.providers.notify import Targets
from runner.schedule.clock import SystemClock

async def main():
    store = Store.open(Path(sys.argv[1]))
    target = NotifyTarget(webhook=sys.argv[2], secret=("env:S",), allow_loopback=True)
    async with Journal(store) as journal:
        await Notifications(
            journal, Outbox(store), Targets({"crm": target}, lambda _: sys.argv[3]), SystemClock()
        ).finish()

asyncio.run(main())
"""


@pytest.mark.parametrize(("point", "sent_before"), [("before_notify", 0), ("after_notify", 1), ("after_notify:3", 3)])
async def test_killed_on_the_way_it_is_told_at_least_once_under_the_same_id(
    engine: Bench, path: Path, point: str, sent_before: int
) -> None:
    await placed(engine, 5, {"outcome": "crm"})
    for number in range(5):
        await end(engine, number)
    with receiver() as got:
        words = (sys.executable, "-c", _PUMP, str(path), got.url, SECRET)

        async def pump(**variables: str) -> int:
            process = await asyncio.create_subprocess_exec(*words, env={**os.environ, **variables})
            return await asyncio.wait_for(process.wait(), 30)

        assert await pump(OUTREACH_CRASH_AT=point) == -signal.SIGKILL
        before = list(got.ids)
        assert len(before) >= sent_before
        assert await pump() == 0

        assert len(set(got.ids)) == 5
        assert set(before) <= set(got.ids)
        assert len(got.verified()) == len(got.ids)
    assert {state for state, _ in states(engine.store)} == {"sent"}
