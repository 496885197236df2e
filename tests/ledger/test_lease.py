"""The lease in the ledger: epochs that only grow, and who may be proven dead."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import ExitCode, LeaseLost
from runner.ledger.holder import is_proven_dead, this_process
from runner.ledger.store import Store
from runner.model.lease import Holder
from tests.building import NOON, apply, campaign, contact

LATER = NOON + timedelta(seconds=15)
HOLDER = Holder(host="one", boot="b", pid=7, began=70, version="1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "ledger.db")
    yield opened
    opened.close()


def test_a_new_ledger_was_held_by_nobody(store: Store) -> None:
    assert store.leases.current().epoch == 0
    assert store.leases.current().until < NOON


@pytest.mark.fault("F23")
def test_each_runner_that_takes_it_has_the_next_epoch(store: Store) -> None:
    for epoch in (1, 2, 3):
        assert store.leases.take(store.leases.current(), HOLDER, NOON, LATER) == epoch
    lease = store.leases.current()
    assert (lease.epoch, lease.holder, lease.since, lease.until) == (3, HOLDER, NOON, LATER)


@pytest.mark.fault("F23")
def test_of_two_that_saw_the_same_lease_one_takes_it(store: Store) -> None:
    seen = store.leases.current()
    assert store.leases.take(seen, HOLDER, NOON, LATER) == 1
    assert store.leases.take(seen, replace(HOLDER, pid=8), NOON, LATER) is None
    store.leases.renew(1, NOON + timedelta(seconds=1), LATER)
    assert store.leases.current().holder.pid == 7


@pytest.mark.fault("F24")
def test_a_lease_that_was_taken_is_lost_for_its_holder_before(store: Store) -> None:
    store.leases.take(store.leases.current(), HOLDER, NOON, LATER)
    store.leases.check(1)
    store.leases.take(store.leases.current(), replace(HOLDER, host="two", pid=8), NOON, LATER)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: store.leases.check(1),
        lambda: store.leases.renew(1, NOON, LATER),
    )
    for attempt in attempts:
        with pytest.raises(LeaseLost, match="process 8 on two") as lost:
            attempt()
        assert lost.value.exit_code == ExitCode.LEDGER_HELD
    store.leases.release(1)
    assert store.leases.current().until == LATER, "only its own lease is given back"
    store.leases.release(2)
    assert store.leases.current().until < NOON


def test_the_newest_instant_is_not_always_the_last(store: Store) -> None:
    assert store.leases.newest_instant() is None
    apply(store, campaign(), (contact(0),))
    store.event(NOON + timedelta(days=400), None, "noted")
    store.event(NOON, None, "noted")
    assert store.leases.newest_instant() == NOON + timedelta(days=400)
    for _ in range(200):
        store.event(NOON, None, "noted")
    assert store.leases.newest_instant() == NOON, "what was wrong long ago is forgiven in the end"


def test_whoever_lives_is_not_dead() -> None:
    mine = this_process()
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE, text=True)
    try:
        assert not is_proven_dead(replace(mine, pid=child.pid, began=0), mine)
        assert not is_proven_dead(replace(mine, pid=os.getppid(), began=0), mine)
    finally:
        child.communicate("")
    assert is_proven_dead(replace(mine, pid=child.pid, began=0), mine), "there is no such process"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only where the system says when a process began")
def test_a_pid_that_is_used_again_is_another_process() -> None:
    mine = this_process()
    assert mine.began > 0
    assert is_proven_dead(replace(mine, pid=os.getppid(), began=1), mine)


@pytest.mark.fault("F23")
def test_of_another_machine_nothing_is_proven() -> None:
    mine = this_process()
    gone = replace(mine, pid=999_999_999)
    assert is_proven_dead(gone, mine)
    assert not is_proven_dead(replace(gone, host="elsewhere"), mine)
    assert not is_proven_dead(replace(gone, boot="another start"), mine)
