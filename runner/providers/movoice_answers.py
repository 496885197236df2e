"""Reads what Movoice says about calls, lists and webhooks into our vocabulary, in both pagings and envelopes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from runner.errors import InDoubt
from runner.model.json import JsonObject
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding, Request, Sent
from runner.providers.declared_signatures import any_match, decoded
from runner.providers.lookups import Candidate, settle_on
from runner.providers.reading import (
    count_of,
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
from runner.providers.requests import with_query

Paging = Literal["offset", "page"]
"""how lists are paged: `limit` and `offset` at the documented host, `page` and `per_page` at the other"""

PAGE_SIZES: Mapping[Paging, int] = {"offset": 100, "page": 20}
"""the documented maximum; of the other paging only the default is known"""

REASONS: Mapping[str, Outcome] = {
    "no_answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "invalid_number": Outcome.INVALID_NUMBER,
    "agent_error": Outcome.FAILED,
    "network_error": Outcome.FAILED,
}
"""the documented reasons of `call.failed`; a reason that is not here is a failure too"""

_LIVE_EVENTS = frozenset({"call.started", "action.triggered", "transfer.initiated"})
_LISTS = ("calls", "data", "items")


def read_call(call: JsonObject, *, provider_id: str = "") -> Observation:
    """Read a call; only `completed` and `failed` end it. Raise InDoubt for one without a status."""
    status = text_of(call.get("status"), 100).lower()
    if not status:
        raise InDoubt("movoice answered a call without a status")
    outcome = {"completed": Outcome.ANSWERED, "failed": _failure(call)}.get(status)
    return _observation(call, outcome, provider_id=provider_id)


def read_event(event: JsonObject) -> Observation:
    """Read one of the five event types; actions and transfers say only that the call is live.

    Raises WebhookRefused for another type, or one that names no call.
    """
    kind = text_of(event.get("event_type"), 100)
    if not first_id(event, "call_id"):
        raise meaningless("movoice", "names no call")
    if kind == "call.completed":
        return _observation(event, Outcome.ANSWERED)
    if kind == "call.failed":
        return _observation(event, _failure(event))
    if kind in _LIVE_EVENTS:
        return _observation(event, None)
    raise meaningless("movoice", f"has the event type `{kind}`, which is not documented")


def is_signed(signature: str, body: bytes, secret: str) -> bool:
    """Whether a signature is the HMAC-SHA256 of the raw body, in hex or base64, with or without `sha256=` before it.

    Movoice names the header and not the scheme, so every usual way of writing this one counts.
    ``secret`` is one secret, or several with blanks between; without any nothing is proved.
    """
    told = signature.strip().removeprefix("sha256=")
    return any_match([decoded(told, "hex"), decoded(told, "base64")], [one.encode() for one in secret.split()], body)


def unwrapped(document: JsonObject) -> JsonObject:
    """Take off the envelope `data` that some answers have."""
    return object_of(document["data"]) if isinstance(document.get("data"), Mapping) else document


def list_request(paging: Paging, query: Mapping[str, str | int], page: int) -> Request:
    """Build a page of `GET /calls`, pages from 0."""
    size = PAGE_SIZES[paging]
    paged: dict[str, str | int] = {"limit": size, "offset": page * size}
    if paging == "page":
        paged = {"page": page + 1, "per_page": size}
    return Request(method="GET", path=with_query("/calls", {**query, **paged}))


def listed(document: JsonObject) -> tuple[JsonObject, tuple[JsonObject, ...]]:
    """Give the part of an answer that tells the paging, and its calls; raise InDoubt when there is no list."""
    inner = unwrapped(document)
    found = next((inner[name] for name in _LISTS if isinstance(inner.get(name), list)), None)
    if found is None:
        raise InDoubt("movoice answered a list without calls")
    paging = {**object_of(document.get("meta")), **object_of(document.get("pagination"))}
    return {**document, **inner, **paging}, objects_of(found)


def has_more(document: JsonObject, length: int, paging: Paging = "offset") -> bool:
    """Whether another page is to be asked for, by the total where it is told, else because this page is full."""
    total, offset = count_of(document.get("total")), count_of(document.get("offset"))
    page, size = count_of(document.get("page")), count_of(document.get("per_page"))
    if offset is None and page is not None and size is not None:
        offset = (max(page, 1) - 1) * size
    if total is not None and offset is not None:
        return length > 0 and offset + length < total
    return length >= PAGE_SIZES[paging]


def find(sent: Sent, document: JsonObject, paging: Paging) -> Finding:
    """Find the only call to the number; raise InDoubt when the list hides numbers or holds two such calls."""
    page, calls = listed(document)
    if any(not text_of(call.get("recipient_phone")) for call in calls):
        raise InDoubt("movoice lists calls without their numbers")
    candidates = [
        Candidate(provider_id=first_id(call, "call_id", "id"), created_at=instant_of(call.get("created_at")))
        for call in calls
        if call.get("recipient_phone") == sent.phone
    ]
    return settle_on(sent, candidates, more=has_more(page, len(calls), paging))


def _failure(event: JsonObject) -> Outcome:
    return REASONS.get(text_of(event.get("reason")).lower(), Outcome.FAILED)


def _observation(call: JsonObject, outcome: Outcome | None, *, provider_id: str = "") -> Observation:
    ended = outcome is not None
    return Observation(
        provider_id=provider_id or first_id(call, "call_id", "id"),
        outcome=outcome,
        tag=text_of(call.get("outcome"), 100) if ended else "",
        summary=text_of(call.get("summary")),
        sentiment=text_of(call.get("sentiment"), 100),
        duration_seconds=number_of(call.get("duration")),
        recording_url=link_of(call.get("recording_url")),
        transcript=transcript_of(call.get("transcript")),
        transcript_url=link_of(call.get("transcript_url")),
        ended_at=instant_of(call.get("timestamp")) if ended else None,
        words=words_of(call, "event_type", "status", "reason", "outcome", "action_name"),
        structured=fields_of(call.get("parameters")) | fields_of(call.get("structured_output")),
        hangup_cause=text_of(call.get("hangup_cause"), 100) or text_of(call.get("end_reason"), 100),
        phone=text_of(call.get("recipient_phone"), 100),
    )
