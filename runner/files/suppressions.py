"""Do-not-contact files into a set of numbers; an entry that cannot be read stops everything."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from runner.errors import Diagnostic, FilesWrong, Span
from runner.files.contact_table import column_problems, opened, says_phone
from runner.files.csv_rows import BAD_BYTE, CsvRow, CsvRows, TornRow, read_line
from runner.model.campaign import Columns, ContactSource
from runner.rules.numbers import NumberRefused, read_number

_COMMENT = re.compile(r"\s*#(\s|$)")
"""`#N/A` is no comment: it is what a spreadsheet leaves of an entry"""
_PUNCTUATION = re.compile(r"[\s().\-]")
_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Suppressions:
    """The numbers that must not be contacted, each with the place that says so."""

    files: tuple[str, ...] = ()
    """the files, as the campaign names them"""
    places: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    """digits of the number -> index of the file, line"""

    def __len__(self) -> int:
        """How many numbers are named."""
        return len(self.places)

    def named_by(self, e164: str) -> str:
        """Give the place that names this number, `path:line`; empty when none does."""
        place = self.places.get(int(e164)) if self.places else None
        return f"{self.files[place[0]]}:{place[1]}" if place else ""


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands where a number should, and its line."""

    line: int
    text: str
    reason: str = ""
    """why there is no number, when the row itself is torn"""
    cells: Mapping[str, str] = field(default_factory=dict)
    """the row by column, of a CSV; an empty cell is absent"""


def read_suppressions(source: ContactSource, base: Path) -> Suppressions:
    """Read all do-not-contact files that a source names.

    A file is a list (a number a line, `# ` starts a comment line) or a CSV with a phone column.
    Raises FilesWrong, with every entry that cannot be read, if there is a single one: a person
    who asked not to be called must not be called because of a typing error.
    """
    places: dict[int, tuple[int, int]] = {}
    problems: list[Diagnostic] = []
    for index, name in enumerate(source.suppress):
        try:
            for number, line in _numbers(base / name, source.country, source.columns):
                places.setdefault(number, (index, line))
        except FilesWrong as wrong:
            problems.extend(wrong.diagnostics)
    if problems:
        raise FilesWrong(problems)
    return Suppressions(source.suppress, places)


def entries_of(path: Path, columns: Columns, *, follow: bool = False) -> Iterator[Entry]:
    """Give the entries of a list, or of a CSV with a phone column; raises FilesWrong for a file that is neither.

    The first line tells them apart: a header has letters, a number has none. With `follow` the path may be a link.
    """
    # opened once: what was found to be a list must not turn into a table on the second look
    with opened(path, "utf-8", follow=follow) as text:
        first_line, first = next(_said(text), (0, ""))
        text.seek(0)
        if any(one.isalpha() for one in first):
            for _ in range(first_line - 1):
                read_line(text)
            yield from _csv_entries(CsvRows(text, None), path, columns, first_line - 1)
        else:
            yield from (Entry(line, written.strip()) for line, written in _said(text))


def number_of(entry: Entry, country: str | None) -> str:
    """Read an entry's number as E.164; raises NumberRefused.

    A number that no one could have is still matched when it is written in full.
    """
    if entry.reason or BAD_BYTE in entry.text:
        raise NumberRefused(
            entry.reason or "a byte in this entry cannot be read", code="P06", help="save the file as UTF-8"
        )
    try:
        return read_number(entry.text, country).e164
    except NumberRefused:
        literal = _PUNCTUATION.sub("", entry.text)
        if _E164.fullmatch(literal):
            return literal
        raise


def _numbers(path: Path, country: str | None, columns: Columns) -> Iterator[tuple[int, int]]:
    """Give each number of a file and its line; raises FilesWrong at the end if an entry was unreadable."""
    faults: dict[tuple[str, str], list[tuple[int, str]]] = {}
    for entry in entries_of(path, columns):
        try:
            yield int(number_of(entry, country)), entry.line
        except NumberRefused as refused:
            faults.setdefault((refused.code, refused.help), []).append((entry.line, refused.message))
    if faults:
        raise FilesWrong(_diagnostic(path, remedy, found) for (_, remedy), found in faults.items())


def _said(text: IO[str]) -> Iterator[tuple[int, str]]:
    """Give the lines that are neither blank nor a comment, with their numbers."""
    for line, written in enumerate(iter(lambda: read_line(text), ""), start=1):
        if written.strip() and not _COMMENT.match(written):
            yield line, written


def _csv_entries(rows: CsvRows, path: Path, columns: Columns, above: int) -> Iterator[Entry]:
    """Take the phone column of each row: the one the campaign names, else `phone`, else the only one."""
    header: list[str] = []
    for row in rows:
        if isinstance(row, TornRow):
            yield Entry(row.line + above, "", row.reason)
        elif not header:
            header = row.cells
            column = _phone_column(row, path, columns)
        else:
            cells = {name: cell for name, cell in zip(header, row.cells, strict=False) if cell}
            yield Entry(row.line + above, row.cells[column] if column < len(row.cells) else "", cells=cells)


def _phone_column(header: CsvRow, path: Path, columns: Columns) -> int:
    for name in (columns.phone, "phone"):
        if name in header.cells:
            return header.cells.index(name)
    # a lone cell may be an entry with a slip in it, so it counts as a header only if it says so
    if len(header.cells) == 1 and says_phone(header.cells[0]):
        return 0
    raise FilesWrong(column_problems(header.cells, ContactSource(file=path.name, columns=Columns()), path, header.line))


def _diagnostic(path: Path, help: str, found: list[tuple[int, str]]) -> Diagnostic:
    """Say which entries of a file stop everything; those with the same cause as one."""
    line, message = found[0]
    return Diagnostic(
        code="P14",
        message=f"{message}, so this do-not-contact file cannot be obeyed",
        help=help,
        file=str(path),
        span=Span(line, 1, line, 2),
        same=tuple(other for other, _ in found[1:]),
    )
