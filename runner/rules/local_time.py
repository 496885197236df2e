"""Wall clocks and instants: where a local time of day lies in UTC, also on days on which clocks are changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_SECOND = timedelta(seconds=1)


@lru_cache(maxsize=16384)
def at_edge(day: date, minutes: int, zone: str, *, latest: bool) -> datetime:
    """Turn a wall time, `minutes` after a day's midnight, into the instant of a window's edge, in UTC.

    A time that a spring change left out becomes the first instant after the change. Of one that an
    autumn change repeats, `latest` takes the second, otherwise the first.
    """
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001 local on purpose
    tz = zone_info(zone)
    early = wall.replace(tzinfo=tz, fold=0).astimezone(UTC)
    late = wall.replace(tzinfo=tz, fold=1).astimezone(UTC)
    if early == late:
        return early
    if early.astimezone(tz).replace(tzinfo=None) != wall:
        # A gap: fold 1 reads the wall time with the offset after it, so `late` lies before the change.
        return _first_after_gap(tz, late, early)
    return late if latest else early


def local_day(instant: datetime, zone: str) -> date:
    """Give the calendar day of an instant in a zone."""
    return instant.astimezone(zone_info(zone)).date()


@lru_cache(maxsize=1024)
def zone_info(name: str) -> ZoneInfo:
    """Give a zone by its IANA name."""
    return ZoneInfo(name)


def _first_after_gap(tz: ZoneInfo, before: datetime, after: datetime) -> datetime:
    """Find the instant at which the zone's offset changes between two instants, by halving."""
    offset = before.astimezone(tz).utcoffset()
    while after - before > _SECOND:
        middle = (before + (after - before) // 2).replace(microsecond=0)
        if middle <= before:
            break
        if middle.astimezone(tz).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after
