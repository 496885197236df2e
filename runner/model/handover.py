"""A campaign handed over to a provider whole: windows, retries and pacing are then the provider's to keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from runner.model.json import Json
from runner.model.outcome import Observation
from runner.model.retry import Retry
from runner.model.window import Window

NativeAction = Literal["pause", "resume", "cancel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedContact:
    """One person in a campaign that is handed over."""

    phone: str
    """E.164; a number stands in a handover once"""
    variables: Mapping[str, Json] = field(default_factory=dict)
    timezone: str | None = None
    """the person's only candidate zone; None when there are several or none"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Everything that a provider's own campaign is made from."""

    key: str
    """32 hex digits, unique; planted in the name, so that a campaign in doubt is found again"""
    campaign: str
    agent_id: str
    people: tuple[HandedContact, ...]
    windows: tuple[Window, ...]
    timezone: str
    """`contact` or an IANA name"""
    retry: Retry
    concurrency: int
    per_second: float | None = None
    from_number: str = ""
    start_at: datetime | None = None
    """nothing is dialled before; aware and UTC"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """the provider's own options for native delivery, validated"""
    own_rules: bool = False
    """leave windows, retries and concurrency to what the agent is set to at the provider: the request names none"""

    @property
    def name(self) -> str:
        """What the campaign is called at the provider; without a key it cannot be told from its namesakes."""
        return f"{self.campaign} {self.key}".strip()


class NativeStatus(StrEnum):
    """Where a provider's own campaign stands, in our words."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class NativeRow:
    """One person of a provider's own campaign, as the provider tells it."""

    phone: str
    calls: int
    """how often the provider dialled, its own retries included; they count like ours"""
    is_calling: bool = False
    ended: Observation | None = None
    """how it ended for good; None while the provider may still dial"""
    is_brief: bool = False
    """``ended`` lacks how it ended and what came of it, which asking for the call itself tells"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NativePage:
    """A page of a provider's answer about its campaign's people."""

    rows: tuple[NativeRow, ...]
    has_more: bool = False
