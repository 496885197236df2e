"""The hold on the ledger: every transaction checks it, every request asks for it, and a lost one sends nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.clock_watch import ClockWatch, WatchedTransport
from runner.engine.journal import Journal
from runner.engine.tenure import Tenure
from runner.errors import LeaseLost, LedgerUnwritable, NotSent, TooLate
from runner.ledger.store import Store
from runner.model.attempt import AttemptState as S
from runner.model.lease import Holder, Recovered
from runner.model.request import Request
from runner.rules.lease import LASTS
from tests.building import NOON, Bench, apply, bench, campaign, contact, reply

HOLDER = Holder(host="one", boot="b", pid=7, began=70, version="1")
PEOPLE = tuple(contact(number) for number in range(3))


@dataclass
class Boot:
    """Seconds since the start of a machine, as a test lets them pass."""

    seconds: float = 100.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Fenced:
    """An engine that holds its ledger, and the machine's clock."""

    engine: Bench
    tenure: Tenure
    boot: Boot
    store: Store

    def taken_by_another(self) -> None:
        other = Holder(host="two", boot="c", pid=8, began=80, version="1")
        assert self.store.leases.take(self.store.leases.current(), other, NOON, NOON + LASTS) == self.tenure.epoch + 1


@pytest.fixture
async def fenced(store: Store) -> AsyncIterator[Fenced]:
    boot = Boot()
    epoch = store.leases.take(store.leases.current(), HOLDER, NOON, NOON + LASTS)
    assert epoch is not None
    tenure = Tenure(epoch, lambda: NOON + timedelta(seconds=boot.seconds - 100), boot)
    async with Journal(store, tenure=tenure) as journal:
        engine = bench(store, journal)
        apply(store, campaign(), PEOPLE)
        yield Fenced(engine, tenure, boot, store)


def before_the_request(fenced: Fenced, do: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something happen between the durable intent and the request, as a stopped process wakes up to it."""

    def reached(point: str) -> None:
        if point == "before_post":
            do()

    monkeypatch.setattr("runner.engine.delivery.reached", reached)


async def test_a_held_ledger_sends_and_is_renewed_with_what_is_written(fenced: Fenced) -> None:
    await fenced.engine.deliver()
    assert len(fenced.engine.transport.sent) == 3
    assert fenced.store.leases.current().renewed == NOON, "nothing is written for the lease while it is young"
    fenced.boot.seconds += 5
    await fenced.engine.journal.run(lambda _: None)
    lease = fenced.store.leases.current()
    assert (lease.renewed, lease.until) == (NOON + timedelta(seconds=5), NOON + timedelta(seconds=20))


@pytest.mark.fault("F24")
async def test_a_lost_lease_lets_nothing_be_written(fenced: Fenced) -> None:
    fenced.taken_by_another()
    with pytest.raises(LeaseLost):
        await fenced.engine.deliver()
    assert fenced.engine.transport.sent == []
    assert fenced.engine.state() is S.PLANNED
    with pytest.raises(LeaseLost):
        await fenced.engine.journal.run(lambda ledger: ledger.pause("renewals", "by a lost one", NOON))
    assert fenced.engine.campaign_state() == ("active", "")


@pytest.mark.fault("F24")
async def test_woken_after_its_lease_was_taken_it_sends_nothing(
    fenced: Fenced, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleeps() -> None:
        if fenced.store.leases.current().epoch == fenced.tenure.epoch:
            fenced.taken_by_another()
        fenced.boot.seconds += 60

    before_the_request(fenced, sleeps, monkeypatch)
    with pytest.raises(LeaseLost):
        await fenced.engine.deliver()
    assert fenced.engine.transport.sent == []
    assert {fenced.engine.state(number) for number in range(3)} == {S.SENDING}, "in doubt for the next runner"


@pytest.mark.fault("F24")
@pytest.mark.parametrize(("seconds", "sent"), [(0.0, 3), (1.9, 3), (2.0, 0), (60.0, 0)])
async def test_a_request_leaves_soon_after_its_intent_or_not_at_all(
    fenced: Fenced, monkeypatch: pytest.MonkeyPatch, seconds: float, sent: int
) -> None:
    woken_at = fenced.boot.seconds + seconds

    def sleeps() -> None:
        fenced.boot.seconds = woken_at

    before_the_request(fenced, sleeps, monkeypatch)
    await fenced.engine.deliver()
    assert len(fenced.engine.transport.sent) == sent
    states = {fenced.engine.state(number) for number in range(3)}
    assert states == ({S.ACCEPTED} if sent else {S.PLANNED}), "the lease is ours: it provably was not sent"
    row = fenced.engine.attempt()
    assert sent or (row["sent_at"], row["transport_tries"]) == (None, 0)


@pytest.mark.fault("F24")
async def test_while_the_lease_is_unsure_only_look_ups_leave(fenced: Fenced) -> None:
    transport = fenced.engine.transport
    watched = WatchedTransport(transport, fenced.tenure, ClockWatch(fenced.engine.clock))
    account = fenced.engine.accounts.account("movoice")
    asks, dials = Request(method="GET", path="/call/1"), Request(method="POST", path="/call", body={})
    fenced.boot.seconds += 13
    transport.dials = [reply({})]
    await watched.send(account, asks)
    await watched.send(account, Request(method="POST", path="/search", body={}, reads=True))
    with pytest.raises(TooLate) as late:
        await watched.send(account, dials)
    assert isinstance(late.value, NotSent), "whoever sent it knows that it never left"
    assert transport.sent == []
    await fenced.engine.journal.run(lambda _: None)
    await watched.send(account, dials)
    assert len(transport.sent) == 1, "renewed, it sends again"


async def test_a_commit_that_fails_renews_nothing(fenced: Fenced, monkeypatch: pytest.MonkeyPatch) -> None:
    fenced.boot.seconds += 13
    execute = fenced.store._execute_plain

    def failing(statement: str) -> None:
        if statement == "COMMIT":
            raise LedgerUnwritable("the disk is broken")
        execute(statement)

    with monkeypatch.context() as patch:
        patch.setattr(fenced.store, "_execute_plain", failing)
        with pytest.raises(LedgerUnwritable):
            await fenced.engine.journal.run(lambda _: None)
    with pytest.raises(TooLate):
        fenced.tenure.check_sending()


async def test_a_file_that_is_gone_lets_nothing_be_written(store: Store) -> None:
    epoch = store.leases.take(store.leases.current(), HOLDER, NOON, NOON + LASTS) or 0
    is_there = [True]
    tenure = Tenure(epoch, lambda: NOON, Boot(), is_there=lambda: is_there[0])
    async with Journal(store, tenure=tenure) as journal:
        await journal.run(lambda _: None)
        is_there[0] = False
        with pytest.raises(LedgerUnwritable, match="no longer where it was opened"):
            await journal.run(lambda _: None)


@pytest.mark.fault("F25")
async def test_told_to_stop_it_begins_no_intent_that_it_has_claimed(fenced: Fenced) -> None:
    claimed = await fenced.engine.claim()
    fenced.tenure.close()
    await fenced.engine.delivery.deliver(claimed)
    assert fenced.engine.transport.sent == []
    assert {fenced.engine.state(number) for number in range(3)} == {S.PLANNED}


async def test_the_loop_ends_with_the_lease(fenced: Fenced) -> None:
    dispatcher = fenced.engine.dispatcher()
    fenced.engine.transport.before = lambda _: (
        fenced.taken_by_another() if not fenced.engine.transport.sent[1:] else None
    )
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(dispatcher.run(until_done=True), 10)


@pytest.mark.fault("F1")
async def test_recovery_says_what_it_found(fenced: Fenced) -> None:
    claimed = await fenced.engine.claim()
    await fenced.engine.journal.run(lambda ledger: fenced.engine.delivery._intend(ledger, claimed[:1]))
    fenced.engine.store.pause("renewals", "so that nothing else happens", NOON)
    dispatcher = fenced.engine.dispatcher()
    dispatcher.stop()
    await asyncio.wait_for(dispatcher.run(until_done=True), 10)
    found = dispatcher.recovered
    settle_after = fenced.engine.accounts.settle_after("movoice")
    assert found == Recovered(epoch=1, put_back=2, in_doubt=1, looked_up_at=NOON + settle_after)
    assert found.sentence == (
        "runner 1 of this ledger took up what was cut short: 2 not sent yet, put back in line; "
        f"1 in doubt, looked for from {NOON + settle_after:%H:%M:%S} UTC on"
    )
    events = fenced.store._connection.execute("SELECT detail FROM events WHERE kind = 'recovered'").fetchall()
    assert len(events) == 1
    assert '"put_back":2,"in_doubt":1' in events[0]["detail"]


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (Recovered(epoch=4), "runner 4 of this ledger: nothing was left unfinished"),
        (
            Recovered(epoch=4, waiting_letters=1, handovers=2),
            "runner 4 of this ledger took up what was left behind: 1 webhook waiting for their call; 2 handovers unfinished",
        ),
    ],
)
def test_what_is_said_of_nothing_and_of_little(found: Recovered, sentence: str) -> None:
    assert found.sentence == sentence
