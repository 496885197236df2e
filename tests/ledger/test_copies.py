"""Backups, and how a ledger is told from its copies."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import LedgerCopied, LedgerError, NotFound, UsageWrong
from runner.ledger import chain, copies, instance, reconciling
from runner.ledger.audit import audit
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from tests.building import NOON, apply, campaign, contact, dump, phone, states

PEOPLE = [contact(number) for number in range(5)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "made" / "ledger.db"


@pytest.fixture
def lived(path: Path) -> Path:
    """Give a ledger with a campaign in it."""
    store = Store.open(path)
    apply(store, campaign(), PEOPLE)
    store.close()
    return path


def foreign(path: Path) -> str:
    """Say why nothing may be sent from a file; empty when it is the ledger itself."""
    store = Store.open(path)
    try:
        instance.require_own(store.tide)
    except LedgerCopied as refused:
        return refused.message.partition(": it is ")[2]
    finally:
        store.close()
    return ""


def add_events(path: Path, count: int, first: int = 50) -> None:
    store = Store.open(path)
    for number in range(first, first + count):
        store.suppress(phone(number), "asked", "by hand", NOON)
    store.close()


def raw_copy(source: Path, target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    return Path(shutil.copy2(source, target))


def test_a_ledger_is_itself_however_often_it_is_opened(lived: Path) -> None:
    assert foreign(lived) == ""
    add_events(lived, 3)
    assert foreign(lived) == ""
    mark = instance.read_mark(lived)
    assert mark is not None
    assert mark.event == 4
    assert stat.S_IMODE(instance.mark_of(lived).stat().st_mode) == 0o600


def _copied(lived: Path, tmp_path: Path) -> Path:
    return raw_copy(lived, tmp_path / "copy.db")


def _copied_with_its_mark(lived: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(lived.parent, tmp_path / "copy")) / lived.name


def _backed_up(lived: Path, tmp_path: Path) -> Path:
    store = Store.open(lived)
    copies.back_up(store._connection, tmp_path / "backup.db")
    store.close()
    return tmp_path / "backup.db"


def _restored(lived: Path, tmp_path: Path) -> Path:
    copies.put_back(_backed_up(lived, tmp_path), lived, NOON)
    return lived


def _older_in_the_same_file(lived: Path, tmp_path: Path) -> Path:
    older = raw_copy(lived, tmp_path / "older.db")
    add_events(lived, 1)
    lived.write_bytes(older.read_bytes())
    return lived


def _moved_without_its_mark(lived: Path, tmp_path: Path) -> Path:
    return lived.rename(tmp_path / "moved.db")


def _hard_link(lived: Path, tmp_path: Path) -> Path:
    (tmp_path / "second.db").hardlink_to(lived)
    return tmp_path / "second.db"


def _mark_gone(lived: Path, tmp_path: Path) -> Path:
    instance.mark_of(lived).unlink()
    return lived


def _mark_torn(lived: Path, tmp_path: Path) -> Path:
    instance.mark_of(lived).write_bytes(b"outreach led")
    return lived


MADE: list[tuple[Callable[[Path, Path], Path], str]] = [
    (_copied, "a copy of another file"),
    (_copied_with_its_mark, "a copy of another file"),
    (_backed_up, "a backup"),
    (_restored, "a backup"),
    (_older_in_the_same_file, "older than its mark"),
    (_moved_without_its_mark, "not where it was: the mark beside it is missing or another ledger's"),
    (_hard_link, "not where it was: the mark beside it is missing or another ledger's"),
    (_mark_gone, "not where it was: the mark beside it is missing or another ledger's"),
    (_mark_torn, "not where it was: the mark beside it is missing or another ledger's"),
]


@pytest.mark.parametrize(("make", "why"), MADE)
def test_what_is_not_the_ledger_itself_is_noticed_until_it_is_reconciled(
    lived: Path, tmp_path: Path, make: Callable[[Path, Path], Path], why: str
) -> None:
    path = make(lived, tmp_path)
    assert foreign(path) == why
    add_events(path, 20, first=100)
    assert foreign(path) == why, "what is added to it changes nothing"
    store = Store.open(path)
    reconciling.reconcile(store, path, NOON + timedelta(hours=1))
    store.close()
    assert foreign(path) == ""
    add_events(path, 1, first=300)
    assert foreign(path) == ""


def test_a_folder_that_was_moved_is_the_ledger_still(lived: Path, tmp_path: Path) -> None:
    lived.parent.rename(tmp_path / "elsewhere")
    assert foreign(tmp_path / "elsewhere" / lived.name) == ""


def test_a_move_is_taken_on_a_persons_word_but_not_of_a_backup(lived: Path, tmp_path: Path) -> None:
    backup = _backed_up(lived, tmp_path)
    moved = _moved_without_its_mark(lived, tmp_path)
    store = Store.open(moved)
    reconciling.moved(store, moved, NOON)
    assert [state for *_, state in states(store)] == ["planned"] * 5
    store.close()
    assert foreign(moved) == ""
    store = Store.open(backup)
    with pytest.raises(UsageWrong, match="this is a backup, and was not just moved"):
        reconciling.moved(store, backup, NOON)
    store.close()


def test_a_crash_before_the_mark_is_written_only_leaves_the_mark_behind(lived: Path) -> None:
    mark = instance.read_mark(lived)
    assert mark is not None
    add_events(lived, 5)
    instance.write_mark(lived, mark)
    assert foreign(lived) == ""


def test_a_mark_that_cannot_be_written_costs_no_commit(lived: Path) -> None:
    store = Store.open(lived)
    instance.mark_of(lived).unlink()
    instance.mark_of(lived).mkdir()
    assert store.suppress(phone(60), "asked", "by hand", NOON)
    store.close()


def test_a_backup_is_one_sound_state_while_a_runner_writes(lived: Path, tmp_path: Path) -> None:
    stop = threading.Event()
    written: list[int] = []

    def write() -> None:
        busy = Store.open(lived)
        while not stop.is_set():
            with busy.transaction():  # two at a time: a state between them is none
                for _ in range(2):
                    number = len(written)
                    busy.suppress(phone(1000 + number), "asked", "by hand", NOON)
                    written.append(number)
        busy.close()

    thread = threading.Thread(target=write)
    thread.start()
    store = Store.open(lived)
    try:
        made = [copies.back_up(store._connection, tmp_path / f"{number}.db") for number in range(5)]
    finally:
        stop.set()
        thread.join()
        store.close()
    assert [one.path for one in made] == [tmp_path / f"{number}.db" for number in range(5)]
    assert all(one.suppressions % 2 == 0 for one in made)
    for one in made:
        assert stat.S_IMODE(one.path.stat().st_mode) == 0o600
        copy = Store.open_read_only(one.path)
        assert audit(copy, expected=one.head).is_sound
        copy.close()
    assert sorted(file.name for file in tmp_path.iterdir()) == sorted([*(one.path.name for one in made), "made"])


def test_a_backup_holds_all_of_it_and_takes_nobodys_name(lived: Path, tmp_path: Path) -> None:
    store = Store.open(lived)
    made = copies.back_up(store._connection, tmp_path / "b.db")
    before, head = dump(store), chain.head_of(store._connection)
    with pytest.raises(UsageWrong, match="is there already"):
        copies.back_up(store._connection, tmp_path / "b.db")
    store.close()
    assert (made.campaigns, made.contacts, made.attempts, made.suppressions) == (1, 5, 5, 0)
    assert made.head == head
    copy = Store.open_read_only(tmp_path / "b.db")
    assert dump(copy) == before
    copy.close()


def test_a_backup_without_room_leaves_nothing_behind(
    lived: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(copies, "_copy", full)
    store = Store.open(lived)
    with pytest.raises(sqlite3.OperationalError):
        copies.back_up(store._connection, tmp_path / "b.db")
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["made"]


def test_what_stood_there_is_moved_aside_and_sends_nothing_either(lived: Path, tmp_path: Path) -> None:
    backup = _backed_up(lived, tmp_path)
    add_events(lived, 3)
    aside = copies.put_back(backup, lived, NOON)
    assert aside == lived.with_name("ledger.db.before-restore-20260105T170000Z")
    kept = Store.open_read_only(aside)
    assert len(kept.all("suppressions")) == 3
    kept.close()
    assert foreign(aside).startswith("not where it was")
    assert foreign(lived) == "a backup"
    assert stat.S_IMODE(lived.stat().st_mode) == 0o600


def test_a_ledger_that_is_lost_or_broken_is_restored_too(lived: Path, tmp_path: Path) -> None:
    backup = _backed_up(lived, tmp_path)
    lived.write_bytes(b"\x5a" * 20_000)
    aside = copies.put_back(backup, lived, NOON)
    assert aside is not None
    assert aside.read_bytes() == b"\x5a" * 20_000
    assert foreign(lived) == "a backup"
    shutil.rmtree(lived.parent)
    assert copies.put_back(backup, lived, NOON) is None
    assert foreign(lived) == "a backup"


@pytest.mark.parametrize("content", [b"", b"customers;phone\n" * 100, b"SQLite format 3\x00" + b"\x00" * 4000])
def test_what_is_no_ledger_is_not_put_in_its_place(lived: Path, tmp_path: Path, content: bytes) -> None:
    before = lived.read_bytes()
    (tmp_path / "other.db").write_bytes(content)
    with pytest.raises(LedgerError):
        copies.put_back(tmp_path / "other.db", lived, NOON)
    with pytest.raises(NotFound):
        copies.put_back(tmp_path / "nothing.db", lived, NOON)
    with pytest.raises(UsageWrong):
        copies.put_back(lived, lived, NOON)
    assert lived.read_bytes() == before


def test_what_follows_for_somebody_in_doubt_is_in_doubt_too(lived: Path) -> None:
    store = Store.open(lived)
    done = reconciling.reconcile(store, lived, NOON + timedelta(hours=2))
    assert (done.in_doubt, done.since) == (5, NOON - timedelta(minutes=1))
    for work in store.in_state(AttemptState.PLANNED):
        assert work.attempt.is_lost
        assert (work.attempt.lost_since, work.attempt.lost_until) == (done.since, done.until)
    row = store._connection.execute("SELECT contact_id, campaign_id FROM attempts LIMIT 1").fetchone()
    store.change(
        "add_attempt", key="k", campaign_id=row[1], contact_id=row[0], phone=phone(0), step="call", number=2,
        channel="call", account="movoice", due_at=0, step_due_at=0, is_callback=False,
    )  # fmt: skip
    assert all(work.attempt.is_lost for work in store.in_state(AttemptState.PLANNED))
    store.close()


def test_whoever_is_planned_for_later_is_in_no_doubt(lived: Path) -> None:
    store = Store.open(lived)
    store._connection.execute("UPDATE attempts SET due_at = due_at + 90000000000 WHERE id > 2")
    assert reconciling.reconcile(store, lived, NOON + timedelta(hours=2)).in_doubt == 2
    with pytest.raises(UsageWrong, match="is still to come"):
        reconciling.reconcile(store, lived, NOON, since=NOON + timedelta(hours=1))
    store.close()
