"""A runner's hold on its ledger: renewed with what it writes, asked before each request leaves."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final, Self

from runner.errors import LedgerUnwritable, TooLate
from runner.ports import Ledger
from runner.rules.lease import LASTS, RENEWED_EVERY, SENDS_UNTIL, SENT_WITHIN

_SECOND: Final = timedelta(seconds=1)


class Tenure:
    """What the one runner of a ledger may still do.

    Attended inside each transaction, in the ledger's thread; asked before each request, in the loop's.
    """

    def __init__(
        self,
        epoch: int,
        wall: Callable[[], datetime],
        boottime: Callable[[], float],
        *,
        is_there: Callable[[], bool] = lambda: True,
        lapses: bool = True,
    ) -> None:
        """Begin with the epoch that was just taken.

        `wall` and `boottime` are the machine's own clocks, whatever the engine's clock says; the
        second counts the time asleep too. `is_there` says whether the ledger is still where it was opened.
        """
        self.epoch = epoch
        self.boottime = boottime
        self.is_closing = False
        """whether nothing new is to be sent, since the runner is to stop"""
        self._wall = wall
        self._is_there = is_there
        self._lapses = lapses
        self._renewed = boottime()
        self._renewing: float | None = None

    @classmethod
    def alone(cls) -> Self:
        """Give the tenure of a runner from whom nobody can take the ledger: nothing is checked."""
        return cls(0, lambda: datetime.min.replace(tzinfo=UTC), lambda: 0.0, lapses=False)

    @property
    def is_renewed(self) -> bool:
        """Whether the lease must be renewed as time passes."""
        return self._lapses

    def close(self) -> None:
        """Have nothing new sent."""
        self.is_closing = True

    def attend(self, ledger: Ledger) -> None:
        """Check inside a transaction that the ledger is still ours, and hold it for longer when it is time to.

        Raises LeaseLost when another runner has taken it, LedgerUnwritable when its file is not there any more.
        """
        if not self.epoch:
            return
        if not self._is_there():
            raise LedgerUnwritable(
                "the ledger cannot be written: its file is no longer where it was opened",
                help="put the file back, or restore a backup; until then nothing is sent",
            )
        began = self.boottime()
        if began - self._renewed < RENEWED_EVERY / _SECOND:
            ledger.leases.check(self.epoch)
            return
        now = self._wall()
        ledger.leases.renew(self.epoch, now, now + LASTS)
        self._renewing = began

    def durable(self) -> float:
        """Take in that the transaction was committed; give when, by the clock that nobody sets."""
        if self._renewing is not None:
            self._renewed = self._renewing
        self._renewing = None
        return self.boottime()

    def undone(self) -> None:
        """Take in that the transaction was rolled back."""
        self._renewing = None

    def check_sending(self, intended_at: float | None = None) -> None:
        """Raise TooLate when a request must not leave: the lease may be lost, or its intent is too old.

        Reads nothing but the clock: nothing else is done between this and the request.
        """
        now = self.boottime()
        if now - self._renewed >= SENDS_UNTIL / _SECOND:
            raise TooLate("not sent in time: the machine was asleep, or the ledger was out of reach")
        if intended_at is not None and now - intended_at >= SENT_WITHIN / _SECOND:
            raise TooLate("not sent in time: too long after its intent")
