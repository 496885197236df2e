"""What makes a planned attempt needless before it leaves: the goal, `stop_when`, or that its person left the plan."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.engine.settlement import give_up, results_of
from runner.model.attempt import Assignment, AttemptState
from runner.model.move import ContactState, Move
from runner.model.outcome import REACHED
from runner.model.tried import Tried
from runner.ports import Ledger
from runner.rules.expressions import Expression, ExpressionFailed, when_values
from runner.rules.gate import Drop
from runner.rules.policy import Policy


def over_meanwhile(policy: Policy, work: Assignment, ledger: Ledger, now: datetime) -> Move | None:
    """Give the move that calls an attempt off which is not wanted any more since it was planned; None when it still is.

    The person may have left the plan. What a provider says of an attempt can come late, after the next
    one was planned, its tag above all: it may reach the goal, or end the tries of the step.
    """
    if work.has_left and not work.suppression:
        return Move(
            attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.SUPERSEDED, at=now,
            reason="no longer in the plan",
        )  # fmt: skip
    if policy.goal is None and work.attempt.step not in policy.stops:
        return None
    history = ledger.history(work.attempt.contact_id)
    return _goal_reached(policy, work, history, now) or _stopped(policy, work, history, now)


def _goal_reached(policy: Policy, work: Assignment, history: tuple[Tried, ...], now: datetime) -> Move | None:
    if not _holds_now(policy.goal, work, history):
        return None
    return Move(
        attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.CANCELLED, at=now,
        contact=ContactState.COMPLETED, reason="the goal is reached", source="done_when",
    )  # fmt: skip


def _stopped(policy: Policy, work: Assignment, history: tuple[Tried, ...], now: datetime) -> Move | None:
    """Give the move that ends the tries of a step by what came late of the one before; the next step is looked at."""
    step = work.attempt.step
    if not history or history[-1].step != step or not _holds_now(policy.stops.get(step), work, history):
        return None
    drop = Drop(
        AttemptState.CANCELLED, "`stop_when` ends its tries", f"steps.{step}.retry.stop_when", goes_on=True
    )  # fmt: skip
    move = give_up(policy, work, drop, history, now)
    is_through = move.next_attempt is None and history[-1].outcome in REACHED
    return replace(move, contact=ContactState.COMPLETED) if is_through else move


def _holds_now(condition: Expression | None, work: Assignment, history: tuple[Tried, ...]) -> bool:
    if condition is None or not history:
        return False
    last = history[-1]
    values = {**when_values(results_of(history), work.cells, work.variant), "outcome": last.outcome, "tag": last.tag}
    try:
        return bool(condition.evaluate(values))
    except ExpressionFailed:  # it was decided when the attempt ended, and nothing of that is known anew
        return False
