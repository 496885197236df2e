"""What tests of commands share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.agents_project import AGENTS, Place
from tests.cli.agents_server import AgentsServer, agents_server
from tests.cli.running import Shell


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Run commands in this process."""
    return Shell(monkeypatch, capsys)


@pytest.fixture
def server() -> Iterator[AgentsServer]:
    """Serve a stand-in for agents' endpoints."""
    with agents_server() as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, server: AgentsServer, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Place:
    """Give a project with one campaign that defines a Revox agent, its accounts at the stand-in."""
    monkeypatch.setenv("AGENTS_TEST_KEY", "test-key")
    made = Place(tmp_path, server, shell)
    made.write(AGENTS["revox"])
    return made
