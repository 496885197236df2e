"""From when to when a campaign runs at all, as instants."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from runner.model.campaign import Schedule


def starts_at(schedule: Schedule) -> datetime | None:
    """Give the instant before which nothing starts; None when there is none."""
    return as_instant(schedule.start, schedule.timezone) if schedule.start is not None else None


def ends_at(schedule: Schedule) -> datetime | None:
    """Give the instant from which on nothing starts; None when there is none."""
    return as_instant(schedule.end, schedule.timezone) if schedule.end is not None else None


def as_instant(written: datetime, zone: str) -> datetime:
    """Give a written date and time as an instant in UTC; one without an offset follows the zone's clock."""
    aware = written if written.tzinfo is not None else written.replace(tzinfo=ZoneInfo(zone))
    return aware.astimezone(UTC)
