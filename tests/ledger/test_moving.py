"""What a move writes of its attempt: exactly what one statement over all columns would."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.ledger.instants import to_micros
from runner.ledger.moving import statement_of
from runner.model.attempt import ENDED, MOVES, AttemptState
from runner.model.move import Move
from runner.model.outcome import Observation, Outcome

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TABLE = """
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY, state TEXT, due_at INTEGER, lease_until INTEGER, sent_at INTEGER, doubted_at INTEGER,
    lost_until INTEGER, lost_asked INTEGER, provider_id TEXT, poll_at INTEGER, polls INTEGER, transport_tries INTEGER,
    ended_at INTEGER, outcome TEXT, tag TEXT, summary TEXT, reason TEXT)
"""
ROW = {
    "id": 7, "due_at": 1, "lease_until": 2, "sent_at": 3, "doubted_at": None, "lost_until": None, "lost_asked": 0,
    "provider_id": None, "poll_at": 4, "polls": 5, "transport_tries": 6, "ended_at": None, "outcome": "", "tag": "",
    "summary": "", "reason": "before",
}  # fmt: skip
WHOLE = """
UPDATE attempts SET state = :new,
    due_at = COALESCE(:due_at, due_at), lease_until = :lease_until,
    sent_at = CASE WHEN :unsent THEN NULL ELSE COALESCE(:sent_at, sent_at) END,
    doubted_at = CASE WHEN :new = 'in_doubt' AND :old = 'sending' THEN :at ELSE doubted_at END,
    lost_asked = CASE WHEN lost_until IS NOT NULL AND :new IN ('in_doubt', 'held') THEN 1 ELSE lost_asked END,
    provider_id = COALESCE(:provider_id, provider_id), poll_at = :poll_at, polls = :polls,
    transport_tries = COALESCE(:transport_tries, transport_tries), ended_at = COALESCE(:ended_at, ended_at),
    outcome = CASE WHEN :outcome = '' THEN outcome ELSE :outcome END,
    tag = CASE WHEN :tag = '' THEN tag ELSE :tag END,
    summary = CASE WHEN :summary = '' THEN summary ELSE :summary END, reason = :reason
WHERE id = :id AND state = :old
"""
"""the meaning of a move, with every column in it"""

instants = st.none() | st.integers(0, 10**6).map(lambda seconds: NOON + timedelta(seconds=seconds))
words = st.sampled_from(["", "new"])
ASKED = (AttemptState.ACCEPTED, AttemptState.IN_DOUBT)
PAIRS = sorted([*((old, new) for old, news in MOVES.items() for new in news), *((one, one) for one in ASKED)])


@st.composite
def moves(draw: st.DrawFn, old: AttemptState, new: AttemptState) -> Move:
    observation = Observation(outcome=Outcome.ANSWERED, tag=draw(words), summary=draw(words))
    return Move(
        attempt_id=draw(st.sampled_from([7, 7, 7, 8])), old=old, new=new, at=NOON, reason=draw(words),
        due_at=draw(instants), lease_until=draw(instants), sent_at=draw(instants), provider_id=draw(words),
        poll_at=draw(instants), polls=draw(st.integers(0, 3)), transport_tries=draw(st.none() | st.integers(0, 3)),
        unsent=draw(st.booleans()), outcome=draw(st.none() | st.sampled_from(Outcome)),
        observation=draw(st.none() | st.just(observation)),
    )  # fmt: skip


@pytest.mark.parametrize(("old", "new"), PAIRS)
@settings(max_examples=25, deadline=None)
@given(st.data(), st.booleans(), st.sampled_from([0, 1]), st.sampled_from(["", "before"]))
def test_a_move_writes_what_one_over_all_columns_would(
    old: AttemptState, new: AttemptState, data: st.DataObject, is_lost: bool, asked: int, known: str
) -> None:
    move = data.draw(moves(old, new))
    row = {
        **ROW, "state": move.old.value, "lost_until": 8 if is_lost else None, "lost_asked": asked,
        "provider_id": known or None, "doubted_at": 9 if known else None, "ended_at": 10 if known else None,
        "outcome": known, "tag": known, "summary": known,
    }  # fmt: skip

    assert _after(row, *statement_of(move)) == _after(row, WHOLE, _whole(move))


@pytest.mark.parametrize(
    ("unsent", "ends"),
    list(product([False, True], [AttemptState.PLANNED, AttemptState.CLAIMED, AttemptState.SUPERSEDED])),
)
def test_only_what_changes_stands_in_the_statement(unsent: bool, ends: AttemptState) -> None:
    old = AttemptState.CLAIMED if ends is AttemptState.PLANNED else AttemptState.PLANNED
    statement, _ = statement_of(Move(attempt_id=7, old=old, new=ends, at=NOON, unsent=unsent))

    assert ("ended_at" in statement, "sent_at" in statement) == (ends in ENDED, unsent)
    assert not any(name in statement for name in ("due_at", "doubted_at", "provider_id", "tag", "lost_asked"))


def _whole(move: Move) -> dict[str, Any]:
    seen = move.observation
    return {
        "id": move.attempt_id, "old": move.old.value, "new": move.new.value, "at": to_micros(move.at),
        "due_at": to_micros(move.due_at), "lease_until": to_micros(move.lease_until),
        "sent_at": to_micros(move.sent_at), "provider_id": move.provider_id or None, "poll_at": to_micros(move.poll_at),
        "polls": move.polls, "transport_tries": move.transport_tries, "reason": move.reason, "unsent": move.unsent,
        "ended_at": to_micros(move.at) if move.new in ENDED else None, "outcome": move.outcome or "",
        "tag": seen.tag if seen else "", "summary": seen.summary if seen else "",
    }  # fmt: skip


def _after(row: dict[str, Any], statement: str, values: dict[str, Any]) -> dict[str, Any]:
    connection = sqlite3.connect(":memory:")
    connection.row_factory = sqlite3.Row
    try:
        connection.execute(TABLE)
        names = ", ".join(row)
        connection.execute(f"INSERT INTO attempts ({names}) VALUES ({', '.join(f':{name}' for name in row)})", row)
        connection.execute(statement, values)
        return dict(connection.execute("SELECT * FROM attempts").fetchone())
    finally:
        connection.close()
