"""Windows as hours of each day: tables, and the rules' own windows as the judge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.window import DAYS, Window
from runner.providers.native_hours import clock, hours_by_day, same_hours, written
from runner.rules.calendars import Calendar, hours_of
from runner.rules.windows import is_allowed
from tests.providers.support import ALWAYS, windows

MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("texts", "days", "spans"),
    [
        (["10:00-18:00"], DAYS, [(600, 1080)]),
        (["mon-fri 10:00-18:00"], DAYS[:5], [(600, 1080)]),
        (["mon-fri 10:00-18:00", "sat,sun 10:00-18:00"], DAYS, [(600, 1080)]),
        (["mon 09:00-12:00", "mon 14:00-18:00"], ("mon",), [(540, 720), (840, 1080)]),
        (["mon 09:00-12:00", "mon 12:00-18:00"], ("mon",), [(540, 1080)]),
        (["mon 09:00-14:00", "mon 10:00-12:00"], ("mon",), [(540, 840)]),
        (["20:00-02:00"], DAYS, [(0, 120), (1200, 1440)]),
        (["00:00-00:00"], DAYS, [(0, 1440)]),
        (["00:00-24:00"], DAYS, [(0, 1440)]),
        (["10:00-10:00"], DAYS, [(0, 1440)]),
        (["wed 20:00-00:00"], ("wed",), [(1200, 1440)]),
    ],
)
def test_days_alike(texts: Any, days: Any, spans: Any) -> None:
    found = same_hours(windows(*texts))

    assert found is not None
    assert (found.days, found.spans) == (days, tuple(spans))


@pytest.mark.parametrize(
    "texts", [[], ["mon-fri 10:00-18:00", "sat 10:00-14:00"], ["mon-fri 20:00-02:00"], ["mon 10:00-18:00", "tue 10:00-18:01"]]
)  # fmt: skip
def test_days_that_differ(texts: Any) -> None:
    assert same_hours(windows(*texts)) is None


@pytest.mark.parametrize(
    ("texts", "span"),
    [
        (["10:00-18:00"], (600, 1080)),
        (["20:00-02:00"], (1200, 120)),
        (["mon 09:00-12:00", "mon 14:00-18:00"], None),
        (["20:00-02:00", "10:00-11:00"], None),
        (["mon-fri 00:00-02:00", "mon-fri 20:00-24:00"], None),
    ],
)
def test_one_span(texts: Any, span: Any) -> None:
    found = same_hours(windows(*texts))

    assert found is not None
    assert found.across_midnight() == span


def test_what_never_closes() -> None:
    for texts, always in (
        (["00:00-24:00"], True),
        (["09:00-09:00"], True),
        (["mon-sat 00:00-24:00"], False),
        (["00:00-23:59"], False),
    ):
        found = same_hours(windows(*texts))
        assert found is not None
        assert found.is_always is always
    assert same_hours(ALWAYS) is not None


@pytest.mark.parametrize(("minutes", "text"), [(0, "00:00"), (605, "10:05"), (1439, "23:59"), (1440, "23:59")])
def test_clock(minutes: int, text: str) -> None:
    assert clock(minutes) == text


@pytest.mark.parametrize(
    ("texts", "text"),
    [
        (["mon-fri 10:00-18:00", "sat 10:00-14:00"], "mon-fri 10:00-18:00; sat 10:00-14:00"),
        (["mon,wed 9:00-17:00"], "mon, wed 09:00-17:00"),
        (["20:00-02:00"], "daily 20:00-02:00"),
    ],
)
def test_windows_as_a_file_has_them(texts: Any, text: str) -> None:
    assert written(windows(*texts)) == text


WINDOWS = st.lists(
    st.builds(
        lambda days, opens, closes: Window.model_validate({"days": sorted(days, key=DAYS.index), "from": opens, "to": closes}),
        st.sets(st.sampled_from(DAYS), min_size=1),
        st.integers(0, 1439),
        st.integers(0, 1440),
    ),
    max_size=4,
).map(tuple)  # fmt: skip


@given(WINDOWS, st.integers(0, 7 * 1440 - 1))
def test_the_hours_are_open_exactly_when_the_rules_are(some: Any, minute: int) -> None:
    day, of_day = divmod(minute, 1440)
    is_open = any(start <= of_day < end for start, end in hours_by_day(some)[DAYS[day]])

    assert is_open is is_allowed((Calendar(hours=hours_of(some)),), ("UTC",), MONDAY + timedelta(minutes=minute))


@given(WINDOWS)
def test_the_same_hours_are_those_of_every_open_day(some: Any) -> None:
    by_day, same = hours_by_day(some), same_hours(some)
    open_days = [spans for spans in by_day.values() if spans]

    assert (same is not None) is (len(set(open_days)) == 1)
    if same is not None:
        assert {day: same.spans if day in same.days else () for day in DAYS} == dict(by_day)
