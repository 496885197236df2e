"""Pause, resume and cancel from the command line, and what `validate` says about native delivery."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Shell

_HEAD = """\
campaign: people
purpose: informational
contacts: [{phone: "+12025550143"}]
timezone: America/New_York
"""


def project(folder: Path, text: str, accounts: str = "") -> Path:
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "people.yaml").write_text(_HEAD + text, encoding="utf-8")
    if accounts:
        (folder / "outreach.yaml").write_text(accounts, encoding="utf-8")
    return folder


def campaign_of(shell: Shell, folder: Path) -> dict[str, Any]:
    done = shell("status", "--format", "json", cwd=folder)
    found: list[dict[str, Any]] = json.loads(done.out)["campaigns"]
    return found[0]


def test_pause_resume_cancel(shell: Shell, tmp_path: Path) -> None:
    folder = project(tmp_path, "agent: movoice/agent_1\n")
    assert shell("apply", "--yes", cwd=folder).code == 0

    paused = shell("pause", "people", "--reason", "wrong words", cwd=folder)
    assert (paused.code, paused.out) == (0, "people is paused; outreach resume people goes on\n")
    assert campaign_of(shell, folder)["status"] == "paused"
    assert campaign_of(shell, folder)["reason"] == "paused by hand: wrong words"

    resumed = shell("resume", "people", cwd=folder)
    assert (resumed.code, resumed.out) == (0, "people goes on; outreach run or serve places it\n")
    assert shell("resume", "people", cwd=folder).out == "people is not paused\n"

    cancelled = shell("cancel", "people", "--yes", cwd=folder)
    assert (cancelled.code, cancelled.out) == (0, "people is cancelled; 1 attempt called off\n")
    assert shell("cancel", "people", "--yes", cwd=folder).out == "people was cancelled before\n"
    assert campaign_of(shell, folder)["status"] == "cancelled"
    assert campaign_of(shell, folder)["row_stats"]["failed"] == 1


def test_commands_on_what_is_not_there(shell: Shell, tmp_path: Path) -> None:
    folder = project(tmp_path, "agent: movoice/agent_1\n")
    for command in ("pause", "resume", "cancel"):
        done = shell(command, "people", cwd=folder)
        assert (done.code, "no campaign was applied yet" in done.err) == (1, True)
    assert shell("apply", "--yes", cwd=folder).code == 0
    assert "no campaign `other` was applied" in shell("pause", "other", cwd=folder).err
    assert shell("cancel", "people", "--yes", cwd=folder).code == 0
    assert shell("pause", "people", cwd=folder).code == 2
    assert "what was called off stays so" in shell("resume", "people", cwd=folder).err


def test_a_run_leaves_a_pause_by_hand_and_says_so(shell: Shell, tmp_path: Path) -> None:
    folder = project(tmp_path, "agent: movoice/agent_1\nwindows: daily 00:00-24:00\n")
    words = ("run", "campaigns", "--sandbox", "--yes")
    assert shell("apply", "--yes", cwd=folder).code == 0
    shell("pause", "people", cwd=folder)
    done = shell(*words, cwd=folder)

    assert done.code == 5
    assert "paused, and left so: people (paused by hand)" in done.err
    assert "outreach resume people" in done.err
    assert campaign_of(shell, folder)["row_stats"]["pending"] == 1
    shell("resume", "people", cwd=folder)
    assert shell(*words, cwd=folder).code in (0, 5)
    assert campaign_of(shell, folder)["status"] == "completed"


_NATIVE = "steps:\n  - call: agent\n    delivery: native\n"
_REVOX = "agent: revox/asst_1\n"
_GENERATION = "accounts: {revox: {provider: revox, generation: %s}}\n"

REFUSED = [
    pytest.param(_REVOX + _NATIVE, "", "C29", "knows no days", id="revox a has no days"),
    pytest.param(_REVOX + "windows: mon 9:00-12:00; tue 10:00-12:00\n" + _NATIVE, _GENERATION % "D", "C29",
                 "the same on each open day", id="revox d wants equal days"),
    pytest.param(_REVOX + "windows: daily 9:00-12:00\nlimits: {spacing: 2s}\n" + _NATIVE, "", "C29",
                 "per_second", id="revox takes no pace"),
    pytest.param("agent: movoice/agent_1\n" + _NATIVE, "", "C29", "at any hour", id="movoice has no windows"),
    pytest.param('agent: {provider: revring, id: a1, from: "+12025550199"}\nwindows: daily 9:00-11:00; daily 13:00-15:00\n'
                 + _NATIVE, "", "C29", "one span of hours", id="revring takes one span"),
    pytest.param('agent: {provider: revring, id: a1, from: "+12025550199"}\n' + _NATIVE,
                 "accounts: {revring: {provider: revring, generation: seed}}\n", "C25", "of generation `seed`",
                 id="the oldest revring has none"),
    pytest.param("agent: revmo/QWJj\n" + _NATIVE, "", "C25", "revmo has no campaigns", id="revmo has none"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "accounts", "code", "says"), REFUSED)
def test_validate_refuses_what_cannot_be_handed_over(
    shell: Shell, tmp_path: Path, text: str, accounts: str, code: str, says: str
) -> None:
    """The error points at `delivery`, and says what to write instead."""
    folder = project(tmp_path, text, accounts)
    done = shell("validate", cwd=folder)
    line = (_HEAD + text).splitlines().index("    delivery: native") + 1

    assert done.code == 1
    assert f"error[{code}]" in done.err
    assert says in done.err
    assert f"campaigns/people.yaml:{line}:15" in done.err
    assert "= help: " in done.err


@pytest.mark.parametrize(
    ("text", "accounts"),
    [
        (_REVOX + "windows: daily 9:00-12:00\n" + _NATIVE, ""),
        (_REVOX + _NATIVE, _GENERATION % "D"),
        (_REVOX + _NATIVE + "    options: {own_rules: true}\n", ""),
        ('agent: {provider: revring, id: a1, from: "+12025550199"}\n' + _NATIVE, ""),
        ("agent: movoice/agent_1\nwindows: daily 0:00-24:00\nlimits: {concurrency: 1}\n" + _NATIVE, ""),
    ],
)
def test_validate_takes_what_can_be(shell: Shell, tmp_path: Path, text: str, accounts: str) -> None:
    done = shell("validate", cwd=project(tmp_path, text, accounts))

    assert done.code == 0, done.err
