"""Revox's own retries beside ours: the same rules lead to the same attempt times."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from runner.model.handover import Handover
from runner.model.outcome import Outcome
from runner.model.tried import Tried
from runner.model.whereabouts import Whereabouts
from runner.providers.revox_native import RevoxCampaigns
from runner.rules.ending import Ending
from runner.rules.expressions import StepResult
from runner.rules.follow_up import follow_up
from runner.rules.policy import Policy, policy_of
from runner.sandbox.call import Attempt
from runner.sandbox.people import Fate
from runner.sandbox.revox_retries import read_plan
from tests.building import NEW_YORK, campaign

MINUTE = timedelta(minutes=1)

CONFIGS = [
    {},
    {"call_twice_in_a_row": True},
    {"max_retry_attempts": 1},
    {"max_retry_attempts": 6, "allowed_days": ["monday", "wednesday", "sunday"]},
    {"calling_windows": [("10:00", "12:00", 7200), ("17:00", "18:00", 600)]},
    {"calling_windows": [("9am", "11am", 60), ("16:00", "18:00", 90_000)], "max_retry_attempts": 7},
    {"calling_windows": [("9:30am", "6pm", 1)], "max_retry_attempts": 9, "call_twice_in_a_row": True},
    {"calling_windows": [("22:00", "02:00", 3600), ("08:00", "09:00", 1800)], "max_retry_attempts": 8},
    {"calling_windows": [("10:00", "18:00", 7200)], "timezone": "Europe/London", "max_retry_attempts": 5},
    {"calling_windows": [("12:00", "14:00", 300), ("13:00", "20:00", 7200)], "max_retry_attempts": 6},
]
"""documented defaults, and what the documentation lets a campaign choose: several windows, each with its own delay"""

RUNS = [
    (
        "no_answer",
        "no_answer",
        "no_answer",
        "no_answer",
        "no_answer",
        "no_answer",
        "no_answer",
        "no_answer",
        "no_answer",
    ),
    ("busy", "voicemail", "no_answer", "answered"),
    ("voicemail", "busy", "busy", "busy", "busy", "busy", "busy"),
    ("answered",),
]
STARTS = ["2026-03-06T15:30+00:00", "2026-03-07T06:59+00:00", "2026-10-31T21:55+00:00", "2026-07-01T13:59:59+00:00"]
"""a Friday noon, the nights on which clocks change in New York, a summer's day"""


def revox_config(given: dict[str, Any]) -> dict[str, Any]:
    windows = given.get("calling_windows", [("10:00", "18:00", 7200)])
    return {
        "allowed_days": ["monday", "tuesday", "wednesday", "thursday", "friday"], "call_twice_in_a_row": False,
        "max_retry_attempts": 3, "timezone": NEW_YORK, **given,
        "calling_windows": [
            {"calling_window_start_time": opens, "calling_window_end_time": closes, "retry_delay_seconds": seconds}
            for opens, closes, seconds in windows
        ],
    }  # fmt: skip


def same_in_our_words(config: dict[str, Any]) -> Policy:
    days = [day[:3] for day in config["allowed_days"]]
    windows = [
        {
            "days": days, "from": one["calling_window_start_time"], "to": one["calling_window_end_time"],
            "retry_after": f"{one['retry_delay_seconds']}s",
        }
        for one in config["calling_windows"]
    ]  # fmt: skip
    retry = {"attempts": config["max_retry_attempts"], "call_twice_in_a_row": config["call_twice_in_a_row"]}
    return policy_of(campaign(windows=windows, retry=retry, timezone=config["timezone"]))


def starts_of_revox(config: dict[str, Any], outcomes: tuple[str, ...], start: datetime) -> list[datetime]:
    plan = read_plan(config, "+12025550143")
    attempts: list[Attempt] = []
    asked: datetime | None = start
    for outcome in outcomes:
        if asked is None:
            break
        at = plan.opens_at(asked)
        attempts.append(
            Attempt(fate=Fate(outcome=outcome, ring_seconds=20.0), placed_at=at, ended_at=at + MINUTE, outcome=outcome)
        )
        asked = plan.next_try_at(attempts)
    return [one.placed_at for one in attempts]


def starts_of_ours(policy: Policy, outcomes: tuple[str, ...], start: datetime, zone: str) -> list[datetime]:
    where, step = Whereabouts((zone,)), policy.campaign.steps[0]
    at = policy.first_allowed(step, where, start)
    earlier: tuple[Tried, ...] = ()
    starts: list[datetime] = []
    for number, outcome in enumerate(outcomes, 1):
        if at is None:
            break
        starts.append(at)
        ending = Ending(
            step="call", number=number, outcome=Outcome(outcome), at=at + MINUTE, where=where,
            history={"call": StepResult(outcome=outcome)}, contact={}, started_at=at, step_due_at=start, earlier=earlier,
        )  # fmt: skip
        found = follow_up(policy, ending)
        earlier += (Tried(step="call", number=number, channel="call", outcome=outcome, started_at=at),)
        at = found.due_at
    return starts


@pytest.mark.parametrize("given_config", CONFIGS)
@pytest.mark.parametrize("outcomes", RUNS)
@pytest.mark.parametrize("start", STARTS)
def test_our_tries_start_when_revox_s_own_would(
    given_config: dict[str, Any], outcomes: tuple[str, ...], start: str
) -> None:
    config, at = revox_config(given_config), datetime.fromisoformat(start)
    theirs = starts_of_revox(config, outcomes, at)
    assert starts_of_ours(same_in_our_words(config), outcomes, at, config["timezone"]) == theirs
    assert len(theirs) >= min(len(outcomes), config["max_retry_attempts"]) or "answered" in outcomes


@pytest.mark.parametrize("given_config", CONFIGS)
@pytest.mark.parametrize("outcomes", RUNS)
@pytest.mark.parametrize("start", STARTS)
def test_a_retry_that_is_told_to_revox_starts_when_ours_would(
    given_config: dict[str, Any], outcomes: tuple[str, ...], start: str
) -> None:
    config, at = revox_config(given_config), datetime.fromisoformat(start)
    policy = same_in_our_words(config)
    retry = policy.campaign.steps[0].retry
    assert retry is not None
    handed = Handover(
        key="", campaign="renewals", agent_id="a", people=(), windows=policy.campaign.windows,
        timezone=config["timezone"], retry=retry, concurrency=1,
    )  # fmt: skip
    revox = RevoxCampaigns("D")
    if any(windows in str(given_config) for windows in ("22:00", "13:00")):
        assert revox.problem(handed) is not None, "over midnight on some days, and overlapping with two waits"
        return
    body = revox.create(handed).body
    assert isinstance(body, dict)
    told = body["call_retry_config"]
    assert isinstance(told, dict)
    theirs = starts_of_revox(told, outcomes, at)
    assert theirs == starts_of_ours(policy, outcomes, at, config["timezone"])
