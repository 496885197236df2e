"""The last gate before a request, and the schedule that it keeps."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from runner.model.attempt import AttemptState
from runner.model.whereabouts import Whereabouts
from runner.rules.gate import Drop, Go, Verdict, Wait, may_send
from runner.rules.policy import policy_of
from tests.building import NEW_YORK, NOON, campaign

OFFICE = "mon-fri 10:00-18:00"
HOUR = timedelta(hours=1)


def verdict(at: datetime, *, zones: tuple[str, ...] = (NEW_YORK,), suppression: str = "", **rules: Any) -> Verdict:
    policy = policy_of(campaign(**{"windows": OFFICE} | rules))
    return may_send(policy, policy.campaign.steps[0], Whereabouts(zones), at, suppression)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        (NOON, Go()),
        (NOON - 2 * HOUR, Go()),
        (NOON - 2 * HOUR - timedelta(microseconds=1), Wait(NOON - 2 * HOUR, "outside the windows", "windows")),
        (NOON + 6 * HOUR, Wait(NOON + 22 * HOUR, "outside the windows", "windows")),
        (NOON + 5 * timedelta(days=1), Wait(NOON + 7 * timedelta(days=1) - 2 * HOUR, "outside the windows", "windows")),
    ],
)
def test_windows(at: datetime, expected: Verdict) -> None:
    assert verdict(at) == expected


def test_a_suppression_comes_before_everything() -> None:
    assert verdict(NOON, suppression="opted out") == Drop(AttemptState.SUPPRESSED, "opted out")
    assert verdict(NOON, zones=(), suppression="opted out") == Drop(AttemptState.SUPPRESSED, "opted out")


def test_without_a_zone_it_is_never_sent() -> None:
    assert verdict(NOON, zones=()) == Drop(
        AttemptState.EXPIRED, "no window is open in any time that is left", "windows"
    )


def test_after_the_end_it_is_never_sent() -> None:
    ended = verdict(NOON, schedule={"end": "2026-01-05T17:00:00Z"})
    assert ended == Drop(AttemptState.EXPIRED, "the campaign's schedule ended", "schedule.end")
    assert verdict(NOON - timedelta(seconds=1), schedule={"end": "2026-01-05T17:00:00Z"}) == Go()


def test_when_no_window_opens_before_the_end_it_is_never_sent() -> None:
    late = verdict(NOON + 7 * HOUR, schedule={"end": "2026-01-06T12:00:00Z"})
    assert late == Drop(AttemptState.EXPIRED, "no window is open in any time that is left", "windows")


def test_before_the_start_it_waits() -> None:
    assert verdict(NOON, schedule={"start": "2026-01-07T12:00:00Z"}) == Wait(
        NOON + 46 * HOUR, "before the campaign's schedule starts", "schedule.start"
    )


def test_windows_can_be_ignored_and_the_schedule_still_holds() -> None:
    ending = campaign(windows=OFFICE, schedule={"end": "2026-01-06T12:00:00Z"})
    policy = policy_of(ending, windows_ignored=True)
    assert may_send(policy, ending.steps[0], Whereabouts(()), NOON + 9 * HOUR, "") == Go()
    assert isinstance(may_send(policy, ending.steps[0], Whereabouts(()), NOON + 99 * HOUR, ""), Drop)


LATE = [
    ({"until": "2h"}, NOON - 2 * HOUR, Go(), ""),
    ({"until": "2h"}, NOON - 2 * HOUR - timedelta(microseconds=1), Drop, "too late by `until` of step call"),
    ({"until": "2026-01-05T17:00Z"}, NOON - 9 * HOUR, Go(), ""),
    ({"until": "2026-01-05T16:59Z"}, NOON, Drop, "too late by `until` of step call"),
    ({"retry": {"expires": "3d"}}, NOON - 72 * HOUR, Go(), ""),
    ({"retry": {"expires": "3d"}}, NOON - 73 * HOUR, Drop, "too late by `expires` of step call"),
]


@pytest.mark.parametrize(("step", "due", "expected", "why"), LATE)
def test_what_became_due_too_long_ago_is_not_started(
    step: dict[str, Any], due: datetime, expected: Any, why: str
) -> None:
    policy = policy_of(campaign(windows=OFFICE, steps=[{"call": "agent", **step}]))
    found = may_send(policy, policy.campaign.steps[0], Whereabouts((NEW_YORK,)), NOON, "", step_due_at=due)
    if expected is not Drop:
        assert found == expected
        return
    assert isinstance(found, Drop)
    source = "steps.call.until" if "until" in step else "steps.call.retry.expires"
    assert (found.state, found.why, found.source, found.goes_on) == (AttemptState.EXPIRED, why, source, True)


def test_nobody_waits_for_a_window_that_opens_too_late() -> None:
    policy = policy_of(campaign(windows=OFFICE, steps=[{"call": "agent", "until": "20h"}]))
    asked = (policy, policy.campaign.steps[0], Whereabouts((NEW_YORK,)), NOON + 7 * HOUR, "")
    assert may_send(*asked, step_due_at=NOON + 2 * HOUR) == Wait(NOON + 22 * HOUR, "outside the windows", "windows")
    found = may_send(*asked, step_due_at=NOON + HOUR)
    assert isinstance(found, Drop)
    assert found.why == "no window opens in time for `until` of step call"
