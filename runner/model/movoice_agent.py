"""A Movoice agent as a campaign file defines it: the shared words, and Movoice's own."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from runner.model.agent_definition import PromptText, WebAddress, read_language_model, read_voice
from runner.model.fields import FilePart


class MovoiceVoice(FilePart):
    """The voice of a Movoice agent."""

    provider: Literal["elevenlabs", "openai", "deepgram", "sarvam"]
    """Who makes the voice."""
    id: str = Field(min_length=1, examples=["rachel"])
    """The voice, by its id or name."""


class MovoiceModel(FilePart):
    """The language model of a Movoice agent."""

    provider: Literal["openai", "anthropic", "groq"]
    """Who runs the model."""
    id: str = Field(min_length=1, examples=["gpt-4o-mini"])
    """The model, as its provider names it."""


class MovoiceDefinition(FilePart):
    """A Movoice agent."""

    prompt: PromptText
    """What the agent is told, at least 10 characters: a text, or `{template: file}`."""
    first_sentence: str = Field(min_length=1, examples=["Hello {{first_name}}, this is the dental clinic."])
    """What the agent says first; Movoice calls it the welcome message."""
    voice: Annotated[MovoiceVoice, BeforeValidator(read_voice)] | None = None
    """The voice that speaks, such as `elevenlabs/rachel`."""
    model: Annotated[MovoiceModel, BeforeValidator(read_language_model)] | None = None
    """The language model that thinks, such as `openai/gpt-4o-mini`."""
    webhook_url: WebAddress | None = None
    """The address that is told about calls."""
    asrProvider: Literal["deepgram", "sarvam"] | None = None  # noqa: N815 the provider's spelling
    """Who turns speech into text."""
    language: str | None = Field(default=None, min_length=2, examples=["en-US", "hi-IN"])
    """The language, such as `en-US` or `hi-IN`."""
    isActive: bool | None = None  # noqa: N815 the provider's spelling
    """Whether the agent takes calls."""
