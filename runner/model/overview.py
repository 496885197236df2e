"""What the ledger says about campaigns and contacts, for people and machines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.model.rounds import RoundsOverview


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverOverview:
    """People who were handed over together, as far as somebody still waits in it."""

    id: int
    campaign: str
    step: str
    account: str
    state: str
    name: str
    """what the provider's campaign is called"""
    native_id: str
    """the provider's id of its campaign; empty while nobody knows it"""
    people: int
    waiting: int
    """how many of them have no outcome yet"""
    told: str
    """what the provider was last told, and took: running, paused or cancelled"""
    reason: str
    sent_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignOverview:
    """One campaign, summed up."""

    campaign: str
    status: str
    """draft, scheduled, running, paused, completed or cancelled"""
    reason: str
    revision: int
    digest: str
    row_stats: Mapping[str, int]
    """`total` and the count of each contact state"""
    outcomes: tuple[tuple[str, str, str, int], ...]
    """(step, channel, outcome, count)"""
    tags: tuple[tuple[str, int], ...]
    attempts: int
    sent: int
    """attempts whose request left at least once"""
    placed: int
    """attempts that the provider gave an id"""
    first_sent: datetime | None
    last_sent: datetime | None
    round_of: str = ""
    """the campaign that this is a round of; empty for every other one"""
    rounds: RoundsOverview | None = None
    """of a campaign that repeats"""
    handovers: tuple[HandoverOverview, ...] = ()
    """those that are not over yet, oldest first"""
    held_of_left: int = 0
    """held attempts of people who are no longer in the plan; `row_stats` does not count them as held"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptOverview:
    """One attempt of a contact."""

    key: str
    log_id: str
    """what logs, traces and notifications call it"""
    step: str
    number: int
    channel: str
    state: str
    outcome: str
    tag: str
    reason: str
    due_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    provider_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactOverview:
    """One contact of a campaign."""

    key: str
    phone: str
    row: int
    state: str
    attempts: tuple[AttemptOverview, ...] = ()
    held_because: str = ""
    """why nothing was planned for somebody who is held; empty for everybody else"""

    @property
    def outcome(self) -> str:
        """How the newest ended attempt ended; empty when none has."""
        return next((one.outcome for one in reversed(self.attempts) if one.outcome), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountStanding:
    """An account that is not used freely."""

    account: str
    state: str
    """open, probing, half_open or trying for its breaker; slowed while the provider asks to wait"""
    reason: str
    since: datetime | None
    until: datetime | None
    """when it is tried next"""
