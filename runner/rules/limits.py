"""How many attempts may start right now, and when the next one may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import floor
from typing import NamedTuple

from runner.model.campaign import Limits

_SECOND = timedelta(seconds=1)
_SLOWEST = _SECOND / timedelta(days=366)


class Room(NamedTuple):
    """What the limits leave."""

    free: int
    """how many may start now"""
    until: datetime | None
    """when time alone makes room again; None when only an ending call does, or nothing is in the way"""


def room(limits: Limits, live: int, starts: Sequence[datetime], now: datetime) -> Room:
    """Apply concurrency, per_second and spacing.

    `live` is the number of calls without an outcome, `starts` the instants of recent starts in
    order. `per_second` counts starts in the second that ends now; a rate below one a second
    becomes a spacing.
    """
    slots = max(0, limits.concurrency - live)
    waits = [at for at in (_after_gap(limits, starts), _after_rate(limits, starts)) if at is not None and at > now]
    if waits:
        return Room(0, max(waits))
    if _gap(limits):
        slots = min(slots, 1)
    if limits.per_second is not None and limits.per_second >= 1:
        recent = [start for start in starts if start + _SECOND > now]
        slots = min(slots, floor(limits.per_second) - len(recent))
    return Room(slots, None)


def history_needed(limits: Limits) -> timedelta:
    """How far back `starts` must reach."""
    return max(_gap(limits), _SECOND)


def _after_gap(limits: Limits, starts: Sequence[datetime]) -> datetime | None:
    """Give the instant from which on the last start is far enough away."""
    gap = _gap(limits)
    return starts[-1] + gap if gap and starts else None


def _after_rate(limits: Limits, starts: Sequence[datetime]) -> datetime | None:
    """Give the instant from which on fewer than the allowed number started within a second."""
    if limits.per_second is None or limits.per_second < 1:
        return None
    rate = floor(limits.per_second)
    return starts[-rate] + _SECOND if len(starts) >= rate else None


def _gap(limits: Limits) -> timedelta:
    gap = limits.spacing or timedelta(0)
    if limits.per_second is not None and limits.per_second < 1:
        gap = max(gap, _SECOND / max(limits.per_second, _SLOWEST))
    return gap
