"""Revox: places call orders one by one; its own campaigns, where the generations differ, have a room of their own."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.errors import InDoubt
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.json import Json, JsonObject
from runner.model.outcome import InboundText, Observation
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities
from runner.providers import revox_answers
from runner.providers.inbound import read_plain_text
from runner.providers.lookups import PAGE_SIZE
from runner.providers.native_terms import offered
from runner.providers.reading import first_id, object_of
from runner.providers.replies import (
    accepted_document,
    answered_document,
    is_accepted_key,
    is_done,
    no_id,
    webhook_document,
)
from runner.providers.requests import (
    as_texts,
    chosen_options,
    files_wrong,
    id_problem,
    no_native,
    no_texts,
    segment,
    with_key_header,
    with_key_in_metadata,
)
from runner.providers.revox_do_not_call import RevoxDoNotCall
from runner.providers.revox_native import RevoxCampaigns
from runner.providers.revox_options import RevoxCallOptions

_NATIVE_ONLY = ("name", "own_rules", "call_retry_config", "max_concurrent_calls")
_SINGLE_KEYS = ("scheduled_at", "concurrency", "skip_calling_window", "force_now")
_NO_MORE = frozenset({400, 404, 409, 422})
"""statuses that say that an order cannot be called off any more"""
_BAD_REQUEST = 400
_SEARCHED_PAGES = 10
"""nobody has a thousand orders; a search that goes on is one that Revox never answers"""


@dataclass(frozen=True, slots=True)
class Revox:
    """Revox's API: Bearer key, `POST /call`; campaigns of generation A, which dial when they are made.

    Its webhooks are signed by nobody and lack the result that Revox works out after the call, so
    each of them only has the order asked for.

    An order dials again by itself, as its assistant is configured: no request that names a stored
    assistant can change that for one order. What follows: one of our attempts may be several dials,
    told in `Observation.calls`, and it ends when the order does. Whoever wants one dial for each
    attempt sets the assistant's own `max_retry_attempts` to 1.
    """

    name = "revox"
    capabilities = Capabilities(channels=frozenset({"call"}), poll=True, find="reference", confirm=True)
    native = offered(RevoxCampaigns("A"))
    do_not_call = RevoxDoNotCall()

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
        """Build `POST /call`; raise UsageWrong for a text, FilesWrong for native delivery or an option of it."""
        if order.channel == "text":
            raise no_texts(self.name)
        if order.delivery == "native":
            raise no_native(self.name)
        options = chosen_options(RevoxCallOptions, order.options)
        _refuse_native_options(options)
        body: dict[str, Json] = {"phone_number": order.phone, "assistant_id": order.agent_id}
        if order.from_number:
            body["from_phone_number"] = order.from_number
        if options.get("metadata"):
            body["metadata"] = options["metadata"]
        if order.variables:
            body["prompt_variables"] = as_texts(order.variables)
        body |= {key: options[key] for key in _SINGLE_KEYS if options.get(key) is not None}
        return Request(method="POST", path="/call", body=body)

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant the key in the header and in the metadata."""
        stamped = with_key_header(request, key)
        return with_key_in_metadata(stamped, key) if in_body else stamped

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the id of the call order."""
        document = accepted_document(self.name, reply)
        found = first_id(object_of(document.get("call")), "id")
        if not found:
            raise no_id(self.name, reply)
        return Receipt(provider_id=found)

    def poll_request(self, sent: Sent) -> Request | None:
        """Build `GET /call/{id}`; None without an id."""
        return Request(method="GET", path=f"/call/{segment(sent.provider_id)}") if sent.provider_id else None

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read a call order; only `completed`, `cancelled` and `errored` end it."""
        call = object_of(answered_document(self.name, reply).get("call"))
        if not call:
            raise InDoubt("revox answered without a call")
        return revox_answers.read_order(call, provider_id=sent.provider_id)

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build the search for orders to the number.

        Nobody knows whether Revox counts pages from 0 or 1, so both are asked for; None after ten.
        """
        if page >= _SEARCHED_PAGES:
            return None
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
        """Find the order that carries the key; raise InDoubt when several could be it.

        A search refused with 400 asked for page 0 of a server that counts from 1: the next page is to be asked for.
        """
        if reply.status == _BAD_REQUEST:
            return Finding(more=True)
        return revox_answers.find_order(sent, answered_document(self.name, reply))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read the webhook of a completed call, in its nested or its flat form."""
        return (revox_answers.read_event(webhook_document(self.name, body)),)

    def read_inbound(self, headers: Mapping[str, str], body: bytes) -> tuple[InboundText, ...]:
        """Read a text that a person sent, in the plain form `from`, `to`, `body`; none for other webhooks."""
        return read_plain_text(self.name, body)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Give False: Revox documents no signature."""
        return False

    def cancel_request(self, sent: Sent) -> Request | None:
        """Build the request that calls off the order; None without an id."""
        if not sent.provider_id:
            return None
        return Request(method="POST", path=f"/call/{segment(sent.provider_id)}/cancel")

    def read_cancel(self, reply: Reply) -> bool:
        """Whether it was called off; False when it was too late. Raise a SendError when the answer says nothing."""
        return is_done(self.name, reply, _NO_MORE)

    def credential_check(self) -> Request | None:
        """Build `GET /auth-status`, which costs nothing."""
        return Request(method="GET", path="/auth-status")

    def read_credential_check(self, reply: Reply) -> bool:
        """Whether the key is taken; raise a SendError when the answer says nothing about it."""
        return is_accepted_key(self.name, reply) and answered_document(self.name, reply).get("authenticated") is True


@dataclass(frozen=True, slots=True)
class RevoxD(Revox):
    """Revox's API of generation D: its campaigns only prepare calls, which are then launched."""

    native = offered(RevoxCampaigns("D"))


def _refuse_native_options(options: Mapping[str, Json]) -> None:
    found = next((key for key in _NATIVE_ONLY if options.get(key) is not None), None)
    if found is not None:
        raise files_wrong(f"`{found}` works with native delivery only", "write: delivery: native", f"options.{found}")
