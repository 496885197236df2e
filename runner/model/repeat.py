"""When a campaign begins anew, as written: a cron expression or an RRULE of RFC 5545, on a zone's clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from cronsim import CronSim, CronSimError
from dateutil.rrule import rrule, rrulestr
from pydantic import BeforeValidator, WithJsonSchema

from runner.model.fields import wrong

_WRITE = "write a cron expression such as: 0 9 * * mon"
_ANY_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 a wall clock
_CRON_FIELDS = 5
_LOOK_AHEAD = timedelta(days=3653)
"""a rule that has no time in ten years has none"""

_FREQUENCIES = ("YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY")
_INSTEAD = {
    "DTSTART": "write it as schedule.start",
    "UNTIL": "write it as schedule.end",
    "COUNT": "write schedule.end: the rounds stop there",
    "BYSECOND": "rounds begin at whole minutes: write BYMINUTE",
}
_DAYS_OF = {
    "WEEKLY": ("BYDAY",),
    "MONTHLY": ("BYDAY", "BYMONTHDAY"),
    "YEARLY": ("BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYEASTER"),
}
"""what names the days of a frequency, where they are not those of the start"""


def local_times(text: str, after: datetime, anchor: datetime | None = None) -> Iterator[datetime]:
    """Give a rule's wall times after a wall time, in order; those of the next ten years.

    `anchor` is the wall time from which an RRULE counts; only one that `needs_start` asks for it.
    Takes and gives datetimes without a zone, and raises ValueError for a text that is no rule.
    """
    if _parts(text):
        yield from _of_rrule(text, after, anchor)
        return
    try:
        yield from CronSim(text, after)
    except CronSimError as error:
        raise ValueError(str(error)) from error


def needs_start(text: str) -> bool:
    """Whether a rule counts from the campaign's start: it leaves its hour or days to it, or takes every second week."""
    parts = _parts(text)
    if not parts:
        return False
    frequency = parts["FREQ"]
    leaves_hour = frequency != "HOURLY" and "BYHOUR" not in parts
    leaves_days = frequency in _DAYS_OF and not any(name in parts for name in _DAYS_OF[frequency])
    return parts.get("INTERVAL", "1") != "1" or leaves_hour or leaves_days


def _read(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    text = " ".join(value.split())
    parts = _parts(text)
    if parts:
        text = ";".join(f"{name}={given}" for name, given in parts.items())
        _check_parts(parts, text)
    elif len(text.split(" ")) != _CRON_FIELDS:
        raise wrong(f"`{text}` is neither a cron expression nor an RRULE", _WRITE)
    try:
        first = next(local_times(text, _ANY_DAY), None)
    except (ValueError, TypeError, IndexError) as error:
        kind = "an RRULE" if parts else "a cron expression"
        raise wrong(f"`{text}` is not {kind}", "write: FREQ=WEEKLY;BYDAY=MO;BYHOUR=9" if parts else _WRITE) from error
    if first is None:
        raise wrong(f"`{text}` never comes", _WRITE)
    return text


def _check_parts(parts: Mapping[str, str], text: str) -> None:
    for name, advice in _INSTEAD.items():
        if name in parts:
            raise wrong(f"`{name}` has no place in `repeat`", advice)
    if parts["FREQ"] not in _FREQUENCIES:
        raise wrong(
            f"`{text}` repeats too often for an RRULE", "write a cron expression such as: */30 9-17 * * mon-fri"
        )


def _parts(text: str) -> dict[str, str]:
    """Take an RRULE apart; empty for anything else."""
    body = text.upper().removeprefix("RRULE:")
    if "FREQ=" not in body:
        return {}
    pairs = (one.partition("=") for one in body.split(";") if one.strip())
    return {name.strip(): value.strip() for name, _, value in pairs}


def _of_rrule(text: str, after: datetime, anchor: datetime | None) -> Iterator[datetime]:
    begin = anchor if anchor is not None and needs_start(text) else datetime(after.year, after.month, after.day)  # noqa: DTZ001 a wall clock
    rule = rrulestr(f"RRULE:{text}", dtstart=begin.replace(second=0, microsecond=0))
    if isinstance(rule, rrule):
        # Without an end, a rule for 30 February would be looked for until the year 9999.
        yield from rule.replace(until=max(after, begin) + _LOOK_AHEAD).xafter(after)


Repeat = Annotated[
    str,
    BeforeValidator(_read),
    WithJsonSchema({"type": "string", "examples": ["0 9 * * mon", "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"]}),
]
"""a cron expression, or an RRULE without its prefix"""
