"""What the ledger already holds of a campaign, as far as a plan must know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runner.model.attempt import AttemptState
from runner.model.dealings import Dealings
from runner.model.move import OPEN_CONTACTS, ContactState

_UNSENT = frozenset({AttemptState.PLANNED, AttemptState.SUPERSEDED})
_ENDED = frozenset({AttemptState.FINISHED, AttemptState.SUPERSEDED})
_LIVE = frozenset({AttemptState.CLAIMED, AttemptState.SENDING, AttemptState.ACCEPTED, AttemptState.IN_DOUBT})


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownContact:
    """One contact as the ledger has it."""

    phone: str
    state: ContactState
    fingerprints: Mapping[str, str]
    """by step: the fingerprint of the payload"""
    attempts: Mapping[str, AttemptState]
    """by step: the state of its newest attempt"""
    zones: tuple[str, ...] = ()
    """the zones whose windows must all be open"""
    jurisdictions: tuple[str, ...] = ()
    """whose law counts"""
    variant: str = ""
    """which way of doing the campaign the person has; empty without one"""

    def is_open(self, step: str) -> bool:
        """Whether the step's payload can still be changed: nothing of it was sent.

        A step that nobody waits for is new or renamed; it opens the sequence only of somebody to whom nothing was sent.
        """
        return self.attempts.get(step) is AttemptState.PLANNED or all(
            state in _UNSENT for state in self.attempts.values()
        )

    @property
    def is_unsent(self) -> bool:
        """Whether nothing was ever sent to the contact."""
        return all(state in _UNSENT for state in self.attempts.values())

    @property
    def waits_for_evidence(self) -> bool:
        """Whether the contact is held and nothing is planned for it: a plan that can place it makes it anew."""
        return self.state is ContactState.HELD and all(
            state is AttemptState.SUPERSEDED for state in self.attempts.values()
        )

    @property
    def is_gone(self) -> bool:
        """Whether a plan that names the contact makes it anew: it had left the files, they had forbidden it, or it was held."""
        if self.state is ContactState.SUPPRESSED:
            return bool(self.attempts) and all(state in _UNSENT for state in self.attempts.values())
        return self.waits_for_evidence or (
            self.state is ContactState.REMOVED and (self.is_unsent or self._was_called_off_between)
        )

    @property
    def is_back(self) -> bool:
        """Whether a plan that names the contact takes it in again as it stands: it had left, and no call is made anew."""
        return self.state is ContactState.REMOVED and not self.is_gone

    @property
    def back_because(self) -> str:
        """Say of a contact that is back why nothing is planned for it."""
        if AttemptState.HELD in self.attempts.values():
            return "back among the contacts, and held: outreach resolve"
        is_live = not _LIVE.isdisjoint(self.attempts.values())
        return f"back among the contacts; {'under way' if is_live else 'what was begun has ended'}"

    @property
    def _was_called_off_between(self) -> bool:
        """Whether the next try was planned when the contact left: it is planned again."""
        states = set(self.attempts.values())
        return AttemptState.SUPERSEDED in states and states <= _ENDED

    @property
    def may_go_on(self) -> bool:
        """Whether the contact may still be contacted: what is held may be settled yet, and then the next try comes."""
        return self.state in OPEN_CONTACTS or self.state is ContactState.HELD

    @property
    def is_called_off(self) -> bool:
        """Whether the campaign was cancelled before everything was sent: that is for good, also if it comes back."""
        return self.state not in OPEN_CONTACTS and AttemptState.CANCELLED in self.attempts.values()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownCampaign:
    """One campaign as the ledger has it; empty when it never was applied."""

    digest: str = ""
    """of the revision in force"""
    revision: int = 0
    """the campaign's newest revision, written to its end or not; 0 when it never was applied"""
    rules: Mapping[str, object] = field(default_factory=dict)
    """the canonical campaign in force, by top-level key; empty when it never was applied"""
    contacts: Mapping[str, KnownContact] = field(default_factory=dict)
    """by contact key"""
    suppressions: Mapping[str, str] = field(default_factory=dict)
    """numbers that must not be contacted, with the reason"""
    dealings: Mapping[str, Dealings] = field(default_factory=dict)
    """by number: what there was with a person, over all campaigns, and until when they are left alone"""
