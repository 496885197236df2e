"""Retries, calls back, goals and last starts through the engine and its ledger."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.errors import NotSent
from runner.ledger.instants import from_micros
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.outcome import Observation, Outcome
from tests.building import NOON, Bench, apply, bench, campaign, contact, phone, standing, states

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ONE = (contact(0),)
ANA = phone(0)


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


async def call(engine: Bench, attempt: int, outcome: str, **seen: Any) -> None:
    """Place what is due, and let that attempt end with an outcome now."""
    await engine.deliver()
    seen = {"ended_at": engine.clock.now(), **seen}
    assert await engine.reconciliation.settle(attempt, Observation(outcome=Outcome(outcome), **seen))


def due(engine: Bench, number: int) -> datetime:
    at: datetime = from_micros(engine.attempt(number)["due_at"])
    return at


async def test_waits_follow_the_list_and_the_budget_ends_them(engine: Bench) -> None:
    retry = {"attempts": 4, "after": ["30m", "2h"], "on": {"no_answer": None, "busy": {"after": "5m", "attempts": 1}}}
    apply(engine.store, campaign(retry=retry), ONE)
    for number, wait in ((1, 30 * MINUTE), (2, 2 * HOUR), (3, 2 * HOUR)):
        await call(engine, number, "no_answer")
        assert due(engine, number) == engine.clock.now() + wait
        engine.clock.at = due(engine, number)
    await call(engine, 4, "no_answer")
    assert len(states(engine.store)) == 4
    assert standing(engine.store) == {ANA: "failed"}


async def test_an_hour_that_was_tried_is_remembered_by_the_ledger(engine: Bench) -> None:
    retry = {"attempts": 4, "after": "1h", "best_hours": "spread"}
    apply(engine.store, campaign(retry=retry, windows="daily 12:00-14:00; tue 16:00-17:00"), ONE)
    for number, expected in ((1, NOON + HOUR), (2, NOON + 28 * HOUR), (3, NOON + 47 * HOUR + HOUR)):
        await call(engine, number, "no_answer")
        assert due(engine, number) == expected
        engine.clock.at = expected


async def test_the_window_in_which_a_try_started_counts_and_not_the_one_in_which_it_ended(engine: Bench) -> None:
    windows = [
        {"from": "12:00", "to": "13:00", "retry_after": "10m"},
        {"from": "13:00", "to": "18:00", "retry_after": "2h"},
    ]
    apply(engine.store, campaign(retry="2 times", windows=windows), ONE)
    engine.clock.at = NOON + 59 * MINUTE
    await engine.deliver()
    engine.clock.forward(2 * MINUTE)
    await call(engine, 1, "no_answer")
    assert due(engine, 1) == NOON + 71 * MINUTE


async def test_a_call_back_is_placed_when_the_person_wants_it_and_eats_no_try(engine: Bench) -> None:
    apply(engine.store, campaign(retry="2 times, 2h apart"), ONE)
    asked = {"tag": "CALLBACK", "structured": {"callback_at": "2026-01-07T15:00"}}
    await call(engine, 1, "answered", **asked)
    at = datetime(2026, 1, 7, 20, 0, tzinfo=UTC)
    assert (due(engine, 1), engine.attempt(1)["is_callback"], standing(engine.store)) == (at, 1, {ANA: "retry"})
    await engine.deliver()
    assert engine.state(1) is AttemptState.PLANNED, "not before its time"
    engine.clock.at = at
    await call(engine, 2, "no_answer")
    assert (due(engine, 2), engine.attempt(2)["is_callback"]) == (at + 2 * HOUR, 0)
    engine.clock.at = at + 2 * HOUR
    await call(engine, 3, "answered", **asked)
    assert len(states(engine.store)) == 3
    assert standing(engine.store) == {ANA: "completed"}


async def test_a_suppressed_person_is_not_called_back(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    await engine.deliver()
    engine.store.suppress(ANA, "asked by mail", "a person", NOON)
    seen = Observation(outcome=Outcome.ANSWERED, tag="CALLBACK", structured={"callback_at": "2026-01-07T15:00"})
    assert await engine.reconciliation.settle(1, seen)
    assert [state for *_, state in states(engine.store)] == ["finished"]
    assert standing(engine.store) == {ANA: "suppressed"}


async def test_the_goal_ends_the_sequence(engine: Bench) -> None:
    steps = [{"call": "agent", "retry": {"attempts": 3, "on": ["answered", "busy"]}}, {"call": "agent"}]
    apply(engine.store, campaign(steps=steps, done_when="tag == 'BOOKED'"), ONE)
    await call(engine, 1, "busy")
    engine.clock.forward(2 * HOUR)
    await call(engine, 2, "answered", tag="BOOKED")
    assert states(engine.store) == [(ANA, "call", 1, "finished"), (ANA, "call", 2, "finished")]
    assert standing(engine.store) == {ANA: "completed"}


async def test_a_tag_that_comes_late_still_reaches_the_goal(engine: Bench) -> None:
    steps = [{"call": "agent"}, {"call": "agent", "name": "again", "after": "1h"}]
    apply(engine.store, campaign(steps=steps, done_when="tag == 'BOOKED'"), ONE)
    await call(engine, 1, "answered")
    assert states(engine.store)[-1] == (ANA, "again", 1, "planned")
    engine.store.letters.fill(1, Observation(outcome=Outcome.ANSWERED, tag="BOOKED"))
    engine.clock.forward(HOUR)
    await engine.deliver()
    assert states(engine.store)[-1] == (ANA, "again", 1, "cancelled")
    assert engine.attempt(1)["reason"] == "the goal is reached"
    assert standing(engine.store) == {ANA: "completed"}
    assert len(engine.transport.sent) == 1


@pytest.mark.parametrize(
    ("outcome", "tag", "steps_after", "expected", "stands"),
    [
        ("busy", "REFUSED", 0, [("call", 1, "finished"), ("call", 2, "cancelled")], "failed"),
        ("answered", "REFUSED", 0, [("call", 1, "finished"), ("call", 2, "cancelled")], "completed"),
        ("voicemail", "REFUSED", 1, [("call", 1, "finished"), ("call", 2, "cancelled"), ("again", 1, "planned")], "retry"),
        ("voicemail", "LATER", 0, [("call", 1, "finished"), ("call", 2, "accepted")], "calling"),
    ],
)  # fmt: skip
async def test_a_tag_that_comes_late_still_ends_the_tries_of_its_step(
    engine: Bench, outcome: str, tag: str, steps_after: int, expected: list[Any], stands: str
) -> None:
    retry = {"attempts": 3, "after": "1h", "on": ["busy", "voicemail", "answered"], "stop_when": "tag == 'REFUSED'"}
    steps = [{"call": "agent", "retry": retry}, {"call": "agent", "name": "again", "after": "1d"}]
    apply(engine.store, campaign(steps=steps[: 1 + steps_after]), ONE)
    await call(engine, 1, outcome)
    engine.store.letters.fill(1, Observation(outcome=Outcome(outcome), tag=tag))
    engine.clock.forward(HOUR)
    await engine.deliver()
    assert [(step, number, state) for _, step, number, state in states(engine.store)] == expected
    assert standing(engine.store) == {ANA: stands}
    assert len(engine.transport.sent) == (2 if tag == "LATER" else 1)


async def test_a_call_back_is_made_in_a_cool_down_and_a_retry_is_not(engine: Bench) -> None:
    rules = {"cool_down": "3d", "retry": {"attempts": 3, "after": "1h", "on": ["answered"]}}
    apply(engine.store, campaign(**rules), ONE)
    asked = {"callback_at": (engine.clock.now() + HOUR).isoformat()}
    await call(engine, 1, "answered", tag="CALLBACK", structured=asked)
    engine.clock.forward(HOUR)
    await call(engine, 2, "answered")
    engine.clock.forward(HOUR)
    await engine.deliver()
    assert len(engine.transport.sent) == 2
    assert engine.attempt(2)["reason"] == "a cool-down of 3d after a conversation"
    assert due(engine, 2) == engine.clock.now() - HOUR + 3 * DAY


async def test_nobody_who_left_the_plan_between_claim_and_intent_is_called(engine: Bench) -> None:
    """As by an apply in another process: its call was claimed, and nothing of it had left."""
    apply(engine.store, campaign(), (contact(0), contact(1)))
    claimed = await engine.claim()
    assert len(claimed) == 2
    apply(engine.store, campaign(), (contact(1),))
    await engine.delivery.deliver(claimed)
    assert [state for *_, state in states(engine.store)] == ["superseded", "accepted"]
    assert standing(engine.store)[ANA] == "removed"
    assert len(engine.transport.sent) == 1


async def test_what_came_too_late_is_given_up_and_the_next_step_follows(engine: Bench) -> None:
    steps = [{"call": "agent", "until": "2h"}, {"call": "agent", "after": "1h", "name": "again"}]
    apply(engine.store, campaign(steps=steps), ONE)
    engine.clock.forward(2 * HOUR + timedelta(microseconds=1))
    await engine.deliver()
    assert states(engine.store) == [(ANA, "call", 1, "expired"), (ANA, "again", 1, "planned")]
    assert engine.attempt()["reason"] == "too late by `until` of step call; step again"
    assert (due(engine, 1), standing(engine.store)) == (engine.clock.now() + HOUR, {ANA: "retry"})
    assert engine.transport.sent == []


async def test_what_is_just_in_time_is_placed(engine: Bench) -> None:
    apply(engine.store, campaign(steps=[{"call": "agent", "until": "2h"}]), ONE)
    engine.clock.forward(2 * HOUR)
    await engine.deliver()
    assert engine.state() is AttemptState.ACCEPTED


@pytest.mark.parametrize(("reached", "expected"), [(True, "completed"), (False, "failed")])
async def test_where_a_person_stands_whose_last_step_came_too_late(engine: Bench, reached: bool, expected: str) -> None:
    steps = [{"call": "agent"}, {"call": "agent", "name": "again", "after": "1h", "until": "1h"}]
    apply(engine.store, campaign(steps=steps), ONE)
    await call(engine, 1, "answered" if reached else "no_answer")
    engine.clock.forward(3 * HOUR)
    await engine.deliver()
    assert states(engine.store)[-1] == (ANA, "again", 1, "expired")
    assert standing(engine.store) == {ANA: expected}


async def test_a_retry_whose_time_has_passed_is_not_made(engine: Bench) -> None:
    apply(engine.store, campaign(retry={"attempts": 5, "after": "1h", "expires": "3h"}), ONE)
    await call(engine, 1, "no_answer")
    engine.clock.forward(2 * HOUR)
    await call(engine, 2, "no_answer")
    engine.clock.forward(HOUR + MINUTE)
    await engine.deliver()
    assert [state for *_, state in states(engine.store)] == ["finished", "finished", "expired"]
    assert standing(engine.store) == {ANA: "failed"}
    assert len(engine.transport.sent) == 2


async def test_trouble_on_the_way_eats_no_try_and_does_not_outlive_expires(engine: Bench) -> None:
    apply(engine.store, campaign(retry={"attempts": 2, "after": "1h", "expires": "1h"}), ONE)
    engine.transport.dials = [NotSent("cannot connect")]
    for _ in range(3):
        await engine.deliver()
        assert (engine.state(), engine.attempt()["number"]) == (AttemptState.PLANNED, 1)
        engine.clock.at = due(engine, 0)
    assert engine.attempt()["transport_tries"] == 3
    engine.clock.at = NOON + HOUR + MINUTE
    await engine.deliver()
    assert engine.state() is AttemptState.EXPIRED
    assert len(engine.transport.sent) == 3
