"""Rounds: the runs of a campaign that repeats. Each is a campaign of its own in the ledger, with contacts and keys of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

_SIGN = "@"
_OF_ONE = re.compile("(?:call|text)-[0-9a-f]{12}")
"""the names that `outreach call` and `outreach text` give"""


def round_name(campaign: str, at: datetime) -> str:
    """Give the name of a campaign's round, such as `renewals@2026-04-06T13:00Z`; no file can take it."""
    return f"{campaign}{_SIGN}{at.astimezone(UTC):%Y-%m-%dT%H:%MZ}"


def family_of(name: str) -> str:
    """Give the campaign that a round is one of; any other campaign's own name."""
    return name.partition(_SIGN)[0]


def series_of(name: str) -> str:
    """Give the name under which metrics count a campaign: its family's, and `call` or `text` for those of one person."""
    return name.partition("-")[0] if _OF_ONE.fullmatch(name) else family_of(name)


def is_round(name: str) -> bool:
    """Whether a name is that of a round."""
    return _SIGN in name


ABSENT = "no runner was at work"
PAUSED = "the campaign was paused"
HALF_APPLIED = "the campaign was applied half"
TAKEN_OVER = "other rules were applied before it began"
"""why rounds are missed"""


class RoundState(StrEnum):
    """What became of a round, or of several in a row."""

    STARTED = "started"
    """it is a campaign of its own"""
    MISSED = "missed"
    """its time passed while no runner was at work, or while the campaign was paused or applied half"""
    REFUSED = "refused"
    """the files were wrong or no longer those that were applied"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRecord:
    """One line of what became of a campaign's rounds; instants are aware and UTC."""

    campaign: str
    at: datetime
    """when the round was due; of several the newest"""
    state: RoundState
    noted_at: datetime
    name: str = ""
    """the round's own campaign; empty unless it was started"""
    count: int = 1
    """for how many rounds in a row the line stands"""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurring:
    """A campaign in force that repeats."""

    name: str
    file: str
    """its file, relative to the project"""
    digest: str
    """of the rules that were applied"""
    tool_version: str
    """of the tool that applied them"""
    since: datetime
    """rounds after it are not accounted for, be it by these rules or by earlier ones"""
    applied_at: datetime
    """when writing down its rules began: rounds from then on are due by them"""
    in_force_since: datetime
    """when its rules were written to their end"""
    is_active: bool
    """False while paused"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundRules:
    """What a campaign was to repeat by from one apply to the next."""

    policy: str
    """the canonical campaign as JSON"""
    since: datetime
    """when writing them down began"""
    until: datetime
    """when writing down the next ones began"""
    in_force_since: datetime | None
    """when they were written to their end; None when they never were"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsSummary:
    """What a plan says about the rounds of a campaign."""

    campaign: str
    rule: str
    zone: str
    catch_up: str
    expires: timedelta | None
    """older rounds are never started"""
    next_at: tuple[datetime, ...]
    """the next rounds; empty when there is none any more"""
    is_in_force: bool
    """whether applying the plan changes nothing"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundsOverview:
    """What the ledger says about the rounds of a campaign."""

    rule: str
    zone: str
    catch_up: str
    next_at: datetime | None
    """when the next round is due; None when there is none any more, or while the campaign is applied half"""
    started: int
    missed: int
    refused: int
    newest: RoundRecord | None
    is_half_applied: bool
    """whether an apply broke off: no round begins until it is applied to the end"""
