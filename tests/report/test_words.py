"""Masked texts: no digit of a number but its country and its end, and where asked every column kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.words import (
    masked_as_quoted,
    masked_in_place,
    masked_quotes,
    masked_reason,
    masked_row,
    masked_text,
    shown_phone,
)
from runner.rules.pseudonyms import Pseudonyms, country_code

OURS = Pseudonyms(bytes(range(32)))
SHORT = OURS.short("+12025550143")
PERSON = f"+1***0143#{SHORT}"


@pytest.mark.parametrize(
    ("text", "masked", "in_place"),
    [
        ("+12025550143, key +12025550143", f"{PERSON}, key {PERSON}", "+1******0143, key +1******0143"),
        ("+1 (202) 555-0143", PERSON, "+1 (***) ***-0143"),
        ("0012025550143", PERSON, "001******0143"),
        ("202-555-0143 said no", "***0143 said no", "***-***-0143 said no"),
        ("`0161 496 0000` has", "`***0000` has", "`**** *** 0000` has"),
        ("555-0143", "***", "***-****"),
        ("on 2026-12-01 16:00 UTC", "on 2026-12-01 16:00 UTC", "on 2026-12-01 16:00 UTC"),
        ("127.0.0.1:8600", "127.0.0.1:8600", "127.0.0.1:8600"),
        ("row 123456, 99 people", "row 123456, 99 people", "row 123456, 99 people"),
    ],
)
def test_numbers_in_a_text_are_masked_however_they_are_written(text: str, masked: str, in_place: str) -> None:
    assert masked_text(text, OURS) == masked
    assert masked_in_place(text) == in_place


@given(st.from_regex(r"(\+|00)[1-9][0-9]{6,14}", fullmatch=True), st.sampled_from(["", " ", "-", ". "]), st.data())
def test_no_more_is_shown_than_country_and_end(number: str, between: str, data: st.DataObject) -> None:
    digits = number.removeprefix("+").removeprefix("00")
    head, tail = number[: len(number) - len(digits)], list(digits)
    cuts = data.draw(st.sets(st.integers(1, len(tail) - 1)))
    written = head + "".join(f"{between}{one}" if at in cuts else one for at, one in enumerate(tail))

    for said in (masked_text(f"call {written}!"), masked_in_place(f"call {written}!")):
        shown = "".join(one for one in said if one.isdecimal()).removeprefix(
            "00" if "*" in said and head == "00" else ""
        )
        assert len(shown) <= len(country_code(digits)) + 4
        assert digits not in said
        assert not shown or (digits.startswith(shown[: len(country_code(digits))]) and digits.endswith(shown[-2:]))
    assert len(masked_in_place(written)) == len(written)


@pytest.mark.parametrize(
    ("row", "masked"),
    [
        ('{"phone":2025550197,"name":"Ann 2"}', '{"phone":******0197,"name":"Ann 2"}'),
        ('{"phone":2025550197,"age":44}', '{"phone":******0197,"age":44}'),
        ("tel:2025550177,Ann", "tel:******0177,Ann"),
        ("12025550194x,Ann", "*******0194x,Ann"),
        ("+12025550194x12,Ann", "+1******0194x12,Ann"),
        ("2025550194ext3,Ann", "******0194ext3,Ann"),
        ("2025550194: call,Ann", "******0194: call,Ann"),
        ("note:2025550194", "note:******0194"),
        ("https://wa.me/12025550194", "https://wa.me/*******0194"),
        ("202/555/0144,Ann", "***/***/0144,Ann"),
        ("-2025550194,Ann", "-******0194,Ann"),
        ("id_12025550194,Ann", "id_*******0194,Ann"),
        ("+12025550177,Ann,12.50,26", "+1******0177,Ann,12.50,26"),
        ("7,+12025550177,+12025550178", "*,+1******0177,+1******0178"),
        ("202;555;0144", "***;***;****"),
        ("٢٠٢٥٥٥٠١٤٣,b", "******٠١٤٣,b"),
        ("555014,Ann", "555014,Ann"),
    ],
)
def test_every_number_of_a_row_is_masked_whatever_stands_around_it(row: str, masked: str) -> None:
    assert masked_row(row) == masked


@pytest.mark.parametrize(
    ("said", "masked"),
    [
        ("`+12025550194x12` has letters in it", "`+1********94x12` has letters in it"),
        ("phone: `202a555b0194` has letters in it", "phone: `***a***b0194` has letters in it"),
        ("`2`025550194x` has letters", "`*`*****0194x` has letters"),
        ("`2.0255519E+09` lost digits", "`*.*****19E+09` lost digits"),
        ("2025550194: `Mars` is no zone", "******0194: `Mars` is no zone"),
        ("note:2025550194 is empty", "note:******0194 is empty"),
        ("3 rows: `2025550194` stands in row 12 already", "3 rows: `******0194` stands in row 12 already"),
        ("`note` has 1,200,000 characters, 12.50 a row, on line 12, column 7", None),
        ("`contact.note2` is empty in 3 rows", None),
    ],
)
def test_quoted_cells_are_masked_and_counts_lines_and_prices_stay(said: str, masked: str | None) -> None:
    assert masked_quotes(said) == (said if masked is None else masked)


def test_a_cell_that_the_sentence_quotes_is_masked_in_its_row() -> None:
    row, said = "202a555b0194,Ann,flat 12", "`202a555b0194` has letters in it, and `` too"
    assert masked_as_quoted(row, said) == "***a***b0194,Ann,flat 12"


@given(st.from_regex(r"[2-9][0-9]{9}", fullmatch=True), st.text(max_size=12), st.text(max_size=12))
def test_no_row_shows_more_of_a_number_than_its_end(number: str, before: str, after: str) -> None:
    """Not even when other digits stand beside it; then its end may be hidden as well."""
    start = len(before)
    for shift, masked in (
        (0, masked_row(before + number + after)),
        (1, masked_quotes(f"`{before}{number}{after}` is wrong")),
    ):
        left = masked[start + shift : start + shift + len(number)]
        assert sum(map(str.isdecimal, left)) <= 4


@given(st.text(), st.sampled_from([masked_in_place, masked_row, masked_quotes, lambda row: masked_as_quoted(row, row)]))
def test_no_column_moves(text: str, mask: Callable[[str], str]) -> None:
    masked = mask(text)
    assert len(masked) == len(text)
    assert all(a == b or (b == "*" and a.isdecimal()) for a, b in zip(text, masked, strict=True))


@pytest.mark.parametrize("spelled", [str, str.upper, lambda key: f"{key}_1"])
def test_an_attempt_in_a_sentence_is_called_what_logs_call_it(spelled: Callable[[str], str]) -> None:
    key = "0123456789abcdef" * 2
    said = masked_text(f"opted out (attempt {spelled(key)}, +12025550143)", OURS)
    assert (key in said.lower(), f"attempt {OURS.log_id(key)}" in said, PERSON in said) == (False, True, True)
    assert masked_text(f"key {key}", OURS) == f"key {key}", "a contact's own key may look like one"


def test_a_terminal_is_shown_the_number() -> None:
    assert shown_phone("+12025550143", masked=False, pseudonyms=OURS) == "+12025550143"
    assert shown_phone("+12025550143", masked=True, pseudonyms=OURS) == PERSON
    assert shown_phone("+12025550143", masked=True) == "+1***0143"
    assert shown_phone("", masked=True, pseudonyms=OURS) == ""


def test_a_reason_that_quotes_a_cell_is_masked_also_where_no_number_is_found() -> None:
    assert masked_reason("phone: `12025550194x` has letters in it") == "phone: `*******0194x` has letters in it"
    assert masked_reason("+12025550194 asked to stop") == masked_text("+12025550194 asked to stop")
    assert masked_reason("`amount` is not above 100") == "`amount` is not above 100"
