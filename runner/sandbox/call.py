"""One call or text from the request to its end, as every face sees it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from runner.sandbox.agenda import Entry
from runner.sandbox.people import Fate, Kind
from runner.sandbox.webhooks import Delivery


class Stage(StrEnum):
    """Where a call stands."""

    HELD = "held"
    """waits until somebody launches it"""
    SCHEDULED = "scheduled"
    """waits for its instant"""
    QUEUED = "queued"
    """waits for a free line"""
    RINGING = "ringing"
    """dialled; a text is on its way"""
    TALKING = "talking"
    """picked up"""
    ENDED = "ended"
    CANCELLED = "cancelled"
    """taken back before anybody was dialled"""


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One call or text; ``asked`` is the request's body as it came."""

    provider: str
    kind: Kind
    id: str
    to: str
    agent: str
    reference: str
    """the caller's own key for it; empty when none came"""
    created_at: datetime
    updated_at: datetime
    asked: Mapping[str, Any]
    talk_limit: float | None = None
    """longest talk in seconds"""
    stage: Stage = Stage.HELD
    due_at: datetime | None = None
    placed_at: datetime | None = None
    """when it was really dialled"""
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    fate: Fate | None = None
    """None until it is dialled"""
    outcome: str | None = None
    """None until it has ended"""
    hung_up: bool = False
    """ended by request"""
    cut_off: bool = False
    """ended by the limit on talk"""
    release: Callable[[Call], None] | None = None
    """gives back the line that it holds; None when lines are not counted"""
    next_entry: Entry | None = None
    delivery: Delivery | None = None
    """its last webhook"""
    facts: dict[str, str] = field(default_factory=dict)
    """small things that its face alone remembers, such as a second id"""

    @property
    def is_live(self) -> bool:
        """Whether it is ringing or talking."""
        return self.stage in {Stage.RINGING, Stage.TALKING}

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.stage in {Stage.ENDED, Stage.CANCELLED}

    @property
    def seconds(self) -> int | None:
        """Seconds of talk, begun ones counted; None when it was never picked up or has not ended."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return math.ceil((self.ended_at - self.answered_at).total_seconds())
