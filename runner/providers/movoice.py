"""Movoice: places calls at once or at an instant; found again by agent, number and time."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from runner.errors import InDoubt
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart, PositiveInt, wrong
from runner.model.json import Json, JsonObject
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities
from runner.providers.lookups import PAGE_SIZE, Candidate, closes_at, opens_at, settle_on
from runner.providers.reading import (
    child,
    count_of,
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
from runner.providers.replies import accepted_document, answered_document, meaningless, no_id, webhook_document
from runner.providers.requests import chosen_options, id_problem, no_texts, segment, with_key_header, with_query

REASONS: Mapping[str, Outcome] = {
    "no_answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "invalid_number": Outcome.INVALID_NUMBER,
    "agent_error": Outcome.FAILED,
    "network_error": Outcome.FAILED,
}
"""the documented reasons of `call.failed`; a reason that is not here is a failure too"""

_LIVE_EVENTS = frozenset({"call.started", "action.triggered", "transfer.initiated"})


def _unix_seconds(value: Any) -> Any:
    """Read ISO 8601 with an offset, or unix seconds, into unix seconds."""
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if text.isascii() and text.isdecimal():
        return int(text)
    at = instant_of(text)
    if at is None:
        raise wrong(f"`{text}` is not an instant", "write an offset too: 2026-12-01T09:00:00+00:00")
    return int(at.timestamp())


class MovoiceCallOptions(FilePart):
    """Movoice's own options for a call."""

    schedule_at: (
        Annotated[
            int,
            BeforeValidator(_unix_seconds),
            Field(ge=0),
            WithJsonSchema(
                {
                    "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string"}],
                    "examples": ["2026-12-01T09:00:00+00:00", 1796115600],
                }
            ),
        ]
        | None
    ) = None
    """When Movoice places the call, within 30 seconds: an instant with an offset, or unix seconds."""
    max_duration: PositiveInt | None = None
    """How many seconds the call may last; 1800 when absent."""


@dataclass(frozen=True, slots=True)
class Movoice:
    """Movoice's API: Bearer key, `POST /call`, `GET /calls`."""

    name = "movoice"
    capabilities = Capabilities(channels=frozenset({"call"}), poll=True, find="number")

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of Movoice's options for a call; raise UsageWrong for a text."""
        if channel == "text":
            raise no_texts(self.name)
        return MovoiceCallOptions

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an agent's id, which is one word; None when nothing is."""
        return id_problem(agent, "agent_12345")

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the header that carries the key."""
        return {"Authorization": f"Bearer {credential}"}

    def build(self, order: Order) -> Request:
        """Build `POST /call`; raise UsageWrong for a text."""
        if order.channel == "text":
            raise no_texts(self.name)
        options = chosen_options(MovoiceCallOptions, order.options)
        body: dict[str, Json] = {"agent_id": order.agent_id, "recipient_phone": order.phone}
        if options.get("schedule_at") is not None:
            body["schedule_at"] = options["schedule_at"]
        if order.variables:
            body["variables"] = dict(order.variables)
        if order.from_number:
            body["from_number"] = order.from_number
        if options.get("max_duration") is not None:
            body["max_duration"] = options["max_duration"]
        return Request(method="POST", path="/call", body=body)

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant the key in the header; Movoice has no metadata, and variables would be read to the person."""
        return with_key_header(request, key)

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the call's id."""
        document = _unwrapped(accepted_document(self.name, reply))
        found = first_id(document, "call_id", "id")
        if not found:
            raise no_id(self.name, reply)
        return Receipt(provider_id=found)

    def poll_request(self, sent: Sent) -> Request | None:
        """Build `GET /calls/{id}`; None without an id."""
        return Request(method="GET", path=f"/calls/{segment(sent.provider_id)}") if sent.provider_id else None

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read a call; only `completed` and `failed` end it."""
        call = _unwrapped(answered_document(self.name, reply))
        status = text_of(call.get("status")).lower()
        if not status:
            raise InDoubt("movoice answered a call without a status")
        outcome = {"completed": Outcome.ANSWERED, "failed": _failure(call)}.get(status)
        return _observation(call, outcome, provider_id=sent.provider_id)

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build `GET /calls` over the agent's calls of the minutes around the request."""
        query: dict[str, str | int] = {
            "agent_id": sent.agent_id,
            "from": int(opens_at(sent).timestamp()),
            "to": int(closes_at(sent).timestamp()),
            "limit": PAGE_SIZE,
            "offset": page * PAGE_SIZE,
        }
        return Request(method="GET", path=with_query("/calls", query))

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Find the only call to the number; raise InDoubt when the list hides numbers or holds two such calls."""
        document = answered_document(self.name, reply)
        listing = document.get("calls", document.get("data"))
        if isinstance(listing, Mapping):
            document, listing = listing, listing.get("calls")
        if not isinstance(listing, list):
            raise InDoubt("movoice answered a list without calls")
        calls = objects_of(listing)
        if any(not text_of(call.get("recipient_phone")) for call in calls):
            raise InDoubt("movoice lists calls without their numbers")
        candidates = [_candidate(call) for call in calls if call.get("recipient_phone") == sent.phone]
        return settle_on(sent, candidates, more=_has_more(document, len(listing)))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read one of the five event types; actions and transfers say only that the call is live."""
        event = webhook_document(self.name, body)
        kind = text_of(event.get("event_type"), 100)
        if not first_id(event, "call_id"):
            raise meaningless(self.name, "names no call")
        if kind == "call.completed":
            return (_observation(event, Outcome.ANSWERED),)
        if kind == "call.failed":
            return (_observation(event, _failure(event)),)
        if kind in _LIVE_EVENTS:
            return (_observation(event, None),)
        raise meaningless(self.name, f"has the event type `{kind}`, which is not documented")

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Give False: Movoice signs, and does not say how."""
        return False


def _unwrapped(document: JsonObject) -> JsonObject:
    """Take off the envelope `data` that some answers have."""
    return object_of(document["data"]) if isinstance(document.get("data"), Mapping) else document


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
        transcript=transcript_of(call.get("transcript")) or link_of(call.get("transcript_url")),
        ended_at=instant_of(call.get("timestamp")) if ended else None,
        words=words_of(call, "event_type", "status", "reason", "outcome", "action_name"),
    )


def _candidate(call: JsonObject) -> Candidate:
    return Candidate(
        provider_id=first_id(call, "call_id", "id"),
        created_at=instant_of(child(call, "created_at")),
    )


def _has_more(document: JsonObject, length: int) -> bool:
    total, offset = count_of(document.get("total")), count_of(document.get("offset"))
    if total is not None and offset is not None:
        return length > 0 and offset + length < total
    return length >= PAGE_SIZE
