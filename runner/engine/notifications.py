"""The pump of the outbox: sends what waits to be told, beside the calling and never in its way.

It shares the ledger's writer with the dispatcher and nothing else: a target that is down, slow or
misspelt costs a bounded number of tries, and no failure of it ends a run.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from runner.engine.journal import Journal
from runner.errors import LedgerError, NotifyFailed
from runner.model.notification import Notification, Settled
from runner.ports import Clock
from runner.ports.crash_points import CrashPoint, reached
from runner.ports.notifications import Notifier, OutboxLedger
from runner.ports.telemetry import named
from runner.rules.notify import after_failure, pause_after

log = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 4
"""notifications are on their way to one target, and no more"""
LOOK_SECONDS: Final = 1.0
"""how often the outbox is looked at, by the machine's clock"""
FINISH_SECONDS: Final = 5.0
"""how long the end of a run waits for what is due"""
_TRIM_SECONDS: Final = 600.0
_EXAMINE_SECONDS: Final = 2.0
"""how often campaigns are looked at for their end, which counts people"""
_LONGEST_TRY: Final = 30.0
"""a notifier bounds its own time; this bounds one that does not"""


@dataclass(slots=True)
class _Lane:
    """What is known of one target."""

    flying: set[int] = field(default_factory=set)
    failures: int = 0
    quiet_until: datetime | None = None

    def free(self, now: datetime) -> int:
        """Give how many more may be sent; one alone to a target that failed last."""
        if self.quiet_until is not None and now < self.quiet_until:
            return 0
        return max(0, (1 if self.failures else MOST_AT_ONCE) - len(self.flying))


class Notifications:
    """Sends what is in one ledger's outbox; each notification at least once, in no promised order."""

    def __init__(self, journal: Journal, outbox: OutboxLedger, notifier: Notifier, clock: Clock) -> None:
        self._journal = journal
        self._outbox = outbox
        self._notifier = notifier
        self._clock = clock
        self._lanes: dict[str, _Lane] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._woken = asyncio.Event()
        self._examine_at = 0.0

    async def run(self) -> None:
        """Send what is due until cancelled."""
        loop = asyncio.get_running_loop()
        trim_at = loop.time()
        try:
            while True:
                self._woken.clear()
                if loop.time() >= trim_at:
                    await self._trim()
                    trim_at = loop.time() + _TRIM_SECONDS
                await self._look()
                # `wait_for` of Python 3.11 may swallow a cancellation that comes when the event does.
                with suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._woken.wait()
        finally:
            await self._abandon()

    async def finish(self, seconds: float = FINISH_SECONDS) -> None:
        """Send what is due now, for so long at most; what is left goes out with the next run."""
        self._examine_at = 0.0
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while await self._look() or self._tasks:
                    if not self._tasks:
                        return
                    await asyncio.wait(set(self._tasks), return_when=asyncio.FIRST_COMPLETED)
        await self._abandon()

    async def _look(self) -> int:
        """Start what may start; give how many."""
        now, seconds = self._clock.now(), asyncio.get_running_loop().time()
        examines = seconds >= self._examine_at
        if examines:
            self._examine_at = seconds + _EXAMINE_SECONDS
        try:
            found = await self._journal.run(lambda _: self._find(now, examines=examines))
        except LedgerError as error:
            log.warning("notifications wait: %s", error.message, extra=named("notifications_wait"))
            return 0
        except Exception:  # whatever it is, it must end neither the calling nor the telling of what comes later
            log.exception("notifications wait: unexpected failure", extra=named("notifications_failed"))
            return 0
        for one in found:
            self._lanes[one.target].flying.add(one.id)
            task = asyncio.create_task(self._send(one), name=f"notify {one.target}")
            self._tasks.add(task)
            task.add_done_callback(self._done)
        return len(found)

    def _find(self, now: datetime, *, examines: bool) -> list[Notification]:
        if examines:
            self._outbox.note_finished(now)
        found: list[Notification] = []
        for target in self._outbox.targets():
            lane = self._lanes.setdefault(target, _Lane())
            free = lane.free(now)
            if free:
                due = self._outbox.due(target, now, free + len(lane.flying))
                found += [one for one in due if one.id not in lane.flying][:free]
        return found

    async def _send(self, one: Notification) -> None:
        lane = self._lanes[one.target]
        try:
            result = await self._tried(one, lane)
            reached(CrashPoint.AFTER_NOTIFY)
            await self._journal.run(lambda _: self._outbox.settle([result]))
        except LedgerError as error:
            # It stays in the outbox, and its receiver knows its id.
            sentence = "a notification to %s could not be written down: %s"
            log.warning(sentence, one.target, error.message, extra=named("notification_unsettled"))
            self._fail(lane, NotifyFailed(error.message))
        finally:
            lane.flying.discard(one.id)

    async def _tried(self, one: Notification, lane: _Lane) -> Settled:
        reached(CrashPoint.BEFORE_NOTIFY)
        try:
            async with asyncio.timeout(_LONGEST_TRY):
                await self._notifier.send(one, self._clock.now())
        except NotifyFailed as error:
            failure = error
        except TimeoutError:
            failure = NotifyFailed(f"there was no answer in {_LONGEST_TRY:g} s")
        except Exception as error:  # noqa: BLE001 a notifier's fault must not end a run
            failure = NotifyFailed(f"it could not be sent ({type(error).__name__})")
        else:
            lane.failures, lane.quiet_until = 0, None
            return Settled(id=one.id, at=self._clock.now())
        self._fail(lane, failure)
        settled = after_failure(one, failure, self._clock.now())
        said = "given up" if settled.is_dead else f"tried again after {settled.again_at:%Y-%m-%d %H:%M:%S} UTC"
        extra = named("notification_failed")
        log.warning("a notification to %s failed, and is %s: %s", one.target, said, failure.message, extra=extra)
        return settled

    def _fail(self, lane: _Lane, failure: NotifyFailed) -> None:
        lane.failures += 1
        lane.quiet_until = self._clock.now() + pause_after(lane.failures, failure)

    async def _trim(self) -> None:
        now = self._clock.now()
        try:
            count = await self._journal.run(lambda _: self._outbox.trim(now))
        except LedgerError as error:
            log.warning("the outbox was not tidied: %s", error.message, extra=named("outbox_untidied"))
            return
        if count:
            sentence = "%d notifications waited too long, or too many waited: they were given up"
            log.warning(sentence, count, extra=named("notifications_given_up"))

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a notification failed", exc_info=task.exception(), extra=named("notification_failed"))
        self._woken.set()

    async def _abandon(self) -> None:
        """Leave what is on its way; it stays in the outbox and is sent once more, under the same id."""
        tasks = set(self._tasks)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)


async def withheld(journal: Journal, outbox: OutboxLedger, now: datetime) -> dict[str, int]:
    """Have what a rehearsal would tell never be sent; give how many of each target."""

    def withhold(_: object) -> dict[str, int]:
        outbox.note_finished(now)
        return outbox.withhold(now)

    return await journal.run(withhold)
