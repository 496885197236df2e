"""What is wrong with a template or an expression, and where: one frozen value for every cause.

V01  a name that nothing gives            V05  a template file that is not there, or not named plainly
V02  a cell that is empty in this row     V06  an expression that cannot be decided
V03  the template cannot be read          V07  would need too much time or memory
V04  a filter or a test that is not there  V08  a filter, a conversion or arithmetic refused a value
V09  text came out that must not reach a provider or a person
V10  a value came out longer than its variable may be
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Self

from runner.errors import OutreachError
from runner.model.contact import ValueFault

KeyPath = tuple[str | int, ...]
"""a place in the canonical campaign, such as ``("steps", 0, "message")``"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFault:
    """One cause and its place; line and column from 1 within the text, columns in characters."""

    code: str
    message: str
    help: str = ""
    template: str = ""
    """the template file; empty when the text itself is meant"""
    line: int = 1
    column: int = 1
    length: int = 1
    name: str = ""
    """the dotted name at fault, such as ``contact.clinc``; empty when it is none"""
    size: int = 0
    """how many characters came out where they are too many, else 0"""


class _Faulty(OutreachError):
    """An error that carries a fault and the place of its text in the campaign."""

    def __init__(self, fault: TemplateFault, path: KeyPath = ()) -> None:
        super().__init__(fault.message, help=fault.help)
        self.fault = fault
        self.path = path

    @property
    def code(self) -> str:
        """The stable code."""
        return self.fault.code

    @property
    def template(self) -> str:
        """The template file; empty when the text itself is meant."""
        return self.fault.template

    @property
    def line(self) -> int:
        """The line in the text, from 1."""
        return self.fault.line

    @property
    def column(self) -> int:
        """The column in the line, in characters from 1."""
        return self.fault.column

    @property
    def length(self) -> int:
        """How many characters are meant."""
        return self.fault.length

    @property
    def of_value(self) -> ValueFault:
        """What the fault says of a value and of the column that it was made from."""
        root, _, column = self.fault.name.partition(".")
        fault = self.fault
        return ValueFault(code=fault.code, help=fault.help, column=column if root == "contact" else "", size=fault.size)

    def at(self, path: KeyPath) -> Self:
        """Give the same error with the place of its text in the campaign."""
        return type(self)(self.fault, path)


class TemplateWrong(_Faulty):
    """A template cannot be used, whoever the contact is."""


class RenderFailed(_Faulty):
    """A template cannot be rendered for this contact."""


class ExpressionWrong(_Faulty):
    """A `when` or `where` cannot be used, whoever the contact is."""


class ExpressionFailed(_Faulty):
    """A `when` or `where` cannot be decided for this contact."""


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give ``did you mean `clinic`?`` for the nearest known word, or nothing."""
    by_lower = {name.lower(): name for name in sorted(known)}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.6)
    return f"did you mean `{by_lower[found[0]]}`?" if found else ""


def has_size(size: int | str) -> str:
    """Say how many characters a value has: the words that differ between rows whose values are too long."""
    return f"has {size} characters"


def of_sizes(reason: str, sizes: Sequence[int]) -> str:
    """Give a row's reason for all rows of one cause: with their sizes, such as `510 to 601`.

    ``sizes`` are those of the rows, that of the reason first; of reasons that tell no size, zeros.
    """
    least, most = min(sizes), max(sizes)
    said = str(least) if least == most else f"{least} to {most}"
    return reason.replace(has_size(sizes[0]), has_size(said), 1)


def of_any_size(reason: str, size: int) -> str:
    """Give a row's reason without its size: what all rows of one cause have in common."""
    return reason.replace(has_size(size), has_size("…"), 1)


def in_template(fault: TemplateFault, template: str) -> TemplateFault:
    """Give the fault as one of that template file."""
    return replace(fault, template=template)
