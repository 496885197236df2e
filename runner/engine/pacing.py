"""Pacing: what of all that is due is claimed now, inside every limit that counts for it.

Counts in memory and begins from the ledger, so that a restart changes nothing. Live calls are read
from the ledger once a turn, and what the turn claims is added: whatever ends one, its slot is free.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from runner.engine.accounts import Accounts
from runner.engine.breakers import Breakers
from runner.engine.policies import Policies
from runner.errors import NotSent, SendError, Throttled
from runner.model.attempt import Assignment, Attempt
from runner.model.lane import DueAttempt, Lane
from runner.model.limits import SharedLimits
from runner.model.rounds import family_of
from runner.ports import Ledger
from runner.rules.limits import Room, limits_anything
from runner.rules.local_time import local_day
from runner.rules.meters import Meter, Past, Scope, day_begins
from runner.rules.pacing import Queue, Shares, choose, room_of

LEASE = timedelta(minutes=5)
"""how long a claim holds"""
MOST_AT_ONCE = 200
"""how many due attempts of one lane are looked at in one turn"""
LEDGER = Scope("ledger")
_ANY_LINES: Mapping[str, int] = {}
_Live = dict[Scope, list[datetime]]
"""when each call without an outcome started, in order, by whose limits it counts for"""
_SHARED_ZONE = "UTC"
"""whose calendar day counts where campaigns share"""


class Release(NamedTuple):
    """What one turn claimed."""

    claimed: list[Assignment]
    next_at: datetime | None
    """when time alone makes more room; None when nothing is in the way"""
    stuck: tuple[Lane, ...] = ()
    """lanes that may start nothing now"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Why a lane has to wait."""

    why: str
    """such as `per_minute: 30`"""
    source: str
    """where the rule stands: a key path such as `limits` or `accounts.main.limits`; empty for one in no file"""
    until: datetime | None


@dataclass(slots=True)
class Pacing:
    """Shares out the room that the limits leave; used inside the ledger's transactions alone."""

    policies: Policies
    accounts: Accounts
    breakers: Breakers
    of_ledger: SharedLimits | None = None
    """how fast all campaigns of the ledger together may go"""
    full: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """the limit that left no room in the last turn, by campaign and account; may be read by any thread"""
    _lanes: dict[int, Lane] = field(default_factory=dict)
    _scopes_of: dict[int, tuple[Scope, ...]] = field(default_factory=dict)
    _meters: dict[Scope, Meter] = field(default_factory=dict)
    _shares: Shares = field(default_factory=Shares)
    _started: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    """lane and start of what is being carried out, by attempt"""

    def release(
        self,
        ledger: Ledger,
        now: datetime,
        apart: frozenset[tuple[str, str]] = frozenset(),
        free_lines: Mapping[str, int] = _ANY_LINES,
    ) -> Release:
        """Claim what is due inside all limits, but nothing of the (campaign, step) pairs in `apart`.

        `free_lines` is how many calls may start, by account whose provider counts its lines.
        """
        lanes = self._active(ledger, apart)
        if not ledger.lanes.any_due([lane.id for lane in lanes], now):
            self.full = {}  # what nobody waits for need not be counted: thousands of calls may be live
            return Release([], None)
        live = self._live(ledger, now)
        rooms = {**self._rooms(ledger, lanes, live, now), **_lines(free_lines)}
        due: dict[int, list[DueAttempt]] = {}
        for lane in lanes:
            free = room_of(self._scopes(lane), rooms).free
            if free > 0:
                due[lane.id] = ledger.lanes.due(lane.id, now, min(free, MOST_AT_ONCE))
        picks = choose([self._queue(lane, due.get(lane.id, [])) for lane in lanes], rooms, self._shares)
        ids = [one.id for lane_id, count in picks.items() for one in due[lane_id][:count]]
        claimed = ledger.lanes.claim(ids, now + LEASE) if ids else []
        in_lane = {one.id: lane_id for lane_id, found in due.items() for one in found}
        for work in claimed:
            self._count(ledger, self._lanes[in_lane[work.attempt.id]], work, live, now)
        after = {**self._rooms(ledger, lanes, live, now), **_lines(free_lines)} if claimed else rooms
        full = [(lane, room) for lane in lanes if (room := room_of(self._scopes(lane), after)).free <= 0]
        self.full = {(family_of(lane.campaign), lane.account): room.why for lane, room in full}
        times = [room.until for _, room in full if room.until is not None and room.until > now]
        return Release(claimed, min(times, default=None), tuple(lane for lane, _ in full))

    def waiting(self, ledger: Ledger, lane: Lane, now: datetime) -> Waiting | None:
        """Say what keeps a lane of a campaign in force from starting more now; None when nothing does."""
        rooms = self._rooms(ledger, [lane], self._live(ledger, now), now)
        for scope in self._scopes(lane):
            if scope in rooms and rooms[scope].free <= 0:
                source = self._meters[scope].source if scope in self._meters else ""
                return Waiting(rooms[scope].why, source, rooms[scope].until)
        return None

    def begin(self, ledger: Ledger, now: datetime) -> None:
        """Forget everything and take up where the ledger stands."""
        self._lanes.clear()
        self._meters.clear()
        self._started.clear()
        self._shares = Shares()
        self.breakers.begin(ledger, now)

    def sent(self, ledger: Ledger, attempt: Attempt, error: SendError | None, now: datetime) -> None:
        """Take in how a send ended; `error` is None when the provider took it."""
        self.breakers.sent(ledger, attempt.account, attempt.id, error, now)
        if isinstance(error, (NotSent, Throttled)):
            self._take_back(attempt.id, left=True)
        self._started.pop(attempt.id, None)

    def dropped(self, ledger: Ledger, attempt: Attempt, now: datetime) -> None:
        """Note that a claimed attempt was not sent after all."""
        self.breakers.not_sent(ledger, attempt.account, attempt.id, now)
        self._take_back(attempt.id, left=False)

    def _take_back(self, attempt_id: int, *, left: bool) -> None:
        """Count an attempt no more that provably reached nobody; `left` says that a request left all the same."""
        lane_id, at = self._started.pop(attempt_id, (0, None))
        if at is None or lane_id not in self._lanes:
            return
        for scope in self._scopes(self._lanes[lane_id]):
            if scope in self._meters:
                self._meters[scope].take_back(at, left=left)

    def _active(self, ledger: Ledger, apart: frozenset[tuple[str, str]]) -> list[Lane]:
        for lane in ledger.lanes.after(max(self._lanes, default=0)):
            self._lanes[lane.id] = lane
        active = set(self.policies.active)
        return [one for one in self._lanes.values() if one.campaign in active and (one.campaign, one.step) not in apart]

    def _scopes(self, lane: Lane) -> tuple[Scope, ...]:
        """Give whose limits count for a lane."""
        known = self._scopes_of.get(lane.id)
        if known is None:
            step = self.policies.of(lane.campaign).step_named(lane.step)
            known = self._scopes_of[lane.id] = _scopes(lane, calls=step is None or step.channel == "call")
        return known

    def _queue(self, lane: Lane, due: Iterable[DueAttempt]) -> Queue:
        priority = self.policies.of(lane.campaign).campaign.limits.priority
        return Queue(
            lane=lane.id, campaign=family_of(lane.campaign), priority=priority, scopes=self._scopes(lane),
            due=tuple(one.due_at for one in due),
        )  # fmt: skip

    def _rooms(self, ledger: Ledger, lanes: Iterable[Lane], live: _Live, now: datetime) -> dict[Scope, Room]:
        """Give the room of every scope that counts for these lanes and has limits."""
        rooms: dict[Scope, Room] = {}
        for lane in lanes:
            for scope in self._scopes(lane):
                if scope in rooms or scope.kind == "lines":
                    continue
                if scope.kind == "health":
                    rooms[scope] = self.breakers.room(lane.account, now)
                    continue
                meter = self._meter(ledger, scope, lane, now)
                if meter is not None:
                    rooms[scope] = meter.room(live.get(scope, ()), now)
        return rooms

    def _live(self, ledger: Ledger, now: datetime) -> _Live:
        found: _Live = {}
        for slot in ledger.lanes.live(now):
            if slot.lane in self._lanes:
                for scope in self._scopes(self._lanes[slot.lane]):
                    found.setdefault(scope, []).append(slot.since)
        return found

    def _meter(self, ledger: Ledger, scope: Scope, lane: Lane, now: datetime) -> Meter | None:
        """Give the meter of a scope, begun from the ledger where there is none yet; None where nothing is limited."""
        limits, source, zone = self._limits(scope, lane)
        if limits is None or not limits_anything(limits):
            self._meters.pop(scope, None)
            return None
        meter = self._meters.get(scope)
        if meter is None or not meter.takes(limits, source, zone):
            meter = Meter(limits=limits, source=source, zone=zone)
            meter.begin(self._past(ledger, scope, meter, now), now)
            self._meters[scope] = meter
        return meter

    def _past(self, ledger: Ledger, scope: Scope, meter: Meter, now: datetime) -> Past:
        lanes = [one.id for one in self._lanes.values() if scope in self._scopes(one)]
        today = day_begins(local_day(now, meter.zone), meter.zone) - timedelta(microseconds=1)
        return Past(
            starts=ledger.lanes.starts(lanes, now - Meter.reach(meter.limits), now),
            today=len(ledger.lanes.starts(lanes, today, now)) if meter.limits.per_day is not None else 0,
            first=ledger.lanes.first_start(lanes),
        )

    def _limits(self, scope: Scope, lane: Lane) -> tuple[SharedLimits | None, str, str]:
        """Give the limits of a scope, where they stand, and whose calendar day counts."""
        campaign = self.policies.of(lane.campaign).campaign
        if scope.kind == "campaign":
            return campaign.limits, "limits", campaign.schedule.timezone
        if scope.kind == "agent":
            agent = campaign.agents.get(lane.agent)
            return (agent.limits if agent else None), f"agents.{lane.agent}.limits", campaign.schedule.timezone
        if scope.kind == "ledger":
            return self.of_ledger, "project.limits", _SHARED_ZONE
        account = self.accounts.account(lane.account) if lane.account in self.accounts else None
        if scope.kind == "from":
            limits = account.from_limits if account else None
            return limits, f"accounts.{lane.account}.from_limits", _SHARED_ZONE
        return (account.limits if account else None), f"accounts.{lane.account}.limits", _SHARED_ZONE

    def _count(self, ledger: Ledger, lane: Lane, work: Assignment, live: _Live, now: datetime) -> None:
        """Count what was just claimed as started now, also among what is live."""
        for scope in self._scopes(lane):
            insort(live.setdefault(scope, []), now)
            if scope in self._meters:
                self._meters[scope].start(now)
        self._started[work.attempt.id] = (lane.id, now)
        self.breakers.claimed(ledger, lane.account, work.attempt.id, now)


def _lines(free: Mapping[str, int]) -> dict[Scope, Room]:
    return {Scope("lines", account): Room(count, None, "no line is free") for account, count in free.items()}


def _scopes(lane: Lane, *, calls: bool) -> tuple[Scope, ...]:
    """Give whose limits count for a lane: rounds of a campaign share theirs.

    `health` is the account's breaker and what it was told to wait, `lines` what its provider has free.
    """
    number = (Scope("from", lane.account, lane.from_number),) if lane.from_number else ()
    return (
        Scope("health", lane.account),
        *((Scope("lines", lane.account),) if calls else ()),
        Scope("campaign", family_of(lane.campaign)),
        Scope("agent", family_of(lane.campaign), lane.agent),
        Scope("account", lane.account),
        *number,
        LEDGER,
    )
