"""How the engine meets its memory: each method one durable transaction, or a part of the one that is open."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol

from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.dealings import PastAttempt
from runner.model.handed_over import (
    DueGroup,
    Handed,
    HandedPerson,
    HandoverMove,
    HandoverRecord,
    NewHandover,
    RowSeen,
    Standing,
)
from runner.model.lane import DueAttempt, Lane, RecentDoubts, Slot
from runner.model.move import CampaignInForce, Move
from runner.model.outcome import InboundText, Observation
from runner.model.result import StoredWebhook
from runner.model.tried import Tried
from runner.ports.backups import BackupLedger
from runner.ports.lease import LeaseLedger
from runner.ports.rounds import RoundLedger
from runner.rules.health import AccountHealth


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

    def telling(self, handover_id: int, standing: Standing) -> None:
        """Write down what the provider is about to be told: when the answer is lost it may have heeded it."""
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

    def person(self, account: str, native_id: str, phone: str) -> HandedPerson | None:
        """Give somebody who was handed over through an account by the newest attempt, one that still waits first.

        With `native_id` only in that campaign of the provider's, or where nobody knows its id yet.
        """
        ...

    def hurry(self, handover_id: int, at: datetime) -> bool:
        """Have a provider's campaign looked at no later than this; whether that is sooner."""
        ...

    def hint(self, attempt_id: int) -> bool:
        """Count an unproven word about somebody; False when so many were heard that no other one is."""
        ...

    def heard_of(self, handover_id: int, native_id: str, at: datetime) -> None:
        """Write down which campaign of the provider's a held handover may have become, as a proven webhook says."""
        ...

    def unnamed(self, handover_id: int) -> None:
        """Take back which campaign of the provider's a handover was said to have become."""
        ...

    def to_call_off(self, count: int) -> list[Assignment]:
        """Give accepted attempts of cancelled campaigns and suppressed people that no provider was asked to call off."""
        ...

    def called_off(self, attempt_id: int, at: datetime) -> None:
        """Write down that the provider was asked to call an attempt off; it is asked once."""
        ...


class LetterLedger(Protocol):
    """What providers and people told us by themselves. Each method is one durable transaction, or a part of the one that is open."""

    def quarantine(self, account: str, digest: str, names: Iterable[tuple[str, str]]) -> None:
        """Have a received webhook wait for the calls that it names, by provider's id and by planted key."""
        ...

    def known_calls(self, attempt: Attempt) -> frozenset[str]:
        """Give the provider's ids of a person's other attempts through the same account."""
        ...

    def looks(self, attempt_id: int) -> int:
        """Count how often an attempt came into doubt or stayed there after a look."""
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

    def leave_alone(self, contact_id: int) -> None:
        """Count a contact for whom its campaign has ended as suppressed: they asked for it since."""
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


class LaneLedger(Protocol):
    """What is remembered of pacing. Each method is one durable transaction, or a part of the one that is open."""

    def put(self, campaign_id: int, step: str, account: str, agent: str, from_number: str) -> int:
        """Give the id of a lane, made if it is not there yet."""
        ...

    def after(self, lane_id: int) -> list[Lane]:
        """Give the lanes that came after another one, oldest first; all of them after 0."""
        ...

    def due(self, lane_id: int, now: datetime, count: int) -> list[DueAttempt]:
        """Give up to `count` attempts of a lane that are due and may be claimed, oldest first."""
        ...

    def claim(self, ids: Sequence[int], lease_until: datetime) -> list[Assignment]:
        """Take attempts by a lease; those that are planned no more, and second ones of a person, are left out."""
        ...

    def any_due(self, lanes: Collection[int], now: datetime) -> bool:
        """Whether an attempt of any of these lanes is due."""
        ...

    def live(self, now: datetime) -> list[Slot]:
        """Give every call without an outcome and every text that is being sent, in the order in which they started."""
        ...

    def anything_open(self, only: Collection[str] | None = None) -> bool:
        """Whether any attempt waits for something that the runner does, of the campaigns in `only` if given."""
        ...

    def starts(self, lanes: Collection[int], since: datetime, now: datetime) -> list[datetime]:
        """Give when attempts of lanes started after an instant, oldest first; what is claimed counts as started now."""
        ...

    def first_start(self, lanes: Collection[int]) -> datetime | None:
        """Give when the very first attempt of lanes started; None when none has."""
        ...

    def doubts(self, campaign: str, since: datetime) -> RecentDoubts:
        """Count what a campaign sent and what came into doubt since an instant; doubts from before it was resumed are forgiven."""
        ...

    def health(self) -> dict[str, AccountHealth]:
        """Give how every account that ever failed stands."""
        ...

    def put_health(self, account: str, health: AccountHealth) -> None:
        """Write down how an account stands."""
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
    def lanes(self) -> LaneLedger:
        """What pacing counts."""
        ...

    @property
    def backups(self) -> BackupLedger:
        """What is remembered of agents that take over."""
        ...

    @property
    def leases(self) -> LeaseLedger:
        """Who runs on the ledger."""
        ...

    @property
    def rounds(self) -> RoundLedger:
        """What is remembered of campaigns that repeat."""
        ...

    @property
    def handovers(self) -> HandoverLedger:
        """What is remembered of native delivery."""
        ...

    def accounts_due(self, now: datetime) -> set[str]:
        """Give the accounts through which calls of running campaigns are due."""
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
        """Write moves; for each, whether the attempt still was where the move says.

        When this fails inside an open transaction, whoever opened that must undo all of it.
        """
        ...

    def history(self, contact_id: int) -> tuple[Tried, ...]:
        """Give a contact's finished tries, oldest first."""
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

    def pause(self, campaign: str, reason: str, now: datetime, *, cause: str = "") -> None:
        """Pause a campaign and write down why, with `cause` in a word for other programs too."""
        ...

    def past_attempts(self, phone: str, since: datetime, now: datetime) -> tuple[PastAttempt, ...]:
        """Give one person's attempts of every campaign whose request may have left, under way or ended since, oldest first."""
        ...

    def suppress(self, phone: str, reason: str, source: str, now: datetime, *, until: datetime | None = None) -> bool:
        """Write down that a person must not be contacted, and call off what is planned for them in every campaign.

        With `until` they are left alone until then, and what is planned waits. Gives whether it is news.
        """
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
