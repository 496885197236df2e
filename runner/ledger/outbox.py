"""The outbox: what waits to be told to other systems. The schema's triggers fill it, in the transaction of what happened."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from sqlite3 import Row
from typing import TYPE_CHECKING, Final

from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.instants import from_micros, to_micros
from runner.model.notification import AboutAttempt, Kind, Notification, Settled, TargetStanding
from runner.rules.notify import message_id
from runner.rules.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from runner.ledger.store import Store

MOST_WAITING: Final = 100_000
"""notifications wait for one target and no more: the oldest are given up"""
LONGEST_WAIT: Final = timedelta(days=3)
"""a notification that waited longer is given up, however seldom it was tried"""
KEPT: Final = timedelta(days=7)
"""how long what was settled is still counted"""
_SEED: Final = "notification_seed"


class Outbox:
    """The outbox of one ledger; each method is one transaction, or joins the one that is open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note_finished(self, now: datetime) -> int:
        """Put a notification into the outbox for each campaign that has finished since; give how many campaigns.

        That a campaign is over stays so, hence it may be noticed later: a crash loses nothing. A revision
        that leaves nothing to do is no new end.
        """
        count = 0
        with self._store.transaction():
            for row in self._store.all("hooks_on_finish"):
                found = self._store.one("has_open_contacts", campaign_id=row["id"])
                if found is not None and found["is_open"]:
                    if row["is_told"]:
                        self._store.change("forget_told_finished", campaign_id=row["id"])
                    continue
                if not row["is_told"]:
                    self._store.change("put_finished", campaign_id=row["id"], now=to_micros(now))
                    count += 1
                self._store.change("note_told_finished", campaign_id=row["id"], revision_id=row["revision_id"])
        return count

    def targets(self) -> list[str]:
        """Give the targets for which something waits."""
        return [row["target"] for row in self._store.all("outbox_targets")]

    def due(self, target: str, now: datetime, count: int) -> list[Notification]:
        """Give up to `count` notifications of a target whose time has come, the earliest first."""
        rows = self._store.all("outbox_due", target=target, now=to_micros(now), count=count)
        seed = self._seed() if rows else ""
        pseudonyms = pseudonyms_of(self._store)
        return [self._notification(row, seed, pseudonyms) for row in rows]

    def settle(self, results: Iterable[Settled]) -> None:
        """Write down what became of tries."""
        with self._store.transaction():
            for one in results:
                state = "dead" if one.is_dead else "sent" if one.again_at is None else "waiting"
                self._store.change(
                    "settle_notification", id=one.id, state=state, again_at=to_micros(one.again_at),
                    at=to_micros(one.at), says=one.says,
                )  # fmt: skip

    def trim(self, now: datetime) -> int:
        """Give up what is too old or too many and forget what is long settled; give how many were given up."""
        with self._store.transaction():
            at = to_micros(now)
            count = self._store.change("give_up_old", now=at, before=to_micros(now - LONGEST_WAIT))
            for target in self.targets():
                row = self._store.one("waiting_count", target=target)
                over = row["count"] - MOST_WAITING if row is not None else 0
                if over > 0:
                    count += self._store.change("give_up_most", target=target, count=over, now=at)
            self._store.change("forget_settled", before=to_micros(now - KEPT))
        return count

    def withhold(self, now: datetime) -> dict[str, int]:
        """Have nothing that waits ever be sent; give how many of each target."""
        with self._store.transaction():
            found = {row["target"]: row["count"] for row in self._store.all("outbox_waiting_counts")}
            if found:
                self._store.change("withhold", now=to_micros(now))
        return found

    def standing(self) -> list[TargetStanding]:
        """Give how notifications to each target stand; nothing from a ledger that an older version wrote."""
        if self._store.one("has_outbox") is None:
            return []
        return [TargetStanding(**dict(row)) for row in self._store.all("outbox_standing")]

    def _seed(self) -> str:
        """Give what tells this ledger's ids from those of every other one, made when it is first needed."""
        with self._store.transaction():
            self._store.change("add_fact", name=_SEED, value=secrets.token_hex(16))
            row = self._store.one("fact", name=_SEED)
        return str(row["value"]) if row is not None else ""

    def _notification(self, row: Row, seed: str, pseudonyms: Pseudonyms) -> Notification:
        kind = Kind(row["kind"])
        finished = kind is Kind.CAMPAIGN_FINISHED
        stats = self._store.all("stats_of_campaign", campaign_id=row["campaign_id"]) if finished else []
        subject = f"{row['key'] or ''} {row['attempt_id'] or ''}"
        return Notification(
            id=row["id"], message_id=message_id(seed, row["campaign"], kind.value, subject, row["at"]), kind=kind,
            at=from_micros(row["at"]), target=row["target"], campaign=row["campaign"], tries=row["tries"],
            attempt=_attempt(row, pseudonyms) if row["attempt_id"] is not None and row["key"] is not None else None,
            reason="" if row["attempt_id"] is not None else row["reason"], cause=row["cause"],
            row_stats={one["state"]: one["count"] for one in stats},
        )  # fmt: skip


def _attempt(row: Row, pseudonyms: Pseudonyms) -> AboutAttempt:
    return AboutAttempt(
        key=row["key"], contact_key=row["contact_key"] or "", phone=row["phone"] or "", step=row["step"],
        number=row["number"], channel=row["channel"], provider=row["provider"] or "", account=row["account"],
        outcome=row["outcome"], tag=row["tag"], summary=row["summary"], reason=row["reason"],
        sent_at=from_micros(row["sent_at"]), ended_at=from_micros(row["ended_at"]),
        masked_phone=pseudonyms.shown(row["phone"] or ""), log_id=pseudonyms.log_id(row["key"]),
    )  # fmt: skip
