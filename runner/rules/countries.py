"""Whose numbers a campaign may reach: the countries and types that it names, and never those that cost or reach nobody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from runner.model.campaign import Campaign
from runner.model.numbers import NUMBER_TYPES, PERSONAL_LINES
from runner.rules.numbers import Number, NumberRefused, read_number

NO_COUNTRY: Final = "001"
"""the region of numbers that belong to no country"""

_NEVER: Mapping[str, str] = {
    "premium_rate": "a premium-rate number",
    "shared_cost": "a shared-cost number, for which the caller pays more",
    "uan": "a company's number for all its lines (UAN)",
    "personal_number": "a personal number, which is forwarded at a price of its own",
    "pager": "a pager",
    "voicemail": "a voicemail box",
}
_SETTABLE: Mapping[str, str] = {"voip": "a VoIP number", "toll_free": "a toll-free number"}
_WORDS: Mapping[str, str] = {
    **_NEVER,
    **_SETTABLE,
    "mobile": "a mobile number",
    "fixed_line": "a fixed line",
    "fixed_line_or_mobile": "a fixed line or mobile number",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Which numbers a campaign may reach."""

    countries: tuple[str, ...] = ()
    """by two letters; all when empty"""
    source: Literal["countries", "agents", ""] = ""
    """the key that says it: the campaign's `countries`, the from-numbers of its agents, or nothing"""
    types: frozenset[str] = frozenset(PERSONAL_LINES)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfReach:
    """Why a number is not reached, and which key of the campaign says so."""

    reason: str
    """a lower-case sentence without the number, so that equal causes can be counted"""
    source: str
    """`countries`, `agents` or `number_types`; empty for numbers that no campaign reaches"""


ANYWHERE = Reach()
"""people's own lines in every country"""


def reach_of(campaign: Campaign) -> Reach:
    """Give which numbers a canonical campaign may reach: its countries, else those of its from-numbers, else all."""
    types = frozenset[str](campaign.number_types)
    if campaign.countries:
        return Reach(countries=campaign.countries, source="countries", types=types)
    own = dict.fromkeys(country_of(agent.from_) for agent in campaign.agents.values() if agent.from_)
    countries = tuple(one for one in own if one)
    return Reach(countries=countries, source="agents" if countries else "", types=types)


def never_reached(number: Number) -> str:
    """Say why no campaign may reach a number, whatever it allows; empty when one may."""
    if number.region == NO_COUNTRY:
        return "belongs to no country, as those of satellite phones and of international services do"
    if number.kind in NUMBER_TYPES:
        return ""
    return f"is {_NEVER.get(number.kind, 'a number of an unknown type')}"


def out_of_reach(reach: Reach, region: str, kind: str) -> OutOfReach | None:
    """Give why a number of a region and type is not reached; None when it is."""
    never = never_reached(Number(e164="", region=region, kind=kind))
    if never:
        return OutOfReach(reason=f"the number {never}", source="")
    if kind not in reach.types:
        word = _WORDS[kind]
        return OutOfReach(
            reason=f"the number is {word}, and `number_types` does not name {kind}", source="number_types"
        )
    if reach.countries and region not in reach.countries:
        named = ", ".join(reach.countries)
        whose = "the campaign's countries are" if reach.source == "countries" else "its agents' numbers are of"
        reason = f"the number is of {region}, and {whose} {named}; write countries: {named}, {region}"
        return OutOfReach(reason=reason, source=reach.source)
    return None


def type_words(kind: str) -> str:
    """Say a type of number: `a premium-rate number`."""
    return _WORDS.get(kind, "a number of an unknown type")


@lru_cache(maxsize=4096)
def country_of(e164: str) -> str:
    """Give the country of a number by its region, never by its prefix; empty when it has none."""
    try:
        region = read_number(e164, None).region
    except NumberRefused:
        return ""
    return "" if region == NO_COUNTRY else region
