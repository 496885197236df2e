"""What there was with a person already puts off the first attempt of a plan: caps, cool-downs, suppressions that end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.model.campaign import Step
from runner.model.dealings import NO_DEALINGS, Dealings
from runner.planning.known import KnownContact
from runner.planning.zoning import Located
from runner.rules.caps import held_back
from runner.rules.policy import Policy
from runner.rules.retries import last_start

LAW_LOOKS_BACK = timedelta(days=31)
"""no row of the law counts attempts over a longer time"""


def look_back_of(policy: Policy) -> timedelta:
    """Give how far back a plan reads what there was with people; nothing where nothing is counted."""
    campaign = policy.campaign
    spans = [LAW_LOOKS_BACK if rule.per == "day" else rule.per for rule in campaign.caps]
    if campaign.cool_down is not None:
        spans.append(campaign.cool_down)
    return max([*spans, *([LAW_LOOKS_BACK] if policy.law is not None else [])], default=timedelta(0))


def put_off(
    policy: Policy, step: Step, place: Located, known: KnownContact | None, dealings: Dealings | None, now: datetime
) -> Located:
    """Move the first instant of somebody to whom this campaign sent nothing to where the gate will let it start."""
    is_unsent = known is None or known.is_gone or known.is_unsent
    if place.allowed is None or not is_unsent:
        return place
    if dealings is None and not _may_never(policy, step, place):
        return _in_time(policy, step, place)
    held = held_back(policy, step, place.where, now, dealings or NO_DEALINGS)
    if held is not None and held.until is None:
        return replace(place, never=held.why, never_source=held.source)
    if held is not None and held.until is not None and held.until > place.allowed:
        allowed = policy.first_start(step, place.where, held.until)
        place = replace(place, allowed=allowed, waits=held.why, waits_source=held.source)
    return _in_time(policy, step, place)


def _in_time(policy: Policy, step: Step, place: Located) -> Located:
    """Say that a step comes too late for an `until` that is an instant; a span counts from when the step is due."""
    limit = last_start(policy, step, place.allowed) if place.allowed is not None else None
    if limit is None or place.allowed is None or place.allowed <= limit.at:
        return place
    cause = f"{place.waits}, and that lasts too long" if place.waits else "no window opens in time"
    return replace(place, never=f"{cause} for {limit.rule}", never_source=limit.source)


def _may_never(policy: Policy, step: Step, place: Located) -> bool:
    """Whether a cap may hold somebody back with whom there was nothing: one that allows nothing, or fewer than one start makes."""
    if step.delivery == "native":
        return True
    return any(not cap.attempts and not cap.after for cap in policy.caps(step, place.where.jurisdictions))
