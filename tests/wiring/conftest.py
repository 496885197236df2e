"""What tests of rounds share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from runner.engine.journal import Journal
from runner.ledger.store import Store
from tests import building
from tests.building import Bench
from tests.wiring.rounds_project import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    opened = Store.open(project.workspace.ledger_path)
    yield opened
    opened.close()


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    async with Journal(store) as journal:
        yield building.bench(store, journal)
