"""An event loop whose time is virtual: when nothing can run, it is at once the instant of the next timer."""

from __future__ import annotations

import asyncio
import math
import selectors
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import MappingProxyType
from typing import Any, Self

from runner.schedule.clock import VirtualClock

_MICROS = 1_000_000
_BUSY_TURNS = 1_000_000
"""so many turns in a row without time passing are a circle"""


class Standstill(RuntimeError):
    """Nothing is left that could ever happen, and something is still waited for."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """Runs one thread's tasks in virtual time, which begins at zero and never waits for real time.

    What would go to another thread runs at once in this one, so that the same program does the same
    thing in the same order each time. Nothing may be read from or written to a real file descriptor.
    Time has whole microseconds, and a timer never rings before its instant.
    """

    def __init__(self) -> None:
        self.micros = 0
        """how much time has passed, in microseconds"""
        self.run_elsewhere: Callable[[Callable[[], Any]], Any] | None = None
        """does what was meant for another thread; None just does it"""
        self._turns = 0
        super().__init__(_Timeless(self._pass))

    def time(self) -> float:
        """Give the virtual seconds since the loop was made."""
        return self.micros / _MICROS

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]  # noqa: ARG002 there is no other thread
        """Do it now, in this thread; an error is the caller's, as it would be."""
        future = self.create_future()
        try:
            result = self.run_elsewhere(lambda: func(*args)) if self.run_elsewhere is not None else func(*args)
        except Exception as error:  # noqa: BLE001 handed to the one who waits for it
            future.set_exception(error)
        else:
            future.set_result(result)
        return future

    def run_until(self, seconds: float) -> None:
        """Let everything happen up to an instant, in virtual seconds since the loop was made; that instant included."""
        handle = self.call_at(seconds, self.stop)
        try:
            self.run_forever()
        finally:
            handle.cancel()

    def _pass(self, seconds: float | None) -> None:
        """Let so many seconds pass at once; raise Standstill when nothing would ever end the wait."""
        if seconds is None:
            raise Standstill("nothing can happen any more, and somebody still waits")
        if seconds <= 0:
            self._turns += 1
            if self._turns > _BUSY_TURNS:
                raise Standstill("the same instant never ends: something is done again and again")
            return
        self._turns = 0
        # Rounded up, and what float arithmetic lost is no reason to.
        self.micros += max(1, math.ceil(seconds * _MICROS - 0.01))


class SandboxTime:
    """The same present for the sandbox, which looks at its clock again after a piece of real time: there is none."""

    speed = math.inf

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        return self._clock.now()

    async def sleep(self, seconds: float) -> None:
        """Wait for a span of virtual time."""
        await self._clock.sleep(seconds)


class VirtualAlarm:
    """The alarm of a virtual loop: a timer, in place of the heartbeat, which lives by the machine's clock."""

    def __init__(self, clock: Any, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._next: datetime | None = None
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> Self:
        """Nothing has to be started."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Ring no more."""
        if self._timer is not None:
            self._timer.cancel()

    def set(self, at: datetime) -> None:
        """Ring at this instant of the clock, at once if it has passed; an earlier alarm stays."""
        if self._next is not None and self._next <= at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._next = at
        self._timer = asyncio.get_running_loop().call_later(self._clock.seconds_until(at), self._rung)

    def _rung(self) -> None:
        self._next = self._timer = None
        self._ring()


@contextmanager
def virtual_loop() -> Iterator[VirtualLoop]:
    """Make a virtual loop and close it at the end, whatever still waits in it."""
    loop = VirtualLoop()
    try:
        yield loop
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        if left:
            loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.close()


class _Timeless(selectors.BaseSelector):
    """Knows what is registered, selects nothing, and hands each wait on to where time passes."""

    def __init__(self, wait: Callable[[float | None], None]) -> None:
        self._wait = wait
        self._keys: dict[Any, selectors.SelectorKey] = {}

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        self._keys[fileobj] = key = selectors.SelectorKey(fileobj, number, events, data)
        return key

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._keys.pop(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._wait(timeout)
        return []

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return MappingProxyType(self._keys)
