"""How an account stands: its breaker, and whether it was told to wait."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime

from runner.errors import SendError, Throttled
from runner.rules.breaker import Breaker, BreakerState, Slowdown, after_call, calls_allowed, fails, slowed
from runner.rules.limits import Room

_PLENTY = 1_000_000
_BUSY_SECONDS = 5.0
"""how long an account waits whose lines are all busy: they become free by themselves"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountHealth:
    """One account's standing; a healthy one is `AccountHealth()`."""

    breaker: Breaker = field(default_factory=Breaker)
    slowdown: Slowdown | None = None


def after_send(health: AccountHealth, attempt: int, error: SendError | None, now: datetime) -> AccountHealth:
    """Take in how a send ended; `error` is None when the provider took it.

    What a provider says about how long to wait holds for the whole account.
    """
    breaker = after_call(health.breaker, attempt, error, now)
    slowdown = health.slowdown
    if isinstance(error, Throttled):
        slowdown = slowed(slowdown, error.retry_after or (_BUSY_SECONDS if error.is_busy else None), now)
    elif slowdown is not None and fails(error) is False and now >= slowdown.until:
        slowdown = None
    return replace(health, breaker=breaker, slowdown=slowdown)


def room_of_account(health: AccountHealth, now: datetime) -> Room:
    """Say how many requests may leave through an account now, besides its limits."""
    if health.slowdown is not None and now < health.slowdown.until:
        return Room(0, health.slowdown.until, "the provider asked to wait")
    allowed = calls_allowed(health.breaker)
    if allowed is None:
        return Room(_PLENTY)
    return Room(allowed, health.breaker.retry_at if not allowed else None, sentence(health.breaker))


def sentence(breaker: Breaker) -> str:
    """Say in words why an account is not used freely; empty when it is."""
    match breaker.state:
        case BreakerState.CLOSED:
            return ""
        case BreakerState.OPEN | BreakerState.PROBING:
            return f"the breaker is open: {breaker.reason}"
        case BreakerState.HALF_OPEN | BreakerState.TRYING:
            return f"the breaker lets one call through: {breaker.reason}"
