"""What is SQLite's own: files, modes, migrations, errors, the lock between two processes."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from runner.errors import (
    ExitCode,
    LedgerBusy,
    LedgerError,
    LedgerFull,
    LedgerHeld,
    LedgerTooNew,
    LedgerUnwritable,
    NotFound,
)
from runner.ledger import overview, sqlite
from runner.ledger.migrate import Migration, migrate, migrations, schema_version
from runner.ledger.revisions import known_campaign
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import Move
from tests.building import NOON, apply, campaign, contact, dump, phone

PEOPLE = tuple(contact(number) for number in range(4))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / ".outreach" / "ledger.db"


def test_a_new_ledger_and_its_folder_are_for_their_owner_alone(path: Path) -> None:
    old = os.umask(0)
    try:
        Store.open(path).close()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.fault("F42")
def test_an_intent_survives_a_power_cut(path: Path) -> None:
    store = Store.open(path)
    assert store._connection.execute("PRAGMA synchronous").fetchone()[0] == 2, "FULL"
    assert store._connection.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    store.close()


def test_migrations_run_from_nothing_and_once() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    assert migrate(connection) == len(migrations())
    schema = connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall()
    assert migrate(connection) == 0
    assert connection.execute("SELECT sql FROM sqlite_master ORDER BY name").fetchall() == schema
    assert schema_version(connection) == migrations()[-1].version
    connection.close()


def test_a_migration_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = Migration(1, "broken", "CREATE TABLE one (x);\nCREATE TABLE one (x);\n")
    monkeypatch.setattr("runner.ledger.migrate.migrations", lambda: (broken,))
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection)
    assert connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()[0] == 0
    assert schema_version(connection) == 0
    connection.close()


def test_migration_numbers_have_no_gap() -> None:
    assert [one.version for one in migrations()] == list(range(1, len(migrations()) + 1))


@pytest.mark.parametrize("version", range(1, len(migrations())))
def test_a_ledger_of_an_older_version_is_read_without_being_changed(
    path: Path, monkeypatch: pytest.MonkeyPatch, version: int
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("runner.ledger.migrate.migrations", lambda: migrations()[:version])
        path.parent.mkdir(parents=True)
        connection = sqlite3.connect(path, isolation_level=None)
        path.chmod(0o600)
        migrate(connection)
        connection.execute("INSERT INTO suppressions (phone, reason, source, at) VALUES ('+12025550143', 'x', 'y', 0)")
        connection.close()
    before = path.read_bytes()
    reader = Store.open_read_only(path)
    assert known_campaign(reader, "renewals").suppressions == {"+12025550143": "x (y)"}
    assert overview.campaigns(reader, NOON) == []
    with pytest.raises(LedgerUnwritable):
        reader.pause("renewals", "why not", NOON)
    reader.close()
    assert path.read_bytes() == before


@pytest.mark.parametrize("open_it", [Store.open, Store.open_read_only])
def test_a_ledger_of_a_newer_version_is_left_alone(path: Path, open_it: object) -> None:
    Store.open(path).close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 999")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(LedgerTooNew, match="this ledger has schema 999"):
        open_it(path)  # type: ignore[operator]
    assert path.read_bytes() == before


def test_reading_writes_nothing(path: Path) -> None:
    store = Store.open(path)
    apply(store, campaign(), PEOPLE)
    store.close()
    before = {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in path.parent.iterdir()}
    reader = Store.open_read_only(path)
    with reader.reading():
        known_campaign(reader, "renewals")
        overview.campaigns(reader, NOON)
    dump(reader)
    with pytest.raises(LedgerUnwritable):
        reader.pause("renewals", "why not", NOON)
    reader.close()
    assert {one.name: (one.read_bytes(), one.stat().st_mtime_ns) for one in path.parent.iterdir()} == before


def test_there_is_nothing_to_read_before_the_first_apply(path: Path) -> None:
    with pytest.raises(NotFound, match="there is no ledger"):
        Store.open_read_only(path)
    assert not path.exists()


@pytest.mark.parametrize("open_it", [Store.open, Store.open_read_only])
def test_another_kind_of_file_is_refused_and_kept(path: Path, open_it: object) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("customers;phone\n" * 100)
    path.chmod(0o600)
    before = path.read_bytes()
    with pytest.raises(LedgerError, match="not a sound ledger"):
        open_it(path)  # type: ignore[operator]
    assert path.read_bytes() == before


def test_a_folder_in_the_place_of_the_ledger_is_a_sentence(path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(LedgerUnwritable, match="cannot be written"):
        Store.open(path)


def test_a_file_in_the_place_of_the_folder_is_a_sentence(path: Path) -> None:
    path.parent.parent.mkdir(parents=True)
    path.parent.write_text("")
    with pytest.raises(LedgerUnwritable, match="cannot be written"):
        Store.open(path)
    with pytest.raises(LedgerUnwritable, match="cannot be written"), sqlite.exclusive_runner(path):
        pass


@pytest.mark.fault("F20")
def test_a_full_disk_takes_back_the_whole_change(path: Path) -> None:
    store = Store.open(path)
    apply(store, campaign(), PEOPLE)
    before = dump(store)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    with pytest.raises(LedgerUnwritable, match="full"), store.transaction():  # noqa: PT012 what fails is the whole
        store.pause("renewals", "first", NOON)
        for number in range(50):
            store.receive("movoice", str(number), b"x" * 4000, NOON, verified=False)
    assert dump(store) == before
    store.close()


@pytest.mark.fault("F20")
def test_after_a_full_disk_nothing_of_the_group_is_kept(path: Path) -> None:
    store = Store.open(path)
    apply(store, campaign(), PEOPLE)
    before = dump(store)
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 1}")

    def group() -> None:
        with store.transaction():
            with pytest.raises(LedgerUnwritable), store.transaction():
                store.receive("movoice", "a", b"x" * 400_000, NOON, verified=False)
            with store.transaction():
                store.suppress(phone(0), "opted out", "call", NOON)

    if sqlite_keeps_its_transaction(store):
        pytest.skip("this SQLite undoes the statement alone")
    with pytest.raises(LedgerUnwritable):
        group()
    assert dump(store) == before
    store.close()


def sqlite_keeps_its_transaction(store: Store) -> bool:
    """Whether a statement that fails for want of space leaves the transaction open."""
    store._connection.execute("BEGIN IMMEDIATE")
    with suppress(LedgerUnwritable):
        store.receive("movoice", "probe", b"x" * 400_000, NOON, verified=False)
    keeps = store._connection.in_transaction
    if keeps:
        store._connection.execute("ROLLBACK")
    return keeps


def test_a_savepoint_is_not_kept_when_the_transaction_around_it_is_gone(path: Path) -> None:
    store = Store.open(path)
    with pytest.raises(LedgerUnwritable, match="took back"), store.transaction():  # noqa: PT012 what fails is the whole
        store._connection.execute("ROLLBACK")
        with store.transaction():
            store.suppress(phone(0), "opted out", "call", NOON)
    assert dump(store)["suppressions"] == []
    store.close()


def test_a_move_is_not_kept_either_when_the_transaction_around_it_is_gone(path: Path) -> None:
    store = Store.open(path)
    apply(store, campaign(), (contact(0),))
    before = dump(store)
    claimed = Move(attempt_id=1, old=AttemptState.PLANNED, new=AttemptState.CLAIMED, at=NOON)
    with pytest.raises(LedgerUnwritable, match="took back"), store.transaction():  # noqa: PT012 what fails is the whole
        store._connection.execute("ROLLBACK")
        store.move([claimed])
    assert dump(store) == before
    store.close()


@pytest.mark.fault("F22")
def test_a_ledger_that_somebody_else_writes_is_waited_for_and_then_refused(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.3)
    store, other = Store.open(path), sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(LedgerUnwritable, match="locked"):
        store.suppress(phone(0), "opted out", "call", NOON)
    timer = threading.Timer(0.1, lambda: other.execute("ROLLBACK"))
    timer.start()
    store.suppress(phone(0), "opted out", "call", NOON)
    timer.join()
    assert len(dump(store)["suppressions"]) == 1
    other.close()
    store.close()


@pytest.mark.fault("F23")
def test_a_second_runner_is_told_who_holds_the_ledger(path: Path) -> None:
    hold = (
        "import sys; from pathlib import Path; from runner.ledger.sqlite import exclusive_runner\n"
        "with exclusive_runner(Path(sys.argv[1])):\n    print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", hold, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    try:
        with pytest.raises(LedgerHeld, match=f"process {holder.pid}") as refused, sqlite.exclusive_runner(path):
            pass
        assert refused.value.exit_code is ExitCode.LEDGER_HELD
    finally:
        holder.kill()
        holder.communicate()
    with sqlite.exclusive_runner(path):
        pass


@pytest.mark.parametrize("url", ["sqlite:///", "postgres://x/y", "ledger.db", ""])
def test_a_url_that_names_no_file_is_refused(url: str) -> None:
    with pytest.raises(LedgerError, match="is not a ledger"):
        sqlite.database_path(url)


def test_a_url_names_a_file() -> None:
    assert sqlite.database_path("sqlite:///.outreach/ledger.db") == Path(".outreach/ledger.db")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("SQLITE_FULL", LedgerFull), ("SQLITE_READONLY", LedgerUnwritable), ("SQLITE_IOERR_FSYNC", LedgerUnwritable),
        ("SQLITE_BUSY", LedgerBusy), ("SQLITE_READONLY_DBMOVED", LedgerUnwritable),
        ("SQLITE_BUSY_SNAPSHOT", LedgerBusy), ("SQLITE_CORRUPT", LedgerError), ("SQLITE_NOTADB", LedgerError),
        ("SQLITE_ERROR", LedgerError), ("", LedgerError),
    ],
)  # fmt: skip
def test_every_error_of_sqlite_becomes_one_of_ours(name: str, expected: type[LedgerError]) -> None:
    error = sqlite3.OperationalError("some words")
    error.sqlite_errorname = name
    assert type(sqlite.foreign_error(error)) is expected
