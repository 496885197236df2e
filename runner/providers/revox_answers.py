"""Reads what Revox says about call orders, campaign rows and webhooks into our vocabulary."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from runner.errors import InDoubt
from runner.model.json import Json, JsonObject
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding, Sent
from runner.providers.lookups import PAGE_SIZE, Candidate, settle_on
from runner.providers.native_terms import planted_key
from runner.providers.reading import (
    child,
    count_of,
    fields_of,
    first_id,
    instant_of,
    link_of,
    object_of,
    objects_of,
    text_of,
    transcript_of,
    words_of,
)
from runner.providers.replies import meaningless
from runner.providers.requests import REFERENCE

RESULTS: Mapping[str, Outcome] = {
    "human": Outcome.ANSWERED,
    "voicemail": Outcome.VOICEMAIL,
    "ivr": Outcome.VOICEMAIL,
    "ios-screening-filter": Outcome.SCREENED,
    "unknown": Outcome.UNKNOWN,
}
"""who answered; a phone menu is a machine"""

DIAL_ERRORS: Mapping[str, Outcome] = {
    "number_non_attributed": Outcome.INVALID_NUMBER,
    "too_many_calls": Outcome.FAILED,
    "busy": Outcome.BUSY,
    "temporarily_unavailable": Outcome.FAILED,
    "no_answer": Outcome.NO_ANSWER,
    "no_international_permission": Outcome.FAILED,
    "precondition_failed": Outcome.FAILED,
    "non_classified_error": Outcome.FAILED,
}
"""why nobody answered"""

END_REASONS: Mapping[str, Outcome] = {
    "user_rejected": Outcome.DECLINED,
    "user_unavailable": Outcome.NO_ANSWER,
    "voicemail": Outcome.VOICEMAIL,
    "ivr_no_navigate": Outcome.VOICEMAIL,
    "connection_timeout": Outcome.FAILED,
    "client_initiated": Outcome.UNKNOWN,
    "human_takeover": Outcome.ANSWERED,
    "max_duration": Outcome.ANSWERED,
    "participant_removed": Outcome.UNKNOWN,
    "tool_end_call": Outcome.ANSWERED,
    "transfer": Outcome.ANSWERED,
    "user_inactive": Outcome.ANSWERED,
    "speed_dial_abandoned": Outcome.UNKNOWN,
    "speed_dial_operator_missed": Outcome.UNKNOWN,
    "speed_dial_timeout": Outcome.UNKNOWN,
    "speed_dial_hangup": Outcome.UNKNOWN,
}
"""why it ended; asked only when neither result nor dial error says more"""


def read_order(call: JsonObject, *, provider_id: str = "") -> Observation:
    """Read a call order; it is live until its own status, or `is_completed` in older forms, says otherwise."""
    attempt = _last_attempt(call)
    return Observation(
        provider_id=provider_id or first_id(call, "id"),
        reference=_reference(call),
        outcome=_order_outcome(call, attempt),
        tag=text_of(call.get("outcome"), 100),
        summary=text_of(call.get("outcome_summary")),
        duration_seconds=_seconds(attempt),
        recording_url=link_of(attempt.get("recording_url")),
        transcript=transcript_of(attempt.get("transcript")) or transcript_of(attempt.get("post_call_transcript")),
        ended_at=instant_of(attempt.get("ended_at")),
        words=_words(call, attempt),
        structured=fields_of(attempt.get("structured_output")),
        hangup_cause=text_of(attempt.get("end_reason"), 100),
        calls=_dials(call),
        phone=text_of(call.get("to_phone_number"), 100),
        native_id=first_id(object_of(call.get("campaign")), "id"),
        opt_out=_asked_to_stop(call),
    )


def find_order(sent: Sent, document: JsonObject) -> Finding:
    """Find the order that carries the key in its metadata."""
    listing = document.get("calls")
    if not isinstance(listing, list):
        raise InDoubt("revox answered a search without calls")
    candidates = [
        Candidate(
            provider_id=first_id(call, "id"),
            reference=text_of(child(call, "metadata", REFERENCE), 100),
            created_at=instant_of(call.get("created_at")),
        )
        for call in objects_of(listing)
        if call.get("to_phone_number", sent.phone) == sent.phone
    ]
    # An empty page 0 of a server that counts from 1 proves nothing while the total says that there are orders.
    is_beside = not listing and bool(count_of(document.get("total_count")))
    return settle_on(sent, candidates, more=len(listing) >= PAGE_SIZE or is_beside)


def read_event(event: JsonObject) -> Observation:
    """Read a webhook, nested (`call`, `call_attempt`) or flat (`call_order_id`); raise WebhookRefused otherwise.

    Neither form says why nobody answered. Where only that would tell how the call ended, the
    outcome stays open, and the call itself is to be asked for. The flat form may tell one dial of
    an order that goes on, so only an answer by a person, or a cancelled order, ends it.
    """
    call = object_of(event.get("call"))
    if first_id(call, "id"):
        attempt = object_of(event.get("call_attempt"))
        seen = read_order({**call, "last_call_attempt": attempt} if attempt else call)
        return seen if _says_why({**_last_attempt(call), **attempt}) else replace(seen, outcome=_sure(seen.outcome))
    if not first_id(event, "call_order_id"):
        raise meaningless("revox", "names no call")
    outcome = _ended_outcome(text_of(event.get("status")).lower(), event)
    ended_at = instant_of(event.get("ended_at")) or instant_of(event.get("timestamp"))
    return Observation(
        provider_id=first_id(event, "call_order_id"),
        reference=_reference(event),
        outcome=outcome if outcome in {Outcome.ANSWERED, Outcome.CANCELLED} else None,
        summary=text_of(event.get("annotation")),
        duration_seconds=_seconds(event),
        recording_url=link_of(event.get("recording_url")),
        transcript=transcript_of(event.get("transcript")),
        ended_at=ended_at if outcome is not None else None,
        words=words_of(event, "status", "result", "dial_error", "end_reason"),
        structured=fields_of(event.get("structured_output")),
        hangup_cause=text_of(event.get("end_reason"), 100),
        calls=count_of(event.get("calls_count")),
    )


def _says_why(attempt: Mapping[str, Json]) -> bool:
    return "dial_error" in attempt or "end_reason" in attempt


def _sure(outcome: Outcome | None) -> Outcome | None:
    """Keep an outcome that stands without a reason; failing and not knowing may yet turn out to be another."""
    return None if outcome in {Outcome.FAILED, Outcome.UNKNOWN} else outcome


def _order_outcome(call: JsonObject, attempt: JsonObject) -> Outcome | None:
    status = text_of(call.get("status")).lower()
    if not status and call.get("is_completed") is True:
        status = "completed"
    outcome = _ended_outcome(status, attempt)
    return Outcome.OPTED_OUT if outcome is not None and _asked_to_stop(call) else outcome


def _asked_to_stop(call: JsonObject) -> bool:
    return text_of(call.get("outcome")).lower() == "do_not_contact"


def _dials(call: JsonObject) -> int | None:
    """Give how often the order was dialled; None when it does not say."""
    told = count_of(call.get("calls_count"))
    if told is not None:
        return told
    attempts = call.get("call_attempts")
    return len(attempts) if isinstance(attempts, list) else 1 if _is_attempt(call) else None


def _ended_outcome(status: str, attempt: JsonObject) -> Outcome | None:
    """Say how a dial ended whose order or attempt has this status; None while it is live or the word is unknown."""
    match status:
        case "completed":
            return _attempt_outcome(attempt, Outcome.UNKNOWN)
        case "errored" | "error":
            return _attempt_outcome(attempt, Outcome.FAILED)
        case "cancelled":
            return Outcome.CANCELLED
        case _:
            return None


def _attempt_outcome(attempt: JsonObject, otherwise: Outcome) -> Outcome:
    """Say how one dial ended: by who answered, else by why nobody did, else by why it ended."""
    for table, key in ((RESULTS, "result"), (DIAL_ERRORS, "dial_error"), (END_REASONS, "end_reason")):
        found = table.get(text_of(attempt.get(key)).lower())
        if found is not None and found is not Outcome.UNKNOWN:
            return found
    return Outcome.FAILED if text_of(attempt.get("status")).lower() == "error" else otherwise


def _last_attempt(call: JsonObject) -> JsonObject:
    """Give the newest attempt of an order; in older forms the call is the attempt itself."""
    if _is_attempt(call):
        return call
    newest = objects_of(call.get("call_attempts"))[:1]
    return object_of(call.get("last_call_attempt")) or (newest[0] if newest else {})


def _is_attempt(call: JsonObject) -> bool:
    return "result" in call and "call_attempts" not in call and "last_call_attempt" not in call


def _reference(call: JsonObject) -> str:
    planted = text_of(child(call, "metadata", REFERENCE), 100)
    return planted or planted_key(text_of(child(call, "campaign", "name")))


def _seconds(attempt: JsonObject) -> float | None:
    """Give how long people talked: from the answer, else from the start, to the end."""
    begun = instant_of(attempt.get("answered_at")) or instant_of(attempt.get("started_at"))
    ended = instant_of(attempt.get("ended_at"))
    return max(0.0, (ended - begun).total_seconds()) if begun and ended else None


def _words(call: JsonObject, attempt: JsonObject) -> dict[str, str]:
    return words_of(call, "status", "outcome") | words_of(attempt, "result", "dial_error", "end_reason")
