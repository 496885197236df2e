"""A campaign, ready for decisions: windows as arithmetic, conditions compiled, zones at hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runner.model.campaign import Campaign, Step
from runner.rules.expressions import Expression
from runner.rules.schedule import ends_at, starts_at
from runner.rules.windows import Hours, allowed_spans, hours_of, next_allowed

_A_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The rules of one campaign; built once, asked for every attempt."""

    campaign: Campaign
    """in canonical form"""
    hours: tuple[Hours, ...]
    conditions: dict[str, Expression] = field(default_factory=dict)
    """by step, for the steps that have a `when`"""
    starts: datetime | None = None
    ends: datetime | None = None
    windows_ignored: bool = False
    """only ever true against the sandbox"""

    def step_after(self, label: str) -> tuple[Step, ...]:
        """Give the steps that follow one, in order."""
        labels = [step.label for step in self.campaign.steps]
        return self.campaign.steps[labels.index(label) + 1 :]

    def first_allowed(self, zones: tuple[str, ...], now: datetime) -> datetime | None:
        """Give the first instant from `now` on at which schedule and windows allow a start.

        None when the windows never open or the schedule ends first.
        """
        earliest = self.first_in_schedule(now)
        if earliest is None or self.windows_ignored:
            return earliest
        allowed = next_allowed(self.hours, zones, earliest)
        if allowed is None or (self.ends is not None and allowed >= self.ends):
            return None
        return allowed

    def shuts_at(self, zones: tuple[str, ...], now: datetime) -> datetime | None:
        """Give when schedule or windows, open at `now`, end next within a day; None when neither does."""
        until = now + _A_DAY
        ends = [self.ends] if self.ends is not None and self.ends <= until else []
        if not self.windows_ignored:
            ends += [span.end for span in allowed_spans(self.hours, zones, now, until)[:1] if span.end < until]
        return min(ends, default=None)

    def first_in_schedule(self, now: datetime) -> datetime | None:
        """Give the first instant from `now` on at which the schedule alone allows a start; None when it has ended.

        It is what counts for people who are handed over: their windows are the provider's to keep.
        """
        earliest = max(now, self.starts) if self.starts else now
        return None if self.ends is not None and earliest >= self.ends else earliest

    def first_start(self, step: Step, zones: tuple[str, ...], now: datetime) -> datetime | None:
        """Give the first instant from `now` on at which an attempt of a step may leave; None when there is none."""
        return self.first_in_schedule(now) if step.delivery == "native" else self.first_allowed(zones, now)


def policy_of(campaign: Campaign, *, windows_ignored: bool = False) -> Policy:
    """Ready a canonical campaign."""
    return Policy(
        campaign=campaign,
        hours=hours_of(campaign.windows),
        conditions={step.label: Expression.compile(step.when) for step in campaign.steps if step.when},
        starts=starts_at(campaign.schedule),
        ends=ends_at(campaign.schedule),
        windows_ignored=windows_ignored,
    )
