"""What one rule says about one person and step, and where that rule stands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Effect(StrEnum):
    """What a rule does with an attempt."""

    ALLOWS = "allows"
    """it may start as far as this rule goes"""
    WAITS = "waits"
    """not yet"""
    REFUSES = "refuses"
    """never"""
    NOTES = "notes"
    """a fact that other rules go by, or a pace that counts everybody"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule's word."""

    rule: str
    """what kind of rule it is: suppression, number, consent, zone, schedule, hours, cap, cool-down, deadline, limits"""
    effect: Effect
    says: str
    """a lower-case sentence"""
    until: datetime | None = None
    """from when on it allows the attempt; None where it does already, or never will"""
    source: str = ""
    """a key path of the canonical campaign, or the id of a row of the law; empty for what is in no file"""
    place: str = ""
    """where it stands in the files, such as `campaigns/april.yaml:12:3`; empty for a default and for the law"""
    reference: str = ""
    """the address of the law's own text"""
