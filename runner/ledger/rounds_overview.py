"""Where campaigns that repeat stand: their rounds behind them, what became of each, and when the next is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from runner.ledger.store import Store
from runner.model.campaign import Campaign
from runner.model.overview import CampaignOverview
from runner.model.rounds import RoundRecord, RoundsOverview, RoundState, family_of, is_round
from runner.rules.recurrence import next_round, recurrence_of

_UNDER_WAY = frozenset({"draft", "scheduled", "running"})


def with_rounds(store: Store, campaigns: Sequence[CampaignOverview], now: datetime) -> list[CampaignOverview]:
    """Say of each campaign which rounds it had and will have, and put its rounds behind it, oldest first."""
    repeating, noted = store.rounds.repeating(), store.rounds.noted()
    rounds: dict[str, list[CampaignOverview]] = {}
    for one in campaigns:
        if is_round(one.campaign):
            rounds.setdefault(family_of(one.campaign), []).append(replace(one, round_of=family_of(one.campaign)))
    found = []
    for one in campaigns:
        if is_round(one.campaign):
            continue
        own = sorted(rounds.pop(one.campaign, []), key=lambda made: made.campaign)
        if one.campaign in repeating:
            told = _rounds(store, one.campaign, noted.get(one.campaign, ()), now)
            found.append(replace(one, rounds=told, status=_status(one, own, told)))
        else:
            found.append(one)
        found += own
    return found


def _rounds(store: Store, campaign: str, noted: Sequence[RoundRecord], now: datetime) -> RoundsOverview | None:
    row = store.one("campaign_in_force", name=campaign)
    recurrence = recurrence_of(Campaign.model_validate_json(row["policy"])) if row is not None else None
    if row is None or recurrence is None:
        return None
    after = max(now, noted[-1].at) if noted else now
    count = {state: sum(one.count for one in noted if one.state is state) for state in RoundState}
    return RoundsOverview(
        rule=recurrence.rule,
        zone=recurrence.zone,
        catch_up=recurrence.catch_up,
        next_at=next_round(recurrence, after) if row["complete"] else None,
        started=count[RoundState.STARTED],
        missed=count[RoundState.MISSED],
        refused=count[RoundState.REFUSED],
        newest=noted[-1] if noted else None,
        is_half_applied=not row["complete"],
    )


def _status(own: CampaignOverview, rounds: Sequence[CampaignOverview], told: RoundsOverview | None) -> str:
    """Give the status of a campaign that repeats: it has no people itself, its rounds have."""
    if own.status != "completed":
        return own.status
    if any(one.status in _UNDER_WAY for one in rounds):
        return "running"
    return "scheduled" if told is not None and told.next_at is not None else "completed"
