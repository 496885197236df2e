"""What an agent is, as `define` in a campaign file says it: the words that the providers share.

`AgentDefinition` is what a campaign holds. It lets other keys pass, since a provider has fields of
its own; the provider's own model (`runner.model.definitions`) then checks all of them together.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from runner.model.fields import Duration, FilePart, PhoneNumber, wrong

NOT_APPLIED = "<created by apply>"
"""stands in a plan for the id of an agent that no `apply` has created yet"""

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_VOICE_HELP = "write provider/voice, for example elevenlabs/rachel"


def read_prompt(value: Any) -> Any:
    """Read a bare prompt into the long form."""
    return {"text": value} if isinstance(value, str) else value


def read_voice(value: Any) -> Any:
    """Read `elevenlabs/rachel` into the long form."""
    if not isinstance(value, str):
        return value
    provider, slash, voice = value.strip().partition("/")
    if not (slash and provider and voice):
        raise wrong(f"`{value}` is not a voice", _VOICE_HELP)
    return {"provider": provider, "id": voice}


def read_language_model(value: Any) -> Any:
    """Read `openai/gpt-4o-mini`, or `gpt-4.1` for a model that the provider runs itself, into the long form."""
    if not isinstance(value, str):
        return value
    provider, slash, model = value.strip().partition("/")
    if not slash:
        return {"id": provider}
    if not (provider and model):
        raise wrong(f"`{value}` is not a model", "write provider/model, for example openai/gpt-4o-mini")
    return {"provider": provider, "id": model}


def _web_address(value: Any) -> Any:
    """Read an address that a provider may call: https, or http on this machine for rehearsals."""
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value.strip())
        host = parts.hostname or ""
    except ValueError:
        parts, host = urlsplit(""), ""
    if host and (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        return value.strip()
    raise wrong(f"`{value}` is not an address with https", "write: https://example.com/hook")


class Prompt(FilePart):
    """What the agent is told: a text, or a file of the templates folder that is sent as it stands."""

    text: str | None = Field(default=None, min_length=1, examples=["You call {{first_name}} about a visit."])
    """The prompt itself; `{{name}}` in it is the provider's own placeholder and is kept."""
    template: str | None = Field(default=None, min_length=1, examples=["agents/reminder.md"])
    """A file, relative to the project's templates folder; nothing in it is rendered."""


class Voice(FilePart):
    """The voice that speaks."""

    provider: str = Field(min_length=1)
    """Who makes the voice, such as elevenlabs or cartesia."""
    id: str = Field(min_length=1)
    """The voice, as its provider names it."""
    speed: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How fast it speaks; 1 is its own pace."""
    volume: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """How loud it speaks; 1 is its own loudness."""
    model: str | None = Field(default=None, min_length=1)
    """Which model of the voice's provider speaks."""


class LanguageModel(FilePart):
    """The language model that thinks."""

    provider: str | None = Field(default=None, min_length=1)
    """Who runs the model; absent where the agent's provider runs it itself."""
    id: str = Field(min_length=1)
    """The model, as its provider names it."""
    type: Literal["realtime"] | None = None
    """`realtime` for a model that hears and speaks by itself."""
    voice: str | None = Field(default=None, min_length=1)
    """The voice of a realtime model."""


PromptText = Annotated[Prompt, BeforeValidator(read_prompt)]
VoiceChoice = Annotated[Voice, BeforeValidator(read_voice)]
ModelChoice = Annotated[LanguageModel, BeforeValidator(read_language_model)]
WebAddress = Annotated[
    str,
    BeforeValidator(_web_address),
    WithJsonSchema(
        {
            "type": "string",
            "pattern": r"^\s*https?://\S+\s*$",
            "patternErrorMessage": "write: https://example.com/hook",
            "examples": ["https://example.com/hook"],
        }
    ),
]
"""an address with https; http is fine on this machine alone"""


class AgentDefinition(FilePart):
    """The agent itself, for `apply` to create and update at its provider."""

    model_config = ConfigDict(extra="allow")

    prompt: PromptText
    """What the agent is told: a text, or `{template: file}`."""
    first_sentence: str | None = None
    """What the agent says first."""
    voice: VoiceChoice | None = None
    """The voice that speaks, such as `elevenlabs/rachel`."""
    model: ModelChoice | None = None
    """The language model that thinks, such as `openai/gpt-4o-mini`."""
    voicemail_message: str | None = None
    """What the agent says to a voicemail before it hangs up."""
    max_duration: Duration | None = None
    """How long a call may last."""
    transfer_number: PhoneNumber | None = None
    """Where people are put through to who ask for a human."""
    webhook_url: WebAddress | None = None
    """The address that is told when a call is over."""

    def written(self) -> dict[str, Any]:
        """Give every key that the file sets, the provider's own included, for the provider's model to read."""
        return self.model_dump(exclude_unset=True, exclude_none=True, by_alias=True)
