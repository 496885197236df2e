"""The next try of a step: whether there is one, how long it waits, at which hour it starts, and from when on it is too late."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from runner.model.campaign import Step
from runner.model.outcome import Outcome
from runner.model.retry import LONGEST_BACKOFF, Retry
from runner.model.whereabouts import Whereabouts
from runner.model.window import Window
from runner.rules.calendars import Calendar, hours_of
from runner.rules.ending import Ending
from runner.rules.local_time import zone_info
from runner.rules.policy import Policy
from runner.rules.schedule import as_instant
from runner.rules.windows import is_allowed

MET_A_PERSON = frozenset({Outcome.ANSWERED, Outcome.REPLIED, Outcome.DECLINED, Outcome.OPTED_OUT})
"""outcomes after which nobody is called twice in a row"""

SHORTEST_JITTER = timedelta(minutes=1)

_SPREAD_HORIZON = timedelta(days=8)
"""how much later than without it `best_hours` may make a try: every weekday comes once"""
_HOURS = 24
_DRAWS = 1 << 64


@dataclass(frozen=True, slots=True, kw_only=True)
class LastStart:
    """From when on an attempt is too late."""

    at: datetime
    """it may still start at this very instant"""
    rule: str
    """what people call it: `until` or `expires`, and of which step"""
    source: str
    """the key path of the rule"""


def last_start(policy: Policy, step: Step, step_due_at: datetime) -> LastStart | None:
    """Give until when attempts of a step may start that became due then; None when they always may."""
    found = []
    if step.until is not None:
        at = step_due_at + step.until if isinstance(step.until, timedelta) else as_instant(step.until, policy.zone)
        found.append(LastStart(at=at, rule=f"`until` of step {step.label}", source=f"steps.{step.label}.until"))
    if step.retry is not None and step.retry.expires is not None:
        at, source = step_due_at + step.retry.expires, f"steps.{step.label}.retry.expires"
        found.append(LastStart(at=at, rule=f"`expires` of step {step.label}", source=source))
    return min(found, key=lambda one: one.at, default=None)


def is_budget_left(retry: Retry, ending: Ending) -> bool:
    """Whether the budget of the step, and that of the outcome, leave another try."""
    return ending.used < retry.attempts and ending.ended_alike < retry.limit_of(ending.outcome)


def delay(policy: Policy, step: Step, retry: Retry, ending: Ending) -> timedelta:
    """Give how long to wait from the end of a try: the outcome's own wait, the window's, or the step's, in that order.

    The window is the one in which the try started. `backoff` and `jitter` concern the step's own wait.
    """
    rule = retry.on.get(ending.outcome)
    if retry.call_twice_in_a_row and ending.used == 1 and not ending.is_callback and ending.outcome not in MET_A_PERSON:
        return timedelta(0)
    if rule is not None and rule.after is not None:
        return _nth(rule.after, ending.ended_alike)
    by_window = _window_delay(policy.windows_of(step), ending.where, ending.started_at or ending.at)
    return by_window if by_window is not None else _own_delay(retry, ending)


def next_start(policy: Policy, step: Step, ending: Ending, earliest: datetime) -> datetime | None:
    """Give when another try may start, from `earliest` on, by windows, law and schedule; None when never.

    With `best_hours: spread` it is the first allowed instant in a local hour in which the person was
    not tried yet, and simply the first one where there is none within eight days, or it is too late.
    """
    first = policy.first_allowed(step, ending.where, earliest)
    if first is None or step.retry is None or step.retry.best_hours == "any" or not ending.where.zones:
        return first
    limit = last_start(policy, step, ending.step_due_at or ending.at)
    latest = min([first + _SPREAD_HORIZON, *([limit.at] if limit else [])])
    return _untried_hour(policy, step, ending, first, latest) or first


def _untried_hour(policy: Policy, step: Step, ending: Ending, first: datetime, latest: datetime) -> datetime | None:
    zone = ending.where.zones[0]
    taken = {_hour(at, zone) for at in _starts(step, ending)}
    if len(taken) == _HOURS:
        return None
    start: datetime | None = first
    while start is not None and start <= latest:
        if _hour(start, zone) not in taken:
            return start
        start = policy.first_allowed(step, ending.where, _next_hour(start, zone))
    return None


def _starts(step: Step, ending: Ending) -> list[datetime]:
    earlier = (one.started_at for one in ending.earlier if one.channel == step.channel)
    return [at for at in (*earlier, ending.started_at or ending.at) if at is not None]


def _hour(at: datetime, zone: str) -> int:
    return at.astimezone(zone_info(zone)).hour


def _next_hour(at: datetime, zone: str) -> datetime:
    local = at.astimezone(zone_info(zone))
    return at + timedelta(hours=1) - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )  # fmt: skip


def _own_delay(retry: Retry, ending: Ending) -> timedelta:
    wait = _nth(retry.after, ending.used)
    if retry.backoff is not None:
        longest = retry.at_most if retry.at_most is not None else LONGEST_BACKOFF
        wait = _grown(wait, retry.backoff, ending.used - 1, longest)
    if retry.jitter == "none":
        return wait
    return min(wait, max(SHORTEST_JITTER, wait * _draw(ending.key)))


def _grown(wait: timedelta, factor: float, times: int, longest: timedelta) -> timedelta:
    for _ in range(times):
        if wait >= longest or not wait or factor == 1:
            break
        wait = min(longest, wait * factor)
    return min(wait, longest)


def _nth(waits: tuple[timedelta, ...], number: int) -> timedelta:
    """Give the wait after the n-th try, from 1; the last one repeats."""
    return waits[min(max(number, 1), len(waits)) - 1]


def _draw(key: str) -> float:
    """Give a number in [0, 1) that is always the same for a key."""
    drawn = hashlib.blake2b(key.encode(), digest_size=8, person=b"outreach-jitter").digest()
    return int.from_bytes(drawn) / _DRAWS


def _window_delay(windows: tuple[Window, ...], where: Whereabouts, started_at: datetime) -> timedelta | None:
    """Give the wait of the window in which a try started, the longest where the person's zones differ."""
    if all(window.retry_after is None for window in windows):
        return None
    found = [_first_open(windows, zone, started_at) for zone in where.zones]
    return max((one.retry_after for one in found if one is not None and one.retry_after is not None), default=None)


def _first_open(windows: tuple[Window, ...], zone: str, at: datetime) -> Window | None:
    return next((one for one in windows if is_allowed((_alone(one),), (zone,), at)), None)


@lru_cache(maxsize=1024)
def _alone(window: Window) -> Calendar:
    """Give one window as a calendar; the same object each time, since answers are kept by it."""
    return Calendar(hours=hours_of((window,)))
