"""Revmo: places calls, starts text threads; nothing can be asked for afterwards.

A request in doubt can neither be repeated safely nor looked up, so it is held for a person.
"""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from string import ascii_letters, digits
from typing import Annotated

from pydantic import Field

from runner.errors import InDoubt
from runner.model.callback import CallbackShape
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.http_api import Signature
from runner.model.json import Json, JsonObject
from runner.model.outcome import InboundText, Observation, Outcome
from runner.model.project import Account
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities
from runner.providers import declared_answers
from runner.providers.declared_signatures import is_signed
from runner.providers.inbound import read_plain_text
from runner.providers.reading import (
    child,
    count_of,
    fields_of,
    first_id,
    id_of,
    instant_of,
    link_of,
    number_of,
    text_of,
    transcript_of,
    words_of,
)
from runner.providers.replies import accepted_document, meaningless, no_id, webhook_document
from runner.providers.requests import (
    REFERENCE,
    chosen_options,
    id_problem,
    no_native,
    with_key_header,
    with_key_in_metadata,
)

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

_AGENT = "QUdFTlQtMDAwMQ=="
_BASE64 = frozenset(f"{ascii_letters}{digits}+/-_")
_IDS = ("external_id", "thread_id", "threadId", "call_id", "id")
_STATUSES = ("status", "outcome", "result", "event")
_VAGUE = "completed"
"""a word that says no more than that it ended; another one beside it says how"""


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

    callback: CallbackShape | None = None
    """what the account's status callbacks look like; None for the obvious keys"""
    signature: Signature | None = None
    """how the account's status callbacks are signed; None while nobody knows"""
    name = "revmo"
    capabilities = Capabilities(
        channels=frozenset({"call", "text"}),
        poll=False,
        find="none",
        takes_from=False,
    )
    native = None

    def for_account(self, account: Account) -> Revmo:
        """Give Revmo as the account is set up: what its status callbacks look like, and how they are signed."""
        return replace(self, callback=account.callback, signature=account.webhook_signature)

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of Revmo's options for a call or a text."""
        return RevmoCallOptions if channel == "call" else RevmoTextOptions

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an agent's id, which Revmo prints in base64 of either alphabet; None when nothing is."""
        strange = next((char for char in agent.id.strip("=") if char not in _BASE64), "")
        if strange.isprintable() and strange and not strange.isspace():
            message = f"`{agent.id}` is not an agent's id: base64 has no `{strange}`"
            return message, f"write the id as revmo prints it: {_AGENT}"
        return id_problem(agent, _AGENT)

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the header that carries the key."""
        return {"Authorization": f"Bearer {credential}"}

    def build(self, order: Order) -> Request:
        """Build the request; the contact's variables travel as metadata, a message as `override`.

        Raises FilesWrong for native delivery.
        """
        if order.delivery == "native":
            raise no_native(self.name)
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
        """Read a status callback; its form is assumed, so the id and the word may stand under several names.

        Where the account says what it looks like, that is read. A word that we do not know ends nothing;
        one under `outcome` or `tag` is kept as the agent's tag.
        """
        document = webhook_document(self.name, body)
        if self.callback is not None:
            return (_configured(self.callback, document),)
        found = first_id(document, *_IDS)
        reference = text_of(child(document, "metadata", REFERENCE), 100)
        if not found and not reference:
            raise meaningless(self.name, "names neither a call nor a text")
        outcome = _outcome(document)
        observation = Observation(
            provider_id=found,
            reference=reference,
            outcome=outcome,
            tag=_tag(document),
            summary=text_of(document.get("summary")),
            sentiment=text_of(document.get("sentiment"), 100),
            duration_seconds=number_of(document.get("duration")),
            recording_url=link_of(document.get("recording_url")),
            transcript=transcript_of(document.get("transcript")),
            transcript_url=link_of(document.get("transcript_url")),
            ended_at=instant_of(document.get("ended_at")) if outcome is not None else None,
            words=words_of(document, *_STATUSES, "error"),
            structured=fields_of(document.get("structured_output")),
            hangup_cause=text_of(document.get("hangup_cause"), 100),
            opt_out=outcome is Outcome.OPTED_OUT,
        )
        return (observation,)

    def read_inbound(self, headers: Mapping[str, str], body: bytes) -> tuple[InboundText, ...]:
        """Read a text that a person sent, as the account says or in the plain form; none for other webhooks."""
        if self.callback is None or self.callback.inbound is None:
            return read_plain_text(self.name, body)
        return declared_answers.inbound(self.name, self.callback.inbound, webhook_document(self.name, body))

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the signature that the account describes holds; False without one, since Revmo documents none."""
        return self.signature is not None and is_signed(self.signature, headers, body, secret, now)

    def cancel_request(self, sent: Sent) -> Request | None:
        """Give None: Revmo documents no way to call one off."""
        return None

    def read_cancel(self, reply: Reply) -> bool:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("revmo cannot call off a call or a text")

    def credential_check(self) -> Request | None:
        """Give None: Revmo documents no look-up, so its key is only checked by a call."""
        return None

    def read_credential_check(self, reply: Reply) -> bool:
        """Raise InDoubt: there is nothing to read."""
        raise InDoubt("revmo cannot be asked whether it takes a key")


def _configured(shape: CallbackShape, document: JsonObject) -> Observation:
    """Read a callback of the form that the account tells; raise WebhookRefused for what names no attempt."""
    found = id_of(declared_answers.at(document, shape.id)) or first_id(document, *_IDS)
    reference = id_of(declared_answers.at(document, shape.reference))
    if not found and not reference:
        raise meaningless("revmo", "names neither a call nor a text")
    seen = declared_answers.observation({}, shape, document, provider_id=found, reference=reference)
    outcomes = {**OUTCOMES, **{_word(word): outcome for word, outcome in shape.outcomes.items()}}
    outcome = outcomes.get(_word(seen.words.get("outcome", "")))
    return replace(seen, outcome=outcome, opt_out=seen.opt_out or outcome is Outcome.OPTED_OUT)


def _word(value: Json) -> str:
    """Write a status as our table has it: `call.no-answer` is `no_answer`."""
    return text_of(value, 100).lower().rpartition(".")[2].replace("-", "_").replace(" ", "_")


def _outcome(document: JsonObject) -> Outcome | None:
    known = [word for name in _STATUSES if (word := _word(document.get(name))) in OUTCOMES]
    telling = [word for word in known if word != _VAGUE] or known
    return OUTCOMES[telling[0]] if telling else None


def _tag(document: JsonObject) -> str:
    said = text_of(document.get("tag"), 100) or text_of(document.get("outcome"), 100)
    return "" if _word(said) in OUTCOMES else said


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
