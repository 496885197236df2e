"""When a person wants to be called back: read from what the agent found out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from runner.model.json import Json
from runner.model.retry import Callback
from runner.rules.ending import Ending
from runner.rules.local_time import zone_info

FARTHEST = timedelta(days=366)
"""a time farther away than that is taken for a slip of the agent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """That a person asked to be called back: when, or why not."""

    at: datetime | None = None
    """aware and UTC; None when they are not called back at a time of theirs"""
    why_not: str = ""


def asked_callback(callback: Callback, ending: Ending) -> Asked | None:
    """Read whether and when the person wants to be called back; None when they did not ask.

    A time without an offset is the person's own; where several zones are possible the latest
    reading counts, so that nobody is called before the time that they named.
    """
    if not ending.tag or ending.tag != callback.tag or not callback.times:
        return None
    if ending.callbacks >= callback.times:
        return Asked(why_not=f"`{callback.tag}` once more than the {callback.times} that `callback` allows")
    told = ending.structured.get(callback.at)
    if told is None or told == "":
        return Asked(why_not=f"`{callback.tag}` without a time in `{callback.at}`")
    at = _instant(told, ending.where.own_zones or ending.where.zones)
    if at is None:
        return Asked(why_not=f"the time in `{callback.at}` cannot be read")
    if not ending.at < at <= ending.at + FARTHEST:
        return Asked(why_not=f"the time in `{callback.at}` is {'over' if at <= ending.at else 'more than a year away'}")
    return Asked(at=at)


def _instant(told: Json, zones: tuple[str, ...]) -> datetime | None:
    if not isinstance(told, str):
        return None
    try:
        written = datetime.fromisoformat(told.strip())
        if written.tzinfo is not None:
            return written.astimezone(UTC)
        return max((_latest(written, zone) for zone in zones), default=None)
    except (ValueError, OverflowError):  # no date and time, or one at the end of the calendar
        return None


def _latest(written: datetime, zone: str) -> datetime:
    """Read a wall time of which autumn may have two and spring none: the later instant."""
    tz = zone_info(zone)
    return max(written.replace(tzinfo=tz, fold=fold).astimezone(UTC) for fold in (0, 1))
