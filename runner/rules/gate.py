"""The one gate that every attempt passes right before its request may leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.model.attempt import AttemptState
from runner.model.campaign import Step
from runner.model.whereabouts import Whereabouts
from runner.rules.policy import Policy


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


Verdict = Go | Wait | Drop


def may_hand_over(policy: Policy, now: datetime, suppression: str) -> Go | Drop:
    """Decide on one attempt that is to be handed over at `now`; its windows, and the schedule's start, are passed on."""
    if suppression:
        return Drop(AttemptState.SUPPRESSED, suppression)
    if policy.first_in_schedule(now) is None:
        return Drop(AttemptState.EXPIRED, "the campaign's schedule ended")
    return Go()


def may_send(policy: Policy, step: Step, where: Whereabouts, now: datetime, suppression: str) -> Verdict:
    """Decide on one attempt of a step at `now`; `suppression` is the reason the person must not be contacted, or empty."""
    if suppression:
        return Drop(AttemptState.SUPPRESSED, suppression)
    allowed = policy.first_allowed(step, where, now)
    if allowed is None:
        if policy.ends is not None and now >= policy.ends:
            return Drop(AttemptState.EXPIRED, "the campaign's schedule ended")
        return Drop(AttemptState.EXPIRED, "no window is open in any time that is left")
    if allowed > now:
        return Wait(allowed, "outside the windows")
    return Go()
