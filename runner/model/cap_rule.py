"""A cap as a file writes it: the most attempts that one person may get in a period."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from runner.model.fields import Duration, FilePart, PositiveInt, wrong

_SHORT = re.compile(r"(?:(\d+)(?:\s+times?)?|(once)|(twice))\s*(?:per|an?|every|in|/)\s*(.+)", re.IGNORECASE)
_HELP = "write: 1 per day, 3 per 7d"
_CALENDAR = {"week": "7d", "month": "30d"}


def _per(value: Any) -> Any:
    """Let `day` stand for the person's calendar day; refuse spans of the calendar that nobody can tell apart."""
    word = value.strip().lower() if isinstance(value, str) else value
    if word == "day":
        return "day"
    if word in _CALENDAR:
        raise wrong(
            f"`{value}` may mean a {word} of the calendar or any {_CALENDAR[word]}", f"write: {_CALENDAR[word]}"
        )
    return {"hour": "1h"}.get(word, value) if isinstance(word, str) else value


class CapRule(FilePart):
    """The most attempts that one person may get in a period, over all campaigns and channels."""

    attempts: PositiveInt
    """How many attempts one person may get, calls and texts together, a provider's own redials included."""
    per: Annotated[
        Duration | Literal["day"],
        Field(union_mode="left_to_right"),
        BeforeValidator(_per),
        WithJsonSchema({"type": "string", "examples": ["day", "24h", "7d"]}),
    ]
    """In how long a time: the person's own calendar `day`, or a span that ends with any attempt, such as `7d`."""


def read_caps(value: Any) -> Any:
    """Read `1 per day, 3 per 7d`, one cap alone, or a list of caps into a list of long forms."""
    if isinstance(value, str):
        return [_cap(part.strip()) for part in value.split(",")]
    if isinstance(value, dict):
        return [value]
    if isinstance(value, (list, tuple)):
        return [_cap(one) if isinstance(one, str) else one for one in value]
    return value


def _cap(text: str) -> dict[str, Any]:
    match = _SHORT.fullmatch(text)
    if match is None:
        raise wrong(f"`{text}` is not a cap", _HELP)
    return {"attempts": match[1] or (1 if match[2] else 2), "per": match[4]}


CapList = Annotated[tuple[CapRule, ...], BeforeValidator(read_caps)]
