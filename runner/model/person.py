"""Everything that the ledger holds of one person: where they stand in each campaign, every attempt, every event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from runner.model.attempt import Assignment
from runner.model.json import Json
from runner.model.rule_places import RulePlaces
from runner.model.suppression import Suppression


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened, as it was written down; never changed afterwards."""

    at: datetime
    kind: str
    """the state that an attempt came to, or what else happened, such as `called_off`"""
    detail: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStory:
    """One attempt with all that happened to it, oldest first."""

    work: Assignment
    log_id: str
    """what logs, traces and notifications call it"""
    reason: str
    """what was last said about it"""
    outcome: str
    """how it ended; empty while it has not"""
    tag: str
    ended_at: datetime | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionFacts:
    """The revision of a campaign that is in force."""

    id: int
    digest: str
    policy: str
    """the canonical campaign as JSON"""
    places: RulePlaces
    git_commit: str
    """empty outside git; `+` at its end when files differed from it"""
    applied_by: str
    applied_at: datetime
    tool_version: str
    tzdata: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignStory:
    """Where a person stands in one campaign."""

    campaign: str
    state: str
    """active, paused or cancelled"""
    reason: str
    """why it is paused or cancelled"""
    revision: RevisionFacts
    key: str
    phone: str
    row: int
    contact_state: str
    held_because: str
    """why the person is held where nothing was planned; empty otherwise"""
    zones: tuple[str, ...]
    zone_source: str
    jurisdictions: tuple[str, ...]
    cells: Mapping[str, Json]
    attempts: tuple[AttemptStory, ...]
    """oldest first"""
    events: tuple[Event, ...]
    """what happened to the contact itself"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """One phone number and everything about it."""

    phone: str
    suppression: Suppression | None
    lifted: tuple[Suppression, ...]
    """entries that were taken from the list"""
    listed_by: tuple[str, ...]
    """accounts whose own do-not-call list has the number"""
    campaigns: tuple[CampaignStory, ...]
