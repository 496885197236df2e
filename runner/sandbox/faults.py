"""What goes wrong on purpose: a plan of faults that befall requests and connections, repeatable from a seed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from runner.sandbox.chance import draw

FaultKind = Literal[
    "refuse",
    "drop_before",
    "drop_after",
    "hang_after",
    "slow",
    "status",
    "malformed",
    "html",
    "redirect",
    "big",
    "wrong_generation",
]

RetryAfter = Literal["delta", "date", "garbage"]

_ALWAYS_IN_EFFECT = frozenset({"drop_after", "hang_after", "slow", "malformed", "big", "wrong_generation"})
_NEVER_IN_EFFECT = frozenset({"refuse", "drop_before"})
_GENERATIONS = frozenset({"revring", "revox"})
_STATUSES: Mapping[FaultKind, int] = {"html": 200, "redirect": 307}
_HANG_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    ``refuse`` resets a new connection before anything is read. ``drop_before`` closes the connection and nothing
    happens; ``drop_after`` lets the request take effect and then closes; ``hang_after`` lets it take effect and never
    answers; ``slow`` answers late; ``status`` answers with a status instead; ``malformed`` cuts the real answer in
    half; ``html`` answers a page; ``redirect`` answers with a place of the sandbox that counts who comes; ``big``
    answers ten megabytes; ``wrong_generation`` serves the request as the provider's other generation would.
    """

    kind: FaultKind
    provider: str = ""
    """empty befalls all"""
    path: re.Pattern[str] | None = None
    """befalls paths in which it is found"""
    status: int | None = None
    """of the answer, with ``status``, ``html`` and ``redirect``; None is 500, 200 and 307"""
    body: Any = None
    """of the answer: a string as it is, anything else as JSON"""
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool = False
    """with ``status``, ``html`` and ``redirect``: the request takes effect all the same"""
    times: int | None = 1
    """how often it strikes; None without end"""
    share: float = 1.0
    """share of the requests or connections that it strikes"""
    seconds: float | None = None
    """real seconds of ``slow`` and ``hang_after``; what a ``Retry-After`` asks for"""
    retry_after: RetryAfter | None = None
    """form of the ``Retry-After`` header, with ``status``"""

    @property
    def answered(self) -> int:
        """The status that is answered in place of the real one."""
        return _STATUSES.get(self.kind, 500) if self.status is None else self.status

    @property
    def takes_effect(self) -> bool:
        """Whether the request takes effect although it is not answered as it should."""
        return self.kind in _ALWAYS_IN_EFFECT or (self.effect and self.kind not in _NEVER_IN_EFFECT)

    def fits(self, provider: str, path: str) -> bool:
        """Whether it may befall a request to this provider and path."""
        if self.kind == "refuse" or (self.provider and self.provider != provider):
            return False
        if self.kind == "wrong_generation" and provider not in _GENERATIONS:
            return False
        return self.path is None or self.path.search(path) is not None


@dataclass(slots=True, eq=False)
class _Planned:
    fault: Fault
    met: int = 0
    struck: int = 0


class Faults:
    """The plan of faults; each request meets at most one, the first that fits."""

    def __init__(self, seed: int, initial: tuple[Fault, ...] = ()) -> None:
        self._first_seed = seed
        self._initial = initial
        self._seed = seed
        self._planned: list[_Planned] = []
        self._released = asyncio.Event()
        self.clear()

    def plan(self, faults: tuple[Fault, ...], *, seed: int | None = None) -> None:
        """Replace the plan; the seed chooses whom faults with a share strike."""
        self._planned = [_Planned(fault) for fault in faults]
        self._seed = self._first_seed if seed is None else seed

    def clear(self) -> None:
        """Go back to the plan of the start."""
        self.plan(self._initial)

    def meet(self, provider: str, path: str) -> Fault | None:
        """Give the fault that befalls a request, and count it; None when all goes well."""
        for number, planned in enumerate(self._planned):
            if planned.fault.fits(provider, path) and self._strikes(number, planned):
                return planned.fault
        return None

    def refuses(self) -> bool:
        """Say whether the next connection is reset, and count it."""
        return any(
            planned.fault.kind == "refuse" and self._strikes(number, planned)
            for number, planned in enumerate(self._planned)
        )

    def struck(self) -> tuple[tuple[Fault, int], ...]:
        """Give each fault of the plan and how often it has struck."""
        return tuple((planned.fault, planned.struck) for planned in self._planned)

    def release(self) -> None:
        """Let every request that hangs go, and hang none from now on."""
        self._released.set()

    async def hang(self, seconds: float | None = None) -> None:
        """Wait for so many real seconds, two minutes unless told, or until ``release``."""
        try:
            await asyncio.wait_for(self._released.wait(), _HANG_SECONDS if seconds is None else seconds)
        except TimeoutError:
            return

    def _strikes(self, number: int, planned: _Planned) -> bool:
        if planned.struck == planned.fault.times:
            return False
        planned.met += 1
        if draw(self._seed, "fault", number, planned.met) >= planned.fault.share:
            return False
        planned.struck += 1
        return True
