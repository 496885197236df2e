"""The filters and tests that templates may use: an explicit list, everything else is unknown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from jinja2 import Environment, pass_environment
from jinja2 import filters as jinja
from jinja2.runtime import Undefined

from runner.rules.bounds import OUTPUT_LIMIT, joined, too_long
from runner.rules.moments import Moments, in_zone
from runner.rules.names import first_name, title
from runner.rules.refusal import FilterRefused, decimal_of, named, shown, text_of
from runner.rules.spoken import Numbers, Phones, spoken_digits

__all__ = ["TESTS", "FilterRefused", "filters_for"]

Filter = Callable[..., Any]

_ROUND_LIMIT = 12

TESTS = (
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "mapping",
    "sequence", "iterable", "odd", "even", "divisibleby", "lower", "upper", "in", "eq", "equalto", "==", "ne", "!=",
    "gt", "greaterthan", ">", "ge", ">=", "lt", "lessthan", "<", "le", "<=",
)  # fmt: skip
"""Jinja's own tests that look at plain values"""


def filters_for(locale: str) -> dict[str, Filter]:
    """Give every filter by its name, for a locale such as ``en_US`` or ``de-DE``."""
    own = _own_filters(locale.replace("-", "_"))
    return {**{name: named(name, function) for name, function in own.items()}, **_JINJA_FILTERS}


def _own_filters(locale: str) -> dict[str, Filter]:
    numbers, moments, phones = Numbers(locale), Moments(locale), Phones()
    return {
        "title": title,
        "first_name": first_name,
        "money": numbers.money,
        "number": numbers.number,
        "ordinal": numbers.ordinal,
        "spoken_number": numbers.spoken_number,
        "spoken_money": numbers.spoken_money,
        "spoken_digits": spoken_digits,
        "date": moments.date,
        "time": moments.time,
        "spoken_date": moments.spoken_date,
        "spoken_time": moments.spoken_time,
        "in_zone": in_zone,
        "phone": phones.phone,
        "spoken_phone": phones.spoken_phone,
        "join": join,
        "replace": replace,
        "reverse": backwards,
        "round": rounded,
        "int": whole,
        "float": floating,
        "tojson": to_json,
        "abs": magnitude,
        "items": items,
        "capitalize": _on_text(str.capitalize),
        "lower": _on_text(str.lower),
        "string": _on_text(str),
        "upper": _on_text(str.upper),
        "trim": trim,
        "truncate": truncate,
        "wordcount": lambda value: len(text_of(value).split()),
        "length": length,
        "count": length,
    }


def trim(value: Any, characters: str | None = None) -> str:
    """Cut blanks, or the named characters, off both ends."""
    return text_of(value).strip(characters)


def truncate(value: Any, length: int = 255, killwords: bool = False, end: str = "...") -> str:
    """Cut a text to so many characters, its end mark included, between words unless told otherwise."""
    text = text_of(value)
    if isinstance(length, bool) or not isinstance(length, int) or length < len(end):
        raise FilterRefused(f"{shown(length)} is not a number of characters", "write: truncate(160)")
    if len(text) <= length:
        return text
    cut = text[: length - len(end)]
    return (cut if killwords or " " not in cut else cut.rsplit(" ", 1)[0]) + end


def length(value: Any) -> int:
    """Count the characters of a text or the items of a list."""
    if isinstance(value, (bool, int, float, Decimal)):
        raise FilterRefused(f"{shown(value)} has no length", "count text or a list")
    return len(value)


def join(value: Any, separator: str = "", attribute: str | None = None) -> str:
    """Put a list into one text with a separator between its items; with a name, that item of each."""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        raise FilterRefused(f"{shown(value)} is not a list", "join a list: {{ contact.days | join(', ') }}")
    items = [_item(item, attribute) if attribute is not None else item for item in value]
    pieces: list[str] = []
    for item in items:
        pieces += [text_of(separator), text_of(item)] if pieces else [text_of(item)]
    return joined(pieces)


def replace(value: Any, old: str, new: str) -> str:
    """Put one text in the place of another, everywhere."""
    text, old, new = text_of(value), text_of(old), text_of(new)
    if len(text) + text.count(old) * max(0, len(new) - len(old)) > OUTPUT_LIMIT * 4:
        raise too_long()
    return text.replace(old, new)


def rounded(value: Any, precision: int = 0) -> int | Decimal:
    """Round a number, half up, to so many digits after the dot: ``"2.345" | round(2)`` is 2.35."""
    if isinstance(precision, bool) or not isinstance(precision, int) or not 0 <= precision <= _ROUND_LIMIT:
        raise FilterRefused(f"{shown(precision)} is not a number of digits", "write: round(2)")
    number = decimal_of(value).quantize(Decimal(1).scaleb(-precision), rounding="ROUND_HALF_UP")
    return number if precision else int(number)


def whole(value: Any, default: int | None = None) -> int:
    """Read a whole number and drop what stands after the dot: ``"12.7" | int`` is 12; without one, the default."""
    if isinstance(value, Undefined):
        return int(value) if default is None else default
    try:
        return int(decimal_of(value))
    except FilterRefused:
        if default is None:
            raise
        return default


def floating(value: Any, default: float | None = None) -> float:
    """Read a number: ``"12.50" | float`` is 12.5; without one, the default."""
    if isinstance(value, Undefined):
        return float(value) if default is None else default
    try:
        return float(decimal_of(value))
    except FilterRefused:
        if default is None:
            raise
        return default


def magnitude(value: Any) -> Any:
    """Give a number without its sign."""
    return abs(value if isinstance(value, (int, float)) else decimal_of(value))


def items(value: Any) -> list[tuple[Any, Any]]:
    """Give the names and values of a map, for a loop over both."""
    if not isinstance(_present(value), Mapping):
        raise FilterRefused(f"{shown(value)} is not a map", "loop over a list: {% for day in contact.days %}")
    return list(value.items())


def backwards(value: Any) -> Any:
    """Give a text or a list from its end to its start."""
    return value[::-1] if isinstance(value, str) else list(reversed(value))


@pass_environment
def unique(
    environment: Environment, value: Any, case_sensitive: bool = False, attribute: str | None = None
) -> list[Any]:
    """Give each item of a list once."""
    return list(jinja.do_unique(environment, value, case_sensitive, attribute))


def to_json(value: Any) -> str:
    """Write a value as JSON, for variables of ``type: json``."""
    try:
        text = json.dumps(_present(value), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise FilterRefused(f"{shown(value)} cannot be written as JSON", "give text, numbers, lists or maps") from None
    return joined([text])


def _on_text(change: Callable[[str], str]) -> Filter:
    return lambda value: change(text_of(value))


def _present(value: Any) -> Any:
    """Let an absent value raise with its own name, before a filter speaks about it."""
    return str(value) if isinstance(value, Undefined) else value


def _item(item: Any, name: str) -> Any:
    if not isinstance(item, Mapping) or item.get(name) is None:
        raise FilterRefused(f"{shown(item)} has no `{name}`")
    return item[name]


_JINJA_FILTERS: dict[str, Filter] = {
    "d": jinja.do_default,
    "default": jinja.do_default,
    "first": jinja.do_first,
    "last": jinja.do_last,
    "list": jinja.do_list,
    "max": jinja.do_max,
    "min": jinja.do_min,
    "sort": jinja.do_sort,
    "unique": unique,
}
"""Jinja's own filters that give no more than they take and reach nothing"""
