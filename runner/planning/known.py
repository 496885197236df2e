"""What the ledger already holds of a campaign, as far as a plan must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.model.attempt import AttemptState
from runner.model.move import ContactState


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """One contact as the ledger has it."""

    phone: str
    state: ContactState
    fingerprints: Mapping[str, str]
    """by step: the fingerprint of the payload"""
    attempts: Mapping[str, AttemptState]
    """by step: the state of its newest attempt"""

    def is_open(self, step: str) -> bool:
        """Whether the step's payload can still be changed: nothing of it was sent."""
        return self.attempts.get(step, AttemptState.PLANNED) is AttemptState.PLANNED


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCampaign:
    """One campaign as the ledger has it; empty when it never was applied."""

    digest: str = ""
    """of the revision in force"""
    contacts: Mapping[str, KnownContact] = field(default_factory=dict)
    """by contact key"""
    suppressions: Mapping[str, str] = field(default_factory=dict)
    """numbers that must not be contacted, with the reason"""
