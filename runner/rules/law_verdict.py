"""What the law says about contacting one person at one instant, row by row, in sentences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from runner.model.campaign import Purpose
from runner.model.channel import Channel
from runner.model.compliance import Consent
from runner.model.durations import format_clock_time, format_duration
from runner.model.law import PERSON, LawRow
from runner.model.whereabouts import Whereabouts
from runner.model.window import DAYS, Window
from runner.rules.calendars import DAY, Calendar
from runner.rules.law import CampaignLaw, ConsentGap, calendars_of
from runner.rules.local_time import local_day, zone_info
from runner.rules.windows import is_allowed, next_allowed


class Question(NamedTuple):
    """One person, one purpose, one instant."""

    purpose: Purpose
    channel: Channel
    where: Whereabouts
    now: datetime
    """aware"""
    consent: Consent | None = None
    """None when nothing is stated"""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowVerdict:
    """What one row says."""

    row: LawRow
    is_open: bool
    """whether the row's hours allow it; always, where it has none"""
    allowed_at: datetime | None
    """from when on they do; None for never"""
    reason: str
    """a sentence that starts with the row's id"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LawVerdict:
    """What all rows say together."""

    rows: tuple[RowVerdict, ...]
    allowed_at: datetime | None
    """from when on every row's hours allow it; None for never, or without a zone"""
    gap: ConsentGap | None
    """the consent that is missing"""
    has_hours: bool
    """whether any row limits the hours"""

    @property
    def forbids(self) -> bool:
        """Whether nobody may be contacted so at any hour."""
        return (self.gap is not None and self.gap.forbids) or self.allowed_at is None


def verdict(law: CampaignLaw, asked: Question) -> LawVerdict:
    """Ask every row that counts for one person at one instant."""
    found = law.rows(asked.purpose, asked.channel, asked.where.jurisdictions)
    calendars = law.calendars(asked.purpose, asked.channel, asked.where.jurisdictions)
    return LawVerdict(
        rows=tuple(_row_verdict(row, asked) for row in found),
        allowed_at=next_allowed(calendars, asked.where.zones, asked.now) if calendars else asked.now,
        gap=law.consent_gap(asked.purpose, asked.channel, asked.where.jurisdictions, asked.consent),
        has_hours=bool(calendars),
    )


def hours_text(windows: Iterable[Window]) -> str:
    """Write windows in their short form: `mon-sat 08:00-20:00; sun 12:00-20:00`."""
    return "; ".join(f"{_days_text(one)}{format_clock_time(one.from_)}-{format_clock_time(one.to)}" for one in windows)


def time_rule(row: LawRow) -> str:
    """Say when a row lets people be contacted; empty when it has no rule about that."""
    if row.hours is None:
        return ""
    parts = [hours_text(row.hours)]
    if row.clocks != (PERSON,):
        parts.append("on the clock of " + " and ".join("the person" if one == PERSON else one for one in row.clocks))
    days = ", ".join(row.holidays.calendars)
    match row.holidays.policy:
        case "forbidden":
            parts.append(f"closed on holidays of {days}")
        case "unknown" if days:
            parts.append(f"closed on holidays of {days}, as nobody knows")
        case "window":
            parts.append(f"{hours_text(row.holidays.hours)} on holidays of {days}")
    if row.holidays.eve_hours:
        parts.append(f"{hours_text(row.holidays.eve_hours)} on the day before one")
    return ", ".join(parts)


def limits_text(row: LawRow) -> str:
    """Say how often a row lets one person be contacted; empty when it does not."""
    return ", ".join(
        f"at most {one.attempts} in {one.per if isinstance(one.per, str) else format_duration(one.per)}"
        + (f" after a call that was {one.after}" if one.after == "abandoned" else "")
        + (" after a conversation" if one.after == "conversation" else "")
        for one in row.attempts
    )


def clock_text(at: datetime, zone: str) -> str:
    """Write an instant on a zone's clock: `Sun 01 Mar 2026 12:00 America/Chicago`."""
    return f"{at.astimezone(zone_info(zone)):%a %d %b %Y %H:%M} {zone}"


def _row_verdict(row: LawRow, asked: Question) -> RowVerdict:
    calendars = calendars_of(row)
    if not calendars:
        return RowVerdict(row=row, is_open=True, allowed_at=asked.now, reason=f"{row.id}: no rule about hours")
    allowed_at = next_allowed(calendars, asked.where.zones, asked.now)
    if allowed_at == asked.now:
        return RowVerdict(row=row, is_open=True, allowed_at=allowed_at, reason=f"{row.id}: open")
    cause = _cause(row, calendars, asked)
    if allowed_at is not None:
        cause += f"; open from {clock_text(allowed_at, asked.where.zones[0])}"
    return RowVerdict(row=row, is_open=False, allowed_at=allowed_at, reason=f"{row.id}: {cause}")


def _cause(row: LawRow, calendars: tuple[Calendar, ...], asked: Question) -> str:
    """Say why the first clock that forbids it does."""
    for calendar in calendars:
        for zone in (calendar.zone,) if calendar.zone else asked.where.zones:
            if not is_allowed((calendar,), (zone,), asked.now):
                return f"{_day_cause(row, calendar, local_day(asked.now, zone))} in {zone}"
    return "no hour fits every clock" if asked.where.zones else "no time zone is known"


def _day_cause(row: LawRow, calendar: Calendar, day: date) -> str:
    """Say what of a local day forbids it at an hour at which it is closed."""
    if calendar.is_holiday(day):
        return f"{day} is a holiday" + (
            f", so outside {hours_text(row.holidays.hours)}" if calendar.on_holidays else ""
        )
    if not any(day.weekday() in one.days for one in calendar.hours):
        return f"nothing on {DAYS[day.weekday()]}"
    if calendar.on_eves and calendar.is_holiday(day + DAY):
        return f"{day} is the day before a holiday, so outside {hours_text(row.holidays.eve_hours)}"
    return f"outside {hours_text(row.hours or ())}"


def _days_text(window: Window) -> str:
    indexes = [DAYS.index(day) for day in window.days]
    if len(indexes) == len(DAYS):
        return ""
    if len(indexes) > 2 and indexes[-1] - indexes[0] == len(indexes) - 1:  # noqa: PLR2004 two days read better as a list
        return f"{window.days[0]}-{window.days[-1]} "
    return f"{', '.join(window.days)} "
