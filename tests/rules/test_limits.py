"""How many may start: tables, and a simulation that no limit may be broken in and nobody starves in."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.campaign import Limits
from runner.rules.limits import Room, history_needed, room
from tests.building import NOON


def ago(*seconds: float) -> list[datetime]:
    return [NOON - timedelta(seconds=one) for one in seconds]


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("limits", "live", "starts", "expected"),
    [
        ({}, 0, [], Room(10, None)),
        ({"concurrency": 3}, 2, ago(1), Room(1, None)),
        ({"concurrency": 3}, 3, [], Room(0, None)),
        ({"concurrency": 3}, 9, [], Room(0, None)),
        ({"per_second": 2}, 0, [], Room(2, None)),
        ({"per_second": 2}, 0, ago(0.5), Room(1, None)),
        ({"per_second": 2}, 0, ago(0.5, 0.25), Room(0, after(0.5))),
        ({"per_second": 2}, 0, ago(1, 0.25), Room(1, None)),
        ({"per_second": 2.9}, 0, [], Room(2, None)),
        ({"per_second": 2, "concurrency": 1}, 1, ago(0.5, 0.25), Room(0, after(0.5))),
        ({"per_second": 0.5}, 0, ago(1), Room(0, after(1))),
        ({"per_second": 0.5}, 0, ago(2), Room(1, None)),
        ({"spacing": "3s"}, 0, ago(1), Room(0, after(2))),
        ({"spacing": "3s"}, 0, ago(3), Room(1, None)),
        ({"spacing": "3s"}, 0, [], Room(1, None)),
        ({"spacing": "0s"}, 0, ago(0), Room(10, None)),
        ({"spacing": "1s", "per_second": 0.25}, 0, ago(1), Room(0, after(3))),
        ({"spacing": "0.1s", "per_second": 2}, 0, ago(0.4, 0.2), Room(0, after(0.6))),
        ({"spacing": "0.1s", "per_second": 2}, 0, ago(0.2), Room(1, None)),
        ({"per_second": 1e-300}, 0, ago(1), Room(0, NOON + timedelta(days=366) - timedelta(seconds=1))),
    ],
)
def test_room(limits: dict[str, Any], live: int, starts: list[datetime], expected: Room) -> None:
    assert room(Limits.model_validate(limits), live, starts, NOON) == expected


@pytest.mark.parametrize("rate", ["inf", "nan", "0", "-1", "-inf"])
def test_a_rate_is_a_number_above_zero(rate: str) -> None:
    with pytest.raises(ValueError, match="per_second"):
        Limits.model_validate({"per_second": rate})


@st.composite
def some_limits(draw: st.DrawFn) -> Limits:
    facts: dict[str, Any] = {"concurrency": draw(st.integers(1, 6))}
    if draw(st.booleans()):
        facts["per_second"] = draw(st.sampled_from([0.3, 0.5, 1, 1.5, 2, 3, 5]))
    if draw(st.booleans()):
        facts["spacing"] = timedelta(milliseconds=draw(st.sampled_from([0, 100, 400, 1000, 2500])))
    return Limits.model_validate(facts)


@given(some_limits(), st.lists(st.tuples(st.integers(0, 1500), st.integers(0, 3)), min_size=5, max_size=60))
@settings(max_examples=200, deadline=None)
def test_no_limit_is_ever_broken_and_time_brings_room(limits: Limits, turns: list[tuple[int, int]]) -> None:
    now, live = NOON, 0
    starts: list[datetime] = []
    for milliseconds, ended in turns:
        now += timedelta(milliseconds=milliseconds)
        live = max(0, live - ended)
        kept = [start for start in starts if start > now - history_needed(limits)]
        left = room(limits, live, kept, now)
        assert 0 <= left.free <= limits.concurrency - live
        assert left.until is None or left.until > now
        if left.until is not None:
            assert room(limits, 0, kept, left.until).free > 0, "the instant that it names brings room"
        elif live < limits.concurrency:
            assert left.free > 0, "nothing is in the way, so something may start"
        starts += [now] * left.free
        live += left.free
    _hold(limits, starts)


def _hold(limits: Limits, starts: list[datetime]) -> None:
    for start in starts:
        within = [one for one in starts if start <= one < start + timedelta(seconds=1)]
        assert limits.per_second is None or len(within) <= max(1, limits.per_second)
    gap = max(
        limits.spacing or timedelta(0),
        timedelta(seconds=1 / limits.per_second) if limits.per_second and limits.per_second < 1 else timedelta(0),
    )
    assert all(other - one >= gap for one, other in pairwise(starts))
