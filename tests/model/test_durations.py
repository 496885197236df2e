"""Spans and times of day as people write them, and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.durations import format_clock_time, format_duration, parse_clock_time, parse_duration

S = timedelta(seconds=1)
READ = [
    ("90s", 90), ("5m", 300), ("2h", 7200), ("1d", 86400), ("2w", 14 * 86400), ("2h30m", 9000), ("1d 2h", 93600),
    (" 5 m ", 300), ("1.5h", 5400), ("0s", 0), ("PT2H", 7200), ("P1D", 86400), ("P1DT2H30M", 95400), ("pt90s", 90),
    ("P2W", 14 * 86400), ("PT0.5S", 0.5), ("366d", 366 * 86400), ("0.000001s", 0.000001),
]  # fmt: skip
REFUSED = [
    "", " ", "5", "m", "5x", "-5m", "5m,", "5m and", "two hours", "2 hours", "P", "PT", "1e3s", "2H", "5min", "٥m x",
    "1..5h",
]  # fmt: skip


@pytest.mark.parametrize(("text", "seconds"), READ)
def test_spans_that_are_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", REFUSED)
def test_spans_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration") as refused:
        parse_duration(text)
    assert str(refused.value) == f"`{text}` is not a duration"


@pytest.mark.parametrize("text", ["367d", "53w", "99999999999999999999d", "9" * 400 + "s", "P53W"])
def test_spans_longer_than_a_year_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is longer than a year"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (90, "1m30s"), (7200, "2h"), (9000, "2h30m"), (86400 * 3 + 1, "3d1s"), (0.25, "0.25s"), (1e-6, "0.000001s"),
     (59.999999, "59.999999s")],
)  # fmt: skip
def test_spans_are_written_short(seconds: float, text: str) -> None:
    assert format_duration(timedelta(seconds=seconds)) == text


@given(st.timedeltas(timedelta(0), timedelta(days=366)))
def test_what_is_written_is_read_back(span: timedelta) -> None:
    assert parse_duration(format_duration(span)) == span


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("00:00", 0), ("9:05", 545), ("17:00", 1020), ("24:00", 1440), ("6pm", 1080), ("6:30 PM", 1110), ("12am", 0),
     ("12pm", 720), ("12:01 a.m.", 1), (" 10:00 ", 600)],
)  # fmt: skip
def test_times_that_are_read(text: str, minutes: int) -> None:
    assert parse_clock_time(text) == minutes


@pytest.mark.parametrize(
    "text", ["", "24:01", "25:00", "10:60", "10", "13pm", "0am", "6:60pm", "10:5", "1000", "10:00:00", "noon", "-1:00"]
)
def test_times_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time of day"):
        parse_clock_time(text)


@given(st.integers(0, 1440))
def test_a_time_that_is_written_is_read_back(minutes: int) -> None:
    assert parse_clock_time(format_clock_time(minutes)) == minutes
