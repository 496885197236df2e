"""What goes to a provider and what comes back, free of any HTTP library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from runner.model.channel import Channel
from runner.model.json import Json, JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a provider's request is built from: one contact and step, everything rendered."""

    campaign: str
    channel: Channel
    agent_id: str
    phone: str
    from_number: str = ""
    variables: Mapping[str, Json] = field(default_factory=dict)
    message: str = ""
    """the words of a text; empty lets the agent find its own"""
    options: Mapping[str, Any] = field(default_factory=dict)
    """the provider's own options, validated by its own model; only keys that the files set"""
    delivery: Literal["single", "native"] = "single"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request without its host and without its credential."""

    method: str
    path: str
    """below the account's base URL, with its leading slash; query included"""
    body: JsonObject | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """beyond Content-Type and the credential"""
    reads: bool = False
    """it asks and changes nothing, whatever its method"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP answer as it came; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """The provider took the request and gave it an id."""

    provider_id: str
    remaining: int | None = None
    """how many calls the account has left, where the provider says so"""
    is_queued: bool = False
    """it waits in the provider's queue: nobody was dialled yet"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What is known of a request that left: enough to ask for it."""

    key: str
    """the attempt's key, planted in the request"""
    channel: Channel
    phone: str
    agent_id: str
    campaign: str
    sent_at: datetime
    provider_id: str = ""
    """empty while in doubt"""
    taken: frozenset[str] = frozenset()
    """the provider's ids of calls and texts to the same number that are known to be other attempts'"""
    sent_by: datetime | None = None
    """the latest instant at which it left, where nobody knows it better; `sent_at` when absent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a look-up for a request in doubt says."""

    provider_id: str = ""
    """the id, when it was found"""
    more: bool = False
    """there is another page to ask for"""

    @property
    def found(self) -> bool:
        """Whether the request had arrived."""
        return bool(self.provider_id)
