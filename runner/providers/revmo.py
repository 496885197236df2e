"""Revmo: places calls, starts text threads; nothing can be asked for afterwards.

A request in doubt can neither be repeated safely nor looked up, so it is held for a person.
"""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from runner.errors import InDoubt
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.json import Json
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities
from runner.providers.reading import child, count_of, first_id, number_of, text_of, words_of
from runner.providers.replies import accepted_document, meaningless, no_id, webhook_document
from runner.providers.requests import REFERENCE, chosen_options, id_problem, with_key_header, with_key_in_metadata

OUTCOMES: Mapping[str, Outcome] = {
    "completed": Outcome.ANSWERED,
    "answered": Outcome.ANSWERED,
    "no_answer": Outcome.NO_ANSWER,
    "busy": Outcome.BUSY,
    "voicemail": Outcome.VOICEMAIL,
    "declined": Outcome.DECLINED,
    "failed": Outcome.FAILED,
    "invalid_number": Outcome.INVALID_NUMBER,
    "delivered": Outcome.DELIVERED,
    "replied": Outcome.REPLIED,
    "opted_out": Outcome.OPTED_OUT,
}
"""the words of a status callback; Revmo documents none, so these are assumed"""


class RevmoCallOptions(FilePart):
    """Revmo's own options for a call."""

    trigger: str | None = None
    """The phrase that starts the right task of the agent."""
    initial_silence_timeout: Annotated[int, Field(ge=0)] | None = None
    """How many milliseconds of silence at the start are waited for."""


class RevmoTextOptions(FilePart):
    """Revmo's own options for a text."""

    trigger: str | None = None
    """The phrase that starts the right task of the agent."""
    no_agent: bool | None = None
    """Send a single message and let no agent answer the replies."""


@dataclass(frozen=True, slots=True)
class Revmo:
    """Revmo's API: Bearer key, `POST /v1/makecall/`, `POST /v1/startsms/`, both with their trailing slash."""

    name = "revmo"
    capabilities = Capabilities(
        channels=frozenset({"call", "text"}),
        poll=False,
        find="none",
        takes_from=False,
    )

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of Revmo's options for a call or a text."""
        return RevmoCallOptions if channel == "call" else RevmoTextOptions

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an agent's id, one word that Revmo prints in base64; None when nothing is."""
        return id_problem(agent, "QUdFTlQtMDAwMQ==")

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the header that carries the key."""
        return {"Authorization": f"Bearer {credential}"}

    def build(self, order: Order) -> Request:
        """Build the request; the contact's variables travel as metadata, a message as `override`."""
        return _call(order) if order.channel == "call" else _text(order)

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant the key in the header and in the metadata, where the agent can see it too."""
        stamped = with_key_header(request, key)
        return with_key_in_metadata(stamped, key) if in_body else stamped

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the id of the call or thread, and how many calls the account has left."""
        document = accepted_document(self.name, reply)
        if text_of(document.get("result", "Ok")).lower() != "ok":
            raise InDoubt(f"revmo answered {reply.status} with the result `{text_of(document.get('result'), 100)}`")
        found = first_id(document, "external_id", "thread_id", "threadId", "id")
        if not found:
            raise no_id(self.name, reply)
        return Receipt(provider_id=found, remaining=count_of(document.get("calls_remaining")))

    def poll_request(self, sent: Sent) -> Request | None:
        """Give None: Revmo documents no way to ask."""
        return None

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("revmo cannot be asked how a request ended")

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Give None: Revmo documents no list."""
        return None

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("revmo cannot be asked whether a request arrived")

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read a status callback; its form is assumed, a word that we do not know ends nothing."""
        document = webhook_document(self.name, body)
        found = first_id(document, "external_id", "thread_id", "threadId")
        reference = text_of(child(document, "metadata", REFERENCE), 100)
        if not found and not reference:
            raise meaningless(self.name, "names neither a call nor a text")
        observation = Observation(
            provider_id=found,
            reference=reference,
            outcome=OUTCOMES.get(text_of(document.get("status")).lower()),
            duration_seconds=number_of(document.get("duration")),
            words=words_of(document, "status", "result", "error"),
        )
        return (observation,)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Give False: Revmo documents no signature."""
        return False


def _call(order: Order) -> Request:
    options = chosen_options(RevmoCallOptions, order.options)
    body: dict[str, Json] = {"agentId": order.agent_id, "to": order.phone}
    if options.get("trigger") is not None:
        body["trigger"] = options["trigger"]
    if order.variables:
        body["metadata"] = dict(order.variables)
    if options.get("initial_silence_timeout") is not None:
        body["initial_silence_timeout"] = options["initial_silence_timeout"]
    return Request(method="POST", path="/v1/makecall/", body=body)


def _text(order: Order) -> Request:
    options = chosen_options(RevmoTextOptions, order.options)
    body: dict[str, Json] = {"agentId": order.agent_id, "to": order.phone}
    if options.get("trigger") is not None:
        body["trigger"] = options["trigger"]
    if order.variables:
        body["metadata"] = dict(order.variables)
    if order.message:
        body["override"] = order.message
    if options.get("no_agent"):
        body["no_agent"] = "true"
    return Request(method="POST", path="/v1/startsms/", body=body)
