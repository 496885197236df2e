"""Follow handovers: what the provider says of each person is settled by our own rules, or shown while it lasts."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from runner.engine.arrivals import hear_waiting
from runner.engine.endings import SETTLED_BY_PROOF
from runner.engine.native_details import completed
from runner.engine.native_sending import Sending, step
from runner.engine.reconciliation import Reconciliation
from runner.errors import OutreachError
from runner.model.handed_over import Handed, HandoverRecord, HandoverState, RowSeen, Standing
from runner.model.handover import NativePage, NativeRow, NativeStatus
from runner.model.move import ContactState
from runner.model.outcome import Observation, Outcome
from runner.ports import Ledger, NativeCampaigns
from runner.ports.telemetry import named, told_without_key

log = logging.getLogger(__name__)

GIVE_UP_AFTER = timedelta(days=7)
"""how long a provider may say nothing new of anybody before its campaign counts as lost"""
LONGEST_GAP = timedelta(hours=1)
"""between two looks at a campaign that runs"""
_ENDED = frozenset({NativeStatus.COMPLETED, NativeStatus.CANCELLED})
_MORE_PAGES = 50


@dataclass(frozen=True, slots=True)
class Following:
    """What following handovers needs."""

    tools: Reconciliation
    sending: Sending

    async def follow(self, record: HandoverRecord, wanted: Standing) -> None:
        """Ask where a provider's campaign stands and how its people are; settle whoever has ended.

        When the provider says that it is over, or nothing new for a week, everybody else is `unknown`;
        one who was never dialled in a campaign that was cancelled is `cancelled`.
        """
        try:
            native = self.tools.accounts.native(record.account)
            account = self.tools.accounts.account(record.account)
            reply = await self.tools.transport.send(account, native.status_request(record.native_id))
            status = native.read_status(reply)
            await self._read_rows(record, native)
        except OutreachError as error:
            log.info(
                "handover %d: no answer about its people: %s",
                record.id,
                told_without_key(error, record).message,
                extra=named("no_answer", record),
            )
            if not await self._given_up(record):
                await self.sending.later(record, error.message)
            return
        never_ran = status is NativeStatus.DRAFT and wanted == "cancelled"
        if status in _ENDED or never_ran:
            await self._finish(record, f"the provider says {status}", is_cancelled=status is not NativeStatus.COMPLETED)
        elif not await self._given_up(record):
            await self._look_again(record)

    async def _read_rows(self, record: HandoverRecord, native: NativeCampaigns) -> None:
        account = self.tools.accounts.account(record.account)
        for page in range(record.people + _MORE_PAGES):
            request = native.rows_request(record.native_id, page, agent_id=record.agent_id)
            if request is None:
                return
            rows = native.read_rows(await self.tools.transport.send(account, request))
            await self._take(record, await completed(self.tools, record, rows))
            if not rows.has_more or not rows.rows:
                return

    async def _take(self, record: HandoverRecord, page: NativePage) -> None:
        now, provider = self.tools.clock.now(), self.tools.accounts.provider(record.account)

        def write(ledger: Ledger) -> None:
            waiting = _waiting(ledger, record)
            found = [(waiting[row.phone], row) for row in page.rows if row.phone in waiting]
            known = [(one, row) for one, row in found if not _is_another(ledger, record.account, one, row)]
            ledger.handovers.see(record.id, self._seen(record, known), now)
            for one, row in known:
                if row.ended is not None and self.tools.settle_in(
                    ledger, one.attempt_id, replace(row.ended, calls=row.calls)
                ):
                    ended = ledger.assignments([one.attempt_id])[0].attempt
                    hear_waiting(ledger, self.tools.policies, provider, ended, now, waited=GIVE_UP_AFTER)

        await self.tools.journal.run(write)

    def _seen(self, record: HandoverRecord, known: Iterable[tuple[Handed, NativeRow]]) -> Iterator[RowSeen]:
        first_step = self.tools.policies.of(record.campaign).campaign.steps[0].label
        waits = ContactState.PENDING if record.step == first_step else ContactState.RETRY
        for one, row in known:
            stands = ContactState.RETRY if row.calls else waits
            if row.is_calling:
                stands = ContactState.CALLING
            yield RowSeen(attempt_id=one.attempt_id, calls=row.calls, contact=None if row.ended else stands)

    async def _given_up(self, record: HandoverRecord) -> bool:
        """Finish a handover of which nothing new was heard for a week, unless it is paused; whether it was."""
        now = self.tools.clock.now()
        current = await self.tools.journal.run(lambda ledger: ledger.handovers.record(record.id))
        if current.told == "paused" or now < current.changed_at + GIVE_UP_AFTER:
            return False
        await self._finish(record, "nothing new was heard of it for 7 days", is_cancelled=False)
        return True

    async def _finish(self, record: HandoverRecord, why: str, *, is_cancelled: bool) -> None:
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            for one in _waiting(ledger, record).values():
                outcome = Outcome.CANCELLED if is_cancelled and not one.calls else Outcome.UNKNOWN
                self.tools.settle_in(ledger, one.attempt_id, Observation(outcome=outcome, words={"note": why}))
            ledger.handovers.move(step(record, HandoverState.FINISHED, now, polls=record.polls + 1, reason=why))

        await self.tools.journal.run(write)

    async def _look_again(self, record: HandoverRecord) -> None:
        """Climb the poll ladder, never waiting longer than an hour; finish when everybody has ended."""
        now = self.tools.clock.now()
        at = now + gap(self.tools.accounts.poll(record.account), record.polls + 1)

        def write(ledger: Ledger) -> None:
            if _waiting(ledger, record):
                ledger.handovers.move(step(record, record.state, now, poll_at=at, polls=record.polls + 1))
            else:
                ledger.handovers.move(step(record, HandoverState.FINISHED, now, reason="everybody has ended"))

        await self.tools.journal.run(write)


def gap(ladder: tuple[timedelta, ...], polls: int) -> timedelta:
    """Give the wait after so many looks: as between the rungs of the ladder, its last one repeated, at most an hour."""
    at = min(polls, len(ladder) - 1)
    between = ladder[at] - ladder[at - 1] if at else ladder[0]
    return min(max(between, ladder[0]), max(LONGEST_GAP, ladder[0]))


def _is_another(ledger: Ledger, account: str, one: Handed, row: NativeRow) -> bool:
    """Whether a row is a call of another attempt to the same number: some providers list calls, not people."""
    other = ledger.find(account, row.ended.provider_id, "") if row.ended and row.ended.provider_id else None
    return other is not None and other.attempt.id != one.attempt_id


def _waiting(ledger: Ledger, record: HandoverRecord) -> Mapping[str, Handed]:
    """Give whoever has no outcome yet, by number."""
    return {one.phone: one for one in ledger.handovers.people(record.id) if one.state in SETTLED_BY_PROOF}
