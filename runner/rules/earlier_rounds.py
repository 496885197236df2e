"""What becomes of the rounds that a campaign's earlier rules made due, once other rules are in force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.model.campaign import Campaign
from runner.model.rounds import ABSENT, HALF_APPLIED, PAUSED, TAKEN_OVER, Recurring, RoundRules
from runner.rules.recurrence import GRACE, Recurrence, next_round, recurrence_of, rounds_between, rounds_count_from

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What becomes of a round."""

    at: datetime
    """when it was due; aware and UTC"""
    reason: str = ""
    """why it is missed; empty when it begins"""


def earlier_rounds(
    earlier: Sequence[RoundRules], one: Recurring, now: datetime, in_force: Recurrence | None, awake_since: datetime
) -> list[Fate]:
    """Say in order of time what becomes of the rounds of rules that came before those in force.

    `earlier` has the oldest first; `in_force` is None when the campaign repeats no more. A round of the last GRACE still
    begins when the rules in force have it too, so that neither a restart nor the apply that a new version needs costs
    one. Every other one is missed: nobody reviewed it with what is in force now.
    """
    fates = []
    for rules in earlier:
        for at in _due(rules, one, now):
            begins = _still_begins(rules, one, now, at) and in_force and next_round(in_force, at - _INSTANT) == at
            fates.append(Fate(at=at) if begins else Fate(at=at, reason=_why(rules, one, at, awake_since)))
    return fates


def half_applied_rounds(of: Recurrence, one: Recurring, now: datetime) -> list[datetime]:
    """Give the rounds of the rules in force that were due before these were written to their end, in order.

    Those of the GRACE before that are left out: an apply takes its time, and they are not late yet.
    """
    since = rounds_count_from(max(one.since, one.applied_at), now)
    return rounds_between(of, since, min(now, one.in_force_since - GRACE))


def _due(rules: RoundRules, one: Recurring, now: datetime) -> list[datetime]:
    try:
        of = recurrence_of(Campaign.model_validate_json(rules.policy))
        since = rounds_count_from(max(one.since, rules.since), now)
        return rounds_between(of, since, min(rules.until, now)) if of is not None else []
    except (ValueError, KeyError):
        # Rules of long ago that no campaign may have any more, or a zone that is no more: nobody can tell its rounds.
        return []


def _still_begins(rules: RoundRules, one: Recurring, now: datetime, at: datetime) -> bool:
    return one.is_active and rules.in_force_since is not None and now - at <= GRACE


def _why(rules: RoundRules, one: Recurring, at: datetime, awake_since: datetime) -> str:
    if rules.in_force_since is None or at <= rules.in_force_since - GRACE:
        return HALF_APPLIED
    if not one.is_active:
        return PAUSED
    return TAKEN_OVER if at > awake_since else ABSENT
