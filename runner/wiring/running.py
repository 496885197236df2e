"""Build and run the engine: over real providers, over a sandbox elsewhere, or over one in this process."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx

from runner.engine.accounts import Accounts
from runner.engine.breakers import Breakers
from runner.engine.clock_watch import WatchedTransport
from runner.engine.delivery import Delivery
from runner.engine.dispatcher import Dispatcher, Wakefulness
from runner.engine.do_not_call import DoNotCall
from runner.engine.inbox import Inbox
from runner.engine.journal import Journal
from runner.engine.notifications import Notifications, withheld
from runner.engine.pacing import Pacing
from runner.engine.policies import Policies
from runner.engine.reconciliation import Reconciliation
from runner.engine.rounds import Rounds
from runner.engine.stop_file import StopFile
from runner.errors import NotFound, OutreachError
from runner.files.law_table import law_table
from runner.ledger import overview
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.instants import to_micros
from runner.ledger.outbox import Outbox
from runner.ledger.store import Store
from runner.model.campaign import Campaign
from runner.model.limits import SharedLimits
from runner.model.notification import NotifyTarget
from runner.model.overview import CampaignOverview
from runner.model.project import Account
from runner.ports import Ledger
from runner.ports.rounds import RoundStarter
from runner.ports.telemetry import SILENT, Telemetry, telling_apart
from runner.providers.notify import Targets
from runner.providers.observed import ObservedTransport
from runner.providers.transport import HttpTransport, Timeouts
from runner.rules.schedule import starts_at
from runner.sandbox.server import RunningSandbox, running
from runner.sandbox.settings import RevoxSwitches
from runner.sandbox.settings import Settings as SandboxSettings
from runner.schedule.clock import FastClock, SystemClock, VirtualClock
from runner.web.receiver import observed, receiver
from runner.wiring.accounts import (
    SANDBOX_SECRET,
    require_webhook_secrets,
    sandbox_accounts,
    sandbox_credential,
    with_providers,
)
from runner.wiring.holding import taken
from runner.wiring.machine import Machine

IN_PROCESS_SPEED = 3600.0
"""how fast the clock of an in-process sandbox runs: an hour a second, and idle time is skipped"""
REAL_RING, REAL_TALK = (8.0, 25.0), (20.0, 120.0)
"""how long real people let it ring and talk, in seconds: shortest and longest"""
_IN_PROCESS_PACE = 60.0
_PATIENCE = timedelta(minutes=10)
"""a process that looks at its ledger so late, by the machine's clock, has been asleep"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What an engine runs in."""

    clock: SystemClock | FastClock | VirtualClock
    accounts: Mapping[str, Account]
    credential: Callable[[str], str]
    sandbox: RunningSandbox | None = None
    """the sandbox in this process"""
    sandbox_url: str = ""
    """where a sandbox answers; empty with real providers"""
    timeouts: Timeouts = field(default_factory=Timeouts)
    """how long to wait for a provider"""
    webhook_secret: Callable[[str], str] | None = None
    """follows references to what proves webhooks; `credential` does without it"""
    machine: Machine = field(default_factory=Machine)
    telemetry: Telemetry = SILENT
    """hears of the engine's work"""
    notify: Mapping[str, NotifyTarget] = field(default_factory=dict)
    """where notifications go; with a sandbox none is sent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DialCheck:
    """What the sandbox says it placed, held against the ledger."""

    dials: int
    """calls and texts that the sandbox placed for attempts of this ledger"""
    attempts: int
    """attempts of this ledger that it placed"""
    twice: int
    """attempts that were placed more than once, and people whom a provider dialled more often than it told us"""
    handed_dials: int = 0
    """calls that providers placed by themselves for people who were handed over, their own retries included"""
    handed_people: int = 0
    """people who were dialled so"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """A running engine's handles."""

    dispatcher: Dispatcher
    do_not_call: DoNotCall
    journal: Journal
    accounts: Accounts
    clock: SystemClock | FastClock | VirtualClock
    receiver_url: str
    """where webhooks are received; empty when they are not"""
    store: Store
    """for reading through the journal"""
    sandbox_url: str = ""
    """where the sandbox answers; empty with real providers"""
    rounds: Rounds | None = None
    network: httpx.AsyncBaseTransport | None = None
    """carries what is asked of the sandbox in place of real connections"""
    pacing: Pacing
    notifications: Notifications | None = None
    """None in the sandbox, which tells nobody"""

    async def run(self, *, until_done: bool) -> None:
        """Place what is due until done or stopped, the providers' do-not-call lists kept in step all the while.

        Notifications go out beside it; at the end it waits seconds for those that are due, and leaves the others.
        """
        await self.do_not_call.first_round()
        beside = [asyncio.create_task(self.do_not_call.keep())]
        if self.notifications is not None:
            beside.append(asyncio.create_task(self.notifications.run()))
        try:
            await self.dispatcher.run(until_done=until_done)
        finally:
            for task in beside:
                task.cancel()
            for task in beside:
                with suppress(asyncio.CancelledError, OutreachError):
                    await task
        await self.do_not_call.first_round()
        if self.notifications is not None:
            await self.notifications.finish()

    async def withhold_notifications(self) -> dict[str, int]:
        """Have what a rehearsal would tell never be sent; give how many notifications of each target."""
        return await withheld(self.journal, Outbox(self.store), self.clock.now())

    async def check_dials(self) -> DialCheck:
        """Ask the sandbox for the truth, every call and text that it placed, and join it with the ledger."""
        async with _asking(self.sandbox_url, self.network) as client:
            told = (await client.get("/_sandbox/dials")).raise_for_status().json()
        keys = await self.journal.run(lambda _: {row["key"] for row in self.store.all("sent_keys")})
        dialled = Counter(dial["reference"] for dial in told)
        known = {key: count for key, count in dialled.items() if key in keys}
        handed = await self.journal.run(lambda _: self.store.handovers.calls_by_phone())
        own = Counter(dial["to"] for dial in told if dial["reference"] not in keys and dial["to"] in handed)
        return DialCheck(
            dials=sum(known.values()),
            attempts=len(known),
            twice=sum(count > 1 for count in known.values()) + sum(own[phone] > handed[phone] for phone in own),
            handed_dials=own.total(),
            handed_people=len(own),
        )

    async def pull_forward(self) -> None:
        """Make first tries that wait for a window due now, those of campaigns that start later at their start."""

        def pull(_: Ledger) -> None:
            now = self.clock.now()
            for one in self.store.campaigns_in_force():
                begins = starts_at(Campaign.model_validate_json(one.policy).schedule)
                at = max(now, begins) if begins else now
                self.store.change("pull_forward", name=one.name, at=to_micros(at))

        await self.journal.run(pull)

    async def begin_rounds(self) -> None:
        """Start a round of each campaign that repeats at once, whatever its rule says; for the sandbox."""
        if self.rounds is not None:
            await self.rounds.begin()

    async def overview(self) -> list[CampaignOverview]:
        """Sum up every applied campaign as of now."""
        return await self.journal.run(lambda _: overview.campaigns(self.store, self.clock.now()))


@asynccontextmanager
async def real_surroundings(
    accounts: Mapping[str, Account],
    credential: Callable[[str], str],
    webhook_secret: Callable[[str], str] | None = None,
    notify: Mapping[str, NotifyTarget] | None = None,
) -> AsyncIterator[Surroundings]:
    """Run over the real providers, by the machine's clock."""
    yield Surroundings(
        clock=SystemClock(),
        accounts=accounts,
        credential=credential,
        webhook_secret=webhook_secret,
        notify=notify or {},
    )


@asynccontextmanager
async def own_sandbox(
    accounts: Mapping[str, Account], *, seed: int, start: datetime, speed: float = IN_PROCESS_SPEED
) -> AsyncIterator[Surroundings]:
    """Run over a sandbox in this process, whose people ring and talk as long as real ones on a fast clock."""
    clock = FastClock(start, speed)
    newest = any(one.provider == "revox" and one.generation.upper() == "D" for one in accounts.values())
    revox = RevoxSwitches(generation="D" if newest else "A")
    settings = SandboxSettings(
        seed=seed, revox=revox, ring_seconds=REAL_RING, talk_seconds=REAL_TALK, webhook_retry_scale=1.0
    )
    async with running(settings, clock) as sandbox:
        yield Surroundings(
            clock=clock,
            accounts=sandbox_accounts(accounts, sandbox.url, pace=_IN_PROCESS_PACE),
            credential=sandbox_credential,
            sandbox=sandbox,
            sandbox_url=sandbox.url,
        )


@asynccontextmanager
async def other_sandbox(accounts: Mapping[str, Account], url: str) -> AsyncIterator[Surroundings]:
    """Run over a sandbox that another process serves, by that sandbox's clock; raise NotFound when none answers."""
    try:
        async with httpx.AsyncClient(trust_env=False, timeout=5) as client:
            told = (await client.get(f"{url}/_sandbox/clock")).raise_for_status().json()
            now, speed = datetime.fromisoformat(told["now"]), float(told["speed"])
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        raise NotFound(f"no sandbox answers at {url}", help="start one: outreach sandbox --port 8700") from error
    clock = SystemClock() if speed == 1.0 else FastClock(now, speed)
    yield Surroundings(
        clock=clock, accounts=sandbox_accounts(accounts, url), credential=sandbox_credential, sandbox_url=url
    )


@asynccontextmanager
async def engine(  # noqa: PLR0913 what a runner may be told
    ledger: Path,
    surroundings: Surroundings,
    *,
    windows_ignored: bool = False,
    listen: tuple[str, int] | None = None,
    only: frozenset[str] | None = None,
    starter: RoundStarter | None = None,
    serves: bool = False,
    limits: SharedLimits | None = None,
    takeover: bool = False,
    trusts_clock: bool = False,
) -> AsyncIterator[Engine]:
    """Build the engine over a ledger that nobody else runs on; raise LedgerHeld when somebody does.

    With `takeover` it waits until nobody does. Raises ClockWrong when the ledger knows of instants that
    lie well after the present, unless it `trusts_clock`.
    Without a `starter`, campaigns that repeat begin no round.
    With `serves`, other processes are told that this one places everything, for good. With `listen`,
    or against a sandbox, webhooks are received; CredentialMissing is raised when a secret that proves
    them is not there. `limits` are those of all campaigns together. Everything is closed in order at the end.
    """
    secret = surroundings.webhook_secret or surroundings.credential
    if listen is not None:
        require_webhook_secrets(surroundings.accounts, secret)
    async with AsyncExitStack() as stack:
        machine, clock, woken = surroundings.machine, surroundings.clock, asyncio.Event()
        telemetry = surroundings.telemetry
        taking = taken(
            ledger, clock, machine.open_store, serves=serves, waits=takeover, trusts_clock=trusts_clock,
            telemetry=telemetry,
        )  # fmt: skip
        store, journal, watch = await stack.enter_async_context(taking)
        stack.enter_context(telling_apart(await journal.run(lambda _: pseudonyms_of(store))))
        accounts = with_providers(surroundings.accounts)
        http = HttpTransport(
            surroundings.credential, timeouts=surroundings.timeouts, network=machine.network,
            may_leave=journal.tenure.check_sending,
        )  # fmt: skip
        stack.push_async_callback(http.aclose)
        transport = ObservedTransport(WatchedTransport(http, journal.tenure, watch), telemetry)
        policies = Policies(windows_ignored=windows_ignored, only=only, law=law_table())
        # A webhook may come before the dispatcher's first round, and has to find the rules of its campaign.
        await journal.run(lambda ledger: policies.renew(ledger.campaigns_in_force()))
        heartbeat = await stack.enter_async_context(machine.alarm(clock, woken.set))
        pacing = Pacing(policies, accounts, Breakers(), limits)
        delivery = Delivery(
            journal, policies, accounts, transport, clock, woken.set, pacing,
            stop_file=StopFile.beside(ledger), watch=watch, telemetry=telemetry,
        )  # fmt: skip
        reconciliation = Reconciliation(journal, policies, accounts, transport, clock, woken.set)
        wakefulness = Wakefulness(woken, heartbeat, _skipper(surroundings), machine.look_again, machine.rest)
        rounds = Rounds(journal, policies, starter, clock, _PATIENCE * clock.speed) if starter is not None else None
        dispatcher = Dispatcher(journal, policies, delivery, reconciliation, clock, wakefulness, rounds, watch)
        inbox = Inbox(journal, accounts, reconciliation, clock, secret)
        await inbox.tidy()
        stack.push_async_callback(inbox.settled)
        notifications = None
        if not surroundings.sandbox_url:
            targets = Targets(surroundings.notify, secret)
            stack.push_async_callback(targets.aclose)
            notifications = Notifications(journal, Outbox(store), targets, clock)
        url = ""
        if listen is not None or surroundings.sandbox_url:
            host, port = listen or ("127.0.0.1", 0)
            app = receiver(observed(inbox.receive, telemetry), now=asyncio.get_running_loop().time)
            url = await stack.enter_async_context(machine.serve(app, host, port))
        if surroundings.sandbox_url:
            await _subscribe(surroundings, url)
        yield Engine(
            dispatcher=dispatcher,
            do_not_call=DoNotCall(journal, accounts, transport, clock, every=machine.keep_lists),
            journal=journal,
            accounts=accounts,
            clock=clock,
            receiver_url=url,
            store=store,
            sandbox_url=surroundings.sandbox_url,
            rounds=rounds,
            network=machine.network,
            pacing=pacing,
            notifications=notifications,
        )


def _skipper(surroundings: Surroundings) -> Callable[[datetime], bool] | None:
    """Let time pass at once while only time can make anything happen, here and in the sandbox of this process."""
    sandbox, clock = surroundings.sandbox, surroundings.clock
    if sandbox is None or not isinstance(clock, FastClock):
        return None

    def skip(until: datetime) -> bool:
        if not sandbox.world.waits_for_time():
            return False
        event = sandbox.world.next_event_at()
        clock.skip_to(min(until, event or until))
        sandbox.world.clock_jumped()
        return event is None or until < event

    return skip


async def _subscribe(surroundings: Surroundings, receiver_url: str) -> None:
    """Tell the sandbox where each provider's webhooks go: one account of each provider receives them."""
    targets: dict[str, dict[str, str]] = {}
    for name, account in surroundings.accounts.items():
        signs = account.provider == "revring"
        path = f"/webhooks/{name}" if signs else f"/webhooks/{name}/{SANDBOX_SECRET}"
        targets.setdefault(
            account.provider, {"url": receiver_url + path} | ({"secret": SANDBOX_SECRET} if signs else {})
        )
    async with _asking(surroundings.sandbox_url, surroundings.machine.network) as client:
        (await client.post("/_sandbox/webhooks", json=targets)).raise_for_status()


@asynccontextmanager
async def _asking(sandbox: str, network: httpx.AsyncBaseTransport | None) -> AsyncIterator[httpx.AsyncClient]:
    """Talk to the sandbox itself; raise NotFound when it does not answer."""
    try:
        async with httpx.AsyncClient(base_url=sandbox, trust_env=False, timeout=30, transport=network) as client:
            yield client
    except httpx.HTTPError as error:
        raise NotFound(f"the sandbox at {sandbox} does not answer", help="run it again") from error
