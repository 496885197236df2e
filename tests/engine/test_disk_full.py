"""A full or locked ledger: no request without a durable intent, and outcomes land in the room that was kept."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from runner.engine.journal import Journal
from runner.errors import ExitCode, LedgerBusy, LedgerFull
from runner.ledger import sqlite
from runner.ledger.reserve import RESERVED, Reserve, reserved
from runner.ledger.store import Store
from runner.model.attempt import AttemptState as S
from tests.building import NOON, Bench, apply, bench, campaign, contact

PEOPLE = tuple(contact(number) for number in range(40))


@dataclass
class Spare:
    """Room that is there once: pages that the database may grow by."""

    store: Store
    pages: int
    spent: list[int] = field(default_factory=list)

    def spend(self) -> bool:
        if self.spent or not self.pages:
            return False
        self.spent.append(self.pages)
        grown = pages_of(self.store) + self.pages
        self.store._connection.execute(f"PRAGMA max_page_count = {grown}")
        return True


def pages_of(store: Store) -> int:
    return int(store._connection.execute("PRAGMA page_count").fetchone()[0])


def fill(store: Store) -> None:
    """Let the database not grow any more, and use up what is free inside."""
    store._connection.execute(f"PRAGMA max_page_count = {pages_of(store)}")
    for size in (400, 0):
        with pytest.raises(LedgerFull):
            _write_on(store, "x" * size)


def _write_on(store: Store, text: str) -> None:
    for _ in range(10_000):
        store.event(NOON, None, "filling", text=text)


@pytest.fixture
async def engine(store: Store, request: pytest.FixtureRequest) -> AsyncIterator[Bench]:
    spare = Spare(store, getattr(request, "param", 0))
    async with Journal(store, spare=spare) as journal:
        yield bench(store, journal)


@pytest.mark.fault("F20")
@pytest.mark.parametrize("engine", [0, 400], indirect=True, ids=["no room kept", "room kept"])
async def test_full_at_the_intent_no_request_leaves(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    claimed = await engine.claim(40)
    fill(engine.store)
    with pytest.raises(LedgerFull) as full:
        await engine.delivery.deliver(claimed)
    assert full.value.exit_code == ExitCode.UNWRITABLE
    assert engine.transport.sent == []
    assert engine.campaign_state() == ("active", "")


@pytest.mark.fault("F20")
@pytest.mark.parametrize("engine", [400], indirect=True)
async def test_once_full_nothing_new_begins_even_where_room_was_kept(engine: Bench) -> None:
    apply(engine.store, campaign(limits={"concurrency": 3}), PEOPLE)
    fill(engine.store)
    with pytest.raises(LedgerFull):
        await asyncio.wait_for(engine.dispatcher().run(until_done=True), 20)
    assert engine.transport.sent == []


@pytest.mark.fault("F21")
@pytest.mark.parametrize(("engine", "state"), [(0, S.SENDING), (400, S.ACCEPTED)], indirect=["engine"])
async def test_full_at_the_answer(engine: Bench, state: S) -> None:
    apply(engine.store, campaign(), PEOPLE)
    filled: list[None] = []

    def fills(_: object) -> None:
        if not filled:
            filled.append(None)
            fill(engine.store)

    engine.transport.before = fills
    if state is S.ACCEPTED:
        await engine.deliver()
    else:
        with pytest.raises(LedgerFull):
            await engine.deliver()
    assert len(engine.transport.sent) == 10
    assert {engine.state(number) for number in range(10)} == {state}
    if state is S.ACCEPTED:
        with pytest.raises(LedgerFull):
            await engine.journal.run(lambda _: None, begins=True)
        return
    engine.store._connection.execute("PRAGMA max_page_count = 100000")
    assert await engine.reconciliation.recover() == 10, "what nobody could write down is in doubt, never sent again"
    assert len(engine.transport.sent) == 10


@pytest.mark.fault("F21")
def test_the_room_is_real_and_is_given_back(tmp_path: Path) -> None:
    file = tmp_path / "ledger.db.reserve"
    with reserved(tmp_path / "ledger.db") as reserve:
        found = file.stat()
        assert (found.st_size, found.st_mode & 0o777) == (RESERVED, 0o600)
        assert found.st_blocks * 512 >= RESERVED, "a file with holes keeps nothing free"
        assert reserve.spend()
        assert not file.exists()
        assert not reserve.spend()
    with reserved(tmp_path / "ledger.db"):
        assert file.exists()
    assert not file.exists()
    assert not Reserve(tmp_path / "nowhere" / "ledger.db").lay()


@pytest.mark.fault("F22")
async def test_a_ledger_that_is_locked_is_waited_for(store: Store, path: Path) -> None:
    store._connection.execute("PRAGMA busy_timeout = 200")
    store.patience = 20
    async with Journal(store) as journal:
        engine = bench(store, journal)
        apply(store, campaign(), PEOPLE[:2])
        claimed = await engine.claim()
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        sent_while_locked: list[int] = []

        def unlock() -> None:
            sent_while_locked.append(len(engine.transport.sent))
            other.execute("ROLLBACK")

        timer = threading.Timer(1.0, unlock)
        timer.start()
        await engine.delivery.deliver(claimed)
        timer.join()
        other.close()
    assert sent_while_locked == [0]
    assert len(engine.transport.sent) == 2


@pytest.mark.fault("F22")
async def test_a_ledger_that_stays_locked_ends_the_run_and_sends_nothing(store: Store, path: Path) -> None:
    store._connection.execute("PRAGMA busy_timeout = 20")
    store.patience = 3
    async with Journal(store) as journal:
        engine = bench(store, journal)
        apply(store, campaign(), PEOPLE[:2])
        claimed = await engine.claim()
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        with pytest.raises(LedgerBusy) as busy:
            await engine.delivery.deliver(claimed)
        other.execute("ROLLBACK")
        other.close()
    assert busy.value.exit_code == ExitCode.UNWRITABLE
    assert engine.transport.sent == []
    assert engine.state() is S.CLAIMED


@pytest.mark.fault("F22")
async def test_a_reader_that_keeps_a_commit_back_is_waited_for(store: Store, path: Path) -> None:
    store._connection.execute("PRAGMA busy_timeout = 100")
    store.patience = 20
    async with Journal(store) as journal:
        reader = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        reader.execute("BEGIN")
        reader.execute("SELECT COUNT(*) FROM events").fetchone()
        timer = threading.Timer(0.6, lambda: reader.execute("ROLLBACK"))
        timer.start()
        runs: list[None] = []

        def work(ledger: object) -> None:
            runs.append(None)
            store.event(NOON + timedelta(seconds=1), None, "noted")

        await journal.run(work)
        timer.join()
        reader.close()
    assert runs == [None], "only the commit is repeated, not the work"
    assert store.leases.newest_instant() == NOON + timedelta(seconds=1)
    assert sqlite.is_held(path) is False
