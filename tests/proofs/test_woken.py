"""The small share of the proof by stops."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.ledger.instants import to_micros
from tests.faults.woken import late_dials
from tests.proofs.proof import Share
from tests.proofs.woken import prove

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")


@pytest.mark.fault("F24")
def test_runners_that_wake_up() -> None:
    figure = prove(Share.SMALL)

    assert figure.holds, figure.said


def test_the_checker_sees_what_leaves_on_an_old_intent(tmp_path: Path) -> None:
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    second = timedelta(seconds=1)
    path = tmp_path / "ledger.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE attempts (id INTEGER, key TEXT)")
        connection.execute("CREATE TABLE events (attempt_id INTEGER, kind TEXT, at INTEGER)")
        connection.executemany("INSERT INTO attempts VALUES (?, ?)", [(1, "old"), (2, "anew"), (3, "none")])
        intents = [(1, noon - second), (2, noon - second), (2, noon + 2 * second)]
        connection.executemany(
            "INSERT INTO events VALUES (?, 'sending', ?)", [(attempt, to_micros(at)) for attempt, at in intents]
        )

    def late(reference: str, at: datetime) -> bool:
        placed = [{"reference": reference, "at": at.isoformat()}]
        return bool(list(late_dials(path, placed, other_began=noon, woken_at=noon + second)))

    assert late("old", noon + 3 * second)
    assert late("anew", noon + second), "before the other one had an intent"
    assert late("none", noon + 3 * second)
    assert not late("anew", noon + 3 * second)
    assert not late("old", noon), "it had left before the waking"
