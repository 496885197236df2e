"""The circuit breaker of an account: when its calls fail, nothing more is sent until a read, then one call, went well.

A failure is a send that came into doubt (a lost answer, 5xx) or provably never reached the provider.
A refusal of one call (4xx) shows that the provider is there; being told to wait (429) shows neither.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from runner.errors import InDoubt, NotSent, SendError, Throttled

IN_A_ROW = 5
"""failures in a row that open a breaker"""
WINDOW = 20
"""how many of the last calls are looked at"""
SHARE = 0.5
"""the share of them that opens a breaker"""
FIRST_WAIT = timedelta(seconds=30)
"""how long an open breaker waits before it has the provider read, and between two reads that fail"""
LONGEST_WAIT = timedelta(minutes=15)
"""the longest that it waits, its wait doubled by each call that fails after a read that went well"""
TRIAL_LEASE = timedelta(minutes=5)
"""after how long a read or a call that tries an account out is given up"""
_FIRST_SLOWDOWN = timedelta(seconds=2)
_LONGEST_SLOWDOWN = timedelta(minutes=15)
_MOST_RETRY_AFTER = timedelta(hours=1)
_MOST_DOUBLINGS = 20


class BreakerState(StrEnum):
    """Where a breaker stands."""

    CLOSED = "closed"
    """everything may be sent"""
    OPEN = "open"
    """nothing is sent until `retry_at`, when the provider is read"""
    PROBING = "probing"
    """the provider is being read"""
    HALF_OPEN = "half_open"
    """one call may be sent"""
    TRYING = "trying"
    """that one call is under way"""


_S = BreakerState


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """One account's breaker."""

    state: BreakerState = _S.CLOSED
    recent: tuple[bool, ...] = ()
    """whether each of the last calls failed, oldest first; those before the first failure are left out"""
    reason: str = ""
    """why it opened"""
    since: datetime | None = None
    """when it opened; None while it is closed"""
    retry_at: datetime | None = None
    """when an open one is read, and when a read or a call that is under way is given up"""
    trials: int = 0
    """how many calls have failed since it opened, after reads that went well"""
    trial: int | None = None
    """the attempt that is tried"""

    @property
    def is_open(self) -> bool:
        """Whether the account's calls are better sent through another one."""
        return self.state is not _S.CLOSED


@dataclass(frozen=True, slots=True)
class Slowdown:
    """An account that was told to wait."""

    until: datetime
    times: int
    """how often in a row"""


def fails(error: SendError | None) -> bool | None:
    """Whether the end of a send speaks against the account; None when it says nothing."""
    if isinstance(error, Throttled):
        return None
    return isinstance(error, (InDoubt, NotSent))


def after_call(breaker: Breaker, attempt: int, error: SendError | None, now: datetime) -> Breaker:
    """Take in how a send ended; `error` is None when the provider took it."""
    failed = fails(error)
    if breaker.state is _S.TRYING:
        return _after_trial(breaker, attempt, failed, now)
    if breaker.state is not _S.CLOSED or failed is None:
        return breaker  # what was under way when it opened tells nothing new
    recent = _without_early_successes((*breaker.recent, failed)[-WINDOW:])
    reason = _too_many(recent)
    if not reason:
        return replace(breaker, recent=recent)
    said = f"{reason}, the last: {error.message}" if error is not None else reason
    return Breaker(state=_S.OPEN, recent=(), reason=said, since=now, retry_at=now + FIRST_WAIT)


def begin_read(breaker: Breaker, now: datetime) -> Breaker:
    """Note that the provider is being read."""
    return replace(breaker, state=_S.PROBING, retry_at=now + TRIAL_LEASE)


def after_read(breaker: Breaker, *, answered: bool, now: datetime) -> Breaker:
    """Take in whether the provider answered a read."""
    if breaker.state is not _S.PROBING:
        return breaker
    if answered:
        return replace(breaker, state=_S.HALF_OPEN, retry_at=None)
    return replace(breaker, state=_S.OPEN, retry_at=now + FIRST_WAIT)


def read_at_once(breaker: Breaker, now: datetime) -> Breaker:
    """Have the provider read now instead of later, as a person asks; what has to go well after that stays the same."""
    if breaker.state is not _S.OPEN or breaker.retry_at is None or breaker.retry_at <= now:
        return breaker
    return replace(breaker, retry_at=now)


def begin_trial(breaker: Breaker, attempt: int, now: datetime) -> Breaker:
    """Note which call is tried; changes nothing unless one may be."""
    if breaker.state is not _S.HALF_OPEN:
        return breaker
    return replace(breaker, state=_S.TRYING, trial=attempt, retry_at=now + TRIAL_LEASE)


def trial_dropped(breaker: Breaker, attempt: int) -> Breaker:
    """Note that an attempt was not sent after all."""
    if breaker.state is not _S.TRYING or breaker.trial != attempt:
        return breaker
    return replace(breaker, state=_S.HALF_OPEN, trial=None, retry_at=None)


def as_time_passes(breaker: Breaker, now: datetime) -> Breaker:
    """Give up a read or a call from which nothing was heard for too long: the provider is read anew."""
    is_waiting = breaker.state in {_S.PROBING, _S.TRYING}
    if not is_waiting or breaker.retry_at is None or now < breaker.retry_at:
        return breaker
    return replace(breaker, state=_S.OPEN, trial=None, retry_at=now)


def recovered(breaker: Breaker, now: datetime) -> Breaker:
    """Give the breaker as it stands after a restart: what was under way is read anew."""
    if breaker.state in {_S.PROBING, _S.TRYING}:
        return replace(breaker, state=_S.OPEN, trial=None, retry_at=now)
    return breaker


def read_is_due(breaker: Breaker, now: datetime) -> bool:
    """Whether the provider is to be read now."""
    return breaker.state is _S.OPEN and breaker.retry_at is not None and breaker.retry_at <= now


def calls_allowed(breaker: Breaker) -> int | None:
    """Give how many calls may be sent now; None for as many as one likes."""
    if breaker.state is _S.CLOSED:
        return None
    return 1 if breaker.state is _S.HALF_OPEN else 0


def slowed(before: Slowdown | None, retry_after: float | None, now: datetime) -> Slowdown:
    """Slow an account down that was told to wait: as long as it was told, else twice as long as the time before."""
    times = before.times + 1 if before is not None else 1
    if retry_after:
        wait = timedelta(seconds=min(max(retry_after, 1.0), _MOST_RETRY_AFTER.total_seconds()))
    else:
        wait = min(_FIRST_SLOWDOWN * 2.0 ** min(times - 1, _MOST_DOUBLINGS), _LONGEST_SLOWDOWN)
    until = now + wait
    # An answer that overtook another one must not shorten what that one said.
    return Slowdown(max(until, before.until) if before is not None else until, times)


def _after_trial(breaker: Breaker, attempt: int, failed: bool | None, now: datetime) -> Breaker:
    if attempt != breaker.trial:
        return breaker
    if failed is None:
        return trial_dropped(breaker, attempt)
    if not failed:
        return Breaker()
    trials = breaker.trials + 1
    wait = min(FIRST_WAIT * 2.0 ** min(trials, _MOST_DOUBLINGS), LONGEST_WAIT)
    return replace(breaker, state=_S.OPEN, trial=None, trials=trials, retry_at=now + wait)


def _without_early_successes(recent: tuple[bool, ...]) -> tuple[bool, ...]:
    """Leave out what came before the first failure: it changes no later decision, and is not worth keeping."""
    return recent[recent.index(True) :] if True in recent else ()


def _too_many(recent: tuple[bool, ...]) -> str:
    if len(recent) >= IN_A_ROW and all(recent[-IN_A_ROW:]):
        return f"{IN_A_ROW} sends in a row failed"
    if sum(recent) >= SHARE * WINDOW:
        return f"{sum(recent)} of the last {WINDOW} sends failed"
    return ""
