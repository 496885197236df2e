"""How many may start: tables, and a simulation that no limit may be broken in and nobody waits in for nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runner.model.limits import Limits, Ramp, SharedLimits
from runner.rules.limits import Room, Usage, history_needed, limits_anything, pace_at, room
from runner.rules.local_time import local_day
from runner.rules.meters import Meter, Past
from tests.building import NOON

PLENTY = 1_000_000
TOMORROW = datetime(2026, 1, 6, tzinfo=UTC)


def ago(*seconds: float) -> list[datetime]:
    return [NOON - timedelta(seconds=one) for one in seconds]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("limits", "used", "expected"),
    [
        ({}, {}, Room(PLENTY)),
        ({"concurrency": 3}, {"live": ago(1, 1)}, Room(1)),
        ({"concurrency": 3}, {"live": ago(9, 6, 3)}, Room(0, after(3591), "concurrency: 3")),
        ({"concurrency": 2}, {"live": ago(9, 6, 3)}, Room(0, after(3594), "concurrency: 2")),
        ({"concurrency": 1, "slot_for": "60s"}, {"live": ago(61)}, Room(1)),
        ({"concurrency": 1, "slot_for": "60s"}, {"live": ago(60)}, Room(1)),
        ({"concurrency": 1, "slot_for": "60s"}, {"live": ago(61, 59)}, Room(0, after(1), "concurrency: 1")),
        ({"per_second": 2}, {}, Room(2)),
        ({"per_second": 2}, {"starts": ago(0.5)}, Room(1)),
        ({"per_second": 2}, {"starts": ago(0.5, 0.25)}, Room(0, after(0.5), "per_second: 2")),
        ({"per_second": 2}, {"starts": ago(1, 0.25)}, Room(1)),
        ({"per_second": 2.9}, {}, Room(2)),
        ({"per_second": 0.5}, {"starts": ago(1)}, Room(0, after(1), "per_second: 0.5")),
        ({"per_second": 0.5}, {"starts": ago(2)}, Room(1)),
        ({"per_second": 1e-300}, {"starts": ago(1)}, Room(0, after(366 * 86400 - 1), "per_second: 1e-300")),
        ({"per_minute": 2}, {"starts": ago(61, 59)}, Room(1)),
        ({"per_minute": 2}, {"starts": ago(60, 59)}, Room(1)),
        ({"per_minute": 2}, {"starts": ago(59, 1)}, Room(0, after(1), "per_minute: 2")),
        ({"per_minute": 2}, {"starts": ago(58, 59, 1)}, Room(0, after(1), "per_minute: 2")),
        ({"per_day": 9}, {"today": 8, "day_ends": TOMORROW}, Room(1)),
        ({"per_day": 9}, {"today": 9, "day_ends": TOMORROW}, Room(0, TOMORROW, "per_day: 9")),
        ({"per_day": 9}, {"today": 99, "day_ends": TOMORROW}, Room(0, TOMORROW, "per_day: 9")),
        ({"spacing": "3s"}, {"starts": ago(1)}, Room(0, after(2), "spacing: 3s")),
        ({"spacing": "3s"}, {"starts": ago(3)}, Room(1)),
        ({"spacing": "3s"}, {}, Room(1)),
        ({"spacing": "0s"}, {"starts": ago(0)}, Room(PLENTY)),
        ({"spacing": "1s", "per_second": 0.25}, {"starts": ago(1)}, Room(0, after(3), "per_second: 0.25")),
        ({"spacing": "0.1s", "per_second": 2}, {"starts": ago(0.4, 0.2)}, Room(0, after(0.6), "per_second: 2")),
        ({"ramp": "6/min -> 60/min over 1h"}, {}, Room(1)),
        (
            {"ramp": "6/min -> 60/min over 1h"},
            {"starts": ago(4), "first": NOON - timedelta(seconds=4)},
            Room(0, after(6), "ramp, now at 6 in a minute"),
        ),
        (
            {"ramp": "6/min -> 60/min over 1h"},
            {"starts": ago(1), "first": NOON - timedelta(seconds=1801)},
            Room(0, after(60 / 33 - 1), "ramp, now at 33 in a minute"),
        ),
        ({"ramp": "6/min -> 60/min over 1h"}, {"starts": ago(1), "first": NOON - timedelta(days=3)}, Room(1)),
        (
            {"per_day": 1, "spacing": "3s", "concurrency": 1},
            {"live": ago(1), "starts": ago(1), "today": 1, "day_ends": TOMORROW},
            Room(0, TOMORROW, "per_day: 1"),
        ),
    ],
)
def test_room(limits: dict[str, Any], used: dict[str, Any], expected: Room) -> None:
    assert room(SharedLimits.model_validate(limits), Usage(**used), NOON) == expected


def test_a_campaign_has_ten_live_calls_unless_it_says_otherwise() -> None:
    assert room(Limits(), Usage(live=ago(1)), NOON).free == 9
    assert not limits_anything(SharedLimits())
    assert limits_anything(Limits())


@pytest.mark.parametrize(
    ("ramp", "minutes", "pace"),
    [("10/min -> 100/min over 1h", at, pace) for at, pace in ((-5, 10), (0, 10), (30, 55), (60, 100), (600, 100))]
    + [("1/s to 2/s over 10m", 5, 90), ("60/h → 120/h over 10m", 10, 2), ("5/min -> 5/min over 1d", 9, 5)],
)
def test_a_ramp_grows_evenly(ramp: str, minutes: float, pace: float) -> None:
    found = SharedLimits.model_validate({"ramp": ramp}).ramp
    assert found is not None
    assert pace_at(found, NOON, NOON + timedelta(minutes=minutes)) == pytest.approx(pace)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"ramp": "100/min -> 10/min over 1h"}, "goes down"),
        ({"ramp": "10/min -> 100/min"}, "is not a ramp"),
        ({"ramp": "10 -> 100 over 1h"}, "`10` in"),
        ({"ramp": "0/min -> 1/min over 1h"}, "`0/min` in"),
        ({"ramp": "10/min -> 100/min over soon"}, "`soon` is not a duration"),
        ({"ramp": "10/min -> 100/min over 0s"}, "takes no time"),
        ({"slot_for": "5s"}, "would end while people still talk"),
        ({"per_minute": "0"}, "per_minute"),
        ({"per_day": "-1"}, "per_day"),
        ({"priority": "0"}, "priority"),
        ({"priority": "11"}, "priority"),
        *(({"per_second": rate}, "per_second") for rate in ("inf", "nan", "0", "-1", "-inf")),
    ],
)
def test_what_is_no_limit_is_refused(facts: dict[str, str], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Limits.model_validate(facts)


@given(
    st.floats(1 / 1440, 1e6, allow_nan=False), st.floats(1, 1e3), st.integers(1, 86400)
)  # fmt: skip
def test_a_ramp_is_read_back_as_it_was_written(first: float, factor: float, seconds: int) -> None:
    ramp = Ramp(first=first, last=first * factor, over=timedelta(seconds=seconds))
    limits = SharedLimits(ramp=ramp)
    assert SharedLimits.model_validate_json(limits.model_dump_json()) == limits


@st.composite
def some_limits(draw: st.DrawFn) -> SharedLimits:
    chosen = {
        "concurrency": st.integers(1, 6),
        "per_second": st.sampled_from([0.3, 0.5, 1, 1.5, 2, 3, 5]),
        "per_minute": st.integers(1, 9),
        "per_day": st.integers(1, 12),
        "spacing": st.sampled_from(["0s", "0.1s", "0.4s", "1s", "2.5s"]),
        "ramp": st.sampled_from(["20/min -> 60/min over 30s", "2/s -> 9/s over 1m", "1/min -> 90/min over 5m"]),
        "slot_for": st.sampled_from(["1m", "90s"]),
    }
    names = draw(st.sets(st.sampled_from(sorted(chosen)), min_size=1))
    return SharedLimits.model_validate({name: draw(chosen[name]) for name in sorted(names)})


TURNS = st.lists(st.tuples(st.sampled_from([0, 1, 90, 400, 1000, 7000, 40_000, 4_000_000]), st.integers(0, 3)), min_size=5, max_size=50)  # fmt: skip


@given(some_limits(), TURNS, st.sampled_from(["UTC", "Asia/Kolkata", "Africa/Cairo"]))
@example(SharedLimits(per_day=2), [(4_000_000, 0)] * 40, "Africa/Cairo")
@settings(max_examples=200, deadline=None)
def test_no_limit_is_ever_broken_and_time_brings_room(
    limits: SharedLimits, turns: list[tuple[int, int]], zone: str
) -> None:
    now, live = NOON, list[datetime]()
    starts: list[tuple[datetime, int]] = []
    meter = Meter(limits=limits, source="limits", zone=zone)
    meter.begin(Past(), now)
    for milliseconds, ended in turns:
        now += timedelta(milliseconds=milliseconds)
        live = live[ended:]
        left = meter.room(live, now)
        holding = [one for one in live if one + limits.slot_for > now]
        if limits.concurrency is not None:
            assert left.free <= max(0, limits.concurrency - len(holding))
        if left.until is not None:
            assert left.until > now
            assert left.why
            assert _later(meter, live, left.until) > 0, "the instant that it names brings room"
        else:
            assert left.free > 0, "nothing is in the way, so something may start"
        for _ in range(min(left.free, 4)):
            meter.start(now)
            live.append(now)
            starts.append((now, 0))
    _hold(limits, [at for at, _ in starts], zone)


def _later(meter: Meter, live: list[datetime], at: datetime) -> int:
    """Ask a copy what there will be room for: a meter forgets what is long past."""
    copy = Meter(limits=meter.limits, source="", zone=meter.zone)
    copy.begin(Past(starts=list(meter._starts), today=meter._today, first=meter._first), at)
    copy._day, copy._day_ends, copy._today = meter._day, meter._day_ends, meter._today
    return copy.room(live, at).free


def _hold(limits: SharedLimits, starts: list[datetime], zone: str) -> None:
    """Hold the starts against the limits, each in the plainest way."""
    for start in starts:
        second = [one for one in starts if start <= one < start + timedelta(seconds=1)]
        assert limits.per_second is None or len(second) <= max(1, limits.per_second)
        minute = [one for one in starts if start <= one < start + timedelta(minutes=1)]
        assert limits.per_minute is None or len(minute) <= limits.per_minute
        assert limits.ramp is None or len(minute) <= 1 + pace_at(limits.ramp, starts[0], minute[-1])
    days: dict[date, int] = {}
    for start in starts:
        day = local_day(start, zone)
        days[day] = days.get(day, 0) + 1
    assert limits.per_day is None or max(days.values(), default=0) <= limits.per_day
    gap = max(
        limits.spacing or timedelta(0),
        timedelta(seconds=1 / limits.per_second) if limits.per_second and limits.per_second < 1 else timedelta(0),
    )
    assert all(other - one >= gap for one, other in pairwise(starts))


@given(some_limits(), st.lists(st.integers(0, 9000), min_size=1, max_size=40), st.integers(0, 40))
@settings(max_examples=100, deadline=None)
def test_a_restart_changes_nothing(limits: SharedLimits, gaps: list[int], at: int) -> None:
    """A meter that begins from what really started says the same as the one that counted it."""
    now, starts, counted = NOON, list[datetime](), Meter(limits=limits, source="limits")
    counted.begin(Past(), now)
    for number, gap in enumerate(gaps):
        now += timedelta(milliseconds=gap)
        if counted.room(starts, now).free > 0:
            counted.start(now)
            starts.append(now)
        if number == at:
            recent = [one for one in starts if one > now - Meter.reach(limits)]
            today = sum(one.date() == now.date() for one in starts)
            counted = Meter(limits=limits, source="limits")
            counted.begin(Past(starts=recent, today=today, first=min(starts, default=None)), now)
    fresh = Meter(limits=limits, source="limits")
    fresh.begin(
        Past(
            starts=[one for one in starts if one > now - Meter.reach(limits)],
            today=sum(one.date() == now.date() for one in starts),
            first=min(starts, default=None),
        ),
        now,
    )
    assert fresh.room(starts, now) == counted.room(starts, now)
    _hold(limits, starts, "UTC")


def test_what_reached_nobody_is_counted_no_more() -> None:
    meter = Meter(limits=SharedLimits(per_day=1, spacing=timedelta(seconds=10)), source="limits")
    meter.begin(Past(), NOON)
    meter.start(NOON)
    assert meter.room((), NOON).why == "per_day: 1"
    meter.take_back(NOON, left=True)
    assert meter.room((), NOON).why == "spacing: 10s", "a request left, so the pace still counts it"
    meter.take_back(NOON, left=False)
    assert meter.room((), NOON).free == 1


def test_limits_change_under_way_without_forgetting_what_they_need() -> None:
    meter = Meter(limits=SharedLimits(per_second=5), source="limits")
    meter.begin(Past(), NOON)
    meter.start(NOON - timedelta(seconds=30))
    assert meter.takes(SharedLimits(per_minute=1), "limits", "UTC")
    assert meter.room((), NOON).why == "per_minute: 1"
    assert not meter.takes(SharedLimits(spacing=timedelta(hours=1)), "limits", "UTC"), "it remembers a minute"
    assert not meter.takes(SharedLimits(per_day=1), "limits", "Asia/Tokyo"), "that is another day"


def test_history_reaches_as_far_as_any_limit_looks_back() -> None:
    given_limits = {"1s": {}, "3s": {"spacing": "3s"}, "60s": {"per_minute": 4}, "600s": {"ramp": "0.1/min -> 9/min over 1h"}}  # fmt: skip
    for seconds, limits in given_limits.items():
        found = history_needed(SharedLimits.model_validate(limits))
        assert found.total_seconds() == float(seconds[:-1])
