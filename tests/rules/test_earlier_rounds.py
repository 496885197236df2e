"""Rounds of rules that came before those in force: what still begins, and why the others were missed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.rounds import ABSENT, HALF_APPLIED, PAUSED, TAKEN_OVER, Recurring, RoundRules
from runner.rules.earlier_rounds import earlier_rounds, half_applied_rounds
from runner.rules.recurrence import GRACE, Recurrence, recurrence_of
from tests import building

NINE = datetime(2026, 4, 6, 9, tzinfo=UTC)
DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DAILY = "0 9 * * *"


def rules(repeat: str | None, since: datetime, until: datetime, in_force_since: datetime | None) -> RoundRules:
    of = building.campaign(schedule={"repeat": repeat, "timezone": "UTC"} if repeat else {})
    return RoundRules(
        policy=of.model_dump_json(exclude_none=True), since=since, until=until, in_force_since=in_force_since
    )


def recurrence(repeat: str = DAILY) -> Recurrence:
    found = recurrence_of(building.campaign(schedule={"repeat": repeat, "timezone": "UTC"}))
    assert found is not None
    return found


def recurring(applied_at: datetime, since: datetime, *, is_active: bool = True) -> Recurring:
    return Recurring(
        name="renewals", file="campaigns/renewals.yaml", digest="sha256:0", tool_version="0.1.0", since=since,
        applied_at=applied_at, in_force_since=applied_at, is_active=is_active,
    )  # fmt: skip


BEGAN = NINE - DAY
"""when the earlier rules were applied: after the round of that day"""


@pytest.mark.parametrize(
    ("taken_over", "now", "awake_since", "missed", "in_time"),
    [
        pytest.param(NINE + 2 * MINUTE, NINE + 3 * MINUTE, NINE + 3 * MINUTE, [], [NINE], id="restart"),
        pytest.param(NINE + HOUR, NINE + HOUR, NINE + HOUR, [(NINE, ABSENT)], [], id="late"),
        pytest.param(NINE + HOUR, NINE + HOUR, NINE - HOUR, [(NINE, TAKEN_OVER)], [], id="at-work"),
        pytest.param(NINE - MINUTE, NINE + MINUTE, NINE - HOUR, [], [], id="not-due-by-them"),
        pytest.param(NINE, NINE + GRACE, NINE + GRACE, [], [NINE], id="just-in-time"),
        pytest.param(NINE, NINE + GRACE + MINUTE, NINE + HOUR, [(NINE, ABSENT)], [], id="just-late"),
    ],
)
def test_a_round_begins_in_time_or_is_missed_for_a_reason(
    taken_over: datetime,
    now: datetime,
    awake_since: datetime,
    missed: list[tuple[datetime, str]],
    in_time: list[datetime],
) -> None:
    earlier = rules(DAILY, BEGAN, taken_over, BEGAN)
    found = earlier_rounds([earlier], recurring(taken_over, BEGAN), now, recurrence(), awake_since)
    assert [(fate.at, fate.reason) for fate in found if fate.reason] == missed
    assert [fate.at for fate in found if not fate.reason] == in_time


def test_what_is_not_in_the_rules_in_force_was_never_in_force_or_falls_into_a_pause_does_not_begin() -> None:
    taken_over, now = NINE + MINUTE, NINE + 2 * MINUTE
    one, earlier = recurring(taken_over, BEGAN), rules(DAILY, BEGAN, taken_over, BEGAN)

    def why(of: Recurrence | None, rules: RoundRules, one: Recurring) -> str:
        (fate,) = earlier_rounds([rules], one, now, of, now)
        assert fate.at == NINE
        return fate.reason

    assert why(recurrence("30 9 * * *"), earlier, one) == ABSENT
    assert why(None, earlier, one) == ABSENT
    assert why(recurrence(), replace(earlier, in_force_since=None), one) == HALF_APPLIED
    assert why(recurrence(), earlier, replace(one, is_active=False)) == PAUSED
    assert why(recurrence("30 9 * * *"), replace(earlier, in_force_since=NINE + GRACE), one) == HALF_APPLIED
    assert why(recurrence("30 9 * * *"), replace(earlier, in_force_since=NINE + GRACE - MINUTE), one) == ABSENT


@pytest.mark.parametrize("repeat", [None, "FREQ=DAILY;COUNT=3", "no rule at all"])
def test_rules_without_rounds_and_rules_that_nobody_can_read_have_none(repeat: str | None) -> None:
    good = rules(DAILY, BEGAN, NINE + HOUR, BEGAN)
    text = good.policy.replace(f'"{DAILY}"', f'"{repeat}"') if repeat else rules(None, BEGAN, BEGAN, None).policy
    bad = replace(good, policy=text)
    assert earlier_rounds([bad], recurring(NINE + HOUR, BEGAN), NINE + HOUR, recurrence(), NINE) == []
    other = replace(good, policy=good.policy.replace('"UTC"', '"Mars/Olympus"'))
    assert earlier_rounds([other], recurring(NINE + HOUR, BEGAN), NINE + HOUR, recurrence(), NINE) == []


def test_rounds_due_before_the_rules_were_written_to_their_end() -> None:
    one = replace(recurring(NINE - HOUR, BEGAN), in_force_since=NINE + 3 * DAY)
    assert half_applied_rounds(recurrence(), one, NINE + 3 * DAY) == [NINE, NINE + DAY, NINE + 2 * DAY]
    assert half_applied_rounds(recurrence(), replace(one, since=NINE + DAY), NINE + 3 * DAY) == [NINE + 2 * DAY]
    assert half_applied_rounds(recurrence(), replace(one, in_force_since=NINE + MINUTE), NINE + DAY) == []
    assert half_applied_rounds(recurrence(), one, NINE + DAY - MINUTE) == [NINE]  # of a clock that was ahead


@given(
    cuts=st.lists(st.integers(0, 14 * 24), min_size=2, max_size=6, unique=True),
    finished=st.lists(st.booleans(), min_size=5, max_size=5),
    late=st.integers(0, 48),
    is_active=st.booleans(),
)
def test_every_round_is_accounted_for_once_and_in_order(
    cuts: list[int], finished: list[bool], late: int, is_active: bool
) -> None:
    """Of rules that follow each other each round either begins or is missed: none is lost, none comes twice."""
    edges = [NINE + cut * HOUR for cut in sorted(cuts)]
    earlier = [
        rules(DAILY, since, until, since if done else None)
        for since, until, done in zip(edges, edges[1:], finished, strict=False)
    ]
    one = recurring(edges[-1], edges[0], is_active=is_active)
    found = earlier_rounds(earlier, one, edges[-1] + late * HOUR, recurrence(), edges[-1])
    expected = [NINE + day * DAY for day in range(16) if edges[0] < NINE + day * DAY <= edges[-1]]
    assert [fate.at for fate in found] == expected
