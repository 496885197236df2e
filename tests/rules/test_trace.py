"""What each rule alone says about one person: its word, until when, and where it stands; never against the gate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.files.law_table import law_table
from runner.model.compliance import Consent
from runner.model.dealings import Dealings, PastAttempt
from runner.model.finding import Effect, Finding
from runner.model.limits import SharedLimits
from runner.model.whereabouts import Whereabouts
from runner.rules.gate import Drop, Go, Wait, may_send
from runner.rules.law import CampaignLaw
from runner.rules.policy import Policy, policy_of
from runner.rules.trace import Subject, limits_text, trace
from tests.building import NEW_YORK, NOON, campaign, phone

ALLOWS, WAITS, REFUSES, NOTES = Effect.ALLOWS, Effect.WAITS, Effect.REFUSES, Effect.NOTES
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME = Whereabouts((NEW_YORK,), ())


def found(rules: dict[str, Any], now: datetime = NOON, **facts: Any) -> dict[str, Finding]:
    """Give what rules say, the last word of each kind."""
    policy = policy_of(campaign(**rules))
    told = {"phone": phone(0), "where": HOME, "zone_source": "campaign"} | facts
    return {one.rule: one for one in trace(policy, policy.campaign.steps[0], Subject(**told), now)}


def called(at: datetime, outcome: str = "no_answer") -> Dealings:
    past = PastAttempt(
        campaign="other", purpose="informational", channel="call", started_at=at, ended_at=at, outcome=outcome
    )
    return Dealings(past=(past,))


@pytest.mark.parametrize(
    ("rules", "facts", "rule", "effect", "until", "source", "words"),
    [
        ({}, {}, "suppression", ALLOWS, None, "", "on no list"),
        ({}, {"suppression": "by hand"}, "suppression", REFUSES, None, "", "by hand"),
        (
            {}, {"suppression": "on it", "suppression_source": "contacts.suppress"}, "suppression", REFUSES, None,
            "contacts.suppress", "on it",
        ),
        (
            {}, {"dealings": Dealings(left_alone_until=NOON + DAY, left_alone_why="on holiday")}, "suppression", WAITS,
            NOON + DAY, "", "left alone until",
        ),
        ({}, {}, "number", ALLOWS, None, "", "a fixed line or mobile number of US; any country is reached"),
        ({"countries": "CA"}, {}, "number", REFUSES, None, "countries", "the number is of US"),
        ({}, {"phone": "+18005550147"}, "number", REFUSES, None, "number_types", "a toll-free number"),
        ({}, {"phone": "+449098790123"}, "number", REFUSES, None, "", "a premium-rate number"),
        ({}, {"phone": "+999123456789"}, "number", REFUSES, None, "", "no country code that exists"),
        ({}, {}, "zone", NOTES, None, "timezone", "America/New_York, the campaign's `timezone`"),
        ({}, {"zone_source": "number"}, "zone", NOTES, None, "", "from the number"),
        ({}, {"zone_source": "column"}, "zone", NOTES, None, "contacts.columns.timezone", "from the row"),
        ({}, {"where": Whereabouts((), ())}, "zone", REFUSES, None, "zone_unknown", "no time zone is known"),
        ({"zones": "strict"}, {"where": Whereabouts((), ())}, "zone", REFUSES, None, "zones", "no time zone"),
        (
            {"schedule": {"start": "2026-01-06T17:00:00Z"}}, {}, "schedule", WAITS, NOON + DAY, "schedule.start",
            "starts later",
        ),
        ({"schedule": {"end": "2026-01-05T17:00:00Z"}}, {}, "schedule", REFUSES, None, "schedule.end", "ended"),
        ({"schedule": {"end": "2026-01-05T18:00:00Z"}}, {}, "schedule", ALLOWS, None, "schedule.end", "ends at"),
        ({"windows": "mon-fri 11:00-13:00"}, {}, "hours", ALLOWS, None, "windows", "open until 2026-01-05 18:00 UTC"),
        ({"windows": "mon-fri 13:00-18:00"}, {}, "hours", WAITS, NOON + HOUR, "windows", "closed"),
        (
            {"windows": "daily 11:00-13:00", "blackout": "2026-01-05"}, {}, "hours", WAITS, NOON + 23 * HOUR, "windows",
            "not on 2026-01-05",
        ),
        (
            {"windows": [{"from": "11:00", "to": "13:00", "dates": "2025-12-01"}]}, {}, "hours", REFUSES, None,
            "windows", "never open",
        ),
        (
            {"steps": [{"call": "agent", "windows": "daily 14:00-15:00"}]}, {}, "hours", WAITS, NOON + 2 * HOUR,
            "steps.call.windows", "closed",
        ),
        ({"caps": "1 per day"}, {}, "cap", ALLOWS, None, "caps.0", "at most 1 per day: room is left"),
        (
            {"caps": "1 per 7d"}, {"dealings": called(NOON - DAY)}, "cap", WAITS, NOON + 6 * DAY, "caps.0",
            "at most 1 per 7d",
        ),
        ({"cool_down": "7d"}, {}, "cool-down", ALLOWS, None, "cool_down", "no conversation within 7d"),
        (
            {"cool_down": "7d"}, {"dealings": called(NOON - DAY, "answered")}, "cool-down", WAITS, NOON + 6 * DAY,
            "cool_down", "after a conversation",
        ),
        (
            {"steps": [{"call": "agent", "until": "1h"}]}, {"step_due_at": NOON - 2 * HOUR}, "deadline", REFUSES, None,
            "steps.call.until", "not started after 2026-01-05 16:00 UTC",
        ),
        (
            {"retry": {"attempts": 2, "expires": "3d"}}, {}, "deadline", ALLOWS, None, "steps.call.retry.expires",
            "not started after 2026-01-08 17:00 UTC",
        ),
        ({"limits": {"concurrency": 3, "per_second": 0.5}}, {}, "limits", NOTES, None, "limits", "at most 3 calls"),
        (
            {}, {"limits": {"accounts.main.limits": SharedLimits(per_day=9)}}, "limits", NOTES, None,
            "accounts.main.limits", "9 starts a day",
        ),
    ],
)  # fmt: skip
def test_a_rule_says_its_word(
    *, rules: dict[str, Any], facts: dict[str, Any], rule: str, effect: Effect, until: datetime | None, source: str,
    words: str,
) -> None:  # fmt: skip
    one = found(rules, **facts)[rule]
    assert (one.effect, one.until, one.source) == (effect, until, source)
    assert words in one.says


def lawful(**rules: Any) -> Policy:
    of = campaign(**{"timezone": "contact", "windows": "daily 00:00-24:00"} | rules)
    return policy_of(of, law=CampaignLaw(law_table(), of.compliance))


def test_rows_of_the_law_come_with_their_own_text() -> None:
    policy = lawful(purpose="marketing")
    night = datetime(2026, 1, 6, 4, 0, tzinfo=UTC)
    where = Whereabouts((NEW_YORK,), ("US", "US-NY"))
    subject = Subject(phone=phone(0), where=where, zone_source="number", stated=Consent.EXPRESS_WRITTEN)
    by_law = [one for one in trace(policy, policy.campaign.steps[0], subject, night) if one.reference]
    assert {one.rule for one in by_law} >= {"hours"}
    assert all(one.reference.startswith("http") and one.source.startswith("us-") for one in by_law)
    assert [one for one in by_law if one.rule == "hours" and one.effect is WAITS and one.until is not None]


def test_consent_that_is_missing_refuses_sales_and_is_noted_otherwise() -> None:
    where = Whereabouts((NEW_YORK,), ("US", "US-NY"))
    for purpose, effect in (("marketing", REFUSES), ("transactional", NOTES)):
        policy = lawful(purpose=purpose)
        subject = Subject(phone=phone(0), where=where, zone_source="number")
        (one,) = [each for each in trace(policy, policy.campaign.steps[0], subject, NOON) if each.rule == "consent"]
        assert one.effect is effect
        assert "none is stated" in one.says
        assert one.reference


@given(
    hours=st.sampled_from(["daily 00:00-24:00", "mon-fri 09:00-17:00", "sat 10:00-11:00"]),
    cap=st.sampled_from([None, "1 per day", "2 per 3d", "1 per 7d"]),
    cool_down=st.sampled_from([None, "2d"]),
    past=st.lists(st.integers(min_value=0, max_value=200), max_size=4),
    talked=st.booleans(),
    alone=st.one_of(st.none(), st.integers(min_value=-50, max_value=90)),
    late=st.booleans(),
    after=st.integers(min_value=0, max_value=24 * 7),
)
def test_the_gate_lets_pass_exactly_what_no_rule_holds_back(
    *, hours: str, cap: str | None, cool_down: str | None, past: list[int], talked: bool, alone: int | None, late: bool,
    after: int,
) -> None:  # fmt: skip
    """Go where nothing waits or refuses; a wait is named by a rule that waits; a drop by one that refuses or lasts too long."""
    now = NOON + after * HOUR
    policy = policy_of(campaign(windows=hours, caps=cap, cool_down=cool_down, steps=[{"call": "agent", "until": "3d"}]))
    step = policy.campaign.steps[0]
    tries = tuple(
        one for hours_ago in past for one in called(now - hours_ago * HOUR, "answered" if talked else "busy").past
    )
    dealings = Dealings(past=tries, left_alone_until=now + alone * HOUR if alone is not None else None)
    due = now - (4 * DAY if late else timedelta(0))
    verdict = may_send(policy, step, HOME, now, "", step_due_at=due, dealings=dealings)
    subject = Subject(phone=phone(0), where=HOME, zone_source="campaign", dealings=dealings, step_due_at=due)
    says = trace(policy, step, subject, now)
    holding = [one for one in says if one.effect in {WAITS, REFUSES}]
    match verdict:
        case Go():
            assert holding == []
        case Wait(until, why, source):
            assert any((one.source, one.effect) == (source, WAITS) for one in holding), (why, source)
            assert all(one.until is not None and one.until <= until for one in holding)
        case Drop():
            assert holding


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({}, ""),
        ({"concurrency": 1}, "at most 1 call at once"),
        ({"per_second": 0.5, "per_minute": 9}, "0.5 starts a second, 9 starts a minute"),
        ({"spacing": "5s"}, "5s between two starts"),
        ({"ramp": "10/min -> 100/min over 1h"}, "10/min -> 100/min over 1h"),
    ],
)
def test_limits_in_words(limits: dict[str, Any], words: str) -> None:
    assert limits_text(SharedLimits.model_validate(limits)) == words
