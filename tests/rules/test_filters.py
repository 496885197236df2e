"""Filters: names, numbers, money, dates, times and phone numbers, written and spoken; and what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.filters import TESTS, FilterRefused, filters_for
from runner.rules.names import first_name, title
from runner.rules.refusal import decimal_of
from runner.rules.templates import RenderFailed, TemplateSet

VALUES: Mapping[str, Any] = {
    "contact": {
        "name": "ANNA VAN DER BERG",
        "amount": "1250.5",
        "day": "2026-12-03",
        "slot": "2026-12-03T15:30:00+00:00",
        "phone": "+12025550143",
        "days": ["tue", "mon", "tue"],
        "people": [{"name": "Ann"}, {"name": "Bo"}],
        "text": "  a few words  ",
        "code": "4711",
    },
    "now": datetime(2026, 12, 3, 15, 30, tzinfo=UTC),
}


def render(source: str, locale: str = "en_US") -> str:
    return TemplateSet({}, locale).compile(source).render(VALUES)


def refusal(source: str, locale: str = "en_US") -> RenderFailed:
    with pytest.raises(RenderFailed) as caught:
        render(source, locale)
    return caught.value


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("anna", "Anna"),
        ("ANNA", "Anna"),
        ("aNNA", "Anna"),
        ("o'neill", "O'Neill"),
        ("O\u2019NEILL", "O\u2019Neill"),
        ("d'angelo", "D'Angelo"),
        ("anna's", "Anna's"),
        ("mcdonald", "McDonald"),
        ("MCDONALD", "McDonald"),
        ("mci", "Mci"),
        ("macdonald", "Macdonald"),
        ("MacDonald", "MacDonald"),
        ("mcDonald", "McDonald"),
        ("DeShawn LaTonya", "DeShawn LaTonya"),
        ("jean-luc picard", "Jean-Luc Picard"),
        ("JEAN-LUC PICARD", "Jean-Luc Picard"),
        ("van der berg", "van der Berg"),
        ("anna van der berg", "Anna van der Berg"),
        ("ANNA VAN DER BERG", "Anna van der Berg"),
        ("Anna van der Berg", "Anna van der Berg"),
        ("Anna Van Der Berg", "Anna Van Der Berg"),
        ("van morrison", "Van Morrison"),
        ("van Berg", "van Berg"),
        ("ludwig von", "Ludwig Von"),
        ("maria de la cruz", "Maria de la Cruz"),
        ("john smith iii", "John Smith III"),
        ("JOHN SMITH JR", "John Smith Jr"),
        ("iv", "Iv"),
        ("j.r. smith", "J.R. Smith"),
        ("josé garcía", "José García"),
        ("ÅSA ÖBERG", "Åsa Öberg"),
        ("  anna   berg ", "  Anna   Berg "),
        ("", ""),
        ("李 小龙", "李 小龙"),
    ],
)
def test_names_get_their_capitals(written: str, name: str) -> None:
    assert title(written) == name


@given(st.text(max_size=30))
def test_title_of_a_title_is_itself(text: str) -> None:
    assert title(title(text)) == title(text)


@given(
    st.lists(
        st.sampled_from(
            ["van", "der", "de", "la", "mc", "mcdonald", "o'neill", "ANNA", "aNNA", "Bo", "iii", "x-y", "d'a"]
        ),
        max_size=5,
    )
)
def test_title_of_names_is_idempotent(words: list[str]) -> None:
    once = title(" ".join(words))
    assert title(once) == once
    assert once.lower() == " ".join(words).lower()


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("anna van der berg", "Anna"),
        ("ANNA", "Anna"),
        ("jean-luc picard", "Jean-Luc"),
        ("dr. anna smith", "Anna"),
        ("Prof Dr anna smith", "Anna"),
        ("Smith, anna", "Anna"),
        ("Smith,", "Smith"),
        ("dr.", "Dr."),
    ],
)
def test_first_names(written: str, name: str) -> None:
    assert first_name(written) == name


def test_nobody_has_no_first_name() -> None:
    with pytest.raises(FilterRefused) as caught:
        first_name("  ")
    assert "has no first name" in caught.value.message


@pytest.mark.parametrize(
    ("source", "locale", "text"),
    [
        ("{{ '1250.5' | money('USD') }}", "en_US", "$1,250.50"),
        ("{{ 1250.5 | money('USD') }}", "en_US", "$1,250.50"),
        ("{{ -3 | money('USD') }}", "en_US", "-$3.00"),
        ("{{ '1250.5' | money('EUR') }}", "de_DE", "1.250,50 €"),
        ("{{ '1250.5' | money('EUR') }}", "fr-FR", "1 250,50 €"),
        ("{{ '1250' | money('JPY') }}", "en_US", "¥1,250"),
        ("{{ '0.1' | float | money('USD') }}", "en_US", "$0.10"),
        ("{{ '1250.5' | number }}", "en_US", "1,250.5"),
        ("{{ '1250.5' | number }}", "de_DE", "1.250,5"),
        ("{{ '42' | spoken_number }}", "en_US", "forty-two"),
        ("{{ '42.5' | spoken_number }}", "en_US", "forty-two point five"),
        ("{{ '42' | spoken_number }}", "de_DE", "zweiundvierzig"),
        ("{{ '42' | spoken_number }}", "fr_FR", "quarante-deux"),
        ("{{ '12.50' | spoken_money('USD') }}", "en_US", "twelve dollars and fifty cents"),
        ("{{ '12' | spoken_money('USD') }}", "en_US", "twelve dollars"),
        ("{{ '1' | spoken_money('EUR') }}", "en_GB", "one euro"),
        ("{{ '12.50' | spoken_money('EUR') }}", "fr_FR", "douze euros, cinquante centimes"),
        ("{{ 3 | ordinal }} {{ '22' | ordinal }}", "en_US", "3rd 22nd"),
        ("{{ '4711' | spoken_digits }}", "en_US", "4 7 1 1"),
        ("{{ '1234567' | spoken_digits }}", "en_US", "1 2 3, 4 5 6 7"),
        ("{{ '123456' | spoken_digits }}", "en_US", "1 2 3, 4 5 6"),
        ("{{ 'AB12-34' | spoken_digits }}", "en_US", "A B 1 2, 3 4"),
        ("{{ 4711 | spoken_digits }}", "en_US", "4 7 1 1"),
    ],
)
def test_numbers(source: str, locale: str, text: str) -> None:
    assert render(source, locale) == text


@pytest.mark.parametrize(
    ("source", "locale", "text"),
    [
        ("{{ contact.day | date }}", "en_US", "December 3, 2026"),
        ("{{ contact.day | date('full') }}", "en_US", "Thursday, December 3, 2026"),
        ("{{ contact.day | date('short') }}", "de_DE", "03.12.26"),
        ("{{ contact.day | date('EEEE d MMMM') }}", "en_US", "Thursday 3 December"),
        ("{{ contact.slot | date('d MMM HH:mm') }}", "en_US", "3 Dec 15:30"),
        ("{{ now | date }}", "de_DE", "3. Dezember 2026"),
        ("{{ contact.slot | time }}", "en_US", "3:30 PM"),
        ("{{ '15:30' | time }}", "en_US", "3:30 PM"),
        ("{{ '15:30' | time }}", "de_DE", "15:30"),
        ("{{ now | time('HH:mm') }}", "en_US", "15:30"),
        ("{{ contact.day | spoken_date }}", "en_US", "Thursday, December third"),
        ("{{ '2026-12-21' | spoken_date }}", "en_GB", "Monday, December twenty-first"),
        ("{{ contact.day | spoken_date }}", "de_DE", "Donnerstag, 3. Dezember"),
        ("{{ contact.day | spoken_date }}", "fr_FR", "jeudi, 3 décembre"),
        ("{{ '15:30' | spoken_time }}", "en_US", "three thirty p.m."),
        ("{{ '09:05' | spoken_time }}", "en_US", "nine oh five a.m."),
        ("{{ '00:10' | spoken_time }}", "en_US", "twelve ten a.m."),
        ("{{ '12:00' | spoken_time }}", "en_US", "noon"),
        ("{{ '00:00' | spoken_time }}", "en_US", "midnight"),
        ("{{ '17:00' | spoken_time }}", "en_US", "five p.m."),
        ("{{ '15:30' | spoken_time }}", "de_DE", "15:30"),
        ("{{ contact.slot | in_zone('America/New_York') | time }}", "en_US", "10:30 AM"),
        ("{{ contact.slot | in_zone('America/New_York') | time('HH:mm z') }}", "en_US", "10:30 EST"),
        ("{{ '2026-12-03T23:30:00Z' | in_zone('Asia/Tokyo') | date }}", "en_US", "December 4, 2026"),
        ("{{ now | in_zone('Asia/Tokyo') | spoken_date }}", "en_US", "Friday, December fourth"),
        ("{{ contact.phone | phone }}", "en_US", "+1 202-555-0143"),
        ("{{ contact.phone | phone('national') }}", "en_US", "(202) 555-0143"),
        ("{{ '+44 20 7946 0123' | phone('national') }}", "en_US", "020 7946 0123"),
        ("{{ '+44 20 7946 0123' | phone('e164') }}", "en_US", "+442079460123"),
        ("{{ contact.phone | spoken_phone }}", "en_US", "2 0 2, 5 5 5, 0 1 4 3"),
        ("{{ '+442079460123' | spoken_phone }}", "en_US", "0 2 0, 7 9 4 6, 0 1 2 3"),
    ],
)
def test_moments_and_phones(source: str, locale: str, text: str) -> None:
    assert render(source, locale) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("{{ contact.name | title }}", "Anna van der Berg"),
        ("{{ contact.name | first_name }}", "Anna"),
        ("{{ contact.name | lower | capitalize }}", "Anna van der berg"),
        ("{{ contact.text | trim }}", "a few words"),
        ("{{ '--a--' | trim('-') }}", "a"),
        ("{{ contact.text | wordcount }}", "3"),
        ("{{ contact.name | replace('VAN DER', 'v. d.') }}", "ANNA v. d. BERG"),
        ("{{ contact.name | truncate(8) }}", "ANNA..."),
        ("{{ contact.name | truncate(8, true) }}", "ANNA ..."),
        ("{{ contact.name | truncate(80) }}", "ANNA VAN DER BERG"),
        ("{{ contact.name | length }} {{ contact.days | count }}", "17 3"),
        ("{{ contact.days | join }} {{ contact.days | join('+') }}", "tuemontue tue+mon+tue"),
        ("{{ contact.people | join(', ', 'name') }}", "Ann, Bo"),
        ("{{ contact.days | sort | unique | join(',') }}", "mon,tue"),
        ("{{ contact.days | first }}{{ contact.days | last }}", "tuetue"),
        ("{{ contact.days | reverse | join(',') }}", "tue,mon,tue"),
        ("{{ [3, 1] | min }}{{ [3, 1] | max }}{{ -3 | abs }}{{ '-2.5' | abs }}", "1332.5"),
        ("{% for a, b in {'x': 1} | items %}{{ a }}{{ b }}{% endfor %}", "x1"),
        ("{{ contact.amount | int }} {{ contact.amount | float }}", "1250 1250.5"),
        ("{{ 'x' | int(0) }} {{ 'x' | float(1.5) }} {{ contact.none | int(7) }}", "0 1.5 7"),
        ("{{ '2.345' | round(2) }} {{ '2.5' | round }}", "2.35 3"),
        ("{{ contact.days | tojson }}", '["tue", "mon", "tue"]'),
        ("{{ 'say \"é\"' | tojson }}", '"say \\"é\\""'),
        ("{{ contact.none | d('x') }}", "x"),
        ("{{ '' | default('x', true) }}", "x"),
        ("{{ 5 | string ~ '%' }}", "5%"),
    ],
)
def test_text_and_lists(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "message", "help"),
    [
        ("{{ 'abc' | money('USD') }}", "`abc` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ '1,250.50' | money('USD') }}", "`1,250.50` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ '$5' | money('USD') }}", "`$5` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ '' | money('USD') }}", "`` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ true | number }}", "`true` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ 'nan' | number }}", "`nan` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ '5' | money('DOLLARS') }}", "`DOLLARS` is not a currency", "write three letters: USD"),
        ("{{ '5' | spoken_money('JPY') }}", "`JPY` cannot be spoken in `en_US`", "write it with digits instead"),
        ("{{ 'x' | int }}", "`x` is not a number", "write it with digits and a dot: 1250.50"),
        ("{{ '0' | ordinal }}", "`0` is not a place in a row", "write a whole number above zero"),
        ("{{ '03/12/2026' | date }}", "`03/12/2026` is not a date", "write year-month-day: 2026-12-03"),
        ("{{ '2026-02-30' | date }}", "`2026-02-30` is not a date", "write year-month-day: 2026-12-03"),
        ("{{ '3pm' | time }}", "`3pm` is not a time", "write it like 15:30 or 2026-12-03T15:30"),
        (
            "{{ contact.day | date('QQQQQQQ') }}",
            "`QQQQQQQ` is not a pattern",
            "write for example: date('EEEE d MMMM'), time('HH:mm')",
        ),
        (
            "{{ '2026-12-03T15:30' | in_zone('Europe/Paris') }}",
            "`2026-12-03T15:30` does not say its own zone",
            "write it with an offset: 2026-12-03T15:30:00Z",
        ),
        ("{{ now | in_zone('Paris') }}", "`Paris` is not a time zone", "write an IANA name: America/New_York"),
        ("{{ now | in_zone('../etc') }}", "`../etc` is not a time zone", "write an IANA name: America/New_York"),
        (
            "{{ '0161 496 0000' | phone }}",
            "`0161 496 0000` is not a phone number",
            "start with + and the country code, for example +12025550143",
        ),
        ("{{ contact.phone | phone('local') }}", "`local` is not a form of phone numbers", "write: phone('national')"),
        ("{{ '---' | spoken_digits }}", "`---` cannot be read digit by digit", "give digits or letters, at most 64"),
        ("{{ 5 | round('x') }}", "`x` is not a number of digits", "write: round(2)"),
        ("{{ 'abc' | join(',') }}", "`abc` is not a list", "join a list: {{ contact.days | join(', ') }}"),
        ("{{ 5 | items }}", "`5` is not a map", "loop over a list: {% for day in contact.days %}"),
        ("{{ 5 | length }}", "`5` has no length", "count text or a list"),
        ("{{ contact.people | join(', ', 'age') }}", "this has no `age`", ""),
    ],
)
def test_what_a_filter_refuses_is_said_in_a_sentence(source: str, message: str, help: str) -> None:
    error = refusal(source)
    assert (error.code, error.message.replace("`this`", "this"), error.help) == ("V08", message, help)


ARGUMENTS = {
    "money": "('USD')",
    "spoken_money": "('USD')",
    "in_zone": "('UTC')",
    "replace": "('a', 'b')",
    "join": "(', ')",
}


@pytest.mark.parametrize("name", sorted(set(filters_for("en_US")) - {"default", "d"}))
def test_every_filter_says_the_name_of_what_is_absent(name: str) -> None:
    error = refusal(
        "{% set x = contact.nobody | " + name + ARGUMENTS.get(name, "") + " %}{% for y in [x] %}{{ y }}{% endfor %}"
    )
    assert (error.code, error.fault.name) == ("V02", "contact.nobody")


def test_a_language_without_numbers_says_so() -> None:
    assert refusal("{{ '42' | spoken_number }}", "el_GR").message == "numbers cannot be spoken in `el_GR`"


def test_every_filter_of_ours_has_a_docstring_and_every_test_exists() -> None:
    templates = TemplateSet({}, "en_US")
    for name in TESTS:
        assert callable(templates.environment.tests[name])
    ours = [name for name, function in filters_for("en_US").items() if function.__module__.startswith("runner")]
    assert {"money", "spoken_date", "title", "in_zone", "phone", "tojson"} <= set(ours)
    for name, function in filters_for("en_US").items():
        if name not in {"capitalize", "lower", "upper", "string", "wordcount"}:
            assert function.__doc__, name


@pytest.mark.parametrize(
    "name", ["attr", "format", "xmlattr", "safe", "escape", "map", "select", "urlize", "pprint", "random"]
)
def test_filters_that_reach_too_far_are_gone(name: str) -> None:
    assert name not in filters_for("en_US")


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**14), max_value=10**14, places=2))
def test_numbers_are_read_exactly(number: Decimal) -> None:
    assert decimal_of(str(number)) == number


@given(st.one_of(st.text(max_size=20), st.integers(), st.floats(), st.booleans(), st.none()))
def test_every_value_is_a_number_or_refused(value: object) -> None:
    try:
        number = decimal_of(value)
    except FilterRefused:
        assert not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 10**15
    else:
        assert number.is_finite()


@given(st.dates(min_value=date(1, 1, 1)), st.times())
def test_every_date_and_time_is_written(day: date, at: time) -> None:
    filters = filters_for("en_US")
    for name, value in (("date", day.isoformat()), ("spoken_date", day), ("time", at), ("spoken_time", at.isoformat())):
        text = filters[name](value)
        assert text
        assert "\xa0" not in text
        assert "\u202f" not in text
