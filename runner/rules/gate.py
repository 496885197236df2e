"""The one gate that every attempt passes right before its request may leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.model.attempt import AttemptState
from runner.model.campaign import Step
from runner.model.dealings import NO_DEALINGS, Dealings
from runner.model.whereabouts import Whereabouts
from runner.rules.caps import HeldBack, held_back
from runner.rules.law_handover import law_beyond
from runner.rules.policy import Policy
from runner.rules.retries import last_start
from runner.rules.windows import next_allowed


@dataclass(frozen=True, slots=True)
class Go:
    """It may be sent now."""


@dataclass(frozen=True, slots=True)
class Wait:
    """Not yet."""

    until: datetime
    why: str
    source: str = ""
    """where the rule stands: a key path of the canonical campaign or the id of a row of the law"""


@dataclass(frozen=True, slots=True)
class Drop:
    """Never; the state it ends in says what kind of never."""

    state: AttemptState
    why: str
    source: str = ""
    """where the rule stands: a key path of the canonical campaign; empty for one that is in no file"""
    goes_on: bool = False
    """only this step is given up: the sequence goes on with the next one"""


Verdict = Go | Wait | Drop


def may_hand_over(  # noqa: PLR0913 as may_send
    policy: Policy,
    step: Step,
    where: Whereabouts,
    now: datetime,
    suppression: str,
    dealings: Dealings = NO_DEALINGS,
    *,
    own_rules: bool = False,
) -> Verdict:
    """Decide on one attempt that is to be handed over at `now`; its windows, and the schedule's start, are passed on.

    With `own_rules` they are not: the provider's own count there.
    """
    if suppression:
        return Drop(AttemptState.SUPPRESSED, suppression)
    row = law_beyond(policy, step, where, now, own_rules=own_rules)
    if row:
        return Drop(AttemptState.EXPIRED, f"the provider's own campaigns cannot keep {row}", row, goes_on=True)
    starts = policy.first_in_schedule(now)
    if starts is None:
        return Drop(AttemptState.EXPIRED, "the campaign's schedule ended", "schedule.end")
    held = held_back(policy, step, where, starts, dealings)
    if held is None:
        return Go()
    if held.until is None or policy.first_in_schedule(held.until) is None:
        return Drop(AttemptState.EXPIRED, held.why, held.source, goes_on=True)
    return Wait(held.until, held.why, held.source)


def may_send(  # noqa: PLR0913 each is a fact of its own, and its callers hold them apart
    policy: Policy,
    step: Step,
    where: Whereabouts,
    now: datetime,
    suppression: str,
    *,
    step_due_at: datetime | None = None,
    dealings: Dealings = NO_DEALINGS,
    is_callback: bool = False,
) -> Verdict:
    """Decide on one attempt of a step at `now`; `suppression` is the reason the person must not be contacted, or empty.

    `until` and `expires` count from `step_due_at`, when the step became due; from `now` where that is not known.
    Caps, cool-downs and suppressions with an end are looked for in `dealings`; a wait that they ask for
    ends at the first instant after it that schedule, windows and law allow as well.
    """
    if suppression:
        return Drop(AttemptState.SUPPRESSED, suppression)
    limit = last_start(policy, step, step_due_at or now)
    if limit is not None and now > limit.at:
        return Drop(AttemptState.EXPIRED, f"too late by {limit.rule}", limit.source, goes_on=True)
    held = held_back(policy, step, where, now, dealings, is_callback=is_callback)
    free = held.until if held is not None else now
    # Caps only loosen while nothing new happens, so the first allowed instant from there on suits both.
    allowed = policy.first_allowed(step, where, free) if free is not None else None
    if allowed is None:
        return _never(policy, now, held)
    if limit is not None and allowed > limit.at:
        cause = f"{held.why}, and that lasts too long" if held is not None else "no window opens in time"
        return Drop(AttemptState.EXPIRED, f"{cause} for {limit.rule}", limit.source, goes_on=True)
    if held is not None:
        return Wait(allowed, held.why, held.source)
    return Wait(allowed, *_closed(policy, step, where, now)) if allowed > now else Go()


def _closed(policy: Policy, step: Step, where: Whereabouts, now: datetime) -> tuple[str, str]:
    """Say which rule about time keeps an attempt back at `now`, and where it stands: the one that does so longest."""
    if policy.starts is not None and now < policy.starts:
        return "before the campaign's schedule starts", "schedule.start"
    openings = [
        (opens, calendar.source)
        for calendar in policy.calendars_at(step, where)
        if (opens := next_allowed((calendar,), where.zones, now)) is not None and opens > now
    ]
    _, source = max(openings, key=lambda one: one[0], default=(now, "windows"))
    is_own = source == "windows" or source.startswith("steps.")
    return ("outside the windows" if is_own else f"outside the hours of {source}"), source


def _never(policy: Policy, now: datetime, held: HeldBack | None) -> Drop:
    if held is not None and held.until is None:
        return Drop(AttemptState.EXPIRED, held.why, held.source, goes_on=True)
    if policy.ends is not None and now >= policy.ends:
        return Drop(AttemptState.EXPIRED, "the campaign's schedule ended", "schedule.end")
    return Drop(AttemptState.EXPIRED, "no window is open in any time that is left", "windows")
