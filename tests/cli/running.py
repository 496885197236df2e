"""Run commands in this process and take in what they print."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from runner.cli.main import run

REPOSITORY = Path(__file__).resolve().parents[2]


class Done(NamedTuple):
    """What a command did."""

    code: int
    out: str
    err: str

    def lines(self) -> list[dict[str, Any]]:
        """Read JSON Lines from what was printed."""
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Runs commands in a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def __call__(self, *words: str, cwd: Path = REPOSITORY) -> Done:
        """Run one command."""
        self._monkeypatch.chdir(cwd)
        self._capsys.readouterr()
        code = run(list(words))
        printed = self._capsys.readouterr()
        return Done(int(code), printed.out, printed.err)
