"""The small words and forms that every view shares: signs, counts, masked numbers, local clocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from runner.model.plan import PlanStatus
from runner.rules.pseudonyms import UNKEYED, Pseudonyms, country_code, masked_national, shown_at_the_end

_NUMBER = re.compile(r"(?<![\w.:/-])(?!20\d\d-[01]\d-[0-3]\d\b)(?:\+|00)?\d(?:[\d \u00a0().-]{5,}\d)(?![\w:])")
"""seven digits or more with what people write between them; instants and ids of letters are none"""

_FEWEST = 7
"""digits of a phone number; fewer are counts, and this machine's address"""

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


def shown_phone(phone: str, *, masked: bool, pseudonyms: Pseudonyms = UNKEYED) -> str:
    """Write a number, masked where people other than the operator may read it: `+1***0143#1a2b3c4d`."""
    return pseudonyms.shown(phone) if masked else phone


def masked_text(text: str, pseudonyms: Pseudonyms = UNKEYED) -> str:
    """Mask every phone number in a text, however it is written, and every key that is said to be an attempt's."""
    return _NUMBER.sub(lambda found: _hidden(found[0], pseudonyms.shown), pseudonyms.attempts_named(text))


def masked_in_place(text: str) -> str:
    """Mask every phone number in a text digit by digit, so that what stands below it still fits: `+1******0143`."""
    return _NUMBER.sub(lambda found: _starred(found[0]), text)


def _hidden(number: str, shown: Callable[[str], str]) -> str:
    digits, prefix = _digits(number)
    if len(digits) < _FEWEST:
        return number
    return shown(f"+{digits[len(prefix) :]}") if _is_international(number) else masked_national(digits)


def _starred(number: str) -> str:
    digits, prefix = _digits(number)
    if len(digits) < _FEWEST:
        return number
    code = country_code(digits[len(prefix) :]) if _is_international(number) else ""
    rest = digits[len(prefix) :]
    end = len(digits) - shown_at_the_end(rest, code)
    start = len(prefix) + (len(code) if end < len(digits) else 0)
    places = iter(range(len(digits)))
    return "".join("*" if one.isdecimal() and start <= next(places) < end else one for one in number)


def _digits(number: str) -> tuple[str, str]:
    """Give the digits of a number in any script, and those of them that only stand for a `+`."""
    digits = "".join(str(int(one)) for one in number if one.isdecimal())
    return digits, "00" if digits.startswith("00") and not number.startswith("+") else ""


def _is_international(number: str) -> bool:
    return number.startswith(("+", "00"))


def local_clock(at: datetime, zones: tuple[str, ...]) -> str:
    """Write an instant on the person's own clock: `Mon 2 Nov 09:00 New York`."""
    if not zones:
        return f"{at:%a %d %b %H:%M} UTC"
    place = zones[0].rpartition("/")[2].replace("_", " ")
    more = f" and {len(zones) - 1} more zones" if len(zones) > 1 else ""
    return f"{at.astimezone(ZoneInfo(zones[0])):%a %d %b %H:%M} {place}{more}"
