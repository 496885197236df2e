"""End attempts with what was observed, inside the transaction that is open: one way, whoever observed it."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime

from runner.engine.policies import Policies
from runner.engine.settlement import OPTED_OUT, opted_out, settle
from runner.model.attempt import Assignment, AttemptState
from runner.model.move import Move
from runner.model.outcome import Observation, Outcome
from runner.ports import Ledger
from runner.ports.telemetry import named, shown_attempt

log = logging.getLogger(__name__)

SETTLED_BY_PROOF = frozenset({AttemptState.SENDING, AttemptState.ACCEPTED, AttemptState.IN_DOUBT, AttemptState.HELD})
"""states that an observed outcome ends"""

_AFTER_ALL = "it was placed after all"
_WAITS_AGAIN = frozenset({AttemptState.PLANNED, AttemptState.CLAIMED})


def end(ledger: Ledger, policies: Policies, attempt_id: int, seen: Observation, now: datetime) -> bool:
    """End an attempt with a proven outcome; False when it had ended before, or has not ended yet.

    A person who asks not to be contacted is suppressed at once, also while the call is still live. A fault
    that every other call of the campaign would have, too, pauses it.
    """
    return end_read(ledger, policies, ledger.assignments([attempt_id])[0], seen, now)


def end_read(ledger: Ledger, policies: Policies, work: Assignment, seen: Observation, now: datetime) -> bool:
    """End an attempt that the open transaction has read and not changed since, as `end` does."""
    moved = False
    if work.attempt.state in SETTLED_BY_PROOF and seen.is_final:
        own = _with_own_id(ledger, work, seen)
        policy = policies.of(work.attempt.campaign)
        moved = ledger.move([settle(policy, work, own, ledger.history(work.attempt.contact_id), now)])[0]
    if moved:
        extra = named("ended", work.attempt, outcome=(seen.outcome or Outcome.UNKNOWN).value)
        log.info("attempt %s: ended, %s", shown_attempt(work.attempt.key), seen.outcome, extra=extra)
    if moved and seen.set_up_fault:
        reason = f"account {work.attempt.account}: calls fail because of `{seen.set_up_fault}`"
        ledger.pause(work.attempt.campaign, reason, now)
    if opted_out(seen) and (moved or work.attempt.state in SETTLED_BY_PROOF):
        suppress_for(ledger, work, now)
    return moved


def end_after_all(ledger: Ledger, policies: Policies, work: Assignment, seen: Observation, now: datetime) -> bool:
    """End an attempt that was put back in line, because its request was thought not to have arrived, and has.

    It must not be placed a second time; False when it never was sent.
    """
    return _take_up_again(ledger, work, now) and end(ledger, policies, work.attempt.id, seen, now)


def accept_after_all(ledger: Ledger, work: Assignment, seen: Observation, now: datetime, poll_at: datetime) -> bool:
    """Accept an attempt that was put back in line and of which a proven word says that it is live.

    It must not be placed a second time; False when it never was sent, or the word names no id.
    """
    if not seen.provider_id or not _take_up_again(ledger, work, now):
        return False
    accepted = Move(
        attempt_id=work.attempt.id, old=AttemptState.SENDING, new=AttemptState.ACCEPTED, at=now, poll_at=poll_at,
        reason=_AFTER_ALL, provider_id=_with_own_id(ledger, work, seen).provider_id,
    )  # fmt: skip
    return ledger.move([accepted])[0]


def _take_up_again(ledger: Ledger, work: Assignment, now: datetime) -> bool:
    """Call an attempt sent that waits in line although its request had left; False when it never was sent."""
    attempt = work.attempt
    was_tried = attempt.sent_at is not None or attempt.transport_tries > 0
    if attempt.state not in _WAITS_AGAIN or not was_tried:
        return False
    if attempt.state is AttemptState.PLANNED:
        claimed = Move(attempt_id=attempt.id, old=attempt.state, new=AttemptState.CLAIMED, at=now, reason=_AFTER_ALL)
        ledger.move([claimed])
    sending = Move(
        attempt_id=attempt.id, old=AttemptState.CLAIMED, new=AttemptState.SENDING, at=now, reason=_AFTER_ALL,
        sent_at=attempt.sent_at or now,
    )  # fmt: skip
    return ledger.move([sending])[0]


def take_late(ledger: Ledger, work: Assignment, seen: Observation, now: datetime) -> str:
    """Hear a proven word about an attempt that has ended: the outcome that came first stays.

    What it knows besides is added to the result. A contradiction becomes an event `conflict`. A
    person who asks to be left alone is, however late it comes.
    """
    attempt = work.attempt
    is_news = opted_out(seen) and not work.suppression
    if is_news:
        suppress_for(ledger, work, now)
    if seen.outcome is not None:
        kept = ledger.letters.outcome(attempt.id) or attempt.state.value
        # An opt-out contradicts no outcome: a person may answer, and then ask to be left alone.
        if seen.outcome not in {kept, Outcome.OPTED_OUT}:
            ledger.letters.note_once(now, attempt.id, "conflict", kept=kept, said=seen.outcome.value)
            return "conflict"
        ledger.letters.fill(attempt.id, seen)
    return "opted out" if is_news else "already settled"


def suppress_for(ledger: Ledger, work: Assignment, now: datetime, *, reason: str = OPTED_OUT, source: str = "") -> None:
    """Suppress the person of an attempt, who asked for it; `source` says who told it when not the attempt's provider.

    In the attempt's own campaign they count as suppressed even when it had ended for them before.
    """
    ledger.suppress(work.attempt.phone, reason, source or f"attempt {work.attempt.key}", now)
    ledger.letters.leave_alone(work.attempt.contact_id)


def _with_own_id(ledger: Ledger, work: Assignment, seen: Observation) -> Observation:
    """Leave out an id that another attempt has: some ids name a thread, not a text."""
    if work.attempt.provider_id or not seen.provider_id:
        return seen
    other = ledger.find(work.attempt.account, seen.provider_id, "")
    return seen if other is None or other.attempt.id == work.attempt.id else replace(seen, provider_id="")
