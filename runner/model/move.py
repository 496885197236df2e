"""A change of one attempt's state, as a value: decided purely, written in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from runner.model.attempt import ENDED, AttemptState, check_move
from runner.model.channel import Channel
from runner.model.outcome import Observation, Outcome


class ContactState(StrEnum):
    """Where a contact stands in a campaign; these are the row stats."""

    PENDING = "pending"
    """nothing was sent yet"""
    CALLING = "calling"
    """an attempt is under way"""
    RETRY = "retry"
    """waits for another try or a later step"""
    COMPLETED = "completed"
    """the sequence is through"""
    FAILED = "failed"
    """ended without reaching the person"""
    HELD = "held"
    """waits for a person to decide"""
    SUPPRESSED = "suppressed"
    """must not be contacted"""
    REMOVED = "removed"
    """no longer among the contacts; not counted"""


OPEN_CONTACTS = frozenset({ContactState.PENDING, ContactState.CALLING, ContactState.RETRY})
"""states in which a contact still waits for something that the runner does"""

_ASKED = frozenset({AttemptState.ACCEPTED, AttemptState.IN_DOUBT})


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignInForce:
    """An applied campaign as the engine runs it."""

    name: str
    revision: int
    policy: str
    """the canonical campaign as JSON"""
    accounts: str
    """the accounts that it uses as JSON, credentials by reference"""
    is_active: bool
    """False while paused, cancelled or only half applied"""
    reason: str = ""
    """why it is paused"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NextAttempt:
    """An attempt that follows another one."""

    key: str
    step: str
    number: int
    channel: Channel
    due_at: datetime
    step_due_at: datetime | None = None
    """when its step became due for the person; `due_at` when absent"""
    is_callback: bool = False
    """made at a time that the person named; none of the step's tries"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One allowed state change of one attempt and all that is written with it.

    It applies only if the attempt still is in `old`; MoveRefused when the table of moves
    does not allow it at all.
    """

    attempt_id: int
    old: AttemptState
    new: AttemptState
    at: datetime
    contact: ContactState | None = None
    """where the contact stands now; None leaves it"""
    reason: str = ""
    source: str = ""
    """where the rule stands that the reason speaks of: a key path of the campaign, or the id of a row of the law"""
    due_at: datetime | None = None
    lease_until: datetime | None = None
    sent_at: datetime | None = None
    provider_id: str = ""
    poll_at: datetime | None = None
    polls: int = 0
    transport_tries: int | None = None
    unsent: bool = False
    """the request provably never left, so the intent is taken back"""
    outcome: Outcome | None = None
    observation: Observation | None = None
    next_attempt: NextAttempt | None = None

    @property
    def ends(self) -> bool:
        """Whether the attempt is over."""
        return self.new in ENDED

    def __post_init__(self) -> None:
        """Refuse what the table of moves does not allow; one that is asked for may stay where it is."""
        if self.old is not self.new or self.old not in _ASKED:
            check_move(self.old, self.new)
