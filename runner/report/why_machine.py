"""One person's story for machines. Stable: keys are only ever added."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.model.person import AttemptStory, CampaignStory, Event, Person
from runner.model.rule_places import RulePlaces
from runner.model.suppression import Suppression
from runner.planning.prospect import Prospect
from runner.report.machine import finding_record, utc_text


def why_record(person: Person, then: Sequence[Prospect]) -> dict[str, Any]:
    """Give everything about a person as plain values; `then` is what comes next by campaign, in the same order."""
    return {
        "phone": person.phone,
        "suppression": _suppression(person.suppression) if person.suppression is not None else None,
        "lifted": [_suppression(one) for one in person.lifted],
        "listed_by": list(person.listed_by),
        "campaigns": [_campaign(story, after) for story, after in zip(person.campaigns, then, strict=True)],
    }


def _suppression(one: Suppression) -> dict[str, Any]:
    return {"reason": one.reason, "source": one.source, "at": utc_text(one.at), "until": utc_text(one.until)}


def _campaign(story: CampaignStory, then: Prospect) -> dict[str, Any]:
    revision = story.revision
    return {
        "campaign": story.campaign,
        "campaign_state": story.state,
        "campaign_reason": story.reason or None,
        "revision": {
            "id": revision.id,
            "digest": revision.digest,
            "git_commit": revision.git_commit or None,
            "applied_by": revision.applied_by,
            "applied_at": utc_text(revision.applied_at),
            "tool_version": revision.tool_version,
            "tzdata": revision.tzdata,
        },
        "contact": {"key": story.key, "row": story.row, "state": story.contact_state},
        "held_because": story.held_because or None,
        "timezones": list(story.zones),
        "timezone_source": story.zone_source or None,
        "jurisdictions": list(story.jurisdictions),
        "events": [_event(one, revision.places) for one in story.events],
        "attempts": [_attempt(one, revision.places) for one in story.attempts],
        "next": {
            "says": then.says,
            "at": utc_text(then.at),
            "source": then.source or None,
            "place": then.place or None,
            "rules": [finding_record(one) for one in then.findings],
        },
    }


def _attempt(story: AttemptStory, places: RulePlaces) -> dict[str, Any]:
    attempt = story.work.attempt
    return {
        "key": attempt.key,
        "log_id": story.log_id or None,
        "step": attempt.step,
        "number": attempt.number,
        "channel": attempt.channel,
        "account": attempt.account,
        "provider_id": attempt.provider_id or None,
        "is_callback": attempt.is_callback,
        "state": attempt.state.value,
        "outcome": story.outcome or None,
        "tag": story.tag or None,
        "reason": story.reason or None,
        "due_at": utc_text(attempt.due_at),
        "sent_at": utc_text(attempt.sent_at),
        "ended_at": utc_text(story.ended_at),
        "events": [_event(one, places) for one in story.events],
    }


def _event(one: Event, places: RulePlaces) -> dict[str, Any]:
    place = places.of(str(one.detail.get("source", "")))
    return {"at": utc_text(one.at), "kind": one.kind, "place": place or None, "detail": dict(one.detail)}
