"""Hear webhooks about calls of a provider's own campaign: they name no attempt of ours, but a person and a campaign.

Such a call is one of perhaps several tries that the provider makes, so its end is the person's only
where there is one try. Else the campaign's rows say how the person ended, and are asked for soon.
What the webhook knows besides, words and recording, waits for the person's end and is added then.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runner.engine.endings import SETTLED_BY_PROOF, suppress_for
from runner.engine.native_release import terms_of
from runner.engine.reconciliation import Reconciliation
from runner.engine.settlement import opted_out
from runner.model.attempt import Assignment
from runner.model.handed_over import HandedPerson, HandoverRecord, RowSeen
from runner.model.move import ContactState
from runner.model.outcome import Observation
from runner.model.retry import Retry
from runner.ports import Ledger

LOOK_WITHIN = timedelta(seconds=5)
"""how soon a campaign is looked at after a webhook spoke of it"""
PEOPLE_A_SECOND = 100
"""a campaign of many people is looked at later: its rows come page by page, and each call sends a webhook"""
ASKING = "asking the provider's campaign"
SETTLED, OPTED_OUT, LIVE = "settled", "opted out", "still live"


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What a webhook says of one call that is no attempt's."""

    account: str
    digest: str
    """tells the webhook from every other one"""
    seen: Observation
    at: datetime
    verified: bool

    @property
    def has_ended(self) -> bool:
        """Whether the call is over, however it ended."""
        return self.seen.is_final or self.seen.ended_at is not None


def hear(tools: Reconciliation, ledger: Ledger, word: Word) -> str:
    """Hear about a call that is no attempt's, inside the transaction that is open; empty when it is of nobody handed over.

    A proven word is believed as far as it goes: a call that began, a person who wants no more calls,
    the end of the only try. An unproven one only has the campaign looked at, and only so often; an
    opt-out holds all the same.
    """
    seen = word.seen
    person = ledger.handovers.person(word.account, seen.native_id, seen.phone) if seen.phone else None
    if person is None:
        if word.verified and not seen.phone:
            _hurry_all(ledger, word)
        return ""
    work, record = ledger.assignments([person.attempt_id])[0], ledger.handovers.record(person.handover_id)
    if opted_out(seen):
        source = "" if word.verified else f"unproven webhook to account {word.account}"
        suppress_for(ledger, work, word.at, source=source)
    if work.attempt.state not in SETTLED_BY_PROOF:
        return OPTED_OUT if opted_out(seen) else ""
    if not word.verified:
        return _hint(ledger, word, work, record)
    return _believe(tools, ledger, word, person)


def _believe(tools: Reconciliation, ledger: Ledger, word: Word, person: HandedPerson) -> str:
    work, record = ledger.assignments([person.attempt_id])[0], ledger.handovers.record(person.handover_id)
    if word.seen.native_id:
        ledger.handovers.heard_of(record.id, word.seen.native_id, word.at)
    _count_dial(ledger, word, person)
    if not word.has_ended:
        return LIVE
    if _ends_the_person(tools, record, work, word.seen):
        tools.settle_in(ledger, work.attempt.id, replace(word.seen, calls=1))
        return SETTLED
    ledger.letters.quarantine(word.account, word.digest, [(word.seen.provider_id, work.attempt.key)])
    _hurry(ledger, record, word.at)
    return ASKING


def _hint(ledger: Ledger, word: Word, work: Assignment, record: HandoverRecord) -> str:
    if opted_out(word.seen):
        return OPTED_OUT
    if not word.has_ended:
        return LIVE
    if ledger.handovers.hint(work.attempt.id):
        _hurry(ledger, record, word.at)
    return ASKING


def _ends_the_person(tools: Reconciliation, record: HandoverRecord, work: Assignment, seen: Observation) -> bool:
    """Whether a call that has ended was the only one that the provider makes to this person, in this very campaign."""
    if not seen.is_final or not seen.native_id or seen.native_id != record.native_id:
        return False
    attempt = work.attempt
    try:
        terms = terms_of(tools, attempt.campaign, attempt.step, attempt.account, record.agent_id)
    except KeyError:  # the step is no longer in the campaign
        return False
    retry = terms.step.retry or Retry()
    return not terms.own_rules and (retry.attempts == 1 or not retry.on)


def _count_dial(ledger: Ledger, word: Word, person: HandedPerson) -> None:
    """Write down that the person was dialled at least once; how often, the campaign's rows tell."""
    contact = None if word.has_ended else ContactState.CALLING
    row = RowSeen(attempt_id=person.attempt_id, calls=max(person.calls, 1), contact=contact)
    ledger.handovers.see(person.handover_id, [row], word.at)


def _hurry(ledger: Ledger, record: HandoverRecord, now: datetime) -> None:
    ledger.handovers.hurry(record.id, now + LOOK_WITHIN + timedelta(seconds=record.people // PEOPLE_A_SECOND))


def _hurry_all(ledger: Ledger, word: Word) -> None:
    """Have the account's campaigns looked at: a proven webhook tells of a call that may be of any of them."""
    for record in ledger.handovers.unfinished():
        if record.account == word.account:
            _hurry(ledger, record, word.at)
