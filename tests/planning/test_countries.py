"""The countries of a plan's people, and what its first lines say about them."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console

from runner.model.campaign import Campaign
from runner.model.contact import Contact
from runner.model.move import ContactState
from runner.model.plan import Countries, CountryCount, PlanLine, PlanStatus
from runner.planning.countries import CountryTally, combined_countries
from runner.planning.known import KnownCampaign, KnownContact
from runner.report.plan_view import PlanExcerpt, PlanHeading, print_plan
from runner.rules.countries import reach_of
from tests.building import NOON, campaign, contact, draft, planned

AMERICAN, JAMAICAN, BRITISH = "+12025550143", "+18765550143", "+447700900143"
AGENT = {"caller": {"provider": "revring", "id": "agent-1", "from": "+12025550100"}}


def ringing(**rules: Any) -> Campaign:
    return campaign(agent=None, agents=AGENT, **rules)


def people(*numbers: str) -> list[Contact]:
    return [contact(at, key=number, phone=number) for at, number in enumerate(numbers)]


def lines_of(of: Campaign, *numbers: str) -> list[PlanLine]:
    return planned(draft(of), people(*numbers))[0]


def known(*numbers: str, law: bool = False) -> KnownCampaign:
    return KnownCampaign(
        digest="sha256:x",
        contacts={
            one: KnownContact(
                phone=one, state=ContactState.PENDING, fingerprints={}, attempts={},
                jurisdictions=("US", "US-DC") if law else (),
            )
            for one in numbers
        },
    )  # fmt: skip


def tallied(of: Campaign, held: KnownCampaign, *numbers: str) -> Countries:
    tally = CountryTally(reach_of(of), held)
    for line in lines_of(of, *numbers):
        tally.take(line)
    return tally.summary()


def counts(found: Countries) -> list[tuple[str, int, bool]]:
    return [(one.country, one.contacts, one.is_new) for one in found.counts]


def test_people_of_other_countries_are_skipped_and_told_what_to_write() -> None:
    american, jamaican = lines_of(ringing(), AMERICAN, JAMAICAN)
    assert (american.status, american.country, american.number_type) == (
        PlanStatus.CREATE, "US", "fixed_line_or_mobile"
    )  # fmt: skip
    assert (jamaican.status, jamaican.country, jamaican.source) == (PlanStatus.SKIP, "JM", "agents")
    assert jamaican.reason.endswith("write countries: US, JM")
    assert not jamaican.rejected
    assert lines_of(ringing(countries="US, JM"), JAMAICAN)[0].status is PlanStatus.CREATE


def test_only_people_who_are_reached_count_and_each_once() -> None:
    two = [{"call": "caller"}, {"call": "caller", "name": "again", "after": "1d"}]
    found = tallied(ringing(steps=two, countries="US, GB"), KnownCampaign(), AMERICAN, BRITISH, JAMAICAN)
    assert counts(found) == [("GB", 1, False), ("US", 1, False)]
    assert found.is_limited


def test_nothing_is_new_about_a_campaign_that_never_was_applied() -> None:
    assert counts(tallied(campaign(), KnownCampaign(), AMERICAN, JAMAICAN)) == [("JM", 1, False), ("US", 1, False)]


@pytest.mark.parametrize("law", [False, True])
def test_a_country_that_the_ledger_has_nobody_of_is_new(law: bool) -> None:
    found = tallied(campaign(), known(AMERICAN, law=law), AMERICAN, JAMAICAN)
    assert counts(found) == [("JM", 1, True), ("US", 1, False)]


def test_somebody_who_was_contacted_once_makes_the_country_an_old_one() -> None:
    assert counts(tallied(campaign(), known(AMERICAN, JAMAICAN), "+18765550144")) == [("JM", 1, False)]


def test_an_applied_campaign_without_people_has_no_country_yet() -> None:
    assert counts(tallied(campaign(), known(), AMERICAN)) == [("US", 1, True)]


def test_campaigns_add_up() -> None:
    one = Countries(counts=(CountryCount(country="US", contacts=2),), is_limited=True)
    two = Countries(
        counts=(CountryCount(country="US", contacts=1), CountryCount(country="CA", contacts=5, is_new=True)),
        is_limited=False,
    )
    both = combined_countries([one, two])
    assert both is not None
    assert (counts(both), both.is_limited) == ([("CA", 5, True), ("US", 3, False)], False)
    assert combined_countries([]) is None


def printed(countries: Countries) -> list[str]:
    _, summary = planned(draft(campaign()), people(AMERICAN))
    stream = io.StringIO()
    heading = PlanHeading(campaign="renewals", as_of=NOON, git_commit="", tzdata="2026.1")
    print_plan(
        Console(file=stream, width=200), heading, replace(summary, countries=countries), PlanExcerpt(), masked=False
    )
    return stream.getvalue().splitlines()


def test_a_new_country_stands_in_the_first_lines() -> None:
    found = Countries(
        counts=(CountryCount(country="US", contacts=9), CountryCount(country="JM", contacts=1, is_new=True)),
        is_limited=True,
    )
    assert [line.strip() for line in printed(found)[1:3]] == [
        "! new countries: JM (1 contact)",
        "countries: US 9, JM 1",
    ]


def test_where_no_from_number_is_known_the_first_lines_name_every_country() -> None:
    found = Countries(
        counts=(CountryCount(country="US", contacts=9), CountryCount(country="JM", contacts=1)), is_limited=False
    )
    assert printed(found)[1].strip() == (
        "! any country, as no from-number tells one: US 9, JM 1; write countries: JM, US"
    )


def test_the_one_country_of_the_from_number_goes_without_saying() -> None:
    found = Countries(counts=(CountryCount(country="US", contacts=9),), is_limited=True)
    assert "countries" not in "".join(printed(found))
