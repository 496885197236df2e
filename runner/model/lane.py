"""Lanes: what pacing counts attempts by, and what a ledger tells about them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One campaign x step x account x agent x from-number."""

    id: int
    campaign: str
    step: str
    account: str
    agent: str
    """the agent's name in the campaign; empty where it is not known any more"""
    from_number: str
    """the number that people see; empty where the campaign names none"""


@dataclass(frozen=True, slots=True)
class DueAttempt:
    """A planned attempt whose time has come and whose person has no live attempt."""

    id: int
    due_at: datetime


class Slot(NamedTuple):
    """A call without an outcome, or a text that is being sent."""

    lane: int
    since: datetime
    """when its request was about to leave"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecentDoubts:
    """A campaign's sends of a span of time, and how many of them came into doubt in it."""

    sent: int
    doubted: int
