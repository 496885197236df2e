"""What is said about a campaign whose newest plan was not written to its end."""

from __future__ import annotations

from collections.abc import Sequence

from runner.model.overview import CampaignOverview


def half_applied(campaigns: Sequence[CampaignOverview], command: str) -> list[str]:
    """Say of each campaign that places nothing, since its apply broke off, which command mends it.

    Rounds are left out: whoever runs or serves begins them again.
    """
    return [stands_still(one.campaign, command) for one in campaigns if one.status == "draft" and not one.round_of]


def stands_still(campaign: str, command: str) -> str:
    """Say of a campaign that it places nothing until it is applied to the end."""
    return f"{campaign} was applied half, and places nothing: {command}"
