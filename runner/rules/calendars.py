"""What one rule says about time: hours of local days, and the days on which they do not count.

A campaign's own windows are one calendar; each row of the law that applies is one more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from runner.model.durations import DAY_MINUTES
from runner.model.window import DAYS, Window
from runner.rules.local_time import at_edge
from runner.rules.public_holidays import is_holiday

DAY = timedelta(days=1)

DateSpan = tuple[date, date]
"""the first and the last day, both included"""


class Hours(NamedTuple):
    """One window, ready for arithmetic."""

    days: frozenset[int]
    """weekdays, Monday 0"""
    opens: int
    """minutes after local midnight"""
    closes: int
    """minutes after the same midnight; above 1440 it lies on the next day"""
    dates: tuple[DateSpan, ...] = ()
    """the dates on which it opens; every date when empty"""

    def opens_on(self, day: date) -> bool:
        """Whether it opens on a local day."""
        return day.weekday() in self.days and (not self.dates or any(one <= day <= last for one, last in self.dates))


class Span(NamedTuple):
    """A stretch of time, `[start, end)`, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Calendar:
    """When one rule lets an attempt start; two calendars are the same only if they are one object.

    A closed day and a holiday without hours of its own end at their midnights, also for a window that
    runs into them from the evening before.
    """

    hours: tuple[Hours, ...]
    zone: str = ""
    """whose clock it follows; the person's own when empty"""
    closed: tuple[DateSpan, ...] = ()
    """dates on which nothing opens"""
    holidays: tuple[str, ...] = ()
    """the calendars of public holidays that it heeds, such as `US-AL`"""
    on_holidays: tuple[Hours, ...] = ()
    """what counts on a holiday instead; nothing opens when empty"""
    on_eves: tuple[Hours, ...] = ()
    """what counts on the day before a holiday instead; the usual hours when empty"""
    source: str = ""
    """where the rule stands: a key path of the campaign or the id of a row of the law"""

    @property
    def is_dated(self) -> bool:
        """Whether dates count, and not weekdays alone."""
        return bool(self.closed or self.holidays or any(one.dates for one in self.hours))

    def is_closed(self, day: date) -> bool:
        """Whether nothing opens on a local day because of its date."""
        return any(one <= day <= last for one, last in self.closed)

    def is_holiday(self, day: date) -> bool:
        """Whether a local day is a holiday that this rule heeds."""
        return any(is_holiday(calendar, day) for calendar in self.holidays)

    def hours_on(self, day: date) -> Iterable[Hours]:
        """Give the hours that open on a local day."""
        if self.is_closed(day):
            return ()
        if self.is_holiday(day):
            return self.on_holidays
        usual = self.on_eves if self.on_eves and self.is_holiday(day + DAY) else self.hours
        return (one for one in usual if one.opens_on(day))

    def ends_evening(self, day: date) -> bool:
        """Whether a window of the day before must not run into this day."""
        return self.is_closed(day) or self.is_holiday(day)


def hours_of(windows: Iterable[Window]) -> tuple[Hours, ...]:
    """Ready windows; one that ends at or before its start runs into the next day."""
    return tuple(
        Hours(
            frozenset(DAYS.index(day) for day in window.days),
            window.from_,
            window.to if window.to > window.from_ else window.to + DAY_MINUTES,
            tuple((span.first, span.last) for span in window.dates),
        )
        for window in windows
    )


@lru_cache(maxsize=16384)
def day_spans(calendar: Calendar, zone: str, day: date) -> tuple[Span, ...]:
    """Give what opens on a local day of a zone, in UTC, sorted; a day that never was has nothing."""
    midnight = at_edge(day, DAY_MINUTES, zone, latest=False)
    if at_edge(day, 0, zone, latest=False) >= at_edge(day, DAY_MINUTES, zone, latest=True):
        return ()
    found = []
    for one in calendar.hours_on(day):
        opens = at_edge(day, one.opens, zone, latest=True)
        closes = at_edge(day, one.closes, zone, latest=False)
        if closes > midnight and calendar.ends_evening(day + DAY):
            closes = midnight
        if opens < closes:
            found.append(Span(opens, closes))
    return tuple(sorted(found))


def next_day(calendar: Calendar, day: date) -> date | None:
    """Give the next local day on which anything can open, past closed spans and to the next dates; None if never."""
    found = day + DAY
    while (last := max((last for one, last in calendar.closed if one <= found <= last), default=None)) is not None:
        if last >= date.max - DAY:
            return None
        found = last + DAY
    firsts = [_first_date(one, found) for one in calendar.hours]
    return min((first for first in firsts if first is not None), default=None)


def _first_date(hours: Hours, day: date) -> date | None:
    if not hours.dates:
        return day
    return min((max(first, day) for first, last in hours.dates if last >= day), default=None)
