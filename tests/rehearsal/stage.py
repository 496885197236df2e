"""A stage for the whole engine in virtual time: it can be killed at any instant, and what it sent is known for sure."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import shutil
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, suppress
from contextvars import ContextVar, copy_context
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx

from runner.errors import LedgerUnwritable, OutreachError
from runner.ledger import sqlite
from runner.ledger.store import Store
from runner.model.project import Project
from runner.ports import crash_points
from runner.ports.crash_points import CrashPoint
from runner.rehearsal.loop import VirtualLoop
from runner.rehearsal.surroundings import Rehearsal, open_without_waiting, rehearsal
from runner.sandbox.settings import MovoiceSwitches, RevringSwitches, Settings
from runner.sandbox.world import Dial
from runner.wiring.accounts import project_accounts
from runner.wiring.running import Engine, engine

RING, TALK = (4.0, 20.0), (10.0, 60.0)
LIST_LAG = 60.0
"""seconds for which a new call stands in no list; a lost one is left alone for twice as long before it is looked for"""
_KEEP_LISTS = timedelta(hours=7)
"""seldom, since each look is a commit; every start looks too"""
_SIDE: ContextVar[int] = ContextVar("side", default=0)
"""the number of the engine whose task runs; 0 outside of all"""


class PowerCut(BaseException):
    """The process is gone at this very point."""


class _Dead(OutreachError):
    """What the work of an engine that is gone is told."""


@dataclass
class _Cut:
    """Where the next power cut strikes."""

    at_commit: int = 0
    """counted down by each group of the journal; at 1 it strikes"""
    after: bool = False
    """whether that group is durable"""


@dataclass
class Stage:
    """One ledger, one sandbox, one virtual loop, and at most one engine that is alive."""

    start: datetime
    seed: int
    folder: Path
    loop: VirtualLoop = field(default_factory=VirtualLoop)
    engine: Engine | None = None
    kills: int = 0
    _sound_commits: int = 0
    _failing_commits: int = 0
    _cut: _Cut = field(default_factory=_Cut)
    _number: int = 0
    _alive: bool = False
    _running: asyncio.Task[None] | None = None
    _tasks: dict[int, list[asyncio.Task[Any]]] = field(default_factory=dict)
    _store: Store | None = None
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack)

    def __post_init__(self) -> None:
        """Open the sandbox and a fresh ledger."""
        logging.getLogger("runner").setLevel(logging.CRITICAL)
        self.loop.set_exception_handler(lambda *_: None)
        self.loop.set_task_factory(self._task)
        self.loop.run_elsewhere = self._commit
        self.path = self.folder / f"{self.seed}-{id(self)}.db"
        self.path.write_bytes(_fresh_ledger())
        self.path.chmod(0o600)
        self._chance = random.Random(self.seed)
        settings = Settings(
            seed=self.seed, ring_seconds=RING, talk_seconds=TALK, webhook_retry_scale=1.0,
            revring=RevringSwitches(list_lag_seconds=LIST_LAG), movoice=MovoiceSwitches(list_lag_seconds=LIST_LAG),
        )  # fmt: skip
        accounts = project_accounts(Project())
        opening = rehearsal(self.loop, accounts, settings, self.start, latency=self._latency, keep_lists=_KEEP_LISTS)
        self.rehearsal: Rehearsal = self.finish(self._stack.enter_async_context(opening))
        self.world = self.rehearsal.sandbox.world
        self.accounts = self.rehearsal.surroundings.accounts
        self.outside = open_without_waiting(self.path)
        """another process's connection to the ledger"""
        setattr(crash_points, "os", _Killing(self))  # noqa: B010 the module has no name for it

    def finish(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Do something outside of any engine to its end."""
        return self.loop.run_until_complete(work)

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.rehearsal.clock.now()

    @property
    def is_running(self) -> bool:
        """Whether an engine is alive."""
        return self._running is not None and not self._running.done()

    def pass_time(self, seconds: float) -> None:
        """Let time pass; an engine that ended by itself, or by a power cut on the way, stays down."""
        self.loop.run_until(self.loop.time() + seconds)
        if self._running is not None and self._cut_off():
            self._bury()
        if self._running is not None and self._running.done():
            self._running = self.engine = None

    def boot(self) -> None:
        """Start an engine, if none runs."""
        if self.is_running:
            return
        self._number += 1
        self._alive = True
        context = copy_context()
        context.run(_SIDE.set, self._number)
        self._running = self.loop.create_task(self._run(), context=context)
        self.pass_time(0)

    def second(self) -> str:
        """Try to start a second engine beside the one that runs; give the name of what refused it."""

        async def run() -> str:
            sqlite._LOOK_SECONDS = 0.0  # type: ignore[misc]  # whoever holds the ledger here holds it for good
            try:
                async with engine(self.path, self.rehearsal.surroundings):
                    return ""
            except OutreachError as error:
                return type(error).__name__

        return str(self.finish(run()))

    def kill(self) -> None:
        """Cut the power: what is not in the ledger's file is gone, what left is on its way."""
        if self.is_running:
            self._die()
            self._bury()

    def kill_at(self, point: CrashPoint, visits: int) -> None:
        """Cut the power when the code comes to a point for the so-manieth time."""
        crash_points._ARMED[point] = (visits, signal.SIGKILL)

    def kill_at_commit(self, count: int, *, after: bool) -> None:
        """Cut the power right before, or right after, the so-manieth commit from now."""
        self._cut = _Cut(count, after)

    def fail_commits(self, skipped: int, count: int) -> None:
        """Have so many groups of the journal fail as on a full disk, after some that do not."""
        self._sound_commits, self._failing_commits = skipped, count

    def dials(self) -> tuple[Dial, ...]:
        """Give every dial that the sandbox placed, oldest first."""
        placed: tuple[Dial, ...] = self.world.dials()
        return placed

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        """Read the ledger from outside."""
        return self.outside._connection.execute(statement, values).fetchall()

    def close(self) -> None:
        """End everything."""
        self.kill()
        crash_points._ARMED.clear()
        setattr(crash_points, "os", os)  # noqa: B010 as above
        self.outside.close()
        self.finish(self._stack.aclose())
        left = asyncio.all_tasks(self.loop)
        for task in left:
            task.cancel()
        with suppress(RuntimeError):
            self.loop.run_until(self.loop.time())
        self.loop.close()
        for path in self.folder.glob(f"{self.path.name}*"):
            path.unlink()

    def _cut_off(self) -> bool:
        return not self._alive

    async def _run(self) -> None:
        surroundings = self.rehearsal.beside(self._open)
        surroundings = replace(surroundings, machine=replace(surroundings.machine, network=_Wire(self, self._number)))
        with suppress(OutreachError, _Dead, RuntimeError):
            async with engine(self.path, surroundings) as running:
                self.engine = running
                await running.run(until_done=False)

    def _open(self, path: Path) -> Store:
        self._store = open_without_waiting(path)
        return self._store

    def _commit(self, work: Callable[[], Any]) -> Any:
        """Do a group of the journal, unless the power goes or the disk is full."""
        if not self._alive:
            raise _Dead("the process is gone")
        if self._sound_commits:
            self._sound_commits -= 1
        elif self._failing_commits:
            self._failing_commits -= 1
            raise LedgerUnwritable("the ledger cannot be written: database or disk is full")
        strikes = self._cut.at_commit == 1
        self._cut.at_commit = max(0, self._cut.at_commit - 1)
        if strikes and not self._cut.after:
            self._die()
            raise _Dead("the process is gone")
        try:
            result = work()
        except PowerCut:
            raise _Dead("the process is gone") from None
        if not self._alive:
            raise _Dead("the process is gone")
        if strikes:
            self._die()
            raise _Dead("the process is gone")
        return result

    def _die(self) -> None:
        """From here on the engine can neither write nor send."""
        self._alive = False
        self.kills += 1
        self._cut = _Cut()
        crash_points._ARMED.clear()
        if self._store is not None:
            self._store.close()
        self.loop.stop()

    def _bury(self) -> None:
        """End the tasks of an engine that is gone; the clock goes on by what that takes, and nothing it does counts."""
        running, self._running, self.engine = self._running, None, None
        mine = self._tasks.pop(self._number, [])
        for _ in range(100):
            for task in mine:
                if not task.done() and task.get_name() != "journal":
                    task.cancel()
            self.loop.run_until(self.loop.time())
            if running is None or running.done():
                break
        else:
            raise AssertionError("the engine's tasks do not end")
        for task in mine:
            task.cancel()

    def _task(self, loop: Any, work: Any, context: Any = None) -> asyncio.Task[Any]:
        task: asyncio.Task[Any] = asyncio.Task(work, loop=loop, context=context)
        side = _SIDE.get() if context is None else context.get(_SIDE, 0)
        if side:
            self._tasks.setdefault(side, []).append(task)
        return task

    def _latency(self, place: str) -> float:  # noqa: ARG002 the same everywhere
        return self._chance.choice((0.0, 0.02, 0.1, 0.4))


class _Wire(httpx.AsyncBaseTransport):
    """One engine's way into the network; cut when the engine is gone."""

    def __init__(self, stage: Stage, number: int) -> None:
        self._stage = stage
        self._number = number

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if not self._stage._alive or self._stage._number != self._number:
            raise httpx.ConnectError("the process is gone", request=request)
        return await self._stage.rehearsal.network.handle_async_request(request)


class _Killing:
    """Stands for the module `os` at the crash points: to be killed there is a power cut."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    @staticmethod
    def getpid() -> int:
        return 0

    def kill(self, pid: int, number: int) -> None:  # noqa: ARG002 as the real one
        if _SIDE.get():  # else it strikes a process beside the engine's
            self._stage._die()
        raise PowerCut


@cache
def _fresh_ledger() -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        Store.open(path).close()
        return path.read_bytes()


def scratch() -> TemporaryDirectory[str]:
    """Give a folder for ledgers, in memory where there is such a place."""
    memory = Path("/dev/shm")
    return TemporaryDirectory(dir=memory if memory.is_dir() and shutil.disk_usage(memory).free > 1 << 28 else None)


def twice_dialled(dials: tuple[Dial, ...]) -> list[str]:
    """Give the attempts that were dialled more than once."""
    return [key for key, count in Counter(one.reference for one in dials).items() if count > 1]
