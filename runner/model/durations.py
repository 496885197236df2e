"""Spans and times of day as people write them: `90s`, `2h30m`, `PT2H`, `17:00`, `6pm`."""

from __future__ import annotations

import re
from datetime import timedelta

DAY_MINUTES = 24 * 60

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_SHORT = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_ISO = re.compile(
    r"P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?"
    r"(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?",
    re.IGNORECASE,
)
_ISO_UNITS = (604800, 86400, 3600, 60, 1)
_CLOCK_24 = re.compile(r"(\d{1,2}):(\d{2})")
_CLOCK_12 = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*([ap])\.?m\.?", re.IGNORECASE)
_LONGEST = timedelta(days=366)
_MICROSECOND = timedelta(microseconds=1)
_MICROS = 1_000_000


def parse_duration(text: str) -> timedelta:
    """Read `90s`, `5m`, `2h`, `1d`, `2h30m`, `PT2H`; raise ValueError with the right form otherwise."""
    stripped = text.strip()
    seconds = _short_seconds(stripped)
    if seconds is None:
        seconds = _iso_seconds(stripped)
    if seconds is None:
        message = f"`{text}` is not a duration"
        raise ValueError(message)
    if seconds > _LONGEST.total_seconds():
        message = f"`{text}` is longer than a year"
        raise ValueError(message)
    return timedelta(seconds=seconds)


def format_duration(span: timedelta) -> str:
    """Write a span in the shortest form that parse_duration reads back: `2h30m`, `0s`."""
    left, micros = divmod(span // _MICROSECOND, _MICROS)
    parts: list[str] = []
    for unit in ("d", "h", "m"):
        count, left = divmod(left, _UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    if left or micros or not parts:
        fraction = f".{micros:06d}".rstrip("0") if micros else ""
        parts.append(f"{left}{fraction}s")
    return "".join(parts)


def parse_clock_time(text: str) -> int:
    """Read `17:00`, `6pm`, `6:30pm` or `24:00` as minutes after midnight (0 to 1440); raise ValueError."""
    stripped = text.strip()
    minutes = _minutes_24(stripped)
    if minutes is None:
        minutes = _minutes_12(stripped)
    if minutes is None:
        message = f"`{text}` is not a time of day"
        raise ValueError(message)
    return minutes


def format_clock_time(minutes: int) -> str:
    """Write minutes after midnight as `HH:MM`."""
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _short_seconds(text: str) -> float | None:
    total, end = 0.0, 0
    for match in _SHORT.finditer(text):
        if text[end : match.start()].strip():
            return None
        total += float(match[1]) * _UNITS[match[2]]
        end = match.end()
    return total if end and not text[end:].strip() else None


def _iso_seconds(text: str) -> float | None:
    match = _ISO.fullmatch(text)
    if match is None or not any(match.groups()):
        return None
    return sum(float(part) * unit for part, unit in zip(match.groups(), _ISO_UNITS, strict=True) if part)


def _minutes_24(text: str) -> int | None:
    match = _CLOCK_24.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2])
    whole = hour * 60 + minute
    return whole if minute < 60 and whole <= DAY_MINUTES else None  # noqa: PLR2004


def _minutes_12(text: str) -> int | None:
    match = _CLOCK_12.fullmatch(text)
    if match is None:
        return None
    hour, minute = int(match[1]), int(match[2] or 0)
    if not 1 <= hour <= 12 or minute >= 60:  # noqa: PLR2004
        return None
    return (hour % 12 + (12 if match[3].lower() == "p" else 0)) * 60 + minute
