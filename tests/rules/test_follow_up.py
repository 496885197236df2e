"""What an outcome leads to: every outcome by every retry rule, conditions, windows, budgets."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.outcome import REACHED, Outcome
from runner.rules.expressions import StepResult
from runner.rules.follow_up import Ending, FollowUp, Then, follow_up
from runner.rules.policy import policy_of
from tests.building import NEW_YORK, NOON, campaign

HOUR = timedelta(hours=1)
OTHERS = [outcome for outcome in Outcome if outcome is not Outcome.OPTED_OUT]


def led_to(
    outcome: Outcome, *, step: str = "call", number: int = 1, zones: tuple[str, ...] = (NEW_YORK,), **rules: Any
) -> FollowUp:
    """Let an attempt end at noon."""
    contact = rules.pop("contact", {"phone": "x"})
    done = StepResult(outcome=outcome.value, tag=rules.pop("tag", ""), calls=rules.pop("calls", 1))
    history = rules.pop("history", {}) | {step: done}
    ending = Ending(
        step=step, number=number, outcome=outcome, at=NOON, zones=zones, history=history, contact=contact
    )  # fmt: skip
    return follow_up(policy_of(campaign(**rules)), ending)


@pytest.mark.parametrize(
    ("outcome", "on", "number"),
    list(product(OTHERS, ["no_answer, busy", "answered", "failed, unknown, voicemail"], [1, 2, 3])),
)
def test_every_outcome_by_every_rule(outcome: Outcome, on: str, number: int) -> None:
    found = led_to(outcome, number=number, retry=f"3 times, 2h apart, on {on}")
    wanted = outcome.value in on.split(", ")
    if wanted and number < 3:
        assert (found.then, found.step, found.number) == (Then.RETRY, "call", number + 1)
        assert found.due_at == NOON + 2 * HOUR
        assert found.reason == f"{outcome}: try {number + 1} of 3, call"
        return
    assert found.due_at is None
    assert found.then is (Then.COMPLETED if outcome in REACHED and not wanted else Then.FAILED)
    assert found.reason == (
        f"{outcome} after {number} tries" if wanted
        else f"{outcome}: the sequence is through" if outcome in REACHED
        else str(outcome)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("number", "calls", "tries"), [(1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 1, 2), (1, 3, 3), (2, 5, 5)]
)
def test_the_provider_s_own_retries_are_tries(number: int, calls: int, tries: int) -> None:
    found = led_to(Outcome.NO_ANSWER, number=number, calls=calls, retry="3 times, 2h apart, on no_answer")
    if tries < 3:
        assert (found.then, found.number) == (Then.RETRY, number + 1)
        assert found.reason == f"no_answer: try {tries + 1} of 3, call"
    else:
        assert (found.then, found.reason) == (Then.FAILED, f"no_answer after {tries} tries")


@pytest.mark.parametrize("outcome", OTHERS)
def test_one_try_is_one_try(outcome: Outcome) -> None:
    found = led_to(outcome)
    assert found.then is (Then.COMPLETED if outcome in REACHED else Then.FAILED)


def test_an_opt_out_ends_everything() -> None:
    steps = [{"call": "agent", "retry": {"attempts": 5, "on": ["opted_out"]}}, {"call": "agent"}]
    found = led_to(Outcome.OPTED_OUT, steps=steps)
    assert (found.then, found.due_at, found.reason) == (Then.FAILED, None, "the person asked not to be contacted")


def test_a_retry_goes_through_the_windows() -> None:
    found = led_to(Outcome.BUSY, retry="3 times, 2h apart", windows="mon-fri 10:00-13:00")
    assert found.due_at == NOON + 22 * HOUR


def test_a_retry_waits_for_every_zone_of_the_person() -> None:
    zones = (NEW_YORK, "America/Los_Angeles")
    found = led_to(Outcome.BUSY, retry="3 times, 0s apart", windows="daily 10:00-18:00", zones=zones)
    assert found.due_at == NOON + HOUR


@pytest.mark.parametrize("end", ["2026-01-05T19:00:00Z", "2026-01-05T18:59:59Z"])
def test_no_retry_after_the_schedule_s_end(end: str) -> None:
    found = led_to(Outcome.BUSY, retry="3 times, 2h apart", schedule={"end": end})
    assert (found.then, found.due_at) == (Then.FAILED, None)


def test_a_retry_right_before_the_end_is_made() -> None:
    found = led_to(Outcome.BUSY, retry="3 times, 2h apart", schedule={"end": "2026-01-05T19:00:01Z"})
    assert found.due_at == NOON + 2 * HOUR


def test_without_a_zone_nothing_follows() -> None:
    assert led_to(Outcome.BUSY, retry="3 times", zones=()).then is Then.FAILED


STEPS = [
    {"call": "agent", "retry": "2 times"},
    {"call": "agent", "name": "again", "after": "1d", "when": "no_answer, busy"},
    {"call": "agent", "name": "last", "after": "2h"},
]


@pytest.mark.parametrize(
    ("step", "number", "outcome", "then", "following", "hours"),
    [
        ("call", 1, Outcome.NO_ANSWER, Then.RETRY, "call", 2),
        ("call", 2, Outcome.NO_ANSWER, Then.NEXT_STEP, "again", 24),
        ("call", 1, Outcome.ANSWERED, Then.NEXT_STEP, "last", 2),
        ("call", 1, Outcome.DECLINED, Then.NEXT_STEP, "last", 2),
        ("again", 1, Outcome.FAILED, Then.NEXT_STEP, "last", 2),
        ("last", 1, Outcome.ANSWERED, Then.COMPLETED, "", None),
        ("last", 1, Outcome.FAILED, Then.FAILED, "", None),
        ("call", 1, Outcome.OPTED_OUT, Then.FAILED, "", None),
    ],
)
def test_a_sequence_goes_on_where_its_conditions_let_it(
    step: str, number: int, outcome: Outcome, then: Then, following: str, hours: int | None
) -> None:
    found = led_to(outcome, step=step, number=number, steps=STEPS)
    assert (found.then, found.step) == (then, following)
    assert found.due_at == (None if hours is None else NOON + hours * HOUR)
    assert found.number == (0 if hours is None else 2 if then is Then.RETRY else 1)


def two(when: str) -> list[dict[str, Any]]:
    return [{"call": "agent"}, {"call": "agent", "name": "again", "when": when}]


@pytest.mark.parametrize(
    ("when", "then"),
    [
        ("previous.tag == 'CALLBACK'", Then.NEXT_STEP),
        ("call.tag != 'CALLBACK'", Then.COMPLETED),
        ("contact.amount > 100", Then.NEXT_STEP),
        ("contact.amount > 1000", Then.COMPLETED),
        ("contact.absent == 'x'", Then.COMPLETED),
        ("contact.name > 3", Then.HELD),
    ],
)
def test_conditions_see_the_tag_and_the_row(when: str, then: Then) -> None:
    contact = {"amount": "250", "name": "Maria"}
    found = led_to(Outcome.ANSWERED, steps=two(when), tag="CALLBACK", contact=contact)
    assert found.then is then
    if then is Then.HELD:
        assert found.reason.startswith("`when` of step again:")


def test_a_next_step_without_time_left_fails_with_its_name() -> None:
    found = led_to(Outcome.ANSWERED, steps=two("true"), schedule={"end": "2026-01-05T17:00:00Z"})
    assert (found.then, found.reason) == (Then.FAILED, "no allowed time is left for step again")


@given(
    st.integers(1, 6),
    st.frozensets(st.sampled_from(OTHERS), min_size=1),
    st.lists(st.sampled_from(list(Outcome)), min_size=40, max_size=40),
    st.sampled_from(["daily 00:00-24:00", "mon-fri 10:00-18:00", "sat 09:00-09:30"]),
)
@settings(max_examples=100, deadline=None)
def test_nobody_is_tried_more_often_than_the_budget_or_outside_the_windows(
    attempts: int, on: frozenset[Outcome], outcomes: list[Outcome], windows: str
) -> None:
    retry = {"attempts": attempts, "after": "3h", "on": [one.value for one in on]}
    policy = policy_of(
        campaign(windows=windows, steps=[{"call": "agent", "retry": retry}, {"call": "agent", "retry": retry}])
    )
    made, step, number, at = {"call": 0, "call-2": 0}, "call", 1, NOON
    for outcome in outcomes:
        made[step] += 1
        ending = Ending(
            step=step, number=number, outcome=outcome, at=at, zones=(NEW_YORK,),
            history={step: StepResult(outcome=outcome.value)}, contact={},
        )  # fmt: skip
        found = follow_up(policy, ending)
        if found.due_at is None:
            break
        assert found.due_at >= at
        assert policy.first_allowed((NEW_YORK,), found.due_at) == found.due_at
        step, number, at = found.step, found.number, found.due_at
    else:
        pytest.fail("it never ended")
    assert max(made.values()) <= attempts
