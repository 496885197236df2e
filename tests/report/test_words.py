"""Masked texts: no digit of a number but its country and its end, and where asked every column kept."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.report.words import masked_in_place, masked_text, shown_phone
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


@given(st.text())
def test_no_column_moves(text: str) -> None:
    masked = masked_in_place(text)
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
