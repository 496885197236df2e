"""What of a ledger is counted while it is run on: how many wait, are live, in doubt or held, and what just happened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneCounts:
    """The attempts of one campaign that go through one account."""

    campaign: str
    account: str
    due: int = 0
    """planned, their time has come, the campaign neither paused nor cancelled"""
    live: int = 0
    """claimed, being sent, or accepted and without an outcome"""
    in_doubt: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerCounts:
    """What a ledger holds at one instant."""

    lanes: tuple[LaneCounts, ...] = ()
    oldest_due: Mapping[str, datetime] = field(default_factory=dict)
    """by campaign, when the attempt that waits longest became due"""
    campaigns: Mapping[str, str] = field(default_factory=dict)
    """by name: active, paused or cancelled"""
    breakers: Mapping[str, str] = field(default_factory=dict)
    """by account; one that never failed is not in it"""
    webhooks_waiting: int = 0
    """for the calls that they name"""
    notifications: Mapping[str, int] = field(default_factory=dict)
    """by state: waiting, dead"""
    epoch: int = 0
    """how many runners have taken the ledger so far"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """An event of the ledger about one attempt."""

    id: int
    """grows with each event"""
    at: datetime
    kind: str
    """the state that the attempt came into, or another word for what happened"""
    was: str
    """the state that it left; empty where none was left"""
    attempt: str
    """the attempt's key"""
    contact: str
    """the contact's key in its campaign, which may be of the person's own making: for keys of earlier attempts alone"""
    campaign: str
    step: str
    number: int
    account: str
    channel: str
    outcome: str
    """how the attempt ended; empty while it has not"""
    sent_at: datetime | None
