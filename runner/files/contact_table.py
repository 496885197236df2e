"""A contact file opened: its encoding, delimiter and header, and every fault of the file as a whole.

Codes: P10 no such file, P11 encoding, P12 header, P13 a named column is not there, P14 an entry
of a do-not-contact file, P15 country, P17 people who share a number; P16 is `zone_columns.py`. Faults of single rows are P01 to P09 (`model/contact.py`).
"""

from __future__ import annotations

import codecs
import difflib
import errno
import io
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runner.errors import Diagnostic, FilesWrong, Span
from runner.files.csv_rows import BAD_BYTE, CsvRow, CsvRows, TornRow, column_of, marked_encoding, open_text
from runner.files.paths import FileTooLarge, NoRegularFile, open_regular
from runner.model.campaign import ContactSource
from runner.rules.numbers import is_country

MOST_BYTES = 1 << 30
"""bytes of a file with contacts, or with numbers that are not to be contacted"""

TIMEZONE_COLUMN = "timezone"
"""the column that holds the zone when the campaign names none"""
_PHONE_WORDS = frozenset(
    {"phone", "mobile", "tel", "telephone", "cell", "number", "msisdn", "handy", "portable", "whatsapp", "to"}
)
_SHOWN_COLUMNS = 20
_NOT_FOR_FILES = frozenset({"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "utf-7"})
_ENCODINGS = (
    "utf-8",
    "utf-16",
    "cp1252",
    "latin-1",
    "iso8859-15",
    "cp1250",
    "cp1251",
    "mac-roman",
    "cp437",
    "gb18030",
    "shift_jis",
)
_COUNTRIES = {"UK": "GB", "EN": "GB", "EL": "GR", "USA": "US"}


@dataclass(frozen=True, slots=True)
class CsvTable:
    """A CSV file whose header has been read and found usable."""

    header: tuple[str, ...]
    rows: CsvRows
    """what stands behind the header"""


@contextmanager
def opened(path: Path, encoding: str, *, follow: bool = False) -> Iterator[IO[str]]:
    """Open a file for reading as text; raises FilesWrong when it is not there, too large, or cannot be decoded.

    The links of a path that a campaign names were followed when it was checked; one that stands there now came later
    and is refused. A path that the command was given may be a link: `follow`.
    """
    _refuse(_encoding_problems(path, encoding))
    try:
        binary = open_regular(path, follow=follow, most=MOST_BYTES)
    except (OSError, ValueError) as error:
        raise FilesWrong([_missing(path, error)]) from error
    with binary:
        _refuse(_content_problems(path, binary, encoding))
        yield open_text(binary, encoding)


def open_csv(text: IO[str], source: ContactSource, path: Path) -> CsvTable:
    """Read the header; raises FilesWrong with all that is wrong with it."""
    rows = CsvRows(text, "\t" if source.delimiter == "tab" else source.delimiter)
    first = next(iter(rows), None)
    if first is None:
        raise FilesWrong([_problem(path, "P12", "the file is empty", "its first line names the columns: phone,name")])
    if isinstance(first, TornRow):
        raise FilesWrong([_torn_header(path, first)])
    names = _without_trailing(first.cells)
    places = {name: column_of(first.text, index, rows.delimiter) for index, name in enumerate(names)}
    faults = [*_name_problems(path, first, names, places), *column_problems(names, source, path, first.line)]
    _refuse(faults)
    return CsvTable(tuple(names), rows)


def column_problems(names: Sequence[str], source: ContactSource, path: Path | None, line: int = 0) -> list[Diagnostic]:
    """Say which columns the campaign names and the contacts do not have."""
    named = source.columns
    wanted = {
        "phone": named.phone,
        "timezone": named.timezone,
        "key": named.key,
        "jurisdiction": named.jurisdiction,
    }
    return [
        Diagnostic(
            code="P13",
            message=f"there is no column `{name}`",
            help=_column_help(use, name, names, source),
            file=str(path or ""),
            span=Span(line, 1, line, 2) if line else None,
        )
        for use, name in wanted.items()
        if name is not None and name not in names
    ]


def country_problems(source: ContactSource) -> list[Diagnostic]:
    """Say so when the country of the contacts is none."""
    if source.country is None or is_country(source.country):
        return []
    near = _COUNTRIES.get(source.country)
    remedy = f"did you mean `{near}`?" if near else "write two letters: GB"
    return [
        Diagnostic(code="P15", message=f"`{source.country}` is not a country", help=remedy, path="contacts.country")
    ]


def sharing_problems(source: ContactSource) -> list[Diagnostic]:
    """Say so when a number may be several people's and nothing tells them apart."""
    if source.shared_number != "each" or source.columns.key is not None:
        return []
    message = "`shared_number: each` needs a column that tells apart who share a number"
    remedy = "name it: contacts: {columns: {key: customer_id}}"
    return [Diagnostic(code="P17", message=message, help=remedy, path="contacts.shared_number")]


def says_phone(name: str) -> bool:
    """Whether a column's name has a word for phone number in it."""
    return not _PHONE_WORDS.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def _refuse(problems: Iterable[Diagnostic]) -> None:
    found = tuple(problems)
    if found:
        raise FilesWrong(found)


def _problem(path: Path, code: str, message: str, help: str, span: Span | None = None, source: str = "") -> Diagnostic:
    return Diagnostic(code=code, message=message, help=help, file=str(path), span=span, source=source)


def _encoding_problems(path: Path, encoding: str) -> list[Diagnostic]:
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        found = None
    if found is not None and getattr(found, "_is_text_encoding", True) and found.name not in _NOT_FOR_FILES:
        return []
    near = difflib.get_close_matches(encoding.lower(), _ENCODINGS, n=1)
    remedy = f"did you mean `{near[0]}`?" if near else "write: encoding: utf-8   (or cp1252, utf-16, latin-1)"
    return [_problem(path, "P11", f"`{encoding}` is not a text encoding", remedy)]


def _missing(path: Path, error: Exception) -> Diagnostic:
    if os.path.isdir(path):  # noqa: PTH112 false, where `Path` raises for a name that is too long
        return _problem(path, "P10", f"`{path}` is a folder", "name a file in it")
    if isinstance(error, NoRegularFile):
        return _problem(path, "P10", f"`{path}` is a pipe or a device", "name a file")
    if isinstance(error, FileTooLarge):
        message = f"`{path}` is larger than {MOST_BYTES >> 30} GiB"
        return _problem(path, "P10", message, "split it into several campaigns")
    if path.is_symlink() and isinstance(error, OSError) and error.errno == errno.ELOOP:
        return _problem(path, "P10", f"`{path}` became a link while it was looked at", "put the file itself there")
    if not isinstance(error, FileNotFoundError):
        reason = (getattr(error, "strerror", None) or str(error) or "no reason given").lower()
        return _problem(path, "P10", f"`{path}` cannot be read: {reason}", "")
    beside = sorted(one.name for one in path.parent.iterdir() if one.is_file()) if os.path.isdir(path.parent) else []  # noqa: PTH112 as above
    near = difflib.get_close_matches(path.name, beside, n=1)
    remedy = f"did you mean `{near[0]}`?" if near else "names are relative to the campaign file"
    return _problem(path, "P10", f"there is no file `{path}`", remedy)


def _content_problems(path: Path, binary: io.BufferedReader, encoding: str) -> Iterator[Diagnostic]:
    start = binary.peek(4)
    if start.startswith(b"PK\x03\x04"):
        yield _problem(path, "P12", "this is a spreadsheet or an archive, not text", "save it as CSV UTF-8")
    name = codecs.lookup(encoding).name
    if start and name in {"utf-16", "utf-32"} and not marked_encoding(binary):
        message = f"the file has no byte order mark, so `{encoding}` does not say how to read it"
        yield _problem(path, "P11", message, f"write: encoding: {name}-le")


def _torn_header(path: Path, first: TornRow) -> Diagnostic:
    remedy = "the first line names the columns: phone,name"
    if "\0" in first.text:
        remedy = "if the file is UTF-16, write: encoding: utf-16-le"
    elif first.bad_byte:
        remedy = "say which encoding: contacts: {file: ..., encoding: cp1252}"
    message = f"the header cannot be read: {first.reason.replace('this row', 'it')}"
    return _problem(path, "P11" if first.bad_byte else "P12", message, remedy, Span(first.line, 1, first.line, 2))


def _without_trailing(cells: Sequence[str]) -> list[str]:
    """Leave out nameless columns at the end, which spreadsheets add."""
    names = list(cells)
    while names and not names[-1]:
        names.pop()
    return names


def _name_problems(path: Path, first: CsvRow, names: Sequence[str], places: dict[str, int]) -> Iterator[Diagnostic]:
    for name in dict.fromkeys(names):
        column = places[name]
        span = Span(first.line, column, first.line, column + max(len(name), 1))
        shown = first.text.rstrip("\r\n") if "\n" not in first.text.rstrip("\r\n") else ""
        if not name:
            yield _problem(path, "P12", "a column has no name", "name each column in the first line", span, shown)
        elif BAD_BYTE in name:
            yield _problem(
                path, "P11", "a column's name is not in the file's encoding", "write: encoding: cp1252", span
            )
        elif names.count(name) > 1:
            yield _problem(
                path, "P12", f"two columns are called `{name}`", "give each column its own name", span, shown
            )


def _column_help(use: str, name: str, names: Sequence[str], source: ContactSource) -> str:
    """Name the column that was probably meant, in a line to paste."""
    near = difflib.get_close_matches(name.lower(), {one.lower(): one for one in names}, n=1)
    found = next((one for one in names if near and one.lower() == near[0]), "")
    if not found and use == "phone":
        found = next((one for one in names if says_phone(one)), "")
    if not found:
        return f"the columns are: {', '.join(names[:_SHOWN_COLUMNS])}{', ...' if len(names) > _SHOWN_COLUMNS else ''}"
    where = f"file: {source.file}, " if source.file else ""
    return f"did you mean `{found}`? write: contacts: {{{where}columns: {{{use}: {found}}}}}"
