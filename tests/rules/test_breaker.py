"""When an account's breaker opens, what lets it close, what a provider that asks to wait gets, and when doubts pause."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import InDoubt, NotSent, Rejected, SendError, Throttled
from runner.model.lane import RecentDoubts
from runner.rules.breaker import (
    FIRST_WAIT,
    LONGEST_WAIT,
    TRIAL_LEASE,
    Breaker,
    BreakerState,
    after_call,
    after_read,
    as_time_passes,
    begin_read,
    begin_trial,
    calls_allowed,
    read_at_once,
    read_is_due,
    recovered,
    slowed,
    trial_dropped,
)
from runner.rules.doubt import DoubtBudget
from runner.rules.health import AccountHealth, after_send, room_of_account
from tests.building import NOON

S = BreakerState
ENDS: dict[str, SendError | None] = {
    "+": None,
    "x": InDoubt("answered 503"),
    "n": NotSent("no connection"),
    "r": Rejected("answered 422"),
    "t": Throttled("answered 429"),
}


def after(ends: str, breaker: Breaker | None = None, now: datetime = NOON) -> Breaker:
    found = breaker or Breaker()
    for number, sign in enumerate(ends):
        found = after_call(found, number, ENDS[sign], now)
    return found


@pytest.mark.parametrize(
    ("ends", "is_open"),
    [
        ("", False),
        ("xxxx", False),
        ("xxxxx", True),
        ("nxnxn", True),
        ("xxxx+xxxx", False),
        ("xxxxrxxxx", False),
        ("xxxxtx", True),
        ("ttttttttttttttttttttttt", False),
        ("rrrrrrrrrrrrrrrrrrrrrrr", False),
        ("x+" * 9, False),
        ("x+" * 10, True),
        ("x+" * 9 + "+x", True),
        ("x+" * 9 + "++x", False),
        ("+" * 100 + "x+" * 9 + "x", True),
        ("xx+" * 6 + "x", True),
    ],
)
def test_what_opens_it(ends: str, is_open: bool) -> None:
    assert after(ends).is_open is is_open


def test_it_says_why_it_opened_and_when_it_looks_again() -> None:
    found = after("xxxxx")
    assert found.reason == "5 sends in a row failed, the last: answered 503"
    assert (found.since, found.retry_at) == (NOON, NOON + FIRST_WAIT)
    assert after("x+" * 9 + "x").reason.startswith("10 of the last 20 sends failed")


def test_a_read_then_one_call_close_it() -> None:
    found = after("xxxxx")
    assert not read_is_due(found, NOON)
    assert read_is_due(found, NOON + FIRST_WAIT)
    found = begin_read(found, NOON + FIRST_WAIT)
    assert calls_allowed(found) == 0
    found = after_read(found, answered=True, now=NOON)
    assert calls_allowed(found) == 1
    found = begin_trial(found, 7, NOON)
    assert calls_allowed(found) == 0
    assert after_call(found, 6, None, NOON) == found, "what was under way before tells nothing"
    assert after_call(found, 7, None, NOON) == Breaker()
    assert after_call(found, 7, ENDS["r"], NOON) == Breaker(), "a refusal shows that the provider is there"
    assert after_call(found, 7, ENDS["t"], NOON).state is S.HALF_OPEN


def test_a_read_that_fails_is_made_again() -> None:
    found = after_read(begin_read(after("xxxxx"), NOON), answered=False, now=NOON + timedelta(minutes=1))
    assert (found.state, found.retry_at) == (S.OPEN, NOON + timedelta(minutes=1) + FIRST_WAIT)


def test_each_call_that_fails_doubles_the_wait() -> None:
    found, waits = after("xxxxx"), []
    for number in range(8):
        found = begin_trial(after_read(begin_read(found, NOON), answered=True, now=NOON), number, NOON)
        found = after_call(found, number, ENDS["x"], NOON)
        assert found.retry_at is not None
        waits.append((found.retry_at - NOON) / FIRST_WAIT)
    assert waits == [2, 4, 8, 16, 30, 30, 30, 30]
    assert waits[-1] * FIRST_WAIT == LONGEST_WAIT


def test_a_trial_that_is_never_heard_of_is_given_up() -> None:
    trying = begin_trial(after_read(begin_read(after("xxxxx"), NOON), answered=True, now=NOON), 7, NOON)
    assert as_time_passes(trying, NOON + TRIAL_LEASE - timedelta(seconds=1)) == trying
    assert read_is_due(as_time_passes(trying, NOON + TRIAL_LEASE), NOON + TRIAL_LEASE)
    assert read_is_due(recovered(trying, NOON), NOON)
    assert trial_dropped(trying, 6) == trying
    assert trial_dropped(trying, 7).state is S.HALF_OPEN


@given(
    st.lists(
        st.sampled_from(["+", "x", "n", "r", "t", "read", "deaf", "claim", "drop", "wait", "restart"]), max_size=60
    )
)
@settings(max_examples=200, deadline=None)
def test_it_is_never_stuck_and_lets_one_call_try(steps: list[str]) -> None:
    """Whatever happens: never two trials at once, and from every state a read and a call lead back."""
    now, found = NOON, Breaker()
    for number, step in enumerate(steps):
        before = found
        now += timedelta(minutes=7) if step == "wait" else timedelta(0)
        found = _step(found, step, number, now)
        assert calls_allowed(found) in (None, 0, 1)
        if before.is_open and not found.is_open:
            assert before.state is S.TRYING, "only a call that went well closes it"
        if found.state in {S.OPEN, S.PROBING, S.TRYING}:
            assert found.retry_at is not None, "something is to happen by itself"
    later = now + LONGEST_WAIT + TRIAL_LEASE
    found = _step(as_time_passes(found, later), "read", 0, later)
    if found.is_open:
        found = after_call(begin_trial(found, 1000, later), 1000, None, later)
    assert not found.is_open


def _step(found: Breaker, step: str, number: int, now: datetime) -> Breaker:
    if step in ENDS:
        return after_call(found, found.trial if found.trial is not None else number, ENDS[step], now)
    if step in {"read", "deaf"}:
        return (
            after_read(begin_read(found, now), answered=step == "read", now=now) if read_is_due(found, now) else found
        )
    changes = {
        "claim": lambda: begin_trial(found, number, now),
        "drop": lambda: trial_dropped(found, found.trial or 0),
        "wait": lambda: as_time_passes(found, now),
        "restart": lambda: recovered(found, now),
    }
    return changes[step]()


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ([None], 2), ([None, None], 4), ([None] * 5, 32), ([None] * 60, 900), ([9.0], 9), ([0.0], 2), ([0.1], 1),
        ([1e300], 3600), ([30.0, 5.0], 30),
    ],
)  # fmt: skip
def test_an_account_that_is_told_to_wait_waits(told: list[float | None], seconds: float) -> None:
    found = None
    for one in told:
        found = slowed(found, one, NOON)
    assert found is not None
    assert found.until == NOON + timedelta(seconds=seconds)


def test_waiting_holds_for_the_whole_account_and_ends_by_itself() -> None:
    health = after_send(AccountHealth(), 1, Throttled("429", retry_after=40), NOON)
    room = room_of_account(health, NOON + timedelta(seconds=39))
    assert (room.free, room.until, room.why) == (0, NOON + timedelta(seconds=40), "the provider asked to wait")
    assert room_of_account(health, NOON + timedelta(seconds=40)).free > 0
    assert after_send(health, 2, None, NOON).slowdown == health.slowdown, "an earlier answer takes nothing back"
    assert after_send(health, 2, InDoubt("?"), NOON + timedelta(minutes=1)).slowdown == health.slowdown
    assert after_send(health, 2, None, NOON + timedelta(minutes=1)) == AccountHealth()


@pytest.mark.parametrize(
    ("sent", "doubted", "pauses"),
    [(3, 3, False), (4, 4, True), (299, 4, True), (400, 4, False), (400, 5, True), (1000, 10, False), (1000, 11, True)],
)
def test_doubts_pause_a_campaign(sent: int, doubted: int, pauses: bool) -> None:
    why = DoubtBudget().verdict(RecentDoubts(sent=sent, doubted=doubted))
    assert bool(why) is pauses
    if pauses:
        assert why == (
            f"{doubted} of the {sent} sends of the last hour are or were in doubt, more than the 3 or 1% that may be:"
            " look at them, then resume"
        )


def test_a_person_ends_the_wait_of_an_open_breaker_and_nothing_else() -> None:
    opened = after("xxxxx")
    hurried = read_at_once(opened, NOON + timedelta(seconds=1))
    assert hurried == replace(opened, retry_at=NOON + timedelta(seconds=1))
    assert read_is_due(hurried, NOON + timedelta(seconds=1))
    assert calls_allowed(hurried) == 0
    assert read_at_once(hurried, NOON + timedelta(seconds=9)) == hurried, "never later"
    others = [Breaker(), begin_read(opened, NOON), after_read(begin_read(opened, NOON), answered=True, now=NOON)]
    assert [read_at_once(one, NOON) for one in others] == others
