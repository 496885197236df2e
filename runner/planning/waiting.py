"""What there was with a person already puts off the first attempt of a plan: caps, cool-downs, suppressions that end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.model.campaign import Step
from runner.model.dealings import Dealings
from runner.planning.known import KnownContact
from runner.planning.zoning import Located
from runner.rules.caps import held_back
from runner.rules.policy import Policy

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
    if dealings is None or place.allowed is None or not is_unsent:
        return place
    held = held_back(policy, step, place.where, now, dealings)
    if held is None or held.until is None or held.until <= place.allowed:
        return place
    allowed = policy.first_start(step, place.where, held.until)
    return replace(place, allowed=allowed, waits=held.why, waits_source=held.source)
