"""RevRing: places calls and sends texts; calls take an idempotency key and can be found again by it."""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.errors import InDoubt, Throttled
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.json import Json
from runner.model.outcome import InboundText, Observation
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities, DoNotCallList, LineCount, ManyPolls
from runner.providers import revring_account, revring_answers
from runner.providers.inbound import read_message_received
from runner.providers.lookups import PAGE_SIZE, closes_at, opens_at
from runner.providers.native_terms import offered
from runner.providers.reading import first_id, object_of
from runner.providers.replies import (
    OptedOut,
    Proof,
    accepted_document,
    answered_document,
    error_code,
    is_accepted_key,
    is_done,
    no_id,
    refusal,
    retry_after,
    said,
    webhook_document,
)
from runner.providers.requests import (
    chosen_options,
    files_wrong,
    id_problem,
    no_native,
    segment,
    utc_text,
    with_key_header,
    with_key_in_metadata,
    with_query,
)
from runner.providers.revring_do_not_call import RevringDoNotCall
from runner.providers.revring_native import RevringCampaigns
from runner.providers.revring_options import RevringCallOptions, RevringTextOptions

_NOT_SENT = frozenset({(502, "send_failed"), (502, "generation_failed")})
"""failures of a text that are documented to prove that nothing was sent"""
_NO_MORE = frozenset({400, 404, 409})
"""statuses that say that a call cannot be called off, or ended, any more"""
_MOST_CHARACTERS = 1_600
"""of a text; documented"""
_MOST_METADATA = 16 * 1024 - 64
"""bytes of a call's metadata: the documented 16 KB, less the attempt's key that is planted in it"""
_NATIVE_ONLY = ("defaultVariables", "voicemailStrategy")


def _numbers() -> DoNotCallList | None:
    """Give the list under the type that the attribute has at providers without one, too."""
    return RevringDoNotCall()


def _batch() -> ManyPolls | None:
    """Give it under the type that the attribute has at a generation without it, too."""
    return revring_account.RevringBatch()


def _lines() -> LineCount | None:
    """Give it under the type that the attribute has at a generation without it, too."""
    return revring_account.RevringLines()


@dataclass(frozen=True, slots=True)
class Revring:
    """RevRing's API: key in `x-api-key`, `POST /calls`, `POST /messages`, below a base URL that ends in `/v1`.

    The key makes a repeated call harmless for 24 hours; texts have no such protection.
    """

    name = "revring"
    capabilities = Capabilities(
        channels=frozenset({"call", "text"}),
        poll=True,
        find="reference",
        idempotent=True,
        needs_from=True,
    )
    native = offered(RevringCampaigns())
    do_not_call = _numbers()
    poll_many = _batch()
    lines = _lines()

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of RevRing's options for a call or a text."""
        return RevringCallOptions if channel == "call" else RevringTextOptions

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an agent's id, which is one word; None when nothing is."""
        return id_problem(agent, "3c90c3cc-0d44-4b50-8888-8dd25736052a")

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the header that carries the key."""
        return {"x-api-key": credential}

    def build(self, order: Order) -> Request:
        """Build `POST /calls`, or `POST /messages` with the message or the wish that the agent writes one.

        Raises FilesWrong for native delivery, which goes by campaign, and for its options.
        """
        if order.delivery == "native":
            raise no_native(self.name)
        return _call(order) if order.channel == "call" else _text(order)

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant the key in the header, and in a call's metadata; texts have none."""
        stamped = with_key_header(request, key)
        return with_key_in_metadata(stamped, key) if in_body and request.path == "/calls" else stamped

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the id of the call or text.

        Stricter than the common table: a number on the do-not-call list is OptedOut, a text that
        could not be written or handed over is Rejected, and `skipQueue` without a free line is Throttled as busy.
        """
        code = error_code(reply)
        if (reply.status, code) == (409, "number_on_do_not_call_list"):
            raise OptedOut(f"revring answered {reply.status}{said(reply)}")
        if (reply.status, code) == (429, "concurrency_limit"):
            raise Throttled(f"revring answered 429{said(reply)}", retry_after=retry_after(reply.headers), is_busy=True)
        if (reply.status, code) in _NOT_SENT:
            raise refusal(self.name, reply, Proof.REJECTED)
        record = object_of(accepted_document(self.name, reply).get("data"))
        found = first_id(record, "id")
        if not found:
            raise no_id(self.name, reply)
        return Receipt(provider_id=found, is_queued=record.get("status") == "QUEUED")

    def poll_request(self, sent: Sent) -> Request | None:
        """Build `GET /calls/{id}` or `GET /messages/{id}`; None without an id."""
        if not sent.provider_id:
            return None
        return Request(method="GET", path=f"/{_kind(sent.channel)}/{segment(sent.provider_id)}")

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read a call or a text; a status that we do not know ends nothing."""
        record = object_of(answered_document(self.name, reply).get("data"))
        if not record:
            raise InDoubt("revring answered without data")
        if sent.channel == "text":
            return revring_answers.read_message(record, provider_id=sent.provider_id)
        return revring_answers.read_call(record, provider_id=sent.provider_id)

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build the list of calls to the number around the request, or of the agent's texts, newest first."""
        query: dict[str, str | int] = {"direction": "OUTBOUND"}
        if sent.channel == "call":
            query["toNumber"] = sent.phone
        query["agentId"] = sent.agent_id
        if sent.channel == "call":
            query |= {
                "createdFrom": utc_text(opens_at(sent), "milliseconds"),
                "createdTo": utc_text(closes_at(sent), "milliseconds"),
            }
        query |= {"page": page + 1, "pageSize": PAGE_SIZE}
        return Request(method="GET", path=with_query(f"/{_kind(sent.channel)}", query))

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Find the call by the key in its metadata, or the only call or text to the number in those minutes."""
        return revring_answers.find(sent, answered_document(self.name, reply))

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read the record of an ended call or `call.started`; other events say nothing about an attempt."""
        return revring_answers.read_event(webhook_document(self.name, body))

    def read_inbound(self, headers: Mapping[str, str], body: bytes) -> tuple[InboundText, ...]:
        """Read a text that a person sent, RevRing's `message_received`; none for other events."""
        return read_message_received(self.name, body)

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the signature is of the secret and at most 300 seconds old; two secrets may stand side by side."""
        return revring_answers.is_signed(headers, body, secret, now)

    def cancel_request(self, sent: Sent) -> Request | None:
        """Build `POST /calls/{id}/cancel`, which takes a call out of the queue; None for a text or without an id."""
        return self._ordered(sent, "cancel")

    def end_request(self, sent: Sent) -> Request | None:
        """Build `POST /calls/{id}/end`, which hangs up on a person; None for a text or without an id."""
        return self._ordered(sent, "end")

    def read_cancel(self, reply: Reply) -> bool:
        """Whether the call was called off, or is ending; False when it was too late.

        Raises a SendError when the answer says nothing.
        """
        return is_done(self.name, reply, _NO_MORE)

    def credential_check(self) -> Request | None:
        """Build `GET /analytics/active`, which costs nothing."""
        return revring_account.RevringLines().request()

    def read_credential_check(self, reply: Reply) -> bool:
        """Whether the key is taken; raise a SendError when the answer says nothing about it, Rejected unpaid."""
        return is_accepted_key(self.name, reply)

    @staticmethod
    def _ordered(sent: Sent, verb: str) -> Request | None:
        if sent.channel == "text" or not sent.provider_id:
            return None
        return Request(method="POST", path=f"/calls/{segment(sent.provider_id)}/{verb}")


@dataclass(frozen=True, slots=True)
class RevringSeed(Revring):
    """RevRing's API as first published: no metadata, no idempotency, so a call is found by its number."""

    capabilities = Capabilities(
        channels=frozenset({"call", "text"}),
        poll=True,
        find="number",
        needs_from=True,
    )
    native = None
    do_not_call = None
    poll_many = None
    lines = None

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant the key in the header, which this generation ignores."""
        return with_key_header(request, key)


def _call(order: Order) -> Request:
    if not order.from_number:
        raise files_wrong("revring needs the number that people see", "write in the agent: from: +12025550190", "from")
    options = chosen_options(RevringCallOptions, order.options)
    found = next((name for name in _NATIVE_ONLY if options.get(name) is not None), None)
    if found is not None:
        raise files_wrong(f"`{found}` works with native delivery only", "write: delivery: native", f"options.{found}")
    if len(json.dumps(options.get("metadata", {}), ensure_ascii=False).encode()) > _MOST_METADATA:
        raise files_wrong("revring takes at most 16 KB of metadata", "leave out what is long", "options.metadata")
    body: dict[str, Json] = {
        "agentId": order.agent_id,
        "toNumber": order.phone,
        "fromNumber": order.from_number,
        "variables": dict(order.variables),
        **options,
    }
    return Request(method="POST", path="/calls", body=body)


def _text(order: Order) -> Request:
    if len(order.message) > _MOST_CHARACTERS:
        said = (
            f"revring takes texts of at most {_MOST_CHARACTERS:,} characters, and this one has {len(order.message):,}"
        )
        raise files_wrong(said, "shorten the message", "message")
    options = chosen_options(RevringTextOptions, order.options)
    body: dict[str, Json] = {"to": order.phone}
    if order.from_number:
        body["from"] = order.from_number
    body["agentId"] = order.agent_id
    if options.get("messagingConnectionId") is not None:
        body["messagingConnectionId"] = options["messagingConnectionId"]
    if order.message:
        body["body"] = order.message
    else:
        body["generate"] = True
        if options.get("messages") is not None:
            body["messages"] = options["messages"]
    if options.get("smsPrompt") is not None:
        body["smsPrompt"] = options["smsPrompt"]
    return Request(method="POST", path="/messages", body=body)


def _kind(channel: Channel) -> str:
    return "calls" if channel == "call" else "messages"
