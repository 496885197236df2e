"""What a move writes: the statement that changes its attempt, and what its event keeps."""

from __future__ import annotations

from functools import cache
from typing import Any

from runner.ledger.instants import to_micros
from runner.ledger.queries import query
from runner.model.attempt import AttemptState
from runner.model.move import Move

_TO_DOUBT = (AttemptState.SENDING, AttemptState.IN_DOUBT)
_NOT_KNOWN = frozenset({AttemptState.IN_DOUBT, AttemptState.HELD})
_SETS = {
    "unsent": "sent_at = NULL",
    "doubted": "doubted_at = :at",
    "lost": "lost_asked = lost_asked OR lost_until IS NOT NULL",
}
"""what is set to no value of the move's own"""


def statement_of(move: Move) -> tuple[str, dict[str, Any]]:
    """Give the statement that writes a move, and its values.

    Only columns that the move changes stand in it: of each column that is set SQLite writes all indexes anew,
    even if it keeps its value, and there are a dozen.
    """
    seen = move.observation
    changed = {
        "due_at": to_micros(move.due_at), "sent_at": to_micros(move.sent_at), "provider_id": move.provider_id or None,
        "transport_tries": move.transport_tries, "ended_at": to_micros(move.at) if move.ends else None,
        "outcome": move.outcome, "tag": seen.tag or None if seen else None, "summary": seen.summary or None if seen else None,
        "unsent": move.unsent or None, "doubted": (move.old, move.new) == _TO_DOUBT or None,
        "lost": move.new in _NOT_KNOWN or None,
    }  # fmt: skip
    if move.unsent:
        del changed["sent_at"]
    own = {name: value for name, value in changed.items() if value is not None}
    values = {
        **own, "id": move.attempt_id, "old": move.old.value, "new": move.new.value, "at": to_micros(move.at),
        "lease_until": to_micros(move.lease_until), "poll_at": to_micros(move.poll_at), "polls": move.polls,
        "reason": move.reason,
    }  # fmt: skip
    return _statement(tuple(own)), values


def detail_of(move: Move) -> dict[str, Any]:
    """Give what an event keeps of a move: no phone number, no name, no words of the person."""
    detail: dict[str, Any] = {"from": move.old.value}
    if move.reason:
        detail["reason"] = move.reason
    if move.source:
        detail["source"] = move.source
    if move.provider_id:
        detail["provider_id"] = move.provider_id
    if move.outcome:
        detail["outcome"] = move.outcome.value
    if move.due_at:
        detail["due_at"] = move.due_at.isoformat()
    if move.observation is not None and move.observation.words:
        detail["words"] = dict(move.observation.words)
    if move.next_attempt is not None:
        following = move.next_attempt
        detail["next"] = {"step": following.step, "number": following.number, "due_at": following.due_at.isoformat()}
    return detail


@cache
def _statement(changed: tuple[str, ...]) -> str:
    also = "".join(f", {_SETS.get(name, f'{name} = :{name}')}" for name in changed)
    return query("move").replace("/* also */", also)
