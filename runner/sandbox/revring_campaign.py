"""RevRing's campaigns as values: settings, contacts, and how a contact stands after a dial."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from runner.sandbox.agenda import Entry
from runner.sandbox.call import Call
from runner.sandbox.windows import LocalWindow

RETRY_ON = ("no_answer", "busy", "voicemail", "declined", "failed")
"""outcomes after which a campaign may try again"""


class CampaignStatus(StrEnum):
    """Where a campaign stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELED = "canceled"


class ContactStatus(StrEnum):
    """Where a contact stands."""

    PENDING = "pending"
    DIALING = "dialing"
    RETRY_WAIT = "retry_wait"
    COMPLETED = "completed"
    EXHAUSTED = "exhausted"
    SKIPPED = "skipped"
    CANCELED = "canceled"


WAITING = frozenset({ContactStatus.PENDING, ContactStatus.RETRY_WAIT})
"""contacts that will be dialled"""

CLOSED = frozenset({CampaignStatus.COMPLETED, CampaignStatus.CANCELED})
"""campaigns that dial nobody any more"""


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """What a campaign is told to do; ``asked`` is how it was told."""

    asked: Mapping[str, Any]
    name: str
    agent_id: str
    from_number: str
    start_at: datetime | None = None
    window: LocalWindow | None = None
    """None lets it call at any time"""
    zone: ZoneInfo
    """zone of the window, for contacts without their own"""
    max_attempts: int
    retry_delay: timedelta
    retry_on: frozenset[str]
    max_concurrency: int | None = None
    calls_per_second: float = 1.0
    default_variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True, eq=False)
class Contact:
    """One number of a campaign; it occurs once."""

    id: str
    phone: str
    variables: Mapping[str, Any]
    zone_name: str | None = None
    zone: ZoneInfo | None = None
    status: ContactStatus = ContactStatus.PENDING
    outcome: str | None = None
    attempts: int = 0
    next_at: datetime | None = None
    last_call: Call | None = None


@dataclass(slots=True, kw_only=True, eq=False)
class Campaign:
    """One campaign and how far it has come."""

    id: str
    settings: CampaignSettings
    created_at: datetime
    updated_at: datetime
    status: CampaignStatus = CampaignStatus.DRAFT
    contacts: dict[str, Contact] = field(default_factory=dict)
    """by number, in the order in which they came"""
    started_at: datetime | None = None
    completed_at: datetime | None = None
    queue: list[tuple[datetime, int, Contact]] = field(default_factory=list)
    """a heap of those who wait: not before when, a number that keeps the order, who"""
    dialing: int = 0
    dialled_at: datetime | None = None
    """when it last placed a call"""
    wake: Entry | None = None


def outcome_of(call: Call) -> str:
    """Give a campaign's word for how a dial went; it has none for a number that nobody has."""
    outcome = call.outcome or "failed"
    return "failed" if outcome == "invalid_number" else outcome


def settle(contact: Contact, call: Call, settings: CampaignSettings, *, closed: bool) -> None:
    """Write down how a dial of a contact went, and whether it will be tried again."""
    contact.outcome = outcome_of(call)
    again = contact.outcome in settings.retry_on and contact.attempts < settings.max_attempts
    if again and not closed:
        contact.status = ContactStatus.RETRY_WAIT
        contact.next_at = (call.ended_at or call.updated_at) + settings.retry_delay
        return
    contact.next_at = None
    reached = contact.outcome == "answered" or (
        contact.outcome == "voicemail" and contact.outcome not in settings.retry_on
    )
    contact.status = ContactStatus.COMPLETED if reached else ContactStatus.EXHAUSTED
