"""Keep providers' own do-not-call lists and our suppressions in step, both ways; calling never waits for it."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import dataclass, field
from datetime import timedelta

from runner.engine.accounts import Accounts
from runner.engine.journal import Journal
from runner.errors import OutreachError
from runner.ports import Clock, DoNotCallList, Ledger, Transport
from runner.ports.telemetry import named

log = logging.getLogger(__name__)

REASON = "asked not to be contacted"
"""what a provider's list is told about our suppressions"""

_MOST_PAGES = 2_000
_FIRST_ROUND_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class DoNotCall:
    """What keeping lists in step needs."""

    journal: Journal
    accounts: Accounts
    transport: Transport
    clock: Clock
    every: timedelta = timedelta(seconds=1)
    """how often suppressions are looked for that the lists do not know"""
    _read: set[str] = field(default_factory=set)
    """accounts whose list was read in this run"""
    _failed: set[str] = field(default_factory=set)
    """accounts that are left alone until the next start"""

    async def first_round(self) -> None:
        """Read and fill every list before anybody is called, for a quarter of a minute at most."""
        try:
            async with asyncio.timeout(_FIRST_ROUND_SECONDS):
                await self.round()
        except TimeoutError:
            extra = named("do_not_call_slow")
            log.warning("the do-not-call lists of the providers are slow; calling goes on meanwhile", extra=extra)

    async def keep(self) -> None:
        """Tell the lists about every suppression as it arises, until cancelled."""
        while True:
            await asyncio.sleep(self.every.total_seconds())
            await self.round()

    async def round(self) -> None:
        """Read each list that was not read yet, then tell it whom it does not know.

        An account that fails is left alone until the next start; nothing is raised but a LedgerError.
        """
        for account, listing in await self._lists():
            try:
                if account not in self._read:
                    await self._pull(account, listing)
                    self._read.add(account)
                await self._push(account, listing)
            except OutreachError as error:
                self._failed.add(account)
                sentence = "account %s: its do-not-call list was not kept in step: %s"
                extra = named("do_not_call_failed", account=account)
                log.warning(sentence, account, error.message, extra=extra)

    async def _lists(self) -> list[tuple[str, DoNotCallList]]:
        """Give the lists of the accounts that campaigns in force pay with."""
        names = await self.journal.run(_paying)
        found = []
        for name in sorted(names - self._failed):
            listing = getattr(self.accounts.provider(name), "do_not_call", None) if name in self.accounts else None
            if listing is not None:
                found.append((name, listing))
        return found

    async def _pull(self, account: str, listing: DoNotCallList) -> None:
        paying = self.accounts.account(account)
        for page in range(_MOST_PAGES):
            found = listing.read_list(await self.transport.send(paying, listing.list_request(page)), page)
            source, now = f"{paying.provider} do-not-call", self.clock.now()

            def write(ledger: Ledger, numbers: tuple[str, ...] = found.numbers) -> None:
                for number in numbers:
                    ledger.suppress(number, "do not call", source, now)  # noqa: B023 written before the next page
                ledger.letters.listed(account, numbers, now)  # noqa: B023 written before the next page

            await self.journal.run(write)
            if not found.more:
                return

    async def _push(self, account: str, listing: DoNotCallList) -> None:
        paying = self.accounts.account(account)
        while True:
            numbers = await self.journal.run(lambda ledger: ledger.letters.unlisted(account, listing.most_numbers))
            if not numbers:
                return
            listing.read_added(await self.transport.send(paying, listing.add_request(numbers, REASON)))
            now = self.clock.now()
            await self.journal.run(lambda ledger: ledger.letters.listed(account, numbers, now))  # noqa: B023 awaited here


def _paying(ledger: Ledger) -> set[str]:
    return {name for one in ledger.campaigns_in_force() for name in json.loads(one.accounts)}
