"""A Revox assistant as a campaign file defines it, in generations A and D: the shared words, and Revox's own."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from runner.model.agent_definition import PromptText, WebAddress, read_language_model, read_voice
from runner.model.fields import Duration, FilePart, PhoneNumber, PositiveInt, wrong

OWN_MODELS = ("gpt-4.1", "ministral-3-8b-instruct")
"""the language models that Revox runs itself"""

Result = Literal["not_interested", "interested", "completed", "requested_callback_later", "none"]
Results = tuple[Result, ...]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


def _has_speed(provider: str, speed: float | None) -> None:
    low, high = (0.7, 1.2) if provider == "elevenlabs" else (0.6, 1.5)
    if speed is not None and not low <= speed <= high:
        raise wrong(f"`{speed:g}` is no speed of {provider}", f"write: speed: {low:g}   (up to {high:g})")


class RevoxVoice(FilePart):
    """The voice of a Revox assistant."""

    provider: Literal["cartesia", "elevenlabs"]
    """Who makes the voice."""
    id: str = Field(min_length=1)
    """The voice, as its provider names it."""
    speed: float | None = None
    """How fast it speaks: 0.6 to 1.5 for Cartesia, 0.7 to 1.2 for ElevenLabs."""

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        _has_speed(self.provider, self.speed)
        return self


class RevoxVoiceD(FilePart):
    """The voice of a Revox assistant of generation D."""

    provider: Literal["cartesia", "elevenlabs", "gradium"]
    """Who makes the voice."""
    id: str = Field(min_length=1)
    """The voice, as its provider names it."""
    speed: float | None = None
    """How fast it speaks: 0.6 to 1.5, for ElevenLabs 0.7 to 1.2."""
    volume: float | None = Field(default=None, ge=0.5, le=2)
    """How loud it speaks, 0.5 to 2; Cartesia only."""
    model: Literal["sonic-3", "sonic-3.5"] | None = None
    """Which model of Cartesia speaks."""

    @model_validator(mode="after")
    def _in_range(self) -> Self:
        _has_speed(self.provider, self.speed)
        return self


def _known_model(provider: str | None, model: str) -> None:
    if provider is None and model not in OWN_MODELS:
        known = ", ".join(OWN_MODELS)
        raise wrong(f"`{model}` is not a model that revox runs itself", f"one of: {known}; of others: openai/{model}")


class RevoxModel(FilePart):
    """The language model of a Revox assistant: one that Revox runs itself, or one of OpenRouter."""

    provider: str | None = Field(default=None, min_length=1)
    """Who runs it for OpenRouter, such as openai or azure; absent for Revox's own."""
    id: str = Field(min_length=1)
    """The model."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        _known_model(self.provider, self.id)
        return self


class RevoxModelD(FilePart):
    """The language model of a Revox assistant of generation D: Revox's own, one of OpenRouter, or a realtime one."""

    provider: str | None = Field(default=None, min_length=1)
    """Who runs it; absent for Revox's own."""
    id: str = Field(min_length=1)
    """The model."""
    type: Literal["realtime"] | None = None
    """`realtime` for a model of openai or google that hears and speaks by itself."""
    voice: str | None = Field(default=None, min_length=1)
    """The voice of a realtime model."""

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.type is None:
            _known_model(self.provider, self.id)
        elif self.provider not in {"openai", "google"}:
            raise wrong(f"`{self.provider or self.id}` runs no realtime model", "write: provider: openai   (or google)")
        return self


class StructuredOutput(FilePart):
    """One value that is taken out of a call."""

    name: str = Field(min_length=1, examples=["new_date"])
    """What it is called."""
    required: bool
    """Whether it must be found."""
    type: Literal["string", "number", "boolean", "enum", "date", "datetime"]
    """What kind of value it is."""
    description: str | None = Field(default=None, examples=["The date that the person prefers."])
    """What it is, in words for the model."""
    enum_options: tuple[str, ...] | None = None
    """The values that it can have, for the type `enum`."""


class FaqItem(FilePart):
    """One question that people ask."""

    question: str = Field(min_length=1, examples=["Where can I park?"])
    """The question."""
    answer: str = Field(min_length=1, examples=["Behind the house."])
    """What the agent answers."""


class Calendly(FilePart):
    """The calendar that the agent books into."""

    connection_id: str = Field(min_length=1, examples=["conn_12345"])
    """The connection between your Calendly account and Revox."""
    event_type_id: str = Field(min_length=1, examples=["https://api.calendly.com/event_types/b2330295"])
    """The event type that is booked."""


class AssistantWindow(FilePart):
    """One window of Revox's own retry loop, in the person's time."""

    calling_window_start_time: str = Field(examples=["09:00"])
    """When it opens, such as `09:00` or `10am`."""
    calling_window_end_time: str = Field(examples=["17:00"])
    """When it closes, such as `17:00` or `6pm`."""
    retry_delay_seconds: int = Field(ge=0, examples=[7200])
    """How many seconds Revox waits before it tries again."""


class AssistantRetry(FilePart):
    """Revox's own retry loop; it multiplies with the campaign's `retry`."""

    calling_windows: Annotated[tuple[AssistantWindow, ...], Field(min_length=1)]
    """When Revox may call."""
    max_retry_attempts: PositiveInt = Field(examples=[1])
    """How often Revox calls by itself."""
    timezone: str | None = Field(default=None, examples=["America/New_York"])
    """An IANA zone; without it Revox takes the zone of the number's country."""


class AssistantRetryD(AssistantRetry):
    """Revox's own retry loop; it multiplies with the campaign's `retry`."""

    allowed_days: (
        tuple[Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"], ...] | None
    ) = None
    """On which days Revox may call; every day when absent."""
    call_twice_in_a_row: bool | None = None
    """Whether Revox calls again at once if the first call met no person; no when absent."""


class TransferDestination(FilePart):
    """Somebody to whom people are put through."""

    label: str = Field(min_length=1, examples=["front desk"])
    """What the prompt calls them."""
    phone_number: PhoneNumber
    """Their number."""


class RevoxDefinition(FilePart):
    """A Revox assistant."""

    prompt: PromptText
    """What the assistant is told: a text, or `{template: file}`."""
    first_sentence: str | None = Field(default=None, examples=["Hello {{first_name}}, this is the dental clinic."])
    """What the assistant says first, or how it should begin."""
    first_sentence_mode: Literal["generated", "static", "none"] | None = None
    """`static` says the first sentence as it is, `generated` begins by it as an instruction, `none` waits."""
    first_sentence_delay_ms: int | None = Field(default=None, ge=0, examples=[400])
    """How many milliseconds the assistant waits before it speaks; 400 when absent."""
    voice: Annotated[RevoxVoice, BeforeValidator(read_voice)] | None = None
    """The voice that speaks, such as `cartesia/voice-id`."""
    model: Annotated[RevoxModel, BeforeValidator(read_language_model)] | None = None
    """The language model: `gpt-4.1` of Revox itself, or provider/model of OpenRouter."""
    voicemail_message: str | None = Field(default=None, examples=["This is the dental clinic. We call again tomorrow."])
    """What the assistant says to a voicemail; without it, it hangs up at once."""
    max_duration: Duration | None = None
    """How long a call may last."""
    transfer_number: PhoneNumber | None = None
    """Where people are put through to who ask for a human."""
    webhook_url: WebAddress | None = None
    """The address that is told when a call is over."""
    end_of_call_sentence: str | None = Field(default=None, examples=["Thank you, goodbye."])
    """What the assistant says before it ends a call."""
    background_sound: Literal["audio/office.ogg"] | None = Field(default=None, examples=["audio/office.ogg"])
    """What is heard behind the voice."""
    ivr_navigation_enabled: bool | None = None
    """Whether the assistant may press keys in phone menus."""
    structured_output_config: tuple[StructuredOutput, ...] | None = None
    """The values that are taken out of a call."""
    faq_items: tuple[FaqItem, ...] | None = None
    """What people ask; replaces all questions that the assistant has."""
    calendly: Calendly | None = None
    """The calendar that the assistant books into."""
    call_retry_config: AssistantRetry | None = None
    """Revox's own retry loop; one call at any hour when absent, so that the campaign alone decides."""


class RevoxDefinitionD(RevoxDefinition):
    """A Revox assistant of generation D."""

    voice: Annotated[RevoxVoiceD, BeforeValidator(read_voice)] | None = None  # type: ignore[assignment]  # wider
    """The voice that speaks, such as `cartesia/voice-id`."""
    model: Annotated[RevoxModelD, BeforeValidator(read_language_model)] | None = None  # type: ignore[assignment]  # wider
    """The language model: `gpt-4.1` of Revox itself, provider/model of OpenRouter, or a realtime one."""
    call_retry_config: AssistantRetryD | None = None
    """Revox's own retry loop; one call at any hour when absent, so that the campaign alone decides."""
    transfer_destinations: tuple[TransferDestination, ...] | None = None
    """Several people to put callers through to, in place of `transfer_number`."""
    human_transfer_mode: Literal["warm", "cold"] | None = None
    """`warm` introduces the caller, `cold` does not."""
    warm_transfer_summary_instructions: str | None = Field(default=None, examples=["Say who calls and why."])
    """What the summary for the person who takes over should say."""
    max_duration_end_message: str | None = Field(default=None, examples=["Our time is up. Goodbye."])
    """What the assistant says when a call reaches its longest time."""
    from_phone_number: PhoneNumber | None = None
    """The number that people see, for calls that name none."""
    sms_enabled: bool | None = None
    """Whether the assistant may send texts during a call."""
    sms_template: str | None = Field(default=None, examples=["Your visit is on {{date}}."])
    """The text that is sent during a call, in place of the assistant's own words."""
    voicemail_sms_prompt: str | None = Field(default=None, examples=["We tried to reach you about your visit."])
    """The text after a call that met a voicemail."""
    after_call_sms_prompt: str | None = Field(default=None, examples=["Thank them and repeat the new date."])
    """What the text after a call should say."""
    after_call_sms_outcomes: Results | None = None
    """Which results of a call send the text after it."""
    email_notification_address: str | None = Field(default=None, examples=["desk@example.com"])
    """Who is told of calls by mail; several addresses with commas."""
    email_notification_outcomes: Results | None = None
    """Which results of a call are told by mail."""
    structured_output_prompt: str | None = Field(default=None, examples=["Read the new date out of {{transcript}}."])
    """How values are taken out of a call."""
    stt_model: Literal["stt-rt-v4", "stt-rt-v5"] | None = None
    """Which model turns speech into text."""
    background_sound_volume: Share | None = Field(default=None, examples=[0.5])
    """How loud the background sound is, 0 to 1."""
    thinking_sound: (
        Literal[
            "city-ambience.ogg",
            "forest-ambience.ogg",
            "office-ambience.ogg",
            "crowded-room.ogg",
            "keyboard-typing.ogg",
            "keyboard-typing2.ogg",
            "hold_music.ogg",
        ]
        | None
    ) = None
    """What is heard while the assistant thinks."""
    thinking_sound_volume: Share | None = Field(default=None, examples=[0.5])
    """How loud the thinking sound is, 0 to 1."""
    thinking_sound_probability: Share | None = Field(default=None, examples=[0.5])
    """How often the thinking sound is heard, 0 to 1."""
    cartesia_dictionary_pronunciation_id: str | None = Field(default=None, examples=["pdict_12345"])
    """The dictionary of pronunciations at Cartesia."""

    @model_validator(mode="after")
    def _one_way_to_transfer(self) -> Self:
        if self.transfer_number is not None and self.transfer_destinations:
            raise wrong("`transfer_number` and `transfer_destinations` say the same twice", "keep one of them")
        return self
