"""Movoice: places calls at once or at an instant; found again by agent, number and time."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, WithJsonSchema

from runner.errors import InDoubt
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart, PositiveInt, wrong
from runner.model.http_api import Signature
from runner.model.json import Json
from runner.model.movoice_plan import Plan
from runner.model.outcome import InboundText, Observation
from runner.model.project import Account
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities, NativeCampaigns
from runner.providers import declared_signatures, movoice_answers
from runner.providers.inbound import read_plain_text
from runner.providers.lookups import closes_at, opens_at
from runner.providers.movoice_answers import Paging
from runner.providers.movoice_native import MovoiceBatches
from runner.providers.reading import first_id, instant_of
from runner.providers.replies import accepted_document, answered_document, is_accepted_key, no_id, webhook_document
from runner.providers.requests import (
    chosen_options,
    id_problem,
    no_native,
    no_texts,
    segment,
    with_key_header,
)

_SIGNATURE_HEADER = "X-Movoice-Signature"


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
    """Movoice's API at its documented host: Bearer key, `POST /call`, `GET /calls` by limit and offset.

    Answers are read in every envelope, whichever host gives them.
    """

    name = "movoice"
    paging: ClassVar[Paging] = "offset"
    plan: Plan = "starter"
    """the account's plan, which limits batches"""
    signature: Signature | None = None
    """how the account's webhooks are signed; None while that is only assumed"""

    @property
    def capabilities(self) -> Capabilities:
        """What Movoice can do; its signature is assumed until the account says how it is made."""
        assumed = "" if self.signature else _SIGNATURE_HEADER.lower()
        return Capabilities(channels=frozenset({"call"}), poll=True, find="number", assumed_signature=assumed)

    @property
    def native(self) -> NativeCampaigns | None:
        """Movoice's batches, by the host's paging and the account's plan."""
        return MovoiceBatches(paging=self.paging, plan=self.plan)

    def for_account(self, account: Account) -> Movoice:
        """Give Movoice as the account is set up: its plan, and how its webhooks are signed."""
        rule = account.webhook_signature
        if rule is not None and rule.header is None:
            rule = rule.model_copy(update={"header": _SIGNATURE_HEADER})
        return replace(self, plan=account.plan or "starter", signature=rule)

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
        """Build `POST /call`; raise UsageWrong for a text, FilesWrong for native delivery, which goes by batch."""
        if order.channel == "text":
            raise no_texts(self.name)
        if order.delivery == "native":
            raise no_native(self.name)
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
        document = movoice_answers.unwrapped(accepted_document(self.name, reply))
        found = first_id(document, "call_id", "id")
        if not found:
            raise no_id(self.name, reply)
        return Receipt(provider_id=found)

    def poll_request(self, sent: Sent) -> Request | None:
        """Build `GET /calls/{id}`; None without an id."""
        return Request(method="GET", path=f"/calls/{segment(sent.provider_id)}") if sent.provider_id else None

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read a call; only `completed` and `failed` end it."""
        call = movoice_answers.unwrapped(answered_document(self.name, reply))
        return movoice_answers.read_call(call, provider_id=sent.provider_id)

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build `GET /calls` over the agent's calls of the minutes around the request."""
        query: dict[str, str | int] = {
            "agent_id": sent.agent_id,
            "from": int(opens_at(sent).timestamp()),
            "to": int(closes_at(sent).timestamp()),
        }
        return movoice_answers.list_request(self.paging, query, page)

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Find the only call to the number; raise InDoubt when the list hides numbers or holds two such calls."""
        return movoice_answers.find(sent, answered_document(self.name, reply), self.paging)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read one of the five event types; actions and transfers say only that the call is live."""
        return (movoice_answers.read_event(webhook_document(self.name, body)),)

    def read_inbound(self, headers: Mapping[str, str], body: bytes) -> tuple[InboundText, ...]:
        """Read a text that a person sent, in the plain form `from`, `to`, `body`; none for other webhooks."""
        return read_plain_text(self.name, body)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the webhook is signed as the account says, else in the way that is assumed.

        Assumed is an HMAC-SHA256 of the raw body in `X-Movoice-Signature`, since Movoice does not
        publish its scheme; nothing in that proves when it was signed.
        """
        if self.signature is not None:
            return declared_signatures.is_signed(self.signature, headers, body, secret, now)
        return movoice_answers.is_signed(headers.get(_SIGNATURE_HEADER.lower(), ""), body, secret)

    def cancel_request(self, sent: Sent) -> Request | None:
        """Give None: Movoice documents no way to call one off."""
        return None

    def read_cancel(self, reply: Reply) -> bool:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("movoice cannot call off a call")

    def credential_check(self) -> Request | None:
        """Build the shortest list of calls, which costs nothing."""
        return Request(method="GET", path="/calls?limit=1" if self.paging == "offset" else "/calls?page=1&per_page=1")

    def read_credential_check(self, reply: Reply) -> bool:
        """Whether the key is taken; raise a SendError when the answer says nothing about it."""
        return is_accepted_key(self.name, reply)


@dataclass(frozen=True, slots=True)
class MovoiceApp(Movoice):
    """Movoice's API as its own tools call it, at the host of its app: lists go by page and per_page."""

    paging: ClassVar[Paging] = "page"
