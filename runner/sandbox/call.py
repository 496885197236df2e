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
    ANALYSING = "analysing"
    """talked through, and not yet made sense of by its provider"""
    ENDED = "ended"
    CANCELLED = "cancelled"
    """taken back before anybody was dialled"""


@dataclass(slots=True, kw_only=True, eq=False)
class Attempt:
    """One dial of a call or text."""

    fate: Fate
    placed_at: datetime
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    outcome: str | None = None
    """None until it has ended"""
    hung_up: bool = False
    """ended by request"""
    cut_off: bool = False
    """ended by the limit on talk"""

    @property
    def seconds(self) -> int | None:
        """Seconds of talk, begun ones counted; None when it was never picked up or has not ended."""
        if self.answered_at is None or self.ended_at is None:
            return None
        return math.ceil((self.ended_at - self.answered_at).total_seconds())


@dataclass(slots=True, kw_only=True, eq=False)
class Call:
    """One call or text; ``asked`` is the request's body as it came.

    Most are dialled once; where a provider tries again by itself, each try is an attempt of the same call. What a
    call says of its dial is what its latest attempt says.
    """

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
    closed_at: datetime | None = None
    """when it was taken back, or failed before anybody was dialled"""
    error: str = ""
    """why it failed before anybody was dialled, in the provider's words"""
    attempts: list[Attempt] = field(default_factory=list)
    releases: list[Callable[[], None]] = field(default_factory=list)
    """give back the lines that it holds, the latest first"""
    next_entry: Entry | None = None
    delivery: Delivery | None = None
    """its last webhook"""
    facts: dict[str, str] = field(default_factory=dict)
    """small things that its face alone remembers, such as a second id"""

    @property
    def last(self) -> Attempt | None:
        """The latest dial; None when nobody was dialled yet."""
        return self.attempts[-1] if self.attempts else None

    @property
    def placed_at(self) -> datetime | None:
        """When somebody was really dialled."""
        return self.last.placed_at if self.last else None

    @property
    def answered_at(self) -> datetime | None:
        """When somebody picked up."""
        return self.last.answered_at if self.last else None

    @property
    def ended_at(self) -> datetime | None:
        """When it ended or was taken back."""
        return self.closed_at or (self.last.ended_at if self.last else None)

    @property
    def fate(self) -> Fate | None:
        """How the dial goes; None until it is dialled."""
        return self.last.fate if self.last else None

    @property
    def outcome(self) -> str | None:
        """How the dial went; None until it has ended."""
        return self.last.outcome if self.last else None

    @property
    def hung_up(self) -> bool:
        """Whether it was ended by request."""
        return self.last is not None and self.last.hung_up

    @property
    def cut_off(self) -> bool:
        """Whether it was ended by the limit on talk."""
        return self.last is not None and self.last.cut_off

    @property
    def seconds(self) -> int | None:
        """Seconds of talk; None when it was never picked up or has not ended."""
        return self.last.seconds if self.last else None

    @property
    def is_live(self) -> bool:
        """Whether it is ringing or talking."""
        return self.stage in {Stage.RINGING, Stage.TALKING}

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.stage in {Stage.ENDED, Stage.CANCELLED}
