"""What is SQLite's own: opening the file, its durability, its lock, its errors."""

from __future__ import annotations

import errno
import fcntl
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from runner.errors import LedgerBusy, LedgerError, LedgerFull, LedgerHeld, LedgerUnwritable, NotFound
from runner.ledger import filesystem

# Older versions can corrupt a database in WAL mode when a checkpoint restarts the log (fixed in 3.51.3).
_WAL_IS_SAFE: Final = sqlite3.sqlite_version_info >= (3, 51, 3)
_BUSY_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.05
_SERVE: Final = "outreach serve, "
_UNWRITABLE: Final = (
    "SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_IOERR",
)  # fmt: skip


def database_path(url: str) -> Path:
    """Give the file that a `sqlite:///` URL names; raise LedgerError for any other URL."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or not url.removeprefix(prefix):
        raise LedgerError(f"`{url}` is not a ledger", help="write: ledger: sqlite:///.outreach/ledger.db")
    return Path(url.removeprefix(prefix))


def connect(path: Path) -> sqlite3.Connection:
    """Open a ledger for writing, creating file (0600) and folder (0700) if need be.

    Commits are durable when they return: an intent that is written survives a power cut.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    filesystem.require_local(path)
    filesystem.require_private(path)
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=_BUSY_SECONDS)
    connection.row_factory = sqlite3.Row
    # With TRUNCATE the end of the rollback journal itself is synced, so a commit that has returned cannot be
    # rolled back by a power cut; DELETE would leave that to a sync of the folder, which FULL does not do.
    connection.execute(f"PRAGMA journal_mode = {'WAL' if _WAL_IS_SAFE else 'TRUNCATE'}")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def connect_read_only(path: Path) -> sqlite3.Connection:
    """Open a ledger for reading alone; raise NotFound when there is none."""
    if not path.exists():
        raise NotFound(f"there is no ledger at {path}", help="outreach apply creates it")
    filesystem.require_private(path)
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False,
        timeout=_BUSY_SECONDS,
    )  # fmt: skip
    connection.row_factory = sqlite3.Row
    return connection


def copy_in_memory(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Give a copy of a ledger as it stands, which nothing outlives, and close the ledger itself."""
    copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    copy.row_factory = sqlite3.Row
    connection.backup(copy)
    connection.close()
    return copy


@contextmanager
def exclusive_runner(path: Path, *, serves: bool = False) -> Iterator[None]:
    """Hold a ledger as its only runner, with `serves` as one that places everything, for good.

    Raises LedgerHeld when another process does. The lock is the operating system's, so it ends with
    the process however that ends.
    """
    with errors_mapped():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.fdopen(os.open(_lock_of(path), os.O_RDWR | os.O_CREAT, 0o600), "r+")
    with lock as file:
        if not _locked(file):
            time.sleep(_LOOK_SECONDS)  # whoever only looks whether the ledger is held has the lock for an instant
            if not _locked(file):
                raise _held_by(file.read().strip())
        file.truncate(0)
        file.write(f"{_SERVE if serves else ''}process {os.getpid()}")
        file.flush()
        yield


def is_held(path: Path) -> bool:
    """Whether a process runs on a ledger."""
    try:
        with _lock_of(path).open("r+", encoding="utf-8") as file:
            return not _locked(file)
    except FileNotFoundError:
        return False


@contextmanager
def errors_mapped() -> Iterator[None]:
    """Raise a LedgerError for every error of SQLite or of the file system inside."""
    try:
        yield
    except sqlite3.Error as error:
        raise foreign_error(error) from error
    except OSError as error:
        kind = LedgerFull if error.errno == errno.ENOSPC else LedgerUnwritable
        raise kind(f"the ledger cannot be written: {error.strerror}") from error


def patiently(begin_or_commit: Callable[[str], None], statement: str, tries: int) -> None:
    """Begin or commit, again while the ledger is locked: SQLite has then done nothing yet, and waits 5 s each time."""
    for left in reversed(range(tries)):
        try:
            begin_or_commit(statement)
        except LedgerBusy:
            if not left:
                raise
        else:
            return


def foreign_error(error: sqlite3.Error) -> LedgerError:
    """Map SQLite's errors to ours, in one place."""
    name = getattr(error, "sqlite_errorname", "")
    if name.startswith("SQLITE_FULL"):
        return LedgerFull(f"the ledger cannot be written: {error}", help="make room on its disk, then run again")
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return LedgerBusy(
            f"the ledger cannot be written: {error}",
            help="another program keeps the file locked: end that, then run again",
        )
    if name.startswith(_UNWRITABLE):
        return LedgerUnwritable(f"the ledger cannot be written: {error}")
    if name.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")):
        return LedgerError(
            f"this is not a sound ledger: {error}",
            help="keep the file, and put a backup back: outreach ledger restore FILE",
        )
    return LedgerError(f"the ledger failed: {error}")


def _lock_of(path: Path) -> Path:
    return path.with_name(path.name + ".lock")


def _locked(file: IO[str]) -> bool:
    """Try to take the lock; it is given back when the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _held_by(holder: str) -> LedgerHeld:
    """Build the error for a ledger that another process runs on, and say what to do about it."""
    if holder.startswith(_SERVE):
        return LedgerHeld(
            f"{holder} runs on this ledger already", serves=True,
            help="it places everything that is applied: outreach apply, then outreach status",
        )  # fmt: skip
    return LedgerHeld(
        f"{holder or 'another process'} runs on this ledger already", help="wait for it, or stop it with Ctrl-C"
    )
