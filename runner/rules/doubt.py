"""The doubt budget: how many of its sends a campaign may have in doubt before it pauses itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from runner.model.lane import RecentDoubts


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtBudget:
    """Sends in doubt are people who may have been called, so more than a few of them stop a campaign."""

    least: int = 3
    """so many are never too many"""
    share: float = 0.01
    """of the sends of the same time"""
    span: timedelta = timedelta(hours=1)

    def verdict(self, recent: RecentDoubts) -> str:
        """Say why a campaign is to pause; empty when it may go on. `recent` is of the last `span`."""
        if recent.doubted <= max(self.least, self.share * recent.sent):
            return ""
        return (
            f"{recent.doubted} of the {recent.sent} sends of the last hour are or were in doubt, more than the"
            f" {self.least} or {self.share:.0%} that may be: look at them, then resume"
        )
