"""Fail the Nth write of a ledger under the real engine, run again, and see that no request left without an intent."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from runner.errors import LedgerError, NotFound
from runner.ledger.standing import resume_by_hand
from runner.ledger.store import Store
from runner.model.project import Account
from runner.sandbox.clock import WallClock
from runner.sandbox.requests_log import RequestsLog, Seen
from runner.sandbox.server import RunningSandbox, running
from runner.sandbox.settings import RevmoSwitches, Settings
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.machine import Machine
from runner.wiring.running import engine, other_sandbox
from runner.wiring.workspace import Workspace, open_workspace
from tests.e2e.processes import AGENTS
from tests.faults.cells import DIALS
from tests.faults.joining import Joined, compared

_SCRIPT = (("answered",), ("busy", "answered"))
"""what the people of each campaign do; whoever is busy is called once more"""
_POLL = (*(timedelta(seconds=0.4) for _ in range(40)), timedelta(hours=1))
_SETTLE = timedelta(seconds=0.3)
_SECONDS = 120
_KNOCKS = 5


class Failure(StrEnum):
    """How a write fails."""

    FULL = "disk full"
    STAYS_FULL = "disk full from then on"
    IO_ERROR = "I/O error"
    LOCKED = "locked"
    LIED = "a commit that succeeded and reported failure"


_CODES: Mapping[Failure, tuple[str, str]] = {
    Failure.FULL: ("SQLITE_FULL", "database or disk is full"),
    Failure.STAYS_FULL: ("SQLITE_FULL", "database or disk is full"),
    Failure.IO_ERROR: ("SQLITE_IOERR_WRITE", "disk I/O error"),
    Failure.LOCKED: ("SQLITE_BUSY", "database is locked"),
    Failure.LIED: ("SQLITE_IOERR_FSYNC", "disk I/O error"),
}
_BEFALLS: Mapping[Failure, frozenset[str]] = {
    Failure.LOCKED: frozenset({"BEGIN", "COMMIT"}),
    Failure.LIED: frozenset({"COMMIT"}),
}
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "REPLACE", "BEGIN", "COMMIT"})


@dataclass(slots=True)
class Fault:
    """The failure of one write, counted from 1."""

    how: Failure
    at: int
    met: int = 0

    @property
    def struck(self) -> bool:
        """Whether there was such a write."""
        return self.met >= self.at

    def befalls(self, statement: str) -> bool:
        """Whether this statement fails, and count it."""
        word = _verb(statement)
        if word not in _BEFALLS.get(self.how, _WRITES):
            return False
        self.met += 1
        return self.met == self.at or (self.how is Failure.STAYS_FULL and self.met > self.at)


class FailingConnection:
    """A connection of SQLite one of whose writes fails as SQLite's own do; everything else passes."""

    def __init__(self, real: sqlite3.Connection, fault: Fault) -> None:
        self._real = real
        self._fault = fault

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        """Execute a statement, or fail as planned: a full disk and an I/O error end the transaction by themselves."""
        if not self._fault.befalls(statement):
            return self._real.execute(statement, *values)
        if self._fault.how is Failure.LIED:
            self._real.execute(statement, *values)
        elif self._fault.how is not Failure.LOCKED and self._real.in_transaction:
            self._real.execute("ROLLBACK")
        name, message = _CODES[self._fault.how]
        error = sqlite3.OperationalError(message)
        error.sqlite_errorname = name
        raise error


class Witness(RequestsLog):
    """Looks into the ledger file whenever a request to dial arrives: is its intent there for another process to see?"""

    def __init__(self, ledger: Path) -> None:
        super().__init__()
        self._ledger = ledger
        self.seen = 0
        self.unannounced: list[str] = []
        """requests whose attempt was not known to be on its way"""

    def add(self, at: datetime, scope: Mapping[str, Any], raw: bytes) -> Seen:
        """Write down a request; one that dials must have its intent in the file."""
        if scope["method"] in {"POST", "PUT"} and DIALS.search(scope["path"]):
            self.seen += 1
            told = raw + b"".join(value for _, value in scope["headers"])
            with closing(sqlite3.connect(f"{self._ledger.as_uri()}?mode=ro", uri=True, timeout=5)) as connection:
                keys = connection.execute("SELECT key FROM attempts WHERE state = 'sending' AND sent_at IS NOT NULL")
                if not any(str(key).encode() in told for (key,) in keys.fetchall()):
                    self.unannounced.append(f"{scope['path']} {raw[:80]!r}")
        return super().add(at, scope, raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What failing writes came to."""

    runs: int = 0
    struck: int = 0
    requests: int = 0
    unannounced: tuple[str, ...] = ()
    """requests that arrived without a durable intent"""
    unended: tuple[str, ...] = ()
    """second runs that did not come to an end"""
    found: Joined = field(default_factory=Joined)

    def __add__(self, other: Toll) -> Toll:
        """Sum two."""
        return Toll(
            runs=self.runs + other.runs, struck=self.struck + other.struck, requests=self.requests + other.requests,
            unannounced=self.unannounced + other.unannounced, unended=self.unended + other.unended,
            found=self.found + other.found,
        )  # fmt: skip

    @property
    def wrong(self) -> tuple[str, ...]:
        """Name everything that must not be."""
        found = self.found
        return (
            *self.unannounced, *self.unended, *found.twice, *found.strangers, *found.lost, *found.wrong,
            *found.held_elsewhere("revmo"),
        )  # fmt: skip


async def failed(how: Failure, at: int) -> Toll:
    """Run a campaign of each provider whose Nth write fails, run it again without, and compare with the dials."""
    with tempfile.TemporaryDirectory(prefix="nth-write-") as name:
        workspace = _applied(Path(name))
        async with running(_settings(), WallClock()) as sandbox:
            witness = sandbox.world.requests = Witness(workspace.ledger_path)
            fault, unended = Fault(how, at), list[str]()
            try:
                await _run(workspace, sandbox, fault)
            except LedgerError:
                pass
            except TimeoutError:
                unended.append(f"{how}, write {at}: the first run hung")
            _resume(workspace)
            try:
                await _run(workspace, sandbox, None)
            except (LedgerError, TimeoutError) as error:
                unended.append(f"{how}, write {at}: the second run ended by {error!r}")
            found = _joined(workspace, sandbox)
        return Toll(
            runs=1, struck=int(fault.struck), requests=witness.seen, unannounced=tuple(witness.unannounced),
            unended=tuple(unended), found=found,
        )  # fmt: skip


def _settings() -> Settings:
    return Settings(
        ring_seconds=(0.01, 0.02), talk_seconds=(0.01, 0.02), webhook_retry_scale=0.005, webhook_retries=40,
        revmo=RevmoSwitches(webhook_waits=(60.0,) * 40),
        script={_phone(place, who): script for place in range(len(AGENTS)) for who, script in enumerate(_SCRIPT)},
    )  # fmt: skip


async def _run(workspace: Workspace, sandbox: RunningSandbox, fault: Fault | None) -> None:
    """Run until done; raises LedgerError when the ledger fails, TimeoutError after two minutes."""
    for _ in range(_KNOCKS):
        with suppress(NotFound):  # a busy machine: the sandbox of this very process did not answer in time
            return await _run_once(workspace, sandbox, fault)
    raise TimeoutError


async def _run_once(workspace: Workspace, sandbox: RunningSandbox, fault: Fault | None) -> None:
    async with asyncio.timeout(_SECONDS), other_sandbox(workspace.accounts, sandbox.url) as around:
        surroundings = replace(around, accounts=_hurried(around.accounts), machine=Machine(open_store=_opener(fault)))
        async with engine(workspace.ledger_path, surroundings, windows_ignored=True) as parts:
            await parts.dispatcher.run(until_done=True)


def _opener(fault: Fault | None) -> Any:
    def opened(path: Path) -> Store:
        store = Store.open(path)
        if fault is not None:
            store._connection = FailingConnection(store._connection, fault)  # type: ignore[assignment]
        return store

    return opened


def _hurried(accounts: Mapping[str, Account]) -> dict[str, Account]:
    return {name: replace(one, poll=_POLL, settle_after=_SETTLE) for name, one in accounts.items()}


def _resume(workspace: Workspace) -> None:
    """Do as a person does before the second run: have go on what was paused."""
    with closing(Store.open(workspace.ledger_path)) as store:
        for name in AGENTS:
            resume_by_hand(store, name, "", SystemClock().now())


def _joined(workspace: Workspace, sandbox: RunningSandbox) -> Joined:
    placed = [{"reference": dial.reference, "id": dial.id, "outcome": dial.outcome} for dial in sandbox.world.dials()]
    with closing(Store.open_read_only(workspace.ledger_path)) as store:
        attempts = store._connection.execute(
            "SELECT key, account, state, outcome, reason FROM attempts ORDER BY id"
        ).fetchall()
        people = store._connection.execute("SELECT id, state FROM contacts").fetchall()
    return compared(attempts, people, placed)


def _applied(folder: Path) -> Workspace:
    """Write a project and apply it: a ledger that is copied would not be run on."""
    (folder / "campaigns").mkdir()
    for place, (provider, agent) in enumerate(AGENTS.items()):
        people = ", ".join(f'{{phone: "{_phone(place, who)}"}}' for who in range(len(_SCRIPT)))
        (folder / "campaigns" / f"{provider}.yaml").write_text(
            f"campaign: {provider}\npurpose: transactional\nretry: 2 times, 1s apart, on busy\nagent: {agent}\n"
            f"contacts: [{people}]\n",
            "utf-8",
        )
    workspace = open_workspace(folder)
    with closing(Store.open(workspace.ledger_path)) as store:
        for loaded in workspace.load([]):
            plan = workspace.plan(loaded, SystemClock().now(), windows_ignored=True)
            applying.apply(workspace, applying.examine(plan), store)
    return workspace


def _phone(place: int, who: int) -> str:
    return f"+120255501{place}{who}"


def _verb(statement: str) -> str:
    """Give the first word of a statement, the sentence before it left out."""
    lines = [line for line in statement.splitlines() if line.strip() and not line.lstrip().startswith("--")]
    return lines[0].split()[0].upper() if lines else ""
