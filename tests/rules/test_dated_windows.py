"""Windows with dates, channels and holidays, days on which nothing starts, steps with windows of their own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from runner.model.whereabouts import Whereabouts
from runner.rules.calendars import Calendar, Hours, Span
from runner.rules.policy import Policy, policy_of
from runner.rules.windows import DATED_HORIZON_DAYS, allowed_spans, closing, next_allowed
from tests.building import NEW_YORK, campaign

DAY = timedelta(days=1)
ALL_DAYS = frozenset(range(7))


def policy(**rules: Any) -> Policy:
    return policy_of(campaign(timezone="contact", **rules))


def utc(text: str, zone: str = "UTC") -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def spans(
    of: Policy, zone: str, first: str, days: int, *, step: int = 0, jurisdictions: tuple[str, ...] = ()
) -> list[str]:
    """Give what is allowed in some days of a zone, on its own clock."""
    calendars = of.calendars(of.campaign.steps[step], jurisdictions)
    start = utc(first, zone)
    end = utc((datetime.fromisoformat(first) + days * DAY).isoformat(), zone)
    found = allowed_spans(calendars, (zone,), start, end)
    for span in found:
        assert next_allowed(calendars, (zone,), span.start) == span.start
        if span.end < end:
            assert next_allowed(calendars, (zone,), span.end) != span.end
        if span.start > start:
            assert next_allowed(calendars, (zone,), span.start - timedelta(microseconds=1)) == span.start
    tz = ZoneInfo(zone)
    return [f"{span.start.astimezone(tz):%m-%d %H:%M}..{span.end.astimezone(tz):%m-%d %H:%M}" for span in found]


# rules, zone, first day, days, what is open on the wall clock
DATED: list[tuple[str, dict[str, Any], str, str, int, list[str]]] = [
    ("blackout of one day", {"windows": "daily 10:00-18:00", "blackout": "2026-12-25"}, "UTC", "2026-12-24", 3, ["12-24 10:00..12-24 18:00", "12-26 10:00..12-26 18:00"]),
    ("blackout over the end of the year", {"windows": "daily 10:00-18:00", "blackout": "2026-12-31..2027-01-01"}, NEW_YORK, "2026-12-30", 4, ["12-30 10:00..12-30 18:00", "01-02 10:00..01-02 18:00"]),
    ("blackout cuts the evening before at midnight", {"windows": "daily 20:00-02:00", "blackout": "2026-12-25"}, NEW_YORK, "2026-12-24", 3, ["12-24 00:00..12-24 02:00", "12-24 20:00..12-25 00:00", "12-26 20:00..12-27 00:00"]),
    ("a day without blackout keeps its night", {"windows": "fri 20:00-02:00", "blackout": "2026-12-24"}, NEW_YORK, "2026-12-25", 2, ["12-25 20:00..12-26 02:00"]),
    ("several blackouts", {"windows": "daily 10:00-11:00", "blackout": ["2026-03-02", "2026-03-04..2026-03-05"]}, "UTC", "2026-03-01", 6, ["03-01 10:00..03-01 11:00", "03-03 10:00..03-03 11:00", "03-06 10:00..03-06 11:00"]),
    ("a leap day", {"windows": "daily 10:00-11:00", "blackout": "2028-02-29"}, "UTC", "2028-02-28", 3, ["02-28 10:00..02-28 11:00", "03-01 10:00..03-01 11:00"]),
    ("dates of one window", {"windows": [{"days": "daily", "from": "10:00", "to": "12:00", "dates": "2026-04-02..2026-04-03"}]}, "UTC", "2026-04-01", 4, ["04-02 10:00..04-02 12:00", "04-03 10:00..04-03 12:00"]),
    ("dates belong to the day on which it opens", {"windows": [{"from": "22:00", "to": "02:00", "dates": "2026-04-02"}]}, "UTC", "2026-04-02", 2, ["04-02 22:00..04-03 02:00"]),
    ("dates and days both count", {"windows": [{"days": "mon", "from": "10:00", "to": "12:00", "dates": "2026-04-01..2026-04-12"}]}, "UTC", "2026-04-01", 14, ["04-06 10:00..04-06 12:00"]),
    ("longer hours before the holidays", {"windows": ["daily 10:00-12:00", {"from": "10:00", "to": "20:00", "dates": "2026-12-21..2026-12-22"}]}, "UTC", "2026-12-20", 3, ["12-20 10:00..12-20 12:00", "12-21 10:00..12-21 20:00", "12-22 10:00..12-22 20:00"]),
    ("dates within blackout are shut", {"windows": [{"from": "10:00", "to": "12:00", "dates": "2026-12-24..2026-12-26"}], "blackout": "2026-12-25"}, "UTC", "2026-12-24", 3, ["12-24 10:00..12-24 12:00", "12-26 10:00..12-26 12:00"]),
    ("to midnight before a blackout", {"windows": "daily 20:00-24:00", "blackout": "2026-12-25"}, "UTC", "2026-12-24", 2, ["12-24 20:00..12-25 00:00"]),
    ("blackout on the day the clock goes forward at midnight", {"windows": "daily 22:00-03:00", "blackout": "2026-04-24"}, "Africa/Cairo", "2026-04-23", 3, ["04-23 00:00..04-23 03:00", "04-23 22:00..04-24 01:00", "04-25 22:00..04-26 00:00"]),
    ("the night on which midnight is left out", {"windows": "thu 22:00-02:00"}, "Africa/Cairo", "2026-04-23", 2, ["04-23 22:00..04-24 02:00"]),
    ("a window that opens at a midnight that never was", {"windows": "fri 00:00-02:00"}, "Africa/Cairo", "2026-04-24", 1, ["04-24 01:00..04-24 02:00"]),
    ("Troll's two hours forward", {"windows": "daily 00:30-04:00"}, "Antarctica/Troll", "2026-03-29", 1, ["03-29 00:30..03-29 04:00"]),
    ("Troll's two hours forward: opens inside", {"windows": "daily 02:00-04:00"}, "Antarctica/Troll", "2026-03-29", 1, ["03-29 03:00..03-29 04:00"]),
    ("Nuuk's spring evening", {"windows": "sat 22:30-24:00; sun 00:00-01:00"}, "America/Nuuk", "2026-03-28", 2, ["03-28 22:30..03-29 01:00"]),
    ("Nuuk's repeated hour before midnight", {"windows": "sat 22:00-24:00"}, "America/Nuuk", "2026-10-24", 2, ["10-24 22:00..10-25 00:00"]),
    ("Nuuk: closes in the repeated hour", {"windows": "sat 22:00-23:30"}, "America/Nuuk", "2026-10-24", 2, ["10-24 22:00..10-24 23:30"]),
    ("the fast ends in Casablanca", {"windows": "sun 01:30-04:00"}, "Africa/Casablanca", "2026-03-22", 1, ["03-22 01:30..03-22 04:00"]),
    ("Casablanca: opens in the gap", {"windows": "sun 02:15-04:00"}, "Africa/Casablanca", "2026-03-22", 1, ["03-22 03:00..03-22 04:00"]),
    ("Lord Howe: a blackout beginning on the day with 24.5 hours", {"windows": "daily 22:00-03:00", "blackout": "2026-04-05"}, "Australia/Lord_Howe", "2026-04-04", 2, ["04-04 00:00..04-04 03:00", "04-04 22:00..04-05 00:00"]),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "zone", "first", "days", "expected"), [row[1:] for row in DATED], ids=[row[0] for row in DATED])  # fmt: skip
def test_days_in_and_out(rules: dict[str, Any], zone: str, first: str, days: int, expected: list[str]) -> None:
    assert spans(policy(**rules), zone, first, days) == expected


# holidays of the campaign, whose law counts, first day, days on which it is open (of 10:00-18:00 daily)
HOLIDAYS: list[tuple[str, str, tuple[str, ...], str, int, list[str]]] = [
    ("a calendar", "US", (), "2026-07-02", 4, ["07-02", "07-05"]),  # the 3rd is observed for Saturday the 4th
    ("none of that country elsewhere", "GB-ENG", (), "2026-07-02", 3, ["07-02", "07-03", "07-04"]),
    ("the person's own country", "contact", ("US",), "2026-11-25", 3, ["11-25", "11-27"]),
    ("the person's own part", "contact", ("US", "US-TX"), "2026-03-01", 3, ["03-01", "03-03"]),  # Independence Day
    ("not the part of somebody else", "contact", ("US", "US-AL"), "2026-03-01", 3, ["03-01", "03-02", "03-03"]),
    ("every part that may be theirs", "contact", ("US", "US-AL", "US-TX"), "2026-03-01", 3, ["03-01", "03-03"]),
    ("two calendars", "US, DE", (), "2026-10-01", 14, ["10-01", "10-02", "10-04", "10-05", "10-06", "10-07", "10-08", "10-09", "10-10", "10-11", "10-13", "10-14"]),
    ("the new year, observed in the old one", "US", (), "2021-12-30", 4, ["12-30", "01-02"]),
]  # fmt: skip


@pytest.mark.parametrize(("holidays", "whose", "first", "days", "expected"), [row[1:] for row in HOLIDAYS], ids=[row[0] for row in HOLIDAYS])  # fmt: skip
def test_holidays(holidays: str, whose: tuple[str, ...], first: str, days: int, expected: list[str]) -> None:
    of = policy(windows="daily 10:00-18:00", holidays=holidays)
    assert [one[:5] for one in spans(of, NEW_YORK, first, days, jurisdictions=whose)] == expected


def test_an_overnight_window_ends_where_a_holiday_begins() -> None:
    of = policy(windows="daily 20:00-02:00", holidays="US")
    assert spans(of, NEW_YORK, "2026-12-24", 3) == [
        "12-24 00:00..12-24 02:00", "12-24 20:00..12-25 00:00", "12-26 20:00..12-27 00:00",
    ]  # fmt: skip


def test_holidays_and_their_eves_may_have_hours_of_their_own() -> None:
    every = frozenset(range(7))
    calendar = Calendar(
        hours=(Hours(every, 540, 1080),), holidays=("US",),
        on_holidays=(Hours(every, 720, 780),), on_eves=(Hours(every, 540, 900),),
    )  # fmt: skip
    found = allowed_spans((calendar,), ("UTC",), utc("2026-12-23"), utc("2026-12-27"))
    assert [(span.start.day, span.start.hour, span.end.hour) for span in found] == [
        (23, 9, 18), (24, 9, 15), (25, 12, 13), (26, 9, 18),
    ]  # fmt: skip


def test_windows_of_a_channel_and_of_a_step() -> None:
    steps = [
        {"call": "agent"},
        {"call": "agent", "name": "late", "windows": "daily 19:00-20:00"},
        {"text": "texter", "message": "x"},
    ]
    of = policy(
        agent=None, agents={"agent": "movoice/a", "texter": "revmo/b"}, steps=steps,
        windows=[{"from": "10:00", "to": "12:00", "channel": "call"}, {"from": "08:00", "to": "21:00", "channel": "text"}],
    )  # fmt: skip
    assert spans(of, "UTC", "2026-01-05", 1) == ["01-05 10:00..01-05 12:00"]
    assert spans(of, "UTC", "2026-01-05", 1, step=1) == ["01-05 19:00..01-05 20:00"]
    assert spans(of, "UTC", "2026-01-05", 1, step=2) == ["01-05 08:00..01-05 21:00"]
    sources = [of.calendars(step, ())[0].source for step in of.campaign.steps]
    assert sources == ["windows", "steps.late.windows", "windows"]


def test_blackout_and_holidays_hold_for_a_steps_own_windows_too() -> None:
    of = policy(steps=[{"call": "agent", "windows": "daily 19:00-20:00"}], blackout="2026-12-24", holidays="US")
    assert spans(of, "UTC", "2026-12-23", 4) == ["12-23 19:00..12-23 20:00", "12-26 19:00..12-26 20:00"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"windows": [{"from": "10:00", "to": "12:00", "dates": "2027-09-01"}]}, "2027-09-01T10:00"),
        ({"windows": [{"from": "10:00", "to": "12:00", "dates": "2031-12-31"}]}, "2031-12-31T10:00"),
        ({"windows": "daily 10:00-12:00", "blackout": "2026-01-01..2029-12-31"}, "2030-01-01T10:00"),
        ({"windows": "mon 10:00-12:00", "blackout": ["2026-01-01..2026-12-31", "2027-01-01..2027-06-30"]}, "2027-07-05T10:00"),
        ({"windows": "daily 22:00-02:00", "blackout": "2026-01-01..2027-12-31"}, "2028-01-01T22:00"),
        ({"windows": [{"from": "10:00", "to": "12:00", "dates": "2025-01-01..2025-12-31"}]}, None),
        ({"windows": [{"from": "10:00", "to": "12:00", "dates": "2026-02-01..2026-02-03"}], "blackout": "2026-01-30..2026-02-28"}, None),
        ({"windows": "daily 10:00-12:00", "blackout": "2026-01-01..9999-12-31"}, None),
    ],
)  # fmt: skip
def test_far_dates_are_found_and_those_that_never_come_are_not(rules: dict[str, Any], expected: str | None) -> None:
    of = policy(**rules)
    found = of.first_allowed(of.campaign.steps[0], Whereabouts(("UTC",)), utc("2026-01-05"))
    assert found == (None if expected is None else utc(expected))


def test_two_rules_that_open_on_different_dates_meet_or_never_do() -> None:
    first, second = (
        Calendar(hours=(Hours(ALL_DAYS, 600, 720, ((one, last),)),))
        for one, last in (
            (utc("2028-01-01").date(), utc("2029-01-31").date()),
            (utc("2029-01-31").date(), utc("2029-03-01").date()),
        )
    )
    assert next_allowed((first, second), ("UTC",), utc("2026-01-05")) == utc("2029-01-31T10:00")
    assert next_allowed((first, second), ("UTC",), utc("2029-01-31T12:00")) is None


def test_the_search_ahead_has_an_end() -> None:
    never = Calendar(hours=(Hours(ALL_DAYS, 600, 720),), holidays=("US",))
    other = Calendar(hours=(Hours(ALL_DAYS, 720, 840),))
    assert next_allowed((never, other), ("UTC",), utc("2026-01-05")) is None
    assert DATED_HORIZON_DAYS > 366


def test_a_calendar_may_follow_a_clock_of_its_own() -> None:
    here = Calendar(hours=(Hours(ALL_DAYS, 600, 1080),))
    there = Calendar(hours=(Hours(ALL_DAYS, 600, 1080),), zone=NEW_YORK)
    found = allowed_spans((here, there), ("Europe/Paris",), utc("2026-01-05"), utc("2026-01-06"))
    assert found == [Span(utc("2026-01-05T15:00"), utc("2026-01-05T17:00"))]


def test_a_stretch_over_several_blocks_of_days_is_one() -> None:
    always = (Calendar(hours=(Hours(ALL_DAYS, 0, 1440),)),)
    start, end = utc("2026-01-01T00:17"), utc("2026-03-01T03:33")
    assert allowed_spans(always, (NEW_YORK,), start, end) == [Span(start, end)]
    assert closing(always, (NEW_YORK,), start) == start + 2 * DAY, "nobody asks further"
    assert allowed_spans(always, (NEW_YORK,), start, start) == []
    assert allowed_spans(always, (NEW_YORK,), end, start) == []
