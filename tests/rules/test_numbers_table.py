"""A table of numbers: type, country, zones, and what a campaign makes of each whose only from-number is American.

All are kept free for fiction, or stand in ranges of services and end in zeros: nobody can be reached on them.
"""

from __future__ import annotations

import pytest

from runner.model.campaign import Campaign
from runner.rules.countries import NO_COUNTRY, country_of, never_reached, out_of_reach, reach_of
from runner.rules.numbers import NumberRefused, candidate_zones, read_number
from tests.building import campaign

# as written | country of numbers without + | its own country | type | its zone, or how many | verdict
TABLE = """\
+12025550143      | -  | US  | fixed_line_or_mobile | America/New_York      | reached
+1 (303) 555-0143 | -  | US  | fixed_line_or_mobile | America/Denver        | reached
+13125550100      | -  | US  | fixed_line_or_mobile | America/Chicago       | reached
+19075550100      | -  | US  | fixed_line_or_mobile | 2                     | reached
+18085550100      | -  | US  | fixed_line_or_mobile | Pacific/Honolulu      | reached
+16025550123      | -  | US  | fixed_line_or_mobile | America/Phoenix       | reached
+14165550123      | -  | CA  | fixed_line_or_mobile | America/Toronto       | another country
+17095550123      | -  | CA  | fixed_line_or_mobile | 2                     | another country
+18675550123      | -  | CA  | fixed_line_or_mobile | America/Fort_Nelson   | another country
+18765550123      | -  | JM  | mobile               | many                  | another country
+18095550123      | -  | DO  | fixed_line_or_mobile | America/Santo_Domingo | another country
+12425550123      | -  | BS  | fixed_line_or_mobile | America/Nassau        | another country
+18685550123      | -  | TT  | fixed_line_or_mobile | America/Port_of_Spain | another country
+14415550123      | -  | BM  | fixed_line_or_mobile | Atlantic/Bermuda      | another country
+16715550123      | -  | GU  | fixed_line_or_mobile | Pacific/Guam          | another country
+17875550123      | -  | PR  | fixed_line_or_mobile | America/Puerto_Rico   | another country
+44 20 7946 0123  | -  | GB  | fixed_line           | Europe/London         | another country
+447700900123     | -  | GB  | mobile               | 3                     | another country
+448081570123     | -  | GB  | toll_free            | 4                     | is a toll-free number, and `number_types` does not name toll_free
+449098790123     | -  | GB  | premium_rate         | 4                     | is a premium-rate number
+443069990123     | -  | GB  | uan                  | 4                     | is a company's number for all its lines (UAN)
+447000000000     | -  | GB  | personal_number      | 4                     | is a personal number, which is forwarded at a price of its own
+447640000000     | -  | GB  | pager                | 4                     | is a pager
+445600000000     | -  | GB  | voip                 | 4                     | is a VoIP number, and `number_types` does not name voip
+448430000000     | -  | GB  | premium_rate         | 4                     | is a premium-rate number
+61491570156      | -  | AU  | mobile               | 8                     | another country
+61255501234      | -  | AU  | fixed_line           | Australia/Sydney      | another country
+61870101234      | -  | AU  | fixed_line           | 2                     | another country
+611900654321     | -  | AU  | premium_rate         | 8                     | is a premium-rate number
+611300975707     | -  | AU  | shared_cost          | 8                     | is a shared-cost number, for which the caller pays more
+611800160401     | -  | AU  | toll_free            | 8                     | is a toll-free number, and `number_types` does not name toll_free
+33639981234      | -  | FR  | mobile               | Europe/Paris          | another country
+33899000000      | -  | FR  | premium_rate         | Europe/Paris          | is a premium-rate number
+33805000000      | -  | FR  | toll_free            | Europe/Paris          | is a toll-free number, and `number_types` does not name toll_free
+33810000000      | -  | FR  | shared_cost          | Europe/Paris          | is a shared-cost number, for which the caller pays more
+493023125123     | -  | DE  | fixed_line           | Europe/Berlin         | another country
+491713920012     | -  | DE  | mobile               | Europe/Berlin         | another country
+4915228817386    | -  | DE  | mobile               | Europe/Berlin         | another country
+499001000000     | -  | DE  | premium_rate         | Europe/Berlin         | is a premium-rate number
+491371000000     | -  | DE  | shared_cost          | Europe/Berlin         | is a shared-cost number, for which the caller pays more
+498001000000     | -  | DE  | toll_free            | Europe/Berlin         | is a toll-free number, and `number_types` does not name toll_free
+4970000000000    | -  | DE  | personal_number      | Europe/Berlin         | is a personal number, which is forwarded at a price of its own
+4916400000       | -  | DE  | pager                | Europe/Berlin         | is a pager
+46701740605      | -  | SE  | mobile               | Europe/Stockholm      | another country
+4684650041       | -  | SE  | fixed_line           | Europe/Stockholm      | another country
+353209100000     | -  | IE  | fixed_line           | 3                     | another country
+3531520000000    | -  | IE  | premium_rate         | 3                     | is a premium-rate number
+3531550000000    | -  | IE  | premium_rate         | 3                     | is a premium-rate number
+18005550147      | -  | US  | toll_free            | many                  | is a toll-free number, and `number_types` does not name toll_free
+19005550147      | -  | US  | premium_rate         | many                  | is a premium-rate number
+15005550123      | -  | US  | personal_number      | many                  | is a personal number, which is forwarded at a price of its own
+80000000000      | -  | 001 | toll_free            | 0                     | belongs to no country, as those of satellite phones and of international services do
+870770000000     | -  | 001 | mobile               | 0                     | belongs to no country, as those of satellite phones and of international services do
+881600000000     | -  | 001 | mobile               | 0                     | belongs to no country, as those of satellite phones and of international services do
+882160000000     | -  | 001 | voip                 | 0                     | belongs to no country, as those of satellite phones and of international services do
+883510000000     | -  | 001 | voip                 | 0                     | belongs to no country, as those of satellite phones and of international services do
+878100000000000  | -  | 001 | voip                 | 0                     | belongs to no country, as those of satellite phones and of international services do
+78005550123      | -  | RU  | toll_free            | many                  | is a toll-free number, and `number_types` does not name toll_free
+78095550123      | -  | RU  | premium_rate         | many                  | is a premium-rate number
+34901000000      | -  | ES  | shared_cost          | 2                     | is a shared-cost number, for which the caller pays more
+34803000000      | -  | ES  | premium_rate         | 2                     | is a premium-rate number
+34700000000      | -  | ES  | personal_number      | 2                     | is a personal number, which is forwarded at a price of its own
+41900000000      | -  | CH  | premium_rate         | Europe/Zurich         | is a premium-rate number
+41860000000000   | -  | CH  | voicemail            | Europe/Zurich         | is a voicemail box
+43720000000      | -  | AT  | voip                 | Europe/Vienna         | is a VoIP number, and `number_types` does not name voip
+31880000000      | -  | NL  | uan                  | Europe/Amsterdam      | is a company's number for all its lines (UAN)
+39899000000      | -  | IT  | premium_rate         | 2                     | is a premium-rate number
+4782000000       | -  | NO  | premium_rate         | 2                     | is a premium-rate number
+358600000000     | -  | FI  | premium_rate         | 2                     | is a premium-rate number
+27860000000      | -  | ZA  | shared_cost          | Africa/Johannesburg   | is a shared-cost number, for which the caller pays more
+810990000000     | -  | JP  | premium_rate         | Asia/Tokyo            | is a premium-rate number
911               | US | -   | -                    | 0                     | `911` is an emergency number
112               | DE | -   | -                    | 0                     | `112` is an emergency number
999               | GB | -   | -                    | 0                     | `999` is an emergency number
000               | AU | -   | -                    | 0                     | `000` is an emergency number
17                | FR | -   | -                    | 0                     | `17` is an emergency number
411               | US | -   | -                    | 0                     | `411` is a short number, which works in US alone
46645             | US | -   | -                    | 0                     | `46645` is a short number, which works in US alone
118500            | GB | -   | -                    | 0                     | `118500` is a short number, which works in GB alone
116117            | DE | -   | -                    | 0                     | `116117` is a short number, which works in DE alone
(202) 555-0143    | US | US  | fixed_line_or_mobile | America/New_York      | reached
020 7946 0123     | GB | GB  | fixed_line           | Europe/London         | another country
0491 570 156      | AU | AU  | mobile               | 8                     | another country
06 39 98 12 34    | FR | FR  | mobile               | Europe/Paris          | another country
"""
ANOTHER = "is of {0}, and its agents' numbers are of US; write countries: US, {0}"
MANY = 10
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in TABLE.splitlines()]


def american(**changes: object) -> Campaign:
    agents = {"caller": {"provider": "revring", "id": "agent-1", "from": "+12025550100"}}
    return campaign(agent=None, agents=agents, **changes)


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(ROWS) >= 80
    assert len({row[0] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("written", "country", "region", "kind", "zone", "verdict"), ROWS, ids=[row[0] for row in ROWS]
)
def test_a_number(written: str, country: str, region: str, kind: str, zone: str, verdict: str) -> None:
    assumed = None if country == "-" else country
    if region == "-":
        with pytest.raises(NumberRefused) as refused:
            read_number(written, assumed)
        assert refused.value.message == verdict
        return
    number = read_number(written, assumed)
    assert (number.region, number.kind) == (region, kind)
    zones = candidate_zones(number.e164)
    assert zone == (zones[0] if len(zones) == 1 else "many" if len(zones) >= MANY else str(len(zones)))
    found = out_of_reach(reach_of(american()), number.region, number.kind)
    expected = ANOTHER.format(region) if verdict == "another country" else verdict
    assert (found.reason if found else "reached") == (f"the number {expected}" if found else verdict)


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "-"], ids=lambda row: row[0])
def test_no_setting_lets_a_number_be_reached_that_never_is(row: tuple[str, ...]) -> None:
    """Whatever a campaign allows: premium rate and the like stay out, everything else comes in."""
    number = read_number(row[0], None if row[1] == "-" else row[1])
    of = american(
        countries=[number.region if number.region != NO_COUNTRY else "US"],
        number_types="mobile, fixed_line, fixed_line_or_mobile, voip, toll_free",
    )
    found = out_of_reach(reach_of(of), number.region, number.kind)
    never = never_reached(number)
    assert (found is not None) == bool(never)
    assert never == "" or (found is not None and found.source == "" and found.reason == f"the number {never}")


def test_countries_are_those_of_the_from_numbers_by_region_and_not_by_prefix() -> None:
    reach = reach_of(american())
    assert (reach.countries, reach.source) == (("US",), "agents")
    found = out_of_reach(reach, country_of("+18765550123"), "mobile")
    assert found is not None
    assert (found.source, "JM" in found.reason) == ("agents", True)


def test_countries_that_are_named_count_in_place_of_the_from_numbers() -> None:
    reach = reach_of(american(countries="ca, jm"))
    assert (reach.countries, reach.source) == (("CA", "JM"), "countries")
    assert out_of_reach(reach, "JM", "mobile") is None
    found = out_of_reach(reach, "US", "mobile")
    assert found is not None
    assert found.reason == "the number is of US, and the campaign's countries are CA, JM; write countries: CA, JM, US"
    assert found.source == "countries"


def test_without_any_from_number_every_country_is_reached() -> None:
    reach = reach_of(campaign())
    assert (reach.countries, reach.source) == ((), "")
    assert out_of_reach(reach, "NZ", "mobile") is None


def test_from_numbers_of_several_countries_add_up() -> None:
    agents = {
        "one": {"provider": "revring", "id": "a", "from": "+12025550100"},
        "two": {"provider": "revring", "id": "b", "from": "+442079460100"},
        "three": "movoice/agent_3",
    }
    of = campaign(agent=None, agents=agents, steps=[{"call": "one"}, {"call": "two"}, {"call": "three"}])
    assert reach_of(of).countries == ("US", "GB")


@pytest.mark.parametrize(("kind", "allowed"), [("voip", "voip"), ("toll_free", "mobile, toll_free")])
def test_types_that_can_be_added(kind: str, allowed: str) -> None:
    found = out_of_reach(reach_of(american()), "US", kind)
    assert found is not None
    assert (found.source, f"does not name {kind}" in found.reason) == ("number_types", True)
    assert out_of_reach(reach_of(american(number_types=allowed)), "US", kind) is None
    assert out_of_reach(reach_of(american(number_types=allowed)), "US", "fixed_line") is not None
