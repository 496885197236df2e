"""A campaign may have its windows follow one clock for all; the law counts on each person's own clock all the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.files.law_table import law_table
from runner.model.campaign import Campaign
from runner.model.cap import Cap
from runner.model.contact import Contact
from runner.model.dealings import PastAttempt
from runner.model.outcome import Outcome
from runner.model.whereabouts import Whereabouts
from runner.planning.zoning import located
from runner.rules.callbacks import asked_callback
from runner.rules.caps import free_from
from runner.rules.ending import Ending
from runner.rules.expressions import StepResult
from runner.rules.gate import Go, Wait, may_send
from runner.rules.law import CampaignLaw
from runner.rules.law_handover import law_beyond
from runner.rules.policy import Policy, policy_of
from runner.rules.trace import Subject, trace
from tests.building import contact

NEW_YORK, LOS_ANGELES = "America/New_York", "America/Los_Angeles"
CALIFORNIAN = "+12135550143"
MIDNIGHT = datetime(2026, 3, 3, 5, tzinfo=UTC)
"""00:00 in New York on a Tuesday"""


def sale(**changes: Any) -> Policy:
    rules = {
        "campaign": "sale", "purpose": "marketing", "agent": "movoice/agent_1", "contacts": "people.csv",
        "windows": "daily 06:00-24:00", "timezone": NEW_YORK, "compliance": {"consent": "express_written"},
    }  # fmt: skip
    of = Campaign.model_validate(rules | changes).canonical()
    return policy_of(of, law=CampaignLaw(law_table(), of.compliance))


def person(**changes: Any) -> Contact:
    return contact(0, phone=CALIFORNIAN, key="a", **changes)


@pytest.mark.parametrize(
    ("rules", "row", "opens"),
    [
        # 09:00 in California, where recorded calls begin then, and noon on the campaign's clock
        ({}, {}, "2026-03-03T17:00Z"),
        # who says in the row that they live in the East is believed
        ({}, {"timezone": NEW_YORK}, "2026-03-03T14:00Z"),
        ({"timezone": "contact"}, {}, "2026-03-03T17:00Z"),
        # the windows still follow the campaign's clock: it is 10:00 in New York for people in the West, too
        ({"windows": "daily 18:00-20:00"}, {}, "2026-03-03T23:00Z"),
        # open in New York only when the law of the West is not: never
        ({"windows": "daily 06:00-11:00"}, {}, None),
    ],
)
def test_plan_and_gate_ask_the_law_on_the_clock_of_the_person(
    rules: dict[str, Any], row: dict[str, Any], opens: str | None
) -> None:
    policy = sale(**rules)
    step = policy.campaign.steps[0]
    place = located(policy, person(**row), step, MIDNIGHT)

    expected = datetime.fromisoformat(opens) if opens is not None else None
    assert place.allowed == expected
    assert not place.unknown
    if expected is not None:
        before = may_send(policy, step, place.where, expected - timedelta(minutes=1), "")
        assert isinstance(before, Wait)
        assert before.until == expected
        assert may_send(policy, step, place.where, expected, "") == Go()


def test_nobody_is_handed_over_whose_law_the_campaigns_clock_breaks() -> None:
    policy = sale(windows="mon-fri 09:00-18:00", compliance={})
    where = Whereabouts((NEW_YORK,), ("US",), (LOS_ANGELES,))
    step = policy.campaign.steps[0]

    assert law_beyond(policy, step, where, MIDNIGHT) == "us-fed-voice-marketing"
    assert law_beyond(policy, step, where._replace(own_zones=()), MIDNIGHT) == ""


def test_a_cap_by_day_counts_the_day_of_the_person_too() -> None:
    where = Whereabouts((NEW_YORK,), (), (LOS_ANGELES,))
    tried = PastAttempt(campaign="x", purpose="", channel="call", started_at=MIDNIGHT - timedelta(hours=1))
    cap = Cap(attempts=1, per=timedelta(days=1), calendar_day=True)

    assert free_from(cap, where, [tried], MIDNIGHT) == MIDNIGHT + timedelta(hours=3)


def test_a_time_that_the_person_names_is_on_their_own_clock() -> None:
    ending = Ending(
        step="call", number=1, outcome=Outcome.ANSWERED, at=MIDNIGHT, contact={},
        where=Whereabouts((NEW_YORK,), (), (LOS_ANGELES,)), structured={"callback_at": "2026-03-04T15:00"},
        history={"call": StepResult(outcome="answered", tag="CALLBACK")},
    )  # fmt: skip
    asked = asked_callback(sale().campaign.callback, ending)

    assert asked is not None
    assert asked.at == datetime(2026, 3, 4, 23, tzinfo=UTC)


def test_the_trace_names_both_clocks() -> None:
    policy = sale()
    where = Whereabouts((NEW_YORK,), ("US", "US-CA"), (LOS_ANGELES,))
    subject = Subject(phone=CALIFORNIAN, where=where, zone_source="campaign")
    found = {one.source or one.rule: one for one in trace(policy, policy.campaign.steps[0], subject, MIDNIGHT)}

    assert found["timezone"].says == f"{NEW_YORK}, the campaign's `timezone`; the law counts in {LOS_ANGELES}"
    assert found["us-fed-voice-marketing"].until == datetime(2026, 3, 3, 16, tzinfo=UTC)
