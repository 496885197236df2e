"""Files for `outreach suppress import` and `export`: numbers with reason, source and end, and back."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from runner.files.rejects import harmless
from runner.files.suppressions import Entry, entries_of, number_of
from runner.model.campaign import Columns
from runner.model.contact import RejectedRow
from runner.model.suppression import Suppression
from runner.rules.numbers import NumberRefused

COLUMNS = ("phone", "reason", "source", "at", "until")
"""the columns of an export, which an import reads back; of a foreign file only the phone column is needed"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """What an entry gets where its row says nothing."""

    reason: str
    source: str
    until: datetime | None
    country: str | None
    """of numbers that are written without + and country code"""


def read_list(path: Path, usual: Usual, now: datetime) -> Iterator[Suppression | RejectedRow]:
    """Give each entry of a file, a number a line or a CSV with a phone column, or why it is none, in file order.

    Raises FilesWrong when the file as a whole cannot be read.
    """
    for entry in entries_of(path, Columns(), follow=True):
        try:
            yield _suppression(entry, usual, now)
        except NumberRefused as refused:
            yield _rejected(entry, "phone", refused.message, refused.code)
        except _EndUnclear as error:
            yield _rejected(entry, "until", str(error), "P01")


def write_list(entries: Iterable[Suppression], file: IO[str]) -> int:
    """Write entries as a CSV that `read_list` reads back; gives how many. No cell runs as a formula."""
    lines = csv.writer(file, lineterminator="\n")
    lines.writerow(COLUMNS)
    count = 0
    for one in entries:
        until = one.until.isoformat() if one.until is not None else ""
        cells = (one.phone, one.reason, one.source, one.at.isoformat(), until)
        lines.writerow([harmless(cell) for cell in cells])
        count += 1
    return count


class _EndUnclear(ValueError):
    """The cell that says when a suppression ends cannot be read, and the entry must not be taken for a short one."""


def _suppression(entry: Entry, usual: Usual, now: datetime) -> Suppression:
    said = entry.cells
    return Suppression(
        phone=number_of(entry, usual.country),
        reason=said.get("reason") or usual.reason,
        source=said.get("source") or usual.source,
        at=now,
        until=_until(said["until"]) if "until" in said else usual.until,
    )


def _until(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise _EndUnclear(f"`{text}` is not an instant; write: 2026-12-01T09:00:00Z") from None
    if at.tzinfo is None:
        raise _EndUnclear(f"`{text}` has no offset; write: 2026-12-01T09:00:00Z")
    return at.astimezone(UTC)


def _rejected(entry: Entry, column: str, reason: str, code: str) -> RejectedRow:
    cells = tuple(entry.cells.values()) or (entry.text,)
    return RejectedRow(row=entry.line, column=column, reason=reason, code=code, cells=cells)
