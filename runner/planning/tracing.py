"""What each rule says about one person of a plan, step by step, before anything was sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from runner.model.campaign import Step
from runner.model.contact import Contact
from runner.model.dealings import NO_DEALINGS
from runner.model.finding import Effect, Finding
from runner.model.limits import SharedLimits
from runner.planning.plan import Draft
from runner.planning.zoning import located
from runner.rules.expressions import ExpressionFailed, where_values
from runner.rules.law import UnknownConsent, stated_consent
from runner.rules.trace import Subject, trace


def traced(
    draft: Draft, contact: Contact, step: Step, limits: Mapping[str, SharedLimits], now: datetime
) -> tuple[Finding, ...]:
    """Ask every rule about a step of a contact at `now`; `limits` are those that campaigns share, by key path."""
    place = located(draft.policy, contact, step, now)
    suppression, source = _suppression(draft, contact)
    unread: list[Finding] = []
    try:
        stated = stated_consent(draft.policy.campaign.compliance, contact.values)
    except UnknownConsent as error:
        stated = None
        says, key = str(error), "compliance.consent_column"
        unread.append(Finding(rule="consent", effect=Effect.REFUSES, says=says, source=key))
    subject = Subject(
        phone=contact.phone, where=place.where, zone_source=place.evidence.source, suppression=suppression,
        suppression_source=source, dealings=draft.known.dealings.get(contact.phone, NO_DEALINGS), stated=stated,
        limits=limits,
    )  # fmt: skip
    return (*_selection(draft, contact), *unread, *trace(draft.policy, step, subject, now))


def _suppression(draft: Draft, contact: Contact) -> tuple[str, str]:
    """Give why a contact must not be contacted, and the key of the list that says so."""
    if contact.suppressed_by:
        return f"on the do-not-contact list {contact.suppressed_by}", "contacts.suppress"
    return draft.known.suppressions.get(contact.phone, ""), ""


def _selection(draft: Draft, contact: Contact) -> tuple[Finding, ...]:
    if draft.where is None:
        return ()
    written = draft.policy.campaign.contacts.where
    try:
        chosen = bool(draft.where.evaluate(where_values(contact.values)))
    except ExpressionFailed as error:
        return (Finding(rule="where", effect=Effect.REFUSES, says=error.message, source="contacts.where"),)
    effect, word = (Effect.ALLOWS, "selected") if chosen else (Effect.REFUSES, "not selected")
    return (Finding(rule="where", effect=effect, says=f"{word} by `{written}`", source="contacts.where"),)
