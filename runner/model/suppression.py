"""A person who must not be contacted: who, why, who said so, and until when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One entry of the list that holds for all campaigns and channels; instants are aware and UTC."""

    phone: str
    """E.164"""
    reason: str
    source: str
    """who or what said so, such as `by hand` or `attempt` and its key"""
    at: datetime
    until: datetime | None = None
    """when it ends; None for good"""

    def holds(self, now: datetime) -> bool:
        """Whether the person must not be contacted at `now`."""
        return self.until is None or now < self.until

    @property
    def sentence(self) -> str:
        """Why the person must not be contacted, in one line."""
        end = f", until {self.until:%Y-%m-%d %H:%M} UTC" if self.until is not None else ""
        return f"{self.reason} ({self.source}){end}"
