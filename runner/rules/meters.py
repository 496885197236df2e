"""Meters: what one scope has used of its limits, kept up to date start by start."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from runner.model.limits import SharedLimits
from runner.rules.limits import Room, Usage, history_needed, room
from runner.rules.local_time import at_edge, local_day

KEPT = timedelta(minutes=1)
"""how far back every meter remembers, whatever its limits are"""


class Scope(NamedTuple):
    """What limits are for: a campaign, an agent of one, an account, a from-number of one, or the whole ledger."""

    kind: str
    name: str = ""
    part: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What a ledger holds of a scope, as a meter begins."""

    starts: Iterable[datetime] = ()
    """of as long as `reach` says, in order"""
    today: int = 0
    first: datetime | None = None


@dataclass(slots=True, kw_only=True)
class Meter:
    """Counts the starts of one scope; `zone` says whose calendar day `per_day` means."""

    limits: SharedLimits
    source: str
    """where the limits stand, such as `limits` or `accounts.main.limits`"""
    zone: str = "UTC"
    _starts: deque[datetime] = field(default_factory=deque)
    _reach: timedelta = KEPT
    _first: datetime | None = None
    _day: date = date.min
    _day_ends: datetime | None = None
    _today: int = 0

    @staticmethod
    def reach(limits: SharedLimits) -> timedelta:
        """Give how far back a meter for these limits remembers starts."""
        return max(KEPT, history_needed(limits))

    def begin(self, past: Past, now: datetime) -> None:
        """Start from what the ledger holds."""
        self._reach = self.reach(self.limits)
        self._starts = deque(past.starts)
        self._first = past.first
        self._turn_page(now)
        self._today = past.today

    def takes(self, limits: SharedLimits, source: str, zone: str) -> bool:
        """Go on under other limits; False when they need more of the past than is kept."""
        if zone != self.zone or history_needed(limits) > self._reach:
            return False
        self.limits, self.source = limits, source
        return True

    def room(self, live: Sequence[datetime], now: datetime) -> Room:
        """Say what the limits leave; `live` is when each call without an outcome started, in order."""
        self._forget(now)
        self._turn_page(now)
        used = Usage(live=live, starts=self._starts, today=self._today, day_ends=self._day_ends, first=self._first)
        return room(self.limits, used, now)

    def start(self, now: datetime) -> None:
        """Count a start."""
        self._turn_page(now)
        self._starts.append(now)
        self._today += 1
        self._first = self._first or now

    def take_back(self, at: datetime, *, left: bool) -> None:
        """Count no more what started at `at` and provably reached nobody; the pace still counts what `left`."""
        if local_day(at, self.zone) == self._day and self._today:
            self._today -= 1
        if not left and at in self._starts:
            self._starts.remove(at)

    def _forget(self, now: datetime) -> None:
        since = now - self._reach
        while self._starts and self._starts[0] <= since:
            self._starts.popleft()

    def _turn_page(self, now: datetime) -> None:
        if self._day_ends is not None and now < self._day_ends:
            return
        self._day = local_day(now, self.zone)
        self._day_ends = day_begins(self._day + timedelta(days=1), self.zone)
        self._today = 0


def day_begins(day: date, zone: str) -> datetime:
    """Give the first instant of a calendar day in a zone."""
    return at_edge(day, 0, zone, latest=False)
