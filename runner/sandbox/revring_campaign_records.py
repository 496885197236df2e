"""How RevRing writes down campaigns, their progress and their contacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from runner.sandbox.revring_campaign import WAITING, Campaign, Contact, ContactStatus
from runner.sandbox.revring_records import call_record
from runner.sandbox.wire import instant

CONTACT_OUTCOMES = frozenset({"answered", "voicemail", "no_answer", "busy", "declined", "failed", "do_not_call"})
"""every outcome of a contact"""

_DEFAULTS: Mapping[str, Any] = {
    "name": None,
    "agentId": None,
    "fromNumber": None,
    "environment": None,
    "startAt": None,
    "callingWindow": None,
    "retryPolicy": None,
    "maxConcurrency": None,
    "callsPerSecond": 1,
    "defaultVariables": None,
    "voicemailStrategy": "agent",
}
_LAST_CALL = ("id", "status", "startedAt", "endedAt", "durationSeconds", "hangupCause", "recordingUrl", "summary")
_FIRST_COLUMNS = (
    "number",
    "status",
    "outcome",
    "attempts",
    *(f"lastCall.{name}" for name in _LAST_CALL),
)


def campaign_record(campaign: Campaign) -> dict[str, Any]:
    """Write a campaign: its settings as they were asked, its status and progress."""
    return {
        "id": campaign.id,
        **_DEFAULTS,
        **campaign.settings.asked,
        "status": campaign.status.value,
        "progress": _progress(campaign),
        "startedAt": instant(campaign.started_at),
        "completedAt": instant(campaign.completed_at),
        "createdAt": instant(campaign.created_at),
        "updatedAt": instant(campaign.updated_at),
    }


def contact_record(contact: Contact) -> dict[str, Any]:
    """Write a contact; it carries no metadata, so that its number alone tells who it is."""
    call = contact.last_call
    return {
        "id": contact.id,
        "toNumber": contact.phone,
        "variables": dict(contact.variables),
        "timezone": contact.zone_name,
        "status": contact.status.value,
        "outcome": contact.outcome,
        "attempts": contact.attempts,
        "nextAttemptAt": instant(contact.next_at),
        "lastCallId": call.id if call else None,
        "lastAttemptAt": instant(call.placed_at) if call else None,
    }


def exported_row(contact: Contact) -> dict[str, Any]:
    """Write a contact as a row of the export."""
    row: dict[str, Any] = {
        "number": contact.phone,
        "status": contact.status.value,
        "outcome": contact.outcome,
        "attempts": contact.attempts,
    }
    row |= {f"var.{name}": value for name, value in contact.variables.items()}
    if contact.last_call is not None:
        record = call_record(contact.last_call)
        row |= {f"lastCall.{name}": record[name] for name in _LAST_CALL}
        row |= {f"extraction.{name}": value for name, value in (record.get("extraction") or {}).items()}
        row |= {f"evaluation.{name}": value for name, value in (record.get("evaluation") or {}).items()}
    return row


def export_columns(rows: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Give the columns of an export: those that every row has, then the others as they first occur."""
    others = dict.fromkeys(name for row in rows for name in row if name not in _FIRST_COLUMNS)
    return (*_FIRST_COLUMNS, *others)


def _progress(campaign: Campaign) -> dict[str, Any]:
    contacts = campaign.contacts.values()
    waiting = {*WAITING, ContactStatus.DIALING}
    return {
        "total": len(contacts),
        "done": sum(contact.status not in waiting for contact in contacts),
        "contacts": dict(Counter(contact.status.value for contact in contacts)),
        "outcomes": dict(Counter(contact.outcome for contact in contacts if contact.outcome is not None)),
    }
