"""How many attempts one scope's limits let start right now, and when time alone lets the next one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor
from typing import NamedTuple

from runner.model.limits import Ramp, SharedLimits

_SECOND = timedelta(seconds=1)
_MINUTE = timedelta(minutes=1)
_SLOWEST = _SECOND / timedelta(days=366)
_UNBOUNDED = 1_000_000


class Room(NamedTuple):
    """What the limits of one scope leave."""

    free: int
    """how many may start now"""
    until: datetime | None = None
    """when time alone makes room again; None when nothing is in the way"""
    why: str = ""
    """which limit is in the way, such as `per_minute: 30`; empty when none is"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What has been used of a scope's limits; instants are in order."""

    live: Sequence[datetime] = ()
    """when each call without an outcome started"""
    starts: Sequence[datetime] = ()
    """when the last attempts started, at least as far back as `history_needed`"""
    today: int = 0
    """how many started on the calendar day that it is"""
    day_ends: datetime | None = None
    """when that day ends; needed for `per_day` alone"""
    first: datetime | None = None
    """when the scope's very first attempt started; None when none has"""


class _Bound(NamedTuple):
    free: int
    until: datetime
    why: str


def room(limits: SharedLimits, used: Usage, now: datetime) -> Room:
    """Apply all limits of a scope.

    A call holds its slot until its outcome is known or `slot_for` has passed. `per_second` and
    `per_minute` count the starts of the span that ends now; less than one a second, `spacing` and a
    ramp keep a gap between any two starts. Without new starts and outcomes, `until` brings room.
    """
    bounds = [
        *_slots(limits, used, now),
        *_rates(limits, used.starts, now),
        *_gaps(limits, used, now),
        *_day(limits, used),
    ]
    full = [one for one in bounds if one.free <= 0]
    if full:
        last = max(full, key=lambda one: one.until)
        return Room(0, last.until, last.why)
    return Room(min((one.free for one in bounds), default=_UNBOUNDED))


def history_needed(limits: SharedLimits) -> timedelta:
    """Give how far back `starts` must reach."""
    spans = [_SECOND, _gap(limits)]
    if limits.per_minute is not None:
        spans.append(_MINUTE)
    if limits.ramp is not None:
        spans.append(_MINUTE / limits.ramp.first)
    return max(spans)


def limits_anything(limits: SharedLimits) -> bool:
    """Whether any limit is set at all."""
    pace = (limits.concurrency, limits.per_second, limits.per_minute, limits.per_day, limits.ramp)
    return bool(limits.spacing) or any(one is not None for one in pace)


def pace_at(ramp: Ramp, first: datetime, at: datetime) -> float:
    """Give the starts in a minute that a ramp allows at an instant, the first start having been at `first`."""
    grown = min(1.0, max(0.0, (at - first) / ramp.over))
    return ramp.first + (ramp.last - ramp.first) * grown


def _slots(limits: SharedLimits, used: Usage, now: datetime) -> list[_Bound]:
    most = limits.concurrency
    if most is None:
        return []
    holding = [since for since in used.live if since + limits.slot_for > now]
    over = len(holding) - most
    until = holding[over] + limits.slot_for if over >= 0 else now
    return [_Bound(most - len(holding), until, f"concurrency: {most}")]


def _rates(limits: SharedLimits, starts: Sequence[datetime], now: datetime) -> list[_Bound]:
    """Bound how many start within a second and within a minute."""
    found = []
    if limits.per_second is not None and limits.per_second >= 1:
        most = floor(limits.per_second)
        found.append(_within(most, _SECOND, starts, now, f"per_second: {limits.per_second:g}"))
    if limits.per_minute is not None:
        found.append(_within(limits.per_minute, _MINUTE, starts, now, f"per_minute: {limits.per_minute}"))
    return found


def _within(most: int, span: timedelta, starts: Sequence[datetime], now: datetime, why: str) -> _Bound:
    recent = 0
    for start in reversed(starts):
        if start + span <= now:
            break
        recent += 1
    until = starts[-most] + span if recent >= most else now
    return _Bound(most - recent, until, why)


def _gaps(limits: SharedLimits, used: Usage, now: datetime) -> list[_Bound]:
    """Bound the time between two starts, which lets no two start at once."""
    found = []
    gap = _gap(limits)
    if gap:
        found.append(_after(gap, used.starts, now, _gap_text(limits, gap)))
    if limits.ramp is not None:
        pace = limits.ramp.first
        if used.starts and used.first is not None:
            pace = pace_at(limits.ramp, used.first, used.starts[-1])
        found.append(_after(_MINUTE / pace, used.starts, now, f"ramp, now at {pace:.3g} in a minute"))
    return found


def _after(gap: timedelta, starts: Sequence[datetime], now: datetime, why: str) -> _Bound:
    until = starts[-1] + gap if starts else now
    return _Bound(1 if until <= now else 0, until, why)


def _day(limits: SharedLimits, used: Usage) -> list[_Bound]:
    if limits.per_day is None or used.day_ends is None:
        return []
    return [_Bound(limits.per_day - used.today, used.day_ends, f"per_day: {limits.per_day}")]


def _gap(limits: SharedLimits) -> timedelta:
    gap = limits.spacing or timedelta(0)
    if limits.per_second is not None and limits.per_second < 1:
        gap = max(gap, _SECOND / max(limits.per_second, _SLOWEST))
    return gap


def _gap_text(limits: SharedLimits, gap: timedelta) -> str:
    if limits.spacing == gap:
        return f"spacing: {gap.total_seconds():g}s"
    return f"per_second: {limits.per_second:g}"
