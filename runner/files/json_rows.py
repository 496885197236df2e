"""JSON Lines into rows: one object a line, numbers kept as they are written, bad lines given back alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, NamedTuple, NoReturn

from runner.files.csv_rows import BAD_BYTE, MOST_CELL, MOST_LINE, TornRow
from runner.model.json import Json

MOST_DEPTH = 32
"""objects and lists inside each other"""


class JsonRow(NamedTuple):
    """One object and the line it stands on."""

    line: int
    values: dict[str, Json]
    text: str


class _Unusable(ValueError):
    """A line that is no object, in a sentence."""


def json_rows(text: IO[str]) -> Iterator[JsonRow | TornRow]:
    """Give each line's object; a line that holds none comes back as a TornRow. Blank lines are left out."""
    line = 0
    while written := text.readline(MOST_LINE + 1):
        line += 1
        if len(written) > MOST_LINE:
            while written[-1:] not in {"\n", "\r", ""}:
                written = text.readline(MOST_LINE)
            yield TornRow(line, "", f"this line is longer than {MOST_LINE} characters")
        elif written.strip():
            yield _row(line, written.strip())


def _row(line: int, text: str) -> JsonRow | TornRow:
    if BAD_BYTE in text:
        return TornRow(line, text, "a byte in this line is not in the file's encoding", bad_byte=True)
    try:
        values = json.loads(
            text, parse_int=str, parse_float=str, parse_constant=_no_constant, object_pairs_hook=_object
        )
        return JsonRow(line, _checked(values), text)
    except _Unusable as reason:
        return TornRow(line, text, str(reason))
    except RecursionError:
        return TornRow(line, text, "objects and lists in this line lie too deep inside each other")
    except ValueError:
        return TornRow(line, text, "this line is not a JSON object")


def _checked(values: Json) -> dict[str, Json]:
    """Refuse what is no object, and values that nobody could mean."""
    if not isinstance(values, dict):
        raise _Unusable("this line is not a JSON object")
    for name, value in values.items():
        if isinstance(value, str) and len(value) > MOST_CELL:
            raise _Unusable(f"`{name}` is longer than {MOST_CELL} characters")
        if isinstance(value, (dict, list)) and _depth(value) > MOST_DEPTH:
            raise _Unusable(f"objects and lists in `{name}` lie too deep inside each other")
        if "\0" in name or (isinstance(value, str) and "\0" in value):
            raise _Unusable("there is a NUL character in this line")
    return values


def _depth(value: Json) -> int:
    """Count how deep objects and lists lie in each other, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        if depth > MOST_DEPTH:
            return depth
        level = [
            inner
            for one in level
            for inner in (one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())
            if isinstance(inner, (dict, list))
        ]
    return depth


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Unusable(f"`{twice}` is set twice in this line")
    return values


def _no_constant(word: str) -> NoReturn:
    raise _Unusable(f"`{word}` is not JSON")
