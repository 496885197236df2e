"""Rejected rows into a CSV that a person can mend and hand in again."""

from __future__ import annotations

import csv
import os
import re
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

from runner.model.contact import RejectedRow

REASON_COLUMNS = ("rejected_row", "rejected_column", "rejected_reason")
"""what stands before the row's own cells: they may be more than the header has, so they come last"""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_UNSEEN = " \u00a0\u200b\u200c\u200d\u2060\ufeff"
_PHONE = re.compile(r"\+[\d\s().\-]{6,30}", re.ASCII)


def write_rejects(path: Path, header: Sequence[str], rows: Iterable[RejectedRow]) -> int:
    """Write rejected rows with their reasons; gives how many. The file appears whole or not at all.

    Every cell is quoted; one that a spreadsheet would run as a formula gets an apostrophe, a phone
    number stays as it was written. Only the owner may read the file. An older file is replaced.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            count = _write(file, header, rows)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return count


def harmless(cell: str) -> str:
    """Put an apostrophe before a cell that a spreadsheet would run; a phone number is left alone."""
    is_formula = cell.startswith(_FORMULA) or cell.lstrip(_UNSEEN).startswith(_FORMULA)
    if is_formula and not _PHONE.fullmatch(cell):
        return f"'{cell}"
    return cell


def _write(file: IO[str], header: Sequence[str], rows: Iterable[RejectedRow]) -> int:
    lines = csv.writer(file, quoting=csv.QUOTE_ALL)
    lines.writerow([harmless(name) for name in (*REASON_COLUMNS, *header)])
    count = 0
    for row in rows:
        lines.writerow([harmless(cell) for cell in (str(row.row), row.column, row.reason, *row.cells)])
        count += 1
    return count
