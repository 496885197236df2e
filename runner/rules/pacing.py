"""Which due attempts may be claimed now: room of all scopes shared out between lanes, fair between campaigns.

Campaigns that want the same room get it in the proportion of their priorities (start-time fair
queueing: each start moves its campaign on by one over its priority, and the one that is furthest
behind goes first). Who could not go for reasons of its own saves nothing up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import inf

from runner.rules.limits import Room
from runner.rules.meters import Scope

_EVERYBODY = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A lane and who waits in it."""

    lane: int
    campaign: str
    priority: int
    scopes: tuple[Scope, ...]
    """whose limits count for it"""
    due: tuple[datetime, ...]
    """since when those wait who may be claimed, oldest first"""


@dataclass(slots=True)
class Shares:
    """How far each campaign has come in each scope that had too little room."""

    _clock: dict[Scope, float] = field(default_factory=dict)
    """by scope, where the start that was chosen last began"""
    _finish: dict[tuple[Scope, str], float] = field(default_factory=dict)
    """by scope and campaign, where its last start ended, one over its priority after it began"""

    def lead(self, scope: Scope, campaign: str) -> float:
        """Give how far a campaign is ahead of whoever goes next; 0 for one that goes next."""
        clock = self._clock.get(scope, 0.0)
        return max(0.0, self._finish.get((scope, campaign), 0.0) - clock)

    def charge(self, scope: Scope, campaign: str, priority: int) -> None:
        """Count a start."""
        clock = self._clock.get(scope, 0.0)
        begins = max(clock, self._finish.get((scope, campaign), 0.0))
        self._finish[scope, campaign] = begins + 1 / priority
        self._clock[scope] = begins


def room_of(scopes: Iterable[Scope], rooms: Mapping[Scope, Room]) -> Room:
    """Give what all scopes of a lane leave together; where several are full, the one that is full longest says why."""
    found = [rooms[scope] for scope in scopes if scope in rooms]
    full = [one for one in found if one.free <= 0]
    if full:
        return max(full, key=lambda one: one.until.timestamp() if one.until is not None else inf)
    return Room(min((one.free for one in found), default=_EVERYBODY))


def choose(queues: Sequence[Queue], rooms: Mapping[Scope, Room], shares: Shares) -> dict[int, int]:
    """Give how many of each lane may be claimed now, oldest first; lanes that get nothing are left out.

    No scope gets more than its room. Where there is room for all, the work grows with the lanes
    alone. What is chosen where room is short is charged to `shares`.
    """
    free = {scope: rooms[scope].free for queue in queues for scope in queue.scopes if scope in rooms}
    tight = _tight(queues, free)
    picks: dict[int, int] = {}
    rivals = []
    for queue in queues:
        if not queue.due:
            continue
        if tight.isdisjoint(queue.scopes):
            picks[queue.lane] = len(queue.due)
        else:
            rivals.append(_Rival(queue, [scope for scope in queue.scopes if scope in tight]))
    _share_out(rivals, free, shares, picks)
    return picks


@dataclass(slots=True)
class _Rival:
    """A lane that wants room of which there is too little."""

    queue: Queue
    tight: list[Scope]
    taken: int = 0


def _tight(queues: Iterable[Queue], free: Mapping[Scope, int]) -> set[Scope]:
    """Give the scopes that cannot take everybody who waits."""
    wanted: Counter[Scope] = Counter()
    for queue in queues:
        for scope in queue.scopes:
            wanted[scope] += len(queue.due)
    return {scope for scope, count in wanted.items() if scope in free and count > free[scope]}


def _share_out(rivals: list[_Rival], free: dict[Scope, int], shares: Shares, picks: dict[int, int]) -> None:
    """Give room one by one to the lane that is furthest behind, as long as there is any."""
    while True:
        rivals = [one for one in rivals if one.taken < len(one.queue.due) and all(free[at] > 0 for at in one.tight)]
        if not rivals:
            return
        best = min(rivals, key=lambda one: _rank(one, shares))
        best.taken += 1
        picks[best.queue.lane] = best.taken
        for scope in best.tight:
            free[scope] -= 1
            shares.charge(scope, best.queue.campaign, best.queue.priority)


def _rank(rival: _Rival, shares: Shares) -> tuple[float, datetime, int]:
    queue = rival.queue
    lead = sum(shares.lead(scope, queue.campaign) for scope in rival.tight)
    return lead, queue.due[rival.taken], queue.lane
