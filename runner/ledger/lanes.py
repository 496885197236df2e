"""What pacing asks of a ledger: lanes, who is due in them, what is live, what started when, which accounts are ill."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from sqlite3 import Row
from typing import TYPE_CHECKING

from runner.ledger.instants import from_micros, to_micros
from runner.ledger.queries import id_list
from runner.model.attempt import Assignment
from runner.model.lane import DueAttempt, Lane, RecentDoubts, Slot
from runner.rules.breaker import Breaker, BreakerState, Slowdown
from runner.rules.health import AccountHealth

if TYPE_CHECKING:
    from runner.ledger.store import Store


class Lanes:
    """The lanes of one ledger; each method is one transaction, or joins the one that is open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def put(self, campaign_id: int, step: str, account: str, agent: str, from_number: str) -> int:
        """Give the id of a lane, made if it is not there yet."""
        facts = {
            "campaign_id": campaign_id, "step": step, "account": account, "agent": agent, "from_number": from_number,
        }  # fmt: skip
        with self._store.transaction():
            row = self._store.one("lane_id", **facts)
            return int(row["id"]) if row is not None else self._store.insert("put_lane", **facts)

    def after(self, lane_id: int) -> list[Lane]:
        """Give the lanes that came after another one, oldest first; all of them after 0."""
        return [Lane(**dict(row)) for row in self._store.all("lanes_after", after=lane_id)]

    def due(self, lane_id: int, now: datetime, count: int) -> list[DueAttempt]:
        """Give up to `count` attempts of a lane that are due and may be claimed, oldest first."""
        rows = self._store.all("due_in_lane", lane_id=lane_id, now=to_micros(now), count=count)
        return [DueAttempt(row["id"], from_micros(row["due_at"])) for row in rows]

    def claim(self, ids: Sequence[int], lease_until: datetime) -> list[Assignment]:
        """Take attempts by a lease; those that are planned no more, and second ones of a person, are left out."""
        with self._store.transaction():
            until = to_micros(lease_until)
            return self._store.assignments(
                [one for one in ids if self._store.change("claim", id=one, lease_until=until)]
            )

    def any_due(self, lanes: Collection[int], now: datetime) -> bool:
        """Whether an attempt of any of these lanes is due."""
        return self._store.one("any_due", lanes=_ids(lanes), now=to_micros(now)) is not None

    def live(self, now: datetime) -> list[Slot]:
        """Give every call without an outcome and every text that is being sent, in the order in which they started."""
        rows = self._store.all("live_slots", now=to_micros(now))
        return [Slot(row["lane_id"], from_micros(row["since"])) for row in rows]

    def anything_open(self, only: Collection[str] | None = None) -> bool:
        """Whether any attempt waits for something that the runner does, of the campaigns in `only` if given."""
        row = self._store.one("anything_open", only=None if only is None else json.dumps(sorted(only)))
        return row is not None and bool(row["is_open"])

    def starts(self, lanes: Collection[int], since: datetime, now: datetime) -> list[datetime]:
        """Give when attempts of lanes started after an instant, oldest first; what is claimed counts as started now."""
        rows = self._store.all("starts_of_lanes", lanes=_ids(lanes), since=to_micros(since), now=to_micros(now))
        return [from_micros(row["at"]) for row in rows]

    def first_start(self, lanes: Collection[int]) -> datetime | None:
        """Give when the very first attempt of lanes started; None when none has."""
        row = self._store.one("first_start_of_lanes", lanes=_ids(lanes))
        return from_micros(row["at"]) if row is not None else None

    def doubts(self, campaign: str, since: datetime) -> RecentDoubts:
        """Count what a campaign sent and what came into doubt since an instant; doubts from before it was resumed are forgiven."""
        row = self._store.one("recent_doubts", name=campaign, since=to_micros(since))
        return RecentDoubts(sent=row["sent"], doubted=row["doubted"]) if row else RecentDoubts(sent=0, doubted=0)

    def health(self) -> dict[str, AccountHealth]:
        """Give how every account that ever failed stands; nothing from a ledger that an older version wrote."""
        if self._store.one("has_health") is None:
            return {}
        return {row["account"]: _health(row) for row in self._store.all("all_health")}

    def put_health(self, account: str, health: AccountHealth) -> None:
        """Write down how an account stands."""
        breaker, slowdown = health.breaker, health.slowdown
        self._store.change(
            "put_health", account=account, state=breaker.state.value,
            recent="".join("x" if failed else "." for failed in breaker.recent), reason=breaker.reason,
            since=to_micros(breaker.since), retry_at=to_micros(breaker.retry_at), trials=breaker.trials,
            trial=breaker.trial, slowed_until=to_micros(slowdown.until) if slowdown else None,
            slowed_times=slowdown.times if slowdown else 0,
        )  # fmt: skip


def _ids(lanes: Collection[int]) -> str:
    return id_list(sorted(lanes))


def _health(row: Row) -> AccountHealth:
    breaker = Breaker(
        state=BreakerState(row["state"]), recent=tuple(sign == "x" for sign in row["recent"]), reason=row["reason"],
        since=from_micros(row["since"]), retry_at=from_micros(row["retry_at"]), trials=row["trials"], trial=row["trial"],
    )  # fmt: skip
    until = from_micros(row["slowed_until"])
    return AccountHealth(breaker=breaker, slowdown=Slowdown(until, row["slowed_times"]) if until else None)
