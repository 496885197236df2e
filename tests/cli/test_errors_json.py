"""`--format json`: what ends a command is data too, on one line, and people still read it on stderr."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import Done, Shell

FINE = """\
campaign: visits
purpose: transactional
agent: movoice/agent_1
contacts: [{phone: "+12025550143", timezone: America/New_York}]
"""
WRONG = FINE.replace("agent:", "agnt:")
BAD_ROW = FINE.replace("+12025550143", "0161 496 0000")


def last_error(done: Done) -> dict[str, Any]:
    """Give the error that stands on the last line of what a program reads."""
    error: dict[str, Any] = json.loads(done.out.splitlines()[-1])["error"]
    return error


def write(folder: Path, text: str) -> None:
    (folder / "campaigns").mkdir(exist_ok=True)
    (folder / "campaigns/visits.yaml").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("command", ["plan", "apply", "run", "show", "doctor"])
def test_what_is_wrong_in_the_files_has_its_place(shell: Shell, tmp_path: Path, command: str) -> None:
    write(tmp_path, WRONG)
    done = shell(command, "campaigns", "--format", "json", cwd=tmp_path)
    error = last_error(done)

    (first, *_) = error["diagnostics"]
    assert (done.code, error["exit_code"]) == (1, 1)
    assert (first["file"], first["range"]["start"]["line"]) == ("campaigns/visits.yaml", 3)
    assert (error["message"], first["help"]) == ("unknown key `agnt`", "did you mean `agent`?")
    assert "error[C01]: unknown key `agnt`" in done.err


def test_bad_rows_are_told_with_their_numbers_masked(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, BAD_ROW)
    done = shell("apply", "--format=json", cwd=tmp_path)
    error = last_error(done)

    assert [one["code"] for one in error["diagnostics"]] == ["P02"]
    assert "0161 496 0000" not in done.out + done.err


def test_what_is_not_in_the_files_has_no_diagnostics(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOVOICE_API_KEY", raising=False)
    write(tmp_path, FINE)
    done = shell("run", "campaigns", "--yes", "--format", "json", cwd=tmp_path)

    assert last_error(done) == {
        "message": "`env:MOVOICE_API_KEY` is not set",
        "help": "export MOVOICE_API_KEY=...",
        "exit_code": 1,
        "diagnostics": [],
    }


def test_wrong_words_are_told_too(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, FINE)
    done = shell("plan", "--format", "json", "--att", "2026-12-01T09:00:00Z", cwd=tmp_path)

    assert (done.code, last_error(done)["exit_code"]) == (2, 2)
    assert "--att" in last_error(done)["message"]


def test_people_get_no_data(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, WRONG)

    assert shell("plan", "campaigns", cwd=tmp_path).out == ""


def test_validate_keeps_its_list(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, WRONG)
    done = shell("validate", "--format", "json", cwd=tmp_path)

    assert done.code == 1
    assert {one["code"] for one in json.loads(done.out)} >= {"C01"}
