"""`outreach doctor`: what is at fault is said, what cannot be checked is named, and nobody is dialled."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from tests.cli.running import Shell
from tests.e2e.processes import dials, sandbox_process

_PROJECT = """\
accounts:
  voice: {{provider: movoice, base_url: "{url}/movoice/v1", credential: env:VOICE_KEY}}
  texts: {{provider: revmo, base_url: "{url}/revmo", credential: env:TEXT_KEY}}
  other: {{provider: revox, base_url: "{url}/revox/api", credential: env:MISSING_KEY}}
"""
_CAMPAIGN = """\
campaign: {name}
purpose: transactional
agent: {agent}
contacts: [{{phone: "+12025550143"}}]
"""


def _write(folder: Path, url: str) -> None:
    (folder / "campaigns").mkdir()
    (folder / "outreach.yaml").write_text(_PROJECT.format(url=url))
    for name, agent in (("a", "movoice/agent_1"), ("b", "revmo/QUdFTlQ="), ("c", "revox/asst_1")):
        (folder / "campaigns" / f"{name}.yaml").write_text(_CAMPAIGN.format(name=name, agent=agent))


def test_it_says_what_is_at_fault(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A good key, a key that cannot be tried, a key that is missing; and not one dial."""
    monkeypatch.setenv("VOICE_KEY", "good")
    monkeypatch.setenv("TEXT_KEY", "good")
    with sandbox_process(tmp_path, "--api-key", "good") as url:
        _write(tmp_path, url)
        done = shell("doctor", "--format", "json", cwd=tmp_path)
        placed = dials(url)
    found = {(one["subject"], one["health"]): one["says"] for one in json.loads(done.out)["checks"]}

    assert done.code == 1
    assert placed == []
    assert "the key is accepted" in found["account voice", "ok"] or "clocks agree" in found["account voice", "ok"]
    assert "cannot be tried" in found["account texts", "unchecked"]
    assert found["account other", "fault"] == "`env:MISSING_KEY` is not set"
    assert ("webhooks", "unchecked") in found


def test_a_refused_key_is_a_fault(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider's own answer counts."""
    monkeypatch.setenv("VOICE_KEY", "wrong")
    with sandbox_process(tmp_path, "--api-key", "good") as url:
        _write(tmp_path, url)
        done = shell("doctor", "campaigns/a.yaml", cwd=tmp_path)

    assert done.code == 1
    assert "✗ account voice: the key is refused (401)" in done.out


def test_it_writes_nothing(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ledger appears, and an address where nothing answers is a fault."""
    monkeypatch.setenv("TEXT_KEY", "good")
    _write(tmp_path, "http://127.0.0.1:9")
    done = shell("doctor", "campaigns/b.yaml", "--receiver", "http://127.0.0.1:9", cwd=tmp_path)

    assert done.code == 1
    assert "nothing answers at http://127.0.0.1:9" in done.out
    assert not (tmp_path / ".outreach").exists()


@pytest.mark.parametrize(("generation", "health"), [("A", "fault"), ("D", "ok")])
def test_another_generation_is_a_fault(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, generation: str, health: str
) -> None:
    """The sandbox answers as generation D; an account that pins A is told so before it dials anybody."""
    monkeypatch.setenv("MISSING_KEY", "good")
    with sandbox_process(tmp_path, "--revox-generation", "D") as url:
        _write(tmp_path, url)
        project = (tmp_path / "outreach.yaml").read_text()
        pinned = project.replace("provider: revox,", f"provider: revox, generation: {generation},")
        (tmp_path / "outreach.yaml").write_text(pinned)
        contact = {"to_phone_number": "+12025550143", "prompt_variables": {}}
        made = httpx.post(
            f"{url}/revox/api/campaigns",
            json={"assistant_id": "asst_1", "name": "one", "contacts": [contact]},
            headers={"Authorization": "Bearer good"},
            trust_env=False,
        )
        assert made.is_success, made.text
        done = shell("doctor", "campaigns/c.yaml", "--format", "json", cwd=tmp_path)
        placed = dials(url)
    found = [one for one in json.loads(done.out)["checks"] if "generation" in one["says"]]

    assert [one["health"] for one in found] == [health]
    assert placed == []
