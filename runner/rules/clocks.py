"""Whether the present can be believed: steps of the wall clock, a ledger ahead of it, a provider's time that differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

STEP: Final = timedelta(seconds=2)
"""a wall clock that went so much further or less than the machine's own count of seconds was set"""

SET_BACK: Final = timedelta(seconds=60)
"""a wall clock that was set back by more has somebody look: what was done counts as done later than now"""

SKEW: Final = timedelta(seconds=120)
"""how much the wall clock may differ from what the ledger and the providers say"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One look at both clocks."""

    wall: datetime
    boot: float
    """seconds that nobody sets, read before the wall"""
    took: float = 0.0
    """how many of them passed while it was looked"""


def stepped(before: Reading, after: Reading) -> timedelta:
    """Give by how much the wall clock was set between two looks, back is negative; 0 when it was not.

    A machine that slept is not taken for it: both clocks go on over the sleep.
    """
    gone = timedelta(seconds=after.boot - before.boot)
    off = (after.wall - before.wall) - gone
    unsure = timedelta(seconds=before.took + after.took)
    return off if abs(off) > STEP + unsure else timedelta(0)


def is_set_back(step: timedelta) -> bool:
    """Whether a step needs a person: what was done lies in what is the future now."""
    return step < -SET_BACK


def ledger_is_ahead(newest: datetime | None, now: datetime) -> timedelta | None:
    """Give how far the newest instant of the ledger lies after the present, when that cannot be; else None."""
    if newest is None or newest - now <= SKEW:
        return None
    return newest - now


def skew_of(date: str, asked: datetime, answered: datetime) -> timedelta | None:
    """Give by how much a provider's time, from the `Date` of its answer, is ahead of ours, when it differs too much.

    The provider wrote it at some time between `asked` and `answered`, in whole seconds. What is no
    date proves nothing.
    """
    try:
        said = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    said = said.replace(tzinfo=UTC) if said.tzinfo is None else said.astimezone(UTC)
    if said > answered:
        off = said - answered
    elif said + timedelta(seconds=1) < asked:
        off = said + timedelta(seconds=1) - asked
    else:
        return None
    return off if abs(off) > SKEW else None


def in_words(span: timedelta) -> str:
    """Say a span in its two largest units: `1 h 5 min`."""
    seconds = round(abs(span) / timedelta(seconds=1))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3600), ("min", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count:,} {unit}")
    return " ".join(parts[:2]) or "0 s"
