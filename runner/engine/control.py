"""Pass on what a person decided about a campaign: pause, resume, cancel, at the provider as far as it can."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.engine.native_sending import Sending, step
from runner.engine.polling import sent_of
from runner.engine.reconciliation import Reconciliation
from runner.errors import OutreachError, Rejected
from runner.model.attempt import Assignment
from runner.model.handed_over import HandoverRecord, HandoverState, Standing
from runner.model.handover import NativeAction, NativeStatus
from runner.model.request import Request
from runner.ports import Ledger, NativeCampaigns
from runner.ports.telemetry import named, shown_attempt, told_without_key
from runner.rules.policy import Policy

log = logging.getLogger(__name__)

_ACTIONS: Mapping[Standing, NativeAction] = {"running": "resume", "paused": "pause", "cancelled": "cancel"}
_OVER = frozenset({NativeStatus.COMPLETED, NativeStatus.CANCELLED})
_HEEDED: Mapping[Standing, frozenset[NativeStatus]] = {
    "running": _OVER | {NativeStatus.RUNNING},
    "paused": _OVER | {NativeStatus.PAUSED},
    "cancelled": _OVER,
}
"""where a provider's campaign stands when it heeds what it was told"""


def wanted(record: HandoverRecord, policy: Policy, now: datetime) -> Standing:
    """Give how a provider's campaign is to stand: as its campaign does, and over when the schedule has ended.

    One that is being cancelled there stays so, whatever becomes of ours meanwhile.
    """
    if "cancelled" in (record.campaign_state, record.telling) or (policy.ends is not None and now >= policy.ends):
        return "cancelled"
    return "paused" if record.campaign_state == "paused" else "running"


@dataclass(frozen=True, slots=True)
class Control:
    """What passing on needs."""

    tools: Reconciliation
    sending: Sending

    async def tell(self, record: HandoverRecord, standing: Standing) -> None:
        """Tell a provider how its campaign is to stand; where it cannot, or will not, that is written down."""
        if record.state is HandoverState.CREATED:
            record = await self._as_accepted(record)
        try:
            native = self.tools.accounts.native(record.account)
            provider = self.tools.accounts.provider(record.account).name
        except OutreachError as error:
            await self.sending.later(record, error.message)
            return
        action = _ACTIONS[standing]
        request = native.control(record.native_id, action)
        if request is None:
            await self._told(record, standing, f"{provider} cannot {action} the calls that it was handed")
            return
        await self.tools.journal.run(lambda ledger: ledger.handovers.telling(record.id, standing))
        try:
            heeded = await self._heeds(record, native, request, standing)
        except OutreachError as error:
            if isinstance(error, Rejected) and not error.pause:
                await self._told(record, standing, f"{provider} did not {action} the calls that it was handed")
            else:
                await self.sending.later(record, error.message)
            return
        await self._told(record, standing, "" if heeded else f"{provider} did not {action} its campaign")

    async def call_off(self, work: Assignment) -> None:
        """Ask a provider, once, to call off a call that nobody wants any more and that may still wait in its queue."""
        attempt = work.attempt
        try:
            provider = self.tools.accounts.provider(attempt.account)
            request = provider.cancel_request(sent_of(work))
            if request is not None:
                await self.tools.transport.send(self.tools.accounts.account(attempt.account), request)
        except OutreachError as error:
            extra = named("not_called_off", attempt)
            shown, said = shown_attempt(attempt.key), told_without_key(error, attempt).message
            log.info("attempt %s: could not be called off: %s", shown, said, extra=extra)
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            ledger.handovers.called_off(attempt.id, now)
            ledger.ask_now(attempt.id, now)

        await self.tools.journal.run(write)

    async def _heeds(
        self, record: HandoverRecord, native: NativeCampaigns, request: Request, standing: Standing
    ) -> bool:
        """Send a request and say whether it was heeded; what its answer leaves open, the campaign itself shows."""
        account = self.tools.accounts.account(record.account)
        refusal: OutreachError | None = None
        try:
            if native.read_done(await self.tools.transport.send(account, request)):
                return True
        except OutreachError as error:
            refusal = error
        status = native.read_status(await self.tools.transport.send(account, native.status_request(record.native_id)))
        if status in _HEEDED[standing]:
            return True
        if refusal is not None:
            raise refusal
        return False

    async def _told(self, record: HandoverRecord, standing: Standing, refusal: str) -> None:
        now = self.tools.clock.now()
        await self.tools.journal.run(lambda ledger: ledger.handovers.told(record, standing, now, refusal=refusal))

    async def _as_accepted(self, record: HandoverRecord) -> HandoverRecord:
        """Follow a cancelled handover that was never launched as if it had been: nobody knows what the provider began."""
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> HandoverRecord:
            ledger.handovers.move(step(record, HandoverState.ACCEPTED, now, poll_at=now))
            return ledger.handovers.record(record.id)

        return await self.tools.journal.run(write)
