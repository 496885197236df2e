"""Count what a ledger holds, and read what happened since, for those who watch a runner at work."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from sqlite3 import Row

from runner.ledger.instants import from_micros, to_micros
from runner.ledger.store import Store
from runner.model.counts import Happening, LaneCounts, LedgerCounts

MOST_HAPPENINGS = 5_000
"""how many events are read at once"""

_COUNTED_AS = {"claimed": "live", "sending": "live", "accepted": "live", "in_doubt": "in_doubt"}


class Counter:
    """Counts by a connection of its own, which only reads. Not for two threads at once.

    While somebody reads, a commit may have to wait, so all that is asked for is found by an index;
    held attempts, which are not, are only counted anew after one of them moved.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: list[LaneCounts] = []
        self._held_is_known = False
        self._seen = self._newest()

    def counts(self, now: datetime) -> LedgerCounts:
        """Count as of now."""
        with self._store.reading():
            due = self._store.all("due_by_lane", now=to_micros(now))
            live = self._store.all("live_by_lane")
            outbox = self._store.all("outbox_counts")
            waiting, lease = self._store.one("webhooks_waiting"), self._store.one("lease_epoch")
            states = self._store.all("campaign_states")
            health = self._store.lanes.health()
            held = self._all_held()
        return LedgerCounts(
            lanes=tuple(_merged([*_due(due), *_live(live), *held])),
            oldest_due=_oldest(due),
            campaigns={row["name"]: row["state"] for row in states},
            breakers={account: one.breaker.state.value for account, one in health.items()},
            webhooks_waiting=waiting["count"] if waiting else 0,
            notifications={"waiting": 0, "dead": 0, **{row["state"]: row["count"] for row in outbox}},
            epoch=lease["epoch"] if lease else 0,
        )

    def happenings(self) -> list[Happening]:
        """Give what happened to attempts since the last call, or since this was made; at most 5,000 events' worth."""
        newest = min(self._newest(), self._seen + MOST_HAPPENINGS)
        rows = self._store.all("happenings_after", after=self._seen, newest=newest)
        self._seen = newest
        found = [_happening(row) for row in rows]
        if any("held" in {one.kind, one.was} for one in found):
            self._held_is_known = False
        return found

    def close(self) -> None:
        """Close the connection."""
        self._store.close()

    def _newest(self) -> int:
        row = self._store.one("newest_event")
        return row["id"] if row else 0

    def _all_held(self) -> list[LaneCounts]:
        if not self._held_is_known:
            rows = self._store.all("held_by_lane")
            self._held = [
                LaneCounts(campaign=row["campaign"], account=row["account"], held=row["count"]) for row in rows
            ]
            self._held_is_known = True
        return self._held


def _due(rows: Iterable[Row]) -> list[LaneCounts]:
    return [LaneCounts(campaign=row["campaign"], account=row["account"], due=row["count"]) for row in rows]


def _live(rows: Iterable[Row]) -> list[LaneCounts]:
    return [
        LaneCounts(campaign=row["campaign"], account=row["account"], **{_COUNTED_AS[row["state"]]: row["count"]})
        for row in rows
    ]


def _merged(counts: Iterable[LaneCounts]) -> list[LaneCounts]:
    """Add up what was counted of the same campaign and account."""
    sums: dict[tuple[str, str], LaneCounts] = {}
    for one in counts:
        so_far = sums.get((one.campaign, one.account), LaneCounts(campaign=one.campaign, account=one.account))
        sums[one.campaign, one.account] = replace(
            so_far, due=so_far.due + one.due, live=so_far.live + one.live,
            in_doubt=so_far.in_doubt + one.in_doubt, held=so_far.held + one.held,
        )  # fmt: skip
    return list(sums.values())


def _oldest(rows: Iterable[Row]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for row in rows:
        at = from_micros(row["oldest"])
        found[row["campaign"]] = min(at, found.get(row["campaign"], at))
    return found


def _happening(row: Row) -> Happening:
    values = {name: row[name] for name in row.keys() if name not in {"at", "sent_at"}}  # noqa: SIM118 a Row iterates over values
    return Happening(**values, at=from_micros(row["at"]), sent_at=from_micros(row["sent_at"]))
