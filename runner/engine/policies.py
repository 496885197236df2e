"""The rules of every applied campaign, kept ready and renewed when a new revision comes into force."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime

from runner.model.attempt import Attempt
from runner.model.campaign import Agent, Campaign
from runner.model.law import LawTable
from runner.model.move import CampaignInForce
from runner.model.rounds import family_of
from runner.rules.law import CampaignLaw
from runner.rules.policy import Policy, policy_of


class Policies:
    """Policies by campaign; with `only`, no other campaign places anything."""

    def __init__(
        self, *, windows_ignored: bool = False, only: frozenset[str] | None = None, law: LawTable | None = None
    ) -> None:
        self._windows_ignored = windows_ignored
        self.asked = only
        """the campaigns that were asked for, by the names in their files; None for all"""
        self.only = only
        """the same with the rounds of those that repeat"""
        self._law = law
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
        in_force = list(in_force)
        if self.asked is not None:
            self.only = self.asked | {one.name for one in in_force if family_of(one.name) in self.asked}
        for one in in_force:
            ready = self._ready.get(one.name)
            if ready is None or ready[0] != one.revision:
                campaign = Campaign.model_validate_json(one.policy).model_copy(update={"campaign": one.name})
                law = CampaignLaw(self._law, campaign.compliance) if self._law is not None else None
                policy = policy_of(campaign, windows_ignored=self._windows_ignored, law=law)
                self._ready[one.name] = (one.revision, policy)
            self._accounts[one.name] = frozenset(json.loads(one.accounts))
            if one.is_active and (self.only is None or one.name in self.only):
                active.append(one.name)
        self._active = tuple(active)

    def of(self, campaign: str) -> Policy:
        """Give a campaign's policy; KeyError when it was never taken in."""
        return self._ready[campaign][1]

    def shuts_at(self, attempt: Attempt, now: datetime) -> datetime | None:
        """Give when what lets an attempt start at `now` ends next within a day; None when nothing does."""
        policy = self.of(attempt.campaign)
        step = policy.step_named(attempt.step)
        return policy.shuts_at(step, attempt.where, now) if step is not None else None

    def accounts_of(self, campaign: str) -> frozenset[str]:
        """Give the accounts that a campaign pays with; KeyError when it was never taken in."""
        return self._accounts[campaign]

    def agent_of(self, campaign: str, step: str, name: str = "") -> Agent | None:
        """Give the agent of that name, or of a step; None when the campaign in force has neither any more."""
        policy = self.of(campaign)
        agents = policy.campaign.agents
        try:
            return agents.get(name) or agents[policy.campaign.step_named(step).agent]
        except KeyError:
            return None
