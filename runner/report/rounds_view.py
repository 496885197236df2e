"""What is said about campaigns that repeat, in sentences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from runner.model.durations import format_duration
from runner.model.overview import CampaignOverview
from runner.model.rounds import RoundsOverview, RoundsSummary, RoundState
from runner.report.words import count_of

SHOWN = 3
"""how many rounds that are over are shown of each campaign"""

_MISSED = {
    "none": "a round that is missed while no runner is at work is not started",
    "last": "of rounds that are missed while no runner is at work the last is started late",
    "all": "rounds that are missed while no runner is at work are all started late",
}


def round_time(at: datetime, zone: str) -> str:
    """Write when a round is due, on its rule's clock."""
    return f"{at.astimezone(ZoneInfo(zone)):%a %d %b %Y %H:%M} {zone}"


def plan_sentences(rounds: RoundsSummary) -> Iterator[str]:
    """Say when a campaign begins anew, and what becomes of rounds that are missed."""
    if not rounds.next_at:
        yield f"repeats {rounds.rule}, and no round is left: the schedule has ended"
        return
    times = ", ".join(f"{at.astimezone(ZoneInfo(rounds.zone)):%a %d %b %H:%M}" for at in rounds.next_at)
    yield f"repeats {rounds.rule} on the clock of {rounds.zone}: {times}, …; below, the first of these rounds"
    limit = f", unless it is older than {format_duration(rounds.expires)}" if rounds.expires is not None else ""
    yield f"{_MISSED[rounds.catch_up]} (catch_up: {rounds.catch_up}){limit if rounds.catch_up != 'none' else ''}"


def applied_sentence(rounds: RoundsSummary) -> str:
    """Say what applying a campaign that repeats came to."""
    if not rounds.next_at:
        return f"repeats {rounds.rule}, and no round is left"
    return f"repeats {rounds.rule}, next {round_time(rounds.next_at[0], rounds.zone)}"


def status_sentence(campaign: str, rounds: RoundsOverview) -> str:
    """Say which rounds a campaign had and when the next is due; of one that is applied half, that none begins."""
    had = f"{count_of(rounds.started, 'round')} so far"
    had += f", {rounds.missed:,} missed" if rounds.missed else ""
    had += f", {rounds.refused:,} not started" if rounds.refused else ""
    newest = rounds.newest
    if newest is not None and newest.state is not RoundState.STARTED:
        had += f" (that of {round_time(newest.at, rounds.zone)}: {newest.reason})"
    last = "none begins until it is applied to the end" if rounds.is_half_applied else "none is left"
    ahead = f"the next {round_time(rounds.next_at, rounds.zone)}" if rounds.next_at else last
    return f"{campaign}: {had}; {ahead}"


def without_old_rounds(campaigns: Sequence[CampaignOverview]) -> tuple[list[CampaignOverview], int]:
    """Leave out rounds that are over, except the newest of each campaign; give how many were left out."""
    newer: Counter[str] = Counter()
    kept, left_out = [], 0
    for one in reversed(campaigns):
        newer[one.round_of] += 1
        if one.round_of and newer[one.round_of] > SHOWN and one.status in {"completed", "cancelled"}:
            left_out += 1
        else:
            kept.append(one)
    return kept[::-1], left_out
