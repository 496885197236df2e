"""Calling windows of providers: when one opens, in whose zone, and when Revox tries again."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.sandbox.call import Attempt
from runner.sandbox.people import Fate
from runner.sandbox.revox_retries import DEFAULT_RETRIES, read_clock, read_plan, zone_of_number
from runner.sandbox.windows import EVERY_DAY, LocalWindow, first_opening, zone_named

NEW_YORK = ZoneInfo("America/New_York")
WEEKDAYS = frozenset(range(5))


def window(opens: str, closes: str, days: frozenset[int] = EVERY_DAY) -> LocalWindow:
    return LocalWindow(opens=time.fromisoformat(opens), closes=time.fromisoformat(closes), days=days)


@pytest.mark.parametrize(
    ("windows", "after", "opens"),
    [
        ([window("10:00", "18:00")], "2026-03-03T17:00", "2026-03-03T17:00"),
        ([window("10:00", "18:00")], "2026-03-03T14:59", "2026-03-03T15:00"),
        ([window("10:00", "18:00")], "2026-03-03T22:59", "2026-03-03T22:59"),
        ([window("10:00", "18:00")], "2026-03-03T23:00", "2026-03-04T15:00"),  # the end is outside
        ([window("10:00", "18:00", WEEKDAYS)], "2026-03-06T23:00", "2026-03-09T14:00"),  # over a weekend, clocks change
        ([window("22:00", "02:00", WEEKDAYS)], "2026-03-07T06:30", "2026-03-07T06:30"),  # Friday's, after midnight
        ([window("22:00", "02:00", WEEKDAYS)], "2026-03-07T07:00", "2026-03-10T02:00"),
        ([window("09:00", "10:00"), window("17:00", "18:00")], "2026-03-03T16:00", "2026-03-03T22:00"),
        ([window("00:00", "00:00")], "2026-03-03T04:59", "2026-03-03T04:59"),  # all day
        ([window("02:15", "02:45")], "2026-03-08T00:00", "2026-03-08T07:15"),  # an hour that is skipped
    ],
)
def test_a_window_opens_in_local_time(windows: Any, after: str, opens: str) -> None:
    opening = first_opening(windows, NEW_YORK, datetime.fromisoformat(after).replace(tzinfo=UTC))

    assert opening is not None
    assert opening.at == datetime.fromisoformat(opens).replace(tzinfo=UTC)


def test_a_window_without_days_never_opens() -> None:
    assert first_opening([window("10:00", "18:00", frozenset())], NEW_YORK, datetime(2026, 3, 3, tzinfo=UTC)) is None


@given(
    after=st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 31)),  # noqa: DTZ001  the zone comes next
    opens=st.times(),
    closes=st.times(),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_an_opening_lies_inside_its_window_and_never_before(
    after: Any, opens: Any, closes: Any, days: Any, zone: str
) -> None:
    own = LocalWindow(opens=opens.replace(microsecond=0), closes=closes.replace(microsecond=0), days=days)
    start = after.replace(tzinfo=UTC)

    opening = first_opening([own], ZoneInfo(zone), start)

    assert opening is not None
    assert start <= opening.at < start + timedelta(days=9)
    again = first_opening([own], ZoneInfo(zone), opening.at)
    assert again is not None
    assert again.at == opening.at


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("17:00", time(17)),
        ("09:30", time(9, 30)),
        ("6pm", time(18)),
        ("12am", time(0)),
        ("12pm", time(12)),
        ("9:30AM", time(9, 30)),
        ("24:00", time(0)),
        ("25:00", None),
        ("9", None),
        ("13pm", None),
        ("0am", None),
        ("10:60", None),
        ("soon", None),
        (900, None),
        ("", None),
    ],
)
def test_revox_reads_two_kinds_of_clock(text: Any, read: Any) -> None:
    assert read_clock(text) == read


@pytest.mark.parametrize(
    ("phone", "zone"),
    [
        ("+12025550101", "America/New_York"),
        ("+447700900123", "Europe/London"),
        ("+33639981234", "Europe/Paris"),
        ("+493023125123", "Europe/Berlin"),
        ("+61491570156", "Australia/Sydney"),
        ("+35312345", "Europe/Dublin"),
        ("+999123", "UTC"),
    ],
)
def test_a_country_has_a_zone(phone: str, zone: str) -> None:
    assert zone_of_number(phone) == ZoneInfo(zone)


@pytest.mark.parametrize("name", ["", None, 5, "Mars/Base", "../etc/passwd", "/etc/passwd", "America"])
def test_a_zone_that_is_none_is_not_read(name: Any) -> None:
    assert zone_named(name) is None


def attempt(outcome: str, *, placed: str = "2026-03-03T17:00", hung_up: bool = False) -> Attempt:
    at = datetime.fromisoformat(placed).replace(tzinfo=UTC)
    answered = at if outcome in {"answered", "voicemail"} else None
    return Attempt(
        fate=Fate(outcome=outcome, ring_seconds=1),
        placed_at=at,
        answered_at=answered,
        ended_at=at + timedelta(minutes=1),
        outcome=outcome,
        hung_up=hung_up,
    )


@pytest.mark.parametrize(
    ("changes", "attempts", "again"),
    [
        ({}, [attempt("no_answer")], "2026-03-03T19:01"),
        ({}, [attempt("voicemail")], "2026-03-03T19:01"),
        ({}, [attempt("busy"), attempt("busy", placed="2026-03-03T19:01")], "2026-03-03T21:02"),
        ({}, [attempt("busy")] * 3, None),
        ({}, [attempt("answered")], None),
        ({}, [attempt("invalid_number")], None),
        ({}, [attempt("no_answer", hung_up=True)], None),
        ({"call_twice_in_a_row": True}, [attempt("no_answer")], "2026-03-03T17:01"),
        ({"call_twice_in_a_row": True}, [attempt("no_answer")] * 2, "2026-03-03T19:01"),
        ({"max_retry_attempts": 1}, [attempt("no_answer")], None),
    ],
)
def test_revox_tries_again_by_its_plan(changes: Any, attempts: Any, again: Any) -> None:
    plan = read_plan({**DEFAULT_RETRIES, **changes}, "+12025550101")

    found = plan.next_try_at(attempts)

    assert found == (datetime.fromisoformat(again).replace(tzinfo=UTC) if again else None)


def test_the_delay_is_that_of_the_window_in_which_the_call_was_placed() -> None:
    windows = [
        {"calling_window_start_time": "9am", "calling_window_end_time": "11am", "retry_delay_seconds": 60},
        {"calling_window_start_time": "16:00", "calling_window_end_time": "18:00", "retry_delay_seconds": 600},
    ]
    plan = read_plan({"calling_windows": windows, "max_retry_attempts": 5, "timezone": "UTC"}, "+12025550101")

    assert plan.next_try_at([attempt("busy", placed="2026-03-03T09:30")]) == datetime(2026, 3, 3, 9, 32, tzinfo=UTC)
    assert plan.next_try_at([attempt("busy", placed="2026-03-03T17:00")]) == datetime(2026, 3, 3, 17, 11, tzinfo=UTC)
    assert plan.opens_at(datetime(2026, 3, 3, 11, tzinfo=UTC)) == datetime(2026, 3, 3, 16, tzinfo=UTC)
