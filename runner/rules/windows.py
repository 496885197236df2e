"""When an attempt may start: inside every calendar that counts, in every zone in which the person may be.

Spans are half-open, `[from, to)`. Arithmetic is in UTC and zones stand at the edges: an edge
inside a spring gap becomes the first instant after it; of a repeated autumn hour the latest
start and the earliest end count, so a window is never open longer than the clock says.
"""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from runner.rules.calendars import DAY, Calendar, Span, day_spans, next_day
from runner.rules.local_time import local_day

HORIZON_DAYS = 16
"""weekly windows that are not open within this many days never are"""

DATED_HORIZON_DAYS = 400
"""how far ahead is looked where dates count; counted from the first date on which anything can open"""

BLOCK = timedelta(days=8)
"""time is worked out in blocks of this length and kept: a question about a known block is a look-up"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_BLOCK = (datetime(9999, 12, 1, tzinfo=UTC) - _EPOCH) // BLOCK


class _Stretches(NamedTuple):
    """What is open in one block: two columns of equal length, in order and apart."""

    starts: tuple[datetime, ...]
    ends: tuple[datetime, ...]


def is_allowed(calendars: tuple[Calendar, ...], zones: tuple[str, ...], now: datetime) -> bool:
    """Whether an attempt may start at `now`; never without a calendar or a zone."""
    return next_allowed(calendars, zones, now) == now


def next_allowed(calendars: tuple[Calendar, ...], zones: tuple[str, ...], now: datetime) -> datetime | None:
    """Give the first instant from `now` on that every calendar allows in every zone.

    None when there is none within the horizon, or no calendar or zone is known: it fails closed.
    A calendar with a zone of its own follows that one's clock alone.
    """
    block = (now - _EPOCH) // BLOCK
    starts, ends = _open_in(calendars, zones, block)
    at = bisect_right(ends, now)
    if at < len(ends):
        return max(now, starts[at])
    return _opening_after(calendars, zones, block)


def allowed_spans(
    calendars: tuple[Calendar, ...], zones: tuple[str, ...], start: datetime, end: datetime
) -> list[Span]:
    """Give the stretches of `[start, end)` that every calendar allows in every zone, in order and apart."""
    found: list[Span] = []
    if start >= end:
        return found
    for block in range((start - _EPOCH) // BLOCK, -((_EPOCH - end) // BLOCK)):
        starts, ends = _open_in(calendars, zones, block)
        for at in range(bisect_right(ends, start), len(ends)):
            if starts[at] >= end:
                break
            opens = max(start, starts[at])
            if found and found[-1].end == opens:  # one that runs on from the block before
                opens = found.pop().start
            found.append(Span(opens, min(end, ends[at])))
    return found


def closing(calendars: tuple[Calendar, ...], zones: tuple[str, ...], instant: datetime) -> datetime | None:
    """Give when the stretch that holds an allowed instant ends; None when the instant is not allowed."""
    spans = allowed_spans(calendars, zones, instant, instant + 2 * DAY)
    return spans[0].end if spans and spans[0].start == instant else None


@lru_cache(maxsize=2048)
def _open_in(calendars: tuple[Calendar, ...], zones: tuple[str, ...], block: int) -> _Stretches:
    """Give what every calendar allows in every zone in one block; nothing where no calendar or zone is known."""
    if not calendars or not zones:
        return _Stretches((), ())
    start = _EPOCH + block * BLOCK
    common = [Span(start, start + BLOCK)]
    for calendar, zone in _clocks(calendars, zones):
        common = _intersect(common, _spans_in(calendar, zone, block))
        if not common:
            break
    return _Stretches(tuple(one.start for one in common), tuple(one.end for one in common))


@lru_cache(maxsize=2048)
def _opening_after(calendars: tuple[Calendar, ...], zones: tuple[str, ...], block: int) -> datetime | None:
    """Give the first instant after a block that every calendar allows in every zone; None within the horizon."""
    if not calendars or not zones:
        return None
    at = block + 1
    days = DATED_HORIZON_DAYS if any(calendar.is_dated for calendar in calendars) else HORIZON_DAYS
    ahead = -(-days * DAY // BLOCK)
    limit = at + ahead
    while at <= min(limit, _LAST_BLOCK):
        later = _first_dated_block(calendars, zones, at)
        if later is None:
            return None
        if later > at:  # the dates begin later than that: look on from there
            at, limit = later, later + ahead
            continue
        starts = _open_in(calendars, zones, at).starts
        if starts:
            return starts[0]
        at += 1
    return None


def _first_dated_block(calendars: tuple[Calendar, ...], zones: tuple[str, ...], block: int) -> int | None:
    """Give the first block from this one on in which the dates of all calendars let anything open; None if never."""
    found = block
    for calendar, zone in _clocks(calendars, zones):
        if not calendar.is_dated:
            continue
        # A window of the day before may still be open, and one before that it may have been cut from.
        first = next_day(calendar, local_day(_EPOCH + block * BLOCK, zone) - 2 * DAY)
        if first is None:
            return None
        # A local day begins at most a day earlier in UTC.
        found = max(found, (first - _EPOCH.date() - DAY) // BLOCK)
    return found


def _clocks(calendars: tuple[Calendar, ...], zones: tuple[str, ...]) -> list[tuple[Calendar, str]]:
    """Pair calendars with the clocks that they follow."""
    return [(one, zone) for one in calendars for zone in ((one.zone,) if one.zone else zones)]


@lru_cache(maxsize=4096)
def _spans_in(calendar: Calendar, zone: str, block: int) -> tuple[Span, ...]:
    """Give what one calendar allows on one clock around a block, in order and apart."""
    start = _EPOCH + block * BLOCK
    day: date = local_day(start, zone) - DAY  # its windows may still be open
    last = local_day(start + BLOCK, zone)
    spans: list[Span] = []
    while day <= last:
        spans.extend(day_spans(calendar, zone, day))
        day += DAY
    return tuple(_merge(spans))


def _merge(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def _intersect(left: list[Span], right: tuple[Span, ...]) -> list[Span]:
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
