"""An engine whose RevRing is the sandbox, over real sockets; the engine's clock is set by hand."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import httpx

from runner.engine.journal import Journal
from runner.ledger.store import Store
from runner.model.campaign import Campaign
from runner.model.project import Account
from runner.providers.transport import HttpTransport, Timeouts
from runner.sandbox.clock import WallClock
from runner.sandbox.server import RunningSandbox, running
from runner.sandbox.settings import Settings
from tests.building import ALWAYS, Bench, account, apply, bench, campaign, contact

AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
KEY = {"x-api-key": "sandbox-key"}
OTHERS = {"agentId": AGENT, "toNumber": "+12025559999", "fromNumber": "+12025550190"}


@dataclass
class OverRevring:
    """The engine, the sandbox, and what passed between them."""

    engine: Bench
    sandbox: RunningSandbox
    http: httpx.AsyncClient

    async def requests(self, verb: str, path: str) -> int:
        """Count the requests whose path ends so."""
        seen = (await self.http.get("/_sandbox/requests")).json()
        return sum(one["method"] == verb and one["path"].endswith(path) for one in seen)

    async def strike(self, *faults: dict[str, Any]) -> None:
        """Plan faults."""
        answer = await self.http.post("/_sandbox/faults", json=list(faults))
        assert answer.is_success, answer.text

    async def others_call(self, count: int) -> list[str]:
        """Have somebody else place calls through the same account; give their ids."""
        answers = [await self.http.post("/revring/v1/calls", json=OTHERS, headers=KEY) for _ in range(count)]
        return [answer.json()["data"]["id"] for answer in answers]

    async def hang_up(self, id: str) -> None:
        """End a call."""
        assert (await self.http.post(f"/revring/v1/calls/{id}/end", headers=KEY)).status_code == 202

    async def standing(self, id: str) -> str:
        """Give RevRing's word for where a call stands."""
        status = (await self.http.get(f"/revring/v1/calls/{id}", headers=KEY)).json()["data"]["status"]
        assert isinstance(status, str)
        return status

    async def ended(self) -> None:
        """Wait until nothing is under way in the sandbox any more."""
        async with asyncio.timeout(10):
            while not self.sandbox.world.idle():  # noqa: ASYNC110 the world tells nobody
                await asyncio.sleep(0.01)

    async def deliver(self, most: int = 300) -> None:
        """Claim what is due and carry it out."""
        await self.engine.delivery.deliver(await self.engine.claim(most))

    async def ask(self, after: timedelta) -> None:
        """Let time pass and ask about everything that is due then, as one look of the loop does."""
        self.engine.clock.forward(after)
        now = self.engine.clock.now()
        due = await self.engine.journal.run(lambda ledger: ledger.to_ask(now, 300))
        groups = self.engine.reconciliation.together(due)
        await asyncio.gather(*(self.engine.reconciliation.ask(group) for group in groups))

    async def run(self, seconds: float = 20) -> None:
        """Run the loop until nothing is left to do; time passes at once when nothing is under way."""

        def skip(until: datetime) -> bool:
            if not self.sandbox.world.idle():
                return False
            self.engine.clock.at = max(until, self.engine.clock.at)
            return True

        loop = self.engine.dispatcher(idle=skip)
        self.engine.alarm.ring = loop.wake
        await asyncio.wait_for(loop.run(until_done=True), seconds)


def calls(people: int, **changes: Any) -> tuple[Campaign, list[Any]]:
    """Give a campaign of RevRing calls and its people."""
    agent = {"provider": "revring", "id": AGENT, "from": "+12025550190", "options": changes.pop("options", {})}
    given = {"agent": agent, "windows": ALWAYS, "limits": {"concurrency": 300}} | changes
    return campaign(**given), [contact(number) for number in range(people)]


@asynccontextmanager
async def over_revring(
    store: Store,
    journal: Journal,
    of: Campaign,
    people: list[Any],
    *,
    setting: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[OverRevring]:
    """Apply a campaign to an engine over a sandbox; `setting` changes the account, `options` the sandbox."""
    logging.getLogger("runner").setLevel(logging.WARNING)
    quick: dict[str, Any] = {"seed": 3, "ring_seconds": (0.005, 0.01), "talk_seconds": (0.005, 0.01)}
    async with running(Settings(**(quick | options)), WallClock()) as sandbox:
        paying: Account = account("revring", base_url=f"{sandbox.url}/revring/v1", **(setting or {}))
        made = bench(store, journal, paying)
        http = HttpTransport(lambda _: KEY["x-api-key"], timeouts=Timeouts(read=2, whole=4))
        made.delivery = replace(made.delivery, transport=http)
        made.reconciliation = replace(made.reconciliation, transport=http)
        apply(store, of, people, paying)
        async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False, timeout=10) as client:
            try:
                yield OverRevring(made, sandbox, client)
            finally:
                await http.aclose()
