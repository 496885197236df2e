"""Revox's own retry loop: calling windows in the recipient's time, tries, and what counts as reached."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from runner.sandbox.call import Attempt
from runner.sandbox.windows import LocalWindow, first_opening, zone_named

DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

DEFAULT_RETRIES: Mapping[str, Any] = {
    "allowed_days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "call_twice_in_a_row": False,
    "calling_windows": [
        {"calling_window_start_time": "10:00", "calling_window_end_time": "18:00", "retry_delay_seconds": 7200}
    ],
    "max_retry_attempts": 3,
    "timezone": None,
}
"""documented default of an order's own retries"""

_ZONES: Mapping[str, str] = {
    "1": "America/New_York",
    "27": "Africa/Johannesburg",
    "31": "Europe/Amsterdam",
    "32": "Europe/Brussels",
    "33": "Europe/Paris",
    "34": "Europe/Madrid",
    "351": "Europe/Lisbon",
    "353": "Europe/Dublin",
    "358": "Europe/Helsinki",
    "39": "Europe/Rome",
    "41": "Europe/Zurich",
    "420": "Europe/Prague",
    "43": "Europe/Vienna",
    "44": "Europe/London",
    "45": "Europe/Copenhagen",
    "46": "Europe/Stockholm",
    "47": "Europe/Oslo",
    "48": "Europe/Warsaw",
    "49": "Europe/Berlin",
    "52": "America/Mexico_City",
    "55": "America/Sao_Paulo",
    "61": "Australia/Sydney",
    "64": "Pacific/Auckland",
    "65": "Asia/Singapore",
    "81": "Asia/Tokyo",
    "91": "Asia/Kolkata",
    "971": "Asia/Dubai",
}
"""country prefix -> zone; which one Revox takes for a country with several is assumed"""

_LONGEST_PREFIX = 3
_NOON = 12
_CLOCK = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*(am|pm)?\Z", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryWindow:
    """One calling window, and how long to wait after a call placed in it."""

    window: LocalWindow
    delay: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlan:
    """How an order is tried."""

    windows: tuple[RetryWindow, ...]
    most_attempts: int
    zone: ZoneInfo
    twice_in_a_row: bool = False

    def opens_at(self, after: datetime) -> datetime:
        """Give the first instant from ``after`` on at which a call may be placed."""
        return self._opening(after)[0]

    def next_try_at(self, attempts: Sequence[Attempt]) -> datetime | None:
        """Give when to try again after the latest attempt, before windows are asked; None when it is over.

        Assumed: a number that nobody has is not tried again, and one that was hung up by request neither.
        """
        last = attempts[-1]
        reached = last.outcome in {"answered", "invalid_number"} or last.hung_up
        if reached or len(attempts) >= self.most_attempts or last.ended_at is None:
            return None
        if self.twice_in_a_row and len(attempts) == 1:
            return last.ended_at
        return last.ended_at + self._opening(last.placed_at)[1].delay

    def _opening(self, after: datetime) -> tuple[datetime, RetryWindow]:
        opening = first_opening([one.window for one in self.windows], self.zone, after)
        if opening is None:
            return after, self.windows[0]
        chosen = next(one for one in self.windows if one.window is opening.window)
        return opening.at, chosen


def read_plan(config: Mapping[str, Any], phone: str) -> RetryPlan:
    """Read a ``call_retry_config`` that was checked; without days every day is allowed."""
    allowed = config.get("allowed_days")
    days = frozenset(map(DAYS.index, DAYS if allowed is None else allowed))
    return RetryPlan(
        windows=tuple(_window(window, days) for window in config["calling_windows"]),
        most_attempts=config["max_retry_attempts"],
        zone=zone_named(config.get("timezone")) or zone_of_number(phone),
        twice_in_a_row=config.get("call_twice_in_a_row") is True,
    )


def zone_of_number(phone: str) -> ZoneInfo:
    """Give the zone of a number's country; UTC for a country that the table lacks."""
    digits = phone.removeprefix("+")
    for length in range(_LONGEST_PREFIX, 0, -1):
        if digits[:length] in _ZONES:
            return ZoneInfo(_ZONES[digits[:length]])
    return ZoneInfo("UTC")


def read_clock(text: object) -> time | None:
    """Read a time such as ``17:00``, ``6pm`` or ``9:30am``; ``24:00`` is midnight; None when it is none."""
    found = _CLOCK.match(text.strip()) if isinstance(text, str) else None
    if found is None or (found[2] is None and found[3] is None):
        return None
    hour, minute = int(found[1]), int(found[2] or 0)
    if found[3]:
        if not 1 <= hour <= _NOON:
            return None
        hour = hour % _NOON + (_NOON if found[3].lower() == "pm" else 0)
    elif (hour, minute) == (24, 0):
        hour = 0
    try:
        return time(hour, minute)
    except ValueError:
        return None


def _window(window: Mapping[str, Any], days: frozenset[int]) -> RetryWindow:
    opens, closes = read_clock(window["calling_window_start_time"]), read_clock(window["calling_window_end_time"])
    if opens is None or closes is None:
        raise ValueError("a calling window was not checked")
    return RetryWindow(
        window=LocalWindow(opens=opens, closes=closes, days=days),
        delay=timedelta(seconds=window["retry_delay_seconds"]),
    )
