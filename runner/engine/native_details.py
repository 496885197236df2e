"""Complete a page of people: where a provider's list only says that a call has ended, its own record says how."""

from __future__ import annotations

import logging
from dataclasses import replace

from runner.engine.endings import SETTLED_BY_PROOF
from runner.engine.reconciliation import Reconciliation
from runner.errors import OutreachError
from runner.model.handed_over import HandoverRecord
from runner.model.handover import NativePage, NativeRow
from runner.model.outcome import Observation
from runner.model.request import Sent
from runner.ports.telemetry import named, told_without_key, without_own_key

log = logging.getLogger(__name__)

_NO_RECORD = frozenset({404, 405, 410})


async def completed(tools: Reconciliation, record: HandoverRecord, page: NativePage) -> NativePage:
    """Ask for the call of each brief row whose person has no outcome here yet, once for each person.

    A row of which the provider says nothing now counts as still calling, so that the next look asks
    again; where the provider has no such record, the list's word is all that there is.
    """
    if not any(row.is_brief for row in page.rows):
        return page
    people = await tools.journal.run(lambda ledger: ledger.handovers.people(record.id))
    waiting = {one.phone for one in people if one.state in SETTLED_BY_PROOF}
    rows = [
        await _asked(tools, record, row, row.ended) if row.is_brief and row.ended and row.phone in waiting else row
        for row in page.rows
    ]
    return replace(page, rows=tuple(rows))


async def _asked(tools: Reconciliation, record: HandoverRecord, row: NativeRow, ended: Observation) -> NativeRow:
    provider, account = tools.accounts.provider(record.account), tools.accounts.account(record.account)
    sent = Sent(
        key=record.key, channel="call", phone=row.phone, agent_id=record.agent_id, campaign=record.campaign,
        sent_at=tools.clock.now(), provider_id=ended.provider_id,
    )  # fmt: skip
    request = provider.poll_request(sent)
    if request is None:
        return row
    try:
        reply = await tools.transport.send(account, request)
        if reply.status in _NO_RECORD:
            return row
        seen = provider.read_poll(sent, reply)
    except OutreachError as error:
        extra = named("no_answer", record, provider_id=ended.provider_id)
        call, said = without_own_key(ended.provider_id, record), told_without_key(error, record).message
        log.info("handover %d: no answer about call %s: %s", record.id, call, said, extra=extra)
        return replace(row, ended=None, is_calling=True)
    return replace(row, ended=seen) if seen.is_final else replace(row, ended=None, is_calling=True)
