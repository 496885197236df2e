"""What goes wrong on purpose: a plan of faults that befall requests."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from runner.errors import UsageWrong
from runner.sandbox.people import draw
from runner.sandbox.settings import PROVIDERS
from runner.sandbox.wire import is_text_map, is_whole

FaultKind = Literal["drop_before", "drop_after", "hang_after", "status"]

_HANG_SECONDS = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    ``drop_before`` closes the connection and nothing happens; ``drop_after`` lets the request take effect and then
    closes; ``hang_after`` lets it take effect and never answers; ``status`` answers with a status instead.
    """

    kind: FaultKind
    provider: str = ""
    """empty befalls all"""
    path: re.Pattern[str] | None = None
    """befalls paths in which it is found"""
    status: int = 500
    body: Any = None
    """of the answer: a string as it is, anything else as JSON"""
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool = False
    """with ``status``: the request takes effect all the same"""
    times: int | None = 1
    """how often it strikes; None without end"""
    share: float = 1.0
    """share of the requests that it strikes"""

    @property
    def takes_effect(self) -> bool:
        """Whether the request takes effect although it is not answered as it should."""
        return self.effect if self.kind == "status" else self.kind != "drop_before"


@dataclass(slots=True, eq=False)
class _Planned:
    fault: Fault
    met: int = 0
    struck: int = 0


class Faults:
    """The plan of faults; each request meets at most one, the first that fits."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._planned: list[_Planned] = []
        self._released = asyncio.Event()

    def plan(self, faults: tuple[Fault, ...]) -> None:
        """Replace the plan."""
        self._planned = [_Planned(fault) for fault in faults]

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self._planned = []

    def meet(self, provider: str, path: str) -> Fault | None:
        """Give the fault that befalls a request, and count it; None when all goes well."""
        for number, planned in enumerate(self._planned):
            fault = planned.fault
            if planned.struck == fault.times or not _fits(fault, provider, path):
                continue
            planned.met += 1
            if draw(self._seed, "fault", number, planned.met) < fault.share:
                planned.struck += 1
                return fault
        return None

    def release(self) -> None:
        """Let every request that hangs go, and hang none from now on."""
        self._released.set()

    async def hang(self) -> None:
        """Wait for two real minutes, or until ``release``."""
        try:
            await asyncio.wait_for(self._released.wait(), _HANG_SECONDS)
        except TimeoutError:
            return


def read_fault(item: object) -> Fault:
    """Read a fault from JSON; raise UsageWrong with what to write instead.

    Without ``times`` it strikes once, or without end when it has a ``share``.
    """
    if not isinstance(item, dict):
        raise UsageWrong("a fault is an object", help='write {"kind": "drop_after"}')
    known = ("provider", "path", "kind", "status", "body", "headers", "effect", "times", "share")
    for key in item:
        if key not in known:
            raise UsageWrong(f"a fault has no `{key}`", help=f"write one of {', '.join(known)}")
    return Fault(
        kind=_kind(item.get("kind")),
        provider=_provider(item.get("provider", "")),
        path=_path(item.get("path")),
        status=_whole("status", item.get("status", 500), 200, 599),
        body=item.get("body"),
        headers=_headers(item.get("headers", {})),
        effect=item.get("effect") is True,
        times=_times(item),
        share=_share(item.get("share", 1.0)),
    )


def _fits(fault: Fault, provider: str, path: str) -> bool:
    if fault.provider and fault.provider != provider:
        return False
    return fault.path is None or fault.path.search(path) is not None


def _kind(value: object) -> FaultKind:
    kinds: tuple[FaultKind, ...] = get_args(FaultKind)
    for kind in kinds:
        if kind == value:
            return kind
    raise UsageWrong(f"there is no fault `{value}`", help=f"write one of {', '.join(kinds)}")


def _provider(value: object) -> str:
    if value != "" and value not in PROVIDERS:
        raise UsageWrong(f"there is no provider `{value}`", help=f"write one of {', '.join(PROVIDERS)}")
    return str(value)


def _path(value: object) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        return re.compile(str(value))
    except re.error as error:
        raise UsageWrong(
            f"`{value}` is no pattern for a path: {error}", help="write a part of it, such as /call"
        ) from None


def _whole(name: str, value: object, smallest: int, largest: int) -> int:
    if not is_whole(value, smallest, largest) or not isinstance(value, int):
        raise UsageWrong(f"`{value}` is no {name} of a fault", help=f"write {smallest} to {largest}")
    return value


def _headers(value: object) -> Mapping[str, str]:
    if not is_text_map(value) or not isinstance(value, dict):
        raise UsageWrong("a fault's headers are an object of strings", help='write {"Retry-After": "2"}')
    return value


def _times(item: Mapping[str, Any]) -> int | None:
    if "times" in item and item["times"] is not None:
        return _whole("times", item["times"], 1, 1_000_000)
    return None if "share" in item or "times" in item else 1


def _share(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise UsageWrong(f"`{value}` is no share", help="write 0 to 1, such as 0.05")
    return float(value)
