"""What there was with one person so far, over all campaigns: what caps count, and until when they are left alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.model.channel import Channel
from runner.model.outcome import Outcome

_NOT_DIALLED = frozenset({Outcome.CANCELLED, Outcome.FAILED})
"""endings that may come without a single dial; with any other one there was at least one"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAttempt:
    """One attempt on a person whose request may have left, of whatever campaign; instants are aware and UTC."""

    campaign: str
    purpose: str
    """of its campaign; empty where nobody knows, and then it counts for every purpose"""
    channel: Channel
    started_at: datetime
    """when its request left"""
    ended_at: datetime | None = None
    """when its end was known; None while it is under way"""
    outcome: str = ""
    """empty while it is under way"""
    calls: int | None = None
    """how often the provider dialled, its own redials included; None where it does not say"""
    handed_over: bool = False
    """the provider chose by itself when to dial"""

    @property
    def count(self) -> int:
        """How many attempts the person got by it: at least one unless it provably ended without a dial."""
        if self.calls == 0 and self.outcome in _NOT_DIALLED:
            return 0
        return max(1, self.calls or 0)

    @property
    def at(self) -> datetime:
        """The latest instant at which the person may have been tried: the start where one dial left at once."""
        if (self.handed_over or self.count > 1) and self.ended_at is not None:
            return self.ended_at
        return self.started_at

    @property
    def talked_at(self) -> datetime | None:
        """When the person talked with the agent on the phone; None when they did not."""
        if self.channel != "call" or self.outcome != Outcome.ANSWERED:
            return None
        return self.ended_at or self.started_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Dealings:
    """All that holds one person back at an instant, except what stands for good."""

    past: tuple[PastAttempt, ...] = ()
    """as far back as any cap looks"""
    left_alone_until: datetime | None = None
    """the end of a suppression that has one"""
    left_alone_why: str = ""


NO_DEALINGS = Dealings()
"""a person with whom there was nothing"""
