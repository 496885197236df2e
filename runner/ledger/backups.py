"""What the ledger holds of backups: the requests that were reviewed, and which attempts they carry out."""

from __future__ import annotations

from datetime import datetime

from runner.ledger.handovers import Statements
from runner.ledger.instants import to_micros
from runner.model.failover import BackupOfDue


class Backups:
    """The backups of one ledger; each method is one transaction, or joins the one that is open."""

    def __init__(self, store: Statements) -> None:
        self._store = store

    def of_due(self, lane_id: int, now: datetime, count: int) -> list[BackupOfDue]:
        """Give the backups of up to `count` attempts of a lane that are due and never were in doubt, oldest first."""
        rows = self._store.all("backups_of_due", lane_id=lane_id, now=to_micros(now), count=count)
        return [
            BackupOfDue(attempt=row["id"], rank=row["rank"], account=row["account"], lane=row["lane_id"])
            for row in rows
        ]

    def take_over(self, backup: BackupOfDue) -> bool:
        """Have a backup carry an attempt out; whether that was still planned."""
        changed = self._store.change(
            "take_over", id=backup.attempt, rank=backup.rank, account=backup.account, lane_id=backup.lane
        )
        return bool(changed)

    def accounts_taken_over(self) -> list[str]:
        """Give the accounts of the steps' own agents whose planned attempts backups have taken over."""
        return [row["account"] for row in self._store.all("accounts_taken_over")]

    def give_back(self, account: str, count: int) -> int:
        """Give up to `count` planned attempts back to their step's own agent; give how many."""
        return self._store.change("give_back", account=account, count=count)
