"""How long a person waits for the next try, at which hour it comes, and when it is too late."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.model.outcome import Outcome
from runner.model.tried import Tried
from runner.model.whereabouts import Whereabouts
from runner.rules.ending import Ending
from runner.rules.expressions import StepResult
from runner.rules.follow_up import FollowUp, Then, follow_up
from runner.rules.policy import Policy, policy_of
from runner.rules.retries import delay, last_start
from tests.building import NEW_YORK, NOON, campaign

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
NEW = ZoneInfo(NEW_YORK)


def ending(outcome: str = "no_answer", number: int = 1, **facts: Any) -> Ending:
    """Give a call that ended at noon, after `number - 1` others like it."""
    known: dict[str, Any] = {
        "step": "call", "number": number, "outcome": Outcome(outcome), "at": NOON, "where": Whereabouts((NEW_YORK,)),
        "history": {"call": StepResult(outcome=outcome, tag=facts.pop("tag", ""))}, "contact": {}, "key": "k",
        "started_at": NOON - MINUTE, "step_due_at": NOON - MINUTE,
        "earlier": tuple(
            Tried(step="call", number=earlier, channel="call", outcome=outcome) for earlier in range(1, number)
        ),
    }  # fmt: skip
    return Ending(**known | facts)


def waits(retry: dict[str, Any], of: Ending, **rules: Any) -> timedelta:
    policy = policy_of(campaign(retry={"attempts": 9, **retry}, **rules))
    step = policy.campaign.steps[0]
    assert step.retry is not None
    return delay(policy, step, step.retry, of)


@pytest.mark.parametrize(
    ("retry", "number", "expected"),
    [
        ({}, 1, 2 * HOUR),
        ({"after": "90s"}, 4, timedelta(seconds=90)),
        ({"after": ["30m", "2h", "1d"]}, 1, 30 * MINUTE),
        ({"after": ["30m", "2h", "1d"]}, 2, 2 * HOUR),
        ({"after": ["30m", "2h", "1d"]}, 3, DAY),
        ({"after": ["30m", "2h", "1d"]}, 8, DAY),
        ({"after": "30m", "backoff": 2}, 1, 30 * MINUTE),
        ({"after": "30m", "backoff": 2}, 2, HOUR),
        ({"after": "30m", "backoff": 2}, 4, 4 * HOUR),
        ({"after": "30m", "backoff": 2}, 8, DAY),
        ({"after": "30m", "backoff": 1.5}, 3, timedelta(minutes=67, seconds=30)),
        ({"after": "30m", "backoff": 2, "at_most": "90m"}, 2, HOUR),
        ({"after": "30m", "backoff": 2, "at_most": "90m"}, 3, 90 * MINUTE),
        ({"after": "3d", "backoff": 2, "at_most": "1d"}, 1, DAY),
        ({"after": "0s", "backoff": 2}, 5, timedelta(0)),
        ({"after": "30m", "backoff": 1}, 8, 30 * MINUTE),
        ({"on": {"no_answer": "10m", "busy": None}}, 3, 10 * MINUTE),
        ({"on": {"no_answer": ["10m", "1h"], "busy": None}}, 1, 10 * MINUTE),
        ({"on": {"no_answer": ["10m", "1h"], "busy": None}}, 2, HOUR),
        ({"on": {"no_answer": ["10m", "1h"]}, "after": "1m", "backoff": 2}, 5, HOUR),
        ({"on": {"no_answer": {"attempts": 5}}, "after": "1m"}, 5, MINUTE),
        ({"call_twice_in_a_row": True}, 1, timedelta(0)),
        ({"call_twice_in_a_row": True}, 2, 2 * HOUR),
        ({"call_twice_in_a_row": True, "on": {"no_answer": "10m"}}, 1, timedelta(0)),
    ],
)
def test_waits(retry: dict[str, Any], number: int, expected: timedelta) -> None:
    assert waits(retry, ending(number=number)) == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("no_answer", timedelta(0)), ("busy", timedelta(0)), ("voicemail", timedelta(0)), ("screened", timedelta(0)),
     ("failed", timedelta(0)), ("answered", 2 * HOUR), ("declined", 2 * HOUR), ("replied", 2 * HOUR)],
)  # fmt: skip
def test_nobody_who_was_met_is_called_twice_in_a_row(outcome: str, expected: timedelta) -> None:
    retry = {"call_twice_in_a_row": True, "on": [outcome]}
    assert waits(retry, ending(outcome)) == expected
    assert waits(retry, ending(outcome, number=2, is_callback=True)) == 2 * HOUR


def test_an_outcome_s_own_list_counts_that_outcome() -> None:
    retry = {"after": "3h", "on": {"busy": ["10m", "1h"], "no_answer": None}}
    mixed = ending("busy", number=3)
    after_others = replace(mixed, earlier=tuple(replace(one, outcome="no_answer") for one in mixed.earlier))
    assert waits(retry, mixed) == HOUR
    assert waits(retry, after_others) == 10 * MINUTE


WINDOWS = [
    {"from": "09:00", "to": "12:00", "retry_after": "30m"},
    {"from": "11:00", "to": "15:00", "retry_after": "1h"},
    {"from": "16:00", "to": "18:00"},
]


@pytest.mark.parametrize(
    ("started", "expected"),
    [
        ("2026-01-05T09:00", 30 * MINUTE),
        ("2026-01-05T11:30", 30 * MINUTE),  # open in two: the first in the file
        ("2026-01-05T12:00", HOUR),
        ("2026-01-05T14:59", HOUR),
        ("2026-01-05T16:00", 2 * HOUR),
        ("2026-01-05T15:30", 2 * HOUR),  # in none of them
    ],
)
def test_the_window_in_which_a_try_started_says_how_long_to_wait(started: str, expected: timedelta) -> None:
    at = datetime.fromisoformat(started).replace(tzinfo=NEW).astimezone(UTC)
    assert waits({}, ending(started_at=at), windows=WINDOWS) == expected


def test_an_outcome_s_own_wait_wins_over_the_window_s_and_backoff_leaves_both_alone() -> None:
    retry = {"on": {"no_answer": "5m", "busy": None}, "backoff": 2}
    assert waits(retry, ending("no_answer", number=4), windows=WINDOWS) == 5 * MINUTE
    assert waits(retry, ending("busy", number=4), windows=WINDOWS) == 30 * MINUTE


def test_of_several_zones_the_longest_wait_counts() -> None:
    nine_in_los_angeles = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)  # noon in New York
    where = Whereabouts((NEW_YORK, "America/Los_Angeles"))
    assert waits({}, ending(started_at=nine_in_los_angeles, where=where), windows=WINDOWS) == HOUR


def test_a_step_s_own_windows_and_its_channel_s_count() -> None:
    windows = [{"from": "00:00", "to": "24:00", "retry_after": "5m", "channel": "text"},
               {"from": "00:00", "to": "24:00", "retry_after": "7m"}]  # fmt: skip
    assert waits({}, ending(), windows=windows) == 7 * MINUTE
    own = [{"from": "00:00", "to": "24:00", "retry_after": "9m"}]
    assert waits({}, ending(), windows=windows, steps=[{"call": "agent", "windows": own}]) == 9 * MINUTE


@given(st.text(max_size=40), st.integers(1, 8), st.sampled_from(["10s", "1m", "5m", "2h", "1d"]))
def test_jitter_is_drawn_from_the_key_alone_and_stays_in_its_bounds(key: str, number: int, after: str) -> None:
    retry = {"after": after, "backoff": 2, "jitter": "full", "at_most": "3d"}
    plain = waits({**retry, "jitter": "none"}, ending(number=number))
    drawn = waits(retry, ending(number=number, key=key))
    assert drawn == waits(retry, ending(number=number, key=key))
    assert min(plain, MINUTE) <= drawn <= plain


def test_jitter_spreads_people_evenly() -> None:
    drawn = [waits({"after": "10h", "jitter": "full"}, ending(key=f"key {number}")) for number in range(2000)]
    tenths = [sum(number * HOUR <= one < (number + 1) * HOUR for one in drawn) for number in range(10)]
    assert len(set(drawn)) > 1990
    assert all(140 <= count <= 260 for count in tenths), tenths


# ---- best hours ----


def spread(windows: str, *started: str, **more: Any) -> datetime:
    """Give when the next try comes, in New York, after tries that started at these local times; the last just ended."""
    rules = {"retry": {"attempts": 9, "after": more.pop("after", "1h"), "best_hours": "spread"} | more.pop("retry", {})}
    at = [datetime.fromisoformat(one).replace(tzinfo=NEW).astimezone(UTC) for one in started]
    earlier = tuple(
        Tried(step="call", number=number, channel="call", outcome="no_answer", started_at=one)
        for number, one in enumerate(at[:-1], 1)
    )
    last = ending(number=len(at), earlier=earlier, started_at=at[-1], at=at[-1] + MINUTE, step_due_at=at[0], **more)
    found = follow_up(policy_of(campaign(windows=windows, **rules)), last)
    assert found.due_at is not None
    return found.due_at.astimezone(NEW).replace(tzinfo=None)


@pytest.mark.parametrize(
    ("windows", "started", "expected"),
    [
        ("daily 09:00-18:00", ["2026-01-05T10:15"], "2026-01-05T11:16"),
        ("daily 09:00-18:00", ["2026-01-05T11:40", "2026-01-05T10:15"], "2026-01-05T12:00"),
        ("daily 09:00-12:00", ["2026-01-05T10:15", "2026-01-05T11:30"], "2026-01-06T09:00"),
        ("daily 09:00-11:00", ["2026-01-05T09:15", "2026-01-05T10:30"], "2026-01-06T09:00"),  # no other hour is left
        ("mon 10:00-11:00, ; tue 14:00-14:30", ["2026-01-05T10:00"], "2026-01-06T14:00"),
        ("daily 10:30-11:15", ["2026-01-05T10:30"], "2026-01-06T11:00"),
    ],
)
def test_the_next_try_comes_at_an_hour_that_was_not_tried(windows: str, started: list[str], expected: str) -> None:
    assert spread(windows.replace(", ;", ";"), *started) == datetime.fromisoformat(expected)


def test_another_hour_is_not_waited_for_beyond_the_end() -> None:
    tries = ["2026-01-05T10:15", "2026-01-05T11:30"]
    assert spread("daily 10:00-12:00; wed 15:00-16:00", *tries) == datetime.fromisoformat("2026-01-07T15:00")
    short = {"expires": "1d"}
    assert spread("daily 10:00-12:00; wed 15:00-16:00", *tries, retry=short) == datetime.fromisoformat(
        "2026-01-06T10:00"
    )


def test_texts_take_no_hour_away_from_calls() -> None:
    texted = Tried(step="text", number=1, channel="text", outcome="delivered", started_at=NOON + 2 * HOUR)
    policy = policy_of(campaign(retry={"attempts": 3, "after": "2h", "best_hours": "spread"}))
    found = follow_up(policy, ending(earlier=(texted,)))
    assert found.due_at == NOON + 2 * HOUR


# ---- too late ----


@pytest.mark.parametrize(
    ("step", "expected", "source"),
    [
        ({}, None, ""),
        ({"until": "2d"}, NOON + 2 * DAY, "steps.call.until"),
        ({"until": "2026-01-05T18:00Z"}, NOON + HOUR, "steps.call.until"),
        ({"until": "2026-01-05T18:00"}, NOON + 6 * HOUR, "steps.call.until"),
        ({"retry": {"expires": "3h"}}, NOON + 3 * HOUR, "steps.call.retry.expires"),
        ({"retry": {"expires": "3h"}, "until": "2h"}, NOON + 2 * HOUR, "steps.call.until"),
        ({"retry": {"expires": "3h"}, "until": "4h"}, NOON + 3 * HOUR, "steps.call.retry.expires"),
    ],
)
def test_the_last_start(step: dict[str, Any], expected: datetime | None, source: str) -> None:
    policy = policy_of(campaign(steps=[{"call": "agent", **step}], schedule={"timezone": NEW_YORK}))
    found = last_start(policy, policy.campaign.steps[0], NOON)
    assert (found.at if found else None, found.source if found else "") == (expected, source)


# ---- what holds for every rule ----

RETRIES = st.fixed_dictionaries(
    {"attempts": st.integers(1, 6)},
    optional={
        "after": st.sampled_from(["0s", "10m", "2h", ["30m", "2h", "1d"]]),
        "on": st.sampled_from(
            [["no_answer", "busy"], {"busy": "10m", "no_answer": {"after": ["1h", "5h"], "attempts": 1}}, ["answered"]]
        ),
        "jitter": st.sampled_from(["none", "full"]),
        "call_twice_in_a_row": st.booleans(),
        "best_hours": st.sampled_from(["any", "spread"]),
        "expires": st.sampled_from(["1h", "2d", "9d"]),
        "backoff": st.sampled_from([1, 2, 10]),
    },
)
ENDS = st.lists(
    st.tuples(st.sampled_from(["no_answer", "busy", "answered", "voicemail"]), st.sampled_from(["", "CALLBACK"])),
    min_size=12, max_size=12,
)  # fmt: skip


@given(
    RETRIES, ENDS, st.sampled_from(["daily 00:00-24:00", "mon-fri 10:00-18:00", "sat 09:00-09:30"]), st.integers(0, 3)
)
@settings(max_examples=200, deadline=None)
def test_no_rule_makes_more_tries_or_others_than_it_says(
    retry: dict[str, Any], ends: list[tuple[str, str]], windows: str, times: int
) -> None:
    if isinstance(retry.get("after"), list):
        retry.pop("backoff", None)
    policy = policy_of(campaign(windows=windows, retry=retry, callback={"times": times}))
    step, where = policy.campaign.steps[0], Whereabouts((NEW_YORK,))
    at = policy.first_allowed(step, where, NOON)
    earlier: tuple[Tried, ...] = ()
    due, is_callback, number = at, False, 1
    assert at is not None
    assert due is not None
    for outcome, tag in ends:
        structured = {"callback_at": (at + 3 * DAY).isoformat()} if tag else {}
        last = ending(
            outcome, number, at=at + MINUTE, started_at=at, earlier=earlier, step_due_at=due, tag=tag,
            is_callback=is_callback, structured=structured, key=str(number),
        )  # fmt: skip
        found = follow_up(policy, last)
        assert found == follow_up(policy, last)
        earlier += (
            Tried(
                step="call",
                number=number,
                channel="call",
                outcome=outcome,
                tag=tag,
                started_at=at,
                is_callback=is_callback,
            ),
        )
        if found.then is not Then.RETRY:
            break
        check_next(policy, last, found)
        assert found.due_at is not None
        assert found.step_due_at is not None
        at, due, is_callback, number = found.due_at, found.step_due_at, found.is_callback, found.number
    else:
        pytest.fail("it never ended")
    assert sum(not one.is_callback for one in earlier) <= retry["attempts"]
    assert sum(one.is_callback for one in earlier) <= times


def check_next(policy: Policy, last: Ending, found: FollowUp) -> None:
    """Hold one follow-up against the windows, the end of the call before, and the last start."""
    step = policy.campaign.steps[0]
    assert found.due_at is not None
    assert found.number == last.number + 1
    assert found.due_at >= last.at
    assert policy.first_allowed(step, last.where, found.due_at) == found.due_at
    assert found.step_due_at is not None
    limit = last_start(policy, step, found.step_due_at)
    assert limit is None or found.due_at <= limit.at


@given(
    RETRIES,
    st.integers(0, 20_000),
    st.integers(0, 20_000),
    st.sampled_from(["mon-fri 10:00-18:00", "daily 00:00-24:00"]),
)
@settings(max_examples=200, deadline=None)
def test_who_hangs_up_later_is_tried_no_earlier(retry: dict[str, Any], first: int, second: int, windows: str) -> None:
    rules = {key: value for key, value in retry.items() if key not in {"best_hours", "expires", "backoff"}}
    policy = policy_of(campaign(windows=windows, retry=rules))
    early, late = sorted((first, second))
    found = [follow_up(policy, ending(at=NOON + minutes * MINUTE, started_at=NOON)).due_at for minutes in (early, late)]
    assert (found[0] is None) == (found[1] is None)
    assert found[0] is None or found[1] is None or found[0] <= found[1]


@given(st.sampled_from(["1m", "30m", "5h"]), st.floats(1, 100), st.integers(1, 40))
def test_growing_waits_never_shrink(after: str, factor: float, number: int) -> None:
    retry = {"attempts": 99, "after": after, "backoff": factor, "at_most": "30d"}
    assert waits(retry, ending(number=number)) <= waits(retry, ending(number=number + 1)) <= 30 * DAY
