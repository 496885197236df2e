"""A fresh ledger for each test, over every backend that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.ledger.store import Store

OpenStore = Callable[[], Store]


@pytest.fixture(params=["sqlite"])
def open_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[OpenStore]:
    """Open the same ledger, as often as one asks; each is a connection of its own."""
    opened: list[Store] = []
    path = tmp_path / "made" / "ledger.db"

    def open_one() -> Store:
        opened.append(Store.open(path))
        return opened[-1]

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: OpenStore) -> Store:
    return open_store()
