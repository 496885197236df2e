"""How the engine meets the world: ledger, providers, transport, clock, alarm; small protocols, no code."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from runner.model.attempt import Assignment, AttemptState
from runner.model.campaign import Agent
from runner.model.channel import Channel
from runner.model.fields import FilePart
from runner.model.handed_over import DueGroup, Handed, HandoverMove, HandoverRecord, NewHandover, RowSeen, Standing
from runner.model.handover import Handover, NativeAction, NativePage, NativeStatus
from runner.model.move import CampaignInForce, Move
from runner.model.outcome import InboundText, Observation
from runner.model.project import Account
from runner.model.request import Finding, Order, Receipt, Reply, Request, Sent
from runner.model.result import StoredWebhook
from runner.rules.expressions import StepResult


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

    def credential_check(self) -> Request | None:
        """Build the cheapest request that tells whether a key is accepted; None where nothing can be read."""
        ...

    def read_credential_check(self, reply: Reply) -> bool:
        """Whether the key was accepted; raise a SendError when the answer says nothing."""
        ...

    def verify_webhook(self, headers: Mapping[str, str], body: bytes, secret: str, now: datetime) -> bool:
        """Whether the webhook's own signature proves it; False where the provider signs nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedNumbers:
    """A page of a provider's do-not-call list."""

    numbers: tuple[str, ...]
    """E.164"""
    more: bool
    """there is another page to ask for"""


class DoNotCallList(Protocol):
    """A provider's own do-not-call list, pure; a provider that has one carries it as `do_not_call`."""

    most_numbers: int
    """how many numbers one request may add"""

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


class NativeCampaigns(Protocol):
    """A provider's own campaigns, pure: one request hands over many people at once."""

    most_people: int
    """how many people one request may carry"""

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

    def control(self, native_id: str, action: NativeAction) -> Request | None:
        """Build the request that pauses, resumes or cancels; None where the provider has none."""
        ...

    def read_done(self, reply: Reply) -> bool:
        """Read the answer to add, launch and control: False when it says that the campaign's state did not allow it.

        Raises Rejected, Throttled or InDoubt for every other answer that is not 2xx.
        """
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


class HandoverLedger(Protocol):
    """What is remembered of native delivery. Each method is one durable transaction, or a part of the one that is open."""

    def first_due(self, campaign: str, step: str, due_by: datetime) -> DueGroup | None:
        """Give what the step's attempts that are due first have in common; None when nobody is due."""
        ...

    def claim(self, group: DueGroup, count: int, lease_until: datetime, *, same_zones: bool) -> list[Assignment]:
        """Take due attempts of a group by a lease, with `same_zones` those of its zones alone; nobody who is live."""
        ...

    def begin(self, new: NewHandover, at: datetime) -> HandoverRecord:
        """Write an intent: the handover, `sending`, and who is in it."""
        ...

    def count(self, campaign: str, step: str) -> int:
        """Count the handovers that a step has had."""
        ...

    def record(self, handover_id: int) -> HandoverRecord:
        """Give a handover as it stands now."""
        ...

    def unfinished(self) -> list[HandoverRecord]:
        """Give every handover that the provider may still be working on, oldest first."""
        ...

    def move(self, move: HandoverMove) -> bool:
        """Write a move; whether the handover still was where the move says."""
        ...

    def told(self, record: HandoverRecord, standing: Standing, at: datetime, *, refusal: str = "") -> None:
        """Write down that the provider took what it was told, or why it did not."""
        ...

    def people(self, handover_id: int) -> list[Handed]:
        """Give everybody in a handover as they stand now, in the order in which they were handed over."""
        ...

    def release(self, handover_id: int) -> None:
        """Let those who went back in line be handed over anew."""
        ...

    def see(self, handover_id: int, seen: Iterable[RowSeen], at: datetime) -> None:
        """Write down what a provider says of its people: how often they were dialled, where they stand."""
        ...

    def to_call_off(self, count: int) -> list[Assignment]:
        """Give accepted attempts of cancelled campaigns that the provider was not asked to call off."""
        ...

    def called_off(self, attempt_id: int, at: datetime) -> None:
        """Write down that the provider was asked to call an attempt off; it is asked once."""
        ...


class LetterLedger(Protocol):
    """What providers and people told us by themselves. Each method is one durable transaction, or a part of the one that is open."""

    def quarantine(self, account: str, digest: str, names: Iterable[tuple[str, str]]) -> None:
        """Have a received webhook wait for the calls that it names, by provider's id and by planted key."""
        ...

    def waiting(self, account: str, provider_id: str, key: str, since: datetime) -> list[StoredWebhook]:
        """Give the webhooks that came since then and wait for this provider's id or this key, oldest first."""
        ...

    def release(self, webhook: StoredWebhook, result: str) -> None:
        """Write down what a webhook that waited led to; it waits no more."""
        ...

    def forget_bodies(self, before: datetime) -> int:
        """Drop the bodies of older webhooks; give of how many."""
        ...

    def outcome(self, attempt_id: int) -> str:
        """Give how an attempt ended; empty when it has not."""
        ...

    def fill(self, attempt_id: int, seen: Observation) -> None:
        """Add what a later word knows to the result of an attempt; what it says already stays."""
        ...

    def note(self, at: datetime, attempt_id: int | None, kind: str, **detail: Any) -> None:
        """Write an event."""
        ...

    def note_once(self, at: datetime, attempt_id: int, kind: str, **detail: Any) -> bool:
        """Write an event that an attempt does not have yet; whether it had not."""
        ...

    def newest_sent(self, account: str, phone: str) -> Assignment | None:
        """Give the attempt that a reply answers: the newest text through this account, else the newest of all."""
        ...

    def locales(self, phone: str) -> tuple[str, ...]:
        """Give the locales of the campaigns that hold a person."""
        ...

    def is_suppressed(self, phone: str) -> bool:
        """Whether a person must not be contacted."""
        ...

    def reply(
        self, account: str, text: InboundText, now: datetime, *, attempt_id: int | None, stops: bool, verified: bool
    ) -> bool:
        """Store a text that a person sent back; False when the provider told this very one before."""
        ...

    def unlisted(self, account: str, count: int) -> list[str]:
        """Give people who must not be contacted and whom the account's own list does not know yet."""
        ...

    def listed(self, account: str, phones: Sequence[str], now: datetime) -> int:
        """Write down that the account's own list knows these numbers; give how many are news."""
        ...


class Ledger(Protocol):
    """What is remembered. Each method is one durable transaction, or a part of the one that is open."""

    def transaction(self) -> AbstractContextManager[None]:
        """Make what happens inside one durable change, or none."""
        ...

    def campaigns_in_force(self) -> list[CampaignInForce]:
        """Give every applied campaign."""
        ...

    @property
    def letters(self) -> LetterLedger:
        """What providers and people told us by themselves."""
        ...

    @property
    def handovers(self) -> HandoverLedger:
        """What is remembered of native delivery."""
        ...

    def claim_due(
        self, campaign: str, count: int, now: datetime, lease_until: datetime, *, apart: Sequence[str] = ()
    ) -> list[Assignment]:
        """Take due attempts by a lease: never two of one person, nobody who has a live attempt, no step of `apart`."""
        ...

    def assignments(self, ids: Sequence[int]) -> list[Assignment]:
        """Give attempts as they stand now."""
        ...

    def to_ask(self, now: datetime, count: int) -> list[Assignment]:
        """Give the accepted and doubtful attempts that are to be asked for."""
        ...

    def in_state(self, state: AttemptState) -> list[Assignment]:
        """Give all attempts in one state."""
        ...

    def find(self, account: str, provider_id: str, key: str) -> Assignment | None:
        """Give the attempt of a provider's id or of a planted key."""
        ...

    def move(self, moves: Iterable[Move]) -> list[bool]:
        """Write moves; for each, whether the attempt still was where the move says."""
        ...

    def history(self, contact_id: int) -> dict[str, StepResult]:
        """Give how each step done so far ended for a contact."""
        ...

    def live_calls(self) -> dict[str, int]:
        """Give the number of calls without an outcome by campaign."""
        ...

    def recent_starts(self, campaign: str, since: datetime) -> list[datetime]:
        """Give when a campaign's last attempts started, oldest first."""
        ...

    def next_due(self, now: datetime, only: Collection[str] | None = None) -> datetime | None:
        """Give the first instant after `now` at which an attempt is due, of the campaigns in `only` if given."""
        ...

    def next_ask(self) -> datetime | None:
        """Give the first instant at which an outcome is to be asked for."""
        ...

    def open_attempts(self, only: Collection[str] | None = None) -> int:
        """Count the attempts that still wait for something that the runner does, of the campaigns in `only` if given."""
        ...

    def pause(self, campaign: str, reason: str, now: datetime) -> None:
        """Pause a campaign and write down why."""
        ...

    def suppress(self, phone: str, reason: str, source: str, now: datetime) -> None:
        """Write down that a person must not be contacted, and call off what is planned for them in every campaign."""
        ...

    def receive(self, account: str, digest: str, body: bytes, now: datetime, *, verified: bool) -> bool:
        """Store a webhook as it came; False when this very one was received before."""
        ...

    def settle_webhook(self, account: str, digest: str, result: str) -> None:
        """Write down what a webhook led to."""
        ...

    def ask_now(self, attempt_id: int, now: datetime) -> None:
        """Have an accepted attempt's outcome asked for at once; an attempt has so many hints and no more."""
        ...
