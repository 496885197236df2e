"""How failing over meets the ledger: which attempts have backups, and who carries them out."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from runner.model.failover import BackupOfDue


class BackupLedger(Protocol):
    """What is remembered of backups. Each method is one durable transaction, or a part of the one that is open."""

    def of_due(self, lane_id: int, now: datetime, count: int) -> list[BackupOfDue]:
        """Give the backups of up to `count` attempts of a lane that are due and never were in doubt, oldest first."""
        ...

    def take_over(self, backup: BackupOfDue) -> bool:
        """Have a backup carry an attempt out; whether that was still planned."""
        ...

    def accounts_taken_over(self) -> list[str]:
        """Give the accounts of the steps' own agents whose planned attempts backups have taken over."""
        ...

    def give_back(self, account: str, count: int) -> int:
        """Give up to `count` planned attempts back to their step's own agent; give how many."""
        ...
