"""`define` in campaign files: every fault with its line and column, in the provider's own fields."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import Diagnostic, FilesWrong
from runner.files.agent_checks import AGENT_CHECKS
from runner.files.campaign import LoadedCampaign, load_campaign
from runner.files.provider_checks import PROVIDER_CHECKS
from runner.files.schema import campaign_schema
from runner.model.project import AccountEntry, Project
from runner.providers.registry import all_providers
from tests.files.fakes import HEAD
from tests.files.test_schema import problems as schema_problems

REVOX = HEAD + "agents:\n  a:\n    provider: revox\n    define:\n      prompt: Hello there, you call.\n"
MOVOICE = REVOX.replace("revox", "movoice") + "      first_sentence: Hello\n"
SCHEMA = campaign_schema(all_providers())

FINE = [
    REVOX,
    MOVOICE,
    REVOX.replace("Hello there, you call.", "{template: agents/a.md}"),
    REVOX + "      voice: cartesia/x\n      model: openai/gpt-4.1\n      max_duration: 10m\n",
    REVOX + "      voice: {provider: cartesia, id: x, speed: 0.9}\n      model: gpt-4.1\n",
    REVOX + "      faq_items: [{question: Where?, answer: Here.}]\n      first_sentence_delay_ms: 400\n",
    REVOX + "      transfer_number: +1 202 555 0199\n      ivr_navigation_enabled: true\n",
    MOVOICE + "      language: en-US\n      isActive: false\n",
    REVOX.replace("    define", "    id: asst_1\n    define"),
]

WRONG = [
    # text, code, line, column, what the message or help says
    (HEAD + "agents: {a: {provider: revox}}\n", "C02", 4, 13, "add: id: agent_12345"),
    (HEAD + "agents: {a: {provider: revox, id: ''}}\n", "C02", 4, 35, "`id` is missing"),
    (REVOX.replace("revox", "revmo"), "C41", 7, 5, "agents of revmo cannot be defined here"),
    (REVOX + "      first_sentense: Hi\n", "C40", 9, 7, "did you mean `first_sentence`?"),
    (MOVOICE + "      voicemail_message: Hi\n", "C40", 10, 7, "`voicemail_message` is not a field of movoice's agents"),
    (MOVOICE + "      max_duration: 10m\n", "C40", 10, 7, "options: {max_duration: 600}"),
    (MOVOICE.replace("      first_sentence: Hello\n", ""), "C02", 7, 5, "add: first_sentence: ..."),
    (REVOX + "      voice: rachel\n", "C10", 9, 14, "write provider/voice"),
    (REVOX + "      voice: gradium/x\n", "C40", 9, 14, "one of: cartesia, elevenlabs"),
    (REVOX + "      voice: {provider: elevenlabs, id: x, speed: 1.4}\n", "C40", 9, 51, "write: speed: 0.7"),
    (REVOX + "      model: gpt-9\n", "C40", 9, 14, "of others: openai/gpt-9"),
    (REVOX + "      first_sentence_mode: loud\n", "C40", 9, 28, "one of: generated, static, none"),
    (REVOX + "      first_sentence_delay_ms: soon\n", "C40", 9, 32, "write digits only"),
    (REVOX + "      sms_enabled: true\n", "C40", 9, 7, "`sms_enabled` is not a field of revox's agents"),
    (REVOX + "      webhook_url: http://a.test\n", "C10", 9, 20, "write: https://example.com/hook"),
    (REVOX + "      transfer_number: 0161\n", "C10", 9, 24, "start with + and the country code"),
    (REVOX + "      faq_items: [{question: Where?}]\n", "C02", 9, 19, "`answer` is missing"),
    (REVOX + "      faq_items: [{question: A, answer: B, id: x}]\n", "C40", 9, 44, "`id` is not known here"),
    (REVOX.replace("      prompt: Hello there, you call.\n", "      voice: a/b\n"), "C02", 7, 5, "`prompt` is missing"),
    (
        REVOX.replace("Hello there, you call.", "{text: a, template: b}"), "C40", 8, 7,
        "a prompt is either a text or a template",
    ),
    (REVOX.replace("    define:\n  ", ""), "C01", 7, 5, "one level down, under `define`"),
]  # fmt: skip


def loaded(tmp_path: Path, text: str, project: Project | None = None) -> LoadedCampaign:
    file = tmp_path / "c.yaml"
    file.write_text(text, encoding="utf-8")
    return load_campaign(file, project=project or Project(), providers=all_providers())


def faults(tmp_path: Path, text: str, project: Project | None = None) -> list[Diagnostic]:
    with pytest.raises(FilesWrong) as caught:
        loaded(tmp_path, text, project)
    return list(caught.value.diagnostics)


@pytest.mark.parametrize("text", FINE)
def test_what_a_provider_knows_is_fine(tmp_path: Path, text: str) -> None:
    assert loaded(tmp_path, text).campaign.agents["a"].define is not None
    assert schema_problems(SCHEMA, text) == []


@pytest.mark.parametrize(("text", "code", "line", "column", "says"), WRONG)
def test_every_fault_has_its_place(tmp_path: Path, text: str, code: str, line: int, column: int, says: str) -> None:
    found = faults(tmp_path, text)

    assert [(one.code, one.span and (one.span.line, one.span.column)) for one in found][:1] == [(code, (line, column))]
    assert says in f"{found[0].message} {found[0].help}"


@pytest.mark.parametrize(
    "text", [text for text, code, *_ in WRONG if code in {"C02", "C41", "C40", "C01"} and "gpt-9" not in text]
)
def test_editors_are_told_as_well(text: str) -> None:
    beyond = ("elevenlabs, id: x, speed: 1.4", "sms_enabled", "gradium")
    if any(word in text for word in beyond):
        # Ranges that depend on another value, and generations that outreach.yaml names, are not in the schema.
        return
    assert schema_problems(SCHEMA, text)


def test_the_generation_of_the_account_decides_what_is_known(tmp_path: Path) -> None:
    project = Project(accounts={"main": AccountEntry(provider="revox", generation="D")})

    assert loaded(tmp_path, REVOX + "      sms_enabled: true\n", project).campaign.agents
    (fault,) = faults(tmp_path, REVOX + "      sms_enabled: perhaps\n", project)
    assert fault.message == "`perhaps` is neither true nor false"


def test_every_rule_about_agents_is_one_of_its_own() -> None:
    names = [check.__name__ for check in (*PROVIDER_CHECKS, *AGENT_CHECKS)]

    assert len(names) == len(set(names))
    assert {code for _, code, *_ in WRONG} >= {"C02", "C40", "C41"}


def test_the_canonical_campaign_keeps_every_field(tmp_path: Path) -> None:
    text = REVOX + "      voice: cartesia/x\n      faq_items: [{question: Where?, answer: Here.}]\n"
    campaign = loaded(tmp_path, text).campaign

    again = type(campaign).model_validate_json(campaign.model_dump_json(exclude_none=True))

    define = again.agents["a"].define
    assert define is not None
    assert define.written() == {
        "prompt": {"text": "Hello there, you call."},
        "voice": {"provider": "cartesia", "id": "x"},
        "faq_items": [{"question": "Where?", "answer": "Here."}],
    }
