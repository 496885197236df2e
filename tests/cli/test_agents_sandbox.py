"""Agents as code against the sandbox, over real sockets: made, dialled with, changed behind our back, answers lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.running import Shell
from tests.e2e.processes import sandbox_process

BASES = {"revox": "/revox/api", "movoice": "/movoice/v1"}
LISTS = {"revox": "/assistants", "movoice": "/agents"}
PROVIDERS = pytest.mark.parametrize("provider", ["revox", "movoice"])
KEY = {"Authorization": "Bearer any"}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox")) as url:
        yield url


@pytest.fixture
def project(tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("AGENTS_TEST_KEY", "any")
    httpx.post(f"{sandbox}/_sandbox/reset", trust_env=False, timeout=10).raise_for_status()
    accounts = "".join(
        f"  {name}: {{provider: {name}, base_url: {sandbox}{base}, allow_loopback: true, credential: env:AGENTS_TEST_KEY}}\n"
        for name, base in BASES.items()
    )
    (tmp_path / "outreach.yaml").write_text(f"accounts:\n{accounts}")
    (tmp_path / "campaigns").mkdir()
    return tmp_path


def write(project: Path, provider: str, sentence: str = "Hello {{first_name}}") -> None:
    (project / "campaigns/renewals.yaml").write_text(
        "campaign: renewals\n"
        "purpose: informational\n"
        'contacts: [{phone: "+12025550143", name: Ann, timezone: America/New_York}]\n'
        'variables: {first_name: "{{ contact.name }}"}\n'
        "windows: daily 00:00-24:00\n"
        "agents:\n"
        "  reminder:\n"
        f"    provider: {provider}\n"
        "    define:\n"
        "      prompt: |\n"
        "        You call {{first_name}} about a visit.\n"
        "        Be kind.\n"
        f'      first_sentence: "{sentence}"\n'
        "      voice: elevenlabs/rachel\n"
        "      model: openai/gpt-4o-mini\n"
    )


def agents(sandbox: str, provider: str) -> list[dict[str, Any]]:
    """Ask the sandbox which agents live there."""
    address = f"{sandbox}{BASES[provider]}{LISTS[provider]}"
    told = httpx.get(address, headers=KEY, params={"page": 1, "per_page": 100}, trust_env=False, timeout=10).json()
    return next(value for value in told.values() if isinstance(value, list))


def change(sandbox: str, provider: str, agent_id: str, **fields: Any) -> None:
    """Change an agent as somebody else does."""
    address = f"{sandbox}{BASES[provider]}{LISTS[provider]}/{agent_id}"
    httpx.patch(address, headers=KEY, json=fields, trust_env=False, timeout=10).raise_for_status()


def writes(sandbox: str, provider: str) -> int:
    """Count the requests that asked the sandbox for a change of agents."""
    told = httpx.get(f"{sandbox}/_sandbox/requests", trust_env=False, timeout=10).json()
    found = told if isinstance(told, list) else told["requests"]
    return sum(one["method"] in {"POST", "PATCH"} and LISTS[provider] in one["path"] for one in found)


@PROVIDERS
def test_an_agent_is_made_once_and_is_what_the_file_says(
    shell: Shell, project: Path, sandbox: str, provider: str
) -> None:
    write(project, provider)
    assert shell("apply", cwd=project).code == 0

    (agent,) = agents(sandbox, provider)
    assert agent["prompt"] == "You call {{first_name}} about a visit.\nBe kind.\n"
    assert agent["name"].startswith("reminder (outreach ")
    assert shell("apply", cwd=project).code == 0
    assert writes(sandbox, provider) == 1
    told = shell("plan", "--online", "--format", "json", cwd=project).lines()
    assert told[0]["agent"]["status"] == "keep"
    assert agent["id"] in json.dumps(told[1]["body"])


@PROVIDERS
def test_what_changes_there_is_drift(shell: Shell, project: Path, sandbox: str, provider: str) -> None:
    write(project, provider)
    assert shell("apply", cwd=project).code == 0
    (agent,) = agents(sandbox, provider)
    change(sandbox, provider, agent["id"], prompt="Sell everything.")

    told = shell("plan", "--online", "--format", "json", cwd=project).lines()[0]["agent"]
    assert (told["status"], [one["field"] for one in told["changes"]]) == ("drift", ["prompt"])
    assert shell("apply", cwd=project).code == 1
    assert agents(sandbox, provider)[0]["prompt"] == "Sell everything."
    assert shell("apply", "--accept-drift", cwd=project).code == 0
    assert agents(sandbox, provider)[0]["prompt"].endswith("Be kind.\n")


@PROVIDERS
def test_a_change_in_the_file_arrives(shell: Shell, project: Path, sandbox: str, provider: str) -> None:
    write(project, provider)
    assert shell("apply", cwd=project).code == 0
    write(project, provider, "Good day {{first_name}}")
    assert shell("apply", cwd=project).code == 0

    (agent,) = agents(sandbox, provider)
    assert "Good day {{first_name}}" in agent.values()
    assert shell("plan", "--online", "--exit-code", cwd=project).code == 0


@PROVIDERS
@pytest.mark.parametrize(
    "fault",
    [{"kind": "drop_after"}, {"kind": "status", "status": 500, "effect": True}, {"kind": "malformed"}],
    ids=["dropped", "500", "malformed"],
)
def test_a_lost_answer_leaves_one_agent(
    shell: Shell, project: Path, sandbox: str, provider: str, fault: dict[str, Any]
) -> None:
    write(project, provider)
    where = {"provider": provider, "path": f"{LISTS[provider]}$", "times": 1}
    # The first request looks for the agent by its name and is let through; the second one makes it.
    plan = [{"kind": "slow", "seconds": 0, **where}, {**fault, **where}]
    httpx.post(f"{sandbox}/_sandbox/faults", json=plan, trust_env=False, timeout=10).raise_for_status()

    done = shell("apply", cwd=project)

    assert done.code == 0, done.err
    assert "agent reminder of renewals: created" in done.out
    assert len(agents(sandbox, provider)) == 1
    assert writes(sandbox, provider) == 1
    assert shell("apply", cwd=project).code == 0
    assert writes(sandbox, provider) == 1


@PROVIDERS
def test_a_rehearsal_makes_the_agent_and_dials_with_it(shell: Shell, project: Path, provider: str) -> None:
    write(project, provider)
    done = shell("run", "campaigns", "--sandbox", "--seed", "7", "--yes", cwd=project)

    assert done.code in {0, 5}, done.err
    assert f"reminder at {provider} create" in done.out
    assert "1 calls and texts for 1 attempts: one each" in done.out
    again = shell("run", "campaigns", "--sandbox", "--seed", "7", "--yes", cwd=project)
    assert again.code in {0, 5}, again.err
