"""The law as it holds for one campaign: which rows count where, and what they let nobody do.

Every row that matches counts, and all of them at once. Rows that nobody verified count like the
others; plans say which they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property

from runner.model.campaign import Purpose
from runner.model.cap import Cap
from runner.model.channel import Channel
from runner.model.compliance import Compliance, Consent, Override
from runner.model.json import Json
from runner.model.law import PERSON, AttemptRule, LawRow, LawTable
from runner.model.window import DAYS
from runner.rules.calendars import Calendar, Hours, hours_of
from runner.rules.jurisdictions import is_under, places_by_area_code, places_of, with_countries

_DAY = timedelta(days=1)
_ALL_HOURS = (Hours(frozenset(range(len(DAYS))), 0, 24 * 60),)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentGap:
    """Consent that the law asks for and that nobody states, or too little of it."""

    row: LawRow
    """the row that asks for most"""
    needed: Consent
    stated: Consent | None
    """None when nothing is stated"""
    purpose: Purpose
    channel: Channel

    @property
    def forbids(self) -> bool:
        """Whether nobody may be contacted so: sales without consent stated, and anything with too little."""
        return self.stated is not None or self.purpose is Purpose.MARKETING

    @property
    def reason(self) -> str:
        """Say it, with what to write."""
        needs = f"{self.row.id}: {self.purpose} {self.channel}s need {self.needed} consent"
        if self.stated is not None:
            return f"{needs}, and `{self.stated}` is less"
        return f"{needs}, and none is stated; write compliance: {{consent: {self.needed}}} if it was given"


@dataclass(frozen=True, eq=False)
class CampaignLaw:
    """The table of law, read with what one campaign says about itself."""

    table: LawTable
    compliance: Compliance = field(default_factory=Compliance)
    _matching: dict[tuple[Purpose, Channel, tuple[str, ...]], tuple[LawRow, ...]] = field(default_factory=dict)
    _calendars: dict[str, tuple[Calendar, ...]] = field(default_factory=dict)
    """by row: the same objects each time, so that answers can be kept"""
    _gaps: dict[tuple[Purpose, Channel, tuple[str, ...], Consent | None], ConsentGap | None] = field(
        default_factory=dict
    )

    def jurisdictions(self, phone: str, told: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give whose law counts for a number: its own places, those told by the contact, those of the campaign."""
        own = places_of(phone, self._by_area_code)
        if not told and not self.compliance.jurisdictions:
            return own
        return with_countries((*own, *told, *self.compliance.jurisdictions))

    def rows(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[LawRow, ...]:
        """Give the rows that count, overrides applied, in the table's order."""
        asked = (purpose, channel, jurisdictions)
        found = self._matching.get(asked)
        if found is None:
            matching = (row for row in self._own_rows if self._matches(row, purpose, channel, jurisdictions))
            found = self._matching.setdefault(asked, tuple(matching))
        return found

    def calendars(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[Calendar, ...]:
        """Give a calendar for each row that limits when a person may be contacted, and for each clock of it."""
        return tuple(one for row in self.rows(purpose, channel, jurisdictions) for one in self._calendars_of(row))

    def caps(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[Cap, ...]:
        """Give a cap for each limit on how often a person may be contacted."""
        return tuple(cap for row in self.rows(purpose, channel, jurisdictions) for cap in caps_of(row))

    def consent_gap(
        self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...], stated: Consent | None
    ) -> ConsentGap | None:
        """Give what consent is missing; None when there is enough, or none is asked for."""
        asked = (purpose, channel, jurisdictions, stated)
        if asked not in self._gaps:
            self._gaps[asked] = self._find_gap(purpose, channel, jurisdictions, stated)
        return self._gaps[asked]

    def override_of(self, row: str) -> Override | None:
        """Give how the campaign changes a row; None when it does not."""
        return next((one for one in self.compliance.overrides if one.row == row), None)

    @cached_property
    def _by_area_code(self) -> dict[str, tuple[str, ...]]:
        return places_by_area_code(self.table)

    @cached_property
    def _groups(self) -> dict[str, frozenset[str]]:
        return {name: frozenset(countries) for name, countries in self.table.groups.items()}

    @cached_property
    def _own_rows(self) -> tuple[LawRow, ...]:
        """The rows as they hold for this campaign, without those that it sets aside or has the consent for."""
        stated = (self.compliance.consent or Consent.NONE).rank
        holding = (row for row in self.table.rows if row.below_consent is None or stated < row.below_consent.rank)
        changed = ((row, self.override_of(row.id)) for row in holding)
        return tuple(_changed(row, override) for row, override in changed if not (override and override.sets_aside))

    def _matches(self, row: LawRow, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> bool:
        if channel not in row.channels or purpose not in row.purposes:
            return False
        if row.sector and row.sector not in self.compliance.sectors:
            return False
        return any(is_under(place, row.jurisdiction, self._groups) for place in jurisdictions)

    def _calendars_of(self, row: LawRow) -> tuple[Calendar, ...]:
        found = self._calendars.get(row.id)
        return found if found is not None else self._calendars.setdefault(row.id, calendars_of(row))

    def _find_gap(
        self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...], stated: Consent | None
    ) -> ConsentGap | None:
        asking = [
            (row.consent.needed(purpose), row)
            for row in self.rows(purpose, channel, jurisdictions)
            if row.consent is not None
        ]
        needed, row = max(asking, key=lambda one: one[0].rank, default=(Consent.NONE, None))
        if row is None or needed.rank <= (stated or Consent.NONE).rank:
            return None
        return ConsentGap(row=row, needed=needed, stated=stated, purpose=purpose, channel=channel)


class UnknownConsent(ValueError):
    """A contact's cell holds a word that is no consent."""


def stated_consent(compliance: Compliance, cells: Mapping[str, Json]) -> Consent | None:
    """Give the consent that is stated for a person: their own cell, else the campaign's; None when nothing is.

    Raises UnknownConsent with a sentence for a word that is none.
    """
    cell = cells.get(compliance.consent_column) if compliance.consent_column is not None else None
    if cell is None:
        return compliance.consent
    word = str(cell).strip().lower()
    if word not in list(Consent):
        raise UnknownConsent(f"{compliance.consent_column}: `{cell}` is not one of {', '.join(Consent)}")
    return Consent(word)


def calendars_of(row: LawRow) -> tuple[Calendar, ...]:
    """Turn a row's hours and holidays into calendars, one for each clock; none where it has no rule about time.

    Where nobody knows whether holidays are forbidden, they are. The hours of an eve count on days
    of the week that are open anyway.
    """
    closes = row.holidays.policy in {"forbidden", "unknown"}
    if row.hours is None and not (row.holidays.policy == "forbidden" and row.holidays.calendars):
        return ()
    hours = _ALL_HOURS if row.hours is None else hours_of(row.hours)
    open_days = frozenset(day for one in hours for day in one.days)
    return tuple(
        Calendar(
            hours=hours,
            zone="" if clock == PERSON else clock,
            holidays=row.holidays.calendars if closes or row.holidays.policy == "window" else (),
            on_holidays=() if closes else hours_of(row.holidays.hours),
            on_eves=tuple(one._replace(days=open_days) for one in hours_of(row.holidays.eve_hours)),
            source=row.id,
        )
        for clock in row.clocks
    )


def caps_of(row: LawRow) -> tuple[Cap, ...]:
    """Turn a row's limits into caps; none for calls that nobody was there to speak on, which ours never are."""
    return tuple(_cap(row, rule) for rule in row.attempts if rule.after != "abandoned")


def _cap(row: LawRow, rule: AttemptRule) -> Cap:
    own: tuple[Channel, ...] = ("call", "text")
    return Cap(
        attempts=rule.attempts,
        per=rule.per if isinstance(rule.per, timedelta) else _DAY,
        calendar_day=rule.per == "day",
        after="conversation" if rule.after == "conversation" else "",
        source=row.id,
        channels=tuple(one for one in own if one in row.channels),
        purposes=row.purposes,
    )


def _changed(row: LawRow, override: Override | None) -> LawRow:
    if override is None:
        return row
    update: dict[str, object] = {}
    if override.windows is not None:
        update["hours"] = override.windows
    if override.attempts is not None:
        update["attempts"] = tuple(AttemptRule(attempts=one.attempts, per=one.per) for one in override.attempts)
    return row.model_copy(update=update)
