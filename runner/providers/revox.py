"""Revox: places call orders, one by one or through its own campaigns.

The API changed under the same paths. Generation A is the one whose `POST /campaigns` dials at
once; on generation D that request never dials, so native delivery is not offered there.
"""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from runner.errors import InDoubt
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart, PositiveInt, wrong
from runner.model.json import Json, JsonObject
from runner.model.outcome import Observation
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities
from runner.providers import revox_answers
from runner.providers.lookups import PAGE_SIZE
from runner.providers.reading import first_id, instant_of, object_of
from runner.providers.replies import accepted_document, answered_document, no_id, webhook_document
from runner.providers.requests import (
    chosen_options,
    files_wrong,
    id_problem,
    no_texts,
    segment,
    with_key_header,
    with_key_in_metadata,
    with_query,
)

_NATIVE_ONLY = ("name", "call_retry_config", "max_concurrent_calls")
_SINGLE_ONLY = ("metadata", "concurrency", "skip_calling_window")


def _iso_instant(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if text.isdecimal() or instant_of(text) is None:
        raise wrong(f"`{text}` is not an instant", "write an offset too: 2026-12-01T09:00:00+00:00")
    return text


class RevoxWindow(FilePart):
    """One window of Revox's own retry loop, in the person's time."""

    calling_window_end_time: str
    """When it closes, such as `17:00` or `6pm`."""
    calling_window_start_time: str
    """When it opens, such as `09:00` or `10am`."""
    retry_delay_seconds: PositiveInt
    """How many seconds Revox waits before it tries again."""


class RevoxRetryConfig(FilePart):
    """Revox's own retry loop; it multiplies with the campaign's `retry`."""

    calling_windows: Annotated[tuple[RevoxWindow, ...], Field(min_length=1)]
    """When Revox may call."""
    max_retry_attempts: PositiveInt
    """How often Revox calls by itself."""
    timezone: str | None = None
    """An IANA zone; without it Revox takes the zone of the number's country."""
    allowed_days: (
        tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] | None
    ) = None
    """On which days Revox may call; newer generations want it."""
    call_twice_in_a_row: bool | None = None
    """Whether Revox calls again at once if the first call met no person; newer generations want it."""


class RevoxConcurrency(FilePart):
    """A group of calls that share a limit."""

    key: str
    """The name of the group."""
    max: PositiveInt | None = None
    """How many calls of the group may be live at once; older generations only."""


class RevoxCallOptions(FilePart):
    """Revox's own options for a call, single or native."""

    name: Annotated[str, Field(min_length=1)] | None = None
    """What Revox's campaign is called, before the attempt's key; native delivery only."""
    metadata: dict[str, str] | None = None
    """Texts that Revox stores with the call; single delivery only."""
    call_retry_config: RevoxRetryConfig | None = None
    """Revox's own retry loop in place of the assistant's; native delivery only."""
    max_concurrent_calls: PositiveInt | None = None
    """How many calls of Revox's campaign may be live at once; native delivery only."""
    scheduled_at: Annotated[str, BeforeValidator(_iso_instant)] | None = None
    """When Revox starts, an instant with an offset."""
    concurrency: RevoxConcurrency | None = None
    """A group of calls that share a limit; single delivery only."""
    skip_calling_window: bool | None = None
    """Call outside Revox's own window too; newer generations and single delivery only."""


@dataclass(frozen=True, slots=True)
class Revox:
    """Revox's API of generation A: Bearer key, `POST /call`, `POST /campaigns`, which dials at once."""

    name = "revox"
    capabilities = Capabilities(channels=frozenset({"call"}), poll=True, find="reference", native=True)

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of Revox's options for a call; raise UsageWrong for a text."""
        if channel == "text":
            raise no_texts(self.name)
        return RevoxCallOptions

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an assistant's id, which is one word; None when nothing is."""
        return id_problem(agent, "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e")

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the header that carries the key."""
        return {"Authorization": f"Bearer {credential}"}

    def build(self, order: Order) -> Request:
        """Build `POST /call`, or for native delivery `POST /campaigns` with this one contact.

        Raises UsageWrong for a text or a delivery that the generation lacks, FilesWrong for an
        option of the other delivery.
        """
        if order.channel == "text":
            raise no_texts(self.name)
        options = chosen_options(RevoxCallOptions, order.options)
        if order.delivery == "native":
            _refuse_options(options, _SINGLE_ONLY, "single")
            return _campaign(order, options)
        _refuse_options(options, _NATIVE_ONLY, "native")
        return _single(order, options)

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant the key in the header, and in a call's metadata or at the end of a campaign's name."""
        stamped = with_key_header(request, key)
        if not in_body:
            return stamped
        if request.path != "/campaigns":
            return with_key_in_metadata(stamped, key)
        body = dict(stamped.body or {})
        return replace(stamped, body={**body, "name": f"{body.get('name', '')} {key}".strip()})

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the id of the call order, or of the campaign."""
        document = accepted_document(self.name, reply)
        made = object_of(document.get("call")) or object_of(document.get("campaign"))
        found = first_id(made, "id")
        if not found:
            raise no_id(self.name, reply)
        return Receipt(provider_id=found)

    def poll_request(self, sent: Sent) -> Request | None:
        """Build `GET /call/{id}`, or for native delivery the request for the campaign's rows; None without an id."""
        if not sent.provider_id:
            return None
        if sent.delivery == "native":
            rows = f"/campaigns/{segment(sent.provider_id)}/rows"
            return Request(method="GET", path=with_query(rows, {"page": 1, "page_size": PAGE_SIZE}))
        return Request(method="GET", path=f"/call/{segment(sent.provider_id)}")

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read a call order, or the row of our number; only `completed`, `cancelled` and `errored` end it."""
        document = answered_document(self.name, reply)
        if sent.delivery == "native":
            return revox_answers.read_row(sent, document)
        call = object_of(document.get("call"))
        if not call:
            raise InDoubt("revox answered without a call")
        return revox_answers.read_order(call, provider_id=sent.provider_id)

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build the search for orders to the number, or for native delivery the list of all campaigns."""
        if sent.delivery == "native":
            return Request(method="GET", path="/campaigns")
        body: JsonObject = {
            "assignee_ids": [],
            "assistant_ids": [sent.agent_id],
            "campaign_ids": [],
            "directions": [],
            "from_phone_numbers": [],
            "outcomes": [],
            "results": [],
            "statuses": [],
            "page": page,
            "page_size": PAGE_SIZE,
            "to_phone_number": sent.phone,
        }
        return Request(method="POST", path="/call/search", body=body)

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Find the order or campaign that carries the key; raise InDoubt when several could be it."""
        document = answered_document(self.name, reply)
        if sent.delivery == "native":
            return revox_answers.find_campaign(sent, document)
        return revox_answers.find_order(sent, document)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read the webhook of a completed call, in its nested or its flat form."""
        return (revox_answers.read_event(webhook_document(self.name, body)),)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Give False: Revox documents no signature."""
        return False


@dataclass(frozen=True, slots=True)
class RevoxD(Revox):
    """Revox's API of generation D: its campaigns only prepare calls, so each call is placed by itself."""

    capabilities = replace(Revox.capabilities, native=False)

    def build(self, order: Order) -> Request:
        """Build `POST /call`; raise FilesWrong for native delivery, which would call nobody."""
        if order.delivery == "native":
            raise files_wrong(
                "revox of generation `D` calls nobody when a campaign is made",
                "write: delivery: single",
                "delivery",
            )
        return Revox.build(self, order)


def _single(order: Order, options: dict[str, Json]) -> Request:
    body: dict[str, Json] = {"phone_number": order.phone, "assistant_id": order.agent_id}
    if order.from_number:
        body["from_phone_number"] = order.from_number
    if options.get("metadata"):
        body["metadata"] = options["metadata"]
    if order.variables:
        body["prompt_variables"] = _as_texts(order.variables)
    body |= _present(options, ("scheduled_at", "concurrency", "skip_calling_window"))
    return Request(method="POST", path="/call", body=body)


def _campaign(order: Order, options: dict[str, Json]) -> Request:
    contact: JsonObject = {"prompt_variables": _as_texts(order.variables), "to_phone_number": order.phone}
    body: dict[str, Json] = {
        "assistant_id": order.agent_id,
        "contacts": [contact],
        "name": options.get("name") or order.campaign,
    }
    body |= _present(options, ("call_retry_config",))
    if order.from_number:
        body["from_phone_number"] = order.from_number
    body |= _present(options, ("max_concurrent_calls", "scheduled_at"))
    return Request(method="POST", path="/campaigns", body=body)


def _present(options: Mapping[str, Json], keys: tuple[str, ...]) -> dict[str, Json]:
    return {key: options[key] for key in keys if options.get(key) is not None}


def _as_texts(variables: Mapping[str, Json]) -> dict[str, Json]:
    """Write every variable as text, since Revox takes a map of strings."""
    return {name: _as_text(value) for name, value in variables.items()}


def _as_text(value: Json) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _refuse_options(options: Mapping[str, Json], keys: tuple[str, ...], delivery: str) -> None:
    found = next((key for key in keys if options.get(key) is not None), None)
    if found is not None:
        raise files_wrong(
            f"`{found}` works with {delivery} delivery only", f"write: delivery: {delivery}", f"options.{found}"
        )
