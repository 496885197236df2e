"""From when to when a campaign runs at all, as instants."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from runner.model.campaign import Schedule


def starts_at(schedule: Schedule) -> datetime | None:
    """Give the instant before which nothing starts; None when there is none."""
    return _instant(schedule.start, schedule.timezone)


def ends_at(schedule: Schedule) -> datetime | None:
    """Give the instant from which on nothing starts; None when there is none."""
    return _instant(schedule.end, schedule.timezone)


def _instant(written: datetime | None, zone: str) -> datetime | None:
    if written is None:
        return None
    aware = written if written.tzinfo is not None else written.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)
