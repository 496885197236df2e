"""Bad rows as diagnostics: one for each cause, at its first row, naming the other rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong, Severity, Span
from runner.files.contact_table import opened
from runner.files.csv_rows import BAD_BYTE, read_line
from runner.model.campaign import ContactSource
from runner.model.contact import RejectedRow

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
    "V10": 'shorten the cell, or allow more: variables: {{x: {{value: "{{{{ contact.x }}}}", longest: 2000}}}}',
}
_DEFAULT_HELP = "mend the rows, or leave them out: contacts: {{file: {file}, on_bad_row: skip}}"
_SKIPPED_HELP = "mend the rows; until then they are left out"


def row_diagnostics(
    rejected: Sequence[RejectedRow], source: ContactSource, shown: str, severity: Severity = Severity.ERROR
) -> list[Diagnostic]:
    """Group bad rows by cause; `shown` is the file as errors name it. The source's file is an absolute path."""
    groups: dict[tuple[str, str, str], list[RejectedRow]] = {}
    for row in rejected:
        groups.setdefault((row.code, row.column, _VALUE.sub("`…`", row.reason)), []).append(row)
    firsts = [rows[0].row for rows in groups.values()]
    lines = _lines_of(source, firsts)
    return [_diagnostic(rows, source, shown, lines, severity) for rows in groups.values()]


def _diagnostic(
    rows: Sequence[RejectedRow], source: ContactSource, shown: str, lines: Mapping[int, str], severity: Severity
) -> Diagnostic:
    first = rows[0]
    otherwise = _SKIPPED_HELP if source.on_bad_row == "skip" else _DEFAULT_HELP
    help_line = _HELP.get(first.code, otherwise).format(file=Path(source.file or "x.csv").name)
    message = f"{first.column}: {first.reason}" if first.column else first.reason
    if len(rows) > 1:
        message = f"{len(rows)} rows: {message}"
    text = lines.get(first.row, "")
    length = _cell_length(text, first)
    return Diagnostic(
        code=first.code,
        message=message,
        help=help_line,
        file=shown,
        span=Span(first.row, first.cell_column, first.row, first.cell_column + length),
        path=first.column,
        source=text,
        severity=severity,
        same=tuple(row.row for row in rows[1:]),
    )


def _cell_length(text: str, row: RejectedRow) -> int:
    """Give how many characters the carets stand under: the cell up to the next separator."""
    rest = text[row.cell_column - 1 :]
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
