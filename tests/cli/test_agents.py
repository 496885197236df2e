"""Agents as code through the commands, over real sockets: what is shown, made, changed, and what stops it."""

from __future__ import annotations

import json

import pytest

from runner.errors import LedgerError
from runner.ledger.store import Store
from runner.model.agent_definition import NOT_APPLIED
from runner.wiring import applying
from runner.wiring.workspace import open_workspace
from tests.building import NOON
from tests.cli.agents_project import AGENTS, CAMPAIGN, PROMPT, Place
from tests.cli.agents_server import AgentsServer

BOTH = pytest.mark.parametrize("provider", ["revox", "movoice"])


# ---- plan ----


def test_a_plan_needs_no_network_and_shows_what_apply_would_create(place: Place, server: AgentsServer) -> None:
    text = place("plan")

    assert "compared with what was last applied; --online asks the provider" in text
    assert "+ reminder at revox create: it was never applied" in text
    assert "apply creates the agent first" in text
    (agent,) = place.agents_in_plan()
    assert (agent["status"], agent["compared_with"], agent["id"]) == ("create", "ledger", None)
    assert {one["field"] for one in agent["changes"]} >= {"prompt", "voice", "call_retry_config"}
    line = place.body_in_plan()
    assert (line["status"], line["body"]["assistant_id"]) == ("create", NOT_APPLIED)
    assert line["reason"] == "apply creates the agent first"
    assert server.asked == []
    assert not (place.root / ".outreach").exists()


def test_online_asks_and_changes_nothing(place: Place, server: AgentsServer) -> None:
    text = place("plan", "--online")

    assert "compared with what lives at the provider" in text
    assert "create: it does not live there yet" in text
    assert [method for method, _, _ in server.asked] == ["GET"]
    assert not (place.root / ".outreach").exists()


def test_online_without_defined_agents_asks_nobody(place: Place, server: AgentsServer) -> None:
    place.write("  reminder: {provider: revox, id: asst_1}\n")

    assert "no provider was asked" in place("plan", "--online")
    assert server.asked == []


def test_the_exit_code_counts_agents(place: Place) -> None:
    place("apply")
    assert place("plan", "--exit-code", code=0)
    place.write(AGENTS["revox"].replace("We call again.", "We write."))

    assert "We write." in place("plan", "--exit-code", code=3)


# ---- apply ----


@BOTH
def test_apply_creates_once_and_then_sends_nothing_that_changes(
    place: Place, server: AgentsServer, provider: str
) -> None:
    place.write(AGENTS[provider])
    assert f"agent reminder of renewals: created ({provider}/{provider}_1)" in place("apply")

    agent = server.only()
    assert agent["prompt"] == PROMPT + "\n"
    assert agent["name"].startswith("reminder (outreach ")
    assert place.remembered() == {"reminder": f"{provider}_1"}
    written = len(server.writes())
    assert "agent reminder of renewals: unchanged" in place("apply")
    assert len(server.writes()) == written == 1


@BOTH
def test_what_is_planned_after_apply_carries_the_real_id(place: Place, server: AgentsServer, provider: str) -> None:
    place.write(AGENTS[provider])
    place("apply")
    store = Store.open_read_only(place.root / ".outreach/ledger.db")
    bodies = [row["body"] for row in store._connection.execute("SELECT body FROM payloads")]
    store.close()

    assert [f"{provider}_1" in body for body in bodies] == [True]
    line = place.body_in_plan()
    assert (line["status"], line["reason"]) == ("keep", None)
    assert NOT_APPLIED not in json.dumps(line)
    (agent,) = place.agents_in_plan("--online")
    assert (agent["status"], agent["changes"]) == ("keep", [])


@BOTH
def test_a_change_in_the_file_is_one_field_there(place: Place, server: AgentsServer, provider: str) -> None:
    place.write(AGENTS[provider])
    place("apply")
    place.write(AGENTS[provider].replace('"Hello', '"Good day'))

    (agent,) = place.agents_in_plan()
    assert agent["changes"] == [
        {"field": "first_sentence", "old": "Hello {{first_name}}", "new": "Good day {{first_name}}", "drift": False}
    ]
    assert '"Hello {{first_name}}" → "Good day {{first_name}}"' in place("plan")
    assert "changed" in place("apply")
    method, _, body = server.asked[-1]
    name = {"revox": "first_sentence", "movoice": "welcomeMessage"}[provider]
    assert (method, body) == ("PATCH", {name: "Good day {{first_name}}"})
    assert place.agents_in_plan("--online")[0]["status"] == "keep"


def test_a_prompt_of_many_lines_is_shown_by_its_changed_lines(place: Place) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace(PROMPT, PROMPT + "\n        Be kind."))

    text = place("plan")

    assert "+Be kind." in text
    assert f"-{PROMPT}" not in text


def test_a_line_that_leaves_the_file_is_emptied_where_that_is_known_to_work(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace("      voicemail_message: We call again.\n", ""))

    assert 'voicemail_message: "We call again." → nothing' in place("plan", "--online")
    place("apply")
    assert server.only()["voicemail_message"] is None


def test_a_line_that_leaves_the_file_otherwise_stays_there_and_is_named(place: Place, server: AgentsServer) -> None:
    place("apply")
    place.write(AGENTS["revox"].replace("      voice: cartesia/voice-1\n", ""))

    assert "left as it is there: voice" in place("plan", "--online")
    place("apply")
    assert server.only()["voice"] == {"provider": "cartesia", "id": "voice-1"}


def test_what_a_provider_writes_its_own_way_is_no_change(place: Place, server: AgentsServer) -> None:
    server.strips = True
    place("apply")

    assert place.agents_in_plan("--online")[0]["status"] == "keep"
    place("apply")
    assert len(server.writes()) == 1


def test_apply_as_json_names_the_agents(place: Place) -> None:
    facts = json.loads(place("apply", "--format", "json"))

    assert facts["agents"] == [
        {
            "campaign": "renewals",
            "name": "reminder",
            "provider": "revox",
            "account": "revox",
            "id": "revox_1",
            "done": "created",
        }
    ]


def test_a_prompt_from_a_file_is_sent_as_it_stands(place: Place, server: AgentsServer) -> None:
    (place.root / "templates/agents").mkdir(parents=True)
    (place.root / "templates/agents/reminder.md").write_text("Ask {{first_name}}.\n{% raw %} stays")
    place.write(
        "  reminder: {provider: revox, define: {prompt: {template: agents/reminder.md}}}\n",
    )
    place("apply")

    assert server.only()["prompt"] == "Ask {{first_name}}.\n{% raw %} stays"


# ---- what stops it ----


def test_without_a_key_nothing_is_sent_or_written(
    place: Place, server: AgentsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AGENTS_TEST_KEY")

    assert "`env:AGENTS_TEST_KEY` is not set" in place("apply", code=1)
    assert server.asked == []
    assert not (place.root / ".outreach").exists()


def test_a_wrong_key_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTS_TEST_KEY", "wrong-key")

    told = place("apply", code=1)

    assert "revox does not say what the agent `reminder` of renewals is: revox answered 401: `unauthorized`" in told
    assert "wrong-key" not in told


def test_bad_rows_stop_before_any_agent_is_made(place: Place, server: AgentsServer) -> None:
    place.write(AGENTS["revox"], CAMPAIGN.replace("+12025550143", "12"))

    place("apply", code=1)

    assert server.asked == []


def test_real_agents_keep_a_ledger_out_of_the_sandbox(place: Place) -> None:
    place("apply")

    assert "this ledger belongs to the real world" in place("run", "--sandbox", code=1)


def test_no_request_with_a_placeholder_reaches_the_ledger(place: Place, server: AgentsServer) -> None:
    workspace = open_workspace(place.root)
    (loaded,) = workspace.load([place.root / "campaigns/renewals.yaml"])
    examined = applying.examine(workspace.plan(loaded, NOON))
    store = Store.open(workspace.ledger_path)

    with pytest.raises(LedgerError, match="the agent `reminder` of renewals has not been created yet"):
        applying.apply(workspace, examined, store)

    store.close()
    assert not place.contacts()
