"""Bad rows as diagnostics: one for each cause, at its first row, naming the other rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong, Severity, Span
from runner.files.contact_table import open_csv, opened
from runner.files.contacts import is_json_lines
from runner.files.csv_rows import BAD_BYTE, column_of, read_line
from runner.model.campaign import ContactSource
from runner.model.contact import RejectedRow
from runner.rules.faults import of_sizes

_SHOWN = 2_000
"""characters of a row that are shown at most"""
_VALUE = re.compile(r"`[^`]*`|\d+")
_HELP: Mapping[str, str] = {
    "P02": "say which country: contacts: {{file: {file}, country: GB}}",
    "P04": "format the column as Text in the spreadsheet, paste the numbers again, save as CSV UTF-8",
    "P05": "write an IANA name such as America/New_York, or leave the cell empty",
    "P06": "say which encoding: contacts: {{file: {file}, encoding: cp1252}}",
    "P07": "write a country or a part of one such as US-TX, or leave the cell empty",
    "P08": "take the rows out, or leave such rows out: contacts: {{file: {file}, on_bad_row: skip}}",
    "P09": "let only the first row count, or tell people apart by a key: contacts: {{file: {file}, shared_number: once}}",
    "V02": "give a value for it: {{{{ contact.x | default('soon') }}}}, or leave such rows out: on_bad_row: skip",
}
_DEFAULT_HELP = "mend the rows, or leave them out: contacts: {{file: {file}, on_bad_row: skip}}"
_SKIPPED_HELP = "mend the rows; until then they are left out"
_LEFT_OUT = "or leave such rows out: contacts: {{file: {file}, on_bad_row: skip}}"


def row_diagnostics(
    rejected: Sequence[RejectedRow], source: ContactSource, shown: str, severity: Severity = Severity.ERROR
) -> list[Diagnostic]:
    """Group bad rows by cause; `shown` is the file as errors name it. The source's file is an absolute path."""
    groups: dict[tuple[str, str, str], list[RejectedRow]] = {}
    for row in rejected:
        groups.setdefault((row.code, row.column, _cause(row)), []).append(row)
    lines = _lines_of(source, [rows[0].row for rows in groups.values()])
    firsts = _placed([rows[0] for rows in groups.values()], source, lines)
    return [
        _diagnostic((first, *rows[1:]), source, shown, lines.get(first.row, ""), severity)
        for first, rows in zip(firsts, groups.values(), strict=True)
    ]


def _cause(row: RejectedRow) -> str:
    """Give a reason without what differs from row to row; the place of a value in the campaign stays."""
    place, colon, said = row.reason.partition(": ") if row.fault is not None else ("", "", row.reason)
    return f"{place}{colon}{_VALUE.sub('`…`', said)}"


def _diagnostic(
    rows: Sequence[RejectedRow], source: ContactSource, shown: str, text: str, severity: Severity
) -> Diagnostic:
    first = rows[0]
    column = first.cell_column
    return Diagnostic(
        code=first.code,
        message=_message(rows),
        help=_remedy(rows, source),
        file=shown,
        span=Span(first.row, column, first.row, column + _cell_length(text, column)),
        path=first.column,
        source=text,
        severity=severity,
        same=tuple(row.row for row in rows[1:]),
        quotes_contacts=True,
    )


def _message(rows: Sequence[RejectedRow]) -> str:
    first = rows[0]
    if first.fault is not None:
        message = of_sizes(first.reason, [row.fault.size if row.fault is not None else 0 for row in rows])
    else:
        message = f"{first.column}: {first.reason}" if first.column else first.reason
    return f"{len(rows)} rows: {message}" if len(rows) > 1 else message


def _remedy(rows: Sequence[RejectedRow], source: ContactSource) -> str:
    """Give the help of a cause; of several values that are too long that of the longest, which serves the others too."""
    file, skips = Path(source.file or "x.csv").name, source.on_bad_row == "skip"
    faults = [row.fault for row in rows if row.fault is not None and row.fault.help]
    if faults:
        own = max(faults, key=lambda fault: fault.size).help
        return own if skips else f"{own}\n{_LEFT_OUT.format(file=file)}"
    return _HELP.get(rows[0].code, _SKIPPED_HELP if skips else _DEFAULT_HELP).format(file=file)


def _placed(rows: list[RejectedRow], source: ContactSource, lines: Mapping[int, str]) -> list[RejectedRow]:
    """Find the cells of rows whose values cannot be made; where the file is no CSV, or is gone, nothing is found."""
    if source.file is None or is_json_lines(source) or not any(row.fault is not None and row.column for row in rows):
        return rows
    path = Path(source.file)
    try:
        with opened(path, source.encoding) as file:
            table = open_csv(file, source, path)
    except FilesWrong:
        return rows
    header, delimiter = table.header, table.rows.delimiter
    return [
        replace(row, cell_column=column_of(lines.get(row.row, ""), header.index(row.column), delimiter))
        if row.fault is not None and row.column in header
        else row
        for row in rows
    ]


def _cell_length(text: str, column: int) -> int:
    """Give how many characters the carets stand under: the cell up to the next separator."""
    rest = text[column - 1 :]
    match = re.match(r"\"[^\"]*\"|[^,;\t|]+", rest)
    return max(1, match.end() if match else 1)


def _lines_of(source: ContactSource, numbers: Iterable[int]) -> dict[int, str]:
    """Read the lines that diagnostics show; nothing when the file cannot be read again."""
    wanted = set(numbers)
    if source.file is None or not wanted:
        return {}
    found: dict[int, str] = {}
    try:
        with opened(Path(source.file), source.encoding) as file:
            for number, line in enumerate(iter(lambda: read_line(file), ""), start=1):
                if number in wanted:
                    found[number] = line.rstrip("\r\n").replace(BAD_BYTE, "\ufffd")[:_SHOWN]
                if len(found) == len(wanted):
                    break
    except FilesWrong:
        return found
    return found
