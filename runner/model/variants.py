"""How the variants of a campaign did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A count of people out of others, with the interval of 95 % in which the true share lies; in 0..1."""

    count: int
    of: int
    low: float
    high: float

    @property
    def value(self) -> float | None:
        """The share itself; None of nobody."""
        return self.count / self.of if self.of else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantResult:
    """What came of the people of one variant."""

    variant: str
    """empty for people who have none"""
    contacts: int
    """people in the campaign"""
    tried: int
    """those with an attempt that was sent and has ended"""
    reached: Share
    """of those tried: somebody answered, a text arrived"""
    goal: Share | None
    """of those tried: the goal is reached; None where the campaign has no `done_when`"""
