"""Put a ledger right that is a copy or an older state: nobody is contacted again whom the lost part may have contacted.

What may have been sent since is not known here, so it is found out or held: what was accepted is asked
for, what was on its way is looked for, and what was due since is in doubt as soon as its turn comes,
with everything that follows it for the same person. The provider's list then says whether it was sent;
where there is no list, a person must.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from runner.errors import UsageWrong
from runner.ledger import instance
from runner.ledger.instants import from_micros, to_micros
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import ContactState, Move

_SLACK: Final = timedelta(minutes=1)
_WHY: Final = "another copy of this ledger may have sent it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciled:
    """What became of a ledger that was a copy."""

    since: datetime
    """from when on another copy may have sent something"""
    until: datetime
    asked: int
    """attempts with an id, whose outcome is asked for"""
    looked_for: int
    """attempts that were on their way"""
    in_doubt: int
    """attempts that were due since: each is looked for before it is sent"""
    held: int
    """attempts that nobody can be asked about: a person must say what became of them"""


def reconcile(store: Store, path: Path, now: datetime, *, since: datetime | None = None) -> Reconciled:
    """Make a copy, or an older state, a ledger of its own, and doubt whatever the lost part may have sent.

    `since` is when the copy was made; the newest instant that it knows of when absent. It may be run
    again, to doubt what was applied since. Nothing may run on any other copy from now on. Raises
    UsageWrong for a `since` that lies ahead.
    """
    if since is not None and since > now:
        raise UsageWrong(f"`{since:%Y-%m-%dT%H:%M:%SZ}` is still to come", help="write when the copy was made")
    with store.transaction():
        begun = since or _newest(store, now) - _SLACK
        counts = {"asked": 0, "looked_for": 0, "in_doubt": 0, "held": 0}
        native = _native_steps(store)
        for row in store.all("lost_attempts", until=to_micros(now)):
            lost = {"since": to_micros(begun), "until": to_micros(now)}
            is_dead_end = bool(row["has_backups"]) or (row["campaign_id"], row["step"]) in native
            what = _doubt(store, row["id"], AttemptState(row["state"]), now, lost, held=is_dead_end)
            counts[what] += 1
            store.change("lose_contact", id=row["contact_id"], **lost)
        store.change("end_lease")
        name = secrets.token_hex(16)
        instance.adopt(store._connection, path, instance=name)  # noqa: SLF001 the same room
        store.event(now, None, "reconciled", since=begun.isoformat(), **counts)
    store.tide = instance.remark(store._connection, path)  # noqa: SLF001 the same room
    return Reconciled(since=begun, until=now, **counts)


def moved(store: Store, path: Path, now: datetime) -> None:
    """Take a person's word that a file is the ledger itself, moved, and that nothing ran on any copy of it.

    Raises UsageWrong for a backup, and for a state that is older than what ran here.
    """
    row = store.one("fact", name="home")
    if row is not None and not row["value"].startswith("inode "):
        raise UsageWrong(f"this is {row['value']}, and was not just moved", help="outreach ledger reconcile")
    with store.transaction():
        found = store.one("fact", name="instance")
        instance.adopt(store._connection, path, instance=found["value"] if found is not None else "")  # noqa: SLF001 the same room
        store.event(now, None, "moved")
    store.tide = instance.remark(store._connection, path)  # noqa: SLF001 the same room


def _doubt(store: Store, attempt: int, state: AttemptState, now: datetime, lost: dict[str, int], *, held: bool) -> str:
    """Doubt one attempt; give by which count."""
    if state is AttemptState.ACCEPTED:
        store.change("ask_at", id=attempt, at=to_micros(now))
        return "asked"
    if state is AttemptState.HELD:
        store.change("lose_attempt", id=attempt, asked=True, **lost)
        return "held"
    if state is AttemptState.CLAIMED:
        store.move([Move(attempt_id=attempt, old=state, new=AttemptState.PLANNED, at=now, reason=_WHY)])
        state = AttemptState.PLANNED
    if state is AttemptState.PLANNED:
        store.change("lose_attempt", id=attempt, asked=False, **lost)
        if held:
            move = Move(
                attempt_id=attempt, old=state, new=AttemptState.HELD, at=now, reason=_WHY, contact=ContactState.HELD
            )
            store.move([move])
        return "held" if held else "in_doubt"
    store.change("lose_attempt", id=attempt, asked=True, **lost)
    if state is AttemptState.SENDING:
        doubt = Move(attempt_id=attempt, old=state, new=AttemptState.IN_DOUBT, at=now, reason=_WHY, poll_at=now)
        store.move([doubt])
    store.change("ask_at", id=attempt, at=to_micros(now))
    return "looked_for"


def _newest(store: Store, now: datetime) -> datetime:
    row = store.one("newest_word")
    return min(now, from_micros(row["at"])) if row is not None and row["at"] is not None else now


def _native_steps(store: Store) -> frozenset[tuple[int, str]]:
    """Give the steps whose people are handed over, by campaign: nobody can be asked about one of them alone."""
    found = set()
    for row in store.all("policies_in_force"):
        for step in json.loads(row["policy"]).get("steps", ()):
            if step.get("delivery") == "native":
                found.add((row["id"], step["name"]))
    return frozenset(found)
