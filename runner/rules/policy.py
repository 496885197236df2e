"""A campaign, ready for decisions: calendars as arithmetic, conditions compiled, zones at hand."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from runner.model.campaign import Campaign, Purpose, Step
from runner.model.cap import Cap
from runner.model.channel import Channel
from runner.model.compliance import Consent
from runner.model.whereabouts import Whereabouts
from runner.model.window import Window
from runner.rules.calendars import Calendar, hours_of
from runner.rules.countries import ANYWHERE, Reach, reach_of
from runner.rules.expressions import Expression
from runner.rules.law import ConsentGap
from runner.rules.public_holidays import is_calendar
from runner.rules.schedule import ends_at, starts_at
from runner.rules.windows import allowed_spans, next_allowed

_DAY = timedelta(days=1)


class Law(Protocol):
    """The law of the places where people are."""

    def jurisdictions(self, phone: str, told: tuple[str, ...] = ()) -> tuple[str, ...]:
        """Give whose law may count for a number: its country and parts, and what contact and campaign tell."""
        ...

    def calendars(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[Calendar, ...]:
        """Give a calendar for each row that limits when a person may be contacted."""
        ...

    def caps(self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...]) -> tuple[Cap, ...]:
        """Give a cap for each row that limits how often a person may be contacted."""
        ...

    def consent_gap(
        self, purpose: Purpose, channel: Channel, jurisdictions: tuple[str, ...], stated: Consent | None
    ) -> ConsentGap | None:
        """Give what consent is missing; None when there is enough, or none is asked for."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one campaign; built once, asked for every attempt."""

    campaign: Campaign
    """in canonical form"""
    conditions: dict[str, Expression] = field(default_factory=dict)
    """by step, for the steps that have a `when`"""
    stops: dict[str, Expression] = field(default_factory=dict)
    """by step, for the steps whose retry has a `stop_when`"""
    goal: Expression | None = None
    """the campaign's `done_when`"""
    starts: datetime | None = None
    ends: datetime | None = None
    windows_ignored: bool = False
    """only ever true against the sandbox"""
    law: Law | None = None
    """None where no law is looked at"""
    reach: Reach = ANYWHERE
    """which numbers there may be"""
    _ready: dict[tuple[str, tuple[str, ...], tuple[str, ...]], tuple[Calendar, ...]] = field(
        default_factory=dict, compare=False
    )
    """calendars by step, jurisdictions and own zones: the same object for the same question, so that answers can be kept"""
    _caps: dict[tuple[str, tuple[str, ...]], tuple[Cap, ...]] = field(default_factory=dict, compare=False)
    """by step and jurisdictions"""

    def step_named(self, label: str) -> Step | None:
        """Give a step by its name; None when the campaign has none of it any more."""
        return next((step for step in self.campaign.steps if step.label == label), None)

    def step_after(self, label: str) -> tuple[Step, ...]:
        """Give the steps that follow one, in order."""
        labels = [step.label for step in self.campaign.steps]
        return self.campaign.steps[labels.index(label) + 1 :]

    @property
    def zone(self) -> str:
        """Whose clock instants without an offset follow."""
        return self.campaign.schedule.timezone

    def windows_of(self, step: Step) -> tuple[Window, ...]:
        """Give the windows that count for a step, in the order of the file."""
        return windows_of(self.campaign, step)

    def calendars(
        self, step: Step, jurisdictions: tuple[str, ...], own_zones: tuple[str, ...] = ()
    ) -> tuple[Calendar, ...]:
        """Give every calendar that counts for a step of a person: the step's windows, then the law's.

        The law's are on the clocks of `own_zones` where there are any (`Whereabouts.own_zones`).
        """
        asked = (step.label, jurisdictions, own_zones)
        found = self._ready.get(asked)
        if found is None:
            own = _own_calendar(self.campaign, step, jurisdictions)
            by_law = self.law.calendars(self.campaign.purpose, step.channel, jurisdictions) if self.law else ()
            found = self._ready.setdefault(asked, (own, *_on_clocks(by_law, own_zones)))
        return found

    def calendars_at(self, step: Step, where: Whereabouts) -> tuple[Calendar, ...]:
        """Give every calendar that counts for a step of somebody there; to be asked in `where.zones`."""
        return self.calendars(step, where.jurisdictions, where.own_zones)

    def caps(self, step: Step, jurisdictions: tuple[str, ...]) -> tuple[Cap, ...]:
        """Give every cap that counts for a step of a person: the campaign's own and the project's, then the law's."""
        asked = (step.label, jurisdictions)
        found = self._caps.get(asked)
        if found is None:
            by_law = self.law.caps(self.campaign.purpose, step.channel, jurisdictions) if self.law else ()
            found = self._caps.setdefault(asked, (*_own_caps(self.campaign), *by_law))
        return found

    def first_allowed(self, step: Step, where: Whereabouts, now: datetime) -> datetime | None:
        """Give the first instant from `now` on at which schedule, windows and law allow a step to start.

        None when they never do or the schedule ends first.
        """
        earliest = self.first_in_schedule(now)
        if earliest is None or self.windows_ignored:
            return earliest
        allowed = next_allowed(self.calendars_at(step, where), where.zones, earliest)
        if allowed is None or (self.ends is not None and allowed >= self.ends):
            return None
        return allowed

    def shuts_at(self, step: Step, where: Whereabouts, now: datetime) -> datetime | None:
        """Give when schedule, windows or law, open to a step at `now`, end next within a day; None when none does."""
        until = now + _DAY
        ends = [self.ends] if self.ends is not None and self.ends <= until else []
        if not self.windows_ignored:
            spans = allowed_spans(self.calendars_at(step, where), where.zones, now, until)
            ends += [span.end for span in spans[:1] if span.end < until]
        return min(ends, default=None)

    def first_in_schedule(self, now: datetime) -> datetime | None:
        """Give the first instant from `now` on at which the schedule alone allows a start; None when it has ended.

        It is what counts for people who are handed over: their windows are the provider's to keep.
        """
        earliest = max(now, self.starts) if self.starts else now
        return None if self.ends is not None and earliest >= self.ends else earliest

    def first_start(self, step: Step, where: Whereabouts, now: datetime) -> datetime | None:
        """Give the first instant from `now` on at which an attempt of a step may leave; None when there is none."""
        return self.first_in_schedule(now) if step.delivery == "native" else self.first_allowed(step, where, now)


def policy_of(campaign: Campaign, *, windows_ignored: bool = False, law: Law | None = None) -> Policy:
    """Ready a canonical campaign."""
    return Policy(
        campaign=campaign,
        conditions={step.label: Expression.compile(step.when) for step in campaign.steps if step.when},
        stops={
            step.label: Expression.compile(step.retry.stop_when)
            for step in campaign.steps
            if step.retry is not None and step.retry.stop_when is not None
        },
        goal=Expression.compile(campaign.done_when) if campaign.done_when is not None else None,
        starts=starts_at(campaign.schedule),
        ends=ends_at(campaign.schedule),
        windows_ignored=windows_ignored,
        law=law,
        reach=reach_of(campaign),
    )


def calendar_of(campaign: Campaign, step: Step | None = None) -> Calendar:
    """Give a campaign's windows as a calendar, those of one step where it has its own; holidays and blackout left out."""
    source = f"steps.{step.label}.windows" if step is not None and step.windows is not None else "windows"
    return Calendar(hours=hours_of(windows_of(campaign, step)), source=source)


def windows_of(campaign: Campaign, step: Step | None = None) -> tuple[Window, ...]:
    """Give a campaign's windows, of one step its own where it has some, in the order of the file."""
    windows = campaign.windows if step is None or step.windows is None else step.windows
    return tuple(one for one in windows if one.channel is None or step is None or one.channel == step.channel)


def _own_caps(campaign: Campaign) -> tuple[Cap, ...]:
    return tuple(
        Cap(
            attempts=rule.attempts,
            per=_DAY if rule.per == "day" else rule.per,
            calendar_day=rule.per == "day",
            source=f"caps.{index}",
        )
        for index, rule in enumerate(campaign.caps)
    )


def _on_clocks(calendars: tuple[Calendar, ...], zones: tuple[str, ...]) -> tuple[Calendar, ...]:
    """Put calendars that follow whatever clock they are asked on onto these, all of them."""
    if not zones:
        return calendars
    return tuple(replace(one, zone=zone) for one in calendars for zone in ((one.zone,) if one.zone else zones))


def _own_calendar(campaign: Campaign, step: Step, jurisdictions: tuple[str, ...]) -> Calendar:
    closed = tuple((one.first, one.last) for one in campaign.blackout)
    return replace(calendar_of(campaign, step), closed=closed, holidays=_holidays(campaign.holidays, jurisdictions))


def _holidays(asked: tuple[str, ...], jurisdictions: tuple[str, ...]) -> tuple[str, ...]:
    """Give the holiday calendars that count; of a person's own places the parts of countries, where they are known."""
    found: dict[str, None] = {}
    for one in asked:
        for calendar in _own_places(jurisdictions) if one == "contact" else (one,):
            if is_calendar(calendar):
                found[calendar] = None
    return tuple(found)


def _own_places(jurisdictions: tuple[str, ...]) -> list[str]:
    divided = {one.partition("-")[0] for one in jurisdictions if "-" in one}
    return [one for one in jurisdictions if "-" in one or one not in divided]
