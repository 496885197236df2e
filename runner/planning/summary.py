"""The sums of a plan, taken in line by line."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from runner.model.campaign import Campaign
from runner.model.plan import PlanLine, PlanStatus, PlanSummary
from runner.planning.countries import CountryTally, combined_countries
from runner.planning.digest import Digest
from runner.planning.law_notes import LawTally, combined_law
from runner.planning.variants import VariantTally


class Tally:
    """Counts the lines of one campaign's plan as they pass, and digests them."""

    def __init__(
        self, campaign: str, digest: Digest, rules_changed: tuple[str, ...] = (), law: LawTally | None = None,
        countries: CountryTally | None = None, variants: VariantTally | None = None,
    ) -> None:  # fmt: skip
        self.campaign = campaign
        self._law = law
        self._countries = countries
        self._variants = variants
        self._rules_changed = rules_changed
        self._digest = digest
        self._counts: Counter[PlanStatus] = Counter()
        self._rejected = 0
        self._skipped = 0
        self._newly_held = 0
        self._contacts = 0
        self._first: datetime | None = None
        self._last: datetime | None = None

    def watch(self, lines: Iterable[PlanLine]) -> Iterator[PlanLine]:
        """Pass the lines on, counting them."""
        for line in lines:
            self._take(line)
            yield line

    def summary(self) -> PlanSummary:
        """Give the sums of what has passed."""
        return PlanSummary(
            campaigns=(self.campaign,),
            contacts=self._contacts,
            counts={status: self._counts[status] for status in PlanStatus},
            rejected=self._rejected,
            skipped=self._skipped,
            newly_held=self._newly_held,
            first=self._first,
            last=self._last,
            digest=self._digest.value(),
            rules_changed=self._rules_changed,
            law=self._law.summary() if self._law is not None else None,
            countries=self._countries.summary() if self._countries is not None else None,
            variants=self._variants.summary() if self._variants is not None else (),
            digests={self.campaign: self._digest.value()},
        )

    def _take(self, line: PlanLine) -> None:
        self._counts[line.status] += 1
        if self._law is not None:
            self._law.take(line)
        if self._countries is not None:
            self._countries.take(line)
        if self._variants is not None:
            self._variants.take(line)
        if line.step_index == 0 and line.status is not PlanStatus.REMOVE:
            self._contacts += 1
        if line.status is PlanStatus.SKIP and not line.stays_in_ledger:
            self._rejected += line.rejected
            self._skipped += not line.rejected
        self._newly_held += line.status is PlanStatus.HOLD and line.changed
        if line.status is not PlanStatus.REMOVE:
            self._digest.add(line)
        if line.not_before is not None and line.status is not PlanStatus.SKIP:
            self._first = min(self._first or line.not_before, line.not_before)
            self._last = max(self._last or line.not_before, line.not_before)


def combined(summaries: Iterable[PlanSummary], digest: str) -> PlanSummary:
    """Add up the sums of several campaigns under one digest."""
    all_of = list(summaries)
    firsts = [one.first for one in all_of if one.first]
    lasts = [one.last for one in all_of if one.last]
    return PlanSummary(
        campaigns=tuple(name for one in all_of for name in one.campaigns),
        contacts=sum(one.contacts for one in all_of),
        counts={status: sum(one.counts[status] for one in all_of) for status in PlanStatus},
        rejected=sum(one.rejected for one in all_of),
        skipped=sum(one.skipped for one in all_of),
        newly_held=sum(one.newly_held for one in all_of),
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        digest=digest,
        rules_changed=tuple(change for one in all_of for change in one.rules_changed),
        law=combined_law([one.law for one in all_of if one.law is not None]),
        rounds=tuple(one for summary in all_of for one in summary.rounds),
        variants=tuple(count for one in all_of for count in one.variants),
        countries=combined_countries([one.countries for one in all_of if one.countries is not None]),
        digests={name: own for one in all_of for name, own in one.digests.items()},
    )


def rules_changed(campaign: Campaign, in_force: Mapping[str, object]) -> tuple[str, ...]:
    """Name the top-level parts of a campaign that differ from what is in force; none when nothing is."""
    if not in_force:
        return ()
    rules = campaign.model_dump(mode="json", exclude_none=True)
    names = sorted({*rules, *in_force})
    return tuple(f"{campaign.campaign}: {name}" for name in names if rules.get(name) != in_force.get(name))
