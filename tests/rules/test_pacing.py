"""Whom room goes to: nobody more than there is, campaigns by their priority, nobody left waiting for ever."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.rules.limits import Room
from runner.rules.meters import Scope
from runner.rules.pacing import Queue, Shares, choose, room_of
from tests.building import NOON

LEDGER, MAIN, OTHER = Scope("ledger"), Scope("account", "main"), Scope("account", "other")


def queue(lane: int, waiting: int, *scopes: Scope, campaign: str = "", priority: int = 5, late: int = 0) -> Queue:
    return Queue(
        lane=lane, campaign=campaign or f"c{lane}", priority=priority, scopes=scopes or (LEDGER,),
        due=tuple(NOON - timedelta(seconds=late - number) for number in range(waiting)),
    )  # fmt: skip


def rooms(**free: int) -> dict[Scope, Room]:
    by_name = {"ledger": LEDGER, "main": MAIN, "other": OTHER}
    return {by_name[name]: Room(count) for name, count in free.items()}


@pytest.mark.parametrize(
    ("queues", "free", "expected"),
    [
        ([], {}, {}),
        ([queue(1, 0)], {"ledger": 9}, {}),
        ([queue(1, 3)], {}, {1: 3}),
        ([queue(1, 3)], {"ledger": 2}, {1: 2}),
        ([queue(1, 3)], {"ledger": 0}, {}),
        ([queue(1, 3), queue(2, 3)], {"ledger": 6}, {1: 3, 2: 3}),
        ([queue(1, 9), queue(2, 9)], {"ledger": 6}, {1: 3, 2: 3}),
        ([queue(1, 9, priority=10), queue(2, 9)], {"ledger": 6}, {1: 4, 2: 2}),
        ([queue(1, 1), queue(2, 9)], {"ledger": 6}, {1: 1, 2: 5}),
        ([queue(1, 9, MAIN, LEDGER), queue(2, 9, OTHER, LEDGER)], {"main": 1, "ledger": 6}, {1: 1, 2: 5}),
        ([queue(1, 9, MAIN, LEDGER), queue(2, 9, OTHER, LEDGER)], {"main": 2, "other": 3, "ledger": 9}, {1: 2, 2: 3}),
        ([queue(1, 9, MAIN, LEDGER), queue(2, 9, MAIN, LEDGER)], {"main": 0, "ledger": 9}, {}),
    ],
)
def test_room_is_shared_out(queues: list[Queue], free: dict[str, int], expected: dict[int, int]) -> None:
    assert choose(queues, rooms(**free), Shares()) == expected


def test_within_a_campaign_the_oldest_goes_first() -> None:
    early, late = queue(1, 2, campaign="one", late=9), queue(2, 2, campaign="one", late=99)
    assert choose([early, late], rooms(ledger=3), Shares()) == {2: 2, 1: 1}


def test_the_next_turn_goes_on_where_the_last_one_ended() -> None:
    shares, wanted = Shares(), [queue(1, 9), queue(2, 9)]
    assert choose(wanted, rooms(ledger=3), shares) == {1: 2, 2: 1}
    assert choose(wanted, rooms(ledger=1), shares) == {2: 1}


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({}, Room(1_000_000)),
        ({"ledger": Room(4), "main": Room(2)}, Room(2)),
        ({"ledger": Room(0, NOON, "a"), "main": Room(2)}, Room(0, NOON, "a")),
        ({"ledger": Room(0, NOON, "a"), "main": Room(0, NOON + timedelta(1), "b")}, Room(0, NOON + timedelta(1), "b")),
        ({"ledger": Room(0, NOON, "a"), "main": Room(0, None, "b")}, Room(0, None, "b")),
    ],
)
def test_the_fullest_scope_counts(found: dict[str, Room], expected: Room) -> None:
    assert room_of((LEDGER, MAIN), {Scope(*one): room for one, room in _named(found)}) == expected


def _named(found: dict[str, Room]) -> list[tuple[tuple[str, str], Room]]:
    return [(("ledger", "") if name == "ledger" else ("account", name), room) for name, room in found.items()]


@st.composite
def some_queues(draw: st.DrawFn) -> list[Queue]:
    lanes = draw(st.integers(1, 8))
    return [
        queue(
            lane, draw(st.integers(0, 12)), *draw(st.sampled_from([(LEDGER,), (MAIN, LEDGER), (OTHER, LEDGER), (MAIN,)])),
            campaign=draw(st.sampled_from(["a", "b", "c"])), priority=draw(st.integers(1, 10)),
            late=draw(st.integers(0, 50)),
        )
        for lane in range(lanes)
    ]  # fmt: skip


@given(some_queues(), st.integers(0, 20), st.integers(0, 20), st.integers(0, 20))
@settings(max_examples=300, deadline=None)
def test_no_scope_gets_more_than_its_room_and_none_is_left_over(
    queues: list[Queue], ledger: int, main: int, other: int
) -> None:
    free = rooms(ledger=ledger, main=main, other=other)
    picks = choose(queues, free, Shares())
    used = Counter[Scope]()
    for one in queues:
        assert 0 <= picks.get(one.lane, 0) <= len(one.due)
        for scope in one.scopes:
            used[scope] += picks.get(one.lane, 0)
    assert all(used[scope] <= free[scope].free for scope in free)
    for one in queues:
        if picks.get(one.lane, 0) < len(one.due):
            assert any(used[scope] == free[scope].free for scope in one.scopes), "who waits, waits for room"


WEIGHTS = st.lists(st.integers(1, 10), min_size=2, max_size=6)


@given(WEIGHTS, st.lists(st.integers(0, 4), min_size=20, max_size=120))
@settings(max_examples=100, deadline=None)
def test_campaigns_that_always_wait_get_their_shares(priorities: list[int], slots: list[int]) -> None:
    """At every moment, starts over priority differ by no more than one start of each (start-time fair queueing)."""
    shares, got = Shares(), Counter[int]()
    for free in slots:
        _turn(shares, got, priorities, set(range(len(priorities))), free)
        for one, weight in enumerate(priorities):
            for other, its_weight in enumerate(priorities):
                apart = abs(got[one] / weight - got[other] / its_weight)
                assert apart <= 1 / weight + 1 / its_weight + 1e-9


@given(WEIGHTS, st.lists(st.sets(st.integers(0, 5)), min_size=30, max_size=120), st.integers(0, 5))
@settings(max_examples=100, deadline=None)
def test_nobody_starves_whatever_the_others_do(priorities: list[int], others: list[set[int]], patient: int) -> None:
    """Whoever waits is served before the others together have had what all their priorities allow for one of its own."""
    patient %= len(priorities)
    shares, got = Shares(), Counter[int]()
    bound = sum(weight / priorities[patient] + 1 for weight in priorities)
    waited = 0
    for present in others:
        before = got[patient]
        _turn(shares, got, priorities, {one for one in present if one < len(priorities)} | {patient}, 1)
        waited = 0 if got[patient] > before else waited + 1
        assert waited <= bound


def test_who_was_away_has_saved_nothing_up() -> None:
    shares, got = Shares(), Counter[int]()
    for _ in range(50):
        _turn(shares, got, [5, 5], {0}, 1)
    for _ in range(20):
        _turn(shares, got, [5, 5], {0, 1}, 1)
    assert abs(got[1] - 10) <= 1, "half of what there was once it came"


def test_one_account_s_pace_says_nothing_about_another() -> None:
    """Two campaigns on a slow account share it evenly, however fast a third one goes elsewhere."""
    shares, got = Shares(), Counter[int]()
    for _ in range(40):
        wanted = [
            queue(0, 9, OTHER, LEDGER),
            queue(1, 9, MAIN, LEDGER, late=50),
            queue(2, 9, MAIN, LEDGER, priority=10),
        ]
        picks = choose(wanted, rooms(ledger=7, main=1, other=5), shares)
        got.update(picks)
    assert got[1] + got[2] == 40
    assert abs(got[2] - 2 * got[1]) <= 3


def _turn(shares: Shares, got: Counter[int], priorities: list[int], waiting: set[int], free: int) -> None:
    wanted = [queue(one, 9, LEDGER, priority=weight) for one, weight in enumerate(priorities) if one in waiting]
    got.update(choose(wanted, rooms(ledger=free), shares))
