"""Native delivery: many people go to a provider's own campaign at once, and are followed one by one.

The intent is durable before the request that creates leaves, and that request leaves once. Windows,
retries and pacing are then the provider's to keep; outcomes, conditions and later steps stay ours.
"""

from __future__ import annotations

import logging
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from runner.engine.control import Control, wanted
from runner.engine.native_doubt import Doubts
from runner.engine.native_following import Following
from runner.engine.native_release import Fresh, looks_ahead_at, release
from runner.engine.native_sending import Sending
from runner.engine.reconciliation import Reconciliation
from runner.errors import LedgerError
from runner.model.attempt import Assignment
from runner.model.handed_over import HandoverRecord, HandoverState
from runner.ports import Ledger
from runner.ports.telemetry import named

log = logging.getLogger(__name__)

_CALL_OFF_AT_MOST = 50


class Look(NamedTuple):
    """What one look at the ledger gave."""

    fresh: list[Fresh]
    due: list[HandoverRecord]
    calling_off: list[Assignment]
    next_at: datetime | None
    """when there is more to do"""


@dataclass(frozen=True, slots=True)
class NativeDelivery:
    """What native delivery is made of."""

    tools: Reconciliation
    sending: Sending
    doubts: Doubts
    following: Following
    control: Control

    @classmethod
    def over(cls, tools: Reconciliation) -> Self:
        """Build it over what the engine sends and settles with."""
        sending = Sending(tools)
        return cls(tools, sending, Doubts(tools, sending), Following(tools, sending), Control(tools, sending))

    async def recover(self) -> int:
        """Put right what a crash left behind; give how many people are in doubt because of it."""
        return await self.tools.journal.run(self.doubts.recover)

    def look(
        self,
        ledger: Ledger,
        now: datetime,
        busy: AbstractSet[int],
        calling_off: AbstractSet[int],
        *,
        begins: bool = True,
    ) -> Look:
        """Release what is due, if anything new may begin, and find what is to be looked after.

        Inside the transaction that is open. Leaves out handovers that are `busy` and attempts that are
        being called off.
        """
        fresh = release(self.tools, ledger, now) if begins else []
        begun = {one.record.id for one in fresh}
        others = [one for one in ledger.handovers.unfinished() if one.id not in busy | begun]
        due = [one for one in others if self._is_due(one, now)]
        late = [work for work in ledger.handovers.to_call_off(_CALL_OFF_AT_MOST) if work.attempt.id not in calling_off]
        times = [at for one in others if one not in due for at in self._next_times(one, now)]
        ahead = [looks_ahead_at(self.tools.policies.of(name), now) for name in self.tools.policies.active]
        return Look(fresh, due, late, min([*times, *(at for at in ahead if at is not None)], default=None))

    async def begin(self, fresh: Fresh) -> None:
        """Send a new handover."""
        await self.sending.create(fresh)
        self.tools.woken()

    async def look_after(self, record: HandoverRecord) -> None:
        """Do the next thing for a handover: look for it, go on with it, tell the provider, follow its people."""
        try:
            await self._do(record)
        except LedgerError:
            raise
        except Exception as error:  # one handover's trouble must not stop the others
            log.exception("handover %d: unexpected failure", record.id, extra=named("handover_failed", record))
            await self.sending.later(record, f"unexpected failure: {type(error).__name__}")
        self.tools.woken()

    async def call_off(self, work: Assignment) -> None:
        """Ask a provider to call off one call that nobody wants any more."""
        await self.control.call_off(work)
        self.tools.woken()

    async def _do(self, record: HandoverRecord) -> None:
        standing = wanted(record, self.tools.policies.of(record.campaign), self.tools.clock.now())
        if record.state is HandoverState.IN_DOUBT:
            await self.doubts.look_up(record)
        elif self._is_to_be_told(record, self.tools.clock.now()):
            await self.control.tell(record, standing)
        elif record.state is HandoverState.CREATED:
            await self.sending.go_on(record)
        else:
            await self.following.follow(record, standing)

    def _is_due(self, record: HandoverRecord, now: datetime) -> bool:
        is_time = record.poll_at is None or record.poll_at <= now
        if record.state is HandoverState.SENDING:  # being sent by this process, or put right at the next start
            return False
        if self._is_to_be_told(record, now):
            return is_time or not record.tries
        if record.state is HandoverState.CREATED:
            return is_time and record.campaign_state == "active"
        return is_time

    def _is_to_be_told(self, record: HandoverRecord, now: datetime) -> bool:
        """Whether the provider is to hear something new; a cancelled campaign hears no more."""
        standing = wanted(record, self.tools.policies.of(record.campaign), now)
        is_told = not record.telling and standing in (record.told, record.refused)
        if record.told == "cancelled" or is_told:
            return False
        if record.state is HandoverState.CREATED:  # what was not launched need not be paused
            return standing == "cancelled"
        return record.state is HandoverState.ACCEPTED

    def _next_times(self, record: HandoverRecord, now: datetime) -> list[datetime]:
        ends = self.tools.policies.of(record.campaign).ends
        times = [ends] if ends is not None and ends > now else []
        is_waiting = record.state is HandoverState.CREATED and record.campaign_state != "active"
        return times if record.poll_at is None or is_waiting else [*times, record.poll_at]
