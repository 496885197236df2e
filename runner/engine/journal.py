"""The ledger's one writer: what arrives together is committed together, off the event loop.

An fsync costs more than the statements of an attempt, so it is paid once for all work that is
waiting, and nothing that was asked for is done before its commit has returned.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from runner.ports import Ledger
from runner.ports.telemetry import SILENT, Telemetry

T = TypeVar("T")
_BATCH = 256


@dataclass(slots=True)
class _Entry:
    work: Callable[[Ledger], Any]
    future: asyncio.Future[Any]
    context: Context = field(default_factory=copy_context)
    """what is bound where the work was asked for, such as the ids that log lines carry"""
    result: Any = None
    error: Exception | None = None


class Journal:
    """Runs work on the ledger in one thread, grouped into durable transactions."""

    def __init__(self, ledger: Ledger, telemetry: Telemetry = SILENT) -> None:
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

    async def run(self, work: Callable[[Ledger], T]) -> T:
        """Do work on the ledger; give its result when it is durable.

        Work that raises is undone alone. When the commit fails, all work of the group raises
        and none of it has happened.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        await self._waiting.put(_Entry(work, future))
        return await future

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
        with self._ledger.transaction():
            for entry in group:
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
