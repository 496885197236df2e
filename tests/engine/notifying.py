"""What tests of notifications share: campaigns with hooks, calls that end, a pump that runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from runner.engine.notifications import Notifications
from runner.engine.settlement import settle
from runner.ledger.outbox import Outbox
from runner.ledger.store import Store
from runner.model.notification import Notification, NotifyTarget
from runner.model.outcome import Observation, Outcome
from runner.ports import Ledger
from runner.providers.notify import Targets
from runner.schedule.clock import SystemClock
from tests.building import Bench, apply, campaign, contact
from tests.engine.receiving import SECRET, Receiver

PEOPLE = tuple(contact(number) for number in range(40))
EVERYTHING = {"outcome, tag": "crm", "finished, paused, held": "crm"}


class Noted:
    """A notifier that notes what it is given and does what it is told."""

    def __init__(self, does: Callable[[Notification], None] = lambda _: None) -> None:
        self.got: list[Notification] = []
        self.does = does

    def names(self) -> list[str]:
        return []

    async def send(self, this: Notification, now: Any) -> None:  # noqa: ARG002 the port
        self.got.append(this)
        self.does(this)


def targets(got: Receiver, secret: str = SECRET, **changes: Any) -> Targets:
    """Give a notifier whose target `crm` is a receiver."""
    target = {"webhook": got.url, "secret": "env:SECRET", "allow_loopback": True} | changes
    return Targets({"crm": NotifyTarget.model_validate(target)}, lambda _: secret)


@asynccontextmanager
async def pumping(engine: Bench, notifier: Any, clock: Any = None) -> AsyncIterator[Notifications]:
    """Run the pump."""
    pump = Notifications(engine.journal, Outbox(engine.store), notifier, clock or SystemClock())
    task = asyncio.create_task(pump.run())
    try:
        yield pump
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        if isinstance(notifier, Targets):
            await notifier.aclose()


async def until(true: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 a ledger and a thread have no event
            await asyncio.sleep(0.01)


async def placed(engine: Bench, people: int, on: Any, **changes: Any) -> None:
    """Apply a campaign with hooks and place one call to each person."""
    apply(engine.store, campaign(on=on, limits={"concurrency": people}, **changes), PEOPLE[:people])
    while work := await engine.claim(count=people):
        await engine.delivery.deliver(work)


async def end(engine: Bench, number: int, outcome: Outcome = Outcome.ANSWERED, tag: str = "") -> None:
    """End the call of one person, as a webhook or a look-up does."""
    key = engine.attempt(number)["provider_id"]
    seen = Observation(provider_id=key, outcome=outcome, tag=tag, summary="she will come on Tuesday")

    def write(ledger: Ledger) -> None:
        work = ledger.find("movoice", key, "")
        assert work is not None
        policy = engine.policies.of(work.attempt.campaign)
        ledger.move([settle(policy, work, seen, ledger.history(work.attempt.contact_id), engine.clock.now())])

    await engine.journal.run(write)


def waiting(store: Store) -> list[tuple[str, str]]:
    rows = store._connection.execute("SELECT kind, target FROM outbox WHERE state = 'waiting' ORDER BY id")
    return [tuple(row) for row in rows]


def states(store: Store) -> list[tuple[str, int]]:
    return [tuple(row) for row in store._connection.execute("SELECT state, tries FROM outbox ORDER BY id")]
