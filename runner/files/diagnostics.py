"""Diagnostics for people, for programs and for GitHub: one list in, text out."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runner.errors import Diagnostic, Severity
from runner.files.masking import MASK

if TYPE_CHECKING:
    from rich.text import Text

TEXT_LIMIT = 20
GITHUB_LIMIT = 10
"""GitHub drops further annotations of a step without a word"""

_NAMED_LINES = 3
_WIDEST = 160
_BEFORE = 60
_UNSEEN = re.compile(r"[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]")
_NAMED_ESCAPES = {"\t": "\\t", "\n": "\\n", "\r": "\\r"}


def as_text(diagnostics: Iterable[Diagnostic], *, limit: int | None = TEXT_LIMIT) -> str:
    """Give the diagnostics as people read them, with the line, carets and a closing count; no colour, no newline at the end.

    Equal causes on several lines of a file are told once; after `limit` causes the rest is
    counted (None shows all). Control characters and terminal escapes are made visible.
    """
    every = list(diagnostics)
    grouped = group_same(every)
    shown = grouped if limit is None else grouped[:limit]
    parts = [_block(one) for one in shown]
    if len(shown) < len(grouped):
        parts.append(f"and {len(grouped) - len(shown)} more (--all)")
    return "\n".join([*parts, count_line(every)])


def as_json(diagnostics: Iterable[Diagnostic]) -> str:
    """Give the diagnostics as a JSON list, indented, with a newline at the end.

    Lines and columns count from 1, columns in characters and `byte` in UTF-8 bytes of the line;
    the end is exclusive; `range` is null when a whole file is meant.
    """
    return json.dumps(as_records(diagnostics), indent=2, ensure_ascii=False) + "\n"


def as_records(diagnostics: Iterable[Diagnostic]) -> list[dict[str, object]]:
    """Give each diagnostic as a JSON object, for a larger document to hold."""
    return [_record(one) for one in diagnostics]


def as_github(diagnostics: Iterable[Diagnostic]) -> str:
    """Give the diagnostics as workflow commands, at most ten, then one that counts the rest."""
    grouped = group_same(diagnostics)
    lines = [_annotation(one) for one in grouped[:GITHUB_LIMIT]]
    left = len(grouped) - GITHUB_LIMIT
    if left > 0:
        lines.append(f"::notice::and {left} more; the log of this step has them all")
    return "\n".join(lines)


def group_same(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Put equal causes in one file together: the first place stays, the other lines go to `same`."""
    grouped: dict[tuple[object, ...], Diagnostic] = {}
    for one in diagnostics:
        cause = (one.file, one.severity, one.code, one.message, one.help)
        first = grouped.get(cause)
        if first is None or first.span is None or one.span is None or one.span.line in (first.span.line, *first.same):
            grouped[cause if first is None else (*cause, one.span, len(grouped))] = one
        else:
            grouped[cause] = replace(first, same=(*first.same, one.span.line, *one.same))
    return list(grouped.values())


def count_line(diagnostics: Sequence[Diagnostic]) -> str:
    """Count errors and warnings: `2 errors`, `1 error, 1 warning`."""
    counts = [(severity.value, sum(one.severity is severity for one in diagnostics)) for severity in Severity]
    return ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for word, count in counts if count) or "0 errors"


def styled(text: str) -> Text:
    """Give what `as_text` made in colour, for a terminal."""
    from rich.text import Text  # noqa: PLC0415 costs time that other formats need not pay

    found = Text(text)
    found.highlight_regex(r"(?m)^error\[\w+\]", "bold red")
    found.highlight_regex(r"(?m)^warning\[\w+\]", "bold yellow")
    found.highlight_regex(r"(?m)^\s*(\d+ )?\|", "blue")
    found.highlight_regex(r"(?m)^\s*-->", "blue")
    found.highlight_regex(r"(?m)(?<=\| )\s*\^+$", "bold red")
    found.highlight_regex(r"(?m)^\s*= help:", "bold cyan")
    return found


def visible(text: str) -> str:
    """Escape every character that would move, hide or reorder text on a terminal."""
    return "".join(_escaped(char) for char in text)


@dataclass(frozen=True, slots=True)
class _Clip:
    """A line cut to what fits, and the place in it."""

    line: str
    start: int
    length: int


def _block(one: Diagnostic) -> str:
    """Lay one diagnostic out: sentence, place, line, carets, help."""
    head = f"{one.severity.value}[{one.code}]: {visible(one.message)}"
    gutter = " " * len(str(one.span.line)) if one.span else " "
    lines = [head, f"{gutter}--> {_where(one)}"]
    if one.span and one.source:
        clip = _clip(one)
        carets = " " * _cells(visible(clip.line[: clip.start]))
        width = max(1, _cells(visible(clip.line[clip.start : clip.start + clip.length])))
        lines += [f"{gutter} |", f"{one.span.line} | {visible(clip.line)}", f"{gutter} | {carets}{'^' * width}"]
    lines += [
        f"{gutter} {'= help: ' if at == 0 else '        '}{visible(line)}"
        for at, line in enumerate(one.help.split("\n"))
        if one.help
    ]
    return "\n".join(line.rstrip() for line in lines)


def _where(one: Diagnostic) -> str:
    place = visible(one.file) or "(no file)"
    if one.span is None:
        return place
    place = f"{place}:{one.span.line}:{one.span.column}"
    if not one.same:
        return place
    named = [str(line) for line in one.same[:_NAMED_LINES]]
    left = len(one.same) - len(named)
    last = f"{left} more" if left else named.pop() if len(named) > 1 else ""
    lines = ", ".join(named) + (f" and {last}" if last else "")
    return f"{place}   also line{'s' if len(one.same) > 1 else ''} {lines}"


def _clip(one: Diagnostic) -> _Clip:
    """Find the span in the shown line; cut a long line around it."""
    line, span = one.source.rstrip(), one.span
    if span is None:
        return _Clip(line, 0, 1)
    start = min(span.column - 1, len(line))
    end = min(span.end_column - 1, len(line)) if span.end_line == span.line else len(line)
    length = max(1, end - start)
    stars = re.compile(r"\*+").match(line, start)
    if stars and len(stars[0]) >= len(MASK):
        length = len(stars[0])
    if len(line) <= _WIDEST:
        return _Clip(line, start, length)
    first = max(0, start - _BEFORE)
    lead, tail = "…" if first else "", "…" if first + _WIDEST < len(line) else ""
    cut = line[first : first + _WIDEST]
    start += len(lead) - first
    return _Clip(f"{lead}{cut}{tail}", start, min(length, len(lead) + len(cut) - start))


def _record(one: Diagnostic) -> dict[str, object]:
    place = None
    if one.span:
        source = one.source
        place = {
            "start": {"line": one.span.line, "column": one.span.column, "byte": _byte(source, one.span.column)},
            "end": {"line": one.span.end_line, "column": one.span.end_column, "byte": _end_byte(one)},
        }
    return {
        "severity": one.severity.value,
        "code": one.code,
        "message": one.message,
        "help": one.help,
        "file": one.file,
        "range": place,
        "path": one.path,
        "same": list(one.same),
    }


def _byte(line: str, column: int) -> int:
    """Count the UTF-8 bytes of a line before a column, from 1; beyond a masked line's end one byte a column."""
    before = line[: column - 1]
    return len(before.encode("utf-8", "surrogatepass")) + column - len(before)


def _end_byte(one: Diagnostic) -> int | None:
    """Give the end in bytes; None when it lies on a line that the diagnostic does not carry."""
    if one.span is None or one.span.end_line != one.span.line:
        return None
    return _byte(one.source, one.span.end_column)


def _annotation(one: Diagnostic) -> str:
    values = {"file": one.file, "title": one.code}
    if one.span:
        values |= {"line": str(one.span.line), "col": str(one.span.column)}
        if one.span.end_line == one.span.line:
            values["endColumn"] = str(one.span.end_column)
    order = ("file", "line", "col", "endColumn", "title")
    properties = ",".join(f"{key}={_property(values[key])}" for key in order if values.get(key))
    also = f"\nalso on {len(one.same)} more line{'s' if len(one.same) > 1 else ''}" if one.same else ""
    message = one.message + (f"\n{one.help}" if one.help else "") + also
    return f"::{one.severity.value} {properties}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _escaped(char: str) -> str:
    if char in _NAMED_ESCAPES:
        return _NAMED_ESCAPES[char]
    if unicodedata.category(char) in {"Cc", "Cs"} or _UNSEEN.match(char):
        return f"\\x{ord(char):02x}" if ord(char) <= 0xFF else f"\\u{ord(char):04x}"  # noqa: PLR2004 two hex digits
    return char


def _cells(text: str) -> int:
    """Count the columns that text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # noqa: PLC0415 only for lines that are not plain ASCII

    return cell_len(text)
