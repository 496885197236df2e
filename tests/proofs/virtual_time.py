"""Proof: a campaign of a month is rehearsed in a minute, and the same seed gives the same ledger to the byte."""

from __future__ import annotations

import gc
import hashlib
import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.projects import number
from runner.ledger.store import Store
from runner.model.campaign import Campaign
from runner.model.contact import Contact
from runner.model.project import Project
from runner.rehearsal.loop import virtual_loop
from runner.rehearsal.surroundings import open_without_waiting, rehearsal
from runner.sandbox.settings import Settings
from runner.wiring.accounts import project_accounts
from runner.wiring.running import engine
from tests.building import apply, campaign
from tests.proofs.proof import Figure, Proof, Share
from tests.rehearsal.stage import scratch

START = datetime(2026, 3, 2, 6, tzinfo=UTC)
"""a Monday; the clocks go forward within the month, in America and in Europe on different days"""
_REST = timedelta(seconds=1)
_MOST_SECONDS = 60.0
_SELDOM = (100_000, 50, 100)
"""how seldom garbage is collected: little of it lies in circles"""
_ROOT = Path(__file__).resolve().parents[2]
_RANDOM = {"event_links": (), "lease": (), "facts": ()}
"""tables that say which ledger this is and who held it; they are different in every ledger on purpose"""
_SALT = "salt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one rehearsal gave."""

    seconds: float
    days: float
    people: int
    dials: int
    twice: int
    digest: str
    """of the whole ledger and of its summary"""


def proof(share: Share) -> Figure:
    """Rehearse twice with one seed, in processes whose sets and dicts differ in their order."""
    people, days = (10_000, 30) if share is Share.FULL else (300, 5)
    runs = [_in_a_process(people, days, hash_seed) for hash_seed in ("1", "2")]
    same = runs[0].digest == runs[1].digest
    slowest = max(one.seconds for one in runs)
    said = (
        f"{runs[0].people:,} people, {runs[0].days:.1f} virtual days, {runs[0].dials:,} dials, {runs[0].twice} twice;"
        f" {runs[0].seconds:.1f} s and {runs[1].seconds:.1f} s; ledgers {'byte-identical' if same else 'DIFFERENT'}"
    )
    return Figure(said=said, holds=same and slowest < _MOST_SECONDS and not runs[0].twice and runs[0].dials > people)


PROOFS = (
    Proof(
        name="virtual-time",
        promise="A month of a campaign with 10,000 people is rehearsed in under a minute; the same seed gives the same ledger.",
        run=proof,
    ),
)


def rehearse(people: int, days: int, seed: int) -> Run:
    """Run one campaign in virtual time for so many days, or to its end if that comes first."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    with scratch() as folder, virtual_loop() as loop:
        began = time.monotonic()
        run: Run = loop.run_until_complete(_rehearse(loop, Path(folder) / "ledger.db", people, days, seed))
        return Run(**{**asdict(run), "seconds": time.monotonic() - began})


async def _rehearse(loop: Any, path: Path, people: int, days: int, seed: int) -> Run:
    settings = Settings(seed=seed, ring_seconds=(8, 25), talk_seconds=(20, 120), webhook_retry_scale=1.0)
    async with rehearsal(loop, project_accounts(Project()), settings, START, rest=_REST) as stage:
        store = open_without_waiting(path)
        apply(store, month(), [person(at) for at in range(people)], *stage.surroundings.accounts.values(), now=START)
        store.close()
        async with engine(path, stage.beside(partial(open_without_waiting, alone=True))) as running:
            loop.call_later(timedelta(days=days).total_seconds(), running.dispatcher.stop)
            await running.run(until_done=True)
            dials = await running.check_dials()
            summary = [asdict(one) for one in await running.overview()]
            digest = _digest(running.store, summary)
        return Run(
            seconds=0.0, days=(stage.clock.now() - START) / timedelta(days=1), people=people,
            dials=dials.dials, twice=dials.twice, digest=digest,
        )  # fmt: skip


def month() -> Campaign:
    """Give a campaign of three steps: tried again, at the people's own hours, over several weeks."""
    retry = {"attempts": 3, "after": "5h", "on": ["no_answer", "busy", "voicemail"]}
    return campaign(
        campaign="month", agent=None, timezone="contact", countries=["US", "CA", "FR", "DE"],
        agents={
            "voice": {"provider": "revring", "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "from": "+12025550190"},
            "other": {"provider": "movoice", "id": "agent_1"},
        },
        steps=[
            {"name": "first", "call": "voice", "retry": retry},
            {"name": "second", "call": "other", "after": "12d", "when": "previous.outcome != 'answered'", "retry": retry},
            {"name": "third", "call": "voice", "after": "16d", "when": "previous.outcome != 'answered'"},
        ],
        windows=["mon-fri 09:00-12:00", "mon-fri 13:30-19:00", "sat 10:00-16:00"],
        limits={"concurrency": 200, "per_minute": 60},
    )  # fmt: skip


def person(at: int) -> Contact:
    """Give somebody in America, where the number tells the zone, or in Europe."""
    if at % 10 < 6:
        phone = number(at)
    else:
        phone = (
            f"+33639{980_000 + at % 10_000:06d}"
            if at % 10 < 9 or at >= 10_000
            else f"+4930231{25_000 + at // 10 % 1000:05d}"
        )
    return Contact(key=f"P{at:05d}", phone=phone, row=at + 2, values={"phone": phone})


def _digest(store: Store, summary: list[dict[str, Any]]) -> str:
    """Hash every row of every table, but for what is random on purpose."""
    whole = hashlib.sha256(json.dumps(summary, default=str, sort_keys=True).encode())
    names = [row["name"] for row in store._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in sorted(set(names) - set(_RANDOM)):
        columns = [row["name"] for row in store._connection.execute(f"PRAGMA table_info({name})")]
        kept = ", ".join(column for column in columns if column != _SALT)
        where = " WHERE kind <> 'taken'" if name == "events" else ""
        for row in store._connection.execute(f"SELECT {kept} FROM {name}{where} ORDER BY 1, 2"):
            whole.update(repr((name, *row)).encode())
    return whole.hexdigest()


def _in_a_process(people: int, days: int, hash_seed: str) -> Run:
    command = [sys.executable, "-m", "tests.proofs.virtual_time", str(people), str(days), "7"]
    done = subprocess.run(
        command, cwd=_ROOT, env={**os.environ, "PYTHONHASHSEED": hash_seed}, capture_output=True, text=True, check=True
    )
    return Run(**json.loads(done.stdout))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asdict(rehearse(*map(int, sys.argv[1:4])))))
