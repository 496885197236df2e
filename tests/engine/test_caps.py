"""Caps and suppressions over campaigns: read in the transaction of the intent, so nobody slips through between."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.engine.journal import Journal
from runner.engine.native_release import release
from runner.errors import LedgerUnwritable
from runner.ledger import chain
from runner.ledger.store import Store
from runner.ledger.suppressions import lift
from runner.model.attempt import AttemptState
from runner.model.move import Move
from runner.model.outcome import Observation, Outcome
from tests.building import NOON, Bench, account, apply, bench, campaign, claim_due, contact, phone, standing, states
from tests.engine.native_server import REVRING, native_bench, native_campaign

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ONE = (contact(0),)
ACCOUNTS = (account("movoice"), account("revring"))
INTERLEAVINGS = int(os.environ.get("OUTREACH_INTERLEAVINGS", "150"))
"""how many orders of events are tried; 10000 by `OUTREACH_INTERLEAVINGS=10000 pytest tests/engine/test_caps.py`"""


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal, *ACCOUNTS)


def other(**changes: Any) -> Any:
    return campaign(campaign="spring", **changes)


async def settled(engine: Bench, number: int, outcome: Outcome, **seen: Any) -> None:
    """End an accepted attempt."""
    row = engine.attempt(number)
    (work,) = engine.store.assignments([row["id"]])
    move = engine.delivery._settled(engine.store, work, Observation(outcome=outcome, **seen))
    assert engine.store.move([move]) == [True]


def last_event(store: Store, number: int) -> str:
    row = store._connection.execute(
        "SELECT detail FROM events WHERE attempt_id = (SELECT id FROM attempts ORDER BY id LIMIT 1 OFFSET ?)"
        " ORDER BY id DESC LIMIT 1", (number,),
    ).fetchone()  # fmt: skip
    return str(row["detail"])


# ---- caps ----


@pytest.mark.fault("F37")
async def test_a_cap_counts_what_another_campaign_did(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE, *ACCOUNTS)
    apply(engine.store, other(caps="1 per day"), ONE, *ACCOUNTS)
    await engine.deliver()
    await settled(engine, 0, Outcome.NO_ANSWER)
    engine.clock.forward(HOUR)
    await engine.deliver(of="spring")

    assert len(engine.transport.sent) == 1
    assert (engine.state(1), engine.attempt(1)["reason"]) == (AttemptState.PLANNED, "at most 1 per day")
    assert '"source":"caps.0"' in last_event(engine.store, 1)
    engine.clock.at = NOON + 12 * HOUR - timedelta(seconds=1)
    await engine.deliver(of="spring")
    assert len(engine.transport.sent) == 1
    engine.clock.forward(timedelta(seconds=1))  # midnight in New York
    await engine.deliver(of="spring")
    assert len(engine.transport.sent) == 2


@pytest.mark.parametrize(("calls", "waits"), [(None, False), (1, False), (2, True), (5, True)])
@pytest.mark.fault("F40")
async def test_redials_of_the_provider_count(engine: Bench, calls: int | None, waits: bool) -> None:
    apply(engine.store, campaign(), ONE, *ACCOUNTS)
    apply(engine.store, other(caps="2 per 24h"), ONE, *ACCOUNTS)
    await engine.deliver()
    engine.clock.forward(HOUR)
    await settled(engine, 0, Outcome.NO_ANSWER, calls=calls)
    await engine.deliver(of="spring")
    assert engine.state(1) is (AttemptState.PLANNED if waits else AttemptState.ACCEPTED)
    if waits:
        assert engine.attempt(1)["due_at"] == engine.attempt(0)["ended_at"] + 24 * 3600 * 1_000_000


@pytest.mark.parametrize(
    ("ended", "counts"),
    [
        ({"state": "finished", "outcome": "failed", "provider_id": None}, False),
        ({"state": "finished", "outcome": "invalid_number", "provider_id": None}, False),
        ({"state": "finished", "outcome": "failed", "provider_id": "x"}, True),
        ({"state": "finished", "outcome": "unknown", "provider_id": None}, True),
        ({"state": "held", "outcome": "", "provider_id": None}, True),
        ({"state": "superseded", "outcome": "", "provider_id": None}, False),
    ],
)
async def test_what_may_have_reached_the_person_counts(engine: Bench, ended: dict[str, Any], counts: bool) -> None:
    apply(engine.store, campaign(), ONE, *ACCOUNTS)
    await engine.deliver()
    engine.store._connection.execute(
        "UPDATE attempts SET state = :state, outcome = :outcome, provider_id = :provider_id", ended
    )
    past = engine.store.past_attempts(phone(0), NOON - DAY, NOON)
    assert sum(one.count for one in past) == counts


async def test_a_cool_down_holds_other_campaigns_and_lets_the_sequence_text(engine: Bench) -> None:
    agents = {"agent": None, "agents": {"agent": "movoice/agent_1", "sms": "revring/agent_2"}}
    steps = [{"call": "agent"}, {"text": "sms", "message": "thank you", "after": "1h"}]
    apply(engine.store, campaign(steps=steps, cool_down="3d", **agents), ONE, *ACCOUNTS)
    apply(engine.store, other(cool_down="3d"), ONE, *ACCOUNTS)
    await engine.deliver()
    await settled(engine, 0, Outcome.ANSWERED)
    engine.clock.forward(2 * HOUR)
    await engine.deliver(of="spring")
    assert (engine.state(1), engine.attempt(1)["reason"]) == (
        AttemptState.PLANNED, "a cool-down of 3d after a conversation",
    )  # fmt: skip
    await engine.deliver()
    assert [one.path for one in engine.transport.sent][1:] == ["/messages"], "the text of the same sequence goes on"


@pytest.mark.fault("F37")
async def test_people_who_share_a_number_are_called_one_after_the_other(engine: Bench) -> None:
    ada, ben = contact(0, key="1"), contact(0, key="2", row=3)
    apply(engine.store, campaign(caps="1 per day"), (ada, ben), *ACCOUNTS)
    await engine.deliver()
    await engine.deliver()
    assert sorted(state for *_, state in states(engine.store)) == ["accepted", "planned"]
    await settled(engine, 0, Outcome.NO_ANSWER)
    await engine.deliver()
    assert engine.attempt(1)["reason"] == "at most 1 per day", "caps count by number, whoever is meant"
    engine.store.suppress(phone(0), "opted out", "a test", NOON)
    assert [state for *_, state in states(engine.store)] == ["finished", "suppressed"]


def test_nobody_is_handed_over_beyond_a_cap(store: Store, journal: Journal) -> None:
    engine = native_bench(store, journal).engine
    apply(store, native_campaign(caps="1 per day"), ONE, REVRING)
    apply(store, native_campaign(campaign="spring", caps="1 per day"), ONE, REVRING)
    engine.policies.renew(store.campaigns_in_force())
    with store.transaction():
        made = release(engine.reconciliation, store, NOON)
    assert [len(one.handover.people) for one in made] == [1]
    store._connection.execute("UPDATE attempts SET state = 'finished', outcome = 'no_answer' WHERE sent_at IS NOT NULL")
    with store.transaction():
        assert release(engine.reconciliation, store, NOON + HOUR) == []
    waiting = store._connection.execute("SELECT reason, due_at FROM attempts WHERE state = 'planned'").fetchone()
    assert waiting["reason"] == "at most 1 per day"


# ---- suppressions ----


async def test_a_rest_waits_and_an_opt_out_after_it_ends_everything(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE, *ACCOUNTS)
    assert engine.store.suppress(phone(0), "on holiday", "by hand", NOON, until=NOON + DAY)
    await engine.deliver()
    assert (engine.state(), standing(engine.store)) == (AttemptState.PLANNED, {phone(0): "pending"})
    assert engine.attempt()["reason"] == "left alone until 2026-01-06 17:00 UTC: on holiday"
    assert not engine.store.letters.is_suppressed(phone(0))
    assert engine.store.letters.unlisted("revring", 10) == [], "providers' lists know no end"

    assert engine.store.suppress(phone(0), "opted out", "a text", NOON + HOUR)
    assert engine.state() is AttemptState.SUPPRESSED
    assert engine.store.letters.unlisted("revring", 10) == [phone(0)]
    assert not engine.store.suppress(phone(0), "on holiday", "by hand", NOON + HOUR, until=NOON + 9 * DAY)
    assert engine.store.letters.is_suppressed(phone(0))


async def test_a_rest_ends_by_itself(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE, *ACCOUNTS)
    engine.store.suppress(phone(0), "on holiday", "by hand", NOON, until=NOON + DAY)
    await engine.deliver()
    engine.clock.forward(DAY)
    await engine.deliver()
    assert engine.state() is AttemptState.ACCEPTED


async def test_what_waits_at_a_provider_is_called_off_for_whoever_opted_out_elsewhere(engine: Bench) -> None:
    apply(engine.store, campaign(), (contact(0), contact(1)), *ACCOUNTS)
    await engine.deliver()
    assert engine.store.handovers.to_call_off(10) == []
    engine.store.suppress(phone(0), "asked to stop", "a text", NOON + HOUR)
    own_call = f"attempt {engine.attempt(1)['key']}"
    engine.store.suppress(phone(1), "opted out", own_call, NOON + HOUR)
    called_off = [work.attempt.phone for work in engine.store.handovers.to_call_off(10)]
    assert called_off == [phone(0)], "the call in which somebody says so is not cut off"


@pytest.mark.fault("F35")
def test_nothing_can_be_written_between_the_look_and_the_intent(
    engine: Bench, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(engine.store, campaign(), ONE, *ACCOUNTS)
    engine.policies.renew(engine.store.campaigns_in_force())
    claimed = claim_due(engine.store, "renewals", 10, NOON, NOON + HOUR)
    elsewhere = Store.open(path)
    elsewhere._connection.execute("PRAGMA busy_timeout = 0")
    tried: list[str] = []
    real = engine.policies.of

    def meanwhile(name: str) -> Any:
        with pytest.raises(LedgerUnwritable):
            elsewhere.suppress(phone(0), "opted out", "another process", NOON)
        tried.append(name)
        return real(name)

    monkeypatch.setattr(engine.policies, "of", meanwhile)
    with engine.store.transaction():
        going = engine.delivery._intend(engine.store, claimed)
    assert (len(going), tried[:1]) == (1, ["renewals"])
    assert elsewhere.suppress(phone(0), "opted out", "another process", NOON)
    elsewhere.close()


# ---- any order of events ----

_EVENTS = st.lists(
    st.sampled_from(
        ["claim renewals", "claim spring", "intend renewals", "intend spring", "end", "opt out", "rest", "lift", "hour"]
    ),
    min_size=3,
    max_size=14,
)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A ledger with two campaigns for one person, several tries each."""
    store = Store.open(tmp_path_factory.mktemp("template") / "ledger.db")
    rules = {"retry": "4 times, 1h apart, on no_answer", "caps": "2 per 3h"}
    apply(store, campaign(**rules), ONE, *ACCOUNTS)
    apply(store, other(**rules), ONE, *ACCOUNTS)
    yield store
    store.close()


class _Run:
    """One order of events over a copy of the template, and what may be true of it."""

    def __init__(self, template: Store) -> None:
        memory = sqlite3.connect(":memory:", isolation_level=None)
        chain.install(memory)
        template._connection.backup(memory)
        memory.row_factory = sqlite3.Row
        self.store = Store(memory)
        self.engine = bench(self.store, Journal(self.store), *ACCOUNTS)
        self.engine.policies.renew(self.store.campaigns_in_force())
        self.claimed: dict[str, list[Any]] = {"renewals": [], "spring": []}
        self.dialled: list[Any] = []
        self.is_out = False
        self.rests_until = NOON

    def do(self, event: str) -> None:
        what, _, name = event.partition(" ")
        now = self.engine.clock.now()
        if what == "claim":
            self.claimed[name] += claim_due(self.store, name, 10, now, now + HOUR)
        elif what == "intend":
            self._intend(name)
        elif what == "end":
            self._end()
        elif what == "opt":
            self.store.suppress(phone(0), "opted out", "a text", now)
            self.is_out = True
        elif what == "rest":
            self.store.suppress(phone(0), "rests", "by hand", now, until=now + 2 * HOUR)
            self.rests_until = now + 2 * HOUR if not self.is_out else self.rests_until
        elif what == "lift":
            lift(self.store, phone(0), "a test", "tester", now)
            self.is_out, self.rests_until = False, now
        else:
            self.engine.clock.forward(HOUR)

    def _intend(self, name: str) -> None:
        now = self.engine.clock.now()
        with self.store.transaction():
            going = self.engine.delivery._intend(self.store, self.claimed[name])
        self.claimed[name] = []
        assert not going or not (self.is_out or now < self.rests_until), "a dial after the opt-out was durable"
        self.dialled += [now] * len(going)
        assert sum(now - 3 * HOUR < at for at in self.dialled) <= 2, "a dial beyond the cap"

    def _end(self) -> None:
        now = self.engine.clock.now()
        for work in self.store.in_state(AttemptState.SENDING):
            attempt = work.attempt
            move = Move(
                attempt_id=attempt.id, old=attempt.state, new=AttemptState.ACCEPTED, at=now,
                provider_id=attempt.key, poll_at=now + DAY,
            )  # fmt: skip
            self.store.move([move])
            (accepted,) = self.store.assignments([attempt.id])
            seen = Observation(outcome=Outcome.NO_ANSWER)
            self.store.move([self.engine.delivery._settled(self.store, accepted, seen)])

    def check(self) -> None:
        live = self.store._connection.execute(
            "SELECT COUNT(*) FROM attempts WHERE state IN ('claimed', 'sending', 'accepted', 'in_doubt')"
        ).fetchone()[0]
        assert live <= 1, "one person has one live attempt"
        if self.is_out:
            assert "planned" not in {state for name in ("renewals", "spring") for *_, state in states(self.store, name)}


@settings(
    max_examples=INTERLEAVINGS, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(_EVENTS)
@pytest.mark.fault("F35")
def test_in_any_order_nobody_who_opted_out_is_dialled(template: Store, events: list[str]) -> None:
    run = _Run(template)
    for event in events:
        run.do(event)
        run.check()
    run.store.close()


def test_the_orders_do_dial(template: Store) -> None:
    run = _Run(template)
    for event in ("claim renewals", "intend renewals", "end", "claim spring", "intend spring", "end"):
        run.do(event)
    assert len(run.dialled) == 2
    for event in ("hour", "claim renewals", "intend renewals", "hour", "hour", "claim renewals", "intend renewals"):
        run.do(event)
    assert len(run.dialled) == 3, "the cap held one back for two hours"
    for event in ("end", "hour", "claim renewals", "opt out", "intend renewals", "claim spring", "intend spring"):
        run.do(event)
    assert len(run.dialled) == 3, "claimed before the opt-out, and dropped after it"
    run.store.close()
