"""Reads what RevRing says about calls, texts and webhooks into our vocabulary, and its signature."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from runner.errors import InDoubt
from runner.model.json import JsonObject
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding, Sent
from runner.providers.declared_signatures import any_match, decoded
from runner.providers.lookups import Candidate, opens_at, settle_on
from runner.providers.reading import (
    child,
    fields_of,
    first_id,
    instant_of,
    link_of,
    number_of,
    object_of,
    objects_of,
    text_of,
    transcript_of,
    words_of,
)
from runner.providers.replies import meaningless
from runner.providers.requests import REFERENCE

ERRORS: Mapping[str, Outcome] = {
    "no answer: the callee did not pick up": Outcome.NO_ANSWER,
    "call rejected by the callee (busy or declined)": Outcome.BUSY,
    "carrier rejected the call": Outcome.FAILED,
    "no response from the carrier": Outcome.FAILED,
    "the line disconnected before the call was answered": Outcome.FAILED,
    "concurrency_limit": Outcome.FAILED,
    "billing_inactive": Outcome.FAILED,
    "agent_unavailable": Outcome.FAILED,
    "flow_not_configured": Outcome.FAILED,
    "flow_invalid": Outcome.FAILED,
    "trunk_not_configured": Outcome.FAILED,
    "the call could not be completed": Outcome.FAILED,
}
"""why a call FAILED, in RevRing's literals; busy and declined share one"""

SET_UP_FAULTS = frozenset({"billing_inactive", "flow_not_configured", "flow_invalid", "trunk_not_configured"})
"""errors that every other call of the agent or account ends with, too, until somebody mends its set-up"""

UNDIALLED = SET_UP_FAULTS | {"concurrency_limit"}
"""errors before anybody was dialled: a fault of the set-up, or no line in the hours that a call may wait for one"""

SIP_CODES: Mapping[int, Outcome] = {
    404: Outcome.INVALID_NUMBER,
    410: Outcome.INVALID_NUMBER,
    484: Outcome.INVALID_NUMBER,
    604: Outcome.INVALID_NUMBER,
    408: Outcome.NO_ANSWER,
    487: Outcome.NO_ANSWER,
    486: Outcome.BUSY,
    600: Outcome.BUSY,
    603: Outcome.DECLINED,
    607: Outcome.DECLINED,
}
"""what a refusal with a SIP code means (RFC 3261 section 21, RFC 8197); other codes are failures"""

MESSAGE_STATUSES: Mapping[str, Outcome] = {
    "delivered": Outcome.DELIVERED,
    "read": Outcome.DELIVERED,
    "failed": Outcome.FAILED,
    "undelivered": Outcome.FAILED,
    "canceled": Outcome.CANCELLED,
}
"""how a text ended, in the carrier's words; others are live, `sent` too, since `undelivered` may follow it"""

TAGS = ("outcome", "tag", "disposition")
"""the fields of an extraction that hold the agent's tag, the first that is a text"""

TOLERANCE_SECONDS = 300

_SIP = re.compile(r"call rejected \(SIP (\d{3})\b.*\)", re.DOTALL)
_SILENT_EVENTS = frozenset(
    {"message_received", "pre_call", "transfer.started", "transfer.bridged", "transfer.cancelled"}
)
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_SIGNATURE = re.compile(r"v1=([0-9a-f]{64})", re.ASCII)


def read_call(call: JsonObject, *, provider_id: str = "") -> Observation:
    """Read the record of a call; queued, ringing and ongoing calls are live, as is a status we do not know."""
    status = text_of(call.get("status")).upper()
    error = text_of(call.get("errorMessage")).strip().lower() if status == "FAILED" else ""
    return Observation(
        provider_id=provider_id or first_id(call, "id"),
        reference=text_of(child(call, "metadata", REFERENCE), 100),
        outcome=_call_outcome(call),
        tag=_tag(call),
        summary=text_of(call.get("summary")),
        sentiment=text_of(call.get("sentiment"), 100),
        duration_seconds=number_of(call.get("durationSeconds")),
        recording_url=link_of(call.get("recordingUrl")),
        transcript=transcript_of(call.get("transcript")),
        ended_at=instant_of(call.get("endedAt")),
        words=words_of(call, "status", "hangupCause", "errorMessage", "doNotCallRequested"),
        structured=fields_of({"evaluation": call.get("evaluation"), **object_of(call.get("extraction"))}),
        hangup_cause=text_of(call.get("hangupCause"), 100),
        phone=text_of(call.get("toNumber"), 100),
        native_id=first_id(call, "campaignId"),
        is_queued=status == "QUEUED",
        is_undialled=error in UNDIALLED,
        set_up_fault=error if error in SET_UP_FAULTS else "",
        opt_out=call.get("doNotCallRequested") is True,
    )


def read_message(message: JsonObject, *, provider_id: str = "") -> Observation:
    """Read the record of a text; a status we do not know is live."""
    return Observation(
        provider_id=provider_id or first_id(message, "id"),
        outcome=MESSAGE_STATUSES.get(text_of(message.get("status")).lower()),
        words=words_of(message, "status", "errorMessage"),
    )


def find(sent: Sent, document: JsonObject) -> Finding:
    """Find a call or text to the number on one page of a list."""
    listing = document.get("data")
    if not isinstance(listing, list):
        raise InDoubt("revring answered a list without data")
    records = objects_of(listing)
    candidates = [
        Candidate(
            provider_id=first_id(record, "id"),
            reference=text_of(child(record, "metadata", REFERENCE), 100),
            created_at=instant_of(record.get("createdAt")),
        )
        for record in records
        if record.get("toNumber") == sent.phone and record.get("agentId", sent.agent_id) == sent.agent_id
    ]
    more = document.get("hasNextPage") is True
    return settle_on(sent, candidates, more=more and not (sent.channel == "text" and _past(sent, records)))


def read_event(event: JsonObject) -> tuple[Observation, ...]:
    """Read a webhook: the record of an ended call has no `event`; raise WebhookRefused for what names no call."""
    kind = text_of(event.get("event"), 100)
    if kind in _SILENT_EVENTS:
        return ()
    if kind == "call.started":
        call = object_of(event.get("call"))
        if first_id(call, "id"):
            return (
                Observation(
                    provider_id=first_id(call, "id"),
                    words={"event": kind},
                    phone=text_of(call.get("toNumber"), 100),
                    native_id=first_id(call, "campaignId"),
                ),
            )
    elif not kind and first_id(event, "id") and text_of(event.get("status")):
        return (read_call(event),)
    raise meaningless("revring", "names no call" if not kind else f"has the event `{kind}`, which makes no sense")


def is_signed(headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
    """Whether `v1` is the HMAC-SHA256 of ``{timestamp}.{body}`` by one of the secrets, at most 300 seconds off.

    ``secret`` is one secret, or two with a blank between while RevRing rotates them.
    """
    timestamp = headers.get("x-revring-timestamp", "")
    signature = _SIGNATURE.fullmatch(headers.get("x-revring-signature", ""))
    if signature is None or not _TIMESTAMP.fullmatch(timestamp):
        return False
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    message = timestamp.encode() + b"." + body
    return any_match([decoded(signature[1], "hex")], [one.encode() for one in secret.split()], message)


def _tag(call: JsonObject) -> str:
    extraction = object_of(call.get("extraction"))
    return next((text_of(value, 100) for name in TAGS if isinstance(value := extraction.get(name), str) and value), "")


def _call_outcome(call: JsonObject) -> Outcome | None:
    match text_of(call.get("status")).upper():
        case "COMPLETED" | "TRANSFERRED":
            return _person_outcome(call) or Outcome.ANSWERED
        case "FAILED":
            return _person_outcome(call) or _error_outcome(text_of(call.get("errorMessage")))
        case "CANCELED":
            return Outcome.CANCELLED
        case _:
            return None


def _person_outcome(call: JsonObject) -> Outcome | None:
    if call.get("doNotCallRequested") is True:
        return Outcome.OPTED_OUT
    return Outcome.VOICEMAIL if call.get("hangupCause") == "VOICEMAIL_DETECTED" else None


def _error_outcome(error: str) -> Outcome:
    sip = _SIP.fullmatch(error.strip())
    if sip is not None:
        return SIP_CODES.get(int(sip[1]), Outcome.FAILED)
    return ERRORS.get(error.strip().lower(), Outcome.FAILED)


def _past(sent: Sent, records: tuple[JsonObject, ...]) -> bool:
    """Whether a page that is sorted newest first reaches back beyond the request."""
    oldest = instant_of(records[-1].get("createdAt")) if records else None
    return oldest is not None and oldest < opens_at(sent)
