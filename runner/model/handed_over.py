"""A handover as the ledger has it: its states, the table of allowed moves, the people in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from runner.errors import MoveRefused
from runner.model.attempt import AttemptState
from runner.model.move import ContactState

Standing = Literal["running", "paused", "cancelled"]
"""what a provider was told about its campaign"""


class HandoverState(StrEnum):
    """Where a handover stands."""

    SENDING = "sending"
    """the intent is durable; the request that creates may be on its way"""
    CREATED = "created"
    """the provider gave it an id; people are still to be added, or it is still to be launched"""
    ACCEPTED = "accepted"
    """the provider has everybody and places the calls"""
    FINISHED = "finished"
    """everybody in it has an outcome"""
    IN_DOUBT = "in_doubt"
    """may have been created; nothing proves it either way"""
    ABSENT = "absent"
    """proved never to have arrived; its people went back in line"""
    HELD = "held"
    """may have been created, and only a person can find out and say"""
    REJECTED = "rejected"
    """provably not created; its people went back in line or have failed"""


_H = HandoverState

HANDOVER_MOVES: dict[HandoverState, frozenset[HandoverState]] = {
    _H.SENDING: frozenset({_H.CREATED, _H.IN_DOUBT, _H.REJECTED}),
    _H.CREATED: frozenset({_H.ACCEPTED}),
    _H.ACCEPTED: frozenset({_H.FINISHED}),
    _H.IN_DOUBT: frozenset({_H.CREATED, _H.ABSENT, _H.HELD}),
    _H.FINISHED: frozenset(),
    _H.ABSENT: frozenset(),
    # A person says which campaign it became, which is looked up once more, or that it never was.
    _H.HELD: frozenset({_H.IN_DOUBT, _H.ABSENT}),
    _H.REJECTED: frozenset(),
}
"""the only state changes there are; one that is asked about again may stay where it is"""

UNFINISHED = frozenset({_H.SENDING, _H.CREATED, _H.ACCEPTED, _H.IN_DOUBT})
"""states in which the provider may be dialling, or soon will"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueGroup:
    """What attempts of one step that are due may share, so that one handover can hold them."""

    campaign: str
    step: str
    due_by: datetime
    account: str
    agent_id: str
    zones: str
    """the candidate zones of the one who is due first, as the ledger writes them"""
    different_zones: int
    """in how many different zones the others are"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewHandover:
    """An intent: what is written before the request that creates leaves."""

    key: str
    """32 hex digits, unique"""
    campaign: str
    step: str
    account: str
    agent_id: str
    name: str
    """what the provider's campaign is called"""
    concurrency: int
    """how many calls the provider may have live at once"""
    attempts: Sequence[int]
    """the ids of the attempts in it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverRecord:
    """One row of the ledger; instants are aware and UTC."""

    id: int
    key: str
    campaign: str
    step: str
    account: str
    agent_id: str
    name: str
    state: HandoverState
    people: int
    concurrency: int
    sent_at: datetime
    """when its intent was written"""
    changed_at: datetime
    """when the provider last told something new of anybody in it"""
    native_id: str = ""
    """the provider's id of its campaign"""
    told: Standing = "running"
    """what the provider was last told, and took"""
    telling: Standing | Literal[""] = ""
    """what the provider is being told; until it answers it may have heeded it, or not"""
    refused: Standing | Literal[""] = ""
    """what the provider cannot do or would not: it is not told again"""
    poll_at: datetime | None = None
    """when it is looked after next"""
    polls: int = 0
    """how often it was asked about since it last changed its state"""
    tries: int = 0
    """how often in a row looking after it failed"""
    reason: str = ""
    campaign_state: Literal["active", "paused", "cancelled"] = "active"

    @property
    def can_be_found(self) -> bool:
        """Whether its name tells it from every other campaign of the account."""
        return self.name.endswith(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverMove:
    """A change of one handover; it applies only if the handover still is in `old`."""

    handover_id: int
    old: HandoverState
    new: HandoverState
    at: datetime
    native_id: str = ""
    poll_at: datetime | None = None
    polls: int = 0
    tries: int = 0
    reason: str = ""

    def __post_init__(self) -> None:
        """Raise MoveRefused for what the table does not allow."""
        if self.new is not self.old and self.new not in HANDOVER_MOVES[self.old]:
            message = f"a handover cannot go from {self.old} to {self.new}"
            raise MoveRefused(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Handed:
    """One person of a handover as the ledger has it."""

    attempt_id: int
    phone: str
    state: AttemptState
    contact: ContactState
    calls: int
    """how often the provider dialled, as far as it was told"""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedPerson:
    """Somebody whom a webhook speaks of, by the newest attempt that was handed over."""

    attempt_id: int
    handover_id: int
    calls: int
    """how often the provider dialled, as far as it was told"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSeen:
    """What a provider says of one person who has no outcome yet, or had so many calls until it."""

    attempt_id: int
    calls: int
    contact: ContactState | None = None
    """where the person stands now; None leaves it"""
