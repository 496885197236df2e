"""Revox's assistants: `/assistants`, in generation A (the seed's fields) and D."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runner.model.fields import FilePart
from runner.model.json import Json, JsonObject
from runner.model.request import Reply, Request
from runner.planning.agents import LiveAgent
from runner.providers.assistants import (
    AgentPage,
    found_document,
    no_list,
    renamed,
    seconds_of,
    span_of,
    written_fields,
)
from runner.providers.reading import first_id, object_of, objects_of, text_of
from runner.providers.replies import accepted_document, no_id
from runner.providers.requests import segment

PROVIDER = "revox"

ONE_CALL: JsonObject = {
    "calling_windows": [
        {"calling_window_start_time": "00:00", "calling_window_end_time": "23:59", "retry_delay_seconds": 7200}
    ],
    "max_retry_attempts": 1,
}
"""the retry loop of an assistant that says nothing of its own: Revox would call three times from 10:00 to 18:00,
on top of the campaign's own tries and outside its windows"""

_ONE_CALL_D: JsonObject = {
    "allowed_days": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
    "call_twice_in_a_row": False,
}
_NAMES = {"model": "llm_model", "max_duration": "max_call_duration_secs"}
_TRANSFER = {"A": "transfer_phone_number", "D": "transfer_destinations"}
_CLEARABLE = frozenset({"background_sound", "calendly", "transfer_number", "voicemail_message"})
_CLEARABLE_D = frozenset(
    {
        "after_call_sms_outcomes", "after_call_sms_prompt", "cartesia_dictionary_pronunciation_id",
        "email_notification_address", "email_notification_outcomes", "from_phone_number", "human_transfer_mode",
        "max_duration_end_message", "sms_template", "structured_output_prompt", "thinking_sound",
        "transfer_destinations", "voicemail_sms_prompt", "warm_transfer_summary_instructions",
    }
)  # fmt: skip
_KEPT_TO_THEMSELVES = frozenset({"id", "name", "organization_id", "created_at", "updated_at"})


@dataclass(frozen=True, slots=True)
class RevoxAssistants:
    """Revox's endpoints for assistants."""

    generation: Literal["A", "D"] = "A"

    @property
    def clearable(self) -> frozenset[str]:
        """Name the fields that are documented to take null."""
        return _CLEARABLE if self.generation == "A" else _CLEARABLE | _CLEARABLE_D

    def fields(self, definition: FilePart, prompt: str) -> JsonObject:
        """Give the fields of a RevoxDefinition; without a retry loop of its own the assistant calls once, at any hour."""
        found = written_fields(definition, prompt)
        if "model" in found:
            found["model"] = _whole_model(object_of(found["model"]))
        own = object_of(found.get("call_retry_config")) or ONE_CALL
        return {**found, "call_retry_config": own if self.generation == "A" else {**_ONE_CALL_D, **own}}

    def create_request(self, name: str, fields: JsonObject) -> Request:
        """Build `POST /assistants`."""
        return Request(method="POST", path="/assistants", body={"name": name, **self._to_wire(fields)})

    def update_request(self, provider_id: str, fields: JsonObject) -> Request:
        """Build `PATCH /assistants/{id}`."""
        return Request(method="PATCH", path=f"/assistants/{segment(provider_id)}", body=self._to_wire(fields))

    def get_request(self, provider_id: str) -> Request:
        """Build `GET /assistants/{id}`."""
        return Request(method="GET", path=f"/assistants/{segment(provider_id)}")

    def list_request(self, page: int) -> Request:  # noqa: ARG002 Revox lists all assistants at once
        """Build `GET /assistants`, which has one page."""
        return Request(method="GET", path="/assistants")

    def read_written(self, reply: Reply) -> LiveAgent:
        """Read the assistant that was made or changed."""
        return self._agent(reply, accepted_document(PROVIDER, reply))

    def read_found(self, reply: Reply) -> LiveAgent | None:
        """Read an assistant."""
        document = found_document(PROVIDER, reply)
        return None if document is None else self._agent(reply, document)

    def read_list(self, reply: Reply) -> AgentPage:
        """Read all assistants."""
        document = found_document(PROVIDER, reply)
        listing = document.get("assistants") if document else None
        if not isinstance(listing, (list, tuple)):
            raise no_list(PROVIDER)
        return AgentPage(agents=tuple(self._live(one) for one in objects_of(listing)))

    def _agent(self, reply: Reply, document: JsonObject) -> LiveAgent:
        agent = self._live(object_of(document.get("assistant")) or document)
        if not agent.provider_id:
            raise no_id(PROVIDER, reply)
        return agent

    def _live(self, assistant: JsonObject) -> LiveAgent:
        back = {wire: name for name, wire in _NAMES.items()}
        fields = renamed({key: one for key, one in assistant.items() if key not in _KEPT_TO_THEMSELVES}, back)
        if "max_duration" in fields:
            fields["max_duration"] = span_of(fields["max_duration"])
        if "model" in fields:
            fields["model"] = _model_of(fields["model"])
        transfer = _TRANSFER[self.generation]
        if transfer in fields:
            fields["transfer_number"] = _number_in(fields[transfer])
        return LiveAgent(provider_id=first_id(assistant, "id"), name=text_of(assistant.get("name")), fields=fields)

    def _to_wire(self, fields: JsonObject) -> dict[str, Json]:
        body = renamed(fields, _NAMES)
        if "max_call_duration_secs" in body:
            body["max_call_duration_secs"] = seconds_of(body["max_call_duration_secs"])
        if "llm_model" in body:
            body["llm_model"] = _llm_model(object_of(body["llm_model"]))
        if "transfer_number" in body:
            number = body.pop("transfer_number")
            body[_TRANSFER[self.generation]] = number if self.generation == "A" else _destinations(number)
        return body


def _destinations(number: Json) -> Json:
    return [{"label": "human", "phone_number": number}] if number else None


def _number_in(transfer: Json) -> Json:
    """Give the only number that callers are put through to; several as they came."""
    destinations = objects_of(transfer)
    return destinations[0].get("phone_number") if len(destinations) == 1 else transfer


def _whole_model(model: JsonObject) -> JsonObject:
    """Say what kind of model it is, and name one of OpenRouter as OpenRouter does: its maker before it, as in `openai/gpt-4.1`."""
    kind = model.get("type") or ("openrouter" if model.get("provider") else "dedicated-instance")
    named = text_of(model.get("id"))
    if kind == "openrouter" and "/" not in named:
        named = f"{text_of(model.get('provider'))}/{named}"
    return {**model, "type": kind, "id": named}


def _llm_model(model: JsonObject) -> JsonObject:
    kind, named = model.get("type"), model.get("id")
    if kind == "dedicated-instance":
        return {"type": kind, "name": named}
    if kind == "openrouter":
        return {"type": kind, "openrouter_provider": model.get("provider"), "openrouter_model_id": named}
    voice = {"realtime_voice_id": model["voice"]} if model.get("voice") else {}
    return {"type": kind, "provider": model.get("provider"), "realtime_model_id": named, **voice}


def _model_of(wire: Json) -> Json:
    """Give a language model as files write it, its kind beside it; a custom one without its key."""
    if not isinstance(wire, Mapping):
        return wire
    kind = wire.get("type")
    match kind:
        case "dedicated-instance":
            return {"type": kind, "id": wire.get("name")}
        case "openrouter":
            return {"type": kind, "provider": wire.get("openrouter_provider"), "id": wire.get("openrouter_model_id")}
        case "realtime":
            named = {"type": kind, "provider": wire.get("provider"), "id": wire.get("realtime_model_id")}
            return named | ({"voice": wire["realtime_voice_id"]} if wire.get("realtime_voice_id") else {})
        case _:
            return {"type": kind, "id": wire.get("model_name")}
