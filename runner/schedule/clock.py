"""Clocks: the machine's own, and one that runs faster and can skip idle time, for the sandbox."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

_SINCE_BOOT: Final = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def boottime() -> float:
    """Give the seconds since the machine's start, those asleep included where the system counts them."""
    return time.clock_gettime(_SINCE_BOOT)


class SystemClock:
    """The machine's clock."""

    speed = 1.0

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        return datetime.now(UTC)  # noqa: TID251 the one place that reads it

    def boottime(self) -> float:
        """Give the seconds since the machine's start, those asleep included where the system counts them."""
        return boottime()

    def seconds_until(self, at: datetime) -> float:
        """Give the real seconds until an instant; 0 when it has passed."""
        return max(0.0, (at - self.now()).total_seconds())

    async def sleep(self, seconds: float) -> None:
        """Wait for a span of this clock's time."""
        await asyncio.sleep(seconds)


class FastClock:
    """A clock that runs `speed` times as fast as the machine's and can skip ahead.

    For use with the sandbox alone: real people live at speed 1.
    """

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = self._origin = start
        self._began = time.monotonic()
        self.speed = speed

    def now(self) -> datetime:
        """Give this clock's instant, aware and UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._began) * self.speed)

    def boottime(self) -> float:
        """Give the seconds of this clock since it was made, those that were skipped included."""
        return (self.now() - self._origin).total_seconds()

    def seconds_until(self, at: datetime) -> float:
        """Give the real seconds until an instant of this clock; 0 when it has passed."""
        return max(0.0, (at - self.now()).total_seconds() / self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for a span of this clock's time."""
        await asyncio.sleep(seconds / self.speed)

    def skip_to(self, at: datetime) -> None:
        """Let the time until an instant pass at once; never goes back."""
        ahead = at - self.now()
        if ahead > timedelta(0):
            self._start += ahead


class VirtualClock:
    """A clock that stands at so many microseconds after its start as it is told; for rehearsals."""

    speed = 1.0

    def __init__(self, start: datetime, micros: Callable[[], int]) -> None:
        self._start = start
        self._micros = micros
        self._read = (0, start)

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        micros = self._micros()
        read = self._read
        if micros != read[0]:  # it is read far more often than it moves
            read = self._read = (micros, self._start + timedelta(microseconds=micros))
        return read[1]

    def boottime(self) -> float:
        """Give the seconds since the start."""
        return self._micros() / 1_000_000

    def seconds_until(self, at: datetime) -> float:
        """Give the virtual seconds until an instant; 0 when it has passed."""
        return max(0.0, (at - self.now()).total_seconds())

    async def sleep(self, seconds: float) -> None:
        """Wait for a span of this clock's time."""
        await asyncio.sleep(seconds)
