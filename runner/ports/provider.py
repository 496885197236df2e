"""How the engine meets a provider: pure protocols that build requests and read what comes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.handover import Handover, NativeAction, NativePage, NativeStatus
from runner.model.outcome import InboundText, Observation
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
    confirm: bool = False
    """its webhooks leave out what asking tells: even a proven one only has the provider asked"""
    assumed_signature: str = ""
    """the header, in lower case, of a signature whose scheme is only assumed: where it does not hold, it proves
    nothing either way"""
    needs_from: bool = False
    """every request names the number that people see"""
    takes_from: bool = True
    """a request can name the number that people see"""


class Provider(Protocol):
    """One provider's API, pure: builds requests and reads what comes back; sends nothing."""

    name: str

    @property
    def capabilities(self) -> Capabilities:
        """What the provider can do."""
        ...

    @property
    def native(self) -> NativeCampaigns | None:
        """The provider's own campaigns; None where it has none."""
        ...

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

    def read_inbound(self, headers: Mapping[str, str], body: bytes) -> tuple[InboundText, ...]:
        """Read the texts that people sent to us out of a webhook; none when it is about something else.

        Raises WebhookRefused when it cannot be read at all.
        """
        ...

    def cancel_request(self, sent: Sent) -> Request | None:
        """Build the request that calls off what was accepted and not yet dialled; None where there is none."""
        ...

    def read_cancel(self, reply: Reply) -> bool:
        """Whether it was called off; False when it was too late. Raise a SendError when the answer says nothing."""
        ...

    def credential_check(self) -> Request | None:
        """Build the cheapest request that tells whether a key is accepted; None where nothing can be read."""
        ...

    def read_credential_check(self, reply: Reply) -> bool:
        """Whether the key was accepted; raise a SendError when the answer says nothing."""
        ...

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the webhook's own signature proves it; False where the provider signs nothing."""
        ...


class DoNotCallList(Protocol):
    """A provider's own do-not-call list, pure; a provider that has one carries it as `do_not_call`."""

    most_numbers: int
    """how many numbers one request may add; 0 for a list that can only be read"""

    def list_request(self, page: int) -> Request:
        """Build the request for a page of the list, pages from 0."""
        ...

    def read_list(self, reply: Reply, page: int) -> ListedNumbers:
        """Read a page of the list; raise a SendError when the answer says nothing."""
        ...

    def add_request(self, numbers: Sequence[str], reason: str) -> Request:
        """Build the request that adds numbers; safe to send again."""
        ...

    def read_added(self, reply: Reply) -> None:
        """Read the answer to adding; raise a SendError unless the list has the numbers now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedNumbers:
    """A page of a provider's do-not-call list."""

    numbers: tuple[str, ...]
    """E.164"""
    more: bool
    """there is another page to ask for"""


class LineCount(Protocol):
    """Asking how many more calls an account may have live, pure; a provider that can carries it as `lines`."""

    def request(self) -> Request:
        """Build the request."""
        ...

    def read(self, reply: Reply) -> int:
        """Read how many calls could still begin now, whoever began the others; raise a SendError when it is not said."""
        ...


class ManyPolls(Protocol):
    """Asking by one request how many of them ended, pure; a provider that can carries it as `poll_many`."""

    @property
    def channel(self) -> Channel:
        """What can be asked for so."""
        ...

    @property
    def most(self) -> int:
        """How many one request may ask for."""
        ...

    def request(self, ids: Sequence[str]) -> Request:
        """Build the request for 1 to `most` of the provider's ids."""
        ...

    def read(self, reply: Reply) -> Mapping[str, Observation]:
        """Read what is said of each by its id; whatever the provider does not know is not in it.

        Raises Rejected without `pause` when they can only be asked for one by one, another SendError
        when the answer says nothing.
        """
        ...


class NativeCampaigns(Protocol):
    """A provider's own campaigns, pure: one request hands over many people at once."""

    @property
    def most_people(self) -> int:
        """How many people one request may carry."""
        ...

    def problem(self, handover: Handover) -> tuple[str, str] | None:
        """Say what of a handover the provider cannot express, and what to write instead; None when it can."""
        ...

    def create(self, handover: Handover) -> Request:
        """Build the request that hands over; `handover.people` holds at most `most_people`."""
        ...

    def read_created(self, reply: Reply) -> str:
        """Read the id of the created campaign; raise Rejected, Throttled or InDoubt.

        Raises Rejected with `pause` when the answer shows another generation of the API than the
        account pins.
        """
        ...

    def add(self, native_id: str, handover: Handover) -> Request | None:
        """Build the request that adds further people (same name, next chunk); None where there is none."""
        ...

    def launch(self, native_id: str) -> Request | None:
        """Build the request that starts it; None where creating starts it. Safe to send again."""
        ...

    def status_request(self, native_id: str) -> Request:
        """Build the request that asks where it stands."""
        ...

    def read_status(self, reply: Reply) -> NativeStatus:
        """Read where it stands; raise a SendError when the answer says nothing."""
        ...

    def rows_request(self, native_id: str, page: int, *, agent_id: str = "") -> Request | None:
        """Build the request for a page of its people, pages from 0; None where they cannot be asked for.

        A provider that can only list calls lists those of the agent alone.
        """
        ...

    def read_rows(self, reply: Reply) -> NativePage:
        """Read a page of its people; raise a SendError when the answer says nothing."""
        ...

    def find_request(self, handover_name: str, page: int) -> Request | None:
        """Build the request that looks for a campaign in doubt by its name; None where there is no list."""
        ...

    def read_find(self, handover_name: str, reply: Reply) -> Finding:
        """Read the answer to a find request; raise a SendError when it says nothing."""
        ...

    def known_as(self, native_id: str, sent_at: datetime) -> str:
        """Give the id under which a campaign is followed that a person found: with what its creation would have told.

        `sent_at` is when its handover was written down.
        """
        ...

    def control(self, native_id: str, action: NativeAction) -> Request | None:
        """Build the request that pauses, resumes or cancels; None where the provider has none."""
        ...

    def read_done(self, reply: Reply) -> bool:
        """Read the answer to add, launch and control: False when it says that the campaign's state did not allow it.

        Raises Rejected, Throttled or InDoubt for every other answer that is not 2xx.
        """
        ...
