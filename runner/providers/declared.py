"""A provider declared in `outreach.yaml`: the face of its declaration towards the engine.

Pure like every other provider, and under the same table of what an answer proves.
"""

# ruff: noqa: ARG002 every provider takes what the port hands over, also what only others need

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runner.errors import InDoubt
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.http_api import FindRequest, HttpApi
from runner.model.outcome import InboundText, Observation
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.ports import Capabilities
from runner.providers import declared_answers
from runner.providers.declared_options import options_model
from runner.providers.declared_refusals import accepted, answered, done
from runner.providers.declared_requests import DeclaredRequests
from runner.providers.declared_signatures import is_signed
from runner.providers.inbound import read_plain_text
from runner.providers.reading import count_of, id_of
from runner.providers.replies import is_accepted_key, meaningless, no_id, webhook_document
from runner.providers.requests import id_problem


class DeclaredProvider:
    """Implements the port `Provider` from a declaration whose templates were checked when the file was read.

    Raises TemplateWrong for one that was not. It has no campaigns of its own.
    """

    native = None

    def __init__(self, name: str, api: HttpApi) -> None:
        self.name = name
        self._api = api
        self._requests = DeclaredRequests(name, api)
        self.capabilities = _capabilities(api, self._requests)

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of the options that this channel's templates use; raise UsageWrong without the channel."""
        return options_model(self.name, channel, self._api.options, self._requests.names(channel))

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an agent's id, which is one word; None when nothing is."""
        return id_problem(agent, "assistant-7")

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the header that carries the key."""
        return self._api.auth.headers(credential)

    def build(self, order: Order) -> Request:
        """Build the request, the mark of the reference in place of the key.

        Raises UsageWrong for a channel that is not declared, FilesWrong for a value that a path
        lacks or a template cannot use.
        """
        return self._requests.place(order)

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Put the key wherever the declaration says `{{ reference }}`, and into the header.

        Whether it stands in the body is said by the declaration alone: a request that is looked for
        by a reference which it never carried would count as absent, and be sent twice.
        """
        return self._requests.stamp(request, key)

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the id of the call or text, where the declaration says it stands."""
        document = accepted(self.name, self._api, reply)
        ids = {id_of(declared_answers.at(document, one.id)) for one in self._api.placing.values()} - {""}
        if len(ids) != 1:
            # Nothing here says whether a call or a text was placed, so two ids cannot be told apart.
            raise no_id(self.name, reply)
        left = (count_of(declared_answers.at(document, one.remaining)) for one in self._api.placing.values())
        return Receipt(provider_id=ids.pop(), remaining=next((count for count in left if count is not None), None))

    def poll_request(self, sent: Sent) -> Request | None:
        """Build the request that asks how it ended; None without `poll`, or without the id that its path names."""
        return self._requests.poll(sent)

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read how it stands; raise InDoubt for a word that the declaration does not explain."""
        if self._api.poll is None:
            raise InDoubt(f"{self.name} cannot be asked how a request ended")
        document = answered(self.name, self._api, reply)
        seen = declared_answers.observation(self._api.outcomes, self._api.poll, document, provider_id=sent.provider_id)
        word = seen.words.get("outcome", "")
        if not seen.is_final and not declared_answers.is_live(self._api, word):
            what = f"the word `{word}`, which its declaration does not know" if word else "without an outcome"
            raise InDoubt(f"{self.name} answered {what}")
        return seen

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build the look-up for a page; None without `find`, or past the only page."""
        return self._requests.find(sent, page)

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Find the item that carries the key, or the only one to the number; raise InDoubt when several could be it."""
        find = self._finding
        document = answered(self.name, self._api, reply, may_be_list=find.items is None)
        return declared_answers.found(self.name, find, sent, document, pages=self._requests.has_pages)

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read the one event of a webhook; raise WebhookRefused for what names no attempt, or without such a block."""
        shape = self._api.webhook
        if shape is None:
            raise meaningless(self.name, "came, and its declaration has none")
        document = webhook_document(self.name, body)
        seen = declared_answers.observation(
            self._api.outcomes,
            shape,
            document,
            provider_id=id_of(declared_answers.at(document, shape.id)),
            reference=id_of(declared_answers.at(document, shape.reference)),
        )
        if not seen.provider_id and not seen.reference:
            raise meaningless(self.name, "names neither a call nor a text")
        return (seen,)

    def read_inbound(self, headers: Mapping[str, str], body: bytes) -> tuple[InboundText, ...]:
        """Read a text that a person sent, as `inbound` says or in the plain form; none for other webhooks."""
        if self._api.inbound is None:
            return read_plain_text(self.name, body)
        return declared_answers.inbound(self.name, self._api.inbound, webhook_document(self.name, body))

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the signature that the declaration describes holds; False where there is none."""
        return self._api.webhook is not None and is_signed(self._api.webhook.signature, headers, body, secret, now)

    def cancel_request(self, sent: Sent) -> Request | None:
        """Build the request that calls it off; None without `cancel`, or without the id that its path names."""
        return self._requests.cancel(sent)

    def read_cancel(self, reply: Reply) -> bool:
        """Whether it was called off; False when it was too late. Raise a SendError when the answer says nothing."""
        return done(self.name, self._api, reply)

    def credential_check(self) -> Request | None:
        """Build the request with which a key is tried; None without `check`."""
        return self._requests.check()

    def read_credential_check(self, reply: Reply) -> bool:
        """Whether the key is taken; raise a SendError when the answer says nothing about it."""
        return is_accepted_key(self.name, reply)

    @property
    def _finding(self) -> FindRequest:
        if self._api.find is None:
            raise InDoubt(f"{self.name} cannot be asked whether a request arrived")
        return self._api.find


def _capabilities(api: HttpApi, requests: DeclaredRequests) -> Capabilities:
    """Say what a declaration has a block for."""
    names = frozenset[str]().union(*(requests.names(channel) for channel in api.placing))
    return Capabilities(
        channels=frozenset(api.placing),
        poll=api.poll is not None,
        find="none" if api.find is None else "reference" if api.find.reference else "number",
        needs_from=api.needs_from,
        takes_from="from" in names,
    )
