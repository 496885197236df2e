"""Hold the windows' arithmetic against a walk over UTC, minute by minute, around every change of every clock.

`python -m tests.rules.oracle` walks every zone and every change from 2024 to 2030; with `--every 40`
only one zone in forty. The walk shares nothing with what it judges: it reads windows from its own
notation, asks the zone of each minute what the wall clock shows, and keeps no arithmetic of local time.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones, reset_tzpath

from runner.model.campaign import Campaign
from runner.rules.calendars import Calendar
from runner.rules.policy import policy_of
from runner.rules.windows import allowed_spans, next_allowed

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
FIRST_YEAR, LAST_YEAR = 2024, 2030
MARGIN = 2
"""days before and after a change that are judged"""
_LEAD = 4
"""days more that are walked, so that windows and answers that reach in and out are seen whole"""
_QUIET = (datetime(2026, 12, 31, tzinfo=UTC), datetime(2028, 2, 28, tzinfo=UTC))
"""what is looked at in zones whose clock is never changed: the end of a year, a leap day"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """One window as the walk knows it."""

    days: tuple[int, ...]
    opens: int
    """minutes on the wall"""
    closes: int
    """minutes on the wall of the same day, above 1440 on the next day's"""
    dates: tuple[date, date] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a campaign says about time."""

    openings: tuple[Opening, ...]
    blackout: tuple[date, ...] = ()

    def calendars(self) -> tuple[Calendar, ...]:
        """Ready them the way that a campaign file does."""
        windows = []
        for one in self.openings:
            window = {"days": [NAMES[day] for day in one.days], "from": _clock(one.opens), "to": _clock(one.closes)}
            if one.dates is not None:
                window["dates"] = f"{one.dates[0]}..{one.dates[1]}"
            windows.append(window)
        facts = {"campaign": "x", "purpose": "research", "agent": "movoice/a", "contacts": "c.csv", "windows": windows}
        if self.blackout:
            facts["blackout"] = [str(day) for day in self.blackout]
        campaign = Campaign.model_validate(facts).canonical()
        return policy_of(campaign).calendars(campaign.steps[0], ())


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the walk over some changes found."""

    changes: int = 0
    minutes: int = 0
    """minutes for which both functions were asked"""
    mismatches: tuple[str, ...] = ()


FIXED = (
    Rules(openings=(Opening(days=tuple(range(7)), opens=0, closes=1440),)),
    Rules(openings=(Opening(days=tuple(range(7)), opens=30, closes=150),)),
    Rules(
        openings=(
            Opening(days=tuple(range(7)), opens=90, closes=105),
            Opening(days=tuple(range(7)), opens=1410, closes=1515),
        )
    ),
    Rules(
        openings=(
            Opening(days=(0, 1, 2, 3, 4), opens=135, closes=180),
            Opening(days=(6,), opens=1320, closes=1650),
            Opening(days=(5,), opens=1200, closes=1440),
        )
    ),
)


def changes_of(zone: str) -> list[datetime]:
    """Give a midnight of UTC at most a day before each change of a zone's clock; quiet days where there is none."""
    tz, found = ZoneInfo(zone), []
    at, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC)
    while at < end:
        if at.astimezone(tz).utcoffset() != (at + DAY).astimezone(tz).utcoffset():
            found.append(at)
        at += DAY
    return found or list(_QUIET)


def judge(zone: str, changes: list[datetime], rules_each: int = 3) -> Judged:
    """Walk around changes of one zone's clock with several rules each, and compare every minute."""
    minutes, mismatches = 0, []
    for number, change in enumerate(changes):
        walls = _walls(zone, change)
        chance = random.Random(f"{zone} {change}")
        drawn = [_drawn(chance, change.date()) for _ in range(rules_each - 1)]
        for rules in (FIXED[number % len(FIXED)], *drawn):
            seen = walk(rules, walls)
            wrong = _compare(rules, zone, change, seen)
            minutes += (2 * MARGIN + 1) * 1440
            mismatches += [f"{zone}, {change.date()}, {rules}: {text}" for text in wrong]
    return Judged(changes=len(changes), minutes=minutes, mismatches=tuple(mismatches))


def walk(rules: Rules, walls: list[int]) -> list[bool]:
    """Decide each minute by the wall clock alone.

    A window opens at the last minute that shows its beginning, or the first that shows a later time where
    none does, and closes at the first minute that shows its end or a later time.
    """
    allowed = [False] * len(walls)
    for day in range(min(walls) // 1440 - 1, max(walls) // 1440 + 1):
        today = date.fromordinal(day)
        if today in rules.blackout:
            continue
        for one in rules.openings:
            if today.weekday() not in one.days or (one.dates and not one.dates[0] <= today <= one.dates[1]):
                continue
            first = _last_showing(walls, day * 1440 + one.opens)
            end = _first_reaching(walls, day * 1440 + one.closes)
            if date.fromordinal(day + 1) in rules.blackout:
                end = min(end, _first_reaching(walls, (day + 1) * 1440))
            for index in range(first, end):
                allowed[index] = True
    return allowed


def main() -> int:
    """Walk, and print what was found; 1 when anything differs."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--every", type=int, default=1, help="only one zone in so many")
    asked.add_argument("--rules", type=int, default=3, help="rules for each change")
    given = asked.parse_args()
    began = time.perf_counter()
    _own_zone_data()
    zones = sorted(available_timezones())[:: given.every]
    with ProcessPoolExecutor(initializer=_own_zone_data) as pool:
        found = list(pool.map(_judge_zone, zones, [given.rules] * len(zones), chunksize=4))
    mismatches = [text for one in found for text in one.mismatches]
    for text in mismatches[:20]:
        print(text)  # noqa: T201 a command
    print(  # noqa: T201 a command
        f"{len(zones)} zones, {sum(one.changes for one in found):,} changes of the clock and quiet days, "
        f"{sum(one.minutes for one in found):,} minutes, {len(mismatches)} mismatches, "
        f"{time.perf_counter() - began:.0f} s"
    )
    return 1 if mismatches else 0


def _judge_zone(zone: str, rules_each: int) -> Judged:
    return judge(zone, changes_of(zone), rules_each)


def _own_zone_data() -> None:
    reset_tzpath(to=[])  # the package's zones, as `outreach` reads them
    ZoneInfo.clear_cache()


def _compare(rules: Rules, zone: str, change: datetime, seen: list[bool]) -> list[str]:
    """Compare both functions with what was seen in the judged days; give what differs, the first few."""
    calendars, zones = rules.calendars(), (zone,)
    begin = change - (MARGIN + _LEAD) * DAY
    first, last = _LEAD * 1440, (_LEAD + 2 * MARGIN + 1) * 1440
    said = [False] * len(seen)
    for span in allowed_spans(calendars, zones, begin + first * MINUTE, begin + last * MINUTE):
        for index in range(int((span.start - begin) / MINUTE), int((span.end - begin) / MINUTE)):
            said[index] = True
    wrong = [
        f"allowed_spans says {said[index]} at {begin + index * MINUTE}"
        for index in range(first, last)
        if said[index] != seen[index]
    ]
    following = next((index for index in range(last, len(seen)) if seen[index]), None)
    for index in range(last - 1, first - 1, -1):
        following = index if seen[index] else following
        now = begin + index * MINUTE
        found = next_allowed(calendars, zones, now)
        beyond = following is None and (found is None or found >= begin + len(seen) * MINUTE)
        if not beyond and (following is None or found != begin + following * MINUTE):
            wrong.append(f"next_allowed says {found} at {now}")
    return wrong[:3]


def _walls(zone: str, change: datetime) -> list[int]:
    """Give what the wall clock shows in each minute, as minutes since the first day of the calendar."""
    tz, begin = ZoneInfo(zone), change - (MARGIN + _LEAD) * DAY
    walls = []
    for index in range((2 * (MARGIN + _LEAD) + 1) * 1440):
        wall = (begin + index * MINUTE).astimezone(tz)
        walls.append(wall.toordinal() * 1440 + wall.hour * 60 + wall.minute)
    return walls


def _last_showing(walls: list[int], wall: int) -> int:
    """Give the last minute that shows a time; the first after all that show an earlier one where none does."""
    near = _near(walls, wall)
    for index in reversed(near):
        if walls[index] <= wall:
            return index if walls[index] == wall else index + 1
    return near.start


def _first_reaching(walls: list[int], wall: int) -> int:
    """Give the first minute that shows a time or a later one."""
    near = _near(walls, wall)
    return next((index for index in near if walls[index] >= wall), near.stop)


def _near(walls: list[int], wall: int) -> range:
    """Give the minutes within two days of where a time would stand if no clock were changed."""
    guess = wall - walls[0]
    return range(max(0, min(guess - 2880, len(walls))), max(0, min(guess + 2880, len(walls))))


def _drawn(chance: random.Random, day: date) -> Rules:
    """Draw windows whose edges crowd around the hours in which clocks are changed, at times with dates."""
    edges = [*range(0, 240, 15), *range(1320, 1440, 15), 0, 60, 120, 180, chance.randrange(1440)]
    openings = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        opens = chance.choice(edges)
        closes = chance.choice([*edges, 1440])
        closes = closes if closes > opens else closes + 1440
        days = tuple(sorted(chance.sample(range(7), chance.choice((2, 5, 7, 7)))))
        span = (day - DAY, day + chance.randrange(4) * DAY) if chance.random() < 0.25 else None
        openings.append(Opening(days=days, opens=opens, closes=closes, dates=span))
    blackout = tuple(day + shift * DAY for shift in (-1, 0, 1, 2) if chance.random() < 0.2)
    return Rules(openings=tuple(openings), blackout=blackout)


def _clock(minutes: int) -> str:
    shown = minutes if minutes <= 1440 else minutes - 1440
    return f"{shown // 60:02d}:{shown % 60:02d}"


if __name__ == "__main__":
    sys.exit(main())
