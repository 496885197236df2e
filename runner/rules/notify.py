"""What a notification says, how it is signed and when it is tried again: pure rules.

Signatures are those of Standard Webhooks 1.0.0 (`v1`, HMAC-SHA256 over id, timestamp and body).
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from runner.errors import NotifyFailed
from runner.model.json import Json
from runner.model.notification import EVENTS, OUTCOMES, AboutAttempt, Kind, Message, Notification, Settled
from runner.model.rounds import family_of, is_round
from runner.rules.pseudonyms import HIDDEN, UNKEYED, masked, without_key

LADDER: Final = tuple(timedelta(seconds=one) for one in (5, 30, 120, 900, 3_600, 21_600, 86_400))
"""how long after each failed try the next one comes; after the last there is none"""
LONGEST_PAUSE: Final = timedelta(minutes=1)
"""for no longer is a target left alone after a fault, so that one that is back is soon noticed"""
MOST_ASKED: Final = timedelta(hours=1)
"""a receiver that asks to wait longer is asked again after this"""
_PREFIX: Final = "whsec_"
_SHORTEST_SECRET, _LONGEST_SECRET = 24, 64
_ALIKE: Final = 0.6
_STAYS: Final = (
    r"(?<![0-9a-z])[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![0-9a-z])"
    r"|(?<![0-9a-z])a[0-9a-f]{15}(?![0-9a-z])"
    r"|(?<!\d)20\d\d-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::[0-5]\d)?)?(?!\d)"
)
"""ids that are UUIDs, what logs call an attempt, and instants"""
_NUMBER: Final = re.compile(rf"({_STAYS})|\+?\d(?:[ \u00a0()./-]*\d){{6,}}", re.IGNORECASE)
"""what may be a phone number in a sentence that a provider wrote, whatever stands around it; in a group what is none"""


def event_problem(word: str) -> tuple[str, str] | None:
    """Say what is wrong with what a hook waits for, and what to write; None when nothing is."""
    if word in EVENTS or word in OUTCOMES or (word.startswith("tag ") and word[4:]):
        return None
    if word.isupper():
        return f"`{word}` is nothing that happens", f"write: tag {word}"
    near = difflib.get_close_matches(word.lower(), [*EVENTS, *OUTCOMES], n=1, cutoff=_ALIKE)
    advice = f"did you mean `{near[0]}`?" if near else f"an outcome, or one of: {', '.join(EVENTS)}, tag BOOKED"
    return f"`{word}` is nothing that happens", advice


def message_of(this: Notification, *, personal: bool) -> Message:
    """Give what a target is sent; without `personal`, nothing tells who was contacted."""
    data: dict[str, Json] = {}
    if this.campaign:
        data["campaign"] = family_of(this.campaign)
    if is_round(this.campaign):
        data["round"] = this.campaign
    if this.attempt is not None:
        data |= _attempt(this.attempt, personal=personal)
    reason = _said(this.reason, this.attempt, personal=personal)
    data |= {name: text for name, text in (("reason", reason), ("cause", this.cause)) if text}
    if this.row_stats:
        data["row_stats"] = dict(this.row_stats)
    body: dict[str, Json] = {"type": this.kind.value, "timestamp": this.at.isoformat(), "data": data}
    return Message(id=this.message_id, body=body, text=_text(this, personal=personal))


def message_id(ledger: str, campaign: str, kind: str, subject: str, at: int) -> str:
    """Give the id of what happened: the same whenever it is asked for, another in any other ledger."""
    text = "\x1f".join((ledger, campaign, kind, subject, str(at)))
    return f"msg_{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def secret_bytes(secret: str) -> bytes:
    """Read a secret as Standard Webhooks writes it; raise ValueError with a sentence that does not quote it."""
    try:
        raw = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the secret is not whsec_ and base64") from None
    if not _SHORTEST_SECRET <= len(raw) <= _LONGEST_SECRET:
        message = f"the secret holds {len(raw)} bytes, and {_SHORTEST_SECRET} to {_LONGEST_SECRET} are asked for"
        raise ValueError(message)
    return raw


def signed_headers(id: str, at: datetime, body: bytes, secrets: Iterable[bytes]) -> dict[str, str]:
    """Give the headers of Standard Webhooks; each secret signs, so that any one of them proves the body."""
    stamp = str(int(at.timestamp()))
    content = b".".join((id.encode(), stamp.encode(), body))
    signatures = (base64.b64encode(hmac.new(one, content, hashlib.sha256).digest()).decode() for one in secrets)
    return {
        "webhook-id": id, "webhook-timestamp": stamp, "webhook-signature": " ".join(f"v1,{one}" for one in signatures),
    }  # fmt: skip


def after_failure(this: Notification, failure: NotifyFailed, now: datetime) -> Settled:
    """Say what becomes of a notification after a failed try."""
    if failure.is_final or this.tries >= len(LADDER):
        return Settled(id=this.id, at=now, is_dead=True, says=failure.message)
    wait = max(LADDER[this.tries], _asked(failure))
    return Settled(id=this.id, at=now, again_at=now + wait, says=failure.message)


def pause_after(failures: int, failure: NotifyFailed) -> timedelta:
    """Give how long a whole target is left alone after so many failures in a row, the first being 1."""
    return max(_asked(failure), min(LONGEST_PAUSE, timedelta(seconds=2 ** min(failures - 1, 10))))


def _asked(failure: NotifyFailed) -> timedelta:
    return min(timedelta(seconds=failure.retry_after or 0), MOST_ASKED)


def _attempt(this: AboutAttempt, *, personal: bool) -> dict[str, Json]:
    said: dict[str, Json] = {
        "attempt": this.log_id or None,
        "phone": _phone(this, personal=personal),
        "step": this.step,
        "number": this.number,
        "channel": this.channel,
        "provider": this.provider,
        "account": this.account,
        "sent_at": this.sent_at.isoformat() if this.sent_at else None,
        "ended_at": this.ended_at.isoformat() if this.ended_at else None,
    }
    tag = _said(this.tag, this, personal=personal)
    said |= {name: text for name, text in (("outcome", this.outcome), ("tag", tag)) if text}
    if personal:
        said |= {"contact": this.contact_key, "key": this.key}
        said |= {"summary": this.summary} if this.summary else {}
    reason = _said(this.reason, this, personal=personal)
    return said | ({"reason": reason} if reason else {})


def _phone(this: AboutAttempt, *, personal: bool) -> str:
    if personal or not this.phone:
        return this.phone
    return this.masked_phone or masked(this.phone)


def _text(this: Notification, *, personal: bool) -> str:
    """Say it in one line for people."""
    attempt = this.attempt
    if attempt is not None:
        who = _phone(attempt, personal=personal)
        tag = f" ({_said(attempt.tag, attempt, personal=personal)})" if attempt.tag else ""
        how = (
            f"waits for a person: {_said(attempt.reason, attempt, personal=personal)}"
            if this.kind is Kind.ATTEMPT_HELD
            else f"{attempt.outcome}{tag}"
        )
        return f"{this.campaign}: {attempt.step} {attempt.number} to {who}: {how}"
    if this.kind is Kind.CAMPAIGN_FINISHED:
        return f"{this.campaign} has finished: {_counts(this.row_stats)}"
    if this.kind is Kind.CAMPAIGN_PAUSED:
        return f"{this.campaign} is paused: {_said(this.reason, None, personal=personal)}"
    return "this is a test of outreach, and nothing happened"


def _counts(stats: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {state}" for state, count in stats.items() if count) or "nobody was in it"


def _said(words: str, of: AboutAttempt | None, *, personal: bool) -> str:
    """Give what a provider said: for others than those who are told who it was, without numbers and keys."""
    if personal:
        return words
    said = without_key(words, of.key, of.log_id or HIDDEN) if of is not None else words
    return _NUMBER.sub(lambda found: found[1] or HIDDEN, UNKEYED.without_keys(said))
