"""Settle an attempt: from what was observed to the move that is written, follow-up included; pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from runner.model.attempt import Assignment, AttemptState, attempt_key
from runner.model.move import ContactState, Move, NextAttempt
from runner.model.outcome import REACHED, Observation, Outcome
from runner.model.tried import Tried, last_of_each_step
from runner.rules.ending import Ending
from runner.rules.expressions import StepResult
from runner.rules.follow_up import FollowUp, Then, follow_up, next_step
from runner.rules.gate import Drop
from runner.rules.policy import Policy
from runner.rules.stop_words import is_opt_out_tag

OPTED_OUT, ASKED_TO_STOP = "opted out", "asked to stop"
"""why a person is suppressed who said so to an agent, or by text"""

_STATES = {
    Then.RETRY: ContactState.RETRY,
    Then.NEXT_STEP: ContactState.RETRY,
    Then.COMPLETED: ContactState.COMPLETED,
    Then.FAILED: ContactState.FAILED,
    Then.HELD: ContactState.HELD,
}


def settle(
    policy: Policy,
    work: Assignment,
    observation: Observation,
    history: tuple[Tried, ...],
    now: datetime,
) -> Move:
    """Give the move that ends an attempt with an observed outcome; `history` is the person's finished tries before.

    Nothing follows for a person who must not be contacted, whatever the outcome.
    The follow-up counts from the end of the call where the provider says when that was, never
    from a time in the future.
    """
    attempt = work.attempt
    outcome = observation.outcome or Outcome.UNKNOWN
    ended_at = min(observation.ended_at, now) if observation.ended_at else now
    wants_no_more = opted_out(observation)
    decisive = Outcome.OPTED_OUT if wants_no_more else outcome
    following = _follow_up(policy, work, observation, decisive, history, ended_at)
    contact = _STATES[following.then]
    is_called_off = bool(work.suppression) and following.due_at is not None
    # The same whether the opt-out came before the end, with it or, by `suppress_for`, after it.
    if wants_no_more or is_called_off or work.suppression in {OPTED_OUT, ASKED_TO_STOP}:
        contact = ContactState.SUPPRESSED
    return Move(
        attempt_id=attempt.id,
        old=attempt.state,
        new=AttemptState.FINISHED,
        at=now,
        contact=contact,
        reason=following.reason,
        source=following.source,
        provider_id=observation.provider_id if not attempt.provider_id else "",
        polls=attempt.polls,
        outcome=outcome,
        observation=observation,
        next_attempt=None if is_called_off else _next_attempt(policy, work, following),
    )


def give_up(policy: Policy, work: Assignment, drop: Drop, history: tuple[Tried, ...], now: datetime) -> Move:
    """Give the move that ends an attempt which may not be sent any more.

    Where only its step came too late, the sequence goes on with the next one that may.
    """
    attempt = work.attempt
    following = None
    if drop.goes_on:
        following = next_step(
            policy, attempt.step, now, where=attempt.where, history=results_of(history), contact=work.cells,
            variant=work.variant,
        )  # fmt: skip
    contact = ContactState.SUPPRESSED if drop.state is AttemptState.SUPPRESSED else ContactState.FAILED
    if following is not None:
        contact = _STATES[following.then]
    elif drop.goes_on and any(one.outcome in REACHED for one in history if one.step != attempt.step):
        contact = ContactState.COMPLETED
    return Move(
        attempt_id=attempt.id,
        old=attempt.state,
        new=drop.state,
        at=now,
        contact=contact,
        reason=f"{drop.why}; {following.reason}" if following is not None else drop.why,
        source=drop.source,
        next_attempt=_next_attempt(policy, work, following) if following is not None else None,
    )


def results_of(history: Iterable[Tried]) -> dict[str, StepResult]:
    """Give how each step done so far ended."""
    return {name: StepResult(outcome=one.outcome, tag=one.tag) for name, one in last_of_each_step(history).items()}


def opted_out(seen: Observation) -> bool:
    """Whether the person asked not to be contacted any more: the provider says so, or the agent's tag does."""
    return seen.opt_out or seen.outcome is Outcome.OPTED_OUT or is_opt_out_tag(seen.tag)


def _follow_up(
    policy: Policy,
    work: Assignment,
    observation: Observation,
    outcome: Outcome,
    history: tuple[Tried, ...],
    ended_at: datetime,
) -> FollowUp:
    attempt = work.attempt
    if all(step.label != attempt.step for step in policy.campaign.steps):
        then = Then.COMPLETED if outcome in REACHED else Then.FAILED
        return FollowUp(then=then, reason=f"{outcome}: step {attempt.step} is no longer in the campaign")
    earlier = {step: result for step, result in results_of(history).items() if step != attempt.step}
    ending = Ending(
        step=attempt.step,
        number=attempt.number,
        outcome=outcome,
        at=ended_at,
        where=attempt.where,
        history={**earlier, attempt.step: StepResult(outcome=outcome.value, tag=observation.tag)},
        contact=work.cells,
        variant=work.variant,
        key=attempt.key,
        started_at=attempt.sent_at,
        step_due_at=attempt.step_due_at or attempt.due_at,
        is_callback=attempt.is_callback,
        calls=max(1, observation.calls or 1),
        structured=observation.structured,
        earlier=history,
        is_undialled=observation.is_undialled,
    )
    return follow_up(policy, ending)


def _next_attempt(policy: Policy, work: Assignment, following: FollowUp) -> NextAttempt | None:
    if following.due_at is None:
        return None
    attempt = work.attempt
    return NextAttempt(
        key=attempt_key(attempt.campaign, attempt.contact_key, following.step, following.number),
        step=following.step,
        number=following.number,
        channel=policy.campaign.step_named(following.step).channel,
        due_at=following.due_at,
        step_due_at=following.step_due_at,
        is_callback=following.is_callback,
    )
