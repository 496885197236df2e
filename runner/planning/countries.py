"""The countries that a plan's people are in, and which of them the ledger has nobody of yet."""

from __future__ import annotations

from collections import Counter

from runner.model.plan import Countries, CountryCount, PlanLine, PlanStatus
from runner.planning.known import KnownCampaign, KnownContact
from runner.rules.countries import Reach, country_of

_REACHED = frozenset({PlanStatus.CREATE, PlanStatus.CHANGE, PlanStatus.KEEP})


class CountryTally:
    """Takes in the lines of one campaign's plan; keeps one count for each country."""

    def __init__(self, reach: Reach, known: KnownCampaign) -> None:
        self._reach = reach
        self._known = known
        self._people: Counter[str] = Counter()

    def take(self, line: PlanLine) -> None:
        """Take in a line; only those of people who are reached count, each person once."""
        if line.step_index == 0 and line.status in _REACHED and line.country:
            self._people[line.country] += 1

    def summary(self) -> Countries:
        """Give the countries by the number of their people, those of most first."""
        new = self._new()
        return Countries(
            counts=tuple(
                CountryCount(country=country, contacts=people, is_new=country in new)
                for country, people in sorted(self._people.items(), key=lambda one: (-one[1], one[0]))
            ),
            is_limited=bool(self._reach.countries),
        )

    def _new(self) -> frozenset[str]:
        """Give the countries of which the ledger has nobody; none for a campaign that was never applied."""
        if not self._known.digest and not self._known.contacts:
            return frozenset()
        left = set(self._people)
        for one in self._known.contacts.values():
            if not left:
                break
            left.discard(_country(one))
        return frozenset(left)


def _country(known: KnownContact) -> str:
    """Give the country of somebody in the ledger; their law begins with the number's own country, which is read faster."""
    return known.jurisdictions[0].partition("-")[0] if known.jurisdictions else country_of(known.phone)


def combined_countries(found: list[Countries]) -> Countries | None:
    """Add up the countries of several campaigns' plans; None where no plan tells any."""
    if not found:
        return None
    people: Counter[str] = Counter()
    new: set[str] = set()
    for one in found:
        for count in one.counts:
            people[count.country] += count.contacts
            if count.is_new:
                new.add(count.country)
    counts = sorted(people.items(), key=lambda one: (-one[1], one[0]))
    return Countries(
        counts=tuple(CountryCount(country=name, contacts=count, is_new=name in new) for name, count in counts),
        is_limited=all(one.is_limited for one in found),
    )
