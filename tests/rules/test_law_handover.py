"""What a provider's own campaign may be trusted with: only people whose law its windows keep."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.files.law_table import law_table
from runner.model.campaign import Campaign
from runner.model.whereabouts import Whereabouts
from runner.rules.gate import Drop, Go, may_hand_over
from runner.rules.law import CampaignLaw
from runner.rules.law_handover import law_beyond
from runner.rules.policy import policy_of

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CHICAGO, NEW_YORK, DENVER = "America/Chicago", "America/New_York", "America/Denver"


@pytest.mark.parametrize(
    ("windows", "purpose", "zone", "places", "expected"),
    [
        ("mon-fri 10:00-18:00", "marketing", NEW_YORK, ("US", "US-NY"), ""),
        ("daily 08:00-21:00", "marketing", NEW_YORK, ("US", "US-NY"), ""),
        ("daily 07:59-21:00", "marketing", NEW_YORK, ("US", "US-NY"), "us-fed-voice-marketing"),
        ("daily 08:00-21:01", "marketing", NEW_YORK, ("US", "US-NY"), "us-fed-voice-marketing"),
        ("daily 07:00-22:00", "informational", NEW_YORK, ("US", "US-NY"), ""),
        ("mon-fri 10:00-18:00", "marketing", CHICAGO, ("US", "US-AL"), "us-al-voice-marketing"),
        ("mon-fri 12:00-18:00", "marketing", CHICAGO, ("US", "US-TX"), ""),
        ("daily 12:00-20:00", "marketing", DENVER, ("US", "US-TX"), ""),
        ("daily 12:00-20:30", "marketing", DENVER, ("US", "US-TX"), "us-tx-marketing"),
        ("sun 11:00-18:00", "marketing", CHICAGO, ("US", "US-TX"), "us-tx-marketing"),
        ("mon-fri 10:00-12:00", "informational", "America/Toronto", ("CA", "CA-ON"), "ca-voice-adad"),
    ],
)
def test_rows_that_windows_may_break(
    windows: str, purpose: str, zone: str, places: tuple[str, ...], expected: str
) -> None:
    rules = {
        "campaign": "sale", "purpose": purpose, "windows": windows,
        "agent": "revox/asst_1", "contacts": "people.csv",
    }  # fmt: skip
    campaign = Campaign.model_validate(rules).canonical()
    step, where = campaign.steps[0], Whereabouts((zone,), places)

    policy = policy_of(campaign, law=CampaignLaw(law_table()))
    assert law_beyond(policy, step, where, NOW) == expected
    assert law_beyond(policy_of(campaign), step, where, NOW) == ""
    assert law_beyond(policy_of(campaign, windows_ignored=True, law=policy.law), step, where, NOW) == ""


def test_nobody_with_hours_by_law_is_left_to_hours_that_nobody_knows() -> None:
    rules = {
        "campaign": "sale", "purpose": "marketing", "windows": "mon-fri 12:00-13:00",
        "agent": "revox/asst_1", "contacts": "people.csv",
    }  # fmt: skip
    policy = policy_of(Campaign.model_validate(rules).canonical(), law=CampaignLaw(law_table()))
    step, where = policy.campaign.steps[0], Whereabouts((NEW_YORK,), ("US", "US-NY"))
    assert law_beyond(policy, step, where, NOW) == ""
    assert law_beyond(policy, step, where, NOW, own_rules=True) == "us-fed-voice-marketing"

    assert may_hand_over(policy, step, where, NOW, "") == Go()
    gone = may_hand_over(policy, step, where, NOW, "", own_rules=True)
    assert isinstance(gone, Drop)
    assert (gone.source, gone.goes_on) == ("us-fed-voice-marketing", True)
    informational = policy_of(policy.campaign.model_copy(update={"purpose": "informational"}), law=policy.law)
    assert may_hand_over(informational, step, where, NOW, "", own_rules=True) == Go()
