"""How long it takes to hand 10,000 people over to a provider's own campaign, and to learn how all of them ended."""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx

from benchmarks.projects import write_campaign
from runner.model.handed_over import HandoverState
from runner.wiring import applying
from runner.wiring.running import Engine, engine, own_sandbox
from runner.wiring.workspace import open_workspace

PEOPLE = 10_000
CAMPAIGN = """\
campaign: many
purpose: informational
agent: {provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199"}
contacts: contacts/people.csv
timezone: America/New_York
windows: daily 00:00-24:00
limits: {concurrency: 50, per_second: 10}
variables: {name: "{{ contact.name }}"}
steps:
  - {call: agent, delivery: native}
"""
_START = datetime(2026, 1, 5, 16, 0, tzinfo=UTC)

# Area codes that are in use; 555-0100 to 555-0199 belongs to nobody in each of them.
# fmt: off
_AREAS = (
    201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 225, 228, 229,
    231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302, 303,
    304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330, 334,
    336, 337, 352, 360, 361, 386, 401, 402, 404, 405, 406, 407, 408, 409, 410, 412, 413, 414, 415, 417,
    419, 423, 425, 432, 434, 435, 440, 443, 469, 478, 479, 480, 501, 502, 503, 504, 505, 507, 508, 509,
)
# fmt: on


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured, in seconds."""

    planned: float
    """planning, and writing the plan into the ledger"""
    handed: float
    """from the start of the engine until the provider has everybody and dials"""
    ended: float
    """from then until the ledger knows how everybody ended"""
    requests: int
    """that the engine sent"""
    dialled_twice: int


def main() -> None:
    """Measure and print."""
    # At an hour a second a webhook is minutes old when it arrives, and is refused as stale; the rows tell all the same.
    logging.getLogger("runner").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure(Path(folder)))
    rate = PEOPLE / found.ended
    print(f"{PEOPLE:,} people handed over to one campaign at RevRing, sandbox in the same process, one core")
    print(f"  plan and apply:            {found.planned:.1f} s")
    print(f"  handed over and launched:  {found.handed:.2f} s")
    print(
        f"  called and all settled:    {found.ended:.1f} s, {rate:,.0f} people a second, the sandbox's calls included"
    )
    print(f"  requests to the provider:  {found.requests:,}")
    print(f"  dialled more than once:    {found.dialled_twice}")


async def _measure(folder: Path) -> Figures:
    _write_people(folder)
    write_campaign(folder, "many", CAMPAIGN)
    workspace = open_workspace(folder)
    async with own_sandbox(workspace.accounts, seed=1, start=_START) as surroundings:
        workspace = workspace.pointed_at(surroundings.accounts)
        async with engine(workspace.ledger_path, surroundings) as parts:
            began = time.perf_counter()
            (loaded,) = workspace.load([])
            applying.apply(workspace, applying.examine(workspace.plan(loaded, _START)), parts.store)
            planned = time.perf_counter() - began
            began = time.perf_counter()
            launched = asyncio.create_task(_launched(parts))
            await parts.dispatcher.run(until_done=True)
            ended = time.perf_counter() - began
            handed = await launched - began
            async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
                dials = (await client.get(f"{parts.sandbox_url}/_sandbox/dials")).json()
                requests = (await client.get(f"{parts.sandbox_url}/_sandbox/requests")).json()
    twice = sum(count > 1 for count in Counter(dial["to"] for dial in dials).values())
    return Figures(
        planned=planned, handed=handed, ended=ended - handed, requests=len(requests), dialled_twice=twice,
    )  # fmt: skip


async def _launched(parts: Engine) -> float:
    """Give when the provider's campaign was launched."""
    while True:
        handovers = await parts.journal.run(lambda ledger: ledger.handovers.unfinished())
        if handovers and all(one.state is HandoverState.ACCEPTED for one in handovers):
            return time.perf_counter()
        await asyncio.sleep(0.01)


def _write_people(folder: Path) -> None:
    contacts = folder / "campaigns" / "contacts"
    contacts.mkdir(parents=True)
    rows = (f"+1{_AREAS[at // 100]}55501{at % 100:02d},person {at}" for at in range(PEOPLE))
    (contacts / "people.csv").write_text("phone,name\n" + "\n".join(rows) + "\n", encoding="utf-8")
