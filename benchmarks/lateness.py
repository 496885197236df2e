"""How late an attempt starts that falls due on an idle machine: real clock, real sockets, real APScheduler.

Forty campaigns of one person each start a quarter of a second apart; the lateness of each is the
instant of its intent, which is written right before its request leaves, less its due instant.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.projects import number, write_campaign
from runner.ledger.store import Store
from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import Settings
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.running import engine, other_sandbox
from runner.wiring.workspace import open_workspace

CAMPAIGNS = 40
APART = timedelta(milliseconds=250)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        late = sorted(asyncio.run(_measure(Path(folder))))
    print(f"lateness of {len(late)} attempts due {APART.total_seconds():g} s apart, idle machine")
    print(
        f"  median {statistics.median(late):.1f} ms   p95 {late[int(len(late) * 0.95)]:.1f} ms   max {late[-1]:.1f} ms"
    )
    print("  wanted: median under 100 ms")


async def _measure(folder: Path) -> list[float]:
    clock = SystemClock()
    first = clock.now() + timedelta(seconds=3)
    for index in range(CAMPAIGNS):
        write_campaign(folder, f"one-{index}", _campaign(index, first + index * APART))
    async with running(Settings(), WallClock()) as sandbox:
        workspace = open_workspace(folder)
        async with other_sandbox(workspace.accounts, sandbox.url) as surroundings:
            workspace = workspace.pointed_at(surroundings.accounts)
            async with engine(workspace.ledger_path, surroundings) as parts:
                for loaded in workspace.load([]):
                    applying.apply(workspace, applying.examine(workspace.plan(loaded, clock.now())), parts.store)
                await parts.dispatcher.run(until_done=True)
        store = Store.open_read_only(workspace.ledger_path)
        rows = [store.one("attempt_times", id=index + 1) for index in range(CAMPAIGNS)]
        store.close()
    return [(row["sent_at"] - row["due_at"]) / 1000 for row in rows if row is not None]


def _campaign(index: int, start: datetime) -> str:
    return f"""\
campaign: one-{index}
purpose: transactional
agent: movoice/agent_12345
contacts: [{{phone: "{number(index)}"}}]
windows: daily 00:00-24:00
timezone: UTC
schedule: {{start: "{start.astimezone(UTC).isoformat()}"}}
"""
