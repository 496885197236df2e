"""Whether a ledger may be taken from whoever held it last."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from runner.model.lease import Lease

LASTS: Final = timedelta(seconds=15)
"""how long a lease holds that is not renewed"""

RENEWED_EVERY: Final = timedelta(seconds=5)

SENDS_UNTIL: Final = LASTS - timedelta(seconds=2)
"""a holder that has not renewed its lease for so long sends nothing, so that nobody who takes it sends beside it"""

SENT_WITHIN: Final = timedelta(seconds=2)
"""a request leaves so soon after its intent is durable, or not at all: windows and caps were looked at then"""


def is_free(lease: Lease, now: datetime, *, holder_is_dead: bool) -> bool:
    """Whether a ledger may be taken at once: its lease has ended, or its holder has.

    Until the end by the holder's clock nobody else may take it, so a lease that seems to last longer
    than any does, since a clock was set, is waited for like any other one.
    """
    return holder_is_dead or lease.until <= now


def is_over_by_watching(first_seen: Lease, seen: Lease, watched: float) -> bool:
    """Whether a lease has ended for somebody who watched it for so many seconds of an own clock.

    Nobody's wall clock counts for that: a lease that was not renewed for as long as it lasts has ended.
    """
    unchanged = (first_seen.epoch, first_seen.renewed) == (seen.epoch, seen.renewed)
    return unchanged and watched >= LASTS / timedelta(seconds=1)
