"""Contacts into people, row by row: each row of a file becomes a contact or says why it does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import TypeAdapter, ValidationError

from runner.errors import FilesWrong
from runner.files.contact_table import (
    TIMEZONE_COLUMN,
    CsvTable,
    column_problems,
    country_problems,
    open_csv,
    opened,
    sharing_problems,
)
from runner.files.csv_rows import BAD_BYTE, TornRow, column_of
from runner.files.json_rows import JsonRow, json_rows
from runner.files.suppressions import Suppressions, read_suppressions
from runner.model.campaign import ContactSource
from runner.model.compliance import is_jurisdiction
from runner.model.contact import Contact, DuplicateRow, RejectedRow
from runner.model.fields import Zone
from runner.model.json import Json
from runner.rules.countries import never_reached
from runner.rules.numbers import Number, NumberRefused, read_number

Row = Contact | RejectedRow | DuplicateRow

JSON_LINES = frozenset({".jsonl", ".ndjson"})
"""what a file's name ends in when it holds one JSON object a line; all others are CSV"""

_LINES_FOR_COLUMNS = 100
_ZONE: TypeAdapter[str] = TypeAdapter(Zone)


def read_contacts(
    source: ContactSource, base: Path, inline_lines: Sequence[int] = (), *, suppressions: Suppressions | None = None
) -> Iterator[Row]:
    """Give every row of the contacts as a contact, a rejected row or a duplicate, in file order.

    ``base`` is the folder that file names are relative to; an absolute name stands for itself, and
    nothing is checked about where it leads. ``inline_lines`` are the lines of inline contacts
    (their places from 1 when absent). Reads the do-not-contact files that the source names unless
    ``suppressions`` brings them. Streams: only the numbers and keys seen are kept in memory.
    ``where`` is not applied; blank rows leave no trace. Raises FilesWrong, when the first row is
    asked for, with everything that is wrong with the files as a whole.
    """
    columns = columns_of(source, base)
    known = suppressions if suppressions is not None else read_suppressions(source, base)
    sieve = _Sieve(source, known, columns)
    if source.inline is not None:
        yield from _inline_rows(source.inline, inline_lines, sieve)
        return
    path = base / (source.file or "")
    with opened(path, source.encoding) as text:
        if is_json_lines(source):
            yield from _json_rows(json_rows(text), sieve)
        else:
            yield from _csv_rows(open_csv(text, source, path), sieve)


def columns_of(source: ContactSource, base: Path) -> tuple[str, ...]:
    """Give the names of the columns: the CSV header, the keys of the first 100 JSON lines, all keys inline.

    Raises FilesWrong with everything that is wrong with the source as a whole: country, file,
    encoding, header, columns that are named and not there.
    """
    path = base / source.file if source.file else None
    problems = [*country_problems(source), *sharing_problems(source)]
    names: tuple[str, ...] = ()
    try:
        if path is None:
            names = _union(source.inline or ())
        else:
            with opened(path, source.encoding) as text:
                if is_json_lines(source):
                    objects = (row.values for row in json_rows(text) if isinstance(row, JsonRow))
                    names = _union(islice(objects, _LINES_FOR_COLUMNS))
                else:
                    names = open_csv(text, source, path).header
    except FilesWrong as wrong:
        raise FilesWrong([*problems, *wrong.diagnostics]) from wrong
    if names and (path is None or is_json_lines(source)):
        problems += column_problems(names, source, path)
    if problems:
        raise FilesWrong(problems)
    return names


def is_json_lines(source: ContactSource) -> bool:
    """Whether the file holds one JSON object a line."""
    return Path(source.file or "").suffix.lower() in JSON_LINES


def _union(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for row in rows for name in row))


class _Person(NamedTuple):
    """One row, whatever it was read from."""

    line: int
    values: dict[str, Json]
    cells: Sequence[str]
    """as they stand in a CSV; empty for rows that were never cells"""
    place: Callable[[str], int]
    """gives the character column of a column's cell in the row's line"""


class _Refused(Exception):
    """A row names nobody who could be reached: which column is wrong, why, and the code of the cause."""

    def __init__(self, column: str, reason: str, code: str) -> None:
        super().__init__(reason)
        self.column = column
        self.reason = reason
        self.code = code


class _Sieve:
    """Tells people from bad rows and from repetitions; remembers the numbers and keys it has seen."""

    def __init__(self, source: ContactSource, suppressions: Suppressions, columns: Sequence[str]) -> None:
        self._country = source.country
        self._suppressions = suppressions
        self._phone = source.columns.phone
        self._key = source.columns.key
        self._zone = source.columns.timezone or TIMEZONE_COLUMN
        self._jurisdiction = source.columns.jurisdiction
        self._shared = source.shared_number
        self._lines: dict[int, int] = {}
        self._key_lines: dict[str, int] = {}
        self._keys_of_shared: set[tuple[int, str]] = set()
        """the number and key of each row, where one number may be several people's"""
        self._columns = tuple(columns)

    def sift(self, person: _Person) -> Row:
        """Decide what a row is; a number or key counts as seen only when its row is a contact."""
        try:
            number = self._number(person)
            if int(number.e164) in self._lines and (again := self._again(person, number.e164)) is not None:
                return again
            contact = self._contact(person, number)
        except _Refused as refused:
            return self._rejected(person, refused)
        digits = int(contact.phone)
        if self._key is not None:
            self._key_lines[contact.key] = person.line
        if self._shared == "each":
            self._keys_of_shared.add((digits, contact.key))
        self._lines.setdefault(digits, person.line)
        return contact

    def _number(self, person: _Person) -> Number:
        written = person.values.get(self._phone, "")
        if not isinstance(written, str):
            raise _Refused(self._phone, f"`{self._phone}` is not text", "P01")
        try:
            number = read_number(written, self._country)
        except NumberRefused as refused:
            raise _Refused(self._phone, refused.message, refused.code) from None
        if reason := never_reached(number):
            raise _Refused(self._phone, f"`{written}` {reason}", "P08")
        return number

    def _contact(self, person: _Person, number: Number) -> Contact:
        zone = person.values.get(self._zone)
        if zone is not None and (reason := _zone_problem(zone)):
            raise _Refused(self._zone, reason, "P05")
        told = self._told(person)
        if wrong := [one for one in told if not is_jurisdiction(one)]:
            reason = f"`{wrong[0]}` is not a country or a part of one, such as US-TX"
            raise _Refused(self._jurisdiction or "", reason, "P07")
        return Contact(
            key=self._key_of(person, number.e164),
            phone=number.e164,
            row=person.line,
            values=person.values,
            timezone=str(zone) if zone is not None else None,
            jurisdictions=told,
            region=number.region,
            number_type=number.kind,
            suppressed_by=self._suppressions.named_by(number.e164),
        )

    def _again(self, person: _Person, phone: str) -> Row | None:
        """Decide on a row whose number stands in an earlier one; None when it is a person all the same."""
        first = self._lines[int(phone)]
        if self._shared == "refuse":
            raise _Refused(self._phone, f"`{phone}` stands in row {first} already", "P09")
        key = str(person.values.get(self._key or "", ""))
        if self._shared == "each" and (int(phone), key) not in self._keys_of_shared:
            return None
        return DuplicateRow(row=person.line, phone=phone, first_row=first)

    def _rejected(self, person: _Person, refused: _Refused) -> RejectedRow:
        cells = person.cells or [_as_cell(person.values.get(name)) for name in self._columns]
        return RejectedRow(
            row=person.line,
            column=refused.column,
            reason=refused.reason,
            code=refused.code,
            cells=tuple(cells),
            cell_column=person.place(refused.column),
        )

    def _told(self, person: _Person) -> tuple[str, ...]:
        """Give the places that the row names, several parted by commas."""
        cell = person.values.get(self._jurisdiction) if self._jurisdiction is not None else None
        return tuple(one.strip().upper() for one in str(cell).split(",")) if cell is not None else ()

    def _key_of(self, person: _Person, phone: str) -> str:
        """Give what names the person: the cell of the key column, which no other number may have, else the number."""
        if self._key is None:
            return phone
        key = str(person.values.get(self._key, ""))
        if not key:
            raise _Refused(self._key, f"`{self._key}` is empty, and it names the person", "P01")
        if key in self._key_lines:
            raise _Refused(self._key, f"`{key}` names another number on line {self._key_lines[key]}", "P01")
        return key


def _csv_rows(table: CsvTable, sieve: _Sieve) -> Iterator[Row]:
    header, width, delimiter = table.header, len(table.header), table.rows.delimiter
    for row in table.rows:
        if isinstance(row, TornRow):
            yield _torn(row, header, delimiter)
            continue
        cells = row.cells
        if len(cells) != width:
            if len(cells) < width or any(cells[width:]):
                yield _wrong_width(row.line, cells, width)
                continue
            del cells[width:]
        values: dict[str, Json] = {name: cell for name, cell in zip(header, cells, strict=True) if cell}
        yield sieve.sift(_Person(row.line, values, cells, partial(_place, row.text, header, delimiter)))


def _place(text: str, header: Sequence[str], delimiter: str, column: str) -> int:
    """Find a column's cell in the text of a row; asked only when the row is rejected."""
    return column_of(text, header.index(column), delimiter) if column in header else 1


def _json_rows(rows: Iterable[JsonRow | TornRow], sieve: _Sieve) -> Iterator[Row]:
    for row in rows:
        if isinstance(row, TornRow):
            yield _torn(row, (), "")
        else:
            yield sieve.sift(_Person(row.line, _kept(row.values), (), _first_column))


def _inline_rows(rows: Sequence[Mapping[str, Any]], lines: Sequence[int], sieve: _Sieve) -> Iterator[Row]:
    for index, row in enumerate(rows):
        line = lines[index] if index < len(lines) else index + 1
        yield sieve.sift(_Person(line, _kept(row), (), _first_column))


def _first_column(_column: str) -> int:
    return 1


def _kept(values: Mapping[str, Any]) -> dict[str, Json]:
    """Strip text and leave out what is empty, as in a CSV."""
    stripped = {name: value.strip() if isinstance(value, str) else value for name, value in values.items()}
    return {name: value for name, value in stripped.items() if value is not None and value != ""}


def _as_cell(value: Json) -> str:
    """Write a value as a CSV would hold it."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False)


def _torn(row: TornRow, header: Sequence[str], delimiter: str) -> RejectedRow:
    """Reject a row that could not be read; a byte that could not be decoded names its column."""
    cells = tuple(cell.replace(BAD_BYTE, "\ufffd") for cell in row.cells or (row.text.rstrip("\r\n"),))
    bad = next((index for index, cell in enumerate(row.cells) if BAD_BYTE in cell), len(header))
    column = header[bad] if bad < len(header) else ""
    return RejectedRow(
        row=row.line,
        column=column,
        reason=f"`{column}` has a byte that is not in the file's encoding" if column else row.reason,
        code="P06" if row.bad_byte else "P01",
        cells=cells,
        cell_column=column_of(row.text, bad, delimiter) if column else 1,
    )


def _wrong_width(line: int, cells: Sequence[str], width: int) -> RejectedRow:
    count = f"{len(cells)} cell" if len(cells) == 1 else f"{len(cells)} cells"
    return RejectedRow(
        row=line, column="", reason=f"this row has {count} where the header has {width}", cells=tuple(cells)
    )


def _zone_problem(zone: Json) -> str:
    return _zone_sentence(zone) if isinstance(zone, str) else "the zone is not text"


@lru_cache(maxsize=4096)
def _zone_sentence(zone: str) -> str:
    """Say that this is no zone and which one was probably meant; empty when it is one."""
    try:
        _ZONE.validate_python(zone)
    except ValidationError:
        near = _near_zone(zone)
        return f"`{zone}` is not a time zone" + (f"; did you mean `{near}`?" if near else "")
    return ""


def _near_zone(zone: str) -> str:
    import difflib  # noqa: PLC0415 only on the way to an error
    from zoneinfo import available_timezones  # noqa: PLC0415 reads a folder

    # `Etc/GMT+2` lies west of Greenwich: the one name that must not be suggested for `GMT+2`
    known = sorted(name for name in available_timezones() if "/" in name and not name.startswith("Etc/"))
    by_name = {name.rpartition("/")[2].lower(): name for name in known}
    by_name |= {name.lower(): name for name in known}
    found = difflib.get_close_matches(zone.replace(" ", "_").lower(), by_name, n=1, cutoff=0.8)
    return by_name[found[0]] if found else ""
