"""Calls back: the time that a person named, read or not, and how it sits beside the tries of a step."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from runner.model.outcome import Outcome
from runner.model.tried import Tried
from runner.model.whereabouts import Whereabouts
from runner.rules.ending import Ending
from runner.rules.expressions import StepResult
from runner.rules.follow_up import FollowUp, Then, follow_up
from runner.rules.policy import policy_of
from tests.building import NEW_YORK, NOON, campaign

HOUR = timedelta(hours=1)


def led_to(
    outcome: Outcome, *, step: str = "call", number: int = 1, zones: tuple[str, ...] = (NEW_YORK,), **rules: Any
) -> FollowUp:
    """Let an attempt end at noon; `facts` are what else is known of it."""
    facts = rules.pop("facts", {})
    contact = rules.pop("contact", {"phone": "x"})
    done = StepResult(outcome=outcome.value, tag=rules.pop("tag", ""))
    history = rules.pop("history", {}) | {step: done}
    ending = Ending(
        step=step, number=number, outcome=outcome, at=NOON, where=Whereabouts(zones), history=history, contact=contact,
        **facts,
    )  # fmt: skip
    return follow_up(policy_of(campaign(**rules)), ending)


def two(when: str) -> list[dict[str, Any]]:
    return [{"call": "agent"}, {"call": "agent", "name": "again", "when": when}]


def called_back(told: Any, **changes: Any) -> FollowUp:
    facts = {"structured": {"callback_at": told}, "step_due_at": NOON} | changes.pop("facts", {})
    return led_to(Outcome.ANSWERED, tag=changes.pop("tag", "CALLBACK"), facts=facts, **changes)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ("2026-01-05T15:00", NOON + 3 * HOUR),
        ("2026-01-05 15:00", NOON + 3 * HOUR),
        ("2026-01-05T20:00:00Z", NOON + 3 * HOUR),
        ("2026-01-05T15:00-05:00", NOON + 3 * HOUR),
        ("2026-01-07", NOON + 36 * HOUR),
        ("2026-01-05T12:00:01", NOON + timedelta(seconds=1)),
    ],
)
def test_a_person_is_called_back_at_the_time_that_they_named(told: str, expected: datetime) -> None:
    found = called_back(told)
    assert (found.then, found.step, found.number) == (Then.RETRY, "call", 2)
    assert (found.due_at, found.step_due_at, found.is_callback, found.source) == (expected, expected, True, "callback")


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ("tomorrow at 3pm", "cannot be read"), ("", "without a time"), (None, "without a time"), (12, "cannot be read"),
        ("2026-01-05T12:00", "is over"), ("2025-01-07", "is over"), ("2028-01-07", "more than a year away"),
        ("9999-12-31T23:59", "cannot be read"), (["2026-01-07"], "cannot be read"),
    ],
)  # fmt: skip
def test_a_time_that_makes_no_sense_leads_to_what_follows_otherwise_and_is_told(told: Any, why: str) -> None:
    found = called_back(told)
    assert (found.then, found.due_at, found.source) == (Then.COMPLETED, None, "callback")
    assert why in found.reason
    assert called_back(told, steps=two("previous.tag == 'CALLBACK'")).then is Then.NEXT_STEP


def test_the_tag_and_the_field_have_the_names_that_the_campaign_gives() -> None:
    callback = {"tag": "LATER", "at": "when"}
    assert not called_back("2026-01-05T15:00", callback=callback).is_callback
    facts = {"structured": {"when": "2026-01-05T15:00"}}
    assert called_back("", callback=callback, tag="LATER", facts=facts).due_at == NOON + 3 * HOUR
    assert not called_back("2026-01-05T15:00", callback={"times": 0}).is_callback


def test_a_call_back_goes_through_the_windows() -> None:
    assert called_back("2026-01-05T20:00", windows="daily 10:00-18:00").due_at == NOON + 22 * HOUR
    late = called_back("2026-01-05T20:00", windows="daily 10:00-18:00", schedule={"end": "2026-01-06T00:00Z"})
    assert (late.then, late.due_at) == (Then.COMPLETED, None)
    assert "no allowed time is left" in late.reason


def test_of_several_zones_the_latest_reading_counts() -> None:
    found = called_back("2026-01-05T15:00", zones=(NEW_YORK, "America/Los_Angeles"))
    assert found.due_at == NOON + 6 * HOUR
    assert not called_back("2026-01-05T15:00", zones=()).is_callback


@pytest.mark.parametrize(("times", "is_callback"), [(1, False), (2, True)])
def test_somebody_is_called_back_so_many_times_and_no_more(times: int, is_callback: bool) -> None:
    found = called_back("2026-01-05T15:00", number=2, callback={"times": times}, facts={"is_callback": True})
    assert found.is_callback is is_callback
    assert "once more than the 1" in found.reason or is_callback


def test_a_call_back_eats_none_of_the_tries() -> None:
    earlier: tuple[Tried, ...] = (Tried(step="call", number=1, channel="call", outcome="answered", tag="CALLBACK"),)
    facts = {"earlier": earlier, "is_callback": True}
    found = led_to(Outcome.NO_ANSWER, number=2, retry="2 times, 2h apart", facts=facts)
    assert (found.then, found.number, found.reason) == (Then.RETRY, 3, "no_answer: try 2 of 2, call")
    earlier += (Tried(step="call", number=2, channel="call", outcome="no_answer", is_callback=True),)
    over = led_to(Outcome.NO_ANSWER, number=3, retry="2 times, 2h apart", facts={"earlier": earlier})
    assert (over.then, over.reason) == (Then.FAILED, "no_answer after 2 tries")
