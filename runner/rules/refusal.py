"""How a filter says no, and how filters read the values they are given."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, time
from decimal import Decimal, InvalidOperation
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from jinja2.runtime import Undefined

from runner.rules.bounds import ValueRefused

_P = ParamSpec("_P")
_R = TypeVar("_R")
_LARGEST = Decimal(10) ** 15
_FINEST_DIGITS = 12
_LONGEST_SHOWN = 40


class FilterRefused(ValueRefused):
    """A filter cannot use a value; carries a sentence, a line to paste and the filter's name."""

    filter: str = ""


def named(name: str, function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Give the function under a filter's name, which its refusals then carry."""

    @wraps(function)
    def call(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return function(*args, **kwargs)
        except FilterRefused as error:
            error.filter = name
            raise

    return call


def shown(value: object) -> str:
    """Give a value as it stands in a sentence: short, in backticks."""
    text = _in_words(value)
    return f"`{text}`" if len(text) <= _LONGEST_SHOWN else f"`{text[:_LONGEST_SHOWN]}...`"


def _in_words(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (date, time)):
        return value.isoformat()
    return str(value) if isinstance(value, (str, int, float, Decimal)) else "this"


def decimal_of(value: Any) -> Decimal:
    """Read a number or a text such as ``1250.5``; raise FilterRefused for everything else."""
    if isinstance(value, Undefined):
        text_of(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal, str)):
        raise FilterRefused(f"{shown(value)} is not a number", "write it with digits and a dot: 1250.50")
    text = str(value).strip()
    plain = text[1:] if text[:1] in {"-", "+"} else text
    if not (isinstance(value, float) or (plain.isascii() and plain.replace(".", "", 1).isdigit())):
        raise FilterRefused(f"{shown(value)} is not a number", "write it with digits and a dot: 1250.50")
    return _bounded(text, value)


def _bounded(text: str, value: Any) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise FilterRefused(f"{shown(value)} is not a number", "write it with digits and a dot: 1250.50") from None
    if not number.is_finite():
        raise FilterRefused(f"{shown(value)} is not a number", "write it with digits and a dot: 1250.50")
    exponent = number.as_tuple().exponent
    if abs(number) >= _LARGEST or (
        isinstance(exponent, int) and exponent < -_FINEST_DIGITS and not isinstance(value, float)
    ):
        raise FilterRefused(f"{shown(value)} has too many digits")
    return number


def text_of(value: Any) -> str:
    """Give what is printed for text, a number or an instant; raise ValueRefused for everything else.

    What is undefined raises its own name.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Undefined):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float, Decimal)):
        if not math.isfinite(value):
            raise ValueRefused("this is not a number that can be printed", "give a value: | default('...')")
        return str(value)
    if isinstance(value, (date, time)):
        return value.isoformat()
    raise _not_text(value)


def _not_text(value: Any) -> ValueRefused:
    if value is None:
        return ValueRefused("this is empty", "give a value: | default('...')")
    if isinstance(value, Mapping):
        return ValueRefused("this is a map, not text", "name one of its items: {{ contact.address.city }}")
    if isinstance(value, (list, tuple)):
        return ValueRefused("this is a list, not text", "join it: {{ contact.days | join(', ') }}")
    return ValueRefused("this is not text", "print a column or the result of a filter")
