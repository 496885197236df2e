"""What the gate would give up, the plan says beforehand, in the same words and with the same rule."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runner.files.law_table import law_table
from runner.model.campaign import Campaign
from runner.model.dealings import Dealings, PastAttempt
from runner.model.plan import PlanLine, PlanStatus
from runner.model.whereabouts import Whereabouts
from runner.planning.known import KnownCampaign
from runner.rules.caps import tries_within
from runner.rules.gate import Drop, may_hand_over, may_send
from runner.rules.law import CampaignLaw
from runner.rules.policy import policy_of
from tests.building import NEW_YORK, NOON, campaign, contact, draft, phone, planned

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
HOME = Whereabouts((NEW_YORK,))
LATE: dict[str, Any] = {"windows": "daily 18:00-20:00", "steps": [{"call": "agent", "until": "2026-01-05T17:30Z"}]}
"""NOON is 12:00 in New York"""
REVOX: dict[str, Any] = {
    "agent": None, "agents": {"agent": {"provider": "revox", "id": "a"}},
    "steps": [{"call": "agent", "delivery": "native"}], "retry": "3 times, 2h apart", "windows": "daily 00:00-24:00",
}  # fmt: skip


def lines_of(of: Campaign, tried: int = 0) -> list[PlanLine]:
    past = tuple(
        PastAttempt(campaign="x", purpose="", channel="call", started_at=NOON - HOUR, calls=1) for _ in range(tried)
    )
    known = KnownCampaign(dealings={phone(0): Dealings(past=past)} if past else {})
    return planned(draft(of, known=known), [contact(0)])[0]


def test_an_instant_that_passes_before_a_window_opens() -> None:
    of = campaign(**LATE)
    (line,) = lines_of(of)
    assert (line.status, line.reason) == (PlanStatus.SKIP, "no window opens in time for `until` of step call")

    given_up = may_send(policy_of(of), of.steps[0], HOME, NOON, "")
    assert isinstance(given_up, Drop)
    assert (given_up.why, given_up.source) == (line.reason, "steps.call.until")
    assert line.source == given_up.source


def test_in_time_it_is_planned() -> None:
    (line,) = lines_of(campaign(windows=LATE["windows"], steps=[{"call": "agent", "until": "2026-01-05T23:00Z"}]))
    assert (line.status, line.reason) == (PlanStatus.CREATE, "")


def test_a_sequence_goes_on_behind_the_step_that_is_too_late() -> None:
    agents = {"agent": None, "agents": {"agent": "movoice/agent_1", "sms": "revring/agent_2"}}
    steps = [*LATE["steps"], {"text": "sms", "message": "we could not call"}]
    first, second = lines_of(campaign(windows=LATE["windows"], steps=steps, **agents))
    assert (first.status, second.status) == (PlanStatus.CREATE, PlanStatus.LATER)
    assert first.reason == "no window opens in time for `until` of step call; the step after it is looked at"


@pytest.mark.parametrize(
    ("caps", "tried", "status", "waits"),
    [
        ("3 per 24h", 0, PlanStatus.CREATE, ""),
        # one try is used up, and the provider would make three more
        ("3 per 24h", 1, PlanStatus.CREATE, "at most 3 per 1d, and the provider makes up to 3 tries in that time"),
        # whatever is waited for, three tries in a day are more than two
        ("2 per 24h", 0, PlanStatus.SKIP, ""),
        ("2 per day", 0, PlanStatus.SKIP, ""),
        # the second try comes two hours later
        ("1 per 2h", 0, PlanStatus.CREATE, ""),
        ("1 per 121m", 0, PlanStatus.SKIP, ""),
    ],
)
def test_room_is_kept_for_the_tries_that_a_provider_makes_by_itself(
    caps: str, tried: int, status: PlanStatus, waits: str
) -> None:
    of = campaign(caps=caps, **REVOX)
    (line,) = lines_of(of, tried)
    assert (line.status, line.waits) == (status, waits)
    if waits:
        assert line.not_before == NOON - HOUR + DAY
    if status is PlanStatus.SKIP:
        gate = may_hand_over(policy_of(of), of.steps[0], HOME, NOON, "")
        assert isinstance(gate, Drop)
        assert (gate.why, gate.source, gate.goes_on) == (line.reason, "caps.0", True)
        assert line.source == "caps.0"


@pytest.mark.parametrize(
    ("changes", "hours", "tries"),
    [
        ({}, 2, 1),
        ({}, 3, 2),
        ({}, 5, 3),
        ({}, 100, 3),
        ({"retry": "never"}, 100, 1),
        ({"retry": {"attempts": 3, "after": "2h", "call_twice_in_a_row": True}}, 1, 2),
        ({"retry": {"attempts": 3, "after": "2h", "call_twice_in_a_row": True}}, 3, 3),
        ({"windows": [{"from": "00:00", "to": "24:00", "retry_after": "30m"}]}, 1, 2),
        ({"steps": [{"call": "agent"}]}, 100, 1),
    ],
)
def test_how_many_tries_fit(changes: dict[str, Any], hours: int, tries: int) -> None:
    of = campaign(**REVOX | changes)
    assert tries_within(policy_of(of), of.steps[0], hours * HOUR) == tries


def test_a_row_of_the_law_that_allows_nothing_at_all() -> None:
    override = {"row": "us-fl-voice-marketing", "reason": "not in Florida", "attempts": [{"attempts": 0, "per": "1d"}]}
    of = campaign(purpose="marketing", compliance={"consent": "express_written", "overrides": [override]})
    law = CampaignLaw(law_table(), of.compliance)
    floridian = contact(0, phone="+13525550143", key="a", timezone=NEW_YORK)
    made = replace(draft(of), policy=policy_of(of, law=law))
    lines, _ = planned(made, [floridian, contact(1)])

    assert [(line.status, line.reason) for line in lines] == [
        (PlanStatus.SKIP, "none at all"), (PlanStatus.CREATE, ""),
    ]  # fmt: skip
    assert lines[0].source == "us-fl-voice-marketing"
