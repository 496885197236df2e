"""Copies of a ledger: backups that are made while a runner works, and a backup put back in its place.

A backup knows that it is one: nothing is sent from it, nor from what is restored from it, until it is
reconciled.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from runner.errors import LedgerError, NotFound, UsageWrong
from runner.ledger import chain, instance

_BESIDE: Final = ("-journal", "-wal", "-shm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """What a ledger file holds."""

    path: Path
    schema: int
    campaigns: int
    contacts: int
    attempts: int
    suppressions: int
    head: chain.Head
    """the newest event; noted elsewhere, it proves that nothing before it was changed"""
    size: int
    """bytes"""


def back_up(source: sqlite3.Connection, target: Path) -> Contents:
    """Write a sound copy of an open ledger to a path that does not exist yet; a runner may be at work.

    The copy is one state of the ledger, checked, synced, readable by its owner alone, and only gets its
    name when all that is done. Raises UsageWrong when the path is taken.
    """
    if target.exists():
        raise UsageWrong(f"{target} is there already", help="name another file")
    with _finished(target) as unfinished:
        _copy(source, unfinished)
        found = _checked(unfinished)
    return replace(found, path=target)


def keep_before_migration(source: sqlite3.Connection, version: int) -> Path | None:
    """Keep a copy of a ledger beside it before its schema changes; None for one in memory, or an empty one."""
    path = Path(source.execute("PRAGMA database_list").fetchone()[2] or "")
    if not path.name or not version or not source.execute("SELECT 1 FROM campaigns LIMIT 1").fetchone():
        return None
    target = path.with_name(f"{path.name}.schema-{version}")
    with _finished(target) as unfinished:
        _copy(source, unfinished)
    return target


def contents_of(path: Path) -> Contents:
    """Look into a ledger file without changing it; raises NotFound, and LedgerError for one that is not sound."""
    if not path.is_file():
        raise NotFound(f"there is no file {path}", help="outreach ledger backup writes one")
    return _checked(path)


def put_back(backup: Path, ledger: Path, now: datetime) -> Path | None:
    """Put a backup in a ledger's place; give where what stood there was moved, None when nothing did.

    Nobody may run on the ledger. The ledger's name is never without a file. Raises LedgerError when
    the backup is not sound.
    """
    contents_of(backup)
    if ledger.exists() and backup.samefile(ledger):
        raise UsageWrong(f"{backup} is the ledger itself", help="name a backup")
    ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = ledger.with_name(f"{ledger.name}.before-restore-{now:%Y%m%dT%H%M%SZ}") if ledger.exists() else None
    with _finished(ledger) as unfinished:
        with closing(_read_only(backup)) as source:
            _copy(source, unfinished)
        instance.disown(ledger)  # a backup from before ledgers knew that they are one, too, is told from the ledger
        if aside is not None:
            _move_aside(ledger, aside)
    return aside


def _move_aside(ledger: Path, aside: Path) -> None:
    """Give a ledger another name too, and take from its own what belongs to it; nothing is sent from it there."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(ledger)) as connection:
        connection.execute("BEGIN IMMEDIATE")  # what a crash left half written is taken back first
        connection.rollback()
    for ending in _BESIDE:
        with suppress(FileNotFoundError):
            ledger.with_name(ledger.name + ending).rename(aside.with_name(aside.name + ending))
    os.link(ledger, aside)


@contextmanager
def _finished(target: Path) -> Iterator[Path]:
    """Give a file to write, and have it take a name, synced, once it is written to its end."""
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    unfinished = target.with_name(f"{target.name}.{secrets.token_hex(4)}.unfinished")
    os.close(os.open(unfinished, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        yield unfinished
        _sync(unfinished)
        unfinished.replace(target)
        _sync(target.parent)
    finally:
        unfinished.unlink(missing_ok=True)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    """Copy one state of a ledger into an empty file; it knows that it is a copy where its schema can say so."""
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")
        if copy.execute("SELECT 1 FROM facts WHERE name = 'instance'").fetchone():
            instance.mark_as_copy(copy)


def _checked(path: Path) -> Contents:
    """Count what a file holds; raise LedgerError when it is not a sound ledger."""
    with closing(_read_only(path)) as connection:
        try:
            faults = [row[0] for row in connection.execute("PRAGMA integrity_check(3)")]
            if faults != ["ok"]:
                raise LedgerError(f"{path} is not sound: {'; '.join(faults)}")
            counts = [
                connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608 fixed names
                for table in ("campaigns", "contacts", "attempts", "suppressions")
            ]
            schema = int(connection.execute("PRAGMA user_version").fetchone()[0])
            has_chain = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'event_links'").fetchone()
            head = chain.head_of(connection) if has_chain else chain.Head(event=0, hash="")
        except sqlite3.DatabaseError as error:
            raise LedgerError(f"{path} is not a ledger: {error}") from error
    return Contents(
        path=path, schema=schema, campaigns=counts[0], contacts=counts[1], attempts=counts[2],
        suppressions=counts[3], head=head, size=path.stat().st_size,
    )  # fmt: skip


def _read_only(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)


def _sync(path: Path) -> None:
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
