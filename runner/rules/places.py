"""Where the words of a template stand: line, column and length of names, filters, tests and tags.

Jinja tells lines only. The source is lexed once more with its own lexer, and each word gets the
place where it stands in the text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from jinja2 import Environment
from jinja2.exceptions import TemplateSyntaxError

Kind = Literal["name", "filter", "test", "tag"]

_KEYWORDS = frozenset(
    {"and", "else", "elif", "if", "in", "is", "not", "or", "true", "True", "false", "False", "none", "None"}
)
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place in a text: line and column from 1, length in characters."""

    line: int
    column: int
    length: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A name with what hangs on it, such as ``contact.clinic``, or a filter, test or tag."""

    kind: Kind
    parts: tuple[str, ...]
    spots: tuple[Spot, ...]
    """the place of each part"""

    @property
    def text(self) -> str:
        """The parts joined by dots."""
        return ".".join(self.parts)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    spot: Spot


class Places:
    """The words of one text, in order; finds the place of each."""

    def __init__(self, environment: Environment, source: str, *, expression: bool = False) -> None:
        self._environment = environment
        self._lines = _NEWLINE.split(source)
        self._expression = expression
        self._seen: Counter[tuple[int, Kind, str]] = Counter()

    @cached_property
    def words(self) -> tuple[Word, ...]:
        """The words, in order; lexed when they are first asked for, because most texts have no fault."""
        return tuple(_words(self._tokens))

    @cached_property
    def _tokens(self) -> tuple[_Token, ...]:
        return tuple(_tokens(self._environment, "\n".join(self._lines), expression=self._expression))

    def next_spots(self, kind: Kind, text: str, line: int) -> tuple[Spot, ...]:
        """Give the place of each part of the next such word of that line: a second call gives the second word's."""
        found = [
            word.spots for word in self.words if word.kind == kind and word.text == text and word.spots[0].line == line
        ]
        if not found:
            return (self.line_spot(line),)
        turn = self._seen[line, kind, text]
        self._seen[line, kind, text] += 1
        return found[min(turn, len(found) - 1)]

    def spot_of(self, text: str, line: int) -> Spot | None:
        """Give the place of the first token with that text in the line; None when there is none."""
        return next((token.spot for token in self._tokens if token.spot.line == line and token.text == text), None)

    def spot_behind(self, text: str, line: int) -> Spot | None:
        """Give the first place of a text behind the last token that could be read; None when it is not in that line."""
        last = self.last_spot()
        start = last.column + last.length - 1 if last.line == line else 0
        found = self._lines[line - 1].find(text, start) if 0 < line <= len(self._lines) else -1
        return None if found < 0 else Spot(line=line, column=found + 1, length=len(text))

    def last_spot(self) -> Spot:
        """Give the place of the last token that could be read."""
        return self._tokens[-1].spot if self._tokens else self.line_spot(1)

    def name_with(self, part: str, line: int) -> tuple[str, Spot] | None:
        """Find a name of the line that ends in, or passes through, that part: its dotted text and the part's place."""
        for word in self.words:
            for index, own in enumerate(word.parts):
                if word.kind == "name" and own == part and word.spots[index].line == line:
                    return ".".join(word.parts[: index + 1]), word.spots[index]
        return None

    def first_name(self, line: int) -> tuple[str, Spot] | None:
        """Find the first name of the line: its dotted text and the place of its last part."""
        for word in self.words:
            if word.kind == "name" and word.spots[0].line == line:
                return word.text, word.spots[-1]
        return None

    def line_spot(self, line: int) -> Spot:
        """Give the whole line, outer blanks left out."""
        number = min(max(line, 1), len(self._lines))
        text = self._lines[number - 1]
        column = len(text) - len(text.lstrip()) + 1
        return Spot(line=number, column=column, length=max(1, len(text.strip())))


def _tokens(environment: Environment, source: str, *, expression: bool) -> Iterator[_Token]:
    """Lex as far as the text can be read; blanks are left out."""
    offset, line, line_start = 0, 1, 0
    try:
        for _, kind, text in environment.lexer.tokeniter(source, None, state="variable" if expression else None):
            if not text.strip():
                continue
            # Blanks that `-` strips are missing from the tokens, so a token may start later than the last one ended.
            found = source.find(text, offset)
            line += source.count("\n", offset, found)
            line_start = source.rfind("\n", 0, found) + 1
            yield _Token(kind, text, Spot(line=line, column=found - line_start + 1, length=len(text)))
            line += text.count("\n")
            offset = found + len(text)
    except TemplateSyntaxError:
        return


def _words(tokens: tuple[_Token, ...]) -> Iterator[Word]:
    for index, token in enumerate(tokens):
        if token.kind != "name" or token.text in _KEYWORDS:
            continue
        before = tokens[index - 1] if index else None
        if before is not None and before.text == ".":
            continue
        kind = _kind(tokens, index, before)
        if kind == "name":
            yield _dotted(tokens, index)
        else:
            yield Word(kind=kind, parts=(token.text,), spots=(token.spot,))


def _kind(tokens: tuple[_Token, ...], index: int, before: _Token | None) -> Kind:
    if before is None:
        return "name"
    if before.kind == "block_begin":
        return "tag"
    if before.text == "|" or (before.text == "filter" and tokens[index - 2].kind == "block_begin"):
        return "filter"
    if before.text == "is" or (before.text == "not" and tokens[index - 2].text == "is"):
        return "test"
    return "name"


def _dotted(tokens: tuple[_Token, ...], index: int) -> Word:
    """Read ``contact.address["First Name"]`` into its parts."""
    parts, spots = [tokens[index].text], [tokens[index].spot]
    at = index + 1
    while at + 1 < len(tokens):
        if tokens[at].text == "." and tokens[at + 1].kind in {"name", "integer"}:
            parts.append(tokens[at + 1].text)
            spots.append(tokens[at + 1].spot)
            at += 2
        elif (
            tokens[at].text == "["
            and tokens[at + 1].kind in {"string", "integer"}
            and tokens[at + 2 : at + 3]
            and tokens[at + 2].text == "]"
        ):
            parts.append(tokens[at + 1].text.strip("'\""))
            spots.append(tokens[at + 1].spot)
            at += 3
        else:
            break
    return Word(kind="name", parts=tuple(parts), spots=tuple(spots))
