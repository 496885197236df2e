"""The audit chain: every event that is changed, removed or put in is found and named."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.ledger import chain
from runner.ledger.migrate import migrate, migrations
from runner.ledger.store import Store
from tests.building import NOON, phone


def written(store: Store, count: int) -> sqlite3.Connection:
    for number in range(count):
        store.suppress(phone(number), "asked", "by hand", NOON)
    return store._connection


def unlocked(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Take the triggers away, as somebody who writes the file itself would."""
    for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f"DROP TRIGGER {row[0]}")
    return connection


def test_what_nobody_touched_holds(store: Store) -> None:
    connection = written(store, 5)
    assert list(chain.broken_links(connection)) == []
    assert chain.head_of(connection).event == 5


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ("UPDATE events SET detail = '{}' WHERE id = 3", ["event 3 (suppressed) has another detail than was written"]),
        ("UPDATE events SET kind = 'x' WHERE id = 3", ["event 3 (x) does not follow"]),
        ("UPDATE events SET at = at + 1 WHERE id = 3", ["event 3 (suppressed) does not follow"]),
        ("UPDATE events SET attempt_id = 7 WHERE id = 3", ["event 3 (suppressed) does not follow"]),
        ("DELETE FROM events WHERE id = 3", ["event 3 was removed"]),
        ("DELETE FROM events WHERE id = 5", ["event 5 was removed"]),
        ("DELETE FROM event_links WHERE event_id = 3", ["event 3 (suppressed) was put in", "event 4 (suppressed) does not follow"]),
        (
            "DELETE FROM events WHERE id = 3; DELETE FROM event_links WHERE event_id = 3",
            ["event 4 (suppressed) does not follow"],
        ),
        ("INSERT INTO events (id, at, kind, detail) VALUES (9, 0, 'suppressed', '{}')", ["event 9 (suppressed) was put in"]),
        (
            "UPDATE events SET salt = NULL, detail = '{\"erased\":true}' WHERE id = 3",
            ["event 3 (suppressed) lost its detail, and no erasure says so"],
        ),
        (
            "UPDATE events SET id = 30 WHERE id = 3; UPDATE events SET id = 3 WHERE id = 4; UPDATE events SET id = 4 WHERE id = 30",
            ["event 3", "event 4"],
        ),
    ],
)  # fmt: skip
def test_every_change_is_named(store: Store, change: str, named: list[str]) -> None:
    unlocked(written(store, 5)).executescript(change)
    found = list(chain.broken_links(store._connection))
    assert found
    for words in named:
        assert any(one.startswith(words) for one in found), found


def test_a_chain_that_was_made_anew_is_found_by_a_head_that_was_noted(store: Store) -> None:
    noted = chain.head_of(written(store, 5))
    assert list(chain.broken_links(store._connection, noted)) == []
    connection = unlocked(store._connection)
    connection.execute("UPDATE events SET at = at - 1 WHERE id = 2")
    before = None
    for row in connection.execute("SELECT * FROM events ORDER BY id").fetchall():
        columns = (row["id"], row["at"], row["attempt_id"], row["kind"])
        before = chain.linked(before, columns, row["salt"], row["detail"])
        connection.execute("UPDATE event_links SET link = ? WHERE event_id = ?", (before, row["id"]))
    assert list(chain.broken_links(connection)) == [], "who writes the file can make a whole new chain"
    assert any("event 5 with the hash" in one for one in chain.broken_links(connection, noted))


def test_an_end_that_was_cut_off_is_found_by_a_head_that_was_noted(store: Store) -> None:
    noted = chain.head_of(written(store, 5))
    unlocked(store._connection).executescript(
        "DELETE FROM events WHERE id > 3; DELETE FROM event_links WHERE event_id > 3"
    )
    assert list(chain.broken_links(store._connection)) == []
    assert list(chain.broken_links(store._connection, noted))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2**53), st.one_of(st.none(), st.integers(1, 9)), st.text(max_size=9), st.text(max_size=30)), min_size=1, max_size=12),
    st.data(),
)  # fmt: skip
def test_any_events_hold_and_any_one_byte_of_a_link_is_found(
    events: list[tuple[int, int | None, str, str]], data: st.DataObject
) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    for at, attempt, kind, detail in events:
        connection.execute(
            "INSERT INTO events (at, attempt_id, kind, detail, salt) VALUES (?, ?, ?, ?, randomblob(16))",
            (at, attempt, kind.replace("erased", "x").replace("purged", "x"), detail),
        )
    assert list(chain.broken_links(connection)) == []
    which, byte = data.draw(st.integers(1, len(events))), data.draw(st.integers(0, 63))
    link = bytearray(connection.execute("SELECT link FROM event_links WHERE event_id = ?", (which,)).fetchone()[0])
    link[byte] ^= 1
    unlocked(connection).execute("UPDATE event_links SET link = ? WHERE event_id = ?", (bytes(link), which))
    assert any(f"event {which} " in one for one in chain.broken_links(connection))
    connection.close()


def test_events_of_before_are_chained_when_the_ledger_is_migrated(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    with monkeypatch.context() as patch:
        patch.setattr("runner.ledger.migrate.migrations", lambda: migrations()[:14])
        migrate(connection)
    for number in (1, 2, 5, 9, 10):
        connection.execute("INSERT INTO events (id, at, kind, detail) VALUES (?, 0, 'x', '{}')", (number,))
    migrate(connection)
    assert list(chain.broken_links(connection)) == []
    assert chain.head_of(connection).event == 10
    salts = [row[0] for row in connection.execute("SELECT salt FROM events")]
    assert len(set(salts)) == 5
    connection.close()


def test_a_rolled_back_event_leaves_no_gap_in_the_chain(store: Store) -> None:
    written(store, 2)

    def fail() -> None:
        with store.transaction():
            store.event(NOON, None, "never")
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    store.event(NOON, None, "later")
    assert list(chain.broken_links(store._connection)) == []


Opener = Callable[[], Store]


def test_two_processes_write_one_chain(open_store: Opener) -> None:
    one, other = open_store(), open_store()
    for number in range(10):
        (one if number % 2 else other).suppress(phone(number), "asked", "by hand", NOON)
    assert list(chain.broken_links(one._connection)) == []
    assert chain.head_of(other._connection).event == 10
