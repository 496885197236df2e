"""What it costs to ask when an attempt may start, against turning one instant into a zone's wall clock."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from runner.model.campaign import Campaign
from runner.rules.calendars import Calendar, Span
from runner.rules.policy import policy_of
from runner.rules.windows import allowed_spans, next_allowed

ROUNDS = 5
INSTANTS = 4_000
WEEK = timedelta(days=7)
START = datetime(2026, 12, 1, 9, tzinfo=UTC)
ZONES = ("America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles")
SETS: dict[str, tuple[dict[str, object], tuple[str, ...]]] = {
    "1 window, 1 zone": ({"windows": "mon-fri 10:00-18:00"}, ZONES[:1]),
    "3 windows, 1 zone": ({"windows": "mon-fri 09:00-12:00; mon-fri 14:00-18:30; sat 10:00-13:00"}, ZONES[:1]),
    "3 windows, 4 zones": ({"windows": "mon-fri 09:00-12:00; mon-fri 14:00-18:30; sat 10:00-13:00"}, ZONES),
    "3 windows, 4 zones, holidays, blackout": (
        {
            "windows": "mon-fri 09:00-12:00; mon-fri 14:00-18:30; sat 10:00-13:00",
            "holidays": "US",
            "blackout": "2026-12-21..2027-01-03",
        },
        ZONES,
    ),
}


def main() -> None:
    """Measure and print."""
    instants = [START + timedelta(minutes=7 * index, seconds=index) for index in range(INSTANTS)]
    zone = ZoneInfo(ZONES[0])
    bare = _median(instants, lambda at: at.astimezone(zone))
    print(f"asking when an attempt may start, zone data warm (median of {ROUNDS}); one zone conversion {bare:.2f} µs")
    for name, (rules, zones) in SETS.items():
        ready = _calendars(rules)
        following = _median(instants, partial(next_allowed, ready, zones))
        week = _median(instants, partial(_week, ready, zones))
        print(
            f"  {name:<40} next_allowed {following:5.2f} µs (ratio {following / bare:4.1f})   "
            f"allowed_spans of a week {week:5.1f} µs (ratio {week / bare:5.1f})"
        )
    print("  wanted: under 50 µs each")


def _week(ready: tuple[Calendar, ...], zones: tuple[str, ...], at: datetime) -> list[Span]:
    return allowed_spans(ready, zones, at, at + WEEK)


def _median(instants: list[datetime], ask: Callable[[datetime], object]) -> float:
    for at in instants:
        ask(at)
    spans = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        for at in instants:
            ask(at)
        spans.append((time.perf_counter() - began) / len(instants) * 1e6)
    return statistics.median(spans)


def _calendars(rules: dict[str, object]) -> tuple[Calendar, ...]:
    facts = {"campaign": "x", "purpose": "research", "agent": "movoice/a", "contacts": "c.csv", **rules}
    campaign = Campaign.model_validate(facts).canonical()
    return policy_of(campaign).calendars(campaign.steps[0], ())
