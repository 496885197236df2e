"""When an attempt may start: inside every calendar that counts, in every zone in which the person may be.

Spans are half-open, `[from, to)`. Arithmetic is in UTC and zones stand at the edges: an edge
inside a spring gap becomes the first instant after it; of a repeated autumn hour the latest
start and the earliest end count, so a window is never open longer than the clock says.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import lru_cache

from runner.rules.calendars import DAY, Calendar, Span, day_spans, next_day
from runner.rules.local_time import local_day

HORIZON_DAYS = 16
"""weekly windows that are not open within this many days never are"""

DATED_HORIZON_DAYS = 400
"""how far ahead is looked where dates count; counted from the first date on which anything can open"""


def is_allowed(calendars: tuple[Calendar, ...], zones: tuple[str, ...], now: datetime) -> bool:
    """Whether an attempt may start at `now`; never without a calendar or a zone."""
    return next_allowed(calendars, zones, now) == now


@lru_cache(maxsize=8192)
def next_allowed(calendars: tuple[Calendar, ...], zones: tuple[str, ...], now: datetime) -> datetime | None:
    """Give the first instant from `now` on that every calendar allows in every zone.

    None when there is none within the horizon, or no calendar or zone is known: it fails closed.
    A calendar with a zone of its own follows that one's clock alone.
    """
    clocks = _clocks(calendars, zones)
    if clocks is None:
        return None
    is_dated = any(calendar.is_dated for calendar in calendars)
    instant, limit = now, now + (DATED_HORIZON_DAYS if is_dated else HORIZON_DAYS) * DAY
    first = True
    while instant <= limit:
        opening = instant
        for calendar, zone in clocks:
            later = _next_in(calendar, zone, opening)
            if later is None:
                return None
            opening = later
        if opening == instant:
            return instant
        if first and opening > limit:  # the dates begin later than that: look on from there
            limit = opening + DATED_HORIZON_DAYS * DAY
        instant, first = opening, False
    return None


def allowed_spans(
    calendars: tuple[Calendar, ...], zones: tuple[str, ...], start: datetime, end: datetime
) -> list[Span]:
    """Give the stretches of `[start, end)` that every calendar allows in every zone, in order."""
    clocks = _clocks(calendars, zones)
    if clocks is None:
        return []
    common = [Span(start, end)]
    for calendar, zone in clocks:
        common = _intersect(common, _merge(_spans_in(calendar, zone, start, end)))
    return common


def closing(calendars: tuple[Calendar, ...], zones: tuple[str, ...], instant: datetime) -> datetime | None:
    """Give when the stretch that holds an allowed instant ends; None when the instant is not allowed."""
    spans = allowed_spans(calendars, zones, instant, instant + 2 * DAY)
    return spans[0].end if spans and spans[0].start == instant else None


def _clocks(calendars: tuple[Calendar, ...], zones: tuple[str, ...]) -> list[tuple[Calendar, str]] | None:
    """Pair calendars with the clocks that they follow; None where nothing says what counts, or whose clock."""
    if not calendars or not zones:
        return None
    return [(one, zone) for one in calendars for zone in ((one.zone,) if one.zone else zones)]


def _next_in(calendar: Calendar, zone: str, instant: datetime) -> datetime | None:
    # Windows of the day before may still be open. Starts never go back from day to day, so the first
    # span that has not ended is the one.
    day: date | None = local_day(instant, zone) - DAY
    looked = timedelta(0)
    horizon = DATED_HORIZON_DAYS * DAY if calendar.is_dated else HORIZON_DAYS * DAY
    while day is not None and looked <= horizon:
        for span in day_spans(calendar, zone, day):
            if instant < span.end:
                return max(instant, span.start)
        day, looked = next_day(calendar, day), looked + DAY
    return None


def _spans_in(calendar: Calendar, zone: str, start: datetime, end: datetime) -> list[Span]:
    day: date | None = local_day(start, zone) - DAY
    last = local_day(end, zone)
    spans: list[Span] = []
    while day is not None and day <= last:
        spans.extend(day_spans(calendar, zone, day))
        day = next_day(calendar, day)
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
