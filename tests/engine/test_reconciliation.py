"""Following attempts to their end: polls, look-ups for what is in doubt, recovery after a crash."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from runner.engine.delivery import TRANSPORT_TRIES
from runner.engine.journal import Journal
from runner.errors import InDoubt, NotSent
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.outcome import Observation, Outcome
from runner.model.project import POLL_LADDER
from tests.building import NOON, Answer, Bench, account, apply, bench, campaign, contact, phone, reply, standing, states

S = AttemptState
PEOPLE = tuple(contact(number) for number in range(3))
ONE = PEOPLE[:1]
EMPTY = reply({"calls": [], "total": 0, "offset": 0})
DOUBT = timedelta(seconds=120)


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


def listed(at: datetime) -> Answer:
    call = {"call_id": "found-1", "recipient_phone": phone(0), "created_at": at.isoformat()}
    return reply({"calls": [call], "total": 1, "offset": 0})


async def in_doubt(engine: Bench, **rules: object) -> None:
    """Send one attempt whose answer is lost."""
    apply(engine.store, campaign(**rules), ONE)
    engine.transport.dials = [InDoubt("no answer came")]
    await engine.deliver()
    assert engine.state() is S.IN_DOUBT


async def look(engine: Bench, answer: Answer) -> None:
    """Let the next look-up come due and answer it."""
    engine.transport.looks = [answer]
    engine.clock.at = max(engine.clock.at, engine.store.next_ask() or engine.clock.at)
    await engine.ask()


async def test_a_lost_request_that_is_listed_is_followed(engine: Bench) -> None:
    await in_doubt(engine)
    await look(engine, listed(NOON))
    row = engine.store.assignments([1])[0].attempt
    assert (row.state, row.provider_id, row.poll_at) == (S.ACCEPTED, "found-1", NOON + DOUBT + POLL_LADDER[0])


async def test_two_complete_empty_lists_prove_that_it_never_arrived(engine: Bench) -> None:
    await in_doubt(engine)
    await look(engine, EMPTY)
    assert (engine.state(), engine.store.next_ask()) == (S.IN_DOUBT, NOON + 2 * DOUBT)
    await look(engine, EMPTY)
    row = engine.store.assignments([1])[0].attempt
    assert (row.state, row.number, row.transport_tries) == (S.PLANNED, 1, 1)
    assert len(states(engine.store)) == 1, "the same row, not a second attempt"


@pytest.mark.parametrize(
    "failure", [NotSent("refused"), InDoubt("cut off"), reply({}, 500), reply({"odd": True}), KeyError("x")]
)
async def test_a_look_up_that_failed_proves_nothing(
    engine: Bench, failure: Answer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    await in_doubt(engine)
    for _ in range(4):
        await look(engine, failure)
    await look(engine, EMPTY)
    assert engine.state() is S.IN_DOUBT, "one empty list is not two"
    await look(engine, failure)
    await look(engine, EMPTY)
    assert engine.state() is S.PLANNED


async def test_look_ups_that_fail_for_a_day_end_with_a_person(engine: Bench) -> None:
    await in_doubt(engine)
    looks = 0
    while engine.state() is S.IN_DOUBT:
        await look(engine, NotSent("refused"))
        looks += 1
        assert looks < 2000
    assert (engine.state(), standing(engine.store)) == (S.HELD, {phone(0): "held"})
    assert engine.clock.at - NOON >= POLL_LADDER[-1]


async def test_a_provider_without_a_list_holds_the_attempt(store: Store, journal: Journal) -> None:
    apply(store, campaign(agent="revmo/agent_1"), ONE)
    engine = bench(store, journal, account("revmo", webhook_secret="env:X"))
    engine.transport.dials = [InDoubt("no answer came")]
    await engine.deliver()
    await look(engine, EMPTY)
    assert (engine.state(), standing(store)) == (S.HELD, {phone(0): "held"})
    assert engine.transport.asked == []
    assert store.open_attempts() == 0


async def test_the_call_of_an_earlier_try_does_not_hide_a_lost_one(engine: Bench) -> None:
    apply(engine.store, campaign(retry="3 times, 5m apart, on no_answer"), ONE)
    engine.transport.dials = [reply({"call_id": "first"}), InDoubt("no answer came")]
    await engine.deliver()
    assert await engine.reconciliation.settle(1, Observation(outcome=Outcome.NO_ANSWER))
    engine.clock.forward(timedelta(minutes=5))
    await engine.deliver()
    assert engine.state(1) is S.IN_DOUBT
    first = {"call_id": "first", "recipient_phone": phone(0), "created_at": NOON.isoformat()}
    lost = {"call_id": "lost", "recipient_phone": phone(0), "created_at": engine.clock.at.isoformat()}
    await look(engine, reply({"calls": [first, lost], "total": 2, "offset": 0}))
    assert (engine.state(1), engine.attempt(1)["provider_id"]) == (S.ACCEPTED, "lost")


async def test_two_calls_that_cannot_be_told_apart_prove_nothing(engine: Bench) -> None:
    await in_doubt(engine)
    call = {"recipient_phone": phone(0), "created_at": NOON.isoformat()}
    two = reply({"calls": [{**call, "call_id": "a"}, {**call, "call_id": "b"}], "total": 2, "offset": 0})
    for _ in range(3):
        await look(engine, two)
    assert engine.state() is S.IN_DOUBT


async def test_a_list_is_read_to_its_end(engine: Bench) -> None:
    await in_doubt(engine)
    other = {"call_id": "x", "recipient_phone": phone(9), "created_at": NOON.isoformat()}
    first = reply({"calls": [other] * 100, "total": 101, "offset": 0})
    found = {"call_id": "found-2", "recipient_phone": phone(0), "created_at": NOON.isoformat()}
    engine.transport.looks = [first, reply({"calls": [found], "total": 101, "offset": 100})]
    engine.clock.forward(DOUBT)
    await engine.ask()
    assert engine.attempt()["provider_id"] == "found-2"
    assert len(engine.transport.asked) == 2


async def test_a_list_without_an_end_proves_nothing(engine: Bench) -> None:
    await in_doubt(engine)
    other = {"call_id": "x", "recipient_phone": phone(9), "created_at": NOON.isoformat()}
    for _ in range(2):
        await look(engine, reply({"calls": [other] * 100}))
    assert engine.state() is S.IN_DOUBT


async def test_a_request_that_never_arrives_is_not_sent_for_ever(engine: Bench) -> None:
    await in_doubt(engine)
    while engine.state() is not S.FINISHED:
        while engine.state() is S.IN_DOUBT:
            await look(engine, EMPTY)
        await engine.deliver()
        assert len(engine.transport.sent) < 50
    assert len(engine.transport.sent) == TRANSPORT_TRIES + 1
    assert engine.attempt()["outcome"] == "failed"


async def test_the_poll_ladder_is_climbed_to_unknown(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    await engine.deliver()
    asked = []
    while engine.state() is S.ACCEPTED:
        asked.append((engine.store.next_ask() or NOON) - NOON)
        await look(engine, reply({"status": "in_progress"}))
    assert tuple(asked) == POLL_LADDER
    assert (engine.attempt()["outcome"], standing(engine.store)) == ("unknown", {phone(0): "completed"})


async def test_a_poll_that_fails_climbs_the_ladder_too(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    await engine.deliver()
    for _ in POLL_LADDER:
        await look(engine, NotSent("refused"))
    assert engine.attempt()["outcome"] == "unknown"


async def test_a_poll_brings_the_outcome_and_the_retry(engine: Bench) -> None:
    apply(engine.store, campaign(retry="2 times, 2h apart, on no_answer"), ONE)
    await engine.deliver()
    await look(engine, reply({"status": "failed", "reason": "no_answer"}))
    assert [(number, state) for _, _, number, state in states(engine.store)] == [(1, "finished"), (2, "planned")]
    assert standing(engine.store) == {phone(0): "retry"}
    assert engine.store.assignments([2])[0].attempt.due_at == engine.clock.at + timedelta(hours=2)


async def test_the_retry_counts_from_the_end_of_the_call_and_never_from_the_future(engine: Bench) -> None:
    apply(engine.store, campaign(retry="3 times, 2h apart, on no_answer"), ONE)
    await engine.deliver()
    engine.clock.forward(timedelta(hours=1))
    ended = Observation(outcome=Outcome.NO_ANSWER, ended_at=NOON + timedelta(minutes=1))
    assert await engine.reconciliation.settle(1, ended)
    assert engine.store.assignments([2])[0].attempt.due_at == NOON + timedelta(minutes=121)
    engine.clock.forward(timedelta(hours=2))
    await engine.deliver()
    later = Observation(outcome=Outcome.NO_ANSWER, ended_at=NOON + timedelta(days=900))
    assert await engine.reconciliation.settle(2, later)
    assert engine.store.assignments([3])[0].attempt.due_at == engine.clock.at + timedelta(hours=2)


async def test_an_opt_out_reaches_every_campaign(engine: Bench) -> None:
    apply(engine.store, campaign(retry="3 times"), ONE)
    apply(engine.store, campaign(campaign="reminders"), ONE)
    await engine.deliver()
    assert await engine.reconciliation.settle(1, Observation(outcome=Outcome.OPTED_OUT))
    await engine.deliver(of="reminders")
    assert standing(engine.store) == {phone(0): "suppressed"}
    assert standing(engine.store, "reminders") == {phone(0): "suppressed"}
    assert len(engine.transport.sent) == 1


@pytest.mark.parametrize("state", [S.PLANNED, S.CLAIMED, S.FINISHED, S.SUPERSEDED, S.CANCELLED, S.EXPIRED])
async def test_what_was_never_sent_or_has_ended_is_not_settled(engine: Bench, state: S) -> None:
    apply(engine.store, campaign(), ONE)
    engine.policies.renew(engine.store.campaigns_in_force())
    engine.store._connection.execute("UPDATE attempts SET state = ?", (state.value,))
    assert not await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED))
    assert engine.state() is state


async def test_a_held_attempt_can_still_be_proved(engine: Bench) -> None:
    await in_doubt(engine)
    engine.store._connection.execute("UPDATE attempts SET state = 'held'")
    assert await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED))
    assert standing(engine.store) == {phone(0): "completed"}


async def test_a_crash_before_the_intent_puts_the_attempt_back_in_line(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    await engine.claim()
    assert await engine.reconciliation.recover() == 0
    assert {state for *_, state in states(engine.store)} == {"planned"}
    assert set(standing(engine.store).values()) == {"pending"}


async def test_a_crash_after_the_intent_leaves_a_doubt(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    claimed = await engine.claim()
    await engine.journal.run(lambda ledger: engine.delivery._intend(ledger, claimed))
    engine.clock.forward(timedelta(seconds=30))
    assert await engine.reconciliation.recover() == 1
    row = engine.store.assignments([1])[0].attempt
    assert (row.state, row.poll_at) == (S.IN_DOUBT, NOON + DOUBT)
    await look(engine, listed(NOON))
    assert engine.state() is S.ACCEPTED


async def test_a_runner_that_was_down_for_long_asks_at_once(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    claimed = await engine.claim()
    await engine.journal.run(lambda ledger: engine.delivery._intend(ledger, claimed))
    engine.clock.forward(timedelta(hours=5))
    await engine.reconciliation.recover()
    asked = engine.store.next_ask()
    assert asked is not None
    assert asked <= engine.clock.at


async def test_an_account_that_is_gone_keeps_nobody_from_starting(store: Store, journal: Journal) -> None:
    apply(store, campaign(), PEOPLE[:2], account(name="old"))
    before = bench(store, journal, account(name="old"))
    claimed = await before.claim()
    await before.delivery.deliver(claimed[:1])
    await journal.run(lambda ledger: before.delivery._intend(ledger, claimed[1:]))
    after = bench(store, journal, account(name="new"))
    after.policies.renew(store.campaigns_in_force())
    assert await after.reconciliation.recover() == 1
    for _ in range(1000):
        if store.next_ask() is None:
            break
        await look(after, EMPTY)
    assert [state for *_, state in states(store)] == ["finished", "held"]
    assert after.transport.asked == []
