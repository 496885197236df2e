"""Find out about handovers in doubt: they are looked for by their unique name, never created a second time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta

from runner.engine.native_sending import Sending, back_in_line, doubt, hold, step
from runner.engine.reconciliation import EMPTY_LOOKUPS, Reconciliation
from runner.errors import NotSent, OutreachError
from runner.model.handed_over import HandoverRecord, HandoverState
from runner.model.request import Finding
from runner.ports import Ledger, NativeCampaigns
from runner.ports.telemetry import named, told_without_key, without_own_key

log = logging.getLogger(__name__)

_MOST_PAGES = 200
_LOOK_AGAIN = timedelta(seconds=1)
_NO_SUCH_CAMPAIGN = frozenset({400, 404, 410, 422})
"""how a provider answers who asks for a campaign by an id that it never gave"""


@dataclass(frozen=True, slots=True)
class Doubts:
    """What looking for handovers needs."""

    tools: Reconciliation
    sending: Sending

    def recover(self, ledger: Ledger) -> int:
        """Put right what a crash left behind, inside the transaction that is open; give how many people are in doubt.

        A handover that was being sent may have been created. One that was created goes on by itself.
        """
        people = 0
        for record in ledger.handovers.unfinished():
            if record.state is HandoverState.SENDING:
                doubt(self.tools, ledger, record, "the runner stopped while it was being sent")
                people += record.people
        return people

    async def look_up(self, record: HandoverRecord) -> None:
        """Look for a handover in doubt; only repeated complete, empty answers prove that it never arrived.

        One of which a person said what it became is asked for by that id.
        """
        if record.native_id:
            await self._confirm(record)
            return
        try:
            native = self.tools.accounts.native(record.account)
            finding = await self._find(record, native)
        except OutreachError as error:
            told_without_key(error, record)
            log.info("handover %d: still in doubt: %s", record.id, error.message, extra=named("still_in_doubt", record))
            await self._look_again(record, record.polls)
            return
        if finding is None:
            await self._hold(record, "may have been created, and this provider cannot be asked")
        elif finding.found:
            # Who else was in the request that creates is not known, so everybody is added, which may be repeated.
            is_whole = record.people <= native.most_people
            created = await self.sending.created(record, finding.provider_id, record.people if is_whole else 0)
            await self.sending.go_on(created)
        elif record.polls + 1 < EMPTY_LOOKUPS:
            await self._look_again(record, record.polls + 1)
        else:
            await self._absent(record)

    async def _confirm(self, record: HandoverRecord) -> None:
        """Ask for the campaign that a person named, and go on with it; held again when the provider knows none."""
        try:
            native = self.tools.accounts.native(record.account)
            request = native.status_request(record.native_id)
            reply = await self.tools.transport.send(self.tools.accounts.account(record.account), request)
            if reply.status in _NO_SUCH_CAMPAIGN:
                named_so = without_own_key(record.native_id, record)
                await self._hold(record, f"{record.account} knows no campaign `{named_so}`", unnamed=True)
                return
            native.read_status(reply)
        except OutreachError as error:
            await self.sending.later(record, error.message)
            return
        is_whole = record.people <= native.most_people
        native_id = native.known_as(record.native_id, record.sent_at)
        await self.sending.go_on(await self.sending.created(record, native_id, record.people if is_whole else 0))

    async def _find(self, record: HandoverRecord, native: NativeCampaigns) -> Finding | None:
        """Page through the provider's campaigns to their end; None when it cannot be told from its namesakes."""
        if not record.can_be_found:
            return None
        account = self.tools.accounts.account(record.account)
        for page in range(_MOST_PAGES):
            request = native.find_request(record.name, page)
            if request is None:
                return None
            finding = native.read_find(record.name, await self.tools.transport.send(account, request))
            if finding.found or not finding.more:
                return finding
        raise OutreachError(f"the list has more than {_MOST_PAGES} pages")

    async def _look_again(self, record: HandoverRecord, empty: int) -> None:
        """Look once more, `empty` complete look-ups having found nothing; in the end a person must.

        A look-up that failed proves nothing, so it is not counted.
        """
        now = self.tools.clock.now()
        if now >= record.sent_at + self.tools.accounts.poll(record.account)[-1] and empty == record.polls:
            await self._hold(record, "may have been created, and nothing proves it either way")
            return
        wait = max(self.tools.accounts.settle_after(record.account), _LOOK_AGAIN)
        again = step(record, record.state, now, poll_at=now + wait, polls=empty)
        await self.tools.journal.run(lambda ledger: ledger.handovers.move(again))

    async def _absent(self, record: HandoverRecord) -> None:
        """Put people back in line for another handover, with a key of its own: this one proved never to have arrived."""
        now, why = self.tools.clock.now(), "proved absent: it never arrived"

        def write(ledger: Ledger) -> None:
            ledger.handovers.move(step(record, HandoverState.ABSENT, now, polls=EMPTY_LOOKUPS, reason=why))
            back_in_line(self.tools, ledger, record, now, NotSent(why))

        await self.tools.journal.run(write)

    async def _hold(self, record: HandoverRecord, why: str, *, unnamed: bool = False) -> None:
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            hold(ledger, record, now, why)
            if unnamed:
                ledger.handovers.unnamed(record.id)

        await self.tools.journal.run(write)
