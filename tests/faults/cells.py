"""One person, one call, one thing that goes wrong: runs the real engine against the sandbox and says what came of it."""

from __future__ import annotations

import asyncio
import re
import tempfile
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from runner.ledger import overview
from runner.ledger.store import Store
from runner.model.project import Account
from runner.providers.transport import Timeouts
from runner.sandbox.clock import WallClock
from runner.sandbox.faults import Fault
from runner.sandbox.server import RunningSandbox, running
from runner.sandbox.settings import Mischief, MovoiceSwitches, RevoxSwitches, RevringSwitches, Settings, Target
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.accounts import SANDBOX_SECRET, sandbox_accounts, sandbox_credential
from runner.wiring.running import Surroundings, engine
from runner.wiring.workspace import Workspace, open_workspace
from tests.e2e.processes import AGENTS
from tests.faults.doors import door_to
from tests.parley import Parley, declaration

PHONE = "+12025550143"
DIALS = re.compile(r"/(call|calls|makecall/?)$")
"""paths of the requests that place a call, at whichever provider"""
_AGENTS = {**AGENTS, "parley": "parley/assistant-7"}
_LONG = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One provider, as the campaign names it."""

    name: str
    provider: str
    readable: bool = True
    """whether a lost request can be found again and an outcome asked for"""


COLUMNS = (
    Column(name="revmo", provider="revmo", readable=False),
    Column(name="revring", provider="revring"),
    Column(name="revox", provider="revox"),
    Column(name="movoice", provider="movoice"),
    Column(name="http", provider="parley"),
    Column(name="http without a read side", provider="parley", readable=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What goes wrong."""

    faults: tuple[Fault, ...] = ()
    """what befalls the requests that dial"""
    mischief: Mischief = field(default_factory=Mischief)
    """what befalls the webhooks"""
    told: bool = True
    """webhooks are sent at all"""
    asked: bool = True
    """outcomes are asked for soon; without, a webhook alone brings them in time"""
    api_opens: float = 0.0
    """seconds until anybody listens at the provider's address"""
    list_lag: float = 0.0
    """seconds until a call stands in its provider's lists"""
    receiver_opens: float = 0.0
    """seconds until anybody listens where webhooks go"""
    only: frozenset[str] = frozenset()
    """providers at which it can go wrong; empty means all"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What came of it."""

    dials: int
    """how often the person's phone rang"""
    requests: int
    """how many requests to dial were sent"""
    state: str
    """where the contact stands"""
    outcome: str
    """how the attempt ended; empty while it has not"""
    reason: str
    """why, in the ledger's words; why the campaign is paused, when it is"""
    followed: int
    """how many requests followed a redirect"""


async def cell(column: Column, trouble: Trouble) -> Cell:
    """Run one campaign of one person; give up after a minute."""
    settings = Settings(
        ring_seconds=(0.01, 0.02),
        talk_seconds=(0.01, 0.02),
        script={PHONE: ("answered",)},
        mischief=trouble.mischief,
        webhook_retry_scale=0.05,
        revring=RevringSwitches(call_started=True, list_lag_seconds=trouble.list_lag),
        revox=RevoxSwitches(list_lag_seconds=trouble.list_lag),
        movoice=MovoiceSwitches(list_lag_seconds=trouble.list_lag),
    )
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with running(settings, WallClock(), others=(Parley,)) as sandbox, asyncio.timeout(60):
            workspace = _workspace(folder, column, sandbox.url)
            await _run(workspace, column, trouble, sandbox)
            return _came_of(workspace, sandbox)


def _workspace(folder: Path, column: Column, url: str) -> Workspace:
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "one.yaml").write_text(
        "campaign: one\npurpose: transactional\nretry: 3 times, 1h apart, on busy\n"
        f"agent: {_AGENTS[column.provider]}\ncontacts: [{{phone: '{PHONE}'}}]\n",
        encoding="utf-8",
    )
    if column.provider == "parley":
        (folder / "outreach.yaml").write_text(declaration(url, readable=column.readable), "utf-8")
    return open_workspace(folder)


async def _run(workspace: Workspace, column: Column, trouble: Trouble, sandbox: RunningSandbox) -> None:
    async with AsyncExitStack() as stack:
        api = await stack.enter_async_context(door_to(sandbox.url))
        surroundings = _surroundings(workspace, column, trouble, sandbox.url)
        if trouble.api_opens:
            surroundings = _moved(surroundings, column, sandbox.url, api.url)
        pointed = workspace.pointed_at(surroundings.accounts)
        parts = await stack.enter_async_context(
            engine(workspace.ledger_path, surroundings, windows_ignored=True, listen=("127.0.0.1", 0))
        )
        heard = await stack.enter_async_context(door_to(parts.receiver_url))
        if trouble.told:
            url = heard.url if trouble.receiver_opens else parts.receiver_url
            sandbox.world.webhooks.aim({column.provider: _target(column, url)})
        (loaded,) = pointed.load([])
        planned = pointed.plan(loaded, SystemClock().now(), windows_ignored=True)
        applying.apply(pointed, applying.examine(planned), parts.store)
        # Last of all, so that the first connection that it can befall is the one that dials.
        sandbox.world.faults.plan(trouble.faults)
        api.open_in(trouble.api_opens)
        heard.open_in(trouble.receiver_opens)
        await parts.dispatcher.run(until_done=True)


def _surroundings(workspace: Workspace, column: Column, trouble: Trouble, url: str) -> Surroundings:
    """Wait as little as a cell allows: its sandbox answers at once or never."""
    found: dict[str, Account] = sandbox_accounts(workspace.accounts, url)
    if column.provider == "parley":
        found["parley"] = replace(
            workspace.accounts["parley"], credential="sandbox:key", webhook_secret="sandbox:webhook"
        )
    account = found[column.provider]
    rung = timedelta(seconds=0.3) if trouble.asked else _LONG
    found[column.provider] = replace(
        account,
        settle_after=timedelta(seconds=0.5),
        poll=(*(rung for _ in range(12)), timedelta(seconds=4) if trouble.asked else _LONG),
    )
    return Surroundings(
        clock=SystemClock(), accounts=found, credential=sandbox_credential, timeouts=Timeouts(read=1.5, whole=3.0)
    )


def _moved(surroundings: Surroundings, column: Column, old: str, new: str) -> Surroundings:
    account = surroundings.accounts[column.provider]
    moved = replace(account, base_url=account.base_url.replace(old, new))
    return replace(surroundings, accounts={**surroundings.accounts, column.provider: moved})


def _target(column: Column, url: str) -> Target:
    if column.provider in {"revring", "parley"}:
        return Target(url=f"{url}/webhooks/{column.provider}", secret=SANDBOX_SECRET)
    return Target(url=f"{url}/webhooks/{column.provider}/{SANDBOX_SECRET}")


def _came_of(workspace: Workspace, sandbox: RunningSandbox) -> Cell:
    store = Store.open_read_only(workspace.ledger_path)
    (campaign,) = overview.campaigns(store, SystemClock().now())
    (person,) = overview.contacts(store, "one")
    store.close()
    placing = [one for one in sandbox.world.requests.all() if one.method in {"POST", "PUT"} and DIALS.search(one.path)]
    return Cell(
        dials=len(sandbox.world.dials()),
        requests=len(placing),
        state=person.state,
        outcome=person.outcome,
        reason=campaign.reason or person.attempts[-1].reason,
        followed=len(sandbox.world.landings),
    )
