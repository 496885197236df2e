"""Windows: spans of local time in which an attempt may start."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from runner.model import shorthand
from runner.model.channel import Channel
from runner.model.dates import Dates
from runner.model.fields import ClockTime, Duration, FilePart

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Window(FilePart):
    """A span of local time in which an attempt may start: from inclusive, to exclusive."""

    days: Annotated[
        tuple[Day, ...],
        BeforeValidator(shorthand.read_days),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "examples": ["mon-fri", "mon, wed, fri", "daily"]},
                    {"type": "array", "items": {"enum": list(DAYS)}, "minItems": 1},
                ]
            }
        ),
    ] = DAYS
    """The days, such as `mon-fri` or `[mon, wed]`; every day when absent."""
    from_: ClockTime = Field(alias="from")
    """When it opens, in the person's own time."""
    to: ClockTime
    """When it closes; an earlier time than `from` means the next day."""
    dates: Dates = ()
    """The only dates on which it opens, such as `2026-04-01..2026-04-30`; every date when absent."""
    channel: Channel | None = None
    """Only for calls or only for texts; for both when absent."""
    retry_after: Duration | None = None
    """How long to wait after a try that started in this window; the retry's own `after` when absent."""


WindowList = Annotated[tuple[Window, ...], BeforeValidator(shorthand.read_windows)]
