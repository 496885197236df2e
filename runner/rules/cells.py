"""Cells of a row as expressions compare them: text that counts as a number beside a number."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from operator import ge, gt, le, lt
from typing import Any, NoReturn, Self

from jinja2.runtime import Undefined

from runner.rules.bounds import ValueRefused
from runner.rules.refusal import FilterRefused, decimal_of, shown


class NotComparable(ValueRefused):
    """A cell cannot be compared with what stands beside it; carries the cell's name."""

    def __init__(self, name: str, message: str, help: str) -> None:
        super().__init__(message, help)
        self.name = name


class Cell(str):
    """The text of a cell, which compares with a number as a number, and with text as text."""

    __slots__ = ("name",)

    def __new__(cls, text: str, name: str = "") -> Self:
        """Make a cell of a text; its name stands in messages."""
        cell = super().__new__(cls, text)
        cell.name = name
        return cell

    name: str

    def __eq__(self, other: object) -> bool:
        if isinstance(other, bool):
            return str.lower(self) == str(other).lower()
        if isinstance(other, (int, float, Decimal)):
            own = self.number()
            return own is not None and own == _exact(other)
        return str.__eq__(self, other) if isinstance(other, str) else False

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = str.__hash__

    def __lt__(self, other: object) -> bool:
        return self._ordered(lt, other)

    def __le__(self, other: object) -> bool:
        return self._ordered(le, other)

    def __gt__(self, other: object) -> bool:
        return self._ordered(gt, other)

    def __ge__(self, other: object) -> bool:
        return self._ordered(ge, other)

    def number(self) -> Decimal | None:
        """Give the number that the text is; None when it is none."""
        try:
            return decimal_of(str(self))
        except FilterRefused:
            return None

    def _ordered(self, compare: Callable[[Any, Any], bool], other: object) -> bool:
        if isinstance(other, (int, float, Decimal)) and not isinstance(other, bool):
            own = self.number()
            if own is None:
                raise self._no_number()
            return compare(own, _exact(other))
        if isinstance(other, Cell):
            numbers = self.number(), other.number()
            if None not in numbers:
                return compare(*numbers)
        if isinstance(other, str):
            return compare(str(self), str(other))
        raise self._no_number()

    def _no_number(self) -> NotComparable:
        subject = f"`{self.name}` is" if self.name else "this is"
        return NotComparable(self.name, f"{subject} {shown(str(self))}, not a number", "write digits and a dot: 12.50")


class EmptyCell(Undefined):
    """A cell without text, or no cell at all: false, equal to empty text only, neither greater nor smaller."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return other == "" if isinstance(other, str) else isinstance(other, EmptyCell)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash("")

    def __contains__(self, _: object) -> bool:
        return False

    def _refuse(self, *_: object) -> NoReturn:
        name = str(self._undefined_name or "this")
        raise NotComparable(name, f"`{name}` is empty in this row", f"ask for it first: {name} and {name} > 0")

    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = _refuse


def as_cell(value: Any, name: str) -> Any:
    """Give text as a cell, nothing and empty text as an empty cell, everything else as it is."""
    if value is None or value == "":
        return EmptyCell(name=name)
    return Cell(value, name) if isinstance(value, str) else value


def _exact(number: float | Decimal) -> Decimal:
    """Give the number as written: 12.1 is the decimal 12.1, not the nearest fraction of two."""
    return number if isinstance(number, Decimal) else Decimal(str(number))
