"""How many calls may run at once, and the queue before them, first come first served."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from runner.sandbox.call import Call, Stage


class Lines:
    """A number of lines shared by calls; ``dial`` places a call that got one.

    ``may_dial`` is asked when a call's turn has come; a call that may not is left to whoever said so. ``when_free``
    is told whenever a line is free and nobody waits for it.
    """

    def __init__(
        self,
        dial: Callable[[Call], None],
        limit: int | None,
        *,
        may_dial: Callable[[Call], bool] | None = None,
        when_free: Callable[[], None] | None = None,
    ) -> None:
        self._dial = dial
        self._limit = limit
        self._may_dial = may_dial
        self._when_free = when_free
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

    def allow(self, limit: int | None) -> None:
        """Set how many calls may run at once from now on; running calls go on."""
        self._limit = limit
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
            if call.stage is Stage.QUEUED and (self._may_dial is None or self._may_dial(call)):
                self.active += 1
                call.releases.append(self._release)
                self._dial(call)

    def _release(self) -> None:
        self.active -= 1
        self._promote()
        if self._when_free is not None and not self._waiting and self.free != 0:
            self._when_free()
