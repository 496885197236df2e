"""What one rendering may use: output, text in between, turns of loops, calls and includes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from decimal import Decimal
from numbers import Number
from typing import Any

OUTPUT_LIMIT = 8 * 1024
"""bytes of UTF-8 that a template may give"""
TURN_LIMIT = 10_000
"""turns of loops, calls, includes and pieces of joined text in one rendering"""
WEIGHT_LIMIT = 4_000
"""leaves of a list or map that a template writes; 256 characters of text count as one"""
_CHARACTERS_A_TURN = 256
_INTEGER_BITS = 256

_TURNS: ContextVar[list[int] | None] = ContextVar("turns", default=None)


class LimitReached(Exception):
    """A rendering used more than it may; carries a sentence and a line to paste."""

    code = "V07"

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class ValueRefused(LimitReached):
    """A value cannot be used or printed where it stands."""

    code = "V08"


def start_meter() -> None:
    """Begin to count for one rendering."""
    _TURNS.set([TURN_LIMIT])


def stop_meter() -> None:
    """End to count: what is compiled between renderings costs nothing."""
    _TURNS.set(None)


def spend(turns: int) -> None:
    """Count turns; raise LimitReached when none are left. Outside a rendering nothing is counted."""
    left = _TURNS.get()
    if left is None:
        return
    left[0] -= turns
    if left[0] < 0:
        raise LimitReached(f"this template takes more than {TURN_LIMIT:,} turns", "shorten its loops")


def joined(parts: Iterable[str]) -> str:
    """Join text, counted and never longer than the output may be; raise LimitReached otherwise."""
    pieces = parts if isinstance(parts, list) else list(parts)
    length = sum(map(len, pieces))
    if length > OUTPUT_LIMIT:
        raise too_long()
    if length > _CHARACTERS_A_TURN:
        spend(length // _CHARACTERS_A_TURN)
    return "".join(pieces)


def bounded(text: str) -> str:
    """Give the text back; raise LimitReached when it is longer than the output may be."""
    if len(text) > OUTPUT_LIMIT:
        raise too_long()
    return text


def too_long() -> LimitReached:
    """Build the error for text beyond the limit."""
    return LimitReached(
        f"the text is longer than {OUTPUT_LIMIT // 1024} KiB", "shorten it: {{ value | truncate(200) }}"
    )


def metered_turns(items: Any) -> Iterator[Any]:
    """Give the items of a list one by one, each counted; raise ValueRefused for text and for what is no list."""
    if isinstance(items, (str, bytes)) or not isinstance(items, (Iterable, Mapping)):
        raise ValueRefused(f"`{str(items)[:40]}` is not a list", "loop over a list")
    return _counted(iter(items))


def _counted(items: Iterator[Any]) -> Iterator[Any]:
    for item in items:
        spend(1)
        yield item


def arithmetic(operator: str, left: Any, right: Any, table: Mapping[str, Any]) -> Any:
    """Work out ``left operator right`` for numbers, and ``+`` for two texts or lists; raise LimitReached or ValueRefused otherwise."""
    if isinstance(left, Number) and isinstance(right, Number):
        return _numbers(operator, left, right, table)
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return joined([left, right])
    if operator == "+" and isinstance(left, list) and isinstance(right, list):
        spend(len(left) + len(right))
        return left + right
    raise ValueRefused(
        f"`{operator}` needs two numbers", "cells are text, so say it: {{ (contact.amount | float) * 2 }}"
    )


def _numbers(operator: str, left: Any, right: Any, table: Mapping[str, Any]) -> Any:
    if operator not in table or operator == "**":
        raise LimitReached(f"`{operator}` is not available in templates")
    if isinstance(left, int) and isinstance(right, int) and left.bit_length() + right.bit_length() > _INTEGER_BITS:
        raise LimitReached("this number is too large")
    if operator in {"/", "//", "%"} and right == 0:
        raise ValueRefused("this divides by zero")
    left, right = _alike(left, right)
    return table[operator](left, right)


def _alike(left: Any, right: Any) -> tuple[Any, Any]:
    """Decimal and float do not mix in Python; people mean the number."""
    if isinstance(left, Decimal) and isinstance(right, float):
        return left, Decimal(repr(right))
    if isinstance(left, float) and isinstance(right, Decimal):
        return Decimal(repr(left)), right
    return left, right


def weighed(value: Any) -> Any:
    """Give a list or map back; raise LimitReached when it holds too much, however often it holds the same."""
    weight = _weight(value, WEIGHT_LIMIT)
    spend(1 + weight // _CHARACTERS_A_TURN)
    return value


def _weight(value: Any, left: int) -> int:
    """Count the leaves of a tree, text by its length, and stop as soon as it is too heavy."""
    if isinstance(value, str):
        weight = 1 + len(value) // _CHARACTERS_A_TURN
    elif isinstance(value, Mapping):
        weight = 1 + _weight_of_all(value.values(), left)
    elif isinstance(value, (list, tuple)):
        weight = 1 + _weight_of_all(value, left)
    else:
        weight = 1
    if weight > left:
        raise LimitReached("this list holds too much", "shorten it")
    return weight


def _weight_of_all(values: Iterable[Any], left: int) -> int:
    total = 0
    for value in values:
        total += _weight(value, left - total)
    return total
