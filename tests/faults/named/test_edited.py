"""F32 to F34: files change while `outreach serve` places what was applied; what was reviewed is what goes out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import dials, fictional_number, outreach, sandbox_process, served, wait_until_dialled

_PROJECT = """\
accounts:
  movoice:
    provider: movoice
    base_url: "{url}/movoice/v1"
    credential: env:EDITED_KEY
    poll: [0.3s, 0.5s, 1s, 2s, 4s, 8s]
    allow_loopback: true
"""
_CAMPAIGN = """\
campaign: people
purpose: transactional
agent: movoice/agent_12345
windows: daily 00:00-24:00
timezone: America/New_York
contacts: contacts/people.csv
limits: {spacing: 1s}
variables: {said: "hello {{ contact.name }}"}
"""
_PEOPLE = 14


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """Give a project at a sandbox that counts as a real provider, applied, and the sandbox's address."""
    monkeypatch.setenv("EDITED_KEY", "any")
    (tmp_path / "campaigns" / "contacts").mkdir(parents=True)
    (tmp_path / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    _write_people(tmp_path, range(_PEOPLE))
    with sandbox_process(tmp_path, "--seed", "7") as url:
        (tmp_path / "outreach.yaml").write_text(_PROJECT.format(url=url), encoding="utf-8")
        done = outreach("apply", "--yes", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        yield tmp_path, url


def _write_people(folder: Path, who: range) -> None:
    rows = "\n".join(f"{fictional_number(index)},Person {index}" for index in who)
    (folder / "campaigns" / "contacts" / "people.csv").write_text(f"phone,name\n{rows}\n", encoding="utf-8")


def _said(url: str) -> list[str]:
    """Give what the calls were told to say, as the sandbox received it."""
    seen = httpx.get(f"{url}/_sandbox/requests", trust_env=False, timeout=20).json()
    return [one["body"]["variables"]["said"] for one in seen if one["method"] == "POST"]


@pytest.mark.fault("F32")
def test_f32_an_edited_file_changes_nothing_until_it_is_applied(project: tuple[Path, str]) -> None:
    folder, url = project
    with served(folder):
        wait_until_dialled(url, 2)
        edited = _CAMPAIGN.replace("hello", "goodbye")
        (folder / "campaigns" / "people.yaml").write_text(edited, encoding="utf-8")
        planned = outreach("plan", "--exit-code", cwd=folder)
        wait_until_dialled(url, _PEOPLE, seconds=60)
        said = _said(url)

    assert sorted(said) == sorted(f"hello Person {index}" for index in range(_PEOPLE))
    assert planned.returncode == 3, planned.stderr


@pytest.mark.fault("F33")
def test_f33_a_broken_file_stops_nothing_and_cannot_be_applied(project: tuple[Path, str]) -> None:
    folder, url = project
    with served(folder):
        wait_until_dialled(url, 2)
        (folder / "campaigns" / "people.yaml").write_text("campaign: [people\n  windows: {{", encoding="utf-8")
        checked = outreach("validate", cwd=folder)
        applied = outreach("apply", "--yes", cwd=folder)
        wait_until_dialled(url, _PEOPLE, seconds=60)

    assert (checked.returncode, applied.returncode) == (1, 1)
    assert "people.yaml:" in checked.stderr + checked.stdout
    assert len({dial["to"] for dial in dials(url)}) == _PEOPLE


@pytest.mark.fault("F34")
def test_f34_whoever_is_removed_while_queued_is_not_called(project: tuple[Path, str]) -> None:
    folder, url = project
    gone = {fictional_number(index) for index in range(_PEOPLE - 3, _PEOPLE)}
    with served(folder):
        wait_until_dialled(url, 2)
        _write_people(folder, range(_PEOPLE - 3))
        applied = outreach("apply", "--yes", cwd=folder)
        before = {dial["to"] for dial in dials(url)}
        wait_until_dialled(url, _PEOPLE - 3, seconds=60)
        time.sleep(3)
    after = {dial["to"] for dial in dials(url)}

    assert applied.returncode == 0, applied.stderr
    assert not before & gone, "they were queued when they were removed"
    assert not after & gone
    assert len(after) == _PEOPLE - 3
