"""Watch campaigns that another process places, from the ledger alone."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from pathlib import Path

from runner.errors import LedgerError
from runner.ledger import overview, sqlite
from runner.ledger.store import Store
from runner.model.overview import CampaignOverview
from runner.model.rounds import family_of
from runner.ports import Clock

LOOK_SECONDS = 1.0
"""how often the ledger is looked at"""
GONE_LOOKS = 15
"""looks in a row that find nobody on the ledger until the other process counts as gone; a restart takes a few"""

_OVER = frozenset({"completed", "paused", "cancelled"})


async def watched(ledger: Path, campaigns: Collection[str], clock: Clock) -> list[CampaignOverview]:
    """Wait until these campaigns have ended, or wait for a person; give where they stand.

    Raises LedgerError when the process that places them is gone.
    """
    alone = 0
    while True:
        found = _look(ledger, campaigns, clock)
        # One that repeats is never over; its rounds are.
        if all(one.status in _OVER for one in found if one.rounds is None):
            return found
        alone = 0 if sqlite.is_held(ledger) else alone + 1
        if alone >= GONE_LOOKS:
            raise LedgerError("outreach serve has ended, and nobody places what is left", help="outreach run")
        await asyncio.sleep(LOOK_SECONDS)


def _look(ledger: Path, campaigns: Collection[str], clock: Clock) -> list[CampaignOverview]:
    store = Store.open_read_only(ledger)
    try:
        return [one for one in overview.campaigns(store, clock.now()) if family_of(one.campaign) in campaigns]
    finally:
        store.close()
