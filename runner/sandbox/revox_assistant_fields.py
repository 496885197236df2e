"""Every field of a Revox assistant, in generations A and D: what it is when a request names none, and what it may be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from runner.sandbox import revox_checks as checks
from runner.sandbox.revox_records import MODEL
from runner.sandbox.wire import is_phone, is_text, is_whole

Check = Callable[[Any], bool]

_OUTCOMES = ("not_interested", "interested", "completed", "requested_callback_later", "none")
_THINKING = (
    "city-ambience.ogg",
    "forest-ambience.ogg",
    "office-ambience.ogg",
    "crowded-room.ogg",
    "keyboard-typing.ogg",
    "keyboard-typing2.ogg",
    "hold_music.ogg",
)
_MODEL_KEYS: Mapping[str, frozenset[str]] = {
    "dedicated-instance": frozenset({"name"}),
    "openrouter": frozenset({"openrouter_model_id", "openrouter_provider"}),
    "custom": frozenset({"api_key", "api_url", "model_name"}),
    "realtime": frozenset({"provider", "realtime_model_id"}),
}
_VALUE_TYPES = ("string", "number", "boolean", "enum", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its value when nobody names it, and whether a value may stand there."""

    default: Any
    fits: Check


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _one_of(*words: str) -> Check:
    return lambda value: isinstance(value, str) and value in words


def _list_of(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _object_with(*names: str) -> Check:
    return lambda value: isinstance(value, dict) and all(name in value for name in names)


def _texts_in(*names: str) -> Check:
    return lambda value: isinstance(value, dict) and all(is_text(value.get(name)) for name in names)


def _number(smallest: float, largest: float) -> Check:
    return lambda value: isinstance(value, int | float) and not isinstance(value, bool) and smallest <= value <= largest


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_model(value: Any) -> bool:
    return isinstance(value, dict) and _MODEL_KEYS.get(str(value.get("type")), frozenset({"type?"})) <= set(value)


def _is_voice(value: Any) -> bool:
    providers = ("cartesia", "elevenlabs", "gradium")
    return isinstance(value, dict) and is_text(value.get("id"), 1) and value.get("provider") in providers


def _is_output(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and is_text(value.get("name"), 1)
        and _is_flag(value.get("required"))
        and value.get("type") in _VALUE_TYPES
    )


def _is_config(value: Any) -> bool:
    return isinstance(value, dict)


_TEXT = Field(None, _or_none(is_text))
_OUTCOME_LIST = Field(None, _or_none(_list_of(_one_of(*_OUTCOMES))))
_SHARE = Field(0.5, _number(0, 1))
_OBJECT = Field(None, _or_none(_is_config))

FIELDS: Mapping[str, Field] = {
    "name": Field("", lambda value: is_text(value, 1)),
    "prompt": Field("", is_text),
    "after_call_sms_outcomes": _OUTCOME_LIST,
    "after_call_sms_prompt": _TEXT,
    "background_sound": Field(None, _or_none(_one_of("audio/office.ogg"))),
    "background_sound_volume": _SHARE,
    "calendly": Field(None, _or_none(_texts_in("connection_id", "event_type_id"))),
    "call_retry_config": _OBJECT,
    "cartesia_dictionary_pronunciation_id": _TEXT,
    "custom_tools": Field(None, _or_none(_list_of(_object_with("name", "method", "url", "description")))),
    "email_notification_address": _TEXT,
    "email_notification_outcomes": _OUTCOME_LIST,
    "end_of_call_sentence": _TEXT,
    "faq_items": Field([], _list_of(_texts_in("question", "answer"))),
    "first_sentence": _TEXT,
    "first_sentence_delay_ms": Field(400, lambda value: is_whole(value, 0)),
    "first_sentence_mode": Field("generated", _one_of("generated", "static", "none")),
    "from_phone_number": Field(None, _or_none(is_phone)),
    "human_transfer_mode": Field(None, _or_none(_one_of("warm", "cold"))),
    "ivr_navigation_enabled": Field(False, _is_flag),
    "llm_model": Field(MODEL, _is_model),
    "logo_url": _TEXT,
    "max_call_duration_secs": Field(1200, _number(1, 86_400)),
    "max_duration_end_message": _TEXT,
    "position": Field(None, _or_none(_object_with("x", "y"))),
    "precall_lookup_url": _TEXT,
    "prompt_flow": Field(None, _or_none(_object_with("edges", "nodes"))),
    "slack": Field(None, _or_none(_object_with("channels", "connection_id", "outcomes"))),
    "sms_enabled": Field(False, _is_flag),
    "sms_template": _TEXT,
    "structured_output_config": Field(None, _or_none(_list_of(_is_output))),
    "structured_output_prompt": _TEXT,
    "stt_context": Field(None, _or_none(_object_with("general", "terms"))),
    "stt_model": Field("stt-rt-v5", _one_of("stt-rt-v4", "stt-rt-v5")),
    "thinking_sound": Field(None, _or_none(_one_of(*_THINKING))),
    "thinking_sound_probability": _SHARE,
    "thinking_sound_volume": _SHARE,
    "transfer_destinations": Field(None, _or_none(_list_of(_texts_in("label", "phone_number")))),
    "transfer_phone_number": Field(None, _or_none(is_phone)),
    "type": Field("standalone", _one_of("standalone", "multi-step", "sub-assistant")),
    "voice": Field(None, _or_none(_is_voice)),
    "voicemail_message": _TEXT,
    "voicemail_sms_prompt": _TEXT,
    "warm_transfer_summary_instructions": _TEXT,
    "webhook_url": _TEXT,
    "zoho": Field(None, _or_none(_object_with("connection_id", "field_mapping", "module", "outcomes"))),
}
"""all documented fields; where no default is documented, ours is assumed"""

ONLY_OLD = frozenset({"transfer_phone_number"})
"""fields that the newest generation does not show"""

ONLY_NEW = frozenset(
    {
        "after_call_sms_outcomes",
        "after_call_sms_prompt",
        "background_sound_volume",
        "cartesia_dictionary_pronunciation_id",
        "custom_tools",
        "email_notification_address",
        "email_notification_outcomes",
        "from_phone_number",
        "human_transfer_mode",
        "logo_url",
        "max_duration_end_message",
        "position",
        "precall_lookup_url",
        "prompt_flow",
        "slack",
        "sms_enabled",
        "sms_template",
        "structured_output_prompt",
        "stt_context",
        "stt_model",
        "thinking_sound",
        "thinking_sound_probability",
        "thinking_sound_volume",
        "transfer_destinations",
        "type",
        "voicemail_sms_prompt",
        "warm_transfer_summary_instructions",
        "zoho",
    }
)
"""fields that the seed's generation does not know"""


def known_fields(generation: Literal["A", "D"]) -> tuple[str, ...]:
    """Give the names of the fields of a generation."""
    others = ONLY_NEW if generation == "A" else ONLY_OLD
    return tuple(name for name in FIELDS if name not in others)


def checked_fields(body: Mapping[str, Any], generation: Literal["A", "D"]) -> dict[str, Any]:
    """Give the known fields of a body; raise Refused for a value that cannot stand there."""
    fields = {name: body[name] for name in known_fields(generation) if name in body}
    for name, value in fields.items():
        if not FIELDS[name].fits(value):
            raise checks.refused(f"{name} is not what it should be")
    if fields.get("call_retry_config") is not None:
        checks.check_retry_config(fields["call_retry_config"], generation)
    return fields
