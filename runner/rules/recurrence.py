"""Rounds of a campaign that repeats: when the next is due, and which of those that came meanwhile are started.

A rule gives wall times of a zone. One that a spring change left out becomes the first instant after
the change, one that an autumn change repeats happens once, at its first; several wall times that
come to one instant are one round.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import takewhile

from runner.model.campaign import Campaign
from runner.model.repeat import local_times
from runner.rules.local_time import at_edge, zone_info
from runner.rules.schedule import ends_at, starts_at

GRACE = timedelta(minutes=10)
"""a round that is found so late was not missed: a runner that is restarted finds it in time"""

_LONGEST_ABSENCE = timedelta(days=366)
"""rounds that were due longer ago are not even counted"""
_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recurrence:
    """When a campaign begins anew; instants are aware and UTC."""

    rule: str
    """a cron expression or an RRULE"""
    zone: str
    """whose clock it follows"""
    start: datetime | None = None
    """the first instant that may be a round"""
    end: datetime | None = None
    """the first instant that may not"""
    catch_up: str = "none"
    """which missed rounds are started: none, last or all"""
    expires: timedelta | None = None
    """a round that is found later than this is never started"""


@dataclass(frozen=True, slots=True)
class DueRounds:
    """What a look at the clock found."""

    start: tuple[datetime, ...] = ()
    """to be started, oldest first"""
    missed: tuple[datetime, ...] = ()
    """not to be started any more, oldest first; all of them before those to be started"""


def recurrence_of(campaign: Campaign) -> Recurrence | None:
    """Give when a canonical campaign begins anew; None when it does not."""
    schedule = campaign.schedule
    if schedule.repeat is None:
        return None
    first = campaign.steps[0].retry if campaign.steps else None
    return Recurrence(
        rule=schedule.repeat,
        zone=schedule.timezone,
        start=starts_at(schedule),
        end=ends_at(schedule),
        catch_up=schedule.catch_up,
        expires=first.expires if first is not None else None,
    )


@lru_cache(maxsize=1024)
def next_round(of: Recurrence, after: datetime) -> datetime | None:
    """Give the first round after an instant, in UTC; None when there is none within ten years, or the schedule ends."""
    return next(rounds_after(of, after), None)


def rounds_after(of: Recurrence, after: datetime) -> Iterator[datetime]:
    """Give the rounds after an instant, in order and in UTC: those of ten years, up to the end of the schedule."""
    if of.start is not None:
        after = max(after, of.start - _INSTANT)
    wall = after.astimezone(zone_info(of.zone)).replace(tzinfo=None)
    anchor = of.start.astimezone(zone_info(of.zone)).replace(tzinfo=None) if of.start is not None else None
    for local in local_times(of.rule, wall, anchor):
        at = at_edge(local.date(), local.hour * 60 + local.minute, of.zone, latest=False)
        if at <= after:
            continue
        if of.end is not None and at >= of.end:
            return
        yield at
        after = at


def rounds_between(of: Recurrence, after: datetime, until: datetime) -> list[datetime]:
    """Give the rounds after an instant up to another one, that included."""
    return list(takewhile(lambda at: at <= until, rounds_after(of, after)))


def rounds_count_from(since: datetime, now: datetime) -> datetime:
    """Give after which instant rounds are looked at; what was due long before `now` is forgotten, even uncounted."""
    return max(since, now - _LONGEST_ABSENCE)


def due_rounds(of: Recurrence, since: datetime, now: datetime, awake_since: datetime) -> DueRounds:
    """Sort the rounds after `since`, up to `now`, into those to be started and those that were missed.

    A runner that has been at work since `awake_since` is in time for every round from then on; any other round
    is missed once it is older than GRACE, and `catch_up` says what becomes of it. Of missed rounds the `last` is
    started only when no later one is due at the same moment, and one older than `expires` never is.
    """
    since = rounds_count_from(since, now)
    due = rounds_between(of, since, now)
    in_time = [at for at in due if at > awake_since or now - at <= GRACE]
    late = due[: len(due) - len(in_time)]
    wanted: list[datetime] = []
    if of.catch_up == "all":
        wanted = late
    elif of.catch_up == "last" and not in_time:
        wanted = late[-1:]
    caught_up = [at for at in wanted if of.expires is None or now - at <= of.expires]
    missed = late[: len(late) - len(caught_up)]
    return DueRounds(start=(*caught_up, *in_time), missed=tuple(missed))
