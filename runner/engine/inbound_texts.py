"""Take in texts that people send back: an opt-out holds at once and everywhere, any other one is a reply."""

from __future__ import annotations

import re
from datetime import datetime

from runner.engine.endings import end, suppress_for
from runner.engine.policies import Policies
from runner.engine.settlement import ASKED_TO_STOP
from runner.errors import OutreachError
from runner.model.attempt import Assignment, AttemptState
from runner.model.outcome import InboundText, Observation, Outcome
from runner.ports import Ledger
from runner.rules.numbers import read_number
from runner.rules.stop_words import is_opt_out, languages_of

_E164 = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)


def take_text(
    ledger: Ledger, policies: Policies, account: str, text: InboundText, now: datetime, *, verified: bool
) -> str:
    """Take in one text; give what it led to, inside the transaction that is open.

    The reply is stored with the newest text to that person through this account, or with their
    newest attempt. It ends a text that is still live as `replied`; one that has ended keeps its
    outcome. An opt-out suppresses the person. Without a proof an opt-out holds all the same for a
    person whom we contacted, since it places nothing and missing one cannot be made good; anything
    else unproven changes nothing.
    """
    if not _E164.fullmatch(text.from_number):
        return "not from a person's number"
    stops = is_opt_out(text.body, _languages(ledger, text.from_number))
    work = ledger.letters.newest_sent(account, text.from_number)
    if not verified and (not stops or work is None):
        return "unproven text"
    attempt_id = work.attempt.id if work is not None else None
    if not ledger.letters.reply(account, text, now, attempt_id=attempt_id, stops=stops, verified=verified):
        return "seen before"
    if stops:
        if verified and work is not None and _is_live_text(work):
            end(ledger, policies, work.attempt.id, _seen(Outcome.OPTED_OUT, text.at), now)
        source = f"text to account {account}" if verified else f"unproven text to account {account}"
        if work is not None:
            suppress_for(ledger, work, now, reason=ASKED_TO_STOP, source=source)
        else:
            ledger.suppress(text.from_number, ASKED_TO_STOP, source, now)
        return "opted out"
    return _reply(ledger, policies, work, now)


def _reply(ledger: Ledger, policies: Policies, work: Assignment | None, now: datetime) -> str:
    if work is None:
        return "reply from a stranger"
    if _is_live_text(work) and end(ledger, policies, work.attempt.id, _seen(Outcome.REPLIED, None), now):
        return "replied"
    return "reply stored"


def _is_live_text(work: Assignment) -> bool:
    """Whether a reply can end it; one in doubt proves nothing, the person may answer an older text."""
    return work.attempt.channel == "text" and work.attempt.state is AttemptState.ACCEPTED


def _seen(outcome: Outcome, at: datetime | None) -> Observation:
    return Observation(outcome=outcome, ended_at=at, words={"event": "inbound text"})


def _languages(ledger: Ledger, phone: str) -> frozenset[str]:
    """Give the languages to hear: of the country, and of the campaigns that hold the person."""
    try:
        region = read_number(phone, None).region
    except OutreachError:
        region = ""
    return languages_of(region, *ledger.letters.locales(phone))
