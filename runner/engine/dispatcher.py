"""The loop: at each wake-up release what is due inside the limits, ask for outcomes that are due, sleep.

It decides nothing by itself: the rules say what may start, the ledger what is due, the alarm wakes.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from runner.engine.delivery import Delivery
from runner.engine.journal import Journal
from runner.engine.native import Look, NativeDelivery
from runner.engine.native_release import native_steps
from runner.engine.pace import Room
from runner.engine.policies import Policies
from runner.engine.reconciliation import Reconciliation
from runner.errors import LedgerError
from runner.model.attempt import Assignment
from runner.ports import Alarm, Clock, Ledger
from runner.rules.limits import history_needed, room

log = logging.getLogger(__name__)

LEASE = timedelta(minutes=5)
_CLAIM_AT_MOST = 200
_ASK_AT_MOST = 200
_LOOK_AGAIN = timedelta(seconds=5)
_IDLE_AGAIN_SECONDS = 0.002


@dataclass(frozen=True, slots=True)
class Wakefulness:
    """How the loop sleeps and is woken."""

    woken: asyncio.Event
    """set by the alarm and by everything that the loop waits for"""
    alarm: Alarm
    idle: Callable[[datetime], bool] | None = None
    """called when nothing is being sent, with the next instant at which something is due; False asks to be called again soon"""


class _Found(NamedTuple):
    """What one look at the ledger gave."""

    released: list[Assignment]
    asking: list[Assignment]
    next_at: datetime | None
    open_count: int
    native: Look
    due_accounts: set[str]
    """where calls are due, so far as it matters"""


class Dispatcher:
    """Runs the campaigns of one ledger; the only one that sends."""

    def __init__(
        self,
        journal: Journal,
        policies: Policies,
        delivery: Delivery,
        reconciliation: Reconciliation,
        clock: Clock,
        wakefulness: Wakefulness,
    ) -> None:
        self._journal = journal
        self._policies = policies
        self._delivery = delivery
        self._reconciliation = reconciliation
        self._clock = clock
        self._woken = wakefulness.woken
        self._alarm = wakefulness.alarm
        self._idle = wakefulness.idle
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        self._starts: dict[str, deque[datetime]] = {}
        self._asking: set[int] = set()
        self._native = NativeDelivery.over(reconciliation)
        self._handing: set[int] = set()
        self._calling_off: set[int] = set()
        self.fault: BaseException | None = None

    def wake(self) -> None:
        """Have the loop look again at once."""
        self._woken.set()

    def stop(self) -> None:
        """Have the loop claim nothing more; what is being sent is still finished and written down."""
        self._stopping = True
        self.wake()

    async def run(self, *, until_done: bool) -> None:
        """Run until stopped or, with `until_done`, until nothing is left to do.

        Raises LedgerError when the ledger cannot be written: without it nothing may be sent.
        """
        await self._journal.run(lambda ledger: self._policies.renew(ledger.campaigns_in_force()))
        doubtful = await self._reconciliation.recover() + await self._native.recover()
        if doubtful:
            log.warning("%d attempts were being sent when the runner last stopped; they are in doubt", doubtful)
        try:
            await self._loop(until_done=until_done)
        except LedgerError as error:
            self.fault = self.fault or error
        await self._drain()

    async def _loop(self, *, until_done: bool) -> None:
        while not self._stopping:
            self._woken.clear()
            next_at, open_count = await self._tick()
            if until_done and not open_count and not self._tasks:
                break
            self._sleep_until(next_at, until_done=until_done)
            await self._woken.wait()

    async def _tick(self) -> tuple[datetime | None, int]:
        """Start everything that may start now; give the next instant to look and what is still open."""
        now = self._clock.now()
        pace, limited = self._delivery.pace, self._delivery.accounts.lines()
        room = pace.room(limited, now)
        found = await self._journal.run(lambda ledger: self._look(ledger, room, now))
        for account in pace.to_count(limited, found.due_accounts, now):
            self._spawn(self._delivery.count_lines(account))
        if found.released:
            self._spawn(self._delivery.deliver(found.released))
        for group in self._reconciliation.together(found.asking):
            self._asking.update(work.attempt.id for work in group)
            self._spawn(self._ask(group))
        self._start_native(found.native)
        next_room = pace.next_at(found.due_accounts, now)
        return min((at for at in (found.next_at, next_room) if at is not None), default=None), found.open_count

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

    def _look(self, ledger: Ledger, room: Room, now: datetime) -> _Found:
        released, next_room = self._release(ledger, room, now)
        due_accounts = ledger.accounts_due(now) if room.free else set()
        native = self._native.look(ledger, now, self._handing, self._calling_off)
        due = ledger.to_ask(now, _ASK_AT_MOST)
        asking = [work for work in due if work.attempt.id not in self._asking]
        # What is being asked for has its next time only when the answer is in, and that wakes the loop.
        next_ask = ledger.next_ask() if not asking and not self._asking else None
        next_times = (ledger.next_due(now, self._policies.only), next_ask, next_room, native.next_at)
        next_at = min((at for at in next_times if at is not None), default=None)
        return _Found(released, asking, next_at, ledger.open_attempts(self._policies.only), native, due_accounts)

    async def _ask(self, group: list[Assignment]) -> None:
        try:
            await self._reconciliation.ask(group)
        finally:
            self._asking.difference_update(work.attempt.id for work in group)

    def _release(self, ledger: Ledger, paced: Room, now: datetime) -> tuple[list[Assignment], datetime | None]:
        """Claim what is due inside the limits of each campaign; give it and when time makes more room."""
        self._policies.renew(ledger.campaigns_in_force())
        live = ledger.live_calls()
        released: list[Assignment] = []
        taken: Counter[str] = Counter()
        next_room: datetime | None = None
        for name in self._policies.active:
            policy = self._policies.of(name)
            limits = policy.campaign.limits
            starts = self._starts_of(ledger, name, now)
            left = room(limits, live.get(name, 0), starts, now)
            most = paced.most(self._policies.accounts_of(name), taken)
            count = min(left.free, _CLAIM_AT_MOST if most is None else most)
            claimed = ledger.claim_due(
                name, count, now, now + LEASE, apart=native_steps(policy), shut=paced.shut(taken)
            )
            taken.update(work.attempt.account for work in claimed if work.attempt.channel == "call")
            starts.extend([now] * len(claimed))
            released.extend(claimed)
            until = left.until or (room(limits, 0, starts, now).until if claimed else None)
            if until is not None:
                next_room = min(next_room or until, until)
        return released, next_room

    def _starts_of(self, ledger: Ledger, name: str, now: datetime) -> deque[datetime]:
        since = now - history_needed(self._policies.of(name).campaign.limits)
        if name not in self._starts:
            self._starts[name] = deque(ledger.recent_starts(name, since))
        starts = self._starts[name]
        while starts and starts[0] <= since:
            starts.popleft()
        return starts

    def _sleep_until(self, next_at: datetime | None, *, until_done: bool) -> None:
        now = self._clock.now()
        if next_at is not None and not self._tasks and self._idle is not None and not self._idle(next_at):
            asyncio.get_running_loop().call_later(_IDLE_AGAIN_SECONDS, self.wake)
        # Another process may apply a new revision or pause a campaign at any time.
        look_again = now + _LOOK_AGAIN
        if next_at is None or (not until_done and next_at > look_again):
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
