"""The small words and forms that every view shares: signs, counts, masked numbers, local clocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from runner.model.plan import PlanStatus
from runner.rules.pseudonyms import UNKEYED, Pseudonyms, country_code, masked_national, shown_at_the_end

_NUMBER = re.compile(r"(?<![\w.:/-])(?!20\d\d-[01]\d-[0-3]\d\b)(?:\+|00)?\d(?:[\d \u00a0().-]{5,}\d)(?![\w:])")
"""seven digits or more with what people write between them; instants and ids of letters are none"""

_CELL = re.compile(r"`[^`]*`")
_QUOTED = re.compile(r"`.*`", re.DOTALL)
_CONTIGUOUS = re.compile(r"\+?\d{7,}")
_BETWEEN_CELLS = re.compile(r"([,;|\t\"]+)")
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


def masked_reason(text: str, pseudonyms: Pseudonyms = UNKEYED) -> str:
    """Mask a reason, which may quote a cell: as `masked_text`, and where that finds no number, as `masked_quotes`."""
    said = masked_text(text, pseudonyms)
    return said if said != text else masked_quotes(text)


def masked_in_place(text: str) -> str:
    """Mask every phone number in a text digit by digit, so that what stands below it still fits: `+1******0143`."""
    return _NUMBER.sub(lambda found: _starred(found[0]), text)


def masked_row(text: str) -> str:
    """Mask, digit by digit, every seven digits or more of a row with no letter between, whatever stands around them.

    A row says nothing that has to stay readable: numbers of other kinds go, too, and so does what else stands in
    the cells beside a number. Every column stays where it is.
    """
    runs = ("".join(run) for _, run in groupby(text, str.isalpha))
    return "".join(_masked_run(run) if _count_of_digits(run) >= _FEWEST else run for run in runs)


def masked_quotes(text: str) -> str:
    """Mask numbers in a sentence that quotes cells: in backticks whatever is written between their digits.

    Outside of backticks counts, lines and prices stay as they are. Every column stays where it is.
    """
    said = _CONTIGUOUS.sub(lambda found: _starred(found[0]), masked_in_place(text))
    quoted = _QUOTED.search(text)
    if quoted is None:
        return said
    start, end = quoted.span()
    cells = _CELL.sub(lambda found: _starred_cell(found[0]), quoted[0])
    return said[:start] + _both_masked(masked_row(quoted[0]), cells) + said[end:]


def masked_as_quoted(row: str, sentence: str) -> str:
    """Mask a row, and in it the cells that the sentence about it quotes, digits with letters between included."""
    cells = row
    for quoted in _CELL.findall(sentence):
        cells = cells.replace(quoted[1:-1], _starred_cell(quoted[1:-1])) if quoted != "``" else cells
    return _both_masked(masked_row(row), cells)


def _masked_run(run: str) -> str:
    return "".join(
        _starred_cell(cell) if _count_of_digits(cell) >= _FEWEST else _without_digits(cell)
        for cell in _BETWEEN_CELLS.split(run)
    )


def _starred_cell(cell: str) -> str:
    """Mask all digits of a cell as those of one number; it begins at its first digit, or at the `+` before that."""
    start = next((at for at, one in enumerate(cell) if one.isdecimal()), len(cell))
    start -= cell[:start].endswith("+")
    return cell[:start] + _starred(cell[start:])


def _without_digits(text: str) -> str:
    return "".join("*" if one.isdecimal() else one for one in text)


def _both_masked(text: str, other: str) -> str:
    """Join two maskings of one text: what either hides is hidden."""
    return "".join("*" if "*" in pair else pair[0] for pair in zip(text, other, strict=True))


def _count_of_digits(text: str) -> int:
    return sum(map(str.isdecimal, text))


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
