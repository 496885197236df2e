"""A project in a folder with one campaign that repeats, and runners that look at it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.engine.rounds import Rounds
from runner.ledger.store import Store
from runner.wiring import applying
from runner.wiring.applying import Applied
from runner.wiring.rounds import FileRounds
from runner.wiring.workspace import Workspace, open_workspace
from tests.building import Bench

MONDAY = datetime(2026, 4, 6, 13, tzinfo=UTC)
FRIDAY = MONDAY - timedelta(days=3)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)

TEXT = """\
campaign: renewals
purpose: informational
agent: movoice/agent_1
contacts: people.csv
timezone: America/New_York
windows: daily 08:00-20:00
variables:
  greeting: "{{ campaign.name }} for {{ contact.phone }}"
"""
SCHEDULE = """\
schedule:
  repeat: 0 9 * * mon
  timezone: America/New_York
"""
ADA, BOB, CAM = "+12025550143", "+12025550144", "+12025550145"


class Project:
    """A project in a folder with one campaign that repeats."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "campaigns").mkdir()
        self.write(TEXT + SCHEDULE)
        self.people(ADA, BOB)

    def write(self, text: str) -> None:
        (self.root / "campaigns" / "renewals.yaml").write_text(text, encoding="utf-8")

    def people(self, *phones: str) -> None:
        rows = "".join(f"{phone}\n" for phone in phones)
        (self.root / "campaigns" / "people.csv").write_text(f"phone\n{rows}", encoding="utf-8")

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.root, {})

    def apply(self, store: Store, now: datetime = FRIDAY) -> Applied:
        workspace = self.workspace
        (loaded,) = workspace.load([])
        examined = applying.examine(workspace.plan(loaded, now))
        applying.refuse_bad_rows([examined])
        return applying.apply(workspace, examined, store)

    def start(self, store: Store, at: datetime = MONDAY, now: datetime | None = None) -> str:
        (one,) = store.rounds.recurring()
        return FileRounds(workspace=self.workspace).start(one, at, now or at)


def keys(store: Store, of: str) -> set[str]:
    found = store._connection.execute(
        "SELECT a.key FROM attempts a JOIN campaigns c ON c.id = a.campaign_id WHERE c.name = ?", (of,)
    )
    return {row["key"] for row in found}


def cut_short(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a runner end while it writes a round down: one of two people is in the ledger."""
    begun, real = [], Store.change

    def change(self: Store, name: str, /, **values: object) -> int:
        if name == "add_first_attempt":
            begun.append(name)
            if len(begun) > 1:
                raise KeyboardInterrupt
        return real(self, name, **values)

    with monkeypatch.context() as patched:
        patched.setattr("runner.ledger.revisions.CHUNK", 1)
        patched.setattr(Store, "change", change)
        with pytest.raises(KeyboardInterrupt):
            project.start(store)


def rounds_of(bench: Bench, project: Project) -> Rounds:
    starter = FileRounds(workspace=project.workspace)
    return Rounds(bench.journal, bench.policies, starter, bench.clock, timedelta(minutes=10))


async def run(bench: Bench, project: Project, at: datetime) -> None:
    """Have a fresh runner look at an instant and do what is due."""
    bench.clock.at = at
    bench.policies.renew(bench.store.campaigns_in_force())
    rounds = rounds_of(bench, project)
    found = await bench.journal.run(lambda ledger: rounds.next_at(ledger, at))
    if found is not None and found <= at:
        await rounds.start()
    for name in [one.name for one in bench.store.campaigns_in_force()]:
        await bench.deliver(of=name)
