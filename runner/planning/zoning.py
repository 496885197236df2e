"""Where a contact's clock stands, as a plan sees it, and whether any hour suits all clocks that may be theirs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from runner.model.campaign import Step
from runner.model.contact import Contact
from runner.model.whereabouts import Whereabouts
from runner.rules.policy import Policy
from runner.rules.zones import ZoneEvidence, own_zones, zone_evidence

ADD_A_COLUMN = "add a timezone column"


@dataclass(frozen=True, slots=True)
class Located:
    """What is known about a contact's place, and what follows for a step."""

    evidence: ZoneEvidence
    where: Whereabouts
    allowed: datetime | None
    """the first instant at which the step may start"""
    unknown: str = ""
    """why nobody can say when the step may start, and what would help; empty when somebody can"""
    waits: str = ""
    """what puts the first instant off besides windows and law; empty when nothing does"""
    waits_source: str = ""
    """where that stands"""
    never: str = ""
    """why the gate will give the step up; empty when it will not"""
    never_source: str = ""
    """where that stands"""


def located(policy: Policy, contact: Contact, step: Step, now: datetime) -> Located:
    """Place a contact for a step; where no zone is known or its zones share no hour, by the zone that `zone_unknown` names."""
    campaign = policy.campaign
    is_strict = campaign.zones == "strict"
    evidence = zone_evidence(contact.timezone, campaign.timezone, contact.phone, is_strict=is_strict)
    jurisdictions = policy.law.jurisdictions(contact.phone, contact.jurisdictions) if policy.law else ()
    found = _located(policy, step, evidence, jurisdictions, now, own_zones(evidence.source, contact.phone))
    if not found.unknown or campaign.zone_unknown in {"hold", "refuse"}:
        return found
    return _located(policy, step, ZoneEvidence((campaign.zone_unknown,), "zone_unknown"), jurisdictions, now)


def no_time_reason(policy: Policy, now: datetime) -> str:
    """Say why a step can never start from `now` on though the clocks of a person are known."""
    if policy.first_in_schedule(now) is None:
        return "the campaign's schedule ended"
    if policy.ends is not None:
        return "no window opens before the campaign ends"
    return "windows, holidays and law leave no hour to start in"


def _located(
    policy: Policy,
    step: Step,
    evidence: ZoneEvidence,
    jurisdictions: tuple[str, ...],
    now: datetime,
    own: tuple[str, ...] = (),
) -> Located:
    where = Whereabouts(evidence.zones, jurisdictions, own)
    allowed = policy.first_start(step, where, now)
    return Located(evidence, where, allowed, _unknown(policy, step, where, now, is_allowed=allowed is not None))


def _unknown(policy: Policy, step: Step, where: Whereabouts, now: datetime, *, is_allowed: bool) -> str:
    """Say why a step has no first instant, where that is for want of a zone and of nothing else."""
    if policy.windows_ignored or policy.first_in_schedule(now) is None:
        return ""
    is_strict = policy.campaign.zones == "strict"
    if not where.zones:
        if is_strict:
            return f"no time zone in the row, and `zones: strict` takes nothing else; {ADD_A_COLUMN}"
        return "" if is_allowed else f"no time zone is known for this number; {ADD_A_COLUMN}"
    if is_allowed or len(where.zones) == 1:
        return ""
    alone = (policy.first_allowed(step, Whereabouts((zone,), where.jurisdictions), now) for zone in where.zones)
    if any(one is None for one in alone):
        return ""  # a window, the law or the end of the schedule is what leaves no hour, not the number of zones
    return f"no hour fits all {len(where.zones)} time zones of this number; {ADD_A_COLUMN}"
