"""Failing over: while an account's breaker is open, backups carry out what is due, by the requests that were reviewed.

Only attempts that wait are moved, and none that ever was in doubt: what may have been placed through
one account never leaves through another one.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from runner.engine.accounts import Accounts
from runner.engine.breakers import Breakers
from runner.engine.policies import Policies
from runner.model.failover import BackupOfDue
from runner.model.lane import Lane
from runner.ports import Ledger
from runner.ports.telemetry import named
from runner.rules.health import sentence

log = logging.getLogger(__name__)

MOST_WAITING = 200
"""how many attempts may wait for one backup: the others stay with their own agent, which may be well before they are due"""


@dataclass(slots=True)
class Failover:
    """Moves what is due between the agents of a step; used inside the ledger's transactions alone."""

    policies: Policies
    accounts: Accounts
    breakers: Breakers
    _said: set[tuple[str, str]] = field(default_factory=set)

    def shift(self, ledger: Ledger, now: datetime, apart: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Give back what agents that are well again can do themselves; have backups take over from those that fail.

        Nothing of the (campaign, step) pairs in `apart`.
        """
        self._give_back(ledger, now)
        failing = [lane for lane in ledger.lanes.after(0) if self._fails(lane, now)] if self.breakers.any_open else []
        active = set(self.policies.active)
        waiting: dict[int, int] = {}
        for lane in failing:
            if lane.campaign in active and (lane.campaign, lane.step) not in apart:
                self._take_over(ledger, lane, waiting, now)

    def _give_back(self, ledger: Ledger, now: datetime) -> None:
        for account in ledger.backups.accounts_taken_over():
            room = self.breakers.room(account, now).free
            if room > 0:
                ledger.backups.give_back(account, room)

    def _fails(self, lane: Lane, now: datetime) -> bool:
        """Whether nothing can leave through a lane's account because its breaker is open; a single try is for its own agent."""
        return self.breakers.is_open(lane.account) and self.breakers.room(lane.account, now).free <= 0

    def _take_over(self, ledger: Ledger, lane: Lane, waiting: dict[int, int], now: datetime) -> None:
        found = ledger.backups.of_due(lane.id, now, MOST_WAITING)
        for _, backups in groupby(found, key=lambda one: one.attempt):
            chosen = self._chosen(backups)
            if chosen is None:
                continue
            if chosen.lane not in waiting:
                waiting[chosen.lane] = len(ledger.lanes.due(chosen.lane, now, MOST_WAITING))
            if waiting[chosen.lane] < MOST_WAITING and ledger.backups.take_over(chosen):
                waiting[chosen.lane] += 1
                self._note(ledger, lane, chosen, now)

    def _chosen(self, backups: Iterable[BackupOfDue]) -> BackupOfDue | None:
        """Give the first backup whose account takes calls; None when none does."""
        well = (one for one in backups if one.account in self.accounts and not self.breakers.is_open(one.account))
        return next(well, None)

    def _note(self, ledger: Ledger, lane: Lane, chosen: BackupOfDue, now: datetime) -> None:
        why = f"account {lane.account}: {sentence(self.breakers.of(lane.account).breaker)}"
        ledger.letters.note(
            now, chosen.attempt, "taken_over", account=chosen.account, backup=chosen.rank, reason=why,
            source=f"steps.{lane.step}.backups",
        )  # fmt: skip
        if (lane.account, chosen.account) not in self._said:
            self._said.add((lane.account, chosen.account))
            log.warning(
                "%s; account %s takes over", why, chosen.account, extra=named("taken_over", account=chosen.account)
            )
