"""Phone numbers: what is understood, what is refused and why, where a number may live."""

from __future__ import annotations

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import parse, timezone
from phonenumbers.tzdata import TIMEZONE_DATA

from runner.rules.fictional import FICTIONAL, fictional_range
from runner.rules.numbers import NumberRefused, candidate_zones, is_country, read_number


@pytest.mark.parametrize(
    ("text", "country", "e164"),
    [
        ("+12025550143", None, "+12025550143"),
        (" +1 (202) 555-0143 ", None, "+12025550143"),
        ("+1.202.555.0143", None, "+12025550143"),
        ("'+12025550143", None, "+12025550143"),
        ("\uff0b\uff11\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff14\uff13", None, "+12025550143"),
        ("+1\u00a0202\u2011555\u20130143", None, "+12025550143"),
        ("\u202a+1 202 555 0143\u202c", None, "+12025550143"),
        ("+\u0661\u0662\u0660\u0662\u0665\u0665\u0665\u0660\u0661\u0664\u0663", None, "+12025550143"),
        ("(+44) (0)20 7946 0123", None, "+442079460123"),
        ("+4401614960000", None, "+441614960000"),
        ("0161 496 0000", "GB", "+441614960000"),
        ("00 44 161 496 0000", "FR", "+441614960000"),
        ("011 44 161 496 0000", "US", "+441614960000"),
        ("030/23125000", "DE", "+493023125000"),
        ("202 555 0143", "US", "+12025550143"),
        ("+390612345678", None, "+390612345678"),
    ],
)
def test_a_number_is_read_however_it_is_written(text: str, country: str | None, e164: str) -> None:
    assert read_number(text, country).e164 == e164


@pytest.mark.parametrize(
    ("text", "country", "code", "sentence"),
    [
        ("", None, "P01", "there is no phone number"),
        (" \u00a0", "GB", "P01", "there is no phone number"),
        ("0161 496 0000", None, "P02", "`0161 496 0000` has no country code"),
        ("0044 161 496 0000", None, "P02", "`0044 161 496 0000` starts with 00 instead of +"),
        ("12025550143", None, "P02", "`12025550143` has no country code"),
        ("0161 496 0000", "UK", "P02", "`UK` is not a country"),
        ("1.41556E+10", None, "P04", "a spreadsheet turned this number into `1.41556E+10` and lost digits"),
        ("4,47E11", "GB", "P04", "a spreadsheet turned this number into `4,47E11` and lost digits"),
        ("12025550143.0", None, "P04", "a spreadsheet turned this number into the decimal `12025550143.0`"),
        ("#N/A", None, "P04", "a spreadsheet wrote `#N/A` where a number was"),
        ("########", None, "P04", "a spreadsheet wrote `########` where a number was"),
        ("+1-800-FLOWERS", None, "P03", "`+1-800-FLOWERS` has letters in it"),
        ("unknown", "US", "P03", "`unknown` has letters in it"),
        ("---", "US", "P03", "`---` is not a phone number"),
        ("+1 202 555 0143 x12", None, "P03", "`+1 202 555 0143 x12` has an extension, which nobody dials"),
        ("202 555 0143 ext. 9", "US", "P03", "`202 555 0143 ext. 9` has an extension, which nobody dials"),
        ("+12025550143;ext=9", None, "P03", "`+12025550143;ext=9` has an extension, which nobody dials"),
        ("+1 202 555 0143, +1 202 555 0144", None, "P03", "`+1 202 555 0143, +1 202 555 0144` is more than one number"),
        ("030 23125 000/1", "DE", "P03", "`030 23125 000/1` is more than one number"),
        ("112", "GB", "P03", "`112` is an emergency number"),
        ("911", None, "P03", "`911` is an emergency number"),
        ("000", "AU", "P03", "`000` is an emergency number"),
        ("40404", "US", "P03", "`40404` is a short number, which works in US alone"),
        ("4711", None, "P03", "`4711` is too short"),
        ("+1202555", None, "P03", "`+1202555` is too short"),
        ("+44", None, "P03", "`+44` is not a phone number"),
        ("5550143", "US", "P03", "`5550143` is too short"),
        ("+1202555014312", None, "P03", "`+1202555014312` is too long"),
        ("+8812345678901234567890", None, "P03", "`+8812345678901234567890` is too long"),
        ("12025550143", "GB", "P03", "`12025550143` is too long"),
        ("+12021550143", None, "P03", "`+12021550143` is not a number in use"),
        ("+19995550143", None, "P03", "`+19995550143` is not a number in use"),
        ("+999123456789", None, "P03", "`+999123456789` starts with no country code that exists"),
        ("+12025550143\u202e", None, "P03", "`+12025550143\u202e` is not a phone number"),
    ],
)
def test_what_is_no_number_is_refused_with_a_reason(text: str, country: str | None, code: str, sentence: str) -> None:
    with pytest.raises(NumberRefused) as caught:
        read_number(text, country)
    assert (caught.value.code, caught.value.message) == (code, sentence)
    assert caught.value.help


def test_a_missing_country_says_what_to_paste() -> None:
    with pytest.raises(NumberRefused) as caught:
        read_number("0161 496 0000", None)
    assert caught.value.help == "say which country: contacts: {file: ..., country: GB}"


def test_every_fictional_number_counts_as_a_number() -> None:
    for span in FICTIONAL:
        for e164 in (span.first, span.last):
            number = read_number(e164, None)
            assert (number.e164, number.region) == (e164, span.region), span
            assert number.kind


def test_fictional_ranges_are_ordered_and_apart() -> None:
    ends = [(int(span.first), int(span.last)) for span in FICTIONAL]
    assert all(len(span.first) == len(span.last) and int(span.first) <= int(span.last) for span in FICTIONAL)
    assert all(before[1] < after[0] for before, after in pairwise(ends))


@pytest.mark.parametrize(
    ("e164", "keeper"),
    [
        ("+447700900000", "Ofcom"), ("+447700900999", "Ofcom"), ("+447700901000", None), ("+447700899999", None),
        ("+61491570156", "ACMA"), ("+61491570155", None), ("+33639981234", "ARCEP"), ("+33639991234", None),
        ("+493023125999", "BNetzA"), ("+4930231250", None), ("+46701740604", None), ("+46701740605", "PTS"),
        ("+46701740700", None), ("+353209100000", "ComReg"), ("+12025550100", "NANPA"), ("+12025550199", "NANPA"),
        ("+12025550200", None),
    ],
)  # fmt: skip
def test_a_range_ends_where_its_keeper_says(e164: str, keeper: str | None) -> None:
    span = fictional_range(e164)
    assert (span.keeper if span else None) == keeper


@pytest.mark.parametrize(
    ("e164", "region"),
    [
        ("+12425550143", "BS"),
        ("+12465550143", "BB"),
        ("+18685550143", "TT"),
        ("+18765550143", "JM"),
        ("+14165550143", "CA"),
    ],
)
def test_a_north_american_number_belongs_to_its_area_codes_country(e164: str, region: str) -> None:
    assert read_number(e164, None).region == region


@pytest.mark.parametrize(
    ("e164", "kind"),
    [
        ("+447700900123", "mobile"), ("+442079460123", "fixed_line"), ("+12025550143", "fixed_line_or_mobile"),
        ("+18005550199", "toll_free"), ("+19005550199", "premium_rate"),
    ],
)  # fmt: skip
def test_the_kind_of_number_is_told(e164: str, kind: str) -> None:
    assert read_number(e164, None).kind == kind


@pytest.mark.parametrize(
    ("e164", "zones"),
    [
        ("+12025550143", ("America/New_York",)),
        ("+12425550143", ("America/Nassau",)),
        ("+12085550143", ("America/Boise", "America/Los_Angeles")),
        ("+493023125123", ("Europe/Berlin",)),
        ("+447700900123", ("Europe/Guernsey", "Europe/Isle_of_Man", "Europe/London")),
        ("+46701740612", ("Europe/Stockholm",)),
        ("+999123456789", ()),
        ("+1", ()),
        ("+", ()),
    ],
)
def test_zones_that_a_number_may_be_in(e164: str, zones: tuple[str, ...]) -> None:
    assert candidate_zones(e164) == zones


def test_toll_free_numbers_fit_many_zones_in_order() -> None:
    zones = candidate_zones("+18005550199")
    assert len(zones) > 30
    assert list(zones) == sorted(zones)
    assert "Etc/Unknown" not in zones


def test_area_code_and_exchange_settle_a_north_american_zone() -> None:
    assert max(len(prefix) for prefix in TIMEZONE_DATA if prefix.startswith("1")) <= 7


@given(st.integers(200, 999), st.integers(200, 999), st.integers(0, 9999))
def test_the_zone_cache_says_what_the_library_says(area: int, exchange: int, line: int) -> None:
    e164 = f"+1{area}{exchange}{line:04}"
    expected = [zone for zone in timezone.time_zones_for_number(parse(e164, None)) if zone != "Etc/Unknown"]
    if not fictional_range(e164) and not fictional_range(f"{e164[:8]}0100"):
        assert candidate_zones(e164) == tuple(sorted(expected))


@given(st.text(max_size=40), st.sampled_from([None, "GB", "US", "DE"]))
def test_any_text_is_read_or_refused(text: str, country: str | None) -> None:
    try:
        number = read_number(text, country)
    except NumberRefused:
        return
    assert read_number(number.e164, None) == number


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_the_short_cut_for_e164_says_what_the_long_way_says(e164: str) -> None:
    def outcome(text: str) -> object:
        try:
            return read_number(text, None)
        except NumberRefused as refused:
            return refused.code

    assert outcome(e164) == outcome(f"{e164[:4]} {e164[4:]}")


def test_countries_are_known() -> None:
    assert is_country("GB")
    assert not is_country("UK")


def test_importing_loads_no_number_tables() -> None:
    code = "import sys, runner.rules.numbers; sys.exit('phonenumbers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[2]).returncode == 0
