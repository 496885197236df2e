"""When an attempt may start: windows of local time, in one zone or in all of several.

Windows are half-open, `[from, to)`. Arithmetic is in UTC and zones stand at the edges: an edge
inside a spring gap becomes the first instant after it; of a repeated autumn hour the latest
start and the earliest end count, so a window is never open longer than the clock says.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from runner.model.campaign import DAYS, Window
from runner.model.durations import DAY_MINUTES

HORIZON_DAYS = 16
"""weekly windows that are not open within this many days never are"""

_SECOND = timedelta(seconds=1)
_DAY = timedelta(days=1)


class Hours(NamedTuple):
    """One window, ready for arithmetic."""

    days: frozenset[int]
    """weekdays, Monday 0"""
    opens: int
    """minutes after local midnight"""
    closes: int
    """minutes after the same midnight; above 1440 it lies on the next day"""


class Span(NamedTuple):
    """A stretch of time, `[start, end)`, in UTC."""

    start: datetime
    end: datetime


def hours_of(windows: Iterable[Window]) -> tuple[Hours, ...]:
    """Ready a campaign's windows; one that ends at or before its start runs into the next day."""
    return tuple(
        Hours(
            frozenset(DAYS.index(day) for day in window.days),
            window.from_,
            window.to if window.to > window.from_ else window.to + DAY_MINUTES,
        )
        for window in windows
    )


def is_allowed(hours: tuple[Hours, ...], zones: tuple[str, ...], now: datetime) -> bool:
    """Whether an attempt may start at `now` in every one of the zones; never without a zone."""
    return next_allowed(hours, zones, now) == now


def next_allowed(hours: tuple[Hours, ...], zones: tuple[str, ...], now: datetime) -> datetime | None:
    """Give the first instant from `now` on that is inside a window in every zone.

    None when there is none within HORIZON_DAYS, or no zone is known: it fails closed.
    """
    if not zones:
        return None
    instant, limit = now, now + HORIZON_DAYS * _DAY
    while instant <= limit:
        opening = instant
        for zone in zones:
            later = _next_in_zone(hours, zone, opening)
            if later is None:
                return None
            opening = later
        if opening == instant:
            return instant
        instant = opening
    return None


def allowed_spans(hours: tuple[Hours, ...], zones: tuple[str, ...], start: datetime, end: datetime) -> list[Span]:
    """Give the stretches of `[start, end)` that are inside a window in every zone, in order."""
    if not zones:
        return []
    common = [Span(start, end)]
    for zone in zones:
        common = _intersect(common, _merge(_zone_spans(hours, zone, start, end)))
    return common


@lru_cache(maxsize=8192)
def day_spans(hours: tuple[Hours, ...], zone: str, day: date) -> tuple[Span, ...]:
    """Give the windows that open on a local day of a zone, in UTC, sorted; a day that never was has none."""
    if _at_edge(day, 0, zone, latest=False) >= _at_edge(day, DAY_MINUTES, zone, latest=True):
        return ()
    found = []
    for one in hours:
        if day.weekday() in one.days:
            opens = _at_edge(day, one.opens, zone, latest=True)
            closes = _at_edge(day, one.closes, zone, latest=False)
            if opens < closes:
                found.append(Span(opens, closes))
    return tuple(sorted(found))


def _next_in_zone(hours: tuple[Hours, ...], zone: str, instant: datetime) -> datetime | None:
    first = instant.astimezone(_zone(zone)).date() - _DAY
    opening: datetime | None = None
    for offset in range(HORIZON_DAYS):
        for span in day_spans(hours, zone, first + offset * _DAY):
            if span.start <= instant < span.end:
                return instant
            if span.start > instant and (opening is None or span.start < opening):
                opening = span.start
        # The day before can still run past midnight, so an opening counts from the day itself on.
        if opening is not None and offset > 0:
            return opening
    return opening


def _zone_spans(hours: tuple[Hours, ...], zone: str, start: datetime, end: datetime) -> list[Span]:
    day = start.astimezone(_zone(zone)).date() - _DAY
    last = end.astimezone(_zone(zone)).date()
    spans: list[Span] = []
    while day <= last:
        spans.extend(day_spans(hours, zone, day))
        day += _DAY
    return spans


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _intersect(left: list[Span], right: list[Span]) -> list[Span]:
    found: list[Span] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i].start, right[j].start), min(left[i].end, right[j].end)
        if start < end:
            found.append(Span(start, end))
        if left[i].end < right[j].end:
            i += 1
        else:
            j += 1
    return found


def _at_edge(day: date, minutes: int, zone: str, *, latest: bool) -> datetime:
    """Turn a local wall time into the instant of a window's edge."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 local on purpose
    tz = _zone(zone)
    early = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    late = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if early == late:
        return early
    if early.astimezone(tz).replace(tzinfo=None) != wall:
        # A gap: fold 1 reads the wall time with the offset after it, so `late` lies before the change.
        return _first_after_gap(tz, late, early)
    return late if latest else early


def _first_after_gap(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find the instant at which the zone's offset changes between two instants, by halving."""
    offset = before.astimezone(tz).utcoffset()
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if middle <= before:
            break
        if middle.astimezone(tz).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)
