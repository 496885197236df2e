"""Builders that many tests share: campaigns, contacts, plans, ledgers, and small fakes on the engine's ports."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from runner import __version__
from runner.engine.accounts import Accounts
from runner.engine.breakers import Breakers
from runner.engine.delivery import Delivery
from runner.engine.dispatcher import Dispatcher, Wakefulness
from runner.engine.inbox import Inbox
from runner.engine.journal import Journal
from runner.engine.pacing import Pacing
from runner.engine.policies import Policies
from runner.engine.reconciliation import Reconciliation
from runner.engine.rounds import Rounds
from runner.ledger.revisions import NewRevision, Recorded, known_campaign, record
from runner.ledger.store import Store
from runner.model.attempt import Assignment, AttemptState
from runner.model.campaign import Campaign, Step
from runner.model.channel import Channel
from runner.model.contact import Contact
from runner.model.plan import PlanLine, PlanSummary
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.planning.digest import Digest
from runner.planning.handover import options_of
from runner.planning.known import KnownCampaign
from runner.planning.plan import Draft, Row, plan_lines
from runner.planning.routes import Route
from runner.planning.summary import Tally
from runner.ports import Ledger
from runner.providers.registry import provider_for
from runner.rules.expressions import Expression
from runner.rules.policy import policy_of
from runner.rules.render import Renderer
from runner.rules.variants import as_backup, varied

NOON = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)
"""a Monday, noon in New York"""
NEW_YORK = "America/New_York"
ALWAYS = "daily 00:00-24:00"


def campaign(**changes: Any) -> Campaign:
    """Give a canonical campaign: one Movoice call to each contact, at any hour in New York."""
    plain: dict[str, Any] = {
        "campaign": "renewals",
        "purpose": "informational",
        "agent": "movoice/agent_1",
        "contacts": "people.csv",
        "timezone": NEW_YORK,
        "windows": ALWAYS,
    }
    given = {key: value for key, value in (plain | changes).items() if value is not None}
    return Campaign.model_validate(given).canonical()


def phone(number: int) -> str:
    """Give a fictional number: 0 is +12025550100."""
    return f"+1202555{100 + number:04d}"


def contact(number: int, **changes: Any) -> Contact:
    """Give the person with a fictional number and the row to it."""
    facts: dict[str, Any] = {
        "key": phone(number), "phone": phone(number), "row": number + 2, "values": {"phone": phone(number)},
    }  # fmt: skip
    return Contact(**facts | changes)


def account(provider: str = "movoice", **changes: Any) -> Account:
    """Give an account that answers nowhere."""
    facts: dict[str, Any] = {
        "name": provider, "provider": provider, "base_url": "http://127.0.0.1:9", "allow_loopback": True, "credential": "env:NONE",
    }  # fmt: skip
    return Account(**facts | changes)


def draft(
    of: Campaign,
    *accounts: Account,
    known: KnownCampaign | None = None,
    templates: Mapping[str, str] | None = None,
    windows_ignored: bool = False,
) -> Draft:
    """Ready a canonical campaign for planning with the real providers; each agent's account by name, else by provider."""

    def serves(name: str, channel: Channel) -> bool:
        return channel in provider_for(account(of.agents[name].provider)).capabilities.channels

    routes = _routes(of, of.steps, accounts)
    return Draft(
        policy=policy_of(of, windows_ignored=windows_ignored),
        routes=routes,
        variants={name: _routes(of, varied(of, name, serves), accounts) for name in of.variants},
        renderer=Renderer(of, templates or {}),
        where=Expression.compile(of.contacts.where) if of.contacts.where else None,
        known=known or KnownCampaign(),
    )


def _routes(of: Campaign, steps: Iterable[Step], accounts: Sequence[Account]) -> tuple[Route, ...]:
    found = []
    for index, step in enumerate(steps):
        backups = tuple(_route(of, as_backup(step, name, of.agents), index, accounts) for name in step.backups)
        found.append(replace(_route(of, step, index, accounts), backups=backups))
    return tuple(found)


def _route(of: Campaign, step: Step, index: int, accounts: Sequence[Account]) -> Route:
    agent = of.agents[step.agent]
    by_provider = {one.provider: one for one in reversed(accounts)}
    by_name = {one.name: one for one in accounts}
    paying = by_name.get(agent.account) or by_provider.get(agent.provider) or account(agent.provider)
    provider = provider_for(paying)
    options = options_of(provider.options_model(step.channel), agent, step)
    return Route(step=step, index=index, agent=agent, account=paying, provider=provider, options=options)


def planned(
    made: Draft, rows: Iterable[Row], now: datetime = NOON, templates: Mapping[str, str] | None = None
) -> tuple[list[PlanLine], PlanSummary]:
    """Give all lines of a plan and its sums."""
    tally = Tally(made.policy.campaign.campaign, Digest(made.policy.campaign, dict(templates or {})))
    lines = list(tally.watch(plan_lines(made, rows, now)))
    return lines, tally.summary()


def revision(of: Campaign, digest: str, now: datetime = NOON, accounts: str = "{}") -> NewRevision:
    """Give what is written down about a plan that is applied."""
    return NewRevision(
        campaign=of.campaign, digest=digest, policy=of.model_dump_json(exclude_none=True), accounts=accounts,
        git_commit="abc1234", applied_by="tester@here", applied_at=now, tool_version=__version__, tzdata="2026.1",
    )  # fmt: skip


def apply(store: Store, of: Campaign, rows: Sequence[Row], *accounts: Account, now: datetime = NOON) -> Recorded:
    """Plan against a ledger and write the plan into it, as `outreach apply` does."""
    made = draft(of, *accounts, known=known_campaign(store, of.campaign))
    lines, summary = planned(made, rows, now)
    paying = json.dumps({one.name: one.base_url for one in accounts})
    return record(store, revision(of, summary.digest, now, paying), lines, lambda: summary.digest)


def states(store: Store, of: str = "renewals") -> list[tuple[str, str, int, str]]:
    """Give (contact, step, number, state) of every attempt of a campaign, oldest first."""
    rows = store._connection.execute(
        "SELECT k.key, a.step, a.number, a.state FROM attempts a JOIN contacts k ON k.id = a.contact_id"
        " JOIN campaigns c ON c.id = a.campaign_id WHERE c.name = ? ORDER BY a.id", (of,)
    )  # fmt: skip
    return [tuple(row) for row in rows]


def standing(store: Store, of: str = "renewals") -> dict[str, str]:
    """Give where each contact of a campaign stands."""
    rows = store._connection.execute(
        "SELECT k.key, k.state FROM contacts k JOIN campaigns c ON c.id = k.campaign_id WHERE c.name = ?", (of,)
    )
    return {row["key"]: row["state"] for row in rows}


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Give every row of every table of a ledger, without what is random or follows from it."""
    rows = store._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name <> 'event_links'")
    found = {}
    for name in sorted(row[0] for row in rows):
        columns = [
            row["name"] for row in store._connection.execute(f"PRAGMA table_info({name})") if row["name"] != "salt"
        ]
        where = "WHERE name NOT IN ('instance', 'pseudonym_key', 'home')" if name == "facts" else ""
        query = f"SELECT {', '.join(columns)} FROM {name} {where} ORDER BY 1, 2"
        found[name] = [tuple(row) for row in store._connection.execute(query)]
    return found


def claim_due(
    ledger: Ledger, campaign: str, count: int, now: datetime, lease_until: datetime, *, apart: Sequence[str] = ()
) -> list[Assignment]:
    """Claim up to `count` due attempts of a campaign, oldest first, through its lanes as pacing does; no step of `apart`."""
    with ledger.transaction():
        lanes = [one for one in ledger.lanes.after(0) if one.campaign == campaign and one.step not in apart]
        due = [one for lane in lanes for one in ledger.lanes.due(lane.id, now, 10_000)]
        oldest = sorted(due, key=lambda one: (one.due_at, one.id))
        claimed: list[Assignment] = []
        for one in oldest:
            if len(claimed) < count:
                claimed += ledger.lanes.claim([one.id], lease_until)
        return claimed


def live_calls(store: Store) -> dict[str, int]:
    """Count the calls without an outcome that pacing counts, by campaign."""
    campaigns = {lane.id: lane.campaign for lane in store.lanes.after(0)}
    return dict(Counter(campaigns[slot.lane] for slot in store.lanes.live(NOON)))


@dataclass
class ClockByHand:
    """A clock that stands still until it is set."""

    at: datetime = NOON

    def now(self) -> datetime:
        """Give the instant that was set."""
        return self.at

    def boottime(self) -> float:
        """Give the seconds that were let pass."""
        return (self.at - NOON).total_seconds()

    def forward(self, span: timedelta) -> None:
        """Let time pass."""
        self.at += span


Answer = Reply | Exception | Callable[[Request], Reply]


def movoice_took(request: Request) -> Reply:
    """Answer a dial as Movoice does, with an id made from the attempt's key."""
    key = next(value for name, value in request.headers.items() if len(value) == 32)
    return reply({"call_id": f"id-{key}"})


def reply(body: Any, status: int = 200) -> Reply:
    """Give a JSON answer."""
    return Reply(status=status, headers={}, body=json.dumps(body).encode())


@dataclass
class ScriptedTransport:
    """A transport that answers what it was told: a reply, an error to raise, or a function of the request.

    Dials (POST) and look-ups (GET) have a script each; the last entry of a script stays.
    """

    dials: list[Answer] = field(default_factory=lambda: [movoice_took])
    looks: list[Answer] = field(default_factory=lambda: [reply({"status": "in_progress"})])
    before: Callable[[Request], None] = lambda _: None
    sent: list[Request] = field(default_factory=list)
    """every dial that left"""
    through: list[str] = field(default_factory=list)
    """the account of every dial"""
    failing: dict[str, Exception] = field(default_factory=dict)
    """by account: what its dials and look-ups raise"""
    asked: list[Request] = field(default_factory=list)
    gate: asyncio.Event | None = None
    """dials wait for it before they are answered"""
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """set when the first dial has left"""

    async def send(self, account: Account, request: Request) -> Reply:
        """Answer one request."""
        dial = request.method == "POST" and "/search" not in request.path
        if dial:
            self.through.append(account.name)
        (self.sent if dial else self.asked).append(request)
        self.before(request)
        if dial:
            self.left.set()
        script = self.dials if dial else self.looks
        if account.name in self.failing:
            raise self.failing[account.name]
        answer = script[0] if len(script) == 1 else script.pop(0)
        if dial and self.gate is not None:
            await self.gate.wait()
        if isinstance(answer, Exception):
            raise answer
        return answer if isinstance(answer, Reply) else answer(request)


@dataclass
class StillAlarm:
    """An alarm that remembers what it was set to; rings at once if there is something to ring, else never."""

    set_to: list[datetime] = field(default_factory=list)
    ring: Callable[[], None] | None = None

    def set(self, at: datetime) -> None:
        """Remember the instant."""
        self.set_to.append(at)
        if self.ring is not None:
            self.ring()


@dataclass
class Bench:
    """An engine over a real ledger, with a scripted transport and a clock that is set by hand."""

    store: Store
    journal: Journal
    transport: ScriptedTransport
    clock: ClockByHand
    policies: Policies
    accounts: Accounts
    delivery: Delivery
    reconciliation: Reconciliation
    inbox: Inbox
    alarm: StillAlarm
    woken: asyncio.Event
    wakes: list[None] = field(default_factory=list)

    def dispatcher(self, idle: Callable[[datetime], bool] | None = None, rounds: Rounds | None = None) -> Dispatcher:
        """Build the loop over this engine."""
        wakefulness = Wakefulness(self.woken, self.alarm, idle)
        return Dispatcher(
            self.journal, self.policies, self.delivery, self.reconciliation, self.clock, wakefulness, rounds
        )

    async def claim(self, count: int = 10, of: str = "renewals") -> list[Any]:
        """Claim what is due, as the dispatcher does."""
        await self.journal.run(lambda ledger: self.policies.renew(ledger.campaigns_in_force()))
        now = self.clock.now()
        return await self.journal.run(lambda ledger: claim_due(ledger, of, count, now, now + timedelta(minutes=5)))

    async def deliver(self, of: str = "renewals") -> None:
        """Claim what is due and carry it out."""
        await self.delivery.deliver(await self.claim(of=of))

    async def ask(self) -> None:
        """Ask about everything whose time has come."""
        now = self.clock.now()
        await self.reconciliation.ask(await self.journal.run(lambda ledger: ledger.to_ask(now, 100)))

    def attempt(self, number: int = 0) -> Mapping[str, Any]:
        """Give an attempt's row, counted from 0 in the order in which they were made."""
        row = self.store._connection.execute(
            "SELECT * FROM attempts ORDER BY id LIMIT 1 OFFSET ?", (number,)
        ).fetchone()
        return dict(row)

    def state(self, number: int = 0) -> AttemptState:
        """Give an attempt's state."""
        return AttemptState(self.attempt(number)["state"])

    def campaign_state(self, of: str = "renewals") -> tuple[str, str]:
        """Give a campaign's state and why."""
        row = self.store._connection.execute("SELECT state, reason FROM campaigns WHERE name = ?", (of,)).fetchone()
        return row["state"], row["reason"]


def bench(store: Store, journal: Journal, *accounts: Account) -> Bench:
    """Build an engine over a ledger and its running journal."""
    chosen = accounts or (account(),)
    clock, transport, policies, woken = ClockByHand(), ScriptedTransport(), Policies(), asyncio.Event()
    known = Accounts({one.name: one for one in chosen}, {one.name: provider_for(one) for one in chosen})
    wakes: list[None] = []

    def wake() -> None:
        wakes.append(None)
        woken.set()

    pacing = Pacing(policies, known, Breakers())
    delivery = Delivery(journal, policies, known, transport, clock, wake, pacing)
    reconciliation = Reconciliation(journal, policies, known, transport, clock, wake)
    inbox = Inbox(journal, known, reconciliation, clock, lambda _: "secret")
    return Bench(
        store=store, journal=journal, transport=transport, clock=clock, policies=policies, accounts=known,
        delivery=delivery, reconciliation=reconciliation, inbox=inbox, alarm=StillAlarm(), woken=woken, wakes=wakes,
    )  # fmt: skip
