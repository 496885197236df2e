"""The ledger's one writer: what arrives together is committed together, off the event loop.

An fsync costs more than the statements of an attempt, so it is paid once for all work that is
waiting, and nothing that was asked for is done before its commit has returned. Each transaction
checks inside itself that the ledger is still this runner's.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Protocol, Self, TypeVar

from runner.engine.tenure import Tenure
from runner.errors import LedgerError, LedgerFull
from runner.ports import Ledger
from runner.ports.telemetry import SILENT, Telemetry, named

log = logging.getLogger(__name__)

T = TypeVar("T")
_BATCH = 256


class SpareRoom(Protocol):
    """Space that is kept for when there is no other."""

    def spend(self) -> bool:
        """Give the space up; whether there was any."""
        ...


class _NoRoom:
    def spend(self) -> bool:
        return False


@dataclass(slots=True)
class _Entry:
    work: Callable[[Ledger], Any]
    future: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)
    """what is bound where the work was asked for, such as the ids that log lines carry"""
    begins: bool = False
    result: Any = None
    durable_at: float = 0.0
    error: Exception | None = None


class Journal:
    """Runs work on the ledger in one thread, grouped into durable transactions."""

    def __init__(
        self,
        ledger: Ledger,
        telemetry: Telemetry = SILENT,
        tenure: Tenure | None = None,
        spare: SpareRoom | None = None,
    ) -> None:
        self.tenure = tenure or Tenure.alone()
        self._spare = spare or _NoRoom()
        self._full: LedgerFull | None = None
        self._ledger = ledger
        self._telemetry = telemetry
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ledger")
        self._waiting: asyncio.Queue[_Entry] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Start the writer."""
        self._task = asyncio.create_task(self._write_forever(), name="journal")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Write what is waiting, then stop."""
        await self._waiting.join()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        self._thread.shutdown()

    async def run(self, work: Callable[[Ledger], T], *, begins: bool = False) -> T:
        """Do work on the ledger; give its result when it is durable.

        Work that raises is undone alone. When the commit fails, all work of the group raises
        and none of it has happened. Work that `begins` something new raises LedgerFull from the
        first time on that there was no room: what is left then is for outcomes. Raises LeaseLost
        once another runner has taken the ledger.
        """
        return (await self.run_dated(work, begins=begins))[0]

    async def run_dated(self, work: Callable[[Ledger], T], *, begins: bool = False) -> tuple[T, float]:
        """Do the same; give too when it was durable, in seconds of the tenure's clock."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        entry = _Entry(work, future, begins=begins)
        await self._waiting.put(entry)
        return await future, entry.durable_at

    async def _write_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            group = [await self._waiting.get()]
            while len(group) < _BATCH and not self._waiting.empty():
                group.append(self._waiting.get_nowait())
            try:
                await loop.run_in_executor(self._thread, self._commit, group)
            except Exception as error:  # noqa: BLE001 handed to everybody who waits for the group
                for entry in group:
                    entry.error = entry.error or error
            for entry in group:
                self._answer(entry)
                self._waiting.task_done()

    def _commit(self, group: list[_Entry]) -> None:
        began, failed = time.perf_counter(), True
        try:
            self._write(group)
            failed = False
        finally:
            self._telemetry.committed(time.perf_counter() - began, failed=failed)

    def _write(self, group: list[_Entry]) -> None:
        """Write a group; when there is no room, spend what was spared on what does not begin anything new."""
        if self._full is not None:
            for entry in group:
                entry.error = self._full if entry.begins else None
            group = [entry for entry in group if not entry.begins]
        failed = self._tried(group)
        errors = (failed, *(entry.error for entry in group))
        full = next((one for one in errors if isinstance(one, LedgerFull)), None)
        if full is None:
            if failed is not None:
                raise failed
            return
        left = [entry for entry in group if failed is not None or isinstance(entry.error, LedgerFull)]
        self._full = full
        if not self._spare.spend():
            raise full
        sentence = "%s; nothing new is begun, and the space that was kept for outcomes is used now"
        log.error(sentence, full.message, extra=named("ledger_full"))
        for entry in left:
            entry.error = full if entry.begins else None
        failed = self._tried([entry for entry in left if not entry.begins])
        if failed is not None:
            raise failed

    def _tried(self, group: list[_Entry]) -> LedgerError | None:
        """Write a group in one transaction; give what undid it."""
        if not group:
            return None
        try:
            with self._ledger.transaction():
                self.tenure.attend(self._ledger)
                for entry in group:
                    self._do(entry)
        except LedgerError as error:
            self.tenure.undone()
            return error
        except BaseException:
            self.tenure.undone()
            raise
        at = self.tenure.durable()
        for entry in group:
            entry.durable_at = at
        return None

    def _do(self, entry: _Entry) -> None:
        try:
            with self._ledger.transaction():
                entry.result = entry.context.run(entry.work, self._ledger)
        except Exception as error:  # noqa: BLE001 handed to the one who waits for it
            entry.error = error

    @staticmethod
    def _answer(entry: _Entry) -> None:
        if entry.future.done():
            return
        if entry.error is not None:
            entry.future.set_exception(entry.error)
        else:
            entry.future.set_result(entry.result)
