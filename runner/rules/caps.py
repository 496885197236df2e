"""How long caps, cool-downs and suppressions with an end hold one person back.

All of them only ever loosen while nothing new happens: once a person is free they stay free, so
the latest of the instants found is the first at which all of them agree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from runner.model.campaign import Step
from runner.model.cap import Cap
from runner.model.dealings import Dealings, PastAttempt
from runner.model.durations import format_duration
from runner.model.whereabouts import Whereabouts
from runner.rules.calendars import DAY
from runner.rules.local_time import at_edge, local_day
from runner.rules.policy import Policy

LONGEST_DAY = timedelta(hours=25)
"""what a calendar day counts for a person whose clock nobody knows; autumn makes one that long"""

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldBack:
    """Until when a rule leaves a person alone, which one, and where it stands."""

    until: datetime | None
    """None when the rule never allows an attempt"""
    why: str
    source: str
    """a key path of the canonical campaign, the id of a row of the law, or empty for what is in no file"""


def held_back(
    policy: Policy, step: Step, where: Whereabouts, now: datetime, dealings: Dealings, *, is_callback: bool = False
) -> HeldBack | None:
    """Give the rule that holds a person back for longest at `now`, for an attempt of a step; None when none does.

    Windows and schedule are not looked at. A call back that the person asked for is not held by a
    cool-down after a conversation with the same campaign: it is what was agreed on there.
    """
    found = all_that_hold_back(policy, step, where, now, dealings, is_callback=is_callback)
    return max(found, key=lambda one: one.until or _NEVER, default=None)


def all_that_hold_back(
    policy: Policy, step: Step, where: Whereabouts, now: datetime, dealings: Dealings, *, is_callback: bool = False
) -> list[HeldBack]:
    """Give every rule that holds a person back at `now`, for an attempt of a step."""
    found = [
        _left_alone(dealings, now),
        _cooling(policy, step, dealings.past, now, is_callback=is_callback),
        *(_capped(policy, cap, step, where, dealings.past, now) for cap in policy.caps(step, where.jurisdictions)),
    ]
    return [one for one in found if one is not None]


def look_back(policy: Policy, step: Step, where: Whereabouts) -> timedelta:
    """Give how far back attempts can matter for a step; nothing when no cap and no cool-down is in force."""
    spans = [2 * DAY + LONGEST_DAY if cap.calendar_day else cap.per for cap in policy.caps(step, where.jurisdictions)]
    cool_down = policy.campaign.cool_down
    return max([*spans, *([cool_down] if cool_down is not None else [])], default=timedelta(0))


def free_from(cap: Cap, where: Whereabouts, past: Sequence[PastAttempt], now: datetime) -> datetime | None:
    """Give the first instant from `now` on at which one cap allows an attempt; None when it never does."""
    counted = [one for one in past if _counts(cap, one)]
    if cap.after == "conversation":
        return _after_conversations(cap, counted, now)
    if not cap.attempts:
        return None
    if not cap.calendar_day:
        return _in_span(cap.attempts, cap.per, counted, now)
    if not where.every_zone:
        return _in_span(cap.attempts, LONGEST_DAY, counted, now)
    return max(_on_day(cap.attempts, counted, zone, now) for zone in where.every_zone)


def sentence_of(cap: Cap) -> str:
    """Say a cap in words."""
    per = "day" if cap.calendar_day else format_duration(cap.per)
    times = f"at most {cap.attempts}" if cap.attempts else "none"
    if cap.after == "conversation":
        return f"{times} within {per} of a conversation"
    return f"{times} per {per}" if cap.attempts else "none at all"


def tries_within(policy: Policy, step: Step, span: timedelta) -> int:
    """Give how many tries one start of a step may lead to within a span: several only where its provider repeats them."""
    retry = step.retry
    if step.delivery != "native" or retry is None or not retry.on:
        return 1
    own = (window.retry_after for window in policy.windows_of(step) if window.retry_after is not None)
    wait = min((*retry.after, *own))
    later = -(-span // wait) - 1 if wait else retry.attempts
    return 1 + min(retry.attempts - 1, later + retry.call_twice_in_a_row)


def _capped(
    policy: Policy, cap: Cap, step: Step, where: Whereabouts, past: Sequence[PastAttempt], now: datetime
) -> HeldBack | None:
    if cap.channels and step.channel not in cap.channels:
        return None
    tries = tries_within(policy, step, LONGEST_DAY if cap.calendar_day else cap.per)
    if tries > 1 and not cap.after:
        return _handed_over(cap, tries, where, past, now)
    free = free_from(cap, where, past, now)
    if free is not None and free <= now:
        return None
    return HeldBack(until=free, why=sentence_of(cap), source=cap.source)


def _handed_over(
    cap: Cap, tries: int, where: Whereabouts, past: Sequence[PastAttempt], now: datetime
) -> HeldBack | None:
    """Keep room for every try that a provider makes by itself: nobody asks again before them."""
    room = cap.attempts - tries + 1
    free = free_from(replace(cap, attempts=room), where, past, now) if room > 0 else None
    if free is not None and free <= now:
        return None
    why = f"{sentence_of(cap)}, and the provider makes up to {tries} tries in that time"
    return HeldBack(until=free, why=why, source=cap.source)


def _left_alone(dealings: Dealings, now: datetime) -> HeldBack | None:
    until = dealings.left_alone_until
    if until is None or until <= now:
        return None
    return HeldBack(
        until=until, why=f"left alone until {until:%Y-%m-%d %H:%M} UTC: {dealings.left_alone_why}", source=""
    )


def _cooling(
    policy: Policy, step: Step, past: Iterable[PastAttempt], now: datetime, *, is_callback: bool
) -> HeldBack | None:
    """Leave a person alone who talked with us; the same sequence may go on with texts."""
    span = policy.campaign.cool_down
    if span is None:
        return None
    goes_on = step.channel == "text" or is_callback
    talks = [
        talked
        for one in past
        if (talked := one.talked_at) is not None and not (goes_on and one.campaign == policy.campaign.campaign)
    ]
    until = max(talks, default=now - span) + span
    if until <= now:
        return None
    return HeldBack(until=until, why=f"a cool-down of {format_duration(span)} after a conversation", source="cool_down")


def _counts(cap: Cap, one: PastAttempt) -> bool:
    if cap.channels and one.channel not in cap.channels:
        return False
    return not cap.purposes or not one.purpose or one.purpose in cap.purposes


def _in_span(most: int, span: timedelta, counted: Iterable[PastAttempt], now: datetime) -> datetime:
    """Wait until the newest attempts that fill the cap lie a whole span back."""
    newest = sorted(counted, key=lambda one: one.at, reverse=True)
    for one, total in zip(newest, accumulate(one.count for one in newest), strict=True):
        if total >= most:
            return max(now, one.at + span)
    return now


def _on_day(most: int, counted: Iterable[PastAttempt], zone: str, now: datetime) -> datetime:
    tally = Counter[date]()
    for one in counted:
        tally[local_day(one.at, zone)] += one.count
    today = local_day(now, zone)
    full = max((day for day, total in tally.items() if total >= most and day >= today), default=None)
    return now if full is None else max(now, at_edge(full + DAY, 0, zone, latest=True))


def _after_conversations(cap: Cap, counted: Sequence[PastAttempt], now: datetime) -> datetime:
    """Each conversation opens a period of its own, in which the attempts after it count."""
    until = now
    for talk in counted:
        talked = talk.talked_at
        if talked is None or talked + cap.per <= now:
            continue
        after = sum(one.count for one in counted if one is not talk and one.at >= talked)
        if after >= cap.attempts:
            until = max(until, talked + cap.per)
    return until
