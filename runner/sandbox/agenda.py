"""What happens later in the sandbox: instants and deeds, done in order by one task."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from runner.sandbox.clock import SandboxClock

_PIECE_SECONDS = 0.02
"""longest sleep in real seconds"""

_log = logging.getLogger("outreach.sandbox")


@dataclass(slots=True, order=True)
class Entry:
    """One deed at its instant; entries of the same instant keep their order of arrival."""

    at: datetime
    number: int
    deed: Callable[[], None] | None = field(compare=False)
    """None once it was done or taken back"""
    far: bool = field(compare=False, default=False)
    """it may lie far ahead: nothing is under way until then"""


class Agenda:
    """Does deeds when their instant has come, by the clock, earliest first.

    Must be used inside a running event loop; ``close`` ends its task.
    """

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._numbers = itertools.count()
        self._near = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, at: datetime, deed: Callable[[], None], *, far: bool = False) -> Entry:
        """Do a deed at an instant; ``far`` when nothing is under way until then."""
        entry = Entry(at, next(self._numbers), deed, far)
        heapq.heappush(self._entries, entry)
        self._near += not far
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())
        elif self._entries[0] is entry:
            self._changed.set()
        return entry

    def remove(self, entry: Entry) -> None:
        """Take a deed back; nothing happens when it was done."""
        if entry.deed is not None:
            entry.deed = None
            self._near -= not entry.far

    def clear(self) -> None:
        """Take every deed back."""
        for entry in self._entries:
            self.remove(entry)
        self._entries.clear()

    def is_quiet(self) -> bool:
        """Say whether nothing is under way: all that is left lies far ahead, by the present time."""
        at = self.next_at()
        if at is not None and at <= self._clock.now():
            # the clock may have jumped here while the task sleeps
            self._changed.set()
            return False
        return self._near == 0

    def next_at(self) -> datetime | None:
        """Give the instant of the next deed; None when there is none."""
        while self._entries and self._entries[0].deed is None:
            heapq.heappop(self._entries)
        return self._entries[0].at if self._entries else None

    def clock_jumped(self) -> None:
        """Look at the clock again at once."""
        self._changed.set()

    async def close(self) -> None:
        """Take every deed back and end the task."""
        self.clear()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            at = self.next_at()
            if at is None:
                await self._changed.wait()
            elif (seconds := (at - self._clock.now()).total_seconds()) > 0:
                await self._sleep(seconds)
            else:
                self._do(heapq.heappop(self._entries))

    async def _sleep(self, seconds: float) -> None:
        """Sleep until the time has passed or an earlier deed has come, in pieces: the clock may jump meanwhile."""
        sleep = asyncio.ensure_future(self._clock.sleep(min(seconds, _PIECE_SECONDS * self._clock.speed)))
        sleep.add_done_callback(self._slept)
        try:
            await self._changed.wait()
        finally:
            sleep.cancel()

    def _slept(self, sleep: asyncio.Future[None]) -> None:
        if not sleep.cancelled():
            self._changed.set()

    def _do(self, entry: Entry) -> None:
        deed = entry.deed
        self.remove(entry)
        if deed is None:
            return
        try:
            deed()
        except Exception:  # noqa: BLE001  this task alone drives the sandbox's time: one bad deed must not stop all others
            _log.exception("a deed of the sandbox's agenda failed")
