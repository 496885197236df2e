"""How the engine meets the world: providers, transport, clock, alarm; small protocols, no code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from runner.model.attempt import Channel
from runner.model.campaign import Agent
from runner.model.fields import FilePart
from runner.model.outcome import Observation
from runner.model.project import Account
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a provider can do."""

    channels: frozenset[Channel]
    poll: bool
    """an outcome can be asked for"""
    find: Literal["reference", "number", "none"]
    """how a request in doubt is found again: by the planted key, by number and time, not at all"""
    idempotent: bool = False
    """the same key never dials twice"""
    native: bool = False
    """has campaigns of its own"""
    needs_from: bool = False
    """every request names the number that people see"""
    takes_from: bool = True
    """a request can name the number that people see"""


class Provider(Protocol):
    """One provider's API, pure: builds requests and reads what comes back; sends nothing."""

    name: str
    capabilities: Capabilities

    def options_model(self, channel: Channel) -> type[FilePart]:
        """Give the model of the provider's own options for a call or a text."""
        ...

    def agent_problem(self, agent: Agent) -> tuple[str, str] | None:
        """Say what is wrong with an agent (its id's form) and what to write instead; None when nothing is."""
        ...

    def auth_headers(self, credential: str) -> Mapping[str, str]:
        """Give the headers that carry a credential (or its reference, for a plan)."""
        ...

    def build(self, order: Order) -> Request:
        """Build the request for an order, without a key planted in it."""
        ...

    def stamp(self, request: Request, key: str, *, in_body: bool) -> Request:
        """Plant an attempt's key: always as header, and in the body's metadata where there is a place."""
        ...

    def read_receipt(self, reply: Reply) -> Receipt:
        """Read the answer to a built request; raise Rejected, Throttled or InDoubt."""
        ...

    def poll_request(self, sent: Sent) -> Request | None:
        """Build the request that asks how it ended; None without a read side."""
        ...

    def read_poll(self, sent: Sent, reply: Reply) -> Observation:
        """Read the answer to a poll request; raise a SendError when it says nothing."""
        ...

    def find_request(self, sent: Sent, page: int) -> Request | None:
        """Build the request that looks for a request in doubt, pages from 0; None without a read side."""
        ...

    def read_find(self, sent: Sent, reply: Reply) -> Finding:
        """Read the answer to a find request; raise a SendError when it says nothing."""
        ...

    def read_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Observation, ...]:
        """Read a webhook (header names in lower case); raise WebhookRefused when it makes no sense."""
        ...

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the webhook's own signature proves it; False where the provider signs nothing."""
        ...


class Transport(Protocol):
    """Sends requests over the network."""

    async def send(self, account: Account, request: Request) -> Reply:
        """Send one request, once, with the account's credential; raise NotSent or InDoubt.

        Never retries, never follows a redirect.
        """
        ...


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        ...


class Alarm(Protocol):
    """Wakes the dispatcher; decides nothing."""

    def set(self, at: datetime) -> None:
        """Wake at this instant of the clock, at once if it has passed; an earlier alarm stays."""
        ...
