"""How an attempt ended, in our vocabulary, and what a provider was seen to say about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from runner.model.json import Json


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
    structured: Mapping[str, Json] = field(default_factory=dict)
    """what the agent was asked to find out, field by field, as the provider extracted it"""
    hangup_cause: str = ""
    """why a call that was picked up ended, in the provider's word"""
    transcript_url: str = ""
    """where the transcript is, for providers that do not send it along"""
    calls: int | None = None
    """how often the provider dialled for this attempt, its own retries included; None when it does not say"""
    phone: str = ""
    """the person, E.164, where a webhook names them"""
    native_id: str = ""
    """the provider's own campaign that the call belongs to, where a webhook names it"""
    is_queued: bool = False
    """it waits in the provider's queue: nobody was dialled yet"""
    is_undialled: bool = False
    """it ended, and provably nobody was dialled: the person has not had this try"""
    set_up_fault: str = ""
    """why nothing else of this campaign will be placed either, in the provider's word"""
    opt_out: bool = False
    """the person asked not to be contacted, said perhaps while the call is still live"""

    @property
    def is_final(self) -> bool:
        """Whether the attempt has ended."""
        return self.outcome is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundText:
    """A text that a person sent to one of our numbers, as a provider's webhook tells it."""

    provider: str
    from_number: str
    """the person, E.164"""
    to_number: str
    """our number, as the provider writes it"""
    body: str
    provider_id: str = ""
    """the carrier's or the provider's id of the text; empty when there is none"""
    at: datetime | None = None
    """when it was sent; None when the provider does not say"""
