"""What there was with people so far, over all campaigns, as caps count it."""

from __future__ import annotations

from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from runner.ledger.instants import from_micros, to_micros
from runner.model.dealings import PastAttempt

if TYPE_CHECKING:
    from runner.ledger.store import Store


def past_attempts(store: Store, phone: str, since: datetime, now: datetime) -> tuple[PastAttempt, ...]:
    """Give one person's attempts whose request may have left, under way at `now` or ended since, oldest first."""
    rows = store.all("past_attempts", phone=phone, since=to_micros(since), now=to_micros(now))
    return tuple(_past_attempt(row) for row in rows)


def everybodys_past(store: Store, since: datetime, now: datetime) -> dict[str, tuple[PastAttempt, ...]]:
    """Give the same of everybody by phone number."""
    found: dict[str, list[PastAttempt]] = {}
    for row in store.all("all_past_attempts", since=to_micros(since), now=to_micros(now)):
        found.setdefault(row["phone"], []).append(_past_attempt(row))
    return {phone: tuple(attempts) for phone, attempts in found.items()}


def _past_attempt(row: Row) -> PastAttempt:
    return PastAttempt(
        campaign=row["campaign"], purpose=row["purpose"], channel=row["channel"],
        started_at=from_micros(row["sent_at"]), ended_at=from_micros(row["ended_at"]), outcome=row["outcome"],
        calls=row["calls"], handed_over=bool(row["handed_over"]),
    )  # fmt: skip
