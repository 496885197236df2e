"""The small words and forms that every view shares: signs, counts, masked numbers, local clocks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from runner.model.plan import PlanStatus
from runner.rules.numbers import mask

_NUMBER = re.compile(r"(?<![\w.:/-])(?!20\d\d-[01]\d-[0-3]\d\b)(?:\+|00)?\d(?:[\d \u00a0().-]{5,}\d)(?![\w:])")
"""seven digits or more with what people write between them; instants and ids of letters are none"""

STATUS_SIGNS: Mapping[PlanStatus, tuple[str, str]] = {
    PlanStatus.CREATE: ("+", "green"),
    PlanStatus.KEEP: ("=", "dim"),
    PlanStatus.CHANGE: ("~", "yellow"),
    PlanStatus.REMOVE: ("-", "red"),
    PlanStatus.SKIP: ("!", "yellow"),
    PlanStatus.HOLD: ("?", "magenta"),
    PlanStatus.LATER: ("…", "dim"),
}
"""the sign and the style of each plan status"""


def count_of(count: int, noun: str) -> str:
    """Write a count with its noun: `1 contact`, `1,000 contacts`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def shown_phone(phone: str, *, masked: bool) -> str:
    """Write a number, masked where people other than the operator may read it."""
    return mask(phone) if masked and phone else phone


def masked_text(text: str) -> str:
    """Mask every phone number in a text, however it is written."""
    return _NUMBER.sub(lambda found: _hidden(found[0]), text)


def _hidden(number: str) -> str:
    """Hide the digits in the middle of a number as it is written, so that what stands below it still fits."""
    return number[:4] + re.sub(r"\d", "•", number[4:-2]) + number[-2:]


def local_clock(at: datetime, zones: tuple[str, ...]) -> str:
    """Write an instant on the person's own clock: `Mon 2 Nov 09:00 New York`."""
    if not zones:
        return f"{at:%a %d %b %H:%M} UTC"
    place = zones[0].rpartition("/")[2].replace("_", " ")
    more = f" and {len(zones) - 1} more zones" if len(zones) > 1 else ""
    return f"{at.astimezone(ZoneInfo(zones[0])):%a %d %b %H:%M} {place}{more}"
