"""One try to reach one contact by one step: its states, the table of allowed moves, its key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runner.errors import MoveRefused
from runner.model.channel import Channel
from runner.model.json import Json
from runner.model.request import Request
from runner.model.whereabouts import Whereabouts


class AttemptState(StrEnum):
    """Where an attempt stands."""

    PLANNED = "planned"
    """has a due instant and waits for it"""
    CLAIMED = "claimed"
    """a dispatcher holds it by a lease; nothing was sent"""
    SENDING = "sending"
    """the intent is durable; the request may be on its way"""
    ACCEPTED = "accepted"
    """the provider gave it an id"""
    IN_DOUBT = "in_doubt"
    """may have been placed; nothing proves it either way"""
    HELD = "held"
    """waits for a person"""
    FINISHED = "finished"
    """has an outcome"""
    CANCELLED = "cancelled"
    """called off before it was sent"""
    SUPPRESSED = "suppressed"
    """the person must not be contacted"""
    EXPIRED = "expired"
    """its time passed before it was sent"""
    SUPERSEDED = "superseded"
    """a newer revision replaced it before it was sent"""


_S = AttemptState
_GIVEN_UP = frozenset({_S.CANCELLED, _S.SUPPRESSED, _S.EXPIRED, _S.SUPERSEDED})

MOVES: dict[AttemptState, frozenset[AttemptState]] = {
    # Held, or in doubt from the claim on: another copy of the ledger may have sent it.
    _S.PLANNED: frozenset({_S.CLAIMED, _S.HELD}) | _GIVEN_UP,
    _S.CLAIMED: frozenset({_S.SENDING, _S.PLANNED, _S.IN_DOUBT}) | _GIVEN_UP,
    _S.SENDING: frozenset({_S.ACCEPTED, _S.FINISHED, _S.PLANNED, _S.IN_DOUBT}),
    _S.ACCEPTED: frozenset({_S.FINISHED}),
    _S.IN_DOUBT: frozenset({_S.ACCEPTED, _S.PLANNED, _S.HELD, _S.FINISHED}),
    # In doubt again once a person says where to look.
    _S.HELD: frozenset({_S.ACCEPTED, _S.PLANNED, _S.FINISHED, _S.IN_DOUBT}),
    _S.FINISHED: frozenset(),
    _S.CANCELLED: frozenset(),
    _S.SUPPRESSED: frozenset(),
    _S.EXPIRED: frozenset(),
    # A contact that left the files before anything was sent may come back in a later revision.
    _S.SUPERSEDED: frozenset({_S.PLANNED}),
}
"""The only state changes there are; the ledger refuses every other one."""

LIVE = frozenset({_S.CLAIMED, _S.SENDING, _S.ACCEPTED, _S.IN_DOUBT})
"""states of which one person has at most one, over all campaigns"""

ENDED = frozenset({_S.FINISHED}) | _GIVEN_UP
"""states in which the runner has nothing left to do"""


def check_move(old: AttemptState, new: AttemptState) -> None:
    """Raise MoveRefused unless the table allows the move."""
    if new not in MOVES[old]:
        message = f"an attempt cannot go from {old} to {new}"
        raise MoveRefused(message)


def attempt_key(campaign: str, contact: str, step: str, number: int) -> str:
    """Give the key of an attempt: 32 hex digits, the same on every machine.

    It is unique in the ledger and travels as idempotency key and metadata.
    """
    parts = "\x1f".join((campaign, contact, step, str(number)))
    return hashlib.blake2b(parts.encode(), digest_size=16, person=b"outreach-attempt").hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One row of the ledger, as the engine sees it; instants are aware and UTC."""

    id: int
    key: str
    campaign: str
    contact_id: int
    contact_key: str
    phone: str
    zones: tuple[str, ...]
    step: str
    number: int
    channel: Channel
    provider: str
    account: str
    state: AttemptState
    due_at: datetime
    transport_tries: int = 0
    """how often it was not sent or throttled; never eats the person's budget"""
    provider_id: str = ""
    sent_at: datetime | None = None
    poll_at: datetime | None = None
    polls: int = 0
    """how often its outcome was asked for since it was accepted or came into doubt"""
    jurisdictions: tuple[str, ...] = ()
    """whose law counts, such as `US` and `US-TX`"""
    own_zones: tuple[str, ...] = ()
    """the person's own zones, where `zones` is the clock of the campaign"""
    step_due_at: datetime | None = None
    """when its step became due for the person, however often the attempt was put off since"""
    is_callback: bool = False
    """made at a time that the person named; none of the step's tries"""
    lost_since: datetime | None = None
    """from when on another copy of the ledger may have sent it; None when none may have"""
    lost_until: datetime | None = None
    """until when it may have"""
    is_lost: bool = False
    """another copy may have sent it, and nobody has been asked yet"""

    @property
    def where(self) -> Whereabouts:
        """Where the person may be."""
        return Whereabouts(self.zones, self.jurisdictions, self.own_zones)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """An attempt with everything that carrying it out needs."""

    attempt: Attempt
    agent_id: str
    request: Request
    """as planned, without the attempt's key"""
    cells: Mapping[str, Json]
    """the contact's row, for conditions of later steps"""
    agent: str = ""
    """the name in the campaign of the agent who talks; empty where nobody knows it any more"""
    variant: str = ""
    """the person's variant of the campaign; empty without one"""
    suppression: str
    """why the person must not be contacted, for good; empty when they may"""
    is_paused: bool
    """the campaign is paused"""
    has_left: bool = False
    """the person is no longer in the plan"""
    left_alone_until: datetime | None = None
    """the end of a suppression that has one; it may be over"""
    left_alone_why: str = ""
