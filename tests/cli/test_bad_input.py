"""Bad input, end to end: told with its place before anything happens, or a paused campaign that says why, and nobody lost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.running import Shell
from tests.e2e.processes import dials, sandbox_process

_HEAD = """\
campaign: visits
purpose: transactional
windows: daily 00:00-24:00
timezone: America/New_York
contacts: [{phone: "+12025550143"}, {phone: "+12025550144"}, {phone: "+12025550145"}]
"""
_AGENTS = {
    "movoice": "{provider: movoice, id: agent_1}",
    "revmo": "{provider: revmo, id: QUdFTlQ=}",
    "revring": '{provider: revring, id: agent_1, from: "+12025550111"}',
    "revox": "{provider: revox, id: asst_1}",
}
_BASES = {"movoice": "/movoice/v1", "revmo": "/revmo", "revring": "/revring/v1", "revox": "/revox/api"}
_PLACING = {"movoice": "/call$", "revmo": "/v1/makecall/$", "revring": "/calls$", "revox": "/call$"}
_WRONG = [
    # agent, code, where it points at, message, what the help says
    ("{provider: revoks, id: a}", "C10", "revoks", "`revoks` is not a provider", "did you mean `revox`?"),
    ("{provider: twilio, id: a}", "C10", "twilio", "`twilio` is not a provider", "revmo, revring, revox, movoice"),
    ("{provider: movoice, id: my agent}", "C10", "my agent", "`my agent` is not an agent's id", "agent_12345"),
    ("{provider: revmo, id: my.agent}", "C10", "my.agent", "`my.agent` is not an agent's id: base64", "QUdFTlQ"),
    ('{provider: revring, id: a b, from: "+12025550111"}', "C10", "a b", "`a b` is not an agent's id", "3c90c3cc"),
    ("{provider: movoice, id: a, options: {skipQueue: y}}", "C06", "skipQueue", "`skipQueue` is not an option", ""),
    ("{provider: revox, id: a, options: {silence: 9}}", "C06", "silence", "`silence` is not an option of revox", ""),
    ("{provider: revring, id: a}", "C22", "{provider", "revring needs the number", 'from: "+12025550143"'),
    ('{provider: revmo, id: a, from: "+12025550111"}', "C22", "from", "revmo takes no `from`", "remove `from`"),
    ("{provider: revox, id: a, account: second}", "C24", "second", "`second` is not an account of revox", "revox"),
    ("{provider: revmo, define: {prompt: Hello.}}", "C41", "define", "agents of revmo cannot be defined", "its id"),
    ("{provider: movoice}", "C02", "{provider", "`id` is missing", "add: id:"),
]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with sandbox_process(tmp_path_factory.mktemp("sandbox"), "--api-key", "good", "--seed", "3") as url:
        yield url


@pytest.fixture
def project(tmp_path: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose accounts lie at a sandbox that counts as the real providers, and that everybody answers."""
    monkeypatch.setenv("BAD_INPUT_KEY", "good")
    _post(sandbox, "reset", {})
    _post(sandbox, "people", {f"+120255501{end}": ["answered"] for end in (43, 44, 45)})
    accounts = "".join(
        f"  {name}: {{provider: {name}, base_url: {sandbox}{base}, allow_loopback: true, credential: env:BAD_INPUT_KEY, "
        "poll: [0.2s, 0.5s, 1s, 2s, 4s]}\n"
        for name, base in _BASES.items()
    )
    (tmp_path / "outreach.yaml").write_text(f"accounts:\n{accounts}")
    (tmp_path / "campaigns").mkdir()
    return tmp_path


def _post(url: str, what: str, body: Any) -> None:
    httpx.post(f"{url}/_sandbox/{what}", json=body, trust_env=False, timeout=10).raise_for_status()


def write(project: Path, agent: str) -> None:
    text = f"{_HEAD}agents: {{a: {agent}}}\n"
    (project / "campaigns/visits.yaml").write_text(text, encoding="utf-8")


def standing(shell: Shell, project: Path) -> dict[str, Any]:
    """Give where the campaign stands, people included."""
    done = shell("status", "--contacts", "--format", "json", cwd=project)
    (found,) = json.loads(done.out)["campaigns"]
    assert isinstance(found, dict)
    return found


def placed(sandbox: str) -> dict[str, int]:
    """Count the dials by number."""
    return dict(Counter(dial["to"] for dial in dials(sandbox)))


EVERYBODY_ONCE = {"+12025550143": 1, "+12025550144": 1, "+12025550145": 1}


# ---- what can be known from the files ----


@pytest.mark.parametrize("command", ["validate", "plan", "apply", "run"])
@pytest.mark.parametrize(("agent", "code", "at", "message", "advice"), _WRONG)
def test_what_the_files_show_is_told_with_its_place(
    shell: Shell, project: Path, command: str, *, agent: str, code: str, at: str, message: str, advice: str
) -> None:
    """One error, at its character, with a line to paste; nothing is written and nobody is asked."""
    write(project, agent)
    done = shell(command, "campaigns", cwd=project)
    column = f"agents: {{a: {agent}}}".index(at) + 1

    assert done.code == 1
    assert done.err.startswith(f"error[{code}]: {message}")
    assert f"--> campaigns/visits.yaml:6:{column}\n" in done.err
    assert advice in done.err.partition("= help:")[2]
    assert done.err.endswith("1 error\n")
    assert not (project / ".outreach").exists()


def test_an_option_of_a_step_is_told_at_the_step(shell: Shell, project: Path) -> None:
    write(project, _AGENTS["movoice"])
    file = project / "campaigns/visits.yaml"
    file.write_text(file.read_text() + "steps: [{call: a, options: {caller: x}}]\n")
    done = shell("validate", cwd=project)

    assert "error[C06]: `caller` is not an option of movoice\n --> campaigns/visits.yaml:7:29\n" in done.err


# ---- a credential that is missing ----


def test_a_missing_key_is_told_before_anything_happens(
    shell: Shell, project: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan needs no key; a run without it writes nothing."""
    write(project, _AGENTS["revox"])
    monkeypatch.delenv("BAD_INPUT_KEY")

    assert shell("plan", cwd=project).code == 0
    done = shell("run", "campaigns", "--yes", cwd=project)
    assert (done.code, done.err) == (
        1, "error: `env:BAD_INPUT_KEY` is not set\n  = help: export BAD_INPUT_KEY=...\n"
    )  # fmt: skip
    assert placed(sandbox) == {}


@pytest.mark.parametrize("provider", list(_AGENTS))
def test_a_key_that_goes_missing_pauses_and_nobody_is_lost(
    shell: Shell, project: Path, sandbox: str, monkeypatch: pytest.MonkeyPatch, provider: str
) -> None:
    """What was applied waits; with the key the next run reaches everybody once."""
    write(project, _AGENTS[provider])
    assert shell("apply", "--yes", cwd=project).code == 0
    monkeypatch.delenv("BAD_INPUT_KEY")
    done = shell("run", cwd=project)

    assert done.code == 5
    assert f"paused, and left so: visits (account {provider}: `env:BAD_INPUT_KEY` is not set)" in done.err
    assert standing(shell, project)["row_stats"]["pending"] == 3
    assert placed(sandbox) == {}
    monkeypatch.setenv("BAD_INPUT_KEY", "good")
    shell("run", cwd=project)
    assert placed(sandbox) == EVERYBODY_ONCE
    assert standing(shell, project)["status"] == "completed"


# ---- what only the provider knows ----


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize("provider", list(_AGENTS))
def test_an_account_without_permission_pauses_and_nobody_is_lost(
    shell: Shell, project: Path, sandbox: str, provider: str, status: int
) -> None:
    """The reason names account and answer; once the account may, the next run reaches everybody once."""
    write(project, _AGENTS[provider])
    refuses = {"kind": "status", "status": status, "provider": provider, "path": _PLACING[provider], "times": 3}
    _post(sandbox, "faults", [refuses])
    done = shell("run", "campaigns", "--yes", cwd=project)

    assert done.code == 5
    assert f"paused, and left so: visits (account {provider}: {provider} answered {status}" in done.err
    assert "= help: outreach resume visits" in done.err
    assert standing(shell, project)["row_stats"]["pending"] == 3
    assert placed(sandbox) == {}
    _post(sandbox, "faults", [])
    shell("run", cwd=project)
    assert placed(sandbox) == EVERYBODY_ONCE
    assert standing(shell, project)["status"] == "completed"


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("provider", list(_AGENTS))
def test_a_number_that_the_provider_refuses_ends_alone(
    shell: Shell, project: Path, sandbox: str, provider: str, status: int
) -> None:
    """One person ends with the provider's own words; the others are reached."""
    write(project, _AGENTS[provider])
    refuses = {
        "kind": "status", "status": status, "provider": provider, "path": _PLACING[provider], "times": 1,
        "body": {"error": "invalid_number", "message": "cannot be dialled"},
    }  # fmt: skip
    _post(sandbox, "faults", [refuses])
    done = shell("run", "campaigns", "--yes", cwd=project)
    found = standing(shell, project)
    ended = [one for person in found["contacts"] for one in person["attempts"] if one["provider_id"] is None]

    assert done.code == 5
    assert found["status"] == "completed"
    assert [(one["state"], one["outcome"]) for one in ended] == [("finished", "failed")]
    assert ended[0]["reason"] == f"{provider} answered {status}: `invalid_number: cannot be dialled`"
    assert sorted(placed(sandbox).values()) == [1, 1]
