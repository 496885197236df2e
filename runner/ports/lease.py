"""How the engine meets the ledger's lease."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from runner.model.lease import Holder, Lease


class LeaseLedger(Protocol):
    """What is remembered of who runs on the ledger. Each method is a part of the transaction that is open."""

    def current(self) -> Lease:
        """Give the lease as it stands."""
        ...

    def take(self, before: Lease, holder: Holder, now: datetime, until: datetime) -> int | None:
        """Take the ledger over from the lease that was seen; give the new epoch, None when it has changed since."""
        ...

    def check(self, epoch: int) -> None:
        """Raise LeaseLost when another runner has taken the ledger."""
        ...

    def renew(self, epoch: int, now: datetime, until: datetime) -> None:
        """Hold the ledger for longer; raise LeaseLost when another runner has taken it."""
        ...

    def release(self, epoch: int) -> None:
        """Give the ledger back; changes nothing when another runner has taken it."""
        ...

    def newest_instant(self) -> datetime | None:
        """Give the newest instant that the last events tell of."""
        ...

    def waiting_letters(self) -> int:
        """Count the webhooks that wait for the call that they name."""
        ...
