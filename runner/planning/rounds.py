"""What a plan says about the rounds of a campaign that repeats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from runner.model.campaign import Campaign
from runner.model.plan import PlanLine, PlanSummary
from runner.model.rounds import RoundsSummary
from runner.planning.digest import Digest, rules_digest
from runner.planning.summary import Tally
from runner.rules.recurrence import Recurrence, rounds_after

_SHOWN = 3


class RulesDigest(Digest):
    """Digests the rules of a campaign that repeats: its people come with each round, so they do not count."""

    def add(self, line: PlanLine) -> None:
        """Leave a line of the next round out."""


class RoundsTally(Tally):
    """Counts the lines of a campaign's next round."""

    def __init__(self, rounds: RoundsSummary, *parts: Any) -> None:
        """`parts` is what a tally is made from."""
        super().__init__(*parts)
        self._rounds = rounds

    def summary(self) -> PlanSummary:
        """Give the sums of what has passed, and the rounds."""
        return replace(super().summary(), rounds=(self._rounds,))


def rounds_summary(
    campaign: Campaign, of: Recurrence, now: datetime, *, in_force: str, sources: Mapping[str, str]
) -> RoundsSummary:
    """Sum up the rounds that follow `now`; `in_force` is the digest of the revision in force, `sources` the templates."""
    return RoundsSummary(
        campaign=campaign.campaign,
        rule=of.rule,
        zone=of.zone,
        catch_up=of.catch_up,
        expires=of.expires,
        next_at=tuple(islice(rounds_after(of, now), _SHOWN)),
        is_in_force=rules_digest(campaign, sources) == in_force,
    )
