"""A campaign that is ready to be planned: its draft, and its lines as often as one asks."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import chain
from pathlib import Path

from runner.files.campaign import LoadedCampaign
from runner.files.contacts import read_contacts
from runner.model.campaign import ContactSource
from runner.model.contact import Contact, DuplicateRow, RejectedRow
from runner.model.plan import PlanLine
from runner.model.rounds import RoundsSummary
from runner.planning.countries import CountryTally
from runner.planning.digest import Digest
from runner.planning.law_notes import LawTally
from runner.planning.plan import Draft, plan_lines
from runner.planning.rounds import RoundsTally, RulesDigest
from runner.planning.summary import Tally, rules_changed
from runner.planning.variants import VariantTally
from runner.rules.law import CampaignLaw

Row = Contact | RejectedRow | DuplicateRow


@dataclass(frozen=True, slots=True)
class Planned:
    """One campaign, ready: its draft, and a fresh pass over its lines as often as one asks."""

    loaded: LoadedCampaign
    draft: Draft
    templates: Mapping[str, str]
    source: ContactSource
    """the contacts, with files as absolute paths"""
    inline_lines: tuple[int, ...]
    now: datetime
    law: CampaignLaw | None = None
    """None where no law is looked at"""
    at: datetime | None = None
    """the instant that the lines are for: a round's own; `now` when absent"""
    preview: Draft | None = None
    """the next round of a campaign that repeats; None for every other one"""
    rounds: RoundsSummary | None = None
    rejected: list[RejectedRow] = field(default_factory=list)
    """the bad rows of the last pass"""

    @property
    def name(self) -> str:
        """The campaign's name."""
        return self.draft.policy.campaign.campaign

    @property
    def shown_contacts(self) -> str:
        """The contacts' file as errors name it; the campaign's own when they stand inside it."""
        return shown_path(Path(self.source.file) if self.source.file else self.loaded.path)

    @property
    def skips_bad_rows(self) -> bool:
        """Whether bad rows are left out instead of stopping everything."""
        return self.source.on_bad_row == "skip"

    def lines(self) -> tuple[Iterator[PlanLine], Tally]:
        """Start a pass: the lines, one by one, and the tally that is complete when they are through.

        Of a campaign that repeats they are those of its next round, and of what applying it calls off.
        """
        if self.preview is None:
            return self._pass(plan_lines(self.draft, self._rows(), self.at or self.now))
        next_round = plan_lines(self.preview, self._rows(), self.at or self.now)
        return self._pass(chain(next_round, plan_lines(self.draft, (), self.now)))

    def own_lines(self) -> tuple[Iterator[PlanLine], Tally]:
        """Start a pass over what applying writes: of a campaign that repeats nobody, people come with each round."""
        return self.lines() if self.preview is None else self._pass(plan_lines(self.draft, (), self.now))

    def people(self, wanted: Collection[str]) -> list[Contact]:
        """Give the contacts that have one of these numbers or keys, in the order of the file."""
        rows = read_contacts(self.source, self.loaded.path.parent, self.inline_lines)
        found = (row for row in map(_as_shown, rows) if isinstance(row, Contact))
        return [one for one in found if one.phone in wanted or one.key in wanted]

    def _pass(self, lines: Iterator[PlanLine]) -> tuple[Iterator[PlanLine], Tally]:
        tally = self._tally()
        self.rejected.clear()
        return tally.watch(lines), tally

    def _tally(self) -> Tally:
        campaign, sources = self.draft.policy.campaign, dict(self.templates)
        changed = rules_changed(campaign, self.draft.known.rules)
        parts = (
            changed,
            self._law_tally(),
            CountryTally(self.draft.policy.reach, self.draft.known),
            VariantTally(campaign),
        )
        if self.rounds is not None:
            return RoundsTally(self.rounds, self.name, RulesDigest(campaign, sources), *parts)
        return Tally(self.name, Digest(campaign, sources), *parts)

    def _law_tally(self) -> LawTally | None:
        return LawTally(self.law, self.draft.policy.campaign.purpose, self.now) if self.law is not None else None

    def _rows(self) -> Iterator[Row]:
        for row in read_contacts(self.source, self.loaded.path.parent, self.inline_lines):
            if isinstance(row, RejectedRow):
                self.rejected.append(row)
            yield _as_shown(row)


def _as_shown(row: Row) -> Row:
    """Name the do-not-contact file as the user sees it."""
    if not isinstance(row, Contact) or not row.suppressed_by:
        return row
    file, _, line = row.suppressed_by.rpartition(":")
    return replace(row, suppressed_by=f"{shown_path(Path(file))}:{line}")


def shown_path(path: Path) -> str:
    """Name a file as the user sees it: relative to where they stand, if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
