"""What an outcome leads to: another try, a call back, the next step, or the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from runner.model.campaign import Step
from runner.model.outcome import REACHED, Outcome
from runner.model.retry import Retry
from runner.model.whereabouts import Whereabouts
from runner.rules.callbacks import asked_callback
from runner.rules.ending import Ending
from runner.rules.expressions import Expression, ExpressionFailed, StepResult, when_values
from runner.rules.policy import Policy
from runner.rules.retries import delay, is_budget_left, last_start, next_start

MOST_UNDIALLED = 12
"""up to which number a try that dialled nobody leads to another one, whatever `retry` says"""
_AFTER_UNDIALLED = timedelta(minutes=1)


class Then(StrEnum):
    """What comes next for a contact."""

    RETRY = "retry"
    """the same step again"""
    NEXT_STEP = "next_step"
    """a later step"""
    COMPLETED = "completed"
    """nothing: the sequence is through"""
    FAILED = "failed"
    """nothing: the budget is used up, or it cannot work"""
    HELD = "held"
    """a condition could not be decided: a person must"""


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """What comes next, when, and why."""

    then: Then
    reason: str
    source: str = ""
    """where the rule stands that decided it: a key path of the canonical campaign"""
    step: str = ""
    number: int = 0
    due_at: datetime | None = None
    step_due_at: datetime | None = None
    """when the step became due, from which `until` and `expires` count"""
    is_callback: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _NoTry:
    """Why there is no other try."""

    is_wanted: bool
    """the outcome calls for one"""
    reason: str = ""
    source: str = ""


def follow_up(policy: Policy, ending: Ending) -> FollowUp:
    """Decide what an ending leads to.

    The goal ends a sequence whatever is left of it; a retry or a call back goes through schedule and
    windows like a first try. The calls that a provider made by itself count as tries of the step, so
    that its retries and ours never multiply. A step that was handed over has had its tries: the
    provider made them. A try that dialled nobody leads to another one. An opt-out ends everything.
    """
    if ending.outcome is Outcome.OPTED_OUT:
        return FollowUp(then=Then.FAILED, reason="the person asked not to be contacted")
    step = policy.campaign.step_named(ending.step)
    try:
        if _holds(policy.goal, ending):
            return FollowUp(then=Then.COMPLETED, reason=f"{ending.outcome}: the goal is reached", source="done_when")
    except ExpressionFailed as error:
        return FollowUp(then=Then.HELD, reason=f"`done_when`: {error.message}", source="done_when")
    try:
        again = _same_step(policy, step, ending)
    except ExpressionFailed as error:
        reason = f"`stop_when` of step {step.label}: {error.message}"
        return FollowUp(then=Then.HELD, reason=reason, source=f"steps.{step.label}.retry.stop_when")
    if isinstance(again, FollowUp):
        return again
    following = next_step(
        policy, step.label, ending.at, where=ending.where, history=ending.history, contact=ending.contact,
        variant=ending.variant,
    )  # fmt: skip
    return following or _end(ending, step, again)


def _undialled(policy: Policy, step: Step, ending: Ending) -> FollowUp | None:
    """Give the try that follows one that provably dialled nobody; None when something else does."""
    if not ending.is_undialled or step.delivery == "native" or ending.number >= MOST_UNDIALLED:
        return None
    due_at = policy.first_allowed(step, ending.where, ending.at + _AFTER_UNDIALLED)
    step_due_at = ending.step_due_at or ending.at
    limit = last_start(policy, step, step_due_at)
    if due_at is None or (limit is not None and due_at > limit.at):
        return None
    reason = f"{ending.outcome}: nobody was dialled, {ending.step} again"
    return _again(ending, reason, "", due_at, step_due_at=step_due_at, is_callback=ending.is_callback)


def next_step(  # noqa: PLR0913 what is known of the person
    policy: Policy,
    after: str,
    at: datetime,
    *,
    where: Whereabouts,
    history: Mapping[str, StepResult],
    contact: Mapping[str, Any],
    variant: str = "",
) -> FollowUp | None:
    """Give the first later step whose condition holds and that is not too late; None when there is none.

    `at` is when the step `after` ended or was given up. A step that could only start after its
    `until` is passed over.
    """
    values = when_values(history, contact, variant)
    for step in policy.step_after(after):
        condition = policy.conditions.get(step.label)
        source = f"steps.{step.label}.when"
        try:
            if condition is not None and not condition.evaluate(values):
                continue
        except ExpressionFailed as error:
            reason = f"`when` of step {step.label}: {error.message}"
            return FollowUp(then=Then.HELD, reason=reason, source=source)
        wanted = at + step.after
        due_at = policy.first_start(step, where, wanted)
        if due_at is None:
            return FollowUp(
                then=Then.FAILED, reason=f"no allowed time is left for step {step.label}", source="schedule"
            )
        limit = last_start(policy, step, wanted)
        if limit is not None and due_at > limit.at:
            continue
        return FollowUp(
            then=Then.NEXT_STEP, reason=f"step {step.label}", source=source if condition else f"steps.{step.label}",
            step=step.label, number=1, due_at=due_at, step_due_at=wanted,
        )  # fmt: skip
    return None


def _same_step(policy: Policy, step: Step, ending: Ending) -> FollowUp | _NoTry:
    """Give the call back or the retry that follows, or why none does."""
    undialled = _undialled(policy, step, ending)
    if undialled is not None:
        return undialled
    retry, source = step.retry, f"steps.{step.label}.retry"
    is_wanted = retry is not None and retry.attempts > 1 and ending.outcome in retry.on
    if retry is None or step.delivery == "native":
        return _NoTry(is_wanted=is_wanted)
    if _holds(policy.stops.get(step.label), ending):
        return _NoTry(is_wanted=False, reason="`stop_when` ends its tries", source=f"{source}.stop_when")
    back = _called_back(policy, step, ending)
    if isinstance(back, FollowUp):
        return back
    if ending.outcome not in retry.on or not is_budget_left(retry, ending):
        return _NoTry(is_wanted=is_wanted, reason=back, source="callback" if back else source)
    return _retried(policy, step, retry, ending)


def _called_back(policy: Policy, step: Step, ending: Ending) -> FollowUp | str:
    """Give the call back that the person asked for, or why there is none; empty when they did not ask."""
    asked = asked_callback(policy.campaign.callback, ending)
    if asked is None or asked.at is None:
        return asked.why_not if asked is not None else ""
    due_at = policy.first_allowed(step, ending.where, asked.at)
    limit = last_start(policy, step, due_at) if due_at is not None else None
    if due_at is None or (limit is not None and due_at > limit.at):
        return "no allowed time is left from the one on that the person named"
    reason = f"{ending.outcome}: the person named a time to be called back, {step.label}"
    return _again(ending, reason, "callback", due_at, step_due_at=due_at, is_callback=True)


def _retried(policy: Policy, step: Step, retry: Retry, ending: Ending) -> FollowUp | _NoTry:
    source, step_due_at = f"steps.{step.label}.retry", ending.step_due_at or ending.at
    due_at = next_start(policy, step, ending, ending.at + delay(policy, step, retry, ending))
    if due_at is None:
        return _NoTry(is_wanted=True, reason="no allowed time is left for another one", source=source)
    limit = last_start(policy, step, step_due_at)
    if limit is not None and due_at > limit.at:
        return _NoTry(is_wanted=True, reason=f"the next one would come after {limit.rule}", source=limit.source)
    reason = f"{ending.outcome}: try {ending.used + 1} of {retry.attempts}, {ending.step}"
    return _again(ending, reason, source, due_at, step_due_at=step_due_at)


def _again(
    ending: Ending, reason: str, source: str, due_at: datetime, *, step_due_at: datetime, is_callback: bool = False
) -> FollowUp:
    return FollowUp(
        then=Then.RETRY, reason=reason, source=source, step=ending.step, number=ending.number + 1, due_at=due_at,
        step_due_at=step_due_at, is_callback=is_callback,
    )  # fmt: skip


def _end(ending: Ending, step: Step, no_try: _NoTry) -> FollowUp:
    note, source = (f"; {no_try.reason}" if no_try.reason else ""), no_try.source
    if ending.outcome in REACHED and not no_try.is_wanted:
        return FollowUp(then=Then.COMPLETED, reason=f"{ending.outcome}: the sequence is through{note}", source=source)
    if no_try.is_wanted and step.delivery == "native":
        return FollowUp(then=Then.FAILED, reason=f"{ending.outcome} after all of the provider's own tries")
    if no_try.is_wanted:
        tries = f"{ending.used} {'try' if ending.used == 1 else 'tries'}"
        return FollowUp(then=Then.FAILED, reason=f"{ending.outcome} after {tries}{note}", source=source)
    return FollowUp(then=Then.FAILED, reason=f"{ending.outcome}{note}", source=source)


def _holds(condition: Expression | None, ending: Ending) -> bool:
    return condition is not None and condition.evaluate(ending.values())
