"""What comes next for one person in one campaign, and when, or why nothing will: asked of the rules as they are now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from runner.model.attempt import ENDED, AttemptState
from runner.model.dealings import Dealings
from runner.model.finding import Effect, Finding
from runner.model.limits import SharedLimits
from runner.model.move import ContactState
from runner.model.overview import AccountStanding
from runner.model.person import AttemptStory, CampaignStory
from runner.model.rule_places import RulePlaces
from runner.rules.gate import Drop, Go, Verdict, Wait, may_send
from runner.rules.law import UnknownConsent, stated_consent
from runner.rules.policy import Policy
from runner.rules.trace import Subject, trace

_THROUGH = "the sequence is through"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospect:
    """What comes next; instants are aware and UTC."""

    says: str
    """a lower-case sentence"""
    at: datetime | None = None
    """when; None for nothing, or where nobody can say"""
    source: str = ""
    """the rule that decides it: a key path of the campaign, or the id of a row of the law"""
    place: str = ""
    """where that rule stands in the files"""
    findings: tuple[Finding, ...] = ()
    """what each rule says about the attempt that is planned; none where none is"""


def prospect(
    policy: Policy,
    story: CampaignStory,
    dealings: Dealings,
    limits: Mapping[str, SharedLimits],
    now: datetime,
    ill: AccountStanding | None = None,
) -> Prospect:
    """Say what comes next for a person in a campaign.

    `limits` are those that campaigns share, by key path; `ill` is the standing of the account of what is
    planned, where it is not used freely.
    """
    open_ = next((one for one in reversed(story.attempts) if one.work.attempt.state not in ENDED), None)
    if open_ is None:
        return _nothing(story)
    state = open_.work.attempt.state
    if state is AttemptState.PLANNED:
        return _planned(policy, story, open_, _subject(policy, story, open_, dealings, limits), now, ill)
    return _under_way(open_, state)


def placed(findings: tuple[Finding, ...], places: RulePlaces) -> tuple[Finding, ...]:
    """Add to each finding where its rule stands in the files."""
    return tuple(replace(one, place=places.of(one.source)) if one.source else one for one in findings)


def _nothing(story: CampaignStory) -> Prospect:
    """Say why nothing is to come for somebody for whom nothing is planned."""
    if story.held_because:
        return Prospect(says=f"nothing until a plan knows more: {story.held_because}", source="zone_unknown",
                        place=story.revision.places.of("zone_unknown"))  # fmt: skip
    if story.state == "cancelled":
        return Prospect(says=f"nothing: the campaign is {story.reason or 'cancelled'}")
    last = story.attempts[-1] if story.attempts else None
    source = str(last.events[-1].detail.get("source", "")) if last is not None and last.events else ""
    why = last.reason if last is not None else next((str(one.detail.get("reason", "")) for one in story.events), "")
    says = {
        ContactState.COMPLETED: f"nothing: {_THROUGH}",
        ContactState.SUPPRESSED: "nothing: the person must not be contacted",
        ContactState.REMOVED: "nothing: no longer among the contacts",
    }.get(ContactState(story.contact_state), "nothing")
    if _THROUGH in why:  # the last attempt says it, and how it ended
        says = "nothing"
    return Prospect(says=f"{says}; {why}" if why else says, source=source, place=story.revision.places.of(source))


def _under_way(story: AttemptStory, state: AttemptState) -> Prospect:
    attempt = story.work.attempt
    if state is AttemptState.HELD:
        return Prospect(says=f"waits for a person: {story.reason}; outreach resolve says how it went")
    if state is AttemptState.IN_DOUBT:
        says = "it may have been placed: looked up until that is known, and never sent again on a guess"
        return Prospect(says=says, at=attempt.poll_at)
    if state is AttemptState.ACCEPTED:
        return Prospect(says="under way: its outcome comes by webhook, or is asked for", at=attempt.poll_at)
    return Prospect(says="being sent right now")


def _planned(
    policy: Policy,
    story: CampaignStory,
    planned: AttemptStory,
    subject: Subject,
    now: datetime,
    ill: AccountStanding | None,
) -> Prospect:
    work, attempt = planned.work, planned.work.attempt
    name = f"{attempt.step} {attempt.number}"
    step = policy.step_named(attempt.step)
    if step is None:
        return Prospect(says=f"{name} is given up: the step is no longer in the campaign")
    places = story.revision.places
    health = (_health(ill),) if ill is not None else ()
    findings = placed((*trace(policy, step, subject, now), *health), places)

    def verdict(at: datetime) -> Verdict:
        return may_send(
            policy, step, attempt.where, at, work.suppression, step_due_at=attempt.step_due_at,
            dealings=subject.dealings, is_callback=attempt.is_callback,
        )  # fmt: skip

    found = verdict(max(now, attempt.due_at))
    if isinstance(found, Drop):
        says, source = f"{name} will be given up: {found.why}", found.source
        return Prospect(says=says, source=source, place=places.of(source), findings=findings)
    if story.state != "active":
        return Prospect(says=f"{name} waits until the campaign is resumed: {story.reason}", findings=findings)
    if isinstance(found, Go) and attempt.due_at <= now and ill is not None:
        says, source = f"{name} waits for the account {ill.account}: {ill.reason}", f"accounts.{ill.account}"
        return Prospect(says=says, at=ill.until, source=source, place=places.of(source), findings=findings)
    if isinstance(found, Go) and attempt.due_at <= now:
        says = f"{name} leaves as soon as a runner is at work and limits leave room"
        return Prospect(says=says, at=attempt.due_at, findings=findings)
    at = found.until if isinstance(found, Wait) else attempt.due_at
    why, source = (found.why, found.source) if isinstance(found, Wait) else _cause(story, planned, verdict(now))
    says = f"{name} leaves then, if limits leave room" + (f": {why}" if why else "")
    return Prospect(says=says, at=at, source=source, place=places.of(source), findings=findings)


def _health(ill: AccountStanding) -> Finding:
    """Say that an account fails or asked to be let alone; a backup of the step may take over meanwhile."""
    says = f"the account {ill.account} is not used freely: {ill.reason}"
    return Finding(rule="account", effect=Effect.WAITS, says=says, until=ill.until, source=f"accounts.{ill.account}")


def _cause(story: CampaignStory, planned: AttemptStory, now_says: Verdict) -> tuple[str, str]:
    """Give what put a planned attempt to where it is, and its rule: its own last event, the attempt before, or the hours."""
    if planned.events and planned.reason:
        return planned.reason, str(planned.events[-1].detail.get("source", ""))
    at = story.attempts.index(planned)
    if at > 0:
        before = story.attempts[at - 1]
        return before.reason, str(before.events[-1].detail.get("source", "")) if before.events else ""
    return (now_says.why, now_says.source) if isinstance(now_says, Wait) else ("", "")


def _subject(
    policy: Policy,
    story: CampaignStory,
    planned: AttemptStory,
    dealings: Dealings,
    limits: Mapping[str, SharedLimits],
) -> Subject:
    work, attempt = planned.work, planned.work.attempt
    try:
        stated = stated_consent(policy.campaign.compliance, story.cells)
    except UnknownConsent:  # it was read when the row was planned
        stated = None
    return Subject(
        phone=attempt.phone, where=attempt.where, zone_source=story.zone_source, suppression=work.suppression,
        dealings=dealings, stated=stated, step_due_at=attempt.step_due_at, is_callback=attempt.is_callback,
        limits=limits,
    )  # fmt: skip
