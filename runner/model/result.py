"""What came of an attempt, in full, and the row that an export writes for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from runner.model.json import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWebhook:
    """A webhook that names no call that was known when it came."""

    id: int
    body: bytes
    """as it came"""
    verified: bool
    """a signature or token proves it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A text that a person sent back."""

    at: datetime
    body: str
    stops: bool
    """it asks to be left alone"""
    verified: bool
    """a signature or token proves that the provider told it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a provider said about how an attempt ended; links are kept as links."""

    sentiment: str = ""
    duration_seconds: float | None = None
    hangup_cause: str = ""
    calls: int | None = None
    """how often the provider dialled, its own retries included"""
    recording_url: str = ""
    transcript_url: str = ""
    summary: str = ""
    transcript: str = ""
    structured: Mapping[str, Json] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    """the provider's own terms, as they came"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRecord:
    """One attempt with everything that is known of it; instants are aware and UTC."""

    key: str
    log_id: str
    """what logs, traces and notifications call it"""
    step: str
    number: int
    channel: str
    provider: str
    account: str
    state: str
    outcome: str
    tag: str
    reason: str
    due_at: datetime
    sent_at: datetime | None
    ended_at: datetime | None
    provider_id: str
    result: Result | None
    """None when nothing was told about it"""
    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRow:
    """One contact and one of its attempts; a contact without attempts has one row."""

    campaign: str
    contact_key: str
    phone: str
    row: int
    contact_state: str
    attempt: AttemptRecord | None
