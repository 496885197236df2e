"""What an outcome leads to: every outcome by every retry rule, conditions, windows, budgets."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.outcome import REACHED, Outcome
from runner.model.tried import Tried
from runner.model.whereabouts import Whereabouts
from runner.rules.ending import Ending
from runner.rules.expressions import StepResult
from runner.rules.follow_up import FollowUp, Then, follow_up
from runner.rules.policy import policy_of
from tests.building import NEW_YORK, NOON, campaign

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OTHERS = [outcome for outcome in Outcome if outcome is not Outcome.OPTED_OUT]


def led_to(
    outcome: Outcome, *, step: str = "call", number: int = 1, zones: tuple[str, ...] = (NEW_YORK,), **rules: Any
) -> FollowUp:
    """Let an attempt end at noon; `facts` are what else is known of it."""
    facts = rules.pop("facts", {})
    contact = rules.pop("contact", {"phone": "x"})
    done = StepResult(outcome=outcome.value, tag=rules.pop("tag", ""))
    history = rules.pop("history", {}) | {step: done}
    ending = Ending(
        step=step, number=number, outcome=outcome, at=NOON, where=Whereabouts(zones), history=history, contact=contact,
        **facts,
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
    ("number", "calls", "tries"), [(1, 1, 1), (1, 2, 2), (2, 1, 2), (2, 2, 3), (1, 3, 3), (2, 4, 5)]
)
def test_the_provider_s_own_retries_are_tries(number: int, calls: int, tries: int) -> None:
    found = led_to(Outcome.NO_ANSWER, number=number, facts={"calls": calls}, retry="3 times, 2h apart, on no_answer")
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


# ---- goals and what stops the tries of a step ----


@pytest.mark.parametrize(
    ("done_when", "outcome", "tag", "then"),
    [
        ("tag == 'BOOKED'", Outcome.ANSWERED, "BOOKED", Then.COMPLETED),
        ("tag == 'BOOKED'", Outcome.ANSWERED, "LATER", Then.NEXT_STEP),
        ("tag == 'BOOKED'", Outcome.NO_ANSWER, "", Then.RETRY),
        ("outcome == 'no_answer'", Outcome.NO_ANSWER, "", Then.COMPLETED),
        ("answered, replied", Outcome.ANSWERED, "", Then.COMPLETED),
        ("call.tag == 'BOOKED' and contact.vip == 'yes'", Outcome.ANSWERED, "BOOKED", Then.COMPLETED),
        ("contact.vip != 'yes'", Outcome.ANSWERED, "BOOKED", Then.NEXT_STEP),
        ("contact.vip > 3", Outcome.ANSWERED, "BOOKED", Then.HELD),
    ],
)
def test_the_goal_ends_the_sequence(done_when: str, outcome: Outcome, tag: str, then: Then) -> None:
    found = led_to(outcome, steps=STEPS[:1] + STEPS[2:], done_when=done_when, tag=tag, contact={"vip": "yes"})
    assert found.then is then
    if then in {Then.COMPLETED, Then.HELD}:
        assert (found.due_at, found.source) == (None, "done_when")
        assert found.reason.startswith("`done_when`:" if then is Then.HELD else f"{outcome}: the goal is reached")


def test_an_opt_out_comes_before_the_goal() -> None:
    assert led_to(Outcome.OPTED_OUT, done_when="tag == 'BOOKED'", tag="BOOKED").then is Then.FAILED


@pytest.mark.parametrize(
    ("stop_when", "steps", "then", "reason"),
    [
        ("tag == 'REFUSED'", 1, Then.COMPLETED, "answered: the sequence is through; `stop_when` ends its tries"),
        ("tag == 'OTHER'", 1, Then.RETRY, "answered: try 2 of 3, call"),
        ("tag == 'REFUSED'", 2, Then.NEXT_STEP, "step call-2"),
        ("contact.name > 3", 1, Then.HELD, "`stop_when` of step call:"),
        ("busy, answered", 1, Then.COMPLETED, "answered: the sequence is through; `stop_when` ends its tries"),
    ],
)
def test_stop_when_ends_the_tries_of_its_step(stop_when: str, steps: int, then: Then, reason: str) -> None:
    retry = {"attempts": 3, "on": ["answered"], "stop_when": stop_when}
    found = led_to(
        Outcome.ANSWERED, steps=[{"call": "agent", "retry": retry}, {"call": "agent"}][:steps], tag="REFUSED",
        contact={"name": "Maria"},
    )  # fmt: skip
    assert found.then is then
    assert found.reason.startswith(reason)


# ---- limits by outcome ----


@pytest.mark.parametrize(
    ("outcomes", "then", "number"),
    [
        (["busy"], Then.RETRY, 2),
        (["busy", "busy"], Then.FAILED, 0),
        (["busy", "no_answer"], Then.RETRY, 3),
        (["busy", "no_answer", "busy"], Then.FAILED, 0),
        (["busy", "no_answer", "no_answer"], Then.RETRY, 4),
        (["no_answer", "no_answer", "no_answer", "no_answer"], Then.FAILED, 0),
    ],
)
def test_an_outcome_s_own_limit_lies_inside_the_one_budget(outcomes: list[str], then: Then, number: int) -> None:
    retry = {"attempts": 4, "on": {"busy": {"attempts": 2}, "no_answer": None}}
    earlier = tuple(
        Tried(step="call", number=at, channel="call", outcome=one) for at, one in enumerate(outcomes[:-1], 1)
    )
    found = led_to(Outcome(outcomes[-1]), number=len(outcomes), retry=retry, facts={"earlier": earlier})
    assert (found.then, found.number) == (then, number)
    if then is Then.FAILED:
        assert found.reason == f"{outcomes[-1]} after {len(outcomes)} tries"


def test_a_call_back_that_ended_alike_does_not_count() -> None:
    earlier = (
        Tried(step="call", number=1, channel="call", outcome="answered", tag="CALLBACK"),
        Tried(step="call", number=2, channel="call", outcome="busy", is_callback=True),
    )
    retry = {"attempts": 4, "on": {"busy": {"attempts": 2, "after": ["5m", "3h"]}}}
    found = led_to(Outcome.BUSY, number=3, retry=retry, facts={"earlier": earlier})
    assert (found.then, found.due_at) == (Then.RETRY, NOON + timedelta(minutes=5))


def test_tries_of_another_step_do_not_count() -> None:
    earlier = tuple(Tried(step="first", number=at, channel="call", outcome="busy") for at in (1, 2, 3))
    steps = [
        {"call": "agent", "name": "first"},
        {"call": "agent", "retry": {"attempts": 2, "on": {"busy": {"attempts": 2}}}},
    ]
    assert led_to(Outcome.BUSY, steps=steps, facts={"earlier": earlier}).then is Then.RETRY


# ---- too late ----


def test_no_try_is_made_after_expires() -> None:
    retry = {"attempts": 9, "after": "2h", "expires": "4h"}
    found = led_to(Outcome.BUSY, retry=retry, facts={"step_due_at": NOON - 2 * HOUR})
    assert (found.then, found.due_at, found.step_due_at) == (Then.RETRY, NOON + 2 * HOUR, NOON - 2 * HOUR)
    late = led_to(Outcome.BUSY, retry=retry, facts={"step_due_at": NOON - 2 * HOUR - timedelta(seconds=1)})
    assert (late.then, late.source) == (Then.FAILED, "steps.call.retry.expires")
    assert late.reason == "busy after 1 try; the next one would come after `expires` of step call"
    assert led_to(Outcome.BUSY, steps=[{"call": "agent", "retry": retry}, {"call": "agent"}], facts={"step_due_at": NOON - DAY}).then is Then.NEXT_STEP  # fmt: skip


@pytest.mark.parametrize(
    ("until", "windows", "step"),
    [
        ("2h", "daily 00:00-24:00", "again"),
        ("2h", "daily 10:00-14:00", "last"),
        ("16h59m", "daily 10:00-14:00", "last"),
        ("17h", "daily 10:00-14:00", "again"),
        ("2026-01-06T14:59Z", "daily 10:00-14:00", "last"),
        ("2026-01-06T15:00Z", "daily 10:00-14:00", "again"),
    ],
)
def test_a_step_that_would_come_too_late_is_passed_over(until: str, windows: str, step: str) -> None:
    steps = [
        {"call": "agent"},
        {"call": "agent", "name": "again", "after": "0s", "until": until, "windows": windows},
        {"call": "agent", "name": "last", "after": "2h"},
    ]
    ending = Ending(
        step="call", number=1, outcome=Outcome.ANSWERED, at=NOON if windows.startswith("daily 00") else NOON + 5 * HOUR,
        where=Whereabouts((NEW_YORK,)), history={"call": StepResult(outcome="answered")}, contact={},
    )  # fmt: skip
    assert follow_up(policy_of(campaign(steps=steps)), ending).step == step


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
            step=step, number=number, outcome=outcome, at=at, where=Whereabouts((NEW_YORK,)),
            history={step: StepResult(outcome=outcome.value)}, contact={},
        )  # fmt: skip
        found = follow_up(policy, ending)
        if found.due_at is None:
            break
        assert found.due_at >= at
        assert (
            policy.first_allowed(policy.campaign.step_named(found.step), Whereabouts((NEW_YORK,)), found.due_at)
            == found.due_at
        )
        step, number, at = found.step, found.number, found.due_at
    else:
        pytest.fail("it never ended")
    assert max(made.values()) <= attempts
