"""Keyed pseudonyms: the same for one person in one ledger, another one under another key."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from collections.abc import Callable

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.pseudonyms import (
    UNKEYED,
    Pseudonyms,
    country_code,
    is_log_id,
    masked,
    plain_key,
    pseudonym_in,
    without_key,
)

KEY = bytes(range(32))
ATTEMPTS = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
NUMBERS = st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True)


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("+12025550143", "+1***0143"), ("+447700900123", "+44***0123"), ("+442079460321", "+44***0321"),
        ("+61491570156", "+61***0156"), ("+33639980012", "+33***0012"), ("+4930231250", "+49***1250"),
        ("+3545550143", "+354***43"), ("+77015550143", "+7***0143"), ("+6621234", "***"),
        ("+29020123", "+290***23"), ("+1202555", "***"), ("+", "***"),
    ],
)  # fmt: skip
def test_a_number_is_masked_but_for_its_country_and_its_end(phone: str, shown: str) -> None:
    assert masked(phone) == shown


@given(NUMBERS)
def test_what_is_shown_hides_at_least_three_digits_and_tells_people_apart(phone: str) -> None:
    ours = Pseudonyms(KEY)
    assert ours.shown(phone) == f"{masked(phone)}#{ours.of(phone)[:8]}"
    assert len(masked(phone)) - len("***") <= len(phone) - 3
    assert phone not in ours.shown(phone)


@given(NUMBERS, NUMBERS)
def test_a_pseudonym_is_an_hmac_of_the_number(one: str, other: str) -> None:
    ours, others = Pseudonyms(KEY), Pseudonyms(KEY[::-1])
    assert ours.of(one) == hmac.new(KEY, b"outreach-phone\x00" + one.encode(), hashlib.sha256).hexdigest()
    assert (ours.of(one) == ours.of(other)) == (one == other)
    assert ours.of(one) != others.of(one)


@given(ATTEMPTS, ATTEMPTS)
def test_a_log_id_is_an_hmac_of_the_attempts_key(one: str, other: str) -> None:
    ours, others = Pseudonyms(KEY), Pseudonyms(KEY[::-1])
    digest = hmac.new(KEY, b"outreach-attempt\x00" + one.encode(), hashlib.sha256).hexdigest()
    assert ours.log_id(one) == f"a{digest[:15]}"
    assert is_log_id(ours.log_id(one))
    assert not is_log_id(one)
    assert (ours.log_id(one) == ours.log_id(other)) == (one == other)
    assert ours.log_id(one) != others.log_id(one)
    assert (UNKEYED.log_id(one), ours.log_id("")) == ("", "")


@given(ATTEMPTS, st.sampled_from(["{}", "attempt {}: accepted", "`reference={}`", "duplicate of {}, again {}", "({})"]))
def test_no_key_stays_in_a_text(key: str, text: str) -> None:
    ours, said = Pseudonyms(KEY), text.format(key, key)
    assert ours.without_keys(said, key) == text.format(ours.log_id(key), ours.log_id(key))
    assert ours.without_keys(said.upper(), key).count(ours.log_id(key)) == said.count(key)
    assert UNKEYED.without_keys(said, key) == UNKEYED.without_keys(said) == text.format("***", "***")
    assert ours.without_keys(ours.without_keys(said)) == ours.without_keys(said)


_SPELLINGS = (
    str, str.upper, str.title, lambda key: str(uuid.UUID(key)), lambda key: str(uuid.UUID(key)).upper(),
    "-".join, " ".join, ":".join, lambda key: f"{key[:16]} {key[16:]}", lambda key: f"{key[:8]}_{key[8:]}",
)  # fmt: skip
_JOINED = ("call_{}", "key_{}", "{}_1", "ref{}", "{}fade", "CA{}", "{0}{0}", "x{}y{}", "{}")


@given(ATTEMPTS, st.sampled_from(_SPELLINGS), st.sampled_from(_JOINED))
def test_a_key_that_is_known_is_found_however_it_is_written(key: str, spelled: Callable[[str], str], text: str) -> None:
    assert without_key(text.format(*[spelled(key)] * 2), key, "<it>") == text.format(*["<it>"] * 2)


@given(ATTEMPTS, st.integers(8, 31), st.sampled_from(["{}", "`the key {}`", "call_{}", "{}: more", "{}…"]))
def test_what_is_left_of_a_key_is_found(key: str, left: int, text: str) -> None:
    assert without_key(text.format(key[:left]), key, "<it>") == text.format("<it>")


@given(
    ATTEMPTS, st.integers(12, 31), st.sampled_from(["{}", "`…{}`", "call_{}", "...{}: more"]),
    st.sampled_from(["", "-", " ", "_", ":"]),
)  # fmt: skip
def test_what_is_left_of_a_key_at_its_end_is_found(key: str, left: int, text: str, between: str) -> None:
    assert without_key(text.format(between.join(key[-left:])), key, "<it>") == text.format("<it>")


@pytest.mark.parametrize(
    "text",
    [
        "reference {}…", "`the key {}…`", "key={}...", "the key {}", "the key `{}`.", "(key: {})", "{}… is known",
    ],
)  # fmt: skip
@pytest.mark.parametrize("left", ["9797fe18e729c5bb7848", "9797fe18", "9797FE18E729", "9797fe18-e729-c5bb-7848"])
def test_what_may_be_left_of_a_key_that_nobody_knows_is_hidden(text: str, left: str) -> None:
    assert UNKEYED.without_keys(text.format(left)) == text.format("***")
    assert Pseudonyms(KEY).without_keys(text.format(left)) == text.format("***")


@pytest.mark.parametrize(
    "text",
    [
        "on 2026-12-01", "on 20261201", "to +12025550143", "to 2025550143", "to +1***0143#1a2b3c4d", "#1a2b3c4d",
        "attempt a4f6c2be19ad07d3", "call 3c90c3cc-0d44-4b50-8888-8dd25736052a", "9797fe18 are ahead", "it was faded",
        "call_9797fe18e729", "202-555-0143",
    ],
)  # fmt: skip
def test_what_else_ends_a_text_stays(text: str) -> None:
    assert Pseudonyms(KEY).without_keys(text) == text


@given(ATTEMPTS, st.text(max_size=60))
def test_a_text_without_the_key_is_left_as_it_is(key: str, text: str) -> None:
    assert without_key(text, key, "<it>") == text
    assert without_key(key[:7], key, "<it>") == key[:7]
    assert without_key(text, "", "<it>") == text


@pytest.mark.parametrize("text", ["call_{}", "{}_1", "key_{}", "`{}`", "xyz{}."])
@pytest.mark.parametrize("spelled", [str, str.upper, lambda key: str(uuid.UUID(key))])
def test_a_key_that_nobody_knows_gets_no_name(text: str, spelled: Callable[[str], str]) -> None:
    foreign = spelled("0123456789abcdef" * 2)
    assert Pseudonyms(KEY).without_keys(text.format(foreign)) == text.format("***")


@given(ATTEMPTS, st.sampled_from(["attempt {}", "an Attempt {}: gone", "(attempt {})", "attempt {}_1"]), st.booleans())
def test_what_is_called_an_attempt_is_named_as_one(key: str, text: str, loud: bool) -> None:
    ours = Pseudonyms(KEY)
    said = text.format(key.upper() if loud else key)
    assert ours.without_keys(said) == ours.attempts_named(said) == text.format(ours.log_id(key))
    assert UNKEYED.attempts_named(said) == text.format("***")


@pytest.mark.parametrize(
    "text",
    [
        "ab" * 17, "g" + "ab" * 15 + "a", "CA" + "ab" * 16, "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "019350f0-6f2c-7d3a-b1c2-0123456789ab", "",
    ],
)  # fmt: skip
def test_what_is_no_key_is_left_as_it_is(text: str) -> None:
    assert Pseudonyms(KEY).without_keys(text) == text


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("AC42619061C45AE2", "ac42619061c45ae2"), ("AB" * 16, "ab" * 16), (" #1A2B3C4D ", "#1a2b3c4d"),
        (str(uuid.UUID("AB" * 16)), "ab" * 16), ("ann-b@example.com", "ann-b@example.com"),
    ],
)  # fmt: skip
def test_a_key_is_read_however_a_page_prints_it(written: str, plain: str) -> None:
    assert plain_key(written) == plain


def test_the_key_is_in_no_representation() -> None:
    assert KEY.hex() not in repr(Pseudonyms(KEY))
    assert str(KEY) not in repr(Pseudonyms(KEY))
    assert Pseudonyms(KEY).shown("") == ""


def test_without_a_key_no_hash_is_written() -> None:
    assert UNKEYED.shown("+12025550143") == "+1***0143"


@pytest.mark.parametrize("code", sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE))
def test_every_country_code_is_known(code: int) -> None:
    assert country_code(f"{code}23456789") == str(code)


@given(NUMBERS)
def test_what_is_shown_is_read_back_to_its_pseudonym(phone: str) -> None:
    ours = Pseudonyms(KEY)
    assert pseudonym_in(ours.shown(phone)) == pseudonym_in(f"#{ours.short(phone)}") == ours.short(phone)


@pytest.mark.parametrize(
    "text", ["", "#", "1a2b3c4d", "#1a2b3c4", "#1a2b3c4d5", "#1A2B3C4D", "+1***0143", "x#1a2b3c4d", "+12025550143"]
)
def test_other_text_is_no_pseudonym(text: str) -> None:
    assert pseudonym_in(text) == ""
