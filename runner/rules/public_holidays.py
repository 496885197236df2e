"""Public holidays by country and subdivision, from the tables of the `holidays` library."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from types import ModuleType


def is_holiday(calendar: str, day: date) -> bool:
    """Whether a day is a public holiday, or the day that one is observed on.

    `calendar` is a country or one of its subdivisions, such as `US`, `US-AL` or `DE-BY`; `CA-*` is a
    country with all its subdivisions, and `US-LA/all` counts days of every other kind too.
    Raises KeyError for one that the tables do not have.
    """
    return day in _days(calendar, day.year)


def is_calendar(calendar: str) -> bool:
    """Whether the tables have a country or subdivision."""
    country, _, part = calendar.partition("-")
    known = _library().list_supported_countries()
    return country in known and (not part or part in known[country])


def parts_of(country: str) -> tuple[str, ...]:
    """Give the subdivisions of a country that the tables have, such as `AL`; none for one that they do not have."""
    return tuple(_library().list_supported_countries().get(country, ()))


@lru_cache(maxsize=4096)
def _days(calendar: str, year: int) -> frozenset[date]:
    place, _, kinds = calendar.partition("/")
    country, _, part = place.partition("-")
    if part == "*":
        parts = ["", *(f"-{one}" for one in _library().list_supported_countries().get(country, ()))]
        return frozenset(day for one in parts for day in _days(f"{country}{one}/{kinds}", year))
    if not is_calendar(place):
        raise KeyError(calendar)
    more = {"categories": getattr(_library(), country).supported_categories} if kinds == "all" else {}
    return frozenset(_library().country_holidays(country, subdiv=part or None, years=year, **more))


def _library() -> ModuleType:
    import holidays  # noqa: PLC0415 its import costs 50 ms, which campaigns without holidays need not pay

    return holidays
