"""Calling windows as providers keep them: spans of local time on some days, in somebody's zone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_DAYS_AHEAD = 8

EVERY_DAY = frozenset(range(7))


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalWindow:
    """A span of local time; one that ends no later than it starts crosses midnight, its end is outside."""

    opens: time
    closes: time
    days: frozenset[int] = EVERY_DAY
    """days on which it opens, 0 is Monday"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """When a call may be placed, and by which window."""

    at: datetime
    window: LocalWindow


def first_opening(windows: Sequence[LocalWindow], zone: ZoneInfo, after: datetime) -> Opening | None:
    """Give the first instant from ``after`` on at which a window is open; None when none ever opens."""
    found: Opening | None = None
    today = after.astimezone(zone).date()
    for ahead in range(-1, _DAYS_AHEAD):
        day = today + ahead * _DAY
        for window in windows:
            if day.weekday() not in window.days:
                continue
            opens, closes = _span(window, day, zone)
            at = max(opens, after)
            if at < closes and (found is None or at < found.at):
                found = Opening(at=at, window=window)
        if found is not None:
            return found
    return None


def zone_named(name: object) -> ZoneInfo | None:
    """Give an IANA zone; None when there is none of that name."""
    if not isinstance(name, str) or not name:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


def _span(window: LocalWindow, day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    last = day if window.closes > window.opens else day + _DAY
    return _utc(day, window.opens, zone), _utc(last, window.closes, zone)


def _utc(day: date, at: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
