"""Consent in a plan: who must not be contacted on what is stated, and what the law asks for besides."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from runner.model.channel import Channel
from runner.model.contact import Contact
from runner.rules.law import UnknownConsent, stated_consent
from runner.rules.policy import Policy


class Refusal(NamedTuple):
    """Why the law lets nobody contact a person."""

    reason: str
    source: str
    """where the rule stands: a key path of the campaign, or the id of a row of the law"""
    is_bad_row: bool = False
    """the contact's cell cannot be read"""


def consent_refusal(
    policy: Policy, channels: Iterable[Channel], contact: Contact, jurisdictions: tuple[str, ...]
) -> Refusal | None:
    """Give why a person must not be contacted in one of these ways on the consent that is stated; None when they may."""
    try:
        stated = stated_consent(policy.campaign.compliance, contact.values)
    except UnknownConsent as error:
        return Refusal(str(error), "compliance.consent_column", is_bad_row=True)
    if policy.law is None:
        return None
    for channel in dict.fromkeys(channels):
        gap = policy.law.consent_gap(policy.campaign.purpose, channel, jurisdictions, stated)
        if gap is not None and gap.forbids:
            return Refusal(gap.reason, gap.row.id)
    return None


def consent_caution(policy: Policy, channel: Channel, contact: Contact, jurisdictions: tuple[str, ...]) -> str:
    """Say which consent the law asks for that nobody states, where that forbids nothing; empty when none."""
    if policy.law is None:
        return ""
    stated = stated_consent(policy.campaign.compliance, contact.values)
    gap = policy.law.consent_gap(policy.campaign.purpose, channel, jurisdictions, stated)
    return gap.reason if gap is not None else ""
