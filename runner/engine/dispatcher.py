"""The loop: at each wake-up release what is due inside the limits, ask for outcomes that are due, sleep.

It decides nothing by itself: the rules say what may start, the ledger what is due, the alarm wakes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from runner.engine.breakers import Probe
from runner.engine.clock_watch import ClockWatch
from runner.engine.delivery import Delivery
from runner.engine.failover import Failover
from runner.engine.journal import Journal
from runner.engine.native import Look, NativeDelivery
from runner.engine.native_release import native_steps
from runner.engine.overdue import Overdue
from runner.engine.pacing import Release
from runner.engine.policies import Policies
from runner.engine.reconciliation import Reconciliation
from runner.engine.recovery import recover
from runner.engine.rounds import Rounds
from runner.errors import LedgerError
from runner.model.attempt import Assignment
from runner.model.lease import Recovered
from runner.ports import Alarm, Clock, Ledger
from runner.ports.crash_points import CrashPoint, reached
from runner.ports.telemetry import named
from runner.rules.clocks import in_words, is_set_back
from runner.rules.lease import RENEWED_EVERY

log = logging.getLogger(__name__)

_ASK_AT_MOST = 200
_IDLE_AGAIN_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Wakefulness:
    """How the loop sleeps and is woken."""

    woken: asyncio.Event
    """set by the alarm and by everything that the loop waits for"""
    alarm: Alarm
    idle: Callable[[datetime], bool] | None = None
    """called when nothing is being sent, with the next instant at which something is due; False asks to be called again soon"""
    look_again: timedelta = timedelta(seconds=5)
    """how often the ledger is looked at when nothing is due: another process may write into it"""
    rest: timedelta = timedelta(0)
    """how long a look is put off at least after the one before, so that one look sees more; for rehearsals"""


class _Found(NamedTuple):
    """What one look at the ledger gave."""

    released: list[Assignment]
    asking: list[Assignment]
    next_at: datetime | None
    is_open: bool
    native: Look
    to_read: list[str]
    """the accounts whose provider is to be read"""
    next_round: datetime | None
    due_accounts: set[str]
    """where calls are due, so far as it matters"""


class Dispatcher:
    """Runs the campaigns of one ledger; the only one that sends."""

    def __init__(  # noqa: PLR0913, PLR0917 the parts of the loop
        self,
        journal: Journal,
        policies: Policies,
        delivery: Delivery,
        reconciliation: Reconciliation,
        clock: Clock,
        wakefulness: Wakefulness,
        rounds: Rounds | None = None,
        watch: ClockWatch | None = None,
    ) -> None:
        self._journal = journal
        self._tenure = journal.tenure
        self._watch = watch or ClockWatch(clock)
        self._policies = policies
        self._delivery = delivery
        self._reconciliation = reconciliation
        self._clock = clock
        self._woken = wakefulness.woken
        self._alarm = wakefulness.alarm
        self._idle = wakefulness.idle
        self._look_again = wakefulness.look_again
        self._rest = wakefulness.rest.total_seconds()
        self._rounds = rounds
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._pacing = delivery.pacing
        self._probe = Probe(
            journal, delivery.accounts, delivery.transport, clock, delivery.pacing.breakers, wakefulness.woken.set
        )
        self._overdue = Overdue(policies)
        self._failover = Failover(policies, delivery.accounts, delivery.pacing.breakers)
        self._asking: set[int] = set()
        self._native = NativeDelivery.over(reconciliation)
        self._handing: set[int] = set()
        self._calling_off: set[int] = set()
        self.fault: BaseException | None = None
        self.recovered: Recovered | None = None
        """what was found at the start; None before"""

    def wake(self) -> None:
        """Have the loop look again at once."""
        self._woken.set()

    def stop(self) -> None:
        """Have the loop claim nothing more; what is being sent is still finished and written down."""
        self._stopping = True
        self._tenure.close()
        if self._rounds is not None:
            self._rounds.stop()
        self.wake()

    async def run(self, *, until_done: bool) -> None:
        """Run until stopped or, with `until_done`, until nothing is left to do.

        Raises LedgerError when the ledger cannot be written: without it nothing may be sent.
        """
        self._tenure.is_closing = self._stopping
        await self._journal.run(lambda ledger: self._policies.renew(ledger.campaigns_in_force()))
        self.recovered = found = await self._journal.run(
            lambda ledger: recover(ledger, self._reconciliation, self._native, self._tenure.epoch)
        )
        level = logging.INFO if found.is_clean else logging.WARNING
        log.log(level, "%s", found.sentence, extra=named("recovered"))
        await self._journal.run(lambda ledger: self._pacing.begin(ledger, self._clock.now()))
        holding = asyncio.create_task(self._hold())
        try:
            await self._loop(until_done=until_done)
        except LedgerError as error:
            self.fault = self.fault or error
        finally:
            await self._drain()
            holding.cancel()
        self._raise_fault()

    async def _hold(self) -> None:
        """Have the lease renewed while nothing else is written."""
        while self._tenure.is_renewed:
            await asyncio.sleep(RENEWED_EVERY.total_seconds())
            try:
                await self._journal.run(lambda _: None)
            except LedgerError as error:
                self.fault = self.fault or error
                self.stop()
                return

    async def _loop(self, *, until_done: bool) -> None:
        while not self._stopping:
            self._woken.clear()
            next_at, is_open = await self._tick()
            if until_done and not is_open and not self._tasks:
                break
            self._sleep_until(next_at, until_done=until_done)
            await self._woken.wait()
            if self._rest and not self._stopping:
                await asyncio.sleep(self._rest)

    async def _tick(self) -> tuple[datetime | None, bool]:
        """Start everything that may start now; give the next instant to look and whether anything is still open."""
        step = self._watch.take()
        now = self._clock.now()
        lines, limited = self._delivery.lines, self._delivery.accounts.lines()
        free_lines = lines.free(limited)
        with self._delivery.telemetry.span("release") as span:
            found = await self._journal.run(lambda ledger: self._look(ledger, free_lines, now, step), begins=True)
            span.note(attempts=len(found.released))
        self._delivery.telemetry.turned()
        for account in lines.to_count(limited, found.due_accounts, now):
            self._spawn(self._delivery.count_lines(account))
        if found.released:
            reached(CrashPoint.AFTER_CLAIM)
            self._spawn(self._delivery.deliver(found.released))
        for group in self._reconciliation.together(found.asking):
            self._asking.update(work.attempt.id for work in group)
            self._spawn(self._ask(group))
        for account in found.to_read:
            self._spawn(self._probe.read(account))
        self._start_native(found.native)
        if self._rounds is not None and found.next_round is not None and found.next_round <= now:
            self._rounds.take()
            self._spawn(self._rounds.start())
        if step:
            self.wake()
        next_lines = lines.next_at(found.due_accounts)
        return min((at for at in (found.next_at, next_lines) if at is not None), default=None), found.is_open

    def _start_native(self, found: Look) -> None:
        self._handing.update(one.record.id for one in found.fresh)
        self._handing.update(one.id for one in found.due)
        self._calling_off.update(work.attempt.id for work in found.calling_off)
        for fresh in found.fresh:
            self._spawn(_watched(self._handing, fresh.record.id, self._native.begin(fresh)))
        for record in found.due:
            self._spawn(_watched(self._handing, record.id, self._native.look_after(record)))
        for work in found.calling_off:
            self._spawn(_watched(self._calling_off, work.attempt.id, self._native.call_off(work)))

    def _look(self, ledger: Ledger, free_lines: Mapping[str, int], now: datetime, step: timedelta) -> _Found:
        self._heed_clock(ledger, now, step)
        begins = not (step or self._tenure.is_closing)
        self._delivery.stop_file.heed(ledger, now)
        to_read = self._pacing.breakers.to_read(ledger, now)
        self._policies.renew(ledger.campaigns_in_force())
        released = self._release(ledger, free_lines, now) if begins else Release([], None)
        due_accounts = ledger.accounts_due(now) if free_lines else set()
        native = self._native.look(ledger, now, self._handing, self._calling_off, begins=begins)
        due = ledger.to_ask(now, _ASK_AT_MOST)
        asking = [work for work in due if work.attempt.id not in self._asking]
        # What is being asked for has its next time only when the answer is in, and that wakes the loop.
        next_ask = ledger.next_ask() if not asking and not self._asking else None
        next_due, next_breaker = ledger.next_due(now, self._policies.only), self._pacing.breakers.next_at(now)
        next_round = self._rounds.next_at(ledger, now) if self._rounds is not None else None
        next_over = self._overdue.end(ledger, released.stuck, now)
        next_times = (next_due, next_ask, next_over, released.next_at, next_breaker, native.next_at, next_round)
        next_at = min((at for at in next_times if at is not None), default=None)
        is_open = ledger.lanes.anything_open(self._policies.only)
        return _Found(released.claimed, asking, next_at, is_open, native, to_read, next_round, due_accounts)

    async def _ask(self, group: list[Assignment]) -> None:
        try:
            await self._reconciliation.ask(group)
        finally:
            self._asking.difference_update(work.attempt.id for work in group)

    def _heed_clock(self, ledger: Ledger, now: datetime, step: timedelta) -> None:
        """Note that the clock was set, and leave it to a person when it cannot be right."""
        if step:
            words = f"the clock was set {'back' if step < timedelta(0) else 'ahead'} by {in_words(step)}"
            log.warning("%s; nothing is sent until windows are looked at anew", words, extra=named("clock_set"))
            ledger.letters.note(now, None, "clock_set", seconds=round(step.total_seconds(), 3))
            if is_set_back(step):
                self._pause_all(ledger, words, now)
        if self._watch.skew:
            log.error("%s; the campaigns are paused", self._watch.skew, extra=named("clock_differs"))
            ledger.letters.note(now, None, "clock_differs", reason=self._watch.skew)
            self._pause_all(ledger, self._watch.skew, now)
            self._watch.skew = ""

    @staticmethod
    def _pause_all(ledger: Ledger, reason: str, now: datetime) -> None:
        for campaign in ledger.campaigns_in_force():
            if campaign.is_active:
                ledger.pause(campaign.name, reason, now)

    def _release(self, ledger: Ledger, free_lines: Mapping[str, int], now: datetime) -> Release:
        """Claim what is due inside all limits; give it and when time makes more room."""
        apart = {(name, step) for name in self._policies.active for step in native_steps(self._policies.of(name))}
        self._failover.shift(ledger, now, frozenset(apart))
        return self._pacing.release(ledger, now, frozenset(apart), free_lines)

    def _sleep_until(self, next_at: datetime | None, *, until_done: bool) -> None:
        now = self._clock.now()
        if next_at is not None and not self._tasks and self._idle is not None and not self._idle(next_at):
            asyncio.get_running_loop().call_later(_IDLE_AGAIN_SECONDS, self.wake)
        # Another process may apply, pause, resolve or stop at any time; while idle time is skipped there is none.
        look_again = now + self._look_again
        is_alone = until_done and self._idle is not None
        if next_at is None or (not is_alone and next_at > look_again):
            next_at = look_again
        self._alarm.set(next_at)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            # Without a ledger nothing may be sent, so the loop ends; the attempt keeps its durable state.
            self.fault = task.exception()
            self._stopping = True
        self.wake()

    async def _drain(self) -> None:
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _raise_fault(self) -> None:
        if self.fault is not None:
            if isinstance(self.fault, LedgerError):
                raise self.fault
            raise RuntimeError("the dispatcher failed") from self.fault


async def _watched(busy: set[int], id: int, work: Coroutine[Any, Any, None]) -> None:
    """Do work on something that nobody else takes up meanwhile."""
    try:
        await work
    finally:
        busy.discard(id)
