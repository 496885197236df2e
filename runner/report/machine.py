"""The machine formats: JSON for plan lines, sums and status. Stable: keys are only ever added."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from runner import __version__
from runner.model.finding import Finding
from runner.model.law import LawSummary, LawTable
from runner.model.notification import TargetStanding
from runner.model.overview import AccountStanding, CampaignOverview, ContactOverview, HandoverOverview
from runner.model.plan import BackupRequest, Countries, PlanLine, PlanSummary
from runner.model.rounds import RoundsOverview, RoundsSummary
from runner.model.variants import Share, VariantResult
from runner.report.notify_view import standing_facts
from runner.rules.law_verdict import LawVerdict, Question, RowVerdict


def utc_text(at: datetime | None) -> str | None:
    """Write an instant in UTC with `Z`, seconds exact; None stays None."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def local_text(at: datetime | None, zones: tuple[str, ...]) -> str | None:
    """Write an instant on the person's own clock, with its offset."""
    if at is None or not zones:
        return None
    return at.astimezone(ZoneInfo(zones[0])).isoformat(timespec="seconds")


def plan_line(line: PlanLine, findings: Iterable[Finding] | None = None) -> str:
    """Write one line of a plan as one line of JSON; with `findings`, what every rule says about it too."""
    traced = {} if findings is None else {"rules": [finding_record(one) for one in findings]}
    return _dump(
        {
            "campaign": line.campaign,
            "step": line.step,
            "channel": line.channel,
            "contact": {"key": line.contact_key or None, "phone": line.phone or None, "row": line.row or None},
            "provider": line.provider,
            "account": line.account,
            "method": line.method or None,
            "url": line.url or None,
            "headers": dict(line.headers),
            "body": line.body,
            "status": line.status.value,
            "reason": line.reason or None,
            "rule": line.source or None,
            "caution": line.caution or None,
            "waits": line.waits or None,
            "condition": line.condition or None,
            "not_before": utc_text(line.not_before),
            "local_time": local_text(line.not_before, line.zones),
            "timezone": line.zones[0] if line.zones else None,
            "timezones": list(line.zones),
            "timezone_source": line.timezone_source or None,
            "jurisdictions": list(line.jurisdictions),
            "country": line.country or None,
            "number_type": line.number_type or None,
            "key": line.key or None,
            "variant": line.variant or None,
            "backups": [_backup(one) for one in line.backups],
            **traced,
        }
    )


def finding_record(one: Finding) -> dict[str, Any]:
    """Give what one rule says as plain values."""
    return {
        "rule": one.rule,
        "effect": one.effect.value,
        "says": one.says,
        "until": utc_text(one.until),
        "source": one.source or None,
        "place": one.place or None,
        "reference": one.reference or None,
    }


def plan_summary(summary: PlanSummary) -> str:
    """Write the sums of a plan, its last line."""
    counts = {status.value: count for status, count in summary.counts.items()}
    return _dump(
        {
            "summary": {
                "campaigns": list(summary.campaigns),
                "contacts": summary.contacts,
                **counts,
                "rejected": summary.rejected,
                "skipped": summary.skipped,
                "first": utc_text(summary.first),
                "last": utc_text(summary.last),
                "digest": summary.digest,
                "digests": [{"campaign": name, "digest": own} for name, own in summary.digests.items()],
                "tool_version": __version__,
                "rules_changed": list(summary.rules_changed),
                "rounds": [_rounds_summary(one) for one in summary.rounds],
                "law": _law(summary.law),
                "countries": _countries(summary.countries),
                "variants": [
                    {
                        "campaign": one.campaign,
                        "variant": one.variant or None,
                        "contacts": one.contacts,
                        "weight": one.weight,
                    }
                    for one in summary.variants
                ],
            }
        }
    )


def _backup(one: BackupRequest) -> dict[str, Any]:
    return {
        "provider": one.provider,
        "account": one.account,
        "agent": one.agent,
        "method": one.method,
        "url": one.url,
        "headers": dict(one.headers),
        "body": one.body,
    }


def law_verdict(asked: Question, found: LawVerdict, table: LawTable) -> str:
    """Write what the law says about one person at one instant."""
    return _dump(
        {
            "table": {"version": table.version, "as_of": str(table.as_of)},
            "purpose": asked.purpose.value,
            "channel": asked.channel,
            "at": utc_text(asked.now),
            "timezones": list(asked.where.zones),
            "jurisdictions": list(asked.where.jurisdictions),
            "rows": [_row_verdict(one) for one in found.rows],
            "has_hours": found.has_hours,
            "allowed_at": utc_text(found.allowed_at),
            "consent_gap": found.gap.reason if found.gap is not None else None,
            "forbidden": found.forbids,
        },
        indent=2,
    )


def _row_verdict(one: RowVerdict) -> dict[str, Any]:
    row = one.row.model_dump(mode="json", exclude_defaults=True)
    return {"row": row, "open": one.is_open, "allowed_at": utc_text(one.allowed_at), "reason": one.reason}


def _law(law: LawSummary | None) -> dict[str, Any] | None:
    if law is None:
        return None
    found: dict[str, Any] = {"version": law.version, "as_of": str(law.as_of)}
    for name, notes in (("rows", law.rows), ("warnings", law.warnings), ("overrides", law.overrides)):
        found[name] = [
            {"row": one.row or None, "text": one.text, "source": one.source or None, "contacts": one.contacts}
            for one in notes
        ]
    return found


def _countries(found: Countries | None) -> list[dict[str, Any]]:
    counts = found.counts if found is not None else ()
    return [{"country": one.country, "contacts": one.contacts, "new": one.is_new} for one in counts]


def status(
    campaigns: Iterable[CampaignOverview],
    contacts: dict[str, list[ContactOverview]] | None = None,
    accounts: Iterable[AccountStanding] = (),
    variants: Mapping[str, Sequence[VariantResult]] | None = None,
    notifications: Sequence[TargetStanding] = (),
) -> str:
    """Write the status of campaigns; with `contacts`, one object for each contact too, with `variants` one for each variant.

    `accounts` are those that are not used freely.
    """
    found = {
        "campaigns": [_campaign(one, contacts, variants) for one in campaigns],
        "accounts": [_account(one) for one in accounts],
    }
    if notifications:
        found["notifications"] = standing_facts(notifications)
    return _dump(found, indent=2)


def _account(one: AccountStanding) -> dict[str, Any]:
    return {
        "account": one.account,
        "state": one.state,
        "reason": one.reason or None,
        "since": utc_text(one.since),
        "until": utc_text(one.until),
    }


def _variant(one: VariantResult) -> dict[str, Any]:
    return {
        "variant": one.variant or None,
        "contacts": one.contacts,
        "tried": one.tried,
        "reached": _share(one.reached),
        "goal": _share(one.goal) if one.goal is not None else None,
    }


def _share(one: Share) -> dict[str, Any]:
    share = round(one.value, 6) if one.value is not None else None
    return {"count": one.count, "share": share, "low": round(one.low, 6), "high": round(one.high, 6)}


def _campaign(
    one: CampaignOverview,
    contacts: dict[str, list[ContactOverview]] | None,
    variants: Mapping[str, Sequence[VariantResult]] | None,
) -> dict[str, Any]:
    found: dict[str, Any] = {
        "campaign": one.campaign,
        "status": one.status,
        "reason": one.reason or None,
        "revision": one.revision,
        "digest": one.digest,
        "row_stats": dict(one.row_stats),
        "attempts": {
            "total": one.attempts,
            "sent": one.sent,
            "placed": one.placed,
            "held_of_left": one.held_of_left,
        },
        "outcomes": [
            {"step": step, "channel": channel, "outcome": outcome, "count": count}
            for step, channel, outcome, count in one.outcomes
        ],
        "tags": dict(one.tags),
        "first_sent": utc_text(one.first_sent),
        "last_sent": utc_text(one.last_sent),
        "handovers": [_handover(handed) for handed in one.handovers],
        "round_of": one.round_of or None,
        "rounds": _rounds(one.rounds),
    }
    if contacts is not None:
        found["contacts"] = [_contact(person) for person in contacts.get(one.campaign, [])]
    if variants is not None:
        found["variants"] = [_variant(each) for each in variants.get(one.campaign, ())]
    return found


def _handover(one: HandoverOverview) -> dict[str, Any]:
    return {
        "id": one.id,
        "step": one.step,
        "account": one.account,
        "state": one.state,
        "name": one.name,
        "native_id": one.native_id or None,
        "people": one.people,
        "waiting": one.waiting,
        "told": one.told,
        "reason": one.reason or None,
        "sent_at": utc_text(one.sent_at),
    }


def _contact(person: ContactOverview) -> dict[str, Any]:
    return {
        "key": person.key,
        "phone": person.phone,
        "row": person.row,
        "state": person.state,
        "outcome": person.outcome or None,
        "reason": person.held_because or None,
        "attempts": [
            {
                "key": one.key,
                "log_id": one.log_id or None,
                "step": one.step,
                "number": one.number,
                "channel": one.channel,
                "state": one.state,
                "outcome": one.outcome or None,
                "tag": one.tag or None,
                "reason": one.reason or None,
                "due_at": utc_text(one.due_at),
                "sent_at": utc_text(one.sent_at),
                "ended_at": utc_text(one.ended_at),
                "provider_id": one.provider_id or None,
            }
            for one in person.attempts
        ],
    }


def _rounds_summary(rounds: RoundsSummary) -> dict[str, Any]:
    return {
        "campaign": rounds.campaign,
        "repeat": rounds.rule,
        "timezone": rounds.zone,
        "catch_up": rounds.catch_up,
        "next": [utc_text(at) for at in rounds.next_at],
        "in_force": rounds.is_in_force,
    }


def _rounds(rounds: RoundsOverview | None) -> dict[str, Any] | None:
    if rounds is None:
        return None
    newest = rounds.newest
    return {
        "repeat": rounds.rule,
        "timezone": rounds.zone,
        "catch_up": rounds.catch_up,
        "next": utc_text(rounds.next_at),
        "started": rounds.started,
        "missed": rounds.missed,
        "refused": rounds.refused,
        "newest": None
        if newest is None
        else {"at": utc_text(newest.at), "state": newest.state.value, "reason": newest.reason or None},
    }


def _dump(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
