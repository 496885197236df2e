"""How many attempts a second the whole path places and settles, against posting the same bodies with httpx alone."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks.projects import number, write_campaign, write_people
from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import Settings
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.running import engine, other_sandbox
from runner.wiring.workspace import open_workspace

PEOPLE = 1_000
AT_ONCE = 50
CAMPAIGN = f"""\
campaign: fast
purpose: informational
agent: movoice/agent_12345
contacts: contacts/people.csv
limits: {{concurrency: {AT_ONCE}}}
variables: {{name: "{{{{ contact.name }}}}"}}
"""
QUICK = Settings(ring_seconds=(0.0, 0.01), talk_seconds=(0.0, 0.01), odds={"answered": 1.0})


def main() -> None:
    """Measure and print."""
    bare = asyncio.run(_bare())
    with tempfile.TemporaryDirectory() as folder:
        whole = asyncio.run(_whole(Path(folder)))
    print(f"{PEOPLE:,} calls, {AT_ONCE} at once, sandbox in the same process, one core")
    print(f"  intent, call, webhook, outcome: {PEOPLE / whole:.0f} a second")
    print(f"  POST alone with httpx:          {PEOPLE / bare:.0f} a second   ratio {whole / bare:.1f}")


async def _bare() -> float:
    async with running(QUICK, WallClock()) as sandbox, httpx.AsyncClient(trust_env=False) as client:
        lanes = asyncio.Semaphore(AT_ONCE)

        async def post(index: int) -> None:
            body = {"agent_id": "agent_12345", "recipient_phone": number(index), "variables": {"name": "x"}}
            async with lanes:
                await client.post(f"{sandbox.url}/movoice/v1/call", json=body, headers={"Authorization": "Bearer k"})

        began = time.perf_counter()
        await asyncio.gather(*(post(index) for index in range(PEOPLE)))
        return time.perf_counter() - began


async def _whole(folder: Path) -> float:
    write_people(folder, PEOPLE)
    write_campaign(folder, "fast", CAMPAIGN)
    async with running(QUICK, WallClock()) as sandbox:
        workspace = open_workspace(folder)
        async with other_sandbox(workspace.accounts, sandbox.url) as surroundings:
            workspace = workspace.pointed_at(surroundings.accounts)
            async with engine(workspace.ledger_path, surroundings, windows_ignored=True) as parts:
                (loaded,) = workspace.load([])
                planned = workspace.plan(loaded, SystemClock().now(), windows_ignored=True)
                applying.apply(workspace, applying.examine(planned), parts.store)
                began = time.perf_counter()
                await parts.dispatcher.run(until_done=True)
                return time.perf_counter() - began
