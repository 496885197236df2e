"""Whether a provider's own campaign, which knows windows alone, would keep the law too."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from runner.model.campaign import Step
from runner.model.whereabouts import Whereabouts
from runner.rules.calendars import Calendar
from runner.rules.policy import Policy
from runner.rules.windows import allowed_spans

_TWO_WEEKS = timedelta(days=15)
"""long enough to meet every day of the week whole, on every clock"""


def law_beyond(policy: Policy, step: Step, where: Whereabouts, now: datetime, *, own_rules: bool = False) -> str:
    """Give the row of the law that a step's own windows may break; empty when they keep every row.

    A row that heeds holidays always may: a provider's campaign does not know them. With `own_rules`
    the provider is told no windows, and nobody knows which ones it has.
    """
    if policy.windows_ignored:
        return ""
    own, *by_law = policy.calendars_at(step, where)
    if own_rules:
        return next((one.source for one in by_law), "")
    return _first_beyond(own, tuple(by_law), where.zones, now)


@lru_cache(maxsize=4096)
def _first_beyond(own: Calendar, by_law: tuple[Calendar, ...], zones: tuple[str, ...], now: datetime) -> str:
    end = now + _TWO_WEEKS
    alone = allowed_spans((own,), zones, now, end)
    for calendar in by_law:
        if calendar.holidays or allowed_spans((own, calendar), zones, now, end) != alone:
            return calendar.source
    return ""
