"""How the engine meets campaigns that repeat: what the ledger holds of their rounds, and who starts one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from runner.model.rounds import Recurring, RoundRecord, RoundRules


class RoundLedger(Protocol):
    """What is remembered of rounds. Each method is one durable transaction, or a part of the one that is open."""

    def recurring(self) -> list[Recurring]:
        """Give the campaigns that repeat, neither cancelled nor half applied, in the order of their first apply."""
        ...

    def note(self, record: RoundRecord) -> None:
        """Write down what became of a round; the first word about it stays."""
        ...

    def note_missed(self, campaign: str, due: Sequence[datetime], reason: str, now: datetime) -> int:
        """Write down, in one record, that rounds were missed, oldest first, and give how many were.

        One that stands in the ledger, written to its end, was started and is noted so; half of one never begins.
        """
        ...

    def earlier_rules(self, campaign: str) -> list[RoundRules]:
        """Give the rules that were written before those in force and whose rounds are not accounted for, oldest first."""
        ...

    def account_for(self, campaign: str, until: datetime) -> None:
        """Have a campaign's rounds up to an instant accounted for."""
        ...

    def forget(self, campaign: str) -> None:
        """Have a campaign repeat no more: its rules say so, and its rounds are accounted for."""
        ...

    def drop_half(self, name: str, reason: str) -> None:
        """Cancel a round's campaign that was never written to its end; does nothing when there is none."""
        ...

    def names_of(self, campaign: str) -> list[str]:
        """Give the campaigns of a campaign's rounds, oldest first, half of one included."""
        ...


class RoundStarter(Protocol):
    """Makes a round from a campaign's files: contacts read anew, a plan, a revision of its own."""

    def start(self, campaign: Recurring, at: datetime, now: datetime) -> str:
        """Write the round that was due at `at` into the ledger and give its name; one that stands there is left as it is.

        Blocks, so it belongs into a thread. Raises an OutreachError, and has placed nothing, when the files
        are wrong or no longer those that were applied.
        """
        ...
