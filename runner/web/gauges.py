"""The gauges: how the runner and its ledger stand when somebody asks."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client.core import GaugeMetricFamily

from runner import __version__
from runner.model.counts import LaneCounts, LedgerCounts
from runner.model.rounds import series_of
from runner.rules.breaker import BreakerState

_LIMITS = ("concurrency", "per_second", "per_minute", "per_day", "spacing", "ramp")
_OTHER_LIMITS = {"no line is free": "lines", "the provider asked to wait": "slowed", "the breaker": "breaker"}
_CAMPAIGN_STATES = ("active", "paused", "cancelled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a runner stands."""

    counts: LedgerCounts | None
    """None when the ledger could not be read"""
    now: datetime
    full: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """the limit that leaves no room, by campaign and account"""
    turned_ago: float = 0.0
    """seconds since the dispatcher last looked at everything"""


def gauges(standing: Standing) -> Iterator[GaugeMetricFamily]:
    """Give every gauge; those that count the ledger are left out when it could not be read."""
    yield _one("outreach_info", "The version that runs.", {"version": __version__}, 1)
    turned = "Seconds since the dispatcher last looked at everything."
    yield _one("outreach_dispatcher_turn_age_seconds", turned, {}, standing.turned_ago)
    readable = "Whether the ledger could be counted for this answer."
    yield _one("outreach_ledger_readable", readable, {}, float(standing.counts is not None))
    full = GaugeMetricFamily(
        "outreach_limit_full", "1 for the limit that left a campaign no room at an account in the last turn.",
        labels=["campaign", "account", "limit"],
    )  # fmt: skip
    for labels in sorted(
        {(series_of(name), account, limit_word(why)) for (name, account), why in standing.full.items()}
    ):
        full.add_metric(labels, 1)
    yield full
    if standing.counts is not None:
        yield from _of_ledger(standing.counts, standing)


def limit_word(why: str) -> str:
    """Give the short word for what leaves no room, such as `per_minute` for `per_minute: 30`."""
    first = re.split(r"[:,]", why, maxsplit=1)[0]
    if first in _LIMITS:
        return first
    return next((word for begin, word in _OTHER_LIMITS.items() if why.startswith(begin)), "other")


def _of_ledger(counts: LedgerCounts, standing: Standing) -> Iterator[GaugeMetricFamily]:
    yield from _lanes(counts)
    oldest = GaugeMetricFamily(
        "outreach_oldest_due_seconds", "For how long the attempt that waits longest has been due.", labels=["campaign"]
    )
    waits: dict[str, float] = {}
    for campaign, at in counts.oldest_due.items():
        family = series_of(campaign)
        waits[family] = max(waits.get(family, 0.0), (standing.now - at).total_seconds())
    for campaign, seconds in sorted(waits.items()):
        oldest.add_metric([campaign], seconds)
    yield oldest
    yield _campaigns(counts)
    yield _breakers(counts)
    webhooks = "Webhooks that wait for the calls that they name."
    yield _one("outreach_webhooks_waiting", webhooks, {}, counts.webhooks_waiting)
    told = GaugeMetricFamily(
        "outreach_notifications", "Notifications that wait, or were given up (dead).", labels=["state"]
    )
    for state, count in sorted(counts.notifications.items()):
        told.add_metric([state], count)
    yield told
    yield _one("outreach_lease_epoch", "How many runners have taken the ledger so far.", {}, counts.epoch)


def _lanes(counts: LedgerCounts) -> Iterator[GaugeMetricFamily]:
    words = {
        "due": "Attempts whose time has come and that are not under way, of active campaigns.",
        "live": "Attempts that are claimed, being sent, or accepted and without an outcome.",
        "in_doubt": "Attempts that may have been placed, and nothing proves it either way.",
        "held": "Attempts that wait for a person.",
    }
    for word, sentence in words.items():
        family = GaugeMetricFamily(f"outreach_attempts_{word}", sentence, labels=["campaign", "account"])
        sums: Counter[tuple[str, str]] = Counter()
        for one in counts.lanes:
            sums[series_of(one.campaign), one.account] += _count(one, word)
        for (campaign, account), count in sorted(sums.items()):
            family.add_metric([campaign, account], count)
        yield family


def _count(lane: LaneCounts, word: str) -> int:
    return {"due": lane.due, "live": lane.live, "in_doubt": lane.in_doubt, "held": lane.held}[word]


def _campaigns(counts: LedgerCounts) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "outreach_campaigns", "How many campaigns of this name, rounds among them, are in a state.",
        labels=["campaign", "state"],
    )  # fmt: skip
    sums = Counter((series_of(name), state) for name, state in counts.campaigns.items())
    for campaign in sorted({name for name, _ in sums}):
        for state in _CAMPAIGN_STATES:
            family.add_metric([campaign, state], sums[campaign, state])
    return family


def _breakers(counts: LedgerCounts) -> GaugeMetricFamily:
    family = GaugeMetricFamily(
        "outreach_breaker", "1 for the state in which an account's breaker is.", labels=["account", "state"]
    )
    for account in sorted({one.account for one in counts.lanes} | set(counts.breakers)):
        stands = counts.breakers.get(account, BreakerState.CLOSED.value)
        for state in BreakerState:
            family.add_metric([account, state.value], float(state.value == stands))
    return family


def _one(name: str, help: str, labels: Mapping[str, str], value: float) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, help, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
