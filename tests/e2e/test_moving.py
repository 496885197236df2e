"""A campaign moves from one provider to another by its `agents` block alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Shell

_AGENTS = {
    "revox": "{provider: revox, id: asst_1}",
    "revring": '{provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199"}',
    "movoice": "{provider: movoice, id: agent_12345}",
}
_REST = """\
contacts: [{phone: "+12025550143", name: Ana}, {phone: "+12025550144", name: Bo}]
windows: mon-fri 10:00-18:00
retry: 2 times, 1h apart, on no_answer, busy
variables: {name: "{{ contact.name }}"}
"""


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in this process."""
    return Shell(monkeypatch, capsys)


@pytest.mark.parametrize("provider", _AGENTS)
def test_only_the_agents_block_changes(shell: Shell, tmp_path: Path, provider: str) -> None:
    """It plans the same people at the same instants and runs to its end, at each provider."""
    text = f"campaign: moving\npurpose: transactional\nagents: {{caller: {_AGENTS[provider]}}}\n{_REST}"
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "moving.yaml").write_text(text, encoding="utf-8")
    planned = shell("plan", "--at", "2026-12-01T09:00:00Z", "--format", "json", cwd=tmp_path).lines()
    ran = shell("run", "campaigns", "--sandbox", "--format", "json", "--at", "2026-12-01T09:00:00Z", cwd=tmp_path)
    (campaign,) = json.loads(ran.out)["campaigns"]

    assert [line["provider"] for line in planned[:-1]] == [provider, provider]
    assert {line["not_before"] for line in planned[:-1]} == {"2026-12-01T15:00:00Z"}
    assert ran.code in (0, 5)
    assert campaign["status"] == "completed"
    assert campaign["row_stats"]["total"] == 2
