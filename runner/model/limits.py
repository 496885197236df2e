"""Limits: how fast attempts may start and how many calls may be live, for a campaign, an agent, an account, a ledger."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from runner.model.durations import format_duration, parse_duration
from runner.model.fields import Duration, FilePart, PositiveFloat, PositiveInt, wrong

SLOT_FOR = timedelta(hours=1)
"""after how long a call without an outcome gives its slot back when `slot_for` is absent"""

_SHORTEST_LEASE = timedelta(minutes=1)
_RAMP = re.compile(r"(\S+)\s*(?:->|→|to)\s*(\S+)\s+over\s+(.+)", re.IGNORECASE)
_RATE = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*/\s*(second|sec|s|minute|min|m|hour|h|day|d)", re.IGNORECASE)
_IN_A_MINUTE = {"s": 60.0, "m": 1.0, "h": 1 / 60, "d": 1 / 1440}
_SLOWEST = 1 / 1440
_RAMP_HELP = "write: 10/min -> 100/min over 1h"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A pace that grows evenly from the first start on, and stays what it came to."""

    first: float
    """starts in a minute at the beginning"""
    last: float
    """starts in a minute from the end on"""
    over: timedelta


def read_ramp(value: object) -> object:
    """Read `10/min -> 100/min over 1h`; the second pace is at least the first."""
    if not isinstance(value, str):
        return value
    match = _RAMP.fullmatch(value.strip())
    if match is None:
        raise wrong(f"`{value}` is not a ramp", _RAMP_HELP)
    first, last = _a_minute(match[1], value), _a_minute(match[2], value)
    try:
        over = parse_duration(match[3])
    except ValueError as error:
        raise wrong(str(error), _RAMP_HELP) from None
    if last < first:
        raise wrong(f"`{value}` goes down, and a ramp goes up", _RAMP_HELP)
    if not over:
        raise wrong(f"`{value}` takes no time", _RAMP_HELP)
    return Ramp(first=first, last=last, over=over)


def ramp_text(ramp: Ramp) -> str:
    """Write a ramp so that read_ramp reads the same one back."""
    return f"{_rate_text(ramp.first)} -> {_rate_text(ramp.last)} over {format_duration(ramp.over)}"


RampText = Annotated[
    Ramp,
    BeforeValidator(read_ramp),
    PlainSerializer(ramp_text, return_type=str),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"/.*(->|→|to).*/.*\sover\s",
            "patternErrorMessage": _RAMP_HELP,
            "examples": ["10/min -> 100/min over 1h"],
        }
    ),
]


def _lease(span: timedelta) -> timedelta:
    if span < _SHORTEST_LEASE:
        raise wrong(f"`slot_for: {format_duration(span)}` would end while people still talk", "write: slot_for: 1h")
    return span


class SharedLimits(FilePart):
    """How fast all campaigns together may go through an agent, an account, a number or a ledger."""

    concurrency: PositiveInt | None = None
    """How many calls may be live at once; a call is live until its outcome is known."""
    per_second: PositiveFloat | None = None
    """How many attempts may start in any second."""
    per_minute: PositiveInt | None = None
    """How many attempts may start in any minute."""
    per_day: PositiveInt | None = None
    """How many attempts may start in a calendar day: of the schedule's `timezone`, of UTC where campaigns share."""
    spacing: Duration | None = None
    """The least time between two starts."""
    ramp: RampText | None = None
    """A pace that grows from the first start on, such as `10/min -> 100/min over 1h`."""
    slot_for: Annotated[Duration, AfterValidator(_lease)] = SLOT_FOR
    """After how long a call whose outcome nobody learns counts as live no more."""


class Limits(SharedLimits):
    """How fast the campaign may go."""

    concurrency: PositiveInt = 10
    """How many calls may be live at once; a call is live until its outcome is known."""
    priority: Annotated[int, Field(ge=1, le=10)] = 5
    """What share it gets of limits that campaigns share: one with 10 gets twice as much as one with 5."""


def _a_minute(text: str, whole: str) -> float:
    match = _RATE.fullmatch(text)
    rate = float(match[1]) * _IN_A_MINUTE[match[2][0].lower()] if match else 0.0
    if rate < _SLOWEST:
        raise wrong(f"`{text}` in `{whole}` is not a pace of one a day or more", _RAMP_HELP)
    return rate


def _rate_text(a_minute: float) -> str:
    short = f"{a_minute:g}"
    return f"{short if float(short) == a_minute else repr(a_minute)}/min"
