"""The one writer: many works share a commit, and each fails alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.errors import LedgerUnwritable
from runner.ledger.store import Store
from runner.ports import Ledger
from tests.building import NOON, dump, phone


def statements(store: Store) -> list[str]:
    """Give every statement that SQLite runs from now on."""
    seen: list[str] = []
    store._connection.set_trace_callback(seen.append)
    return seen


def suppressing(number: int) -> Any:
    return lambda ledger: ledger.suppress(phone(number), "asked", "test", NOON)


async def test_what_arrives_together_is_committed_together(store: Store, journal: Journal) -> None:
    seen = statements(store)
    await asyncio.gather(*(journal.run(suppressing(number)) for number in range(50)))
    store._connection.set_trace_callback(None)
    assert seen.count("COMMIT") == 1
    assert len(dump(store)["suppressions"]) == 50


async def test_work_gives_its_result(store: Store, journal: Journal) -> None:
    assert await journal.run(lambda ledger: ledger.open_attempts()) == 0


async def test_work_that_fails_is_undone_alone(store: Store, journal: Journal) -> None:
    def failing(ledger: Any) -> None:
        suppressing(1)(ledger)
        raise ValueError("a fault of this work")

    results = await asyncio.gather(
        journal.run(suppressing(0)), journal.run(failing), journal.run(suppressing(2)), return_exceptions=True
    )
    assert [type(one) for one in results] == [bool, ValueError, bool]
    assert [row[0] for row in dump(store)["suppressions"]] == [phone(0), phone(2)]


async def test_a_commit_that_fails_fails_everybody(store: Store, journal: Journal) -> None:
    execute = store._execute_plain

    def failing(statement: str) -> None:
        if statement == "COMMIT":
            raise LedgerUnwritable("the disk is full")
        execute(statement)

    store._execute_plain = failing  # type: ignore[method-assign]
    works = [journal.run(suppressing(number)) for number in range(3)]
    results = await asyncio.gather(*works, return_exceptions=True)
    assert [type(one) for one in results] == [LedgerUnwritable] * 3
    store._execute_plain = execute  # type: ignore[method-assign]
    assert dump(store)["suppressions"] == []
    await journal.run(suppressing(0))
    assert len(dump(store)["suppressions"]) == 1, "the journal goes on"


async def test_nothing_is_told_before_it_is_durable(store: Store, journal: Journal, path: Any) -> None:
    await journal.run(suppressing(0))
    reader = Store.open_read_only(path)
    assert len(dump(reader)["suppressions"]) == 1
    reader.close()


async def test_the_event_loop_never_waits_for_the_disk(store: Store, journal: Journal) -> None:
    release, ticks = threading.Event(), 0
    slow = asyncio.create_task(journal.run(lambda _: release.wait(5)))
    for _ in range(10):
        await asyncio.sleep(0.001)
        ticks += 1
    release.set()
    assert await slow
    assert ticks == 10


async def test_what_is_waiting_is_written_before_the_journal_ends(store: Store) -> None:
    async with Journal(store) as journal:
        works = [asyncio.create_task(journal.run(suppressing(number))) for number in range(300)]
        await asyncio.sleep(0)
    await asyncio.gather(*works)
    assert len(dump(store)["suppressions"]) == 300


async def test_a_caller_who_left_does_not_stop_the_others(store: Store, journal: Journal) -> None:
    gone = asyncio.create_task(journal.run(suppressing(0)))
    stays = asyncio.create_task(journal.run(suppressing(1)))
    await asyncio.sleep(0)
    gone.cancel()
    await stays
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert phone(1) in [row[0] for row in dump(store)["suppressions"]]


async def test_works_run_in_the_order_in_which_they_came(store: Store, journal: Journal) -> None:
    order: list[int] = []

    def noting(number: int) -> Callable[[Ledger], None]:
        return lambda _: order.append(number)

    await asyncio.gather(*(journal.run(noting(number)) for number in range(600)))
    assert order == list(range(600))
