"""Where a person's clock stands: which zones may be theirs, and what says so."""

from __future__ import annotations

from typing import Literal, NamedTuple

from runner.rules.numbers import candidate_zones

ZoneSource = Literal["column", "campaign", "number", "zone_unknown", "none"]


class ZoneEvidence(NamedTuple):
    """The zones that a person may live in, all of which must allow an attempt, and the source."""

    zones: tuple[str, ...]
    source: ZoneSource


def zone_evidence(column: str | None, campaign_zone: str, phone: str, *, is_strict: bool = False) -> ZoneEvidence:
    """Weigh the evidence: the contact's own column, then the campaign's zone, then the number.

    A number gives a set of candidates; an area code is evidence, not location. No zone at all
    is a result too, and nobody is called on it. When strict, only the contact's own column counts.
    """
    if column:
        return ZoneEvidence((column,), "column")
    if is_strict:
        return ZoneEvidence((), "none")
    if campaign_zone != "contact":
        return ZoneEvidence((campaign_zone,), "campaign")
    zones = candidate_zones(phone)
    return ZoneEvidence(zones, "number" if zones else "none")


def own_zones(source: str, phone: str) -> tuple[str, ...]:
    """Give the person's own zones where only their number tells them and windows follow the campaign's clock.

    A campaign chooses whose clock its windows follow; the law counts on the clock of the person all the same.
    """
    return candidate_zones(phone) if source == "campaign" else ()
