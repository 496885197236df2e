"""The sandbox's time: real, faster than real, or somebody else's clock."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

from runner.errors import UsageWrong


class SandboxClock(Protocol):
    """The only source of time in the sandbox; it may jump ahead, never back."""

    @property
    def speed(self) -> float:
        """Seconds of this clock per real second."""
        ...

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock; not at all when zero or less."""
        ...


class WallClock:
    """Real time from ``start`` on, ``speed`` times as fast."""

    def __init__(self, speed: float = 1.0, *, start: datetime | None = None) -> None:
        if not 0 < speed < float("inf"):
            raise UsageWrong(f"a clock cannot run at speed `{speed}`", help="use a number above 0, such as 1 or 60")
        if start is not None and start.tzinfo is None:
            raise UsageWrong(f"`{start.isoformat()}` names no zone", help=f"write `{start.isoformat()}+00:00`")
        self.speed = speed
        self._start = (start or datetime.now(UTC)).astimezone(UTC)  # noqa: TID251  time enters the sandbox here
        self._origin = time.monotonic()

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        return self._start + timedelta(seconds=(time.monotonic() - self._origin) * self.speed)

    async def sleep(self, seconds: float) -> None:
        """Wait for so many seconds of this clock; not at all when zero or less."""
        await asyncio.sleep(max(seconds, 0.0) / self.speed)
