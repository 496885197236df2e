"""Secrets are found in text however they are written, and nothing else is touched."""

from __future__ import annotations

import base64
import json
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.scrub import SHORTEST, Scrubber

KEY = 'sk_live_"Ab+9/==\\x&<'
keys = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=80)


def knowing(*values: str) -> Scrubber:
    made = Scrubber()
    for value in values:
        made.add(value)
    return made


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        f"Bearer {KEY}",
        json.dumps({"key": KEY}),
        repr([KEY]),
        urllib.parse.quote(KEY, safe=""),
        urllib.parse.quote_plus(KEY).replace("%22", "%22"),
        urllib.parse.urlencode({"key": KEY}),
        base64.b64encode(KEY.encode()).decode(),
        base64.urlsafe_b64encode(KEY.encode()).decode(),
        base64.b64encode(f"user:{KEY}".encode()).decode(),
        base64.b64encode(f"me:{KEY}:more".encode()).decode(),
        base64.b64encode(f"x:{KEY}".encode()).decode(),
        KEY.encode().hex(),
    ],
)
def test_each_spelling_is_taken_out(written: str) -> None:
    left = knowing(KEY).scrub(f"error: {written} was refused")

    assert "***" in left
    assert left.startswith("error: ")
    assert left.endswith(" was refused")
    assert KEY[8:16] not in left
    assert KEY[:8] not in left


@given(keys, st.text(max_size=30), st.text(max_size=30))
def test_no_value_is_left_whatever_stands_around_it(key: str, before: str, after: str) -> None:
    scrubber = knowing(key)

    assert key not in scrubber.scrub(before + key + after) or key in before + after
    assert not scrubber.finds(scrubber.scrub(before + key + after)) or scrubber.finds(before + "***" + after)


@given(keys, st.text(max_size=200))
def test_other_text_stays(key: str, text: str) -> None:
    scrubber = knowing(key)

    assert scrubber.finds(text) or scrubber.scrub(text) == text


def test_several_secrets_and_one_within_another() -> None:
    scrubber = knowing("whsec_old_1234", "whsec_old_1234_longer")

    assert scrubber.scrub("a whsec_old_1234_longer b whsec_old_1234 c") == "a *** b *** c"


def test_a_value_too_short_to_be_told_from_words_is_not_looked_for() -> None:
    assert knowing("x" * (SHORTEST - 1)).scrub("x" * 50) == "x" * 50
