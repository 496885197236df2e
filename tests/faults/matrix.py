"""Every provider under every fault: one person, one call, the fault befalls the first request that dials.

`python -m tests.faults.matrix` prints the table that stands in docs/faults.md.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from runner.ledger import overview
from runner.ledger.store import Store
from runner.providers.transport import Timeouts
from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import Settings
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.running import Surroundings, engine, other_sandbox
from runner.wiring.workspace import open_workspace

AGENTS = {
    "revmo": "agent: revmo/QUdFTlQtMDAwMQ==",
    "revring": 'agent: {provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199"}',
    "revox": "agent: revox/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
    "movoice": "agent: movoice/agent_12345",
}
PHONE = "+12025550143"
FAULTS: dict[str, dict[str, Any]] = {
    "none": {},
    "connection reset before it was read": {"kind": "refuse"},
    "closed before it took effect": {"kind": "drop_before"},
    "closed after it took effect": {"kind": "drop_after"},
    "no answer after it took effect": {"kind": "hang_after"},
    "slow answer": {"kind": "slow"},
    "429 with Retry-After": {"kind": "status", "status": 429, "headers": {"Retry-After": "1"}},
    "429 without": {"kind": "status", "status": 429},
    "500 without effect": {"kind": "status", "status": 500},
    "500 with effect": {"kind": "status", "status": 500, "effect": True},
    "400": {"kind": "status", "status": 400, "body": {"error": "no"}},
    "401": {"kind": "status", "status": 401, "body": {"error": "no"}},
    "malformed JSON": {"kind": "malformed"},
    "a page of HTML": {"kind": "html"},
    "a redirect": {"kind": "redirect"},
    "an answer of 10 MB": {"kind": "big"},
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What came of one provider under one fault."""

    dials: int
    """how often the person's phone rang"""
    state: str
    """where the contact stands"""
    reason: str
    """why, in the ledger's words; why the campaign is paused, when it is"""


async def cell(provider: str, fault: str) -> Cell:
    """Run one campaign of one person with one fault planned."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder, provider)
        settings = Settings(ring_seconds=(0.01, 0.02), talk_seconds=(0.01, 0.02), script={PHONE: ("answered",)})
        async with running(settings, WallClock()) as sandbox:
            return await _run(folder, sandbox.url, provider, fault)


async def table() -> str:
    """Give the whole matrix as a Markdown table."""
    rows = ["| fault | " + " | ".join(AGENTS) + " |", "|---|" + "---|" * len(AGENTS)]
    for fault in FAULTS:
        cells = [await cell(provider, fault) for provider in AGENTS]
        rows.append(f"| {fault} | " + " | ".join(_shown(one) for one in cells) + " |")
    return "\n".join(rows) + "\n"


def _shown(one: Cell) -> str:
    dials = {0: "never dialled", 1: "dialled once"}.get(one.dials, f"DIALLED {one.dials} TIMES")
    return f"{one.state}, {dials}"


def _write(folder: Path, provider: str) -> None:
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "one.yaml").write_text(
        f"campaign: one\npurpose: transactional\n{AGENTS[provider]}\ncontacts: [{{phone: '{PHONE}'}}]\n",
        encoding="utf-8",
    )


async def _plan_fault(url: str, provider: str, fault: str) -> None:
    planned = FAULTS[fault]
    if not planned:
        return
    path = {} if planned["kind"] == "refuse" else {"provider": provider, "path": "(call|calls|makecall/?)$"}
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(f"{url}/_sandbox/faults", json=[{**planned, **path, "times": 1}])
    assert answer.is_success, answer.text


async def _run(folder: Path, url: str, provider: str, fault: str) -> Cell:
    workspace = open_workspace(folder)
    async with other_sandbox(workspace.accounts, url) as found:
        surroundings = _impatient(found)
        workspace = workspace.pointed_at(surroundings.accounts)
        async with engine(workspace.ledger_path, surroundings, windows_ignored=True) as parts:
            (loaded,) = workspace.load([])
            planned = workspace.plan(loaded, SystemClock().now(), windows_ignored=True)
            applying.apply(workspace, applying.examine(planned), parts.store)
            # Last of all, so that the first connection that it can befall is the one that dials.
            await _plan_fault(url, provider, fault)
            async with asyncio.timeout(60):
                await parts.dispatcher.run(until_done=True)
        async with httpx.AsyncClient(trust_env=False) as client:
            dials = (await client.get(f"{url}/_sandbox/dials")).json()
    store = Store.open_read_only(workspace.ledger_path)
    (campaign,) = overview.campaigns(store, SystemClock().now())
    (person,) = overview.contacts(store, "one")
    store.close()
    return Cell(len(dials), person.state, campaign.reason or person.attempts[-1].reason)


def _impatient(found: Surroundings) -> Surroundings:
    """Wait as little as the matrix allows: its sandbox answers at once or never."""
    quick = {
        name: replace(account, settle_after=timedelta(seconds=0.4), poll=(timedelta(seconds=0.2),) * 12)
        for name, account in found.accounts.items()
    }
    return replace(found, accounts=quick, timeouts=Timeouts(read=1.5, whole=3.0))


def main(words: Iterable[str]) -> None:
    """Print the table."""
    del words
    sys.stdout.write(asyncio.run(table()))


if __name__ == "__main__":
    main(sys.argv[1:])
