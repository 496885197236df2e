"""What an outcome leads to: another try, the next step, or the end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from runner.model.campaign import Step
from runner.model.outcome import REACHED, Outcome
from runner.rules.expressions import ExpressionFailed, StepResult, when_values
from runner.rules.policy import Policy

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
    step: str = ""
    number: int = 0
    due_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """An attempt that ended, with all that a follow-up is decided on."""

    step: str
    number: int
    outcome: Outcome
    at: datetime
    zones: tuple[str, ...]
    history: Mapping[str, StepResult]
    """how each step done so far ended, in that order, this one last"""
    contact: Mapping[str, Any]
    """the contact's row"""
    is_undialled: bool = False
    """provably nobody was dialled"""


def follow_up(policy: Policy, ending: Ending) -> FollowUp:
    """Decide what an ending leads to.

    A retry goes through schedule and windows like a first try. The calls that a provider made by
    itself count as tries of the step, so that its retries and ours never multiply. A step that was handed over has had
    its tries: the provider made them. A try that dialled nobody leads to another one. An opt-out ends everything.
    """
    if ending.outcome is Outcome.OPTED_OUT:
        return FollowUp(then=Then.FAILED, reason="the person asked not to be contacted")
    step = policy.campaign.step_named(ending.step)
    if ending.is_undialled and step.delivery == "single" and ending.number < MOST_UNDIALLED:
        due_at = policy.first_allowed(ending.zones, ending.at + _AFTER_UNDIALLED)
        if due_at is not None:
            reason = f"{ending.outcome}: nobody was dialled, {ending.step} again"
            return FollowUp(then=Then.RETRY, reason=reason, step=ending.step, number=ending.number + 1, due_at=due_at)
    retry, tries = step.retry, _tries(ending)
    has_tries = step.delivery == "single" and retry is not None and tries < retry.attempts
    if retry is not None and has_tries and ending.outcome in retry.on:
        due_at = policy.first_allowed(ending.zones, ending.at + retry.after)
        if due_at is not None:
            reason = f"{ending.outcome}: try {tries + 1} of {retry.attempts}, {ending.step}"
            return FollowUp(then=Then.RETRY, reason=reason, step=ending.step, number=ending.number + 1, due_at=due_at)
    return _next_step(policy, ending) or _end(ending, step)


def _tries(ending: Ending) -> int:
    """Give how often the step has called the person, the provider's own retries included."""
    done = ending.history.get(ending.step)
    return max(ending.number, done.calls if done else 1)


def _next_step(policy: Policy, ending: Ending) -> FollowUp | None:
    for step in policy.step_after(ending.step):
        condition = policy.conditions.get(step.label)
        if condition is not None:
            try:
                if not condition.evaluate(when_values(ending.history, ending.contact)):
                    continue
            except ExpressionFailed as error:
                return FollowUp(then=Then.HELD, reason=f"`when` of step {step.label}: {error.message}")
        due_at = policy.first_start(step, ending.zones, ending.at + step.after)
        if due_at is None:
            reason = f"no allowed time is left for step {step.label}"
            return FollowUp(then=Then.FAILED, reason=reason)
        return FollowUp(then=Then.NEXT_STEP, reason=f"step {step.label}", step=step.label, number=1, due_at=due_at)
    return None


def _end(ending: Ending, step: Step) -> FollowUp:
    retry_wanted = step.retry is not None and step.retry.attempts > 1 and ending.outcome in step.retry.on
    if ending.outcome in REACHED and not retry_wanted:
        return FollowUp(then=Then.COMPLETED, reason=f"{ending.outcome}: the sequence is through")
    if retry_wanted and step.delivery == "native":
        return FollowUp(then=Then.FAILED, reason=f"{ending.outcome} after all of the provider's own tries")
    if retry_wanted:
        return FollowUp(then=Then.FAILED, reason=f"{ending.outcome} after {_tries(ending)} tries")
    return FollowUp(then=Then.FAILED, reason=str(ending.outcome))
