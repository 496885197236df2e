"""Spans of calendar days as people write them: `2026-12-24`, `2026-12-24..2027-01-02`."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from runner.model.fields import wrong

_HELP = "write: 2026-12-24, or 2026-12-24..2027-01-02"


class DateSpan(NamedTuple):
    """A span of local days."""

    first: date
    last: date
    """included"""


def read_dates(value: Any) -> Any:
    """Read one span, several joined by commas, or a list of them."""
    parts = value.split(",") if isinstance(value, str) else value
    return [_span(part) for part in parts] if isinstance(parts, (list, tuple)) else value


def _span(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    first, dots, last = value.strip().partition("..")
    span = DateSpan(_date(first, value), _date(last if dots else first, value))
    if span.last < span.first:
        raise wrong(f"`{value}` ends before it begins", _HELP)
    return span


def _date(text: str, whole: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise wrong(f"`{whole}` is not a date or a span of dates", _HELP) from None


def _written(spans: tuple[DateSpan, ...]) -> list[str]:
    return [str(one.first) if one.first == one.last else f"{one.first}..{one.last}" for one in spans]


Dates = Annotated[
    tuple[DateSpan, ...],
    BeforeValidator(read_dates),
    PlainSerializer(_written, return_type=list[str]),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["2026-12-24", "2026-12-24..2027-01-02"]},
                {"type": "array", "items": {"type": "string"}},
            ]
        }
    ),
]
"""local days, one by one or as spans with both ends included"""
