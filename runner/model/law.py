"""The table of law: one row for each rule of a place on when, how often and on what terms people are contacted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from runner.model.campaign import Purpose
from runner.model.compliance import Consent
from runner.model.fields import Duration, FilePart
from runner.model.window import WindowList

PERSON = "person"
"""the clock of the person who is contacted"""

Confidence = Literal["high", "medium", "low", "unverified"]
LawChannel = Literal["call", "text", "rcs"]
"""a channel of ours, or one that only rows speak of"""


class HolidayRule(FilePart):
    """What a row says of public holidays."""

    policy: Literal["allowed", "forbidden", "window", "unknown"] = "allowed"
    """`window`: other hours count; `unknown`: nobody knows whether they are forbidden, so they are."""
    calendars: tuple[str, ...] = ()
    """Calendars of holidays: a day in any of them is one."""
    hours: WindowList = ()
    """The hours on a holiday."""
    eve_hours: WindowList = ()
    """The hours on the day before a holiday, where they are others."""


class AttemptRule(FilePart):
    """How often a row lets one person be contacted."""

    attempts: Annotated[int, Field(ge=0)]
    """How many attempts there may be."""
    per: Annotated[Duration | Literal["day"], Field(union_mode="left_to_right")]
    """In how long a time: a span from any attempt on, or the person's calendar `day`."""
    after: Literal["", "conversation", "abandoned"] = ""
    """Counted from such a call on; a call that nobody was there to speak on is abandoned, and none of ours is."""


class ConsentRule(FilePart):
    """The consent that a row asks for."""

    marketing: Consent
    """What sales calls and texts need."""
    other: Consent = Consent.NONE
    """What those for any other purpose need."""

    def needed(self, purpose: Purpose) -> Consent:
        """Give what a purpose needs."""
        return self.marketing if purpose is Purpose.MARKETING else self.other


class LawSource(FilePart):
    """Where a row's facts come from."""

    url: str
    """The text itself."""
    kind: Literal[
        "statute",
        "statute_copy",
        "regulation",
        "regulator",
        "law_firm",
        "legal_publisher",
        "vendor",
        "press",
        "industry",
    ]
    """Who wrote it."""
    seen: Literal["excerpt", "secondary", "no"]
    """Whether it was read: a part of it, elsewhere at second hand, or not at all."""
    read_at: str = ""
    """Where it was read instead."""


class LawRow(FilePart):
    """One rule of one place."""

    id: str
    """What it is called, for good."""
    jurisdiction: str
    """A country, a part of one, or a group of countries."""
    channels: tuple[LawChannel, ...]
    """What it holds for."""
    purposes: tuple[Purpose, ...]
    """What for."""
    covers: str = ""
    """What kinds of call it speaks of, where not of all; an AI's voice is among them."""
    sector: str = ""
    """The sector that it binds; it counts only for campaigns that name the sector."""
    audience: Literal["consumer", "any"] = "consumer"
    """Whom it protects."""
    below_consent: Consent | None = None
    """It holds only for campaigns that state less consent than this; for all when absent."""
    hours: WindowList | None = None
    """When a person may be contacted; None when no rule about hours is known."""
    clocks: tuple[str, ...] = (PERSON,)
    """Whose clocks the hours follow, all of them: the `person`'s, or a zone's."""
    holidays: HolidayRule = HolidayRule()
    """What it says of public holidays."""
    attempts: tuple[AttemptRule, ...] = ()
    """How often one person may be contacted."""
    consent: ConsentRule | None = None
    """The consent that it asks for."""
    screening: str = ""
    """Lists that numbers must be held against first."""
    disclosure: str = ""
    """What must be said."""
    exempt: str = ""
    """Who need not follow it."""
    waived_by: str = ""
    """What lifts its hours."""
    after_refusal: str = ""
    """How long a person who refused must be left alone."""
    effective: date | None = None
    """Since when it holds, where that is known."""
    source: LawSource
    """Where it comes from."""
    confidence: Confidence
    """How sure it is."""
    notes: str = ""
    """What else is known."""

    @property
    def is_unverified(self) -> bool:
        """Whether nobody has opened its source."""
        return self.confidence == "unverified"


class LawTable(FilePart):
    """All rows, with the table's own version."""

    version: str
    """A year, a month and a count, such as `2026.11.1`."""
    as_of: date
    """The day on which it was put together."""
    opt_out_words_us: tuple[str, ...]
    """The words that end consent by themselves in the United States."""
    groups: Mapping[str, tuple[str, ...]]
    """Groups of countries by name, such as `EU`."""
    area_codes: Mapping[str, tuple[int, ...]]
    """The area codes of parts of the United States and Canada."""
    rows: tuple[LawRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LawNote:
    """One sentence that a plan says about the law."""

    kind: Literal["row", "warning", "override"]
    text: str
    row: str = ""
    """the id of the row that it is about; empty when it is about none"""
    source: str = ""
    """the address of the row's source"""
    contacts: int = 0
    """how many contacts it concerns"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawSummary:
    """What a plan says about the law."""

    version: str
    as_of: date
    rows: tuple[LawNote, ...] = ()
    """the rows that apply"""
    warnings: tuple[LawNote, ...] = ()
    overrides: tuple[LawNote, ...] = ()
