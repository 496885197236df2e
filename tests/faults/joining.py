"""Join the sandbox's list of dials with a ledger: who was dialled twice, who was lost, who is held and why."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

_ENDED = frozenset({"completed", "failed", "suppressed", "held"})
_STOPPED = "the runner stopped while it was being sent"
_ATTEMPTS = """
SELECT a.key, a.account, a.state, a.outcome, COALESCE(a.provider_id, '') AS provider_id, a.reason, a.sent_at
FROM attempts a ORDER BY a.id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """What a ledger says and what was dialled, compared; each list names what is wrong."""

    people: int = 0
    attempts: int = 0
    dials: int = 0
    twice: tuple[str, ...] = ()
    """attempts with more than one dial, and people who were dialled again although they had answered"""
    strangers: tuple[str, ...] = ()
    """dials of which the ledger knows nothing"""
    lost: tuple[str, ...] = ()
    """people in no final state, and attempts that ended as if dialled, or failed, without a dial"""
    wrong: tuple[str, ...] = ()
    """attempts whose outcome is not how the call went"""
    held: tuple[str, ...] = ()
    """attempts that wait for a person, with their account and why"""
    killed_sending: int = 0
    """attempts that a kill met while their request was on its way"""

    def __add__(self, other: Self) -> Self:
        """Sum two comparisons."""
        return type(self)(**{one.name: getattr(self, one.name) + getattr(other, one.name) for one in fields(self)})

    def held_at(self, *accounts: str) -> tuple[str, ...]:
        """Give what is held at some accounts."""
        return tuple(one for one in self.held if one.split(":")[0] in accounts)

    def held_elsewhere(self, *accounts: str) -> tuple[str, ...]:
        """Give what is held at all other accounts."""
        return tuple(one for one in self.held if one.split(":")[0] not in accounts)


def joined(ledger: Path, placed: Sequence[Mapping[str, Any]]) -> Joined:
    """Compare a ledger with the dials that a sandbox placed for it."""
    connection = sqlite3.connect(f"{ledger.absolute().as_uri()}?mode=ro", uri=True)
    connection.row_factory = sqlite3.Row
    try:
        attempts = connection.execute(_ATTEMPTS).fetchall()
        people = connection.execute("SELECT id, state FROM contacts").fetchall()
        stopped = connection.execute(
            "SELECT COUNT(*) FROM events WHERE kind = 'in_doubt' AND detail LIKE ?", (f"%{_STOPPED}%",)
        ).fetchone()[0]
    finally:
        connection.close()
    return compared(attempts, people, placed, killed_sending=stopped)


def compared(
    attempts: Sequence[Mapping[str, Any]],
    people: Sequence[Mapping[str, Any]],
    placed: Sequence[Mapping[str, Any]],
    *,
    killed_sending: int = 0,
) -> Joined:
    """Compare rows of a ledger with dials."""
    count = Counter(dial["reference"] for dial in placed)
    went = {dial["reference"]: dial["outcome"] for dial in placed}
    known = {row["key"] for row in attempts}
    return Joined(
        people=len(people),
        attempts=len(attempts),
        dials=len(placed),
        twice=(
            *(reference for reference, times in count.items() if reference in known and times > 1),
            *(f"{to} was dialled again after answering" for to in _again(placed)),
        ),
        strangers=tuple(dial["id"] for dial in placed if dial["reference"] not in known),
        lost=(
            *(f"person {row['id']} is {row['state']}" for row in people if row["state"] not in _ENDED),
            *(
                f"{_named(row)} ended {row['outcome']} without a dial: {row['reason']}"
                for row in attempts
                if row["state"] == "finished" and row["key"] not in count
            ),
            *(_named(row) + f" is {row['state']}" for row in attempts if row["state"] not in {"finished", "held"}),
        ),
        wrong=tuple(
            f"{_named(row)} is {row['outcome']}, it was {went[row['key']]}: {row['reason']}"
            for row in attempts
            if row["state"] == "finished" and row["key"] in went and row["outcome"] != went[row["key"]]
        ),
        held=tuple(
            f"{_named(row)}: {row['reason']}; in truth {'dialled' if row['key'] in count else 'not dialled'}"
            for row in attempts
            if row["state"] == "held"
        ),
        killed_sending=killed_sending,
    )


def _again(placed: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Give the numbers that were dialled, in the order of the dials, once more after their owner had answered."""
    answered: set[str] = set()
    for dial in placed:
        if dial.get("to", "") in answered:
            yield dial["to"]
        elif dial["outcome"] == "answered" and "to" in dial:
            answered.add(dial["to"])


def _named(row: Mapping[str, Any]) -> str:
    return f"{row['account']}: attempt {row['key'][:8]}"
