"""Revox's own options for calls and for its campaigns, under Revox's own names."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from runner.model.fields import FilePart, PositiveInt, wrong
from runner.model.revox_assistant import AssistantRetryD
from runner.providers.reading import instant_of


def _iso_instant(value: Any) -> Any:
    text = value.isoformat() if isinstance(value, datetime) else str(value).strip()
    if text.isdecimal() or instant_of(text) is None:
        raise wrong(f"`{text}` is not an instant", "write an offset too: 2026-12-01T09:00:00+00:00")
    return text


class RevoxConcurrency(FilePart):
    """A group of calls that share a limit."""

    key: str
    """The name of the group."""
    max: PositiveInt | None = None
    """How many calls of the group may be live at once; older generations only."""


class RevoxCallOptions(FilePart):
    """Revox's own options for a call, single or native."""

    name: Annotated[str, Field(min_length=1)] | None = None
    """What Revox's campaign is called, before the handover's key; native delivery only."""
    own_rules: bool | None = None
    """Leave windows, retries and concurrency to what the assistant is set to at Revox; native delivery only."""
    metadata: dict[str, str] | None = None
    """Texts that Revox stores with the call; single delivery only."""
    call_retry_config: AssistantRetryD | None = None
    """Revox's own retry loop in place of the assistant's; native delivery with `own_rules` only."""
    max_concurrent_calls: PositiveInt | None = None
    """How many calls of Revox's campaign may be live at once; native delivery with `own_rules` only."""
    scheduled_at: Annotated[str, BeforeValidator(_iso_instant)] | None = None
    """When Revox starts, an instant with an offset."""
    concurrency: RevoxConcurrency | None = None
    """A group of calls that share a limit; single delivery only."""
    skip_calling_window: bool | None = None
    """Call outside Revox's own window too; newer generations and single delivery only."""
    force_now: bool | None = None
    """The same for older generations; single delivery only."""
