"""Every rule that has a say about one person and step at one instant, one after the other, with where it stands.

The gate asks the same rules and gives the verdict; this says what each of them alone has to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from runner.model.campaign import Step
from runner.model.compliance import Consent
from runner.model.dealings import NO_DEALINGS, Dealings
from runner.model.durations import format_duration
from runner.model.finding import Effect, Finding
from runner.model.law import LawRow
from runner.model.limits import SharedLimits, ramp_text
from runner.model.whereabouts import Whereabouts
from runner.rules.calendars import Calendar
from runner.rules.caps import all_that_hold_back, sentence_of
from runner.rules.countries import Reach, out_of_reach, type_words
from runner.rules.law import CampaignLaw
from runner.rules.law_verdict import hours_text, time_rule
from runner.rules.numbers import NumberRefused, read_number
from runner.rules.policy import Policy
from runner.rules.retries import last_start
from runner.rules.windows import closing, next_allowed

_KINDS: Mapping[str, str] = {"": "suppression", "cool_down": "cool-down"}
"""what kind of rule holds a person back, by its source; every other one is a cap"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One person and everything about them that rules look at."""

    phone: str
    """E.164"""
    where: Whereabouts
    zone_source: str
    """where the zones came from: column, campaign, number, zone_unknown or none"""
    suppression: str = ""
    """why the person must not be contacted, for good; empty when they may"""
    suppression_source: str = ""
    """the key path of the list that says so, empty for the ledger's own"""
    dealings: Dealings = NO_DEALINGS
    stated: Consent | None = None
    """None when nothing is stated"""
    step_due_at: datetime | None = None
    """when the step became due; from the instant asked about on where that is not known"""
    is_callback: bool = False
    limits: Mapping[str, SharedLimits] = field(default_factory=dict)
    """those that campaigns share, by key path"""


def trace(policy: Policy, step: Step, subject: Subject, now: datetime) -> tuple[Finding, ...]:
    """Ask every rule about an attempt of a step at `now`."""
    rows = _law_rows(policy, step, subject)
    return (
        _suppression(subject),
        _number(policy.reach, subject),
        *_consent(policy, step, subject),
        _zone(policy, subject),
        *_schedule(policy, now),
        *_hours(policy, step, subject, rows, now),
        *_held_back(policy, step, subject, rows, now),
        *_deadline(policy, step, subject, now),
        *_limits(policy, step, subject),
    )


def limits_text(limits: SharedLimits) -> str:
    """Say limits in words: `at most 10 calls at once, 2 starts a second`; empty where nothing is limited."""
    parts = [
        f"at most {limits.concurrency} call{'s' if limits.concurrency > 1 else ''} at once"
        if limits.concurrency is not None
        else "",
        f"{limits.per_second:g} starts a second" if limits.per_second is not None else "",
        f"{limits.per_minute} starts a minute" if limits.per_minute is not None else "",
        f"{limits.per_day} starts a day" if limits.per_day is not None else "",
        f"{format_duration(limits.spacing)} between two starts" if limits.spacing else "",
        ramp_text(limits.ramp) if limits.ramp is not None else "",
    ]
    return ", ".join(part for part in parts if part)


def _suppression(subject: Subject) -> Finding:
    if subject.suppression:
        return Finding(
            rule="suppression", effect=Effect.REFUSES, says=subject.suppression, source=subject.suppression_source
        )
    return Finding(rule="suppression", effect=Effect.ALLOWS, says="on no list of people who must not be contacted")


def _number(reach: Reach, subject: Subject) -> Finding:
    try:
        number = read_number(subject.phone, None)
    except NumberRefused as refused:
        return Finding(rule="number", effect=Effect.REFUSES, says=refused.message)
    refusal = out_of_reach(reach, number.region, number.kind)
    if refusal is not None:
        return Finding(rule="number", effect=Effect.REFUSES, says=refusal.reason, source=refusal.source)
    whose = {"countries": "`countries` names", "agents": "its agents' numbers are of", "": "any country is reached"}
    named = f"{whose[reach.source]} {', '.join(reach.countries)}".rstrip()
    says = f"{type_words(number.kind)} of {number.region}; {named}"
    return Finding(rule="number", effect=Effect.ALLOWS, says=says, source=reach.source)


def _consent(policy: Policy, step: Step, subject: Subject) -> Iterator[Finding]:
    if policy.law is None:
        return
    purpose, places = policy.campaign.purpose, subject.where.jurisdictions
    gap = policy.law.consent_gap(purpose, step.channel, places, subject.stated)
    stated = f"`{subject.stated}` is stated" if subject.stated is not None else "none is stated"
    if gap is None:
        says = f"{stated}, and the law of {', '.join(places) or 'no country'} asks for no more"
        yield Finding(rule="consent", effect=Effect.ALLOWS, says=says, source="compliance.consent")
        return
    effect = Effect.REFUSES if gap.forbids else Effect.NOTES
    yield Finding(
        rule="consent", effect=effect, says=gap.reason, source=gap.row.id, reference=gap.row.source.url
    )  # fmt: skip


def _zone(policy: Policy, subject: Subject) -> Finding:
    zones, campaign = subject.where.zones, policy.campaign
    if not zones:
        source = "zones" if campaign.zones == "strict" else "zone_unknown"
        says = "no time zone is known, so no hour is known to be right"
        return Finding(rule="zone", effect=Effect.REFUSES, says=says, source=source)
    shown = ", ".join(zones[:4]) + (f" and {len(zones) - 4} more, all of which must allow it" if len(zones) > 4 else "")  # noqa: PLR2004
    evidence = {
        "column": ("from the row of the contact", "contacts.columns.timezone"),
        "campaign": ("the campaign's `timezone`", "timezone"),
        "number": ("from the number", ""),
        "zone_unknown": ("taken by `zone_unknown`", "zone_unknown"),
    }
    words, source = evidence.get(subject.zone_source, (f"from {subject.zone_source}", ""))
    own = subject.where.own_zones
    if policy.law is not None and own and own != zones:
        words += f"; the law counts in {own[0]}" + (f" and {len(own) - 1} more" if len(own) > 1 else "")
    return Finding(rule="zone", effect=Effect.NOTES, says=f"{shown}, {words}", source=source)


def _schedule(policy: Policy, now: datetime) -> Iterator[Finding]:
    if policy.starts is not None and now < policy.starts:
        says = "the campaign's schedule starts later"
        yield Finding(rule="schedule", effect=Effect.WAITS, says=says, until=policy.starts, source="schedule.start")
    if policy.ends is not None:
        over = now >= policy.ends
        says = f"the campaign's schedule {'ended' if over else 'ends'} at {policy.ends:%Y-%m-%d %H:%M} UTC"
        effect = Effect.REFUSES if over else Effect.ALLOWS
        yield Finding(rule="schedule", effect=effect, says=says, source="schedule.end")


def _hours(
    policy: Policy, step: Step, subject: Subject, rows: Mapping[str, LawRow], now: datetime
) -> Iterator[Finding]:
    if policy.windows_ignored:
        return
    calendars = policy.calendars_at(step, subject.where)
    for source, alike in groupby(calendars, key=lambda one: one.source):
        row = rows.get(source)
        words = time_rule(row) if row is not None else _own_hours(policy, step)
        yield _opening(tuple(alike), words, source, row, subject.where.zones, now)


def _opening(
    calendars: tuple[Calendar, ...],
    words: str,
    source: str,
    row: LawRow | None,
    zones: tuple[str, ...],
    now: datetime,
) -> Finding:
    opens = next_allowed(calendars, zones, now)
    if opens is None:
        effect, word, until = Effect.REFUSES, "never open", None
    elif opens > now:
        effect, word, until = Effect.WAITS, "closed", opens
    else:
        closes = closing(calendars, zones, now)
        word = f"open until {closes:%Y-%m-%d %H:%M} UTC" if closes is not None else "open"
        effect, until = Effect.ALLOWS, None
    reference = row.source.url if row is not None else ""
    return Finding(
        rule="hours", effect=effect, says=f"{words}: {word}", until=until, source=source, reference=reference
    )


def _own_hours(policy: Policy, step: Step) -> str:
    campaign = policy.campaign
    days = [f"{one.first}" if one.first == one.last else f"{one.first}..{one.last}" for one in campaign.blackout]
    return ", ".join([
        hours_text(policy.windows_of(step)) or "no window",
        *(["not on " + ", ".join(days)] if days else []),
        *([f"not on holidays of {', '.join(campaign.holidays)}"] if campaign.holidays else []),
    ])  # fmt: skip


def _held_back(
    policy: Policy, step: Step, subject: Subject, rows: Mapping[str, LawRow], now: datetime
) -> Iterator[Finding]:
    """Give what caps, cool-downs and suppressions with an end say; each that does not hold the person back too."""
    where, dealings = subject.where, subject.dealings
    holding = all_that_hold_back(policy, step, where, now, dealings, is_callback=subject.is_callback)
    for one in holding:
        effect = Effect.WAITS if one.until is not None else Effect.REFUSES
        reference = rows[one.source].source.url if one.source in rows else ""
        yield Finding(
            rule=_KINDS.get(one.source, "cap"), effect=effect, says=one.why, until=one.until, source=one.source, reference=reference
        )  # fmt: skip
    for cap in policy.caps(step, where.jurisdictions):
        holds = any(one.source == cap.source and one.why.startswith(sentence_of(cap)) for one in holding)
        if holds or (cap.channels and step.channel not in cap.channels):
            continue
        reference = rows[cap.source].source.url if cap.source in rows else ""
        says = f"{sentence_of(cap)}: room is left"
        yield Finding(rule="cap", effect=Effect.ALLOWS, says=says, source=cap.source, reference=reference)
    if policy.campaign.cool_down is not None and not any(one.source == "cool_down" for one in holding):
        says = f"no conversation within {format_duration(policy.campaign.cool_down)}"
        yield Finding(rule="cool-down", effect=Effect.ALLOWS, says=says, source="cool_down")


def _deadline(policy: Policy, step: Step, subject: Subject, now: datetime) -> Iterator[Finding]:
    limit = last_start(policy, step, subject.step_due_at or now)
    if limit is not None:
        effect = Effect.REFUSES if now > limit.at else Effect.ALLOWS
        says = f"{limit.rule}: not started after {limit.at:%Y-%m-%d %H:%M} UTC"
        yield Finding(rule="deadline", effect=effect, says=says, source=limit.source)


def _limits(policy: Policy, step: Step, subject: Subject) -> Iterator[Finding]:
    """Give the limits on pace; they count everybody's attempts, so they put nobody off for good."""
    agent = policy.campaign.agents.get(step.agent)
    found: list[tuple[str, SharedLimits | None]] = [
        ("limits", policy.campaign.limits),
        (f"agents.{step.agent}.limits", agent.limits if agent is not None else None),
        *subject.limits.items(),
    ]
    for source, limits in found:
        words = limits_text(limits) if limits is not None else ""
        if words:
            yield Finding(rule="limits", effect=Effect.NOTES, says=words, source=source)


def _law_rows(policy: Policy, step: Step, subject: Subject) -> dict[str, LawRow]:
    if not isinstance(policy.law, CampaignLaw):
        return {}
    rows: Iterable[LawRow] = policy.law.rows(policy.campaign.purpose, step.channel, subject.where.jurisdictions)
    return {row.id: row for row in rows}
