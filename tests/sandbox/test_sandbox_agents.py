"""Agents at their providers: Revox's assistants and Movoice's agents, made, read, changed, copied and removed."""

from __future__ import annotations

from typing import Any

import pytest

from runner.sandbox.revox_assistant_fields import FIELDS, ONLY_NEW, ONLY_OLD, known_fields
from runner.sandbox.settings import MovoiceSwitches, RevoxSwitches

ANA = "+12025550101"
ASSISTANT: dict[str, Any] = {"name": "Reminders", "prompt": "Remind them."}
RETRIES = {
    "calling_windows": [
        {"calling_window_start_time": "00:00", "calling_window_end_time": "23:59", "retry_delay_seconds": 60}
    ],
    "max_retry_attempts": 1,
}
OFFERED: dict[str, Any] = {
    "background_sound": "audio/office.ogg",
    "calendly": {"connection_id": "c", "event_type_id": "e"},
    "end_of_call_sentence": "Goodbye.",
    "faq_items": [{"question": "Where?", "answer": "Here."}],
    "first_sentence": "Hello.",
    "first_sentence_delay_ms": 900,
    "first_sentence_mode": "static",
    "ivr_navigation_enabled": True,
    "llm_model": {"type": "openrouter", "openrouter_model_id": "openai/gpt-4.1", "openrouter_provider": "openai"},
    "max_call_duration_secs": 300,
    "structured_output_config": [{"name": "date", "required": True, "type": "date"}],
    "voice": {"id": "v", "provider": "elevenlabs", "speed": 1.1},
    "voicemail_message": "Call us.",
    "webhook_url": "https://example.test/hooks",
}


@pytest.mark.parametrize("generation", ["A", "D"])
async def test_every_field_is_kept_and_the_others_have_defaults(serve: Any, generation: Any) -> None:
    sandbox = await serve(revox=RevoxSwitches(generation=generation))
    whole = {"allowed_days": ["monday"], "call_twice_in_a_row": False} if generation == "D" else {}
    asked = ASSISTANT | OFFERED | {"call_retry_config": RETRIES | whole}

    made = (await sandbox.post("/revox/assistants", asked))["assistant"]
    plain = (await sandbox.post("/revox/assistants", ASSISTANT))["assistant"]
    read = await sandbox.get(f"/revox/api/assistants/{made['id']}")

    assert {name: made[name] for name in asked} == asked
    assert read == made
    assert set(made) - set(known_fields(generation)) == {
        "id",
        "organization_id",
        "created_at",
        "updated_at",
        "created_by",
        "pending_faq_count",
        "is_inbound_receptionist",
        "is_realestate_assistant",
    }
    assert (plain["first_sentence_delay_ms"], plain["first_sentence_mode"], plain["voice"]) == (400, "generated", None)
    assert ("transfer_phone_number" in plain) is (generation == "A")
    assert ("transfer_destinations" in plain) is (generation == "D")


def test_both_generations_know_every_field_between_them() -> None:
    assert set(known_fields("A")) | set(known_fields("D")) == set(FIELDS)
    assert set(FIELDS) >= ONLY_NEW | ONLY_OLD
    assert not ONLY_NEW & ONLY_OLD


async def test_assistants_are_listed_changed_copied_and_removed(serve: Any) -> None:
    sandbox = await serve()
    made = (await sandbox.post("/revox/assistants", ASSISTANT | {"first_sentence": "Hello."}))["assistant"]
    path = f"/revox/assistants/{made['id']}"

    changed = (await sandbox.http.patch(path, json={"prompt": "New.", "first_sentence": None})).json()["assistant"]
    copied = (await sandbox.post(f"{path}/clone", None))["assistant"]
    listed = (await sandbox.get("/revox/assistants"))["assistants"]
    removed = await sandbox.http.delete(path)

    assert (changed["prompt"], changed["first_sentence"], changed["name"]) == ("New.", None, "Reminders")
    assert (copied["prompt"], copied["name"]) == ("New.", "Reminders (copy)")
    assert [one["id"] for one in listed] == [copied["id"], made["id"]]
    assert removed.json() == {"success": True}
    for method in ("GET", "PATCH", "DELETE"):
        assert (await sandbox.http.request(method, path, json={})).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"prompt": None},
        {"background_sound": "disco.ogg"},
        {"first_sentence_mode": "loud"},
        {"first_sentence_delay_ms": -1},
        {"ivr_navigation_enabled": "yes"},
        {"llm_model": {"type": "openrouter"}},
        {"llm_model": {"type": "other", "name": "x"}},
        {"max_call_duration_secs": 0},
        {"structured_output_config": [{"name": "x", "required": True, "type": "list"}]},
        {"voice": {"id": "v", "provider": "other"}},
        {"faq_items": [{"question": "Where?"}]},
        {"calendly": {"connection_id": "c"}},
        {"call_retry_config": {"max_retry_attempts": 1}},
    ],
)
async def test_a_wrong_assistant_is_refused(serve: Any, change: Any) -> None:
    sandbox = await serve()

    assert set(await sandbox.post("/revox/assistants", ASSISTANT | change, 400)) == {"error"}
    assert (await sandbox.get("/revox/assistants"))["assistants"] == []


async def test_an_order_shows_its_assistant_and_keeps_to_its_longest_call(serve: Any) -> None:
    sandbox = await serve(talk_seconds=(5.0, 6.0), speed=10.0, script={ANA: ("answered",)})
    retries = {"call_retry_config": RETRIES}
    made = (await sandbox.post("/revox/assistants", ASSISTANT | {"max_call_duration_secs": 1} | retries))["assistant"]

    placed = (await sandbox.post("/revox/call", {"phone_number": ANA, "assistant_id": made["id"]}))["call"]
    await sandbox.ended()
    read = (await sandbox.get(f"/revox/call/{placed['id']}"))["call"]

    assert read["assistant"] == made
    assert (read["last_call_attempt"]["ended_by"], read["last_call_attempt"]["end_reason"]) == (
        "system",
        "max_duration",
    )


async def test_an_unknown_assistant_is_refused_when_switched(serve: Any) -> None:
    sandbox = await serve(revox=RevoxSwitches(assistants_must_exist=True))
    campaign = {"assistant_id": "x", "name": "x", "contacts": [{"to_phone_number": ANA, "prompt_variables": {}}]}

    await sandbox.post("/revox/call", {"phone_number": ANA, "assistant_id": "x"}, 404)
    await sandbox.post("/revox/campaigns", campaign, 404)
    await sandbox.post("/revox/call", {"phone_number": ANA, "assistant": {"prompt": "Hello."}})

    assert len(await sandbox.dials()) == 1


@pytest.mark.parametrize("enveloped", [False, True])
async def test_movoices_agents_are_made_listed_changed_and_removed(serve: Any, enveloped: Any) -> None:
    sandbox = await serve(movoice=MovoiceSwitches(data_envelope=enveloped))

    def bare(answer: Any) -> Any:
        return answer["data"] if enveloped else answer

    asked = {"name": "Desk", "prompt": "Help.", "welcomeMessage": "Hello.", "webhookUrl": "https://example.test/h"}
    made = bare(await sandbox.post("/movoice/v1/agents", asked, 201))
    other = bare(await sandbox.post("/movoice/agents", {"name": "Other", "llmProvider": "groq"}, 201))
    path = f"/movoice/api/v1/agents/{made['id']}"
    changed = bare((await sandbox.http.patch(path, json={"isActive": False, "id": "mine"})).json())
    listed = await sandbox.get("/movoice/agents", page=1, per_page=1)
    removed = await sandbox.http.delete(path)

    assert {name: made[name] for name in asked} == asked
    assert (made["isActive"], made["llmProvider"], other["llmProvider"]) == (True, "openai", "groq")
    assert (changed["isActive"], changed["id"], changed["prompt"]) == (False, made["id"], "Help.")
    assert [one["id"] for one in listed["data" if enveloped else "agents"]] == [other["id"]]
    assert (listed["total"], listed["page"], listed["per_page"]) == (2, 1, 1)
    assert removed.is_success
    assert (await sandbox.http.get(path)).status_code == 404
    for wrong in ({"name": ""}, {"name": "x", "isActive": "yes"}, {"name": "x", "prompt": 5}, {}):
        await sandbox.post("/movoice/agents", wrong, 400)
