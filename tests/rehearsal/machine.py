"""A state machine over the real engine in virtual time: anything may happen at any moment, and the promises hold."""

from __future__ import annotations

import re
import sqlite3
from datetime import UTC, datetime, time
from functools import cache
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runner.ledger import standing
from runner.model.campaign import Campaign
from runner.model.contact import Contact
from runner.ports.crash_points import CrashPoint
from runner.sandbox.faults import Fault
from runner.sandbox.settings import Mischief
from tests.building import apply, campaign
from tests.rehearsal.checks import Checker, Spans
from tests.rehearsal.stage import PowerCut, Stage, scratch

STARTS = (
    datetime(2026, 3, 7, 20, tzinfo=UTC),  # the night before clocks go forward in New York
    datetime(2026, 10, 31, 22, tzinfo=UTC),  # the night before they go back there
    datetime(2026, 3, 28, 18, tzinfo=UTC),  # forward in Berlin
    datetime(2026, 4, 4, 9, tzinfo=UTC),  # back by half an hour on Lord Howe
    datetime(2026, 6, 1, 15, tzinfo=UTC),
)
ZONES = ("America/New_York", "Europe/Berlin", "Australia/Lord_Howe")
_NUMBERS = ("+12025550{:03d}", "+4930231250{:02d}", "+614915701{:02d}")
PEOPLE = tuple((_NUMBERS[at % 3].format(10 + at), ZONES[at % 3]) for at in range(30))
"""number and zone of everybody there is"""
NAMES = ("alpha", "beta")
_WINDOWS: tuple[tuple[list[str], Spans], ...] = (
    (["daily 00:00-24:00"], ((time(0), time(0)),)),
    (["daily 09:00-17:00"], ((time(9), time(17)),)),
    (["daily 01:30-03:30", "daily 20:00-24:00"], ((time(1, 30), time(3, 30)), (time(20), time(0)))),
)
_AGENTS: dict[str, Any] = {
    "alpha": {"provider": "revring", "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "from": "+12025550190"},
    "beta": {"provider": "movoice", "id": "agent_1"},
    "gamma": {"provider": "revmo", "id": "QUdFTlQtMDAwMQ=="},
}
DIALS = re.compile(r"/(call|calls|makecall/?|messages)$")
_FAULTS: tuple[dict[str, Any], ...] = (
    {"kind": "refuse"},
    {"kind": "drop_before", "path": DIALS},
    {"kind": "drop_after", "path": DIALS},
    {"kind": "hang_after", "path": DIALS},
    {"kind": "slow", "path": DIALS, "seconds": 1.0},
    {"kind": "slow", "path": DIALS, "seconds": 45.0},
    {"kind": "status", "path": DIALS, "status": 500, "effect": True},
    {"kind": "status", "path": DIALS, "status": 503},
    {"kind": "status", "path": DIALS, "status": 429, "retry_after": "delta", "seconds": 40.0},
    {"kind": "status", "path": DIALS, "status": 400},
    {"kind": "status", "path": DIALS, "status": 401},
    {"kind": "redirect", "path": DIALS, "status": 307},
    {"kind": "malformed", "path": DIALS},
    {"kind": "html", "path": DIALS, "effect": True},
    {"kind": "drop_before"},
    {"kind": "status", "status": 500},
)
_MOMENTS = (0.0, 0.01, 0.05, 0.11, 0.3, 0.45, 1.0, 3.0)
_WHILES = (12.0, 31.0, 60.0, 125.0, 400.0, 2500.0)
_LONG = (3600.0, 3 * 3600.0 + 1, 6 * 3600.0, 14 * 3600.0, 40 * 3600.0)
_SCRATCH = scratch()

_SOON = st.sampled_from(_MOMENTS + _WHILES)
_SELDOM = st.sampled_from((False,) * 7 + (True,))
_POINTS = tuple(point for point in CrashPoint if point not in {CrashPoint.IN_APPLY, CrashPoint.IN_MIGRATION})

people = st.integers(0, 5)
names = st.sampled_from(NAMES)


class Runner(RuleBasedStateMachine):
    """Two campaigns over the same people, one engine at a time, and everything that can go wrong."""

    stage: Stage
    lock: sqlite3.Connection | None = None
    """another process's, which holds the ledger"""

    @initialize(
        start=st.sampled_from(STARTS), seed=st.integers(0, 1 << 16), alpha=st.integers(0, 7), gamma=st.booleans()
    )
    def begin(self, start: datetime, seed: int, alpha: int, *, gamma: bool) -> None:
        """Apply two campaigns and start the engine."""
        self.stage = Stage(start, seed, Path(_SCRATCH.name))
        self.checker = Checker(self.stage, dict(PEOPLE))
        self.second = "gamma" if gamma else "beta"
        self.revision = {"alpha": alpha, "beta": 0}
        self.present = {"alpha": {0, 1, 2, 3, 4}, "beta": {0, 1, 5}}
        for name in NAMES:
            self._apply(name)
        self.stage.boot()

    @rule(seconds=st.sampled_from(_MOMENTS), down=st.booleans())
    def pass_moment(self, seconds: float, *, down: bool) -> None:
        """Let an instant pass, in the midst of whatever is under way."""
        self._pass(seconds, boot=not down)

    @rule(seconds=st.sampled_from(_WHILES))
    def pass_while(self, seconds: float) -> None:
        """Let minutes pass."""
        self._pass(seconds)

    @rule(seconds=st.sampled_from(_LONG), down=_SELDOM)
    def pass_long(self, seconds: float, *, down: bool) -> None:
        """Let hours pass, often over a change of the clocks."""
        self._pass(seconds, boot=not down)

    @rule(name=names, count=st.integers(1, 5), seconds=st.sampled_from(_MOMENTS))
    def add_many(self, name: str, count: int, seconds: float) -> None:
        """Put people into a campaign's contacts who were in none."""
        first = max(set().union(*self.present.values())) + 1
        self.present[name].update(range(first, min(first + count, len(PEOPLE))))
        self._apply(name)
        self._pass(seconds)

    @rule(name=names, person=people)
    def add(self, name: str, person: int) -> None:
        """Put a person into a campaign's contacts."""
        self.present[name].add(person)
        self._apply(name)

    @rule(name=names, person=people)
    def remove(self, name: str, person: int) -> None:
        """Take a person out."""
        if self.present[name] - {person}:
            self.present[name].discard(person)
            self._apply(name)

    @rule(name=names, revision=st.integers(0, 11))
    def edit(self, name: str, revision: int) -> None:
        """Change the windows, the tries and the steps."""
        self.revision[name] = revision
        self._apply(name)

    @rule(fault=st.sampled_from(_FAULTS), times=st.integers(1, 3), seconds=_SOON)
    def strike(self, fault: dict[str, Any], times: int, seconds: float) -> None:
        """Have something go wrong with the next requests."""
        standing_ones = [one for one, struck in self.stage.world.faults.struck() if struck != one.times]
        self.stage.world.faults.plan((*standing_ones[-2:], Fault(**fault, times=times)))
        self._pass(seconds)

    @rule(
        lost=st.sampled_from((0.0, 0.5, 1.0)), duplicated=st.sampled_from((0.0, 0.6)),
        reordered=st.sampled_from((0.0, 0.6)), late=st.sampled_from((0.0, 0.6)), early=st.sampled_from((0.0, 0.7)),
    )  # fmt: skip
    def upset(self, lost: float, duplicated: float, reordered: float, late: float, early: float) -> None:
        """Have webhooks come twice, late, before the answer, in another order, or never."""
        self.stage.world.webhooks.upset(
            Mischief(lost=lost, duplicated=duplicated, reordered=reordered, late=late, early=early, late_seconds=900.0)
        )

    @rule()
    def crash(self) -> None:
        """Cut the power."""
        self.stage.kill()

    @rule(point=st.sampled_from(_POINTS), visits=st.integers(1, 3), seconds=_SOON)
    def crash_at(self, point: CrashPoint, visits: int, seconds: float) -> None:
        """Cut the power at a point of the code."""
        self.stage.kill_at(point, visits)
        self._pass(seconds)

    @rule(count=st.integers(1, 8), after=st.booleans(), seconds=_SOON)
    def crash_at_commit(self, count: int, seconds: float, *, after: bool) -> None:
        """Cut the power around a commit."""
        self.stage.kill_at_commit(count, after=after)
        self._pass(seconds)

    @rule(name=names)
    def crash_in_apply(self, name: str) -> None:
        """Cut the power of the process that applies a plan; it is applied again then."""
        self.stage.kill_at(CrashPoint.IN_APPLY, 1)
        self.present[name].add(max(self.present[name]) // 2)
        self._apply(name)

    @precondition(lambda self: not self.stage.is_running)
    @rule()
    def boot(self) -> None:
        """Start an engine where none runs."""
        self.stage.boot()

    @precondition(lambda self: self.stage.is_running)
    @rule()
    def second_runner(self) -> None:
        """Start a second one beside it."""
        # The first one may end meanwhile, of a full disk: then nobody is in the way.
        assert self.stage.second() == "LedgerHeld" or not self.stage.is_running

    @rule(person=st.integers(0, len(PEOPLE) - 1), seconds=st.sampled_from(_MOMENTS))
    def opt_out(self, person: int, seconds: float) -> None:
        """Put a person on the do-not-contact list, from another process."""
        phone = PEOPLE[person][0]
        self.stage.outside.suppress(phone, "asked us to stop", "test", self.stage.now)
        self.checker.suppressed.add(phone)
        self._pass(seconds)

    @rule(count=st.integers(1, 3), skipped=st.integers(0, 5), seconds=_SOON)
    def fill_disk(self, count: int, skipped: int, seconds: float) -> None:
        """Have some of the next commits fail."""
        self.stage.fail_commits(skipped, count)
        self._pass(seconds)

    @rule(seconds=_SOON)
    def lock_ledger(self, seconds: float) -> None:
        """Have another process write meanwhile."""
        self.lock = sqlite3.connect(self.stage.path, isolation_level=None, timeout=0)
        self.lock.execute("BEGIN IMMEDIATE")
        self._pass(seconds)

    @rule(name=names, seconds=_SOON)
    def pause(self, name: str, seconds: float) -> None:
        """Pause a campaign by hand for a while."""
        standing.pause_by_hand(self.stage.outside, name, "", self.stage.now)
        self._pass(seconds)
        self.checker.look()
        self.resume(name)

    @rule(name=names)
    def resume(self, name: str) -> None:
        """Resume a campaign that is not cancelled."""
        if self._state(name) != "cancelled":
            standing.resume_by_hand(self.stage.outside, name, "", self.stage.now)

    @rule(name=names, seconds=st.sampled_from(_MOMENTS), sure=_SELDOM)
    def cancel(self, name: str, seconds: float, *, sure: bool) -> None:
        """Cancel a campaign."""
        if sure:
            standing.cancel_by_hand(self.stage.outside, name, "", self.stage.now)
        self._pass(seconds)

    @invariant()
    def all_holds(self) -> None:
        """Look at everything that has happened."""
        if hasattr(self, "stage"):
            self.checker.look()

    def teardown(self) -> None:
        """Heal everything, let it run to its end, and hold the outcomes against the truth."""
        if not hasattr(self, "stage"):
            return
        try:
            self._heal()
            self.checker.look()
            self.checker.at_the_end()
        finally:
            self._unlock()
            self.stage.close()

    def _heal(self) -> None:
        self._unlock()
        stage = self.stage
        stage.kill()
        stage.fail_commits(0, 0)
        stage.world.faults.clear()
        stage.world.webhooks.upset(Mischief())
        for _ in range(40):
            for name in NAMES:
                if self._state(name) == "paused":
                    standing.resume_by_hand(stage.outside, name, "", stage.now)
            stage.boot()
            stage.pass_time(12 * 3600)
            if not stage.rows(
                "SELECT 1 FROM attempts WHERE state IN ('planned', 'claimed', 'sending', 'accepted', 'in_doubt')"
            ):
                return
        raise AssertionError(
            f"never through: {[tuple(row) for row in stage.rows('SELECT phone, state, reason FROM attempts')]}"
        )

    def _pass(self, seconds: float, *, boot: bool = True) -> None:
        if boot:
            self.stage.boot()
        self.stage.pass_time(seconds)
        self._unlock()

    def _state(self, name: str) -> str:
        return str(self.stage.rows("SELECT state FROM campaigns WHERE name = ?", name)[0]["state"])

    def _apply(self, name: str) -> None:
        revision = self.revision[name]
        of = campaign_of(name, self.second if name == "beta" else name, revision)
        rows = [contact_of(person) for person in sorted(self.present[name])]
        while True:
            try:
                apply(self.stage.outside, of, rows, *self.stage.accounts.values(), now=self.stage.now)
                break
            except PowerCut:  # in the middle of it; whoever applies does so again
                self.stage.pass_time(1)
        everybody = {PEOPLE[person][0] for person in self.present[name]}
        # Who must not be contacted is left out of a plan, unless an earlier one had them.
        self.checker.people.setdefault(name, set()).update(everybody - self.checker.suppressed)
        self.checker.gone = {pair for pair in self.checker.gone if pair[0] != name} | {
            (name, phone) for phone in self.checker.people[name] - everybody
        }
        self.checker.windows.setdefault(name, []).append(_WINDOWS[revision % 3][1])
        if self.stage.engine is not None:
            self.stage.engine.dispatcher.wake()

    def _unlock(self) -> None:
        lock, self.lock = self.lock, None
        if lock is not None:
            lock.close()


@cache
def campaign_of(name: str, agent: str, revision: int) -> Campaign:
    """Give a campaign's revision: its windows, its tries, and whether a second step follows."""
    retry = {"attempts": 2, "after": "20m", "on": ["no_answer", "busy", "voicemail", "failed"]}
    step: dict[str, Any] = {"name": "call", "call": "agent"} | ({"retry": retry} if revision // 3 % 2 == 0 else {})
    steps = [step, {"name": "again", "call": "agent", "after": "3h"}] if revision // 6 % 2 else [step]
    return campaign(
        campaign=name, agent=None, agents={"agent": _AGENTS[agent]}, steps=steps, windows=_WINDOWS[revision % 3][0],
        timezone="contact", countries=["US", "DE", "AU"], limits={"concurrency": 3, "per_minute": 20},
    )  # fmt: skip


def contact_of(person: int) -> Contact:
    phone, zone = PEOPLE[person]
    return Contact(key=phone, phone=phone, row=person + 2, values={"phone": phone}, timezone=zone)
