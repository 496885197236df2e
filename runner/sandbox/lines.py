"""How many calls may run at once, and the queue before them, first come first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from runner.sandbox.call import Call, Stage


class Lines:
    """A number of lines shared by calls; ``dial`` places a call that got one."""

    def __init__(self, dial: Callable[[Call], None], limit: int | None) -> None:
        self._dial = dial
        self._limit = limit
        self._waiting: deque[Call] = deque()
        self._paused = False
        self.active = 0

    @property
    def free(self) -> int | None:
        """Lines that nobody uses; None when there is no limit."""
        return None if self._limit is None else max(self._limit - self.active, 0)

    def take(self, call: Call) -> None:
        """Dial a call at once when a line is free, and queue it otherwise."""
        call.stage = Stage.QUEUED
        self._waiting.append(call)
        self._promote()

    def pause(self) -> None:
        """Dial nobody until ``resume``; running calls go on."""
        self._paused = True

    def resume(self) -> None:
        """Dial those who wait."""
        self._paused = False
        self._promote()

    def clear(self) -> None:
        """Forget every call."""
        self._waiting.clear()
        self.active = 0

    def _promote(self) -> None:
        while self._waiting and not self._paused and self.free != 0:
            call = self._waiting.popleft()
            # a call that was cancelled while it waited stays in the queue until its turn
            if call.stage is Stage.QUEUED:
                self.active += 1
                call.release = self._release
                self._dial(call)

    def _release(self, call: Call) -> None:
        call.release = None
        self.active -= 1
        self._promote()
