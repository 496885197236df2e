"""The agents' endpoints: what is built from a definition, and what is read from every shape of answer."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.errors import InDoubt, Rejected, SendError, Throttled
from runner.model.agent_definition import AgentDefinition
from runner.model.definitions import DEFINITIONS, definition_model
from runner.model.project import Account
from runner.model.request import Reply
from runner.planning.agents import agrees
from runner.providers.assistants import AgentsApi, agents_api, seconds_of, span_of
from tests.providers.support import body_of

PROMPT = "You call {{first_name}} about a visit."
SEED: dict[str, Any] = {
    "prompt": PROMPT,
    "first_sentence": "Hello {{first_name}}",
    "first_sentence_mode": "static",
    "first_sentence_delay_ms": "250",
    "voice": {"provider": "cartesia", "id": "voice-1", "speed": "0.9"},
    "model": "gpt-4.1",
    "voicemail_message": "We call again.",
    "max_duration": "10m",
    "transfer_number": "+1 202 555 0199",
    "webhook_url": "https://hooks.example.com/revox",
    "end_of_call_sentence": "Goodbye.",
    "background_sound": "audio/office.ogg",
    "ivr_navigation_enabled": "true",
    "structured_output_config": [
        {"name": "date", "required": "true", "type": "enum", "enum_options": ["today", "tomorrow"]}
    ],
    "faq_items": [{"question": "Where?", "answer": "Here."}],
    "calendly": {"connection_id": "conn", "event_type_id": "event"},
    "call_retry_config": {
        "calling_windows": [
            {"calling_window_start_time": "9am", "calling_window_end_time": "17:00", "retry_delay_seconds": "60"}
        ],
        "max_retry_attempts": "2",
        "timezone": "Europe/Paris",
    },
}
"""every field of an assistant that the seed lists, as a file writes it"""
SEED_WIRE: dict[str, Any] = {
    "prompt": PROMPT,
    "first_sentence": "Hello {{first_name}}",
    "first_sentence_mode": "static",
    "first_sentence_delay_ms": 250,
    "voice": {"provider": "cartesia", "id": "voice-1", "speed": 0.9},
    "llm_model": {"type": "dedicated-instance", "name": "gpt-4.1"},
    "voicemail_message": "We call again.",
    "max_call_duration_secs": 600,
    "transfer_phone_number": "+12025550199",
    "webhook_url": "https://hooks.example.com/revox",
    "end_of_call_sentence": "Goodbye.",
    "background_sound": "audio/office.ogg",
    "ivr_navigation_enabled": True,
    "structured_output_config": [
        {"name": "date", "required": True, "type": "enum", "enum_options": ["today", "tomorrow"]}
    ],
    "faq_items": [{"question": "Where?", "answer": "Here."}],
    "calendly": {"connection_id": "conn", "event_type_id": "event"},
    "call_retry_config": {
        "calling_windows": [
            {"calling_window_start_time": "9am", "calling_window_end_time": "17:00", "retry_delay_seconds": 60}
        ],
        "max_retry_attempts": 2,
        "timezone": "Europe/Paris",
    },
}
MOVOICE: dict[str, Any] = {
    "prompt": PROMPT,
    "first_sentence": "Hello!",
    "voice": "elevenlabs/rachel",
    "model": "openai/gpt-4o-mini",
    "webhook_url": "https://hooks.example.com/movoice",
    "asrProvider": "deepgram",
    "language": "en-US",
    "isActive": "true",
}
MOVOICE_WIRE: dict[str, Any] = {
    "prompt": PROMPT,
    "welcomeMessage": "Hello!",
    "ttsProvider": "elevenlabs",
    "ttsVoice": "rachel",
    "llmProvider": "openai",
    "llmModel": "gpt-4o-mini",
    "webhookUrl": "https://hooks.example.com/movoice",
    "asrProvider": "deepgram",
    "language": "en-US",
    "isActive": True,
}
NAME = "reminder (outreach 01234567)"
APIS = [("revox", "A"), ("revox", "D"), ("movoice", "")]


def api_of(provider: str, generation: str = "") -> AgentsApi:
    account = Account(
        name="main", provider=provider, base_url="http://127.0.0.1:9", credential="env:NONE", generation=generation
    )
    found = agents_api(account)
    assert found is not None
    return found


def fields_of(provider: str, generation: str, written: dict[str, Any]) -> dict[str, Any]:
    """Read a definition as a campaign file does, and give its fields."""
    model = definition_model(provider, generation)
    assert model is not None
    definition = model.model_validate(AgentDefinition.model_validate(written).written())
    return dict(api_of(provider, generation).fields(definition, written["prompt"]))


def reply(body: Any, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=body if isinstance(body, bytes) else json.dumps(body).encode())


def test_every_field_of_the_seed_is_sent_as_the_seed_has_it() -> None:
    request = api_of("revox", "A").create_request(NAME, fields_of("revox", "A", SEED))

    assert (request.method, request.path) == ("POST", "/assistants")
    assert body_of(request) == {"name": NAME, **SEED_WIRE}


def test_every_field_of_a_movoice_agent_is_sent() -> None:
    request = api_of("movoice").create_request(NAME, fields_of("movoice", "", MOVOICE))

    assert (request.method, request.path) == ("POST", "/agents")
    assert body_of(request) == {"name": NAME, **MOVOICE_WIRE}


def test_without_a_retry_loop_of_its_own_an_assistant_calls_once_at_any_hour() -> None:
    a = fields_of("revox", "A", {"prompt": "x"})["call_retry_config"]
    d = fields_of("revox", "D", {"prompt": "x"})["call_retry_config"]

    assert a["max_retry_attempts"] == d["max_retry_attempts"] == 1
    assert a["calling_windows"][0]["calling_window_start_time"] == "00:00"
    assert "allowed_days" not in a
    assert len(d["allowed_days"]) == 7
    assert d["call_twice_in_a_row"] is False


def test_generation_d_puts_people_through_to_destinations() -> None:
    api = api_of("revox", "D")
    fields = fields_of("revox", "D", {"prompt": "x", "transfer_number": "+12025550199"})

    body = body_of(api.create_request(NAME, fields))
    assert body["transfer_destinations"] == [{"label": "human", "phone_number": "+12025550199"}]
    assert "transfer_phone_number" not in body
    emptied = body_of(api.update_request("a1", {"transfer_number": None}))
    assert emptied == {"transfer_destinations": None}


@pytest.mark.parametrize(
    ("model", "wire"),
    [
        ("ministral-3-8b-instruct", {"type": "dedicated-instance", "name": "ministral-3-8b-instruct"}),
        (
            "openai/gpt-4.1",
            {"type": "openrouter", "openrouter_provider": "openai", "openrouter_model_id": "openai/gpt-4.1"},
        ),
        (
            "nebius/openai/gpt-4.1",
            {"type": "openrouter", "openrouter_provider": "nebius", "openrouter_model_id": "openai/gpt-4.1"},
        ),
        (
            {"type": "realtime", "provider": "openai", "id": "gpt-realtime", "voice": "marin"},
            {
                "type": "realtime",
                "provider": "openai",
                "realtime_model_id": "gpt-realtime",
                "realtime_voice_id": "marin",
            },
        ),
    ],
)
def test_language_models_go_out_and_come_back(model: Any, wire: dict[str, Any]) -> None:
    api = api_of("revox", "D")
    fields = fields_of("revox", "D", {"prompt": "x", "model": model})

    assert body_of(api.create_request(NAME, fields))["llm_model"] == wire
    read = api.read_written(reply({"assistant": {"id": "a1", "name": NAME, "llm_model": wire}}))
    assert read.fields["model"] == fields["model"]


def test_a_custom_model_comes_back_without_its_key() -> None:
    wire = {"type": "custom", "api_key": "sk-secret", "api_url": "https://a.test", "model_name": "llama"}
    read = api_of("revox", "D").read_found(reply({"assistant": {"id": "a1", "name": "n", "llm_model": wire}}))

    assert read is not None
    assert read.fields["model"] == {"type": "custom", "id": "llama"}
    assert "sk-secret" not in repr(read)


@pytest.mark.parametrize(
    ("provider", "generation", "written"), [("revox", "A", SEED), ("revox", "D", SEED), ("movoice", "", MOVOICE)]
)
def test_what_is_sent_reads_back_as_what_was_meant(provider: str, generation: str, written: dict[str, Any]) -> None:
    api, fields = api_of(provider, generation), fields_of(provider, generation, written)
    body = body_of(api.create_request(NAME, fields))

    read = api.read_written(reply({**body, "id": "a1"}, 201))

    assert (read.provider_id, read.name) == ("a1", NAME)
    assert {name: read.fields.get(name) for name in fields if not agrees(fields[name], read.fields.get(name))} == {}


@pytest.mark.parametrize(("provider", "generation"), APIS)
def test_an_update_carries_what_changes_and_no_name(provider: str, generation: str) -> None:
    request = api_of(provider, generation).update_request("a 1/x", {"prompt": "new"})

    assert request.method == "PATCH"
    assert request.path.endswith("/a%201%2Fx")
    assert body_of(request) == {"prompt": "new"}


@pytest.mark.parametrize(("provider", "generation"), APIS)
def test_looking_changes_nothing(provider: str, generation: str) -> None:
    api = api_of(provider, generation)

    for request in (api.get_request("a/1"), api.list_request(0), api.list_request(7)):
        assert (request.method, request.body) == ("GET", None)
    assert api.get_request("a/1").path.endswith("/a%2F1")


def test_pages_are_counted_from_one_at_movoice() -> None:
    assert api_of("movoice").list_request(0).path == "/agents?page=1&per_page=100"
    assert api_of("movoice").list_request(2).path == "/agents?page=3&per_page=100"


@pytest.mark.parametrize(
    ("provider", "body"),
    [
        ("revox", {"assistant": {"id": "a1", "name": "n", "prompt": "p"}}),
        ("revox", {"id": "a1", "name": "n", "prompt": "p"}),
        ("movoice", {"id": "a1", "name": "n", "prompt": "p"}),
        ("movoice", {"data": {"id": "a1", "name": "n", "prompt": "p"}}),
        ("movoice", {"agent": {"agent_id": "a1", "name": "n", "prompt": "p"}}),
        ("movoice", {"data": {"agent": {"id": "a1", "name": "n", "prompt": "p"}}}),
    ],
)
def test_every_envelope_is_read(provider: str, body: Any) -> None:
    read = api_of(provider).read_found(reply(body))

    assert read is not None
    assert (read.provider_id, read.name, read.fields["prompt"]) == ("a1", "n", "p")


@pytest.mark.parametrize(
    ("provider", "body", "ids", "more"),
    [
        ("revox", {"assistants": []}, [], False),
        ("revox", {"assistants": [{"id": "a1", "name": "n"}, "nonsense"]}, ["a1"], False),
        ("movoice", {"agents": [{"id": "a1"}], "total": 3, "page": 1, "per_page": 1}, ["a1"], True),
        ("movoice", {"agents": [{"id": "a3"}], "total": 3, "page": 3, "per_page": 1}, ["a3"], False),
        ("movoice", {"data": [{"id": "a1"}]}, ["a1"], True),
        ("movoice", {"data": []}, [], False),
        ("movoice", {"data": {"agents": [{"id": "a1"}], "total": 1, "page": 1, "per_page": 20}}, ["a1"], False),
    ],
)
def test_lists_are_read(provider: str, body: Any, ids: list[str], more: bool) -> None:
    page = api_of(provider).read_list(reply(body))

    assert ([one.provider_id for one in page.agents], page.more) == (ids, more)


@pytest.mark.parametrize(("provider", "generation"), APIS)
@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"{}", b'{"data": 7}', b'{"assistants": {}, "agents": "x"}'])
def test_an_answer_that_says_nothing_proves_nothing(provider: str, generation: str, body: bytes) -> None:
    api = api_of(provider, generation)

    for read in (api.read_written, api.read_found, api.read_list):
        with pytest.raises(InDoubt):
            read(reply(body))


@pytest.mark.parametrize(("provider", "generation"), APIS)
@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Rejected), (401, Rejected), (302, Rejected), (429, Throttled), (500, InDoubt), (408, InDoubt)],
)
def test_what_a_refused_write_proves(provider: str, generation: str, status: int, error: type[SendError]) -> None:
    with pytest.raises(error):
        api_of(provider, generation).read_written(reply({"error": "no"}, status))


@pytest.mark.parametrize(("provider", "generation"), APIS)
def test_an_agent_that_is_not_there_is_none_and_a_list_that_is_not_there_is_no_list(
    provider: str, generation: str
) -> None:
    api = api_of(provider, generation)

    assert api.read_found(reply({"error": "not found"}, 404)) is None
    with pytest.raises(InDoubt):
        api.read_list(reply({"error": "not found"}, 404))


@pytest.mark.parametrize(
    ("provider", "generation", "changes"),
    [
        ("revox", "A", {"voice": "gradium/x"}),
        ("revox", "A", {"voice": {"provider": "elevenlabs", "id": "x", "speed": "1.4"}}),
        ("revox", "A", {"voice": {"provider": "cartesia", "id": "x", "volume": "1"}}),
        ("revox", "A", {"model": "gpt-9"}),
        ("revox", "A", {"model": {"type": "realtime", "provider": "openai", "id": "x"}}),
        ("revox", "A", {"sms_enabled": "true"}),
        ("revox", "A", {"first_sentence_mode": "loud"}),
        ("revox", "D", {"model": {"type": "realtime", "provider": "azure", "id": "x"}}),
        (
            "revox",
            "D",
            {
                "transfer_number": "+12025550199",
                "transfer_destinations": [{"label": "a", "phone_number": "+12025550198"}],
            },
        ),
        ("movoice", "", {"first_sentence": None}),
        ("movoice", "", {"voicemail_message": "Hi"}),
        ("movoice", "", {"model": "mistral/large"}),
        ("movoice", "", {"model": "gpt-4o"}),
        ("movoice", "", {"voice": {"provider": "openai", "id": "x", "speed": "1"}}),
        ("movoice", "", {"isActive": "perhaps"}),
    ],
)
def test_what_a_provider_does_not_know_is_refused(provider: str, generation: str, changes: dict[str, Any]) -> None:
    plain = {"prompt": PROMPT, "first_sentence": "Hello!"} | changes
    written = AgentDefinition.model_validate({key: value for key, value in plain.items() if value is not None})
    model = definition_model(provider, generation)
    assert model is not None

    with pytest.raises(ValidationError):
        model.model_validate(written.written())


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://a.test", "hooks.example.com", "https://", "http://[x"])
def test_webhooks_go_to_https_alone(url: str) -> None:
    with pytest.raises(ValidationError):
        AgentDefinition.model_validate({"prompt": "x", "webhook_url": url})


def test_webhooks_may_go_to_this_machine_in_the_clear() -> None:
    definition = AgentDefinition.model_validate({"prompt": "x", "webhook_url": "http://127.0.0.1:8600/hook"})

    assert definition.webhook_url == "http://127.0.0.1:8600/hook"


def test_an_unknown_generation_is_the_default_one_and_other_providers_have_none() -> None:
    assert definition_model("revox", "d") is definition_model("revox", "D") is DEFINITIONS["revox"]["d"]
    assert definition_model("revox", "A") is definition_model("revox") is DEFINITIONS["revox"][""]
    assert definition_model("revring") is None
    assert agents_api(Account(name="r", provider="revring", base_url="", credential="env:NONE")) is None


@pytest.mark.parametrize(
    ("seconds", "span"),
    [(600, "10m"), (600.0, "10m"), ("90", "1m30s"), (0, 0), (None, None), (-1, -1), ("soon", "soon"), (1e12, 1e12)],
)
def test_spans_are_written_as_files_write_them(seconds: Any, span: Any) -> None:
    assert span_of(seconds) == span


@given(st.integers(min_value=1, max_value=366 * 86_400 - 1))
def test_spans_come_back(seconds: int) -> None:
    assert seconds_of(span_of(seconds)) == seconds


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda i: st.lists(i) | st.dictionaries(st.text(), i), max_leaves=10))  # fmt: skip
def test_no_answer_breaks_a_reader(body: Any) -> None:
    for provider, generation in APIS:
        api = api_of(provider, generation)
        for read in (api.read_written, api.read_found, api.read_list):
            try:
                read(reply(body))
            except SendError as error:
                assert error.message
