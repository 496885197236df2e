"""End planned attempts whose time is over while a limit or an ill account keeps their lane from starting anything.

What is claimed is judged then. What waits behind a limit that has no room, or an account whose breaker
is open, would wait for a claim before anybody saw that it came too late.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from runner.engine.policies import Policies
from runner.engine.settlement import give_up
from runner.model.attempt import Assignment
from runner.model.lane import Lane
from runner.model.move import Move
from runner.ports import Ledger
from runner.rules.gate import Drop, may_send

LOOK_EVERY: Final = timedelta(minutes=5)
"""how often lanes that may start nothing are looked through"""
_PAGE: Final = 200


@dataclass(slots=True)
class Overdue:
    """Looks through lanes that may start nothing; used inside the ledger's transactions alone."""

    policies: Policies
    _next_at: datetime | None = None

    def end(self, ledger: Ledger, lanes: Iterable[Lane], now: datetime) -> datetime | None:
        """End what came too late, at most every few minutes; give when to look again, None where no lane is stuck."""
        stuck = list(lanes)
        if self._next_at is None or now >= self._next_at:
            self._next_at = now + LOOK_EVERY
            for lane in stuck:
                self._end_lane(ledger, lane, now)
        return self._next_at if stuck else None

    def _end_lane(self, ledger: Ledger, lane: Lane, now: datetime) -> None:
        """End the oldest ones for which it is too late, until one is met for which it is not."""
        count = 1  # most lanes that are stuck have nothing that is too late, and their oldest one shows it
        while due := ledger.lanes.due(lane.id, now, count):
            works = ledger.assignments([one.id for one in due])
            moves = [move for work in works if (move := self._too_late(ledger, work, now)) is not None]
            ledger.move(moves)
            if len(moves) < len(works):
                return
            count = _PAGE

    def _too_late(self, ledger: Ledger, work: Assignment, now: datetime) -> Move | None:
        """Give the move that ends an attempt by the one gate that all pass; None for one that may still leave or wait."""
        attempt = work.attempt
        policy = self.policies.of(attempt.campaign)
        step = policy.step_named(attempt.step)
        if step is None or work.is_paused:
            return None
        verdict = may_send(
            policy, step, attempt.where, now, work.suppression, step_due_at=attempt.step_due_at,
            is_callback=attempt.is_callback,
        )  # fmt: skip
        if not isinstance(verdict, Drop):
            return None
        return give_up(policy, work, verdict, ledger.history(attempt.contact_id), now)
