"""The ledger's lease: who may write as its runner, told by an epoch that only grows."""

from __future__ import annotations

from datetime import datetime

from runner.errors import LeaseLost
from runner.ledger.handovers import Statements
from runner.ledger.instants import from_micros, to_micros
from runner.model.lease import Holder, Lease


class Leases:
    """The lease's row, as a part of the store. Relies on nothing but transactions."""

    def __init__(self, store: Statements) -> None:
        self._store = store

    def current(self) -> Lease:
        """Give the lease as it stands; raise LeaseLost when the ledger has none, which no runner leaves behind."""
        row = self._store.one("lease")
        if row is None:
            raise LeaseLost("the lease of this ledger is gone")
        holder = Holder(
            host=row["host"], boot=row["boot"], pid=row["pid"], began=row["began"], version=row["version"]
        )  # fmt: skip
        return Lease(
            epoch=row["epoch"], holder=holder, since=from_micros(row["since"]),
            renewed=from_micros(row["renewed"]), until=from_micros(row["until"]),
        )  # fmt: skip

    def take(self, before: Lease, holder: Holder, now: datetime, until: datetime) -> int | None:
        """Take the ledger over from the lease that was seen; give the new epoch, None when it has changed since."""
        values = {"host": holder.host, "boot": holder.boot, "pid": holder.pid, "began": holder.began}
        with self._store.transaction():
            seen = self.current()
            if (seen.epoch, seen.renewed) != (before.epoch, before.renewed):
                return None
            self._store.change(
                "take_lease", **values, version=holder.version, epoch=before.epoch, now=to_micros(now),
                until=to_micros(until),
            )  # fmt: skip
        return before.epoch + 1

    def check(self, epoch: int) -> None:
        """Raise LeaseLost when another runner has taken the ledger; for inside the transaction that writes."""
        row = self._store.one("lease")
        if row is None or row["epoch"] != epoch:
            now_held = f"process {row['pid']} on {row['host']}" if row is not None else "nobody known"
            raise LeaseLost(
                f"another runner has taken this ledger over: {now_held}",
                help="this one sends nothing more; only one may run",
            )

    def renew(self, epoch: int, now: datetime, until: datetime) -> None:
        """Hold the ledger for longer; raise LeaseLost when another runner has taken it."""
        if not self._store.change("renew_lease", epoch=epoch, now=to_micros(now), until=to_micros(until)):
            self.check(epoch)

    def release(self, epoch: int) -> None:
        """Give the ledger back; changes nothing when another runner has taken it."""
        self._store.change("release_lease", epoch=epoch)

    def newest_instant(self) -> datetime | None:
        """Give the newest instant that the last events tell of; None in a ledger without any."""
        row = self._store.one("newest_instant")
        return from_micros(row["at"]) if row is not None and row["at"] is not None else None

    def waiting_letters(self) -> int:
        """Count the webhooks that wait for the call that they name."""
        row = self._store.one("waiting_letters")
        return int(row["count"]) if row is not None else 0
