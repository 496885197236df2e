"""Whether the present can be believed: steps, a ledger ahead, a provider's time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.clocks import SKEW, STEP, Reading, in_words, is_set_back, ledger_is_ahead, skew_of, stepped

NOON = datetime(2026, 3, 3, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.fault("F27")
@pytest.mark.parametrize(
    ("gone", "shown", "step"),
    [
        (5.0, 5.0, 0.0), (5.0, 6.9, 0.0), (5.0, 3.1, 0.0), (5.0, 7.1, 2.1), (5.0, 2.9, -2.1),
        (5.0, 3605.0, 3600.0), (5.0, -3595.0, -3600.0), (0.0, 31_536_000.0, 31_536_000.0),
        (28_800.0, 28_800.0, 0.0),
    ],
    ids=["steady", "drifts", "drifts back", "set", "set back", "an hour", "an hour back", "a year", "slept a night"],
)  # fmt: skip
def test_a_step_is_what_the_wall_clock_went_besides_the_time_that_passed(
    gone: float, shown: float, step: float
) -> None:
    before = Reading(wall=NOON, boot=1000.0)
    after = Reading(wall=NOON + shown * SECOND, boot=1000.0 + gone)
    assert stepped(before, after) == step * SECOND


@given(st.floats(0, 1e7), st.floats(-1e7, 1e7), st.floats(0, 100))
def test_a_look_that_took_long_is_no_step(gone: float, off: float, took: float) -> None:
    before = Reading(wall=NOON, boot=50.0)
    after = Reading(wall=NOON + (gone + off) * SECOND, boot=50.0 + gone, took=took)
    found = stepped(before, after)
    assert (found == timedelta(0)) or abs(found) > STEP + took * SECOND
    if abs(off) > 2.001 + took:
        assert found != timedelta(0)


@pytest.mark.parametrize(("seconds", "back"), [(-59, False), (-60, False), (-61, True), (61, False), (-3600, True)])
def test_a_person_has_to_look_when_the_clock_goes_back_by_more_than_a_minute(seconds: int, back: bool) -> None:
    assert is_set_back(seconds * SECOND) is back


@pytest.mark.fault("F28")
@pytest.mark.parametrize(("ahead", "refused"), [(-9e6, False), (0, False), (120, False), (121, True), (9e6, True)])
def test_a_ledger_that_knows_the_future(ahead: float, refused: bool) -> None:
    found = ledger_is_ahead(NOON + ahead * SECOND, NOON)
    assert (found is not None) is refused
    assert ledger_is_ahead(None, NOON) is None


@pytest.mark.fault("F28")
@pytest.mark.parametrize("off", [0, 1, 119, 120, -119, -121])
def test_a_provider_whose_time_nearly_agrees_proves_nothing(off: int) -> None:
    date = format_datetime(NOON + off * SECOND, usegmt=True)
    assert skew_of(date, NOON, NOON + SECOND) is None


@pytest.mark.fault("F28")
@pytest.mark.parametrize("off", [122, 3600, -123, -3600, 31_536_000])
def test_a_provider_whose_time_differs(off: int) -> None:
    found = skew_of(format_datetime(NOON + off * SECOND, usegmt=True), NOON, NOON + SECOND)
    assert found is not None
    assert abs(found - off * SECOND) <= 2 * SECOND
    assert abs(found) > SKEW


def test_a_slow_answer_may_carry_any_time_of_its_way() -> None:
    asked, answered = NOON, NOON + timedelta(seconds=90)
    for passed in range(0, 91, 10):
        assert skew_of(format_datetime(NOON + passed * SECOND, usegmt=True), asked, answered) is None


def test_a_date_with_another_offset_is_the_same_instant() -> None:
    there = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert skew_of(format_datetime(there), NOON, NOON) is None


@given(st.text(max_size=60))
def test_no_date_is_no_proof_and_no_crash(text: str) -> None:
    skew_of(text, NOON, NOON + SECOND)


@pytest.mark.parametrize("text", ["", "soon", "Tue, 99 Foo 2026 12:00:00 GMT", "0", "Tue, 03 Mar 999999 12:00:00 GMT"])
def test_what_is_no_date_proves_nothing(text: str) -> None:
    assert skew_of(text, NOON, NOON) is None


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3601, "1 h 1 s"), (-3900, "1 h 5 min"), (90_061, "1 d 1 h")],
)
def test_spans_in_words(seconds: int, words: str) -> None:
    assert in_words(seconds * SECOND) == words
