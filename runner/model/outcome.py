"""How an attempt ended, in our vocabulary, and what a provider was seen to say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Outcome(StrEnum):
    """How an attempt ended; the provider's own words are kept beside it."""

    ANSWERED = "answered"
    """a person talked with the agent"""
    VOICEMAIL = "voicemail"
    """a machine answered"""
    SCREENED = "screened"
    """a call-screening assistant answered"""
    NO_ANSWER = "no_answer"
    """it rang out"""
    BUSY = "busy"
    """the line was in use"""
    DECLINED = "declined"
    """the person refused the call"""
    INVALID_NUMBER = "invalid_number"
    """nobody can be reached under this number"""
    DELIVERED = "delivered"
    """a text was handed over"""
    REPLIED = "replied"
    """the person answered a text"""
    FAILED = "failed"
    """the provider or the network failed"""
    OPTED_OUT = "opted_out"
    """the person asked not to be contacted"""
    CANCELLED = "cancelled"
    """it was called off"""
    UNKNOWN = "unknown"
    """placed, and nobody can say how it ended"""


REACHED = frozenset({Outcome.ANSWERED, Outcome.VOICEMAIL, Outcome.DELIVERED, Outcome.REPLIED, Outcome.UNKNOWN})
"""outcomes after which a contact counts as completed when no retry is left to make"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What a poll or a webhook says about one attempt.

    ``outcome`` is None while the call is still live. ``words`` holds the provider's own
    terms (status, result, error text) as they came.
    """

    provider_id: str = ""
    """the provider's id of the call or text; empty when only ``reference`` is known"""
    reference: str = ""
    """our attempt key, when the provider echoed it"""
    outcome: Outcome | None = None
    tag: str = ""
    summary: str = ""
    sentiment: str = ""
    duration_seconds: float | None = None
    recording_url: str = ""
    transcript: str = ""
    ended_at: datetime | None = None
    words: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_final(self) -> bool:
        """Whether the attempt has ended."""
        return self.outcome is not None
