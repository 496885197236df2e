"""Limits under any order of release, outcome, fault, crash, restart, pause and opt-out: never exceeded, no slot leaks.

One machine, run over a ledger in a few dicts and over the real one in a file. It keeps its own book
of what really started and ended, and holds every start against the limits in the plainest way.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from runner.errors import InDoubt, NotSent, Rejected, SendError, Throttled
from runner.ledger.store import Store
from runner.model.attempt import Attempt, AttemptState
from runner.model.limits import SharedLimits
from runner.rules.breaker import LONGEST_WAIT, TRIAL_LEASE
from tests.building import NOON, account, campaign
from tests.rules.worlds import LIVE, DictWorld, FileWorld, Paced, World

S = AttemptState
MAIN, SPARE = "+12025550190", "+12025550191"
NAMES = {"one": ("main", MAIN), "two": ("main", MAIN), "three": ("main", SPARE), "four": ("other", SPARE)}

KEYS: dict[str, st.SearchStrategy[Any]] = {
    "concurrency": st.integers(1, 4),
    "per_second": st.sampled_from([0.2, 1, 2]),
    "per_minute": st.integers(1, 5),
    "per_day": st.integers(1, 8),
    "spacing": st.sampled_from(["0.5s", "4s"]),
    "ramp": st.sampled_from(["10/min -> 60/min over 2m", "1/min -> 30/min over 1h"]),
    "slot_for": st.sampled_from(["5m", "1h"]),
}
# Mostly few limits, so that each gets its turn at being the one that is in the way.
LIMITS = st.one_of(
    st.just({}),
    *(st.fixed_dictionaries({name: one}) for name, one in KEYS.items()),
    st.fixed_dictionaries({}, optional=KEYS),
)
SPANS = st.sampled_from([0, 0.1, 0.9, 1, 4, 31, 60, 300, 3600, 40_000])


@dataclass
class Start:
    """A send, as the machine's own book has it."""

    attempt: int
    campaign: str
    account: str
    number: str
    at: datetime
    ended: datetime | None = None
    counts: bool = True
    """False once it is proved that nobody was dialled"""


class Limited(RuleBasedStateMachine):
    """What may happen; subclasses say over which ledger."""

    world: World

    @initialize(
        limits=st.fixed_dictionaries(dict.fromkeys(NAMES, LIMITS)), main=LIMITS, numbers=LIMITS, agent=LIMITS,
        whole=LIMITS, priorities=st.lists(st.integers(1, 10), min_size=4, max_size=4),
    )  # fmt: skip
    def begin(
        self, limits: dict[str, Any], main: Any, numbers: Any, agent: Any, whole: Any, priorities: list[int]
    ) -> None:
        """Set up four campaigns that share two accounts, two numbers and a ledger."""
        self.now, self.book, self.people = NOON, list[Start](), 0
        self.gone: set[str] = set()
        campaigns = {}
        for (name, (paying, number)), priority in zip(NAMES.items(), priorities, strict=True):
            talks = {"provider": "movoice", "id": "agent_1", "account": paying, "from": number, "limits": agent}
            own = {**limits[name], "priority": priority}
            campaigns[name] = campaign(campaign=name, agent=talks, limits=own)
        shared, each = SharedLimits.model_validate(main), SharedLimits.model_validate(numbers)
        accounts = {
            "main": account(name="main", limits=shared, from_limits=each),
            "other": account(name="other", from_limits=each),
        }
        self.scopes: list[tuple[SharedLimits, dict[str, str]]] = [
            (shared, {"account": "main"}), (SharedLimits.model_validate(whole), {}),
            (each, {"account": "main", "number": MAIN}), (each, {"account": "main", "number": SPARE}),
            (each, {"account": "other", "number": SPARE}),
        ]  # fmt: skip
        for name, one in campaigns.items():
            self.scopes += [(one.limits, {"campaign": name}), (SharedLimits.model_validate(agent), {"campaign": name})]
        self.run = Paced(self.world, campaigns, accounts, SharedLimits.model_validate(whole))
        for name in NAMES:
            for _ in range(4):
                self.more(name, same=False)
        self.run.restart(self.now)

    @rule(name=st.sampled_from(sorted(NAMES)), same=st.booleans())
    def more(self, name: str, *, same: bool) -> None:
        """Plan somebody, or the one before in one more campaign."""
        self.people += not same
        self.world.add(self.run.campaigns[name], self.people, self.now)

    @rule(seconds=SPANS)
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    @rule(dropping=st.integers(0, 7))
    def release(self, dropping: int) -> None:
        """Claim; some are put back by the gate, the others' requests leave."""
        self._release(dropping)

    def _release(self, dropping: int) -> int:
        pacing, ledger = self.run.pacing, self.world.ledger
        for name in pacing.breakers.to_read(ledger, self.now):
            pacing.breakers.read(ledger, name, answered=True, now=self.now)
        found = pacing.release(ledger, self.now)
        for number, work in enumerate(found.claimed):
            attempt = work.attempt
            if dropping and number % 8 == dropping:
                self.world.move(attempt, S.PLANNED, self.now, due_at=self.now + timedelta(minutes=3))
                pacing.dropped(ledger, attempt, self.now)
                continue
            self.world.move(attempt, S.SENDING, self.now)
            paying, number_shown = NAMES[attempt.campaign]
            self.book.append(Start(attempt.id, attempt.campaign, paying, number_shown, self.now))
            assert attempt.phone not in self.gone, "who opted out is planned for no more"
        if not found.claimed and self._could_start():
            assert found.next_at is not None, "what waits for time alone has an instant to wait for"
        return len(found.claimed)

    @precondition(lambda self: self.world.in_states(S.SENDING))
    @rule(
        which=st.integers(0, 99), how=st.sampled_from(["taken", "taken", "not sent", "throttled", "doubt", "refused"])
    )
    def answer(self, which: int, how: str) -> None:
        """Let a request that is under way end."""
        sending = self.world.in_states(S.SENDING)
        self._answer(sending[which % len(sending)], how)

    @precondition(lambda self: self.world.in_states(S.ACCEPTED, S.IN_DOUBT))
    @rule(which=st.integers(0, 99))
    def outcome(self, which: int) -> None:
        """Learn how a call ended."""
        under_way = self.world.in_states(S.ACCEPTED, S.IN_DOUBT)
        self._end(under_way[which % len(under_way)])

    @rule()
    def crash(self) -> None:
        """Stop without a word and start again."""
        self.run.restart(self.now)

    @rule(person=st.integers(1, 30))
    def opt_out(self, person: int) -> None:
        """Have somebody want no more calls."""
        self.world.opt_out(person, self.now)
        self.gone |= {one.phone for one in self.world.in_states(S.SUPPRESSED)}

    @rule(name=st.sampled_from(sorted(NAMES)))
    def pause_or_resume(self, name: str) -> None:
        """Pause a campaign, or let it go on."""
        self.run.paused ^= {name}
        self.run.renew()

    @precondition(lambda self: len(self.book) > 2)
    @rule()
    def all_ends(self) -> None:
        """End every call, wait long enough for any pace: whoever is planned gets a slot, so none has leaked."""
        for one in self.world.in_states(S.SENDING):
            self._answer(one, "taken")
        for one in self.world.in_states(S.ACCEPTED, S.IN_DOUBT):
            self._end(one)
        self.now += timedelta(days=2)
        if self._could_start():
            assert self._tries(3) > 0, "everything has ended, so something starts"

    @invariant()
    def no_limit_is_broken(self) -> None:
        """Hold the book against every limit of every scope."""
        if not hasattr(self, "book"):
            return
        for limits, facts in self.scopes:
            mine = [one for one in self.book if all(getattr(one, name) == value for name, value in facts.items())]
            _hold([one for one in mine if one.counts], limits, self.now)

    @invariant()
    def one_live_attempt_for_each_person(self) -> None:
        """Nobody is called twice at once."""
        phones = [one.phone for one in self.world.in_states(*LIVE)]
        assert len(phones) == len(set(phones))

    def _answer(self, attempt: Attempt, how: str) -> None:
        errors: dict[str, SendError | None] = {
            "taken": None, "doubt": InDoubt("lost"), "refused": Rejected("no"),
            "not sent": NotSent("unreachable"), "throttled": Throttled("429", retry_after=30),
        }  # fmt: skip
        later = self.now + timedelta(seconds=40)
        states = {"taken": S.ACCEPTED, "doubt": S.IN_DOUBT, "refused": S.FINISHED}
        if how in states:
            self.world.move(attempt, states[how], self.now)
        else:
            self.world.move(attempt, S.PLANNED, self.now, due_at=later, unsent=how == "not sent")
        start = next(one for one in reversed(self.book) if one.attempt == attempt.id)
        start.counts = how not in {"not sent", "throttled"}
        start.ended = None if how in {"taken", "doubt"} else self.now
        self.run.ended(attempt, errors[how], self.now)

    def _end(self, attempt: Attempt) -> None:
        self.world.move(attempt, S.FINISHED, self.now)
        next(one for one in reversed(self.book) if one.attempt == attempt.id).ended = self.now

    def _could_start(self) -> bool:
        """Whether anybody waits whose time has come, whose campaign runs and who has no live call."""
        live = {one.phone for one in self.world.in_states(*LIVE)}
        return any(
            one.due_at <= self.now and one.phone not in live and one.campaign not in self.run.paused
            for one in self.world.in_states(S.PLANNED)
        )

    def _tries(self, most: int) -> int:
        """Release a few times: a breaker is read first, then lets one call through."""
        for _ in range(most):
            found = self._release(0)
            if found:
                return found
            self.now += LONGEST_WAIT + TRIAL_LEASE
        return 0


def _hold(starts: list[Start], limits: SharedLimits, now: datetime) -> None:
    times = [one.at for one in starts]
    if limits.concurrency is not None:
        live = [one for one in starts if one.ended is None and one.at + limits.slot_for > now]
        assert len(live) <= limits.concurrency
    assert limits.per_minute is None or _most_within(times, timedelta(minutes=1)) <= limits.per_minute
    assert limits.per_second is None or _most_within(times, timedelta(seconds=1)) <= max(1, limits.per_second)
    if limits.per_day is not None:
        days = [at.date() for at in times]
        assert max((days.count(day) for day in days), default=0) <= limits.per_day
    gap = limits.spacing or timedelta(0)
    if limits.per_second is not None and limits.per_second < 1:
        gap = max(gap, timedelta(seconds=1 / limits.per_second))
    if limits.ramp is not None:
        gap = max(gap, timedelta(minutes=1) / limits.ramp.last)
    assert all(later - earlier >= gap for earlier, later in pairwise(times))


def _most_within(times: list[datetime], span: timedelta) -> int:
    return max((sum(first <= at < first + span for at in times) for first in times), default=0)


class OverDicts(Limited):
    """The rules alone."""

    def __init__(self) -> None:
        super().__init__()
        self.world = DictWorld()


class OverFile(Limited):
    """The rules over SQLite."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._store = Store.open(Path(self._folder.name) / "ledger.db")
        self._store._connection.execute("PRAGMA synchronous = OFF")
        self.world = FileWorld(self._store)

    def teardown(self) -> None:
        self._store.close()
        self._folder.cleanup()


TestOverDicts = OverDicts.TestCase
TestOverDicts.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)
TestOverFile = OverFile.TestCase
TestOverFile.settings = settings(
    max_examples=5, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
