"""The rules of every applied campaign, kept ready and renewed when a new revision comes into force."""

from __future__ import annotations

import json
from collections.abc import Iterable

from runner.model.campaign import Agent, Campaign
from runner.model.move import CampaignInForce
from runner.rules.policy import Policy, policy_of


class Policies:
    """Policies by campaign; with `only`, no other campaign places anything."""

    def __init__(self, *, windows_ignored: bool = False, only: frozenset[str] | None = None) -> None:
        self._windows_ignored = windows_ignored
        self.only = only
        self._ready: dict[str, tuple[int, Policy]] = {}
        self._active: tuple[str, ...] = ()
        self._accounts: dict[str, frozenset[str]] = {}

    @property
    def active(self) -> tuple[str, ...]:
        """The campaigns that may place attempts, in the order of their first apply."""
        return self._active

    def renew(self, in_force: Iterable[CampaignInForce]) -> None:
        """Take in what is in force now."""
        active = []
        for one in in_force:
            ready = self._ready.get(one.name)
            if ready is None or ready[0] != one.revision:
                campaign = Campaign.model_validate_json(one.policy)
                self._ready[one.name] = (one.revision, policy_of(campaign, windows_ignored=self._windows_ignored))
            self._accounts[one.name] = frozenset(json.loads(one.accounts))
            if one.is_active and (self.only is None or one.name in self.only):
                active.append(one.name)
        self._active = tuple(active)

    def of(self, campaign: str) -> Policy:
        """Give a campaign's policy; KeyError when it was never taken in."""
        return self._ready[campaign][1]

    def accounts_of(self, campaign: str) -> frozenset[str]:
        """Give the accounts that a campaign pays with; KeyError when it was never taken in."""
        return self._accounts[campaign]

    def agent_of(self, campaign: str, step: str) -> Agent | None:
        """Give the agent of a step; None when the campaign in force has no such step any more."""
        policy = self.of(campaign)
        try:
            return policy.campaign.agents[policy.campaign.step_named(step).agent]
        except KeyError:
            return None
