"""Which variant of a campaign a person gets in a plan: the one that they have, else the one that their hash gives."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from runner.model.campaign import Campaign
from runner.model.plan import PlanLine, PlanStatus, VariantCount
from runner.model.rounds import family_of
from runner.planning.known import KnownContact
from runner.rules.variants import assign


@dataclass(frozen=True, slots=True)
class Given:
    """A person's variant, and what became of the one that they had."""

    name: str
    """empty without one"""
    note: str = ""
    """why it is another one, or means nothing any more; empty in the usual case"""


def given_variant(campaign: Campaign, key: str, known: KnownContact | None) -> Given:
    """Give the variant of a contact key: one that the ledger has stays, whatever became of the weights.

    Somebody to whom something was sent is never moved: whoever had no variant then gets none, and
    the name of one that left the file stays for the results. All rounds of a campaign give a person
    the same one.
    """
    had = known.variant if known is not None else ""
    if had in campaign.variants:
        return Given(had)
    if known is not None and not known.is_unsent:
        return Given(had, f"variant `{had}` is no longer in the file: goes on without it" if had else "")
    weights = {name: variant.weight for name, variant in campaign.variants.items()}
    name = assign(family_of(campaign.campaign), key, weights)
    gone = f"variant `{had}` is no longer in the file: now {f'`{name}`' if name else 'none'}" if had else ""
    return Given(name, gone)


class VariantTally:
    """Counts the people of each variant as the lines of a plan pass."""

    def __init__(self, campaign: Campaign) -> None:
        self._campaign = campaign
        self._counts: Counter[str] = Counter()

    def take(self, line: PlanLine) -> None:
        """Take in the next line; those whom nobody will reach do not count."""
        if line.step_index == 0 and line.status not in {PlanStatus.SKIP, PlanStatus.REMOVE}:
            self._counts[line.variant] += 1

    def summary(self) -> tuple[VariantCount, ...]:
        """Give the count of each variant in the order of the file, then those that are not in it; none without variants."""
        variants, name = self._campaign.variants, self._campaign.campaign
        if not variants and not any(self._counts[one] for one in self._counts if one):
            return ()
        others = sorted(one for one in self._counts if one not in variants)
        return tuple(
            VariantCount(
                campaign=name, variant=one, contacts=self._counts[one],
                weight=variants[one].weight if one in variants else None,
            )
            for one in (*variants, *others)
        )  # fmt: skip
