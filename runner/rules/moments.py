"""Dates and times in templates: read from ISO text, written in the campaign's locale or to be spoken."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from runner.rules.refusal import FilterRefused, shown, text_of

_NAMED_FORMATS = frozenset({"short", "medium", "long", "full"})
_PATTERN_LIMIT = 64
_NOON = 12
_LAST_OH_MINUTE = 9


class Moments:
    """The filters for dates and times of one locale."""

    def __init__(self, locale: str) -> None:
        self._locale = locale

    def date(self, value: Any, format: str = "long") -> str:
        """Write a date: ``date``, ``date("full")`` or a pattern such as ``date("EEEE d MMMM")``."""
        from babel.dates import format_date, format_datetime  # noqa: PLC0415 costs time that most commands save

        day = _date_of(value)
        if format in _NAMED_FORMATS:
            return plain_blanks(format_date(day, format, locale=self._locale))
        moment = day if isinstance(day, datetime) else datetime.combine(day, time())
        return _patterned(
            lambda: format_datetime(moment, _pattern(format), tzinfo=moment.tzinfo, locale=self._locale), format
        )

    def time(self, value: Any, format: str = "short") -> str:
        """Write a time of day: ``time``, ``time("medium")`` or a pattern such as ``time("HH:mm")``."""
        from babel.dates import format_time  # noqa: PLC0415 costs time that most commands save

        moment = _time_of(value)
        wanted = format if format in _NAMED_FORMATS else _pattern(format)
        return _patterned(lambda: format_time(moment, wanted, tzinfo=moment.tzinfo, locale=self._locale), format)

    def spoken_date(self, value: Any) -> str:
        """Say a date without its year: ``Thursday, December third`` in English, ``Donnerstag, 3. Dezember`` in German."""
        from babel.dates import format_date, format_skeleton  # noqa: PLC0415 costs time that most commands save

        day = _date_of(value)
        weekday = format_date(day, "EEEE", locale=self._locale)
        if not self._locale.startswith("en"):
            return plain_blanks(f"{weekday}, {format_skeleton('MMMMd', _naive(day), locale=self._locale)}")
        from num2words import num2words  # noqa: PLC0415 costs time that most commands save

        month = format_date(day, "MMMM", locale=self._locale)
        return f"{weekday}, {month} {num2words(day.day, to='ordinal', lang='en')}"

    def spoken_time(self, value: Any) -> str:
        """Say a time of day: ``three thirty p.m.`` in English, the short form elsewhere."""
        moment = _time_of(value)
        if not self._locale.startswith("en"):
            return self.time(moment)
        if moment.minute == 0 and moment.hour in {0, _NOON}:
            return "noon" if moment.hour else "midnight"
        from num2words import num2words  # noqa: PLC0415 costs time that most commands save

        hour = num2words((moment.hour - 1) % _NOON + 1, lang="en")
        minute = num2words(moment.minute, lang="en") if moment.minute else ""
        said = f"oh {minute}" if 0 < moment.minute <= _LAST_OH_MINUTE else minute
        half = "a.m." if moment.hour < _NOON else "p.m."
        return " ".join(word for word in (hour, said, half) if word)


def in_zone(value: Any, zone: str) -> datetime:
    """Give an instant on the clock of a zone such as ``America/New_York``; raise FilterRefused without an offset."""
    moment = _date_of(value)
    if not isinstance(moment, datetime) or moment.tzinfo is None:
        raise FilterRefused(
            f"{shown(value)} does not say its own zone", "write it with an offset: 2026-12-03T15:30:00Z"
        )
    try:
        return moment.astimezone(ZoneInfo(str(zone)))
    except (ValueError, LookupError, OSError, OverflowError):
        raise FilterRefused(f"{shown(zone)} is not a time zone", "write an IANA name: America/New_York") from None


def plain_blanks(text: str) -> str:
    """Write narrow and unbreakable blanks as plain ones: they cost an SMS half of its room."""
    return text.replace("\u202f", " ").replace("\xa0", " ")


def _date_of(value: Any) -> date | datetime:
    if isinstance(value, date):
        return value
    text = text_of(value).strip()
    try:
        return date.fromisoformat(text) if len(text) == len("2026-12-03") else datetime.fromisoformat(text)
    except ValueError:
        raise FilterRefused(f"{shown(value)} is not a date", "write year-month-day: 2026-12-03") from None


def _time_of(value: Any) -> time:
    if isinstance(value, datetime):
        return value.timetz()
    if isinstance(value, time):
        return value
    text = text_of(value).strip()
    try:
        return time.fromisoformat(text) if text[2:3] == ":" else datetime.fromisoformat(text).timetz()
    except ValueError:
        raise FilterRefused(f"{shown(value)} is not a time", "write it like 15:30 or 2026-12-03T15:30") from None


def _naive(day: date | datetime) -> datetime:
    moment = day if isinstance(day, datetime) else datetime.combine(day, time())
    return moment.replace(tzinfo=None)


def _pattern(format: Any) -> str:
    text = str(format)
    if len(text) > _PATTERN_LIMIT:
        raise FilterRefused("this pattern is too long", "write for example: date('EEEE d MMMM')")
    return text


def _patterned(write: Any, format: str) -> str:
    try:
        return plain_blanks(str(write()))
    except (ValueError, KeyError, AttributeError, TypeError):
        raise FilterRefused(
            f"{shown(format)} is not a pattern", "write for example: date('EEEE d MMMM'), time('HH:mm')"
        ) from None
