"""The heartbeat: one APScheduler job that wakes the dispatcher at the next due instant; it decides nothing.

Due times live in the ledger. A job for each attempt would be a second truth about them, and costs
several times the processor time of one wake-up that claims a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

_JOB = "heartbeat"


class TellsTime(Protocol):
    """The part of a clock that the heartbeat needs."""

    def seconds_until(self, at: datetime) -> float:
        """Give the real seconds until an instant of the clock."""
        ...


class Heartbeat:
    """An alarm over APScheduler. The earliest instant that was set counts until it has rung."""

    def __init__(self, clock: TellsTime, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._next: datetime | None = None
        # A late wake-up must still come, once, however late: the defaults drop it after a second.
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )

    async def __aenter__(self) -> Self:
        """Start the scheduler."""
        self._scheduler.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self._scheduler.shutdown(wait=False)

    def set(self, at: datetime) -> None:
        """Ring at this instant of the clock, at once if it has passed; an earlier alarm stays."""
        wall = datetime.now(UTC) + timedelta(seconds=self._clock.seconds_until(at))  # noqa: TID251 APScheduler's own clock
        if self._next is not None and self._next <= wall:
            return
        self._next = wall
        self._scheduler.add_job(self._rung, DateTrigger(wall), id=_JOB, replace_existing=True)

    async def _rung(self) -> None:
        # A coroutine, because APScheduler runs plain functions in threads.
        self._next = None
        self._ring()
