"""A campaign's windows as hours of each day, the form in which providers' own campaigns take them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise

from runner.model.durations import DAY_MINUTES, format_clock_time
from runner.model.window import DAYS, Day, Window

Span = tuple[int, int]
"""minutes after local midnight, `[from, to)`, at most 1440"""

WHOLE_DAY: tuple[Span, ...] = ((0, DAY_MINUTES),)


@dataclass(frozen=True, slots=True, kw_only=True)
class SameHours:
    """Hours that are the same on each of some days, while the other days are closed."""

    days: tuple[Day, ...]
    """in week order, at least one"""
    spans: tuple[Span, ...]
    """in order, apart from each other, none over midnight"""

    @property
    def is_every_day(self) -> bool:
        """Whether no day is closed."""
        return len(self.days) == len(DAYS)

    @property
    def is_always(self) -> bool:
        """Whether these hours never close."""
        return self.is_every_day and self.spans == WHOLE_DAY

    def across_midnight(self) -> Span | None:
        """Give the hours as one span, which may run into the next day; None when they are several.

        A span over midnight is one only when every day is open: else the hours after midnight
        would belong to a day that the provider may count otherwise.
        """
        if len(self.spans) == 1:
            return self.spans[0]
        is_joined = self.is_every_day and self.spans[0][0] == 0 and self.spans[-1][1] == DAY_MINUTES
        return (self.spans[1][0], self.spans[0][1]) if is_joined and len(self.spans) == 2 else None  # noqa: PLR2004 evening and morning


def hours_by_day(windows: Iterable[Window]) -> Mapping[Day, tuple[Span, ...]]:
    """Give the open hours of each day, in order and merged; windows over midnight are cut there.

    As in the rules, a window that ends at or before its start runs into the next day.
    """
    found: dict[Day, list[Span]] = {day: [] for day in DAYS}
    for window in windows:
        for day in window.days:
            if window.to > window.from_:
                found[day].append((window.from_, window.to))
                continue
            found[day].append((window.from_, DAY_MINUTES))
            found[DAYS[(DAYS.index(day) + 1) % len(DAYS)]].append((0, window.to))
    return {day: _merged(spans) for day, spans in found.items()}


def same_hours(windows: Iterable[Window]) -> SameHours | None:
    """Give the hours when every open day has the same ones; None when days differ or nothing is ever open."""
    by_day = hours_by_day(windows)
    days = tuple(day for day in DAYS if by_day[day])
    if not days or len({by_day[day] for day in days}) > 1:
        return None
    return SameHours(days=days, spans=by_day[days[0]])


def waits_of_spans(windows: Iterable[Window], usual: timedelta) -> Mapping[Span, timedelta] | None:
    """Give how long to wait after a try in each span of the day, `usual` where its window says nothing.

    Spans that touch are one where they wait alike. None when the days differ, in hours or in waits, when
    nothing is ever open, or when spans with different waits overlap: whose wait counts would be a guess.
    """
    by_wait: dict[timedelta, list[Window]] = {}
    for window in windows:
        by_wait.setdefault(window.retry_after if window.retry_after is not None else usual, []).append(window)
    of_day = {wait: hours_by_day(group) for wait, group in by_wait.items()}
    days = [{wait: hours[day] for wait, hours in of_day.items() if hours[day]} for day in DAYS]
    open_days = [day for day in days if day]
    if not open_days or any(day != open_days[0] for day in open_days):
        return None
    spans = sorted((span, wait) for wait, found in open_days[0].items() for span in found)
    if any(later[0][0] < earlier[0][1] for earlier, later in pairwise(spans)):
        return None
    return dict(spans)


def clock(minutes: int) -> str:
    """Write minutes after midnight as `HH:MM`; the end of a day as `23:59`.

    No provider says whether it reads `24:00`, or `00:00` as an end; a minute less is never outside a window.
    """
    return format_clock_time(min(minutes, DAY_MINUTES - 1))


def written(windows: Iterable[Window]) -> str:
    """Write windows as a campaign file has them: `mon-fri 10:00-18:00; sat 10:00-14:00`."""
    return "; ".join(
        f"{_days_text(window.days)} {format_clock_time(window.from_)}-{format_clock_time(window.to)}"
        for window in windows
    )


def _merged(spans: list[Span]) -> tuple[Span, ...]:
    """Join spans that touch or overlap; drop empty ones."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return tuple(merged)


def _days_text(days: tuple[Day, ...]) -> str:
    if len(days) == len(DAYS):
        return "daily"
    places = [DAYS.index(day) for day in days]
    is_run = len(places) > 1 and places == list(range(places[0], places[0] + len(places)))
    return f"{days[0]}-{days[-1]}" if is_run else ", ".join(days)
