"""The rules of applied campaigns, as the engine keeps them ready: the law of today counts, whatever was applied when."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from runner.engine.policies import Policies
from runner.files.law_table import law_table
from runner.model.campaign import Campaign
from runner.model.law import LawTable
from runner.model.move import CampaignInForce
from runner.model.whereabouts import Whereabouts
from runner.rules.gate import Go, Wait, may_send

NOON = datetime(2026, 3, 1, 18, tzinfo=UTC)
TEN = datetime(2026, 3, 1, 16, tzinfo=UTC)
TEXAS = Whereabouts(("America/Chicago",), ("US", "US-TX"))
OVERRIDE = {"overrides": [{"row": "us-tx-marketing", "reason": "customers of the last two years"}]}


def policies(law: LawTable | None, *, windows_ignored: bool = False, compliance: object = None) -> Policies:
    rules = {
        "campaign": "sale", "purpose": "marketing", "agent": "movoice/agent_1", "contacts": "people.csv",
        "windows": "daily 08:00-21:00", "compliance": compliance or {},
    }  # fmt: skip
    policy = Campaign.model_validate(rules).canonical().model_dump_json()
    found = Policies(windows_ignored=windows_ignored, law=law)
    found.renew([CampaignInForce(name="sale", revision=1, policy=policy, accounts="{}", is_active=True)])
    return found


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        (policies(None), TEN),
        (policies(law_table()), NOON),
        (policies(law_table(), windows_ignored=True), TEN),
        (policies(law_table(), compliance=OVERRIDE), TEN),
    ],
    ids=["no law", "Texas on a Sunday", "windows ignored", "set aside"],
)
def test_the_law_holds_a_release_back(ready: Policies, expected: datetime) -> None:
    policy = ready.of("sale")
    step = policy.campaign.steps[0]

    assert policy.first_allowed(step, TEXAS, TEN) == expected
    verdict = may_send(policy, step, TEXAS, TEN, "")
    if expected == TEN:
        assert isinstance(verdict, Go)
    else:
        assert isinstance(verdict, Wait)
        assert (verdict.until, verdict.source) == (NOON, "us-tx-marketing")
