"""What a rehearsed engine runs in: the sandbox in the same loop, and a machine without threads, sockets or waiting."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from starlette.applications import Starlette

from runner.ledger import sqlite
from runner.ledger.migrate import migrate
from runner.ledger.store import Store
from runner.model.project import Account
from runner.rehearsal.loop import SandboxTime, VirtualAlarm, VirtualLoop
from runner.rehearsal.network import InProcessNetwork
from runner.sandbox.server import RunningSandbox, create_app
from runner.sandbox.settings import Settings
from runner.sandbox.world import World
from runner.schedule.clock import VirtualClock
from runner.wiring.accounts import sandbox_accounts, sandbox_credential
from runner.wiring.machine import Machine
from runner.wiring.running import Surroundings

SANDBOX_URL = "http://127.0.0.1:8700"
RECEIVER_URL = "http://127.0.0.1:8600"
_NOBODY_ELSE_WRITES = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A sandbox in virtual time, and what an engine needs to run against it."""

    loop: VirtualLoop
    clock: VirtualClock
    network: InProcessNetwork
    sandbox: RunningSandbox
    surroundings: Surroundings

    def beside(self, open_store: Callable[[Path], Store]) -> Surroundings:
        """Give the same surroundings with another way to open the ledger."""
        return replace(self.surroundings, machine=replace(self.surroundings.machine, open_store=open_store))


@asynccontextmanager
async def rehearsal(  # noqa: PLR0913 what a rehearsal may be told
    loop: VirtualLoop,
    accounts: Mapping[str, Account],
    settings: Settings,
    start: datetime,
    *,
    latency: Callable[[str], float] | None = None,
    rest: timedelta = timedelta(0),
    keep_lists: timedelta = timedelta(hours=1),
) -> AsyncIterator[Rehearsal]:
    """Build the sandbox and the surroundings inside a virtual loop that runs; `start` is its instant zero.

    The same accounts, settings and seed give the same run, to the byte. Providers are asked as late as the
    accounts say: waiting costs nothing here. `latency` is the network's, `rest` how long the engine rests
    between two looks at its ledger, `keep_lists` how often it looks after the providers' do-not-call lists.
    """
    clock = VirtualClock(start, lambda: loop.micros)
    network = InProcessNetwork(latency)
    app = create_app(settings, SandboxTime(clock))
    world: World = app.state.world
    world.webhooks.network = network
    network.host(SANDBOX_URL, app, refuses=world.faults.refuses)
    sandbox = RunningSandbox(url=SANDBOX_URL, world=world)

    @asynccontextmanager
    async def serve(receiver: Starlette, host: str, port: int) -> AsyncIterator[str]:  # noqa: ARG001 one receiver, at one place
        network.host(RECEIVER_URL, receiver)
        try:
            yield RECEIVER_URL
        finally:
            network.leave(RECEIVER_URL)

    machine = Machine(
        open_store=open_without_waiting, alarm=_alarm, serve=serve, network=network,
        look_again=_NOBODY_ELSE_WRITES, rest=rest, keep_lists=keep_lists,
    )  # fmt: skip
    try:
        yield Rehearsal(
            loop=loop,
            clock=clock,
            network=network,
            sandbox=sandbox,
            surroundings=Surroundings(
                clock=clock,
                accounts={
                    name: replace(one, poll=accounts[name].poll, settle_after=accounts[name].settle_after)
                    for name, one in sandbox_accounts(accounts, SANDBOX_URL).items()
                },
                credential=sandbox_credential,
                sandbox_url=SANDBOX_URL,
                machine=machine,
            ),
        )
    finally:
        await world.close()
        await network.ended()


def open_without_waiting(path: Path, *, alone: bool = False) -> Store:
    """Open a ledger that nobody has to find again after a power cut: commits wait for no disk.

    With `alone` SQLite's lock is held until it is closed: nobody else can open it, so it is not looked at anew in
    every transaction.
    """
    connection = sqlite.connect(path)
    connection.execute(f"PRAGMA locking_mode = {'EXCLUSIVE' if alone else 'NORMAL'}")
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = MEMORY")
    connection.execute("PRAGMA busy_timeout = 0")
    migrate(connection)
    return Store(connection)


def _alarm(clock: VirtualClock, ring: Callable[[], None]) -> AbstractAsyncContextManager[VirtualAlarm]:
    return VirtualAlarm(clock, ring)
