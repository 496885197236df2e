"""Rounds: wall times of a zone turned into instants, over every change of clocks; which missed rounds are started."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import islice, pairwise, takewhile
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from runner.model.campaign import Schedule
from runner.rules.recurrence import GRACE, DueRounds, Recurrence, due_rounds, next_round, recurrence_of, rounds_after
from tests import building

MINUTE = timedelta(minutes=1)
ZONES = sorted(available_timezones() - {"localtime", "posixrules"})


FIRST, LAST = datetime(2024, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001 Hypothesis adds the zone


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def recurrence(rule: str, zone: str = "America/New_York", **facts: Any) -> Recurrence:
    return Recurrence(rule=rule, zone=zone, **facts)


@pytest.mark.parametrize(
    ("rule", "zone", "after", "expected"),
    [
        ("0 9 * * mon", "America/New_York", "2026-04-01T00:00", ["2026-04-06T13:00", "2026-04-13T13:00"]),
        ("0 9 * * mon", "America/New_York", "2026-04-06T13:00", ["2026-04-13T13:00"]),
        ("0 9 * * mon", "America/New_York", "2026-04-06T12:59:59", ["2026-04-06T13:00"]),
        # The same wall time over the change of clocks.
        ("0 9 * * *", "America/New_York", "2026-03-07T00:00", ["2026-03-07T14:00", "2026-03-08T13:00"]),
        # 02:30 does not exist on 8 March: the first instant after the gap. Once, also for several times in it.
        ("30 2 * * *", "America/New_York", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-09T06:30"]),
        ("*/30 2-3 8 3 *", "America/New_York", "2026-03-07T12:00", ["2026-03-08T07:00", "2026-03-08T07:30"]),
        # 01:30 comes twice on 1 November: its first one alone.
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00", ["2026-11-01T05:30", "2026-11-02T06:30"]),
        ("30 1 * * *", "America/New_York", "2026-11-01T05:45", ["2026-11-02T06:30"]),
        ("30 1 * * *", "America/New_York", "2026-11-01T06:15", ["2026-11-02T06:30"]),
        # Half an hour on Lord Howe; midnight that is left out in Cairo; a whole day that Samoa left out.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00", ["2026-10-03T15:30", "2026-10-04T15:15"]),
        ("0 0 * * *", "Africa/Cairo", "2026-04-23T12:00", ["2026-04-23T22:00", "2026-04-24T21:00"]),
        ("0 9 * * *", "Pacific/Apia", "2011-12-29T12:00", ["2011-12-29T19:00", "2011-12-30T10:00", "2011-12-30T19:00"]),
        ("FREQ=WEEKLY;BYDAY=MO;BYHOUR=9", "Europe/Berlin", "2026-04-01T00:00", ["2026-04-06T07:00"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=30", "UTC", "2026-04-01T00:00", ["2026-04-24T17:30", "2026-05-29T17:30"]),
        ("0 9 29 2 *", "UTC", "2026-04-01T00:00", ["2028-02-29T09:00"]),
    ],
)  # fmt: skip
def test_wall_times_become_instants(rule: str, zone: str, after: str, expected: list[str]) -> None:
    found = rounds_after(recurrence(rule, zone), utc(after))
    assert list(islice(found, len(expected))) == [utc(text) for text in expected]


@pytest.mark.parametrize(
    ("rule", "start", "after", "expected"),
    [
        ("0 9 * * mon", "2026-04-20T09:00", "2026-01-01T00:00", "2026-04-20T09:00"),
        ("0 9 * * mon", "2026-04-20T09:01", "2026-01-01T00:00", "2026-04-27T09:00"),
        # Every second week counts from the start, however much later one asks.
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", "2026-04-06T00:00", "2026-04-06T09:00", "2026-04-20T09:00"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9", "2026-04-06T00:00", "2026-05-05T00:00", "2026-05-18T09:00"),
        # Day and hour are the start's own when the rule leaves them to it.
        ("FREQ=WEEKLY", "2026-04-08T10:15", "2026-04-09T00:00", "2026-04-15T10:15"),
        ("FREQ=DAILY", "2026-04-08T10:15", "2026-04-09T00:00", "2026-04-09T10:15"),
    ],
)
def test_rules_count_from_the_start(rule: str, start: str, after: str, expected: str) -> None:
    assert next_round(recurrence(rule, "UTC", start=utc(start)), utc(after)) == utc(expected)


def test_the_schedule_ends_rounds() -> None:
    of = recurrence("0 9 * * mon", "UTC", end=utc("2026-04-13T09:00"))
    assert list(rounds_after(of, utc("2026-04-01T00:00"))) == [utc("2026-04-06T09:00")]


@cache
def transitions(zone: str) -> tuple[datetime, ...]:
    """Find the changes of a zone's clock from 2024 to 2030, day by day and then by halving."""
    tz, found = ZoneInfo(zone), []
    day, end = utc("2024-01-01T00:00"), utc("2031-01-01T00:00")
    while day < end:
        following = day + timedelta(days=1)
        if day.astimezone(tz).utcoffset() != following.astimezone(tz).utcoffset():
            low, high = day, following
            while high - low > MINUTE:
                middle = low + (high - low) // 2 // MINUTE * MINUTE
                same = middle.astimezone(tz).utcoffset() == day.astimezone(tz).utcoffset()
                low, high = (middle, high) if same else (low, middle)
            found.append(high)
        day = following
    return tuple(found)


def oracle(minutes: frozenset[int], hours: frozenset[int], zone: str, start: datetime, end: datetime) -> list[datetime]:
    """Walk UTC minute by minute: a wall time counts when it is first seen, one that was jumped over at the jump."""
    tz, found = ZoneInfo(zone), []
    last = (start - MINUTE).astimezone(tz).replace(tzinfo=None)
    at = start
    while at < end:
        wall = at.astimezone(tz).replace(tzinfo=None)
        fresh = (last + MINUTE * step for step in range(1, (wall - last) // MINUTE + 1))
        if any(one.minute in minutes and one.hour in hours for one in fresh):
            found.append(at)
        last, at = max(last, wall), at + MINUTE
    return found


@settings(max_examples=60, deadline=None)
@given(
    zone=st.sampled_from([zone for zone in ZONES if not zone.startswith("Etc/")]),
    minutes=st.frozensets(st.integers(0, 59), min_size=1, max_size=3),
    hours=st.frozensets(st.integers(0, 23), min_size=1, max_size=5),
    data=st.data(),
)
def test_rounds_agree_with_a_walk_through_every_minute_around_changes_of_clocks(
    zone: str, minutes: frozenset[int], hours: frozenset[int], data: st.DataObject
) -> None:
    changes = transitions(zone) or (utc("2026-03-08T07:00"),)
    change = data.draw(st.sampled_from(changes))
    rule = f"{','.join(map(str, sorted(minutes)))} {','.join(map(str, sorted(hours)))} * * *"
    start, end = change - timedelta(hours=30), change + timedelta(hours=30)
    found = list(takewhile(lambda at: at < end, rounds_after(recurrence(rule, zone), start - MINUTE)))
    assert found == oracle(minutes, hours, zone, start, end)


@pytest.mark.slow
@pytest.mark.parametrize("zone", ZONES)
def test_no_zone_skips_or_repeats_a_daily_round(zone: str) -> None:
    for change in transitions(zone):
        wall = change.astimezone(ZoneInfo(zone))
        for minute in {0, wall.minute, (wall.minute + 15) % 60}:
            for hour in {wall.hour, (wall.hour - 1) % 24, (wall.hour + 1) % 24}:
                since = change - timedelta(days=3)
                rounds = list(islice(rounds_after(recurrence(f"{minute} {hour} * * *", zone), since), 6))
                spans = [later - earlier for earlier, later in pairwise(rounds)]
                assert all(abs(span - timedelta(days=1)) <= timedelta(hours=2) for span in spans), (
                    change,
                    hour,
                    minute,
                )


@given(
    after=st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    rule=st.sampled_from(["17 3 * * *", "0 0 1 * *", "*/20 9-17 * * mon-fri", "0 12 * * sun#2", "0 6 L * *"]),
)
@settings(deadline=None)
def test_in_utc_rounds_are_what_cron_says(after: datetime, rule: str) -> None:
    naive = CronSim(rule, after.replace(tzinfo=None))
    expected = [next(naive).replace(tzinfo=UTC) for _ in range(3)]
    assert list(islice(rounds_after(recurrence(rule, "UTC"), after), 3)) == expected


@given(
    after=st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    rule=st.sampled_from(
        ["FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9", "FREQ=MONTHLY;BYDAY=2TU;BYHOUR=8;BYMINUTE=45",
         "FREQ=MONTHLY;BYMONTHDAY=-1;BYHOUR=9", "FREQ=YEARLY;BYMONTH=3;BYDAY=1MO;BYHOUR=9", "FREQ=HOURLY;BYMINUTE=5",
         "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;BYHOUR=16"]
    ),
)  # fmt: skip
@settings(deadline=None, max_examples=60)
def test_in_utc_rounds_are_what_an_rrule_counted_from_long_ago_says(after: datetime, rule: str) -> None:
    anchored = rrulestr(f"RRULE:{rule}", dtstart=FIRST - timedelta(days=31))
    expected = [one.replace(tzinfo=UTC) for one in islice(anchored.xafter(after.replace(tzinfo=None)), 3)]
    assert list(islice(rounds_after(recurrence(rule, "UTC"), after), 3)) == expected


NOON = utc("2026-04-10T12:00")
HOURLY = "0 * * * *"


def hours(*numbers: int) -> tuple[datetime, ...]:
    return tuple(NOON.replace(hour=number) for number in numbers)


@pytest.mark.parametrize(
    ("catch_up", "expires", "awake", "since", "now", "start", "missed"),
    [
        # Just started at 12:00: the round of that minute is in time, those before it were missed.
        ("none", None, 12, 8, 0, (12,), (9, 10, 11)),
        ("last", None, 12, 8, 0, (12,), (9, 10, 11)),
        ("all", None, 12, 8, 0, (9, 10, 11, 12), ()),
        # Started at 12:30: nothing is due right now.
        ("none", None, 12.5, 8, 30, (), (9, 10, 11, 12)),
        ("last", None, 12.5, 8, 30, (12,), (9, 10, 11)),
        ("all", None, 12.5, 8, 30, (9, 10, 11, 12), ()),
        # A restart that takes minutes misses nothing.
        ("none", None, 12.1, 11, 8, (12,), ()),
        # Nothing that is older than `expires` is started, whatever is asked for.
        ("all", 2, 12.5, 8, 30, (11, 12), (9, 10)),
        ("last", 0.4, 12.5, 8, 30, (), (9, 10, 11, 12)),
        # A runner that was at work and busy is in time, however late it looks.
        ("none", None, 8, 8, 30, (9, 10, 11, 12), ()),
        ("none", None, 10.5, 8, 30, (11, 12), (9, 10)),
        ("last", None, 10.5, 8, 30, (11, 12), (9, 10)),
        # What is accounted for does not come back.
        ("all", None, 12, 12, 30, (), ()),
    ],
)
def test_missed_rounds_are_started_as_catch_up_says(  # noqa: PLR0917 the columns of the table
    catch_up: str,
    expires: float | None,
    awake: float,
    since: int,
    now: int,
    start: tuple[int, ...],
    missed: tuple[int, ...],
) -> None:
    of = recurrence(HOURLY, "UTC", catch_up=catch_up, expires=timedelta(hours=expires) if expires else None)
    midnight = NOON.replace(hour=0)
    found = due_rounds(
        of, midnight + timedelta(hours=since), NOON + timedelta(minutes=now), midnight + timedelta(hours=awake)
    )
    assert found == DueRounds(hours(*start), hours(*missed))


@given(
    catch_up=st.sampled_from(["none", "last", "all"]),
    since=st.integers(0, 3000),
    awake=st.integers(0, 3000),
    now=st.integers(0, 3000),
    expires=st.none() | st.integers(1, 3000),
)
@settings(deadline=None)
def test_every_round_is_started_or_missed_once_and_none_too_late(
    catch_up: str, since: int, awake: int, now: int, expires: int | None
) -> None:
    at = NOON + MINUTE * now
    span = MINUTE * expires if expires else None
    of = recurrence("*/20 8-18 * * *", "UTC", catch_up=catch_up, expires=span)
    found = due_rounds(of, NOON + MINUTE * since, at, NOON + MINUTE * awake)
    everything = [*takewhile(lambda one: one <= at, rounds_after(of, NOON + MINUTE * since))]
    assert [*found.missed, *found.start] == everything
    late = [one for one in found.start if one <= NOON + MINUTE * awake and at - one > GRACE]
    assert catch_up != "none" or not late
    assert catch_up != "last" or len(late) <= 1
    assert span is None or all(at - one <= span for one in late)
    assert not any(one > NOON + MINUTE * awake or at - one <= GRACE for one in found.missed)


def test_a_campaign_says_when_it_begins_anew() -> None:
    schedule = {"repeat": "0 9 * * mon", "timezone": "America/New_York", "catch_up": "last", "end": "2026-12-01"}
    of = building.campaign(schedule=schedule, retry={"attempts": 2, "expires": "3d"})
    assert recurrence_of(of) == recurrence(
        "0 9 * * mon", catch_up="last", end=utc("2026-12-01T05:00"), expires=timedelta(days=3)
    )
    assert recurrence_of(building.campaign()) is None


def test_what_was_written_is_read_back_from_the_ledger() -> None:
    of = building.campaign(schedule={"repeat": "rrule:freq=weekly;byday=mo;byhour=9", "timezone": "UTC"})
    assert of.schedule.repeat == "FREQ=WEEKLY;BYDAY=MO;BYHOUR=9"
    assert type(of).model_validate_json(of.model_dump_json(exclude_none=True)) == of


@pytest.mark.parametrize(
    ("changes", "message", "help"),
    [
        ({"repeat": "every monday at 9"}, "`every monday at 9` is neither a cron expression nor an RRULE", "0 9 * * mon"),
        ({"repeat": "0 9 * *"}, "`0 9 * *` is neither a cron expression nor an RRULE", "0 9 * * mon"),
        ({"repeat": "0 0 9 * * mon"}, "`0 0 9 * * mon` is neither a cron expression nor an RRULE", "0 9 * * mon"),
        ({"repeat": "0 25 * * *"}, "`0 25 * * *` is not a cron expression", "0 9 * * mon"),
        ({"repeat": "0 9 30 2 *"}, "`0 9 30 2 *` is not a cron expression", "0 9 * * mon"),
        ({"repeat": "FREQ=WEEKLY;BYDAY=XX;BYHOUR=9"}, "`FREQ=WEEKLY;BYDAY=XX;BYHOUR=9` is not an RRULE", "FREQ=WEEKLY"),
        ({"repeat": "FREQ=DAILY;BYHOUR=25"}, "`FREQ=DAILY;BYHOUR=25` is not an RRULE", "FREQ=WEEKLY"),
        ({"repeat": "FREQ=DAILY;BYHOUR=9;BYMONTH=2;BYMONTHDAY=30"}, "never comes", "0 9 * * mon"),
        ({"repeat": "FREQ=MINUTELY"}, "`FREQ=MINUTELY` repeats too often for an RRULE", "*/30"),
        ({"repeat": "FREQ=DAILY;BYHOUR=9;COUNT=3"}, "`COUNT` has no place in `repeat`", "schedule.end"),
        ({"repeat": "FREQ=DAILY;BYHOUR=9;UNTIL=20261201T000000Z"}, "`UNTIL` has no place in `repeat`", "schedule.end"),
        ({"repeat": "DTSTART=20260101T090000;FREQ=DAILY"}, "`DTSTART` has no place in `repeat`", "schedule.start"),
        ({"repeat": "FREQ=WEEKLY"}, "`FREQ=WEEKLY` counts from a start, and there is none", "start:"),
        ({"repeat": "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;BYHOUR=9"}, "counts from a start, and there is none", "start:"),
        ({"repeat": "0 9 * * mon", "timezone": None}, "`repeat` needs the zone whose clock it follows", "timezone:"),
        ({"catch_up": "last"}, "`catch_up` is for rounds, and nothing repeats", "repeat:"),
    ],
)  # fmt: skip
def test_what_cannot_repeat_is_refused_with_the_right_form(changes: dict[str, Any], message: str, help: str) -> None:
    given = {key: value for key, value in ({"timezone": "UTC"} | changes).items() if value is not None}
    with pytest.raises(ValidationError) as refused:
        Schedule.model_validate(given)
    (error,) = refused.value.errors()
    assert message in error["msg"]
    assert help in error["ctx"]["help"]
