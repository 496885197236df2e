"""Windows of local time: a table of hard days, a walk over UTC minute by minute, and properties."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.campaign import Campaign
from runner.rules.calendars import Calendar, Hours, Span
from runner.rules.policy import calendar_of
from runner.rules.windows import HORIZON_DAYS, allowed_spans, is_allowed, next_allowed
from tests.rules import oracle

DAY = timedelta(days=1)
NEW_YORK, LORD_HOWE, CAIRO, CASABLANCA = "America/New_York", "Australia/Lord_Howe", "Africa/Cairo", "Africa/Casablanca"


def hours(text: str) -> tuple[Calendar, ...]:
    """Ready windows as a campaign file writes them."""
    of = Campaign.model_validate(
        {"campaign": "x", "purpose": "research", "agent": "movoice/a", "contacts": "c.csv", "windows": text}
    )
    return (calendar_of(of),)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


# windows, zone, local start of the look, the spans of the two days after it (UTC)
DAYS: list[tuple[str, str, str, str, list[tuple[str, str]]]] = [
    ("an ordinary day", "daily 10:00-18:00", NEW_YORK, "2026-01-05T00:00", [("2026-01-05T15:00", "2026-01-05T23:00")]),
    ("spring: opens in the gap", "daily 02:30-05:00", NEW_YORK, "2026-03-08T00:00", [("2026-03-08T07:00", "2026-03-08T09:00")]),
    ("spring: closes in the gap", "daily 01:00-02:30", NEW_YORK, "2026-03-08T00:00", [("2026-03-08T06:00", "2026-03-08T07:00")]),
    ("spring: lies in the gap", "daily 02:15-02:45", NEW_YORK, "2026-03-08T00:00", []),
    ("autumn: opens in the repeated hour", "daily 01:30-03:00", NEW_YORK, "2026-11-01T00:00", [("2026-11-01T06:30", "2026-11-01T08:00")]),
    ("autumn: closes in the repeated hour", "daily 00:00-01:30", NEW_YORK, "2026-11-01T00:00", [("2026-11-01T04:00", "2026-11-01T05:30")]),
    ("autumn: lies in the repeated hour", "daily 01:15-01:45", NEW_YORK, "2026-11-01T00:00", []),
    ("autumn: the whole day has 25 hours", "sun 00:00-24:00", NEW_YORK, "2026-11-01T00:00", [("2026-11-01T04:00", "2026-11-02T05:00")]),
    ("half an hour forward", "daily 02:15-04:00", LORD_HOWE, "2026-10-04T00:00", [("2026-10-03T15:30", "2026-10-03T17:00")]),
    ("half an hour back", "daily 01:45-03:00", LORD_HOWE, "2026-04-05T00:00", [("2026-04-04T15:15", "2026-04-04T16:30")]),
    ("a day that begins at one", "daily 00:30-03:00", CAIRO, "2026-04-24T00:00", [("2026-04-23T22:00", "2026-04-24T00:00")]),
    ("the fast begins: one hour back", "daily 02:30-04:00", CASABLANCA, "2026-02-15T00:00", [("2026-02-15T02:30", "2026-02-15T04:00")]),
    ("overnight", "fri 22:00-02:00", NEW_YORK, "2026-01-09T00:00", [("2026-01-10T03:00", "2026-01-10T07:00")]),
    ("overnight, begun the day before", "thu 22:00-02:00", NEW_YORK, "2026-01-09T00:00", [("2026-01-09T05:00", "2026-01-09T07:00")]),
    ("to midnight", "mon 20:00-24:00", "UTC", "2026-01-05T00:00", [("2026-01-05T20:00", "2026-01-06T00:00")]),
    ("from midnight to the same", "mon 00:00-24:00", "UTC", "2026-01-05T00:00", [("2026-01-05T00:00", "2026-01-06T00:00")]),
    ("several a day", "mon 09:00-12:00; mon 14:00-18:00", "UTC", "2026-01-05T00:00", [("2026-01-05T09:00", "2026-01-05T12:00"), ("2026-01-05T14:00", "2026-01-05T18:00")]),
    ("touching ones are one", "mon 09:00-12:00; mon 12:00-18:00", "UTC", "2026-01-05T00:00", [("2026-01-05T09:00", "2026-01-05T18:00")]),
    ("overlapping ones are one", "mon 09:00-13:00; mon 12:00-18:00", "UTC", "2026-01-05T00:00", [("2026-01-05T09:00", "2026-01-05T18:00")]),
]  # fmt: skip


@pytest.mark.parametrize(("windows", "zone", "day", "spans"), [row[1:] for row in DAYS], ids=[row[0] for row in DAYS])
@pytest.mark.fault("F30")
def test_hard_days(windows: str, zone: str, day: str, spans: list[tuple[str, str]]) -> None:
    start, ready = local(zone, day), hours(windows)
    tomorrow = local(zone, (datetime.fromisoformat(day) + DAY).isoformat())
    found = [span for span in allowed_spans(ready, (zone,), start, start + 3 * DAY) if span.start < tomorrow]
    assert found == [Span(utc(one), utc(other)) for one, other in spans]
    for span in found:
        assert is_allowed(ready, (zone,), span.start)
        assert not is_allowed(ready, (zone,), span.end)


@pytest.mark.fault("F30")
def test_the_day_that_samoa_left_out_has_no_windows() -> None:
    ready, zone = hours("fri 10:00-18:00"), ("Pacific/Apia",)
    assert allowed_spans(ready, zone, utc("2011-12-29T00:00"), utc("2012-01-02T00:00")) == []
    assert next_allowed(ready, zone, utc("2011-12-28T00:00")) == local("Pacific/Apia", "2012-01-06T10:00")
    assert allowed_spans(hours("fri 22:00-02:00"), zone, utc("2011-12-29T00:00"), utc("2012-01-02T00:00")) == []


def test_every_zone_of_a_person_must_allow_it() -> None:
    ready, zones = hours("daily 10:00-18:00"), (NEW_YORK, "America/Los_Angeles")
    assert next_allowed(ready, zones, utc("2026-01-05T15:00")) == utc("2026-01-05T18:00")
    assert allowed_spans(ready, zones, utc("2026-01-05T00:00"), utc("2026-01-06T00:00")) == [
        Span(utc("2026-01-05T18:00"), utc("2026-01-05T23:00"))
    ]


def test_zones_that_share_no_hour_never_allow_it() -> None:
    zones = (NEW_YORK, "Asia/Tokyo")
    assert next_allowed(hours("daily 10:00-14:00"), zones, utc("2026-01-05T00:00")) is None
    assert allowed_spans(hours("daily 10:00-14:00"), zones, utc("2026-01-05T00:00"), utc("2026-01-09T00:00")) == []


def test_without_a_zone_nothing_is_allowed() -> None:
    now = utc("2026-01-05T00:00")
    assert next_allowed(hours("daily 00:00-24:00"), (), now) is None
    assert not is_allowed(hours("daily 00:00-24:00"), (), now)
    assert allowed_spans(hours("daily 00:00-24:00"), (), now, now + DAY) == []


def test_without_a_window_nothing_is_allowed() -> None:
    assert next_allowed((), ("UTC",), utc("2026-01-05T00:00")) is None


def test_the_end_is_exclusive_to_the_microsecond() -> None:
    ready, end = hours("mon 09:00-10:00"), utc("2026-01-05T10:00")
    assert is_allowed(ready, ("UTC",), end - timedelta(microseconds=1))
    assert next_allowed(ready, ("UTC",), end) == utc("2026-01-12T09:00")


# The walk over UTC, minute by minute; `python -m tests.rules.oracle` takes every zone and every change.

ZONES = (
    NEW_YORK, LORD_HOWE, CAIRO, CASABLANCA, "Europe/London", "Europe/Berlin", "America/Sao_Paulo", "America/Santiago",
    "America/Havana", "Asia/Tehran", "Asia/Kathmandu", "Asia/Gaza", "Australia/Sydney", "Pacific/Chatham",
    "Pacific/Auckland", "America/St_Johns", "America/Nuuk", "Asia/Beirut", "Africa/El_Aaiun", "Antarctica/Troll",
)  # fmt: skip


@pytest.mark.parametrize(("number", "zone"), list(enumerate(ZONES)))
@pytest.mark.fault("F29")
def test_the_arithmetic_agrees_with_a_walk_around_changes_of_the_clock(number: int, zone: str) -> None:
    changes = oracle.changes_of(zone)
    sample = {changes[(number + shift) % len(changes)] for shift in (0, 3, 6, 9)}
    found = oracle.judge(zone, sorted(sample), rules_each=2)
    assert found.mismatches == ()
    assert found.minutes >= len(sample) * 2 * 5 * 1440


def test_the_walk_meets_changes_of_the_clock() -> None:
    assert sum(len(oracle.changes_of(zone)) for zone in ZONES) > 200


@pytest.mark.parametrize("off", [{"opens": 31}, {"closes": 149}, {"days": (0, 1, 2, 3, 4, 5)}])
def test_the_walk_finds_a_minute_and_a_day_that_are_wrong(monkeypatch: pytest.MonkeyPatch, off: dict[str, Any]) -> None:
    rules = oracle.FIXED[1]
    wrong = replace(rules, openings=(replace(rules.openings[0], **off),))
    monkeypatch.setattr(oracle, "FIXED", (rules,))
    ready = wrong.calendars()
    monkeypatch.setattr(oracle.Rules, "calendars", lambda _: ready)
    assert oracle.judge(NEW_YORK, oracle.changes_of(NEW_YORK)[:1], rules_each=1).mismatches


@st.composite
def some_hours(draw: st.DrawFn) -> tuple[Calendar, ...]:
    found: list[Any] = []
    for _ in range(draw(st.integers(1, 3))):
        days = draw(st.frozensets(st.integers(0, 6), min_size=1))
        opens = draw(st.integers(0, 1439))
        found.append(Hours(days, opens, opens + draw(st.integers(1, 1440))))
    return (Calendar(hours=tuple(found)),)


instants = st.datetimes(datetime(2024, 1, 1), datetime(2027, 12, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(some_hours(), st.lists(st.sampled_from(ZONES), min_size=1, max_size=3), instants, st.integers(0, 10**6))
@settings(max_examples=150, deadline=None)
def test_the_next_opening_is_the_next_one(
    ready: tuple[Calendar, ...], zones: list[str], now: datetime, salt: int
) -> None:
    where = tuple(zones)
    opening = next_allowed(ready, where, now)
    until = opening if opening is not None else now + (HORIZON_DAYS - 2) * DAY
    if opening is not None:
        assert opening >= now
        assert is_allowed(ready, where, opening)
        assert next_allowed(ready, where, opening) == opening
    between = [now + (until - now) * (((salt + 7919 * step) % 997) / 997) for step in range(12)]
    assert not any(is_allowed(ready, where, at) for at in between if at < until)
    assert allowed_spans(ready, where, now, until) == []


@given(some_hours(), st.sampled_from(ZONES), instants, st.timedeltas(timedelta(0), timedelta(days=8)))
@settings(max_examples=150, deadline=None)
def test_later_never_opens_earlier(ready: tuple[Calendar, ...], zone: str, now: datetime, ahead: timedelta) -> None:
    first, second = next_allowed(ready, (zone,), now), next_allowed(ready, (zone,), now + ahead)
    assert first is not None
    assert second is not None, "a weekly window opens within a fortnight"
    assert first <= second


@given(some_hours(), st.lists(st.sampled_from(ZONES), min_size=1, max_size=2), instants)
@settings(max_examples=100, deadline=None)
def test_spans_are_in_order_apart_and_inside(ready: tuple[Calendar, ...], zones: list[str], now: datetime) -> None:
    spans = allowed_spans(ready, tuple(zones), now, now + 5 * DAY)
    assert all(now <= span.start < span.end <= now + 5 * DAY for span in spans)
    assert all(one.end < other.start for one, other in pairwise(spans))
