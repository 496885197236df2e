"""Which ledger a file is: a copy, an older state put back and a file moved alone are told from the ledger itself.

Inside, the ledger has an id and the number of its file (the inode). Beside it lies a mark, `<file>.mark`,
with the id and the newest event, written after each commit that has one. A copy has another inode or no
mark; an older state put into the same file ends before the mark. Such a ledger can be read and added
to, and nothing is sent from it until `outreach ledger reconcile`: whoever the lost part had contacted
would be contacted again.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import LedgerCopied
from runner.ledger.queries import query

_FORM = re.compile(rb"outreach ledger ([0-9a-f]{32}) event (\d{20})\n")
_DISOWNED = "older than its mark"
_COPIED = "a backup"
_HELP = "outreach ledger reconcile   (it says what it does; with --moved: the ledger was moved, and no other copy runs)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What lies beside a ledger."""

    instance: str
    event: int
    """the newest event that was committed"""


@dataclass(slots=True)
class Tide:
    """Keeps the mark of a ledger at its newest event; does nothing for one that is not the ledger itself."""

    connection: sqlite3.Connection
    path: Path
    instance: str
    foreign: str = ""
    """why the file is not the ledger itself; empty when it is"""
    _noted: int = field(default=0)

    def advance(self) -> None:
        """Note the newest event; called after a commit. A mark that cannot be written only notices less."""
        if self.foreign:
            return
        with suppress(OSError, sqlite3.Error):  # what was committed stays so, whatever becomes of the mark
            newest = _newest(self.connection)
            if newest > self._noted:
                write_mark(self.path, Mark(instance=self.instance, event=newest))
                self._noted = newest


def settle_in(connection: sqlite3.Connection, path: Path) -> Tide:
    """Look whether an opened file is the ledger itself; a new one, or one of before, is from now on."""
    mark, is_marked = read_mark(path), mark_of(path).exists()  # before the ledger is read: it is never ahead of it
    facts = dict(connection.execute("SELECT name, value FROM facts WHERE name IN ('instance', 'home')").fetchall())
    instance = facts["instance"]
    if "home" not in facts:
        is_ours = mark is not None and mark.instance == instance
        if not is_marked or is_ours or not _holds_anything(connection):
            write_mark(path, Mark(instance=instance, event=_newest(connection)))
            connection.execute(query("set_home"), {"home": _number_of(path)})
            return Tide(connection, path, instance)
        # A state from before ledgers had a home lies where a later one was: what ran on that is not in it.
        facts["home"] = ""
    mark = mark or read_mark(path)  # another process may have written the first one just now
    why = _foreign(path, facts["home"], instance, mark, _newest(connection))
    if why == _DISOWNED != facts["home"]:
        # What is added from now on must not bring it past its mark unnoticed.
        connection.execute(query("set_home"), {"home": _DISOWNED})
    return Tide(connection, path, instance, why)


def require_own(tide: Tide | None) -> None:
    """Raise LedgerCopied unless the opened file is the ledger itself: only from that may anything be sent."""
    if tide is not None and tide.foreign:
        raise LedgerCopied(f"nothing is sent from the ledger at {tide.path}: it is {tide.foreign}", help=_HELP)


def adopt(connection: sqlite3.Connection, path: Path, *, instance: str) -> None:
    """Make a file the ledger itself from now on, under an id of its own; inside a transaction that is open."""
    connection.execute(query("set_fact"), {"name": "instance", "value": instance})
    connection.execute(query("set_fact"), {"name": "home", "value": _number_of(path)})


def remark(connection: sqlite3.Connection, path: Path) -> Tide:
    """Write the mark of a ledger that was adopted, once that is committed."""
    found = connection.execute("SELECT value FROM facts WHERE name = 'instance'").fetchone()[0]
    write_mark(path, Mark(instance=found, event=_newest(connection)))
    return settle_in(connection, path)


def mark_as_copy(connection: sqlite3.Connection) -> None:
    """Write into a backup that it is one."""
    connection.execute(query("set_fact"), {"name": "home", "value": _COPIED})


def disown(path: Path) -> None:
    """Have nothing be sent from a file, nor from what is put in its place, whatever that says of itself."""
    write_mark(path, Mark(instance="0" * 32, event=0))


def mark_of(path: Path) -> Path:
    """Give where the mark of a ledger lies."""
    return path.with_name(path.name + ".mark")


def read_mark(path: Path) -> Mark | None:
    """Read the mark of a ledger; None when there is none, or nothing that one could read."""
    try:
        found = _FORM.fullmatch(mark_of(path).read_bytes())
    except OSError:
        return None
    return Mark(instance=found[1].decode(), event=int(found[2])) if found is not None else None


def write_mark(path: Path, mark: Mark) -> None:
    """Write the mark of a ledger in place, in one write; it is not synced, and may be behind after a power cut."""
    file = os.open(mark_of(path), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        os.pwrite(file, f"outreach ledger {mark.instance} event {mark.event:020d}\n".encode(), 0)
    finally:
        os.close(file)


def _foreign(path: Path, home: str, instance: str, mark: Mark | None, newest: int) -> str:
    """Say why a file is not the ledger itself; empty when it is."""
    if home in {_COPIED, _DISOWNED}:
        return home
    if not home:
        return _DISOWNED
    if home != _number_of(path):
        return "a copy of another file"
    if mark is None or mark.instance != instance:
        return "not where it was: the mark beside it is missing or another ledger's"
    return _DISOWNED if newest < mark.event else ""


def _number_of(path: Path) -> str:
    return f"inode {path.stat().st_ino}"


def _holds_anything(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM campaigns UNION ALL SELECT 1 FROM events LIMIT 1").fetchone() is not None


def _newest(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0])
