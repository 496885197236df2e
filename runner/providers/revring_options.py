"""RevRing's own options for calls and texts, under RevRing's own names."""

# ruff: noqa: N815 the names are RevRing's

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from runner.model.fields import FilePart


class RevringCallOptions(FilePart):
    """RevRing's own options for a call."""

    callerIdName: Annotated[str, Field(min_length=1, max_length=15)] | None = None
    """The name that people see, at most 15 characters; not every carrier shows it."""
    skipQueue: bool | None = None
    """Refuse the call at once when no line is free, so that it is tried again later, in place of queueing it."""
    voicemailAction: Literal["hangup", "leave_message"] | None = None
    """What to do when a machine answers; the agent must detect machines."""
    voiceId: str | None = None
    """The voice that speaks."""
    startSpeaker: Literal["agent", "user"] | None = None
    """Who speaks first."""
    firstMessageDelayMs: Annotated[int, Field(ge=0, le=15000)] | None = None
    """How many milliseconds the agent waits before its first words."""
    beginAfterUserSilenceMs: Annotated[int, Field(ge=500, le=60000)] | None = None
    """After how many milliseconds of silence the agent begins."""
    environment: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")] | None = None
    """The agent's environment, such as `staging`."""
    language: str | None = None
    """The language of the call, such as `es` or `pt-BR`."""
    firstMessage: Annotated[str, Field(min_length=1, max_length=4000)] | None = None
    """The agent's first words."""
    promptAppend: Annotated[str, Field(min_length=1, max_length=8000)] | None = None
    """What is added to the agent's prompt."""
    maxDurationSeconds: Annotated[int, Field(ge=10, le=7200)] | None = None
    """How many seconds the call may last."""
    voicemailMessage: Annotated[str, Field(min_length=1, max_length=2000)] | None = None
    """What is said to a machine."""
    honorDoNotCall: bool | None = None
    """Refuse numbers of RevRing's do-not-call list, which single calls ignore otherwise."""
    metadata: dict[str, Any] | None = None
    """What RevRing stores with the call and sends back, at most 16 KB; the agent does not see it."""
    defaultVariables: dict[str, Any] | None = None
    """Variables of everybody in RevRing's campaign, which a person's own win over; native delivery only."""
    voicemailStrategy: Literal["agent", "last_attempt"] | None = None
    """Whether a machine is spoken to at every try, as the agent is set, or at the last one; native delivery only."""


class RevringTurn(FilePart):
    """One text of a conversation so far."""

    role: Literal["user", "assistant"]
    """Who wrote it: the person (user) or the agent."""
    content: Annotated[str, Field(min_length=1)]
    """The words."""


class RevringTextOptions(FilePart):
    """RevRing's own options for a text."""

    messagingConnectionId: str | None = None
    """The connection that sends; the agent's own when absent."""
    messages: tuple[RevringTurn, ...] | None = None
    """The conversation so far, for an agent that writes the text."""
    smsPrompt: str | None = None
    """How the agent is to write the text when no message is given."""
