"""Whose law may count for a number: its country, and the part of it that its area code belongs to.

An area code is evidence, not location: people keep their numbers when they move. It only ever adds
law; what contacts and campaigns say adds more and takes nothing away.
"""

from __future__ import annotations

from functools import lru_cache

from runner.model.law import LawTable
from runner.rules.numbers import NumberRefused, read_number

_AMERICAN = "+1"
_AREA = slice(2, 5)


def places_by_area_code(table: LawTable) -> dict[str, tuple[str, ...]]:
    """Give the country and its parts by North American area code: `512` is `US` and `US-TX`."""
    found: dict[str, tuple[str, ...]] = {}
    for part, codes in table.area_codes.items():
        country = part.partition("-")[0]
        for code in codes:
            found[str(code)] = (*found.get(str(code), (country,)), part)
    return found


def places_of(phone: str, by_area_code: dict[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Give the places of a number in E.164, the country first; none where no country has it."""
    by_code = by_area_code.get(phone[_AREA]) if phone.startswith(_AMERICAN) else None
    if by_code is not None:
        return by_code
    region = _region(phone)
    return (region,) if region else ()


def with_countries(places: tuple[str, ...]) -> tuple[str, ...]:
    """Put each part's country before it, and leave out what stands there twice."""
    return tuple(dict.fromkeys(one for place in places for one in (place.partition("-")[0], place)))


def is_under(place: str, jurisdiction: str, groups: dict[str, frozenset[str]]) -> bool:
    """Whether a law of a jurisdiction holds at a place: `US` holds in `US-TX`, and `EU` in `FR`."""
    country = place.partition("-")[0]
    return jurisdiction in {place, country} or country in groups.get(jurisdiction, ())


@lru_cache(maxsize=65_536)
def _region(phone: str) -> str:
    try:
        region = read_number(phone, None).region
    except NumberRefused:
        return ""
    return "" if region == "001" else region
