"""An engine over a fresh ledger file."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from runner.engine.journal import Journal
from runner.ledger.store import Store


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store.open(path)
    yield opened
    opened.close()


@pytest.fixture
async def journal(store: Store) -> AsyncIterator[Journal]:
    async with Journal(store) as running:
        yield running
