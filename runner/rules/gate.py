"""The one gate that every attempt passes right before its request may leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.model.attempt import AttemptState
from runner.model.campaign import Step
from runner.model.whereabouts import Whereabouts
from runner.rules.policy import Policy
from runner.rules.retries import last_start


@dataclass(frozen=True, slots=True)
class Go:
    """It may be sent now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet."""

    until: datetime
    why: str


@dataclass(frozen=True, slots=True)
class Drop:
    """Never; the state it ends in says what kind of never."""

    state: AttemptState
    why: str
    source: str = ""
    """where the rule stands: a key path of the canonical campaign; empty for one that is in no file"""
    goes_on: bool = False
    """only this step is given up: the sequence goes on with the next one"""


Verdict = Go | Wait | Drop


def may_hand_over(policy: Policy, now: datetime, suppression: str) -> Go | Drop:
    """Decide on one attempt that is to be handed over at `now`; its windows, and the schedule's start, are passed on."""
    if suppression:
        return Drop(AttemptState.SUPPRESSED, suppression)
    if policy.first_in_schedule(now) is None:
        return Drop(AttemptState.EXPIRED, "the campaign's schedule ended")
    return Go()


def may_send(
    policy: Policy,
    step: Step,
    where: Whereabouts,
    now: datetime,
    suppression: str,
    *,
    step_due_at: datetime | None = None,
) -> Verdict:
    """Decide on one attempt of a step at `now`; `suppression` is the reason the person must not be contacted, or empty.

    `until` and `expires` count from `step_due_at`, when the step became due; from `now` where that is not known.
    """
    if suppression:
        return Drop(AttemptState.SUPPRESSED, suppression)
    limit = last_start(policy, step, step_due_at or now)
    if limit is not None and now > limit.at:
        return Drop(AttemptState.EXPIRED, f"too late by {limit.rule}", limit.source, goes_on=True)
    allowed = policy.first_allowed(step, where, now)
    if allowed is None:
        return _never(policy, now)
    if limit is not None and allowed > limit.at:
        why = f"no window opens in time for {limit.rule}"
        return Drop(AttemptState.EXPIRED, why, limit.source, goes_on=True)
    return Wait(allowed, "outside the windows") if allowed > now else Go()


def _never(policy: Policy, now: datetime) -> Drop:
    if policy.ends is not None and now >= policy.ends:
        return Drop(AttemptState.EXPIRED, "the campaign's schedule ended")
    return Drop(AttemptState.EXPIRED, "no window is open in any time that is left")
