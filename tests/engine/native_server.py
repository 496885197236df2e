"""A provider's own campaigns in memory, behind the transport's port: RevRing's form, with faults before and after effects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from runner.engine.accounts import Accounts
from runner.engine.journal import Journal
from runner.engine.native import Look, NativeDelivery
from runner.engine.reconciliation import Reconciliation
from runner.ledger.store import Store
from runner.model.campaign import Campaign
from runner.model.handed_over import HandoverRecord
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.providers.native_terms import offered
from runner.providers.registry import provider_for
from runner.providers.revring import Revring
from runner.providers.revring_native import RevringCampaigns
from tests.building import Bench, account, bench, campaign, reply

REVRING = account("revring")
AGENT = {"provider": "revring", "id": "agent_1", "from": "+12025550199"}


class Crash(BaseException):
    """The process ends here: nothing that would run afterwards does."""


class SmallCampaigns(RevringCampaigns):
    """RevRing's campaigns with requests of at most three people."""

    most_people = 3


class SmallRevring(Revring):
    """RevRing with such campaigns."""

    native = offered(SmallCampaigns())


def native_campaign(**changes: Any) -> Campaign:
    """Give a canonical campaign whose only step is handed over to RevRing."""
    plain: dict[str, Any] = {
        "agent": None, "agents": {"agent": AGENT}, "steps": [{"call": "agent", "delivery": "native"}],
        "variables": {"name": "{{ contact.phone }}"},
    }  # fmt: skip
    return campaign(**plain | changes)


@dataclass
class Run:
    """One of the server's campaigns."""

    id: str
    name: str
    body: dict[str, Any]
    status: str = "draft"
    people: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, contacts: list[dict[str, Any]]) -> None:
        """Take people in; numbers that are there are skipped."""
        for one in contacts:
            self.people.setdefault(one["toNumber"], {"status": "pending", "attempts": 0, "outcome": None})


@dataclass
class NativeServer:
    """Answers as RevRing does; each look at its people lets every call go one step on."""

    runs: list[Run] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    """every request that left, as a verb: create, add, start, pause, cancel, status, rows, find"""
    before: dict[str, list[BaseException | Reply]] = field(default_factory=dict)
    """by verb: what the next requests meet before they have any effect"""
    after: dict[str, list[BaseException | Reply]] = field(default_factory=dict)
    """by verb: what the next requests meet after they had their effect"""
    outcomes: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    """by number: status, outcome and attempts at the end; answered at once otherwise"""
    dials: Counter[str] = field(default_factory=Counter)
    busy: bool = True
    """whether calls go on"""
    seen: Callable[[str, Request], None] = lambda _verb, _request: None

    async def send(self, account: Account, request: Request) -> Reply:  # noqa: ARG002 the port hands it over
        """Answer one request."""
        verb = _verb(request)
        self.sent.append(verb)
        self.seen(verb, request)
        _strike(self.before, verb)
        if answer := _take(self.before, verb):
            return answer
        done = self._do(verb, request)
        _strike(self.after, verb)
        return _take(self.after, verb) or done

    def run(self, at: int = 0) -> Run:
        """Give a campaign, in the order in which they were made."""
        return self.runs[at]

    def _do(self, verb: str, request: Request) -> Reply:
        body: dict[str, Any] = json.loads(json.dumps(request.body)) if request.body else {}
        if verb == "create":
            made = Run(id=f"camp_{len(self.runs)}", name=body["name"], body=body)
            made.add(body["contacts"])
            self.runs.append(made)
            return reply({"data": {"id": made.id, "status": "draft"}}, 201)
        if verb == "find":
            return reply({"data": [{"id": one.id, "name": one.name} for one in self.runs], "hasNextPage": False})
        run = next((one for one in self.runs if f"/{one.id}" in request.path), None)
        if run is None:
            return reply({"error": "campaign_not_found"}, 404)
        if verb == "status":
            return reply({"data": {"id": run.id, "status": run.status}})
        if verb == "rows":
            return self._rows(run)
        return self._change(run, verb, body)

    def _change(self, run: Run, verb: str, body: dict[str, Any]) -> Reply:
        if verb == "add":
            run.add(body["contacts"])
            return reply({"added": len(body["contacts"])})
        if run.status in {"completed", "canceled"} or (verb, run.status) == ("start", "running"):
            return reply({"error": "invalid_transition"}, 409)
        run.status = {"start": "running", "pause": "paused", "cancel": "canceled"}[verb]
        if verb == "cancel":
            for person in run.people.values():
                if person["status"] == "pending":
                    person["status"] = "canceled"
        return reply({"data": {"id": run.id, "status": run.status}})

    def _rows(self, run: Run) -> Reply:
        rows = [{"toNumber": number, **person} for number, person in run.people.items()]
        if self.busy:
            for number, person in run.people.items():
                self._go_on(run, number, person)
            if run.status == "running" and all(
                one["status"] not in {"pending", "dialing"} for one in run.people.values()
            ):
                run.status = "completed"
        return reply({"data": rows, "hasNextPage": False})

    def _go_on(self, run: Run, number: str, person: dict[str, Any]) -> None:
        status, outcome, attempts = self.outcomes.get(number, ("completed", "answered", 1))
        if person["status"] == "pending" and run.status == "running":
            person.update(status="dialing", attempts=attempts)
            self.dials[number] += attempts
        elif person["status"] == "dialing":
            person.update(status=status, outcome=outcome, lastCallId=f"call-{run.id}-{number}")


def _verb(request: Request) -> str:
    path, _, _ = request.path.partition("?")
    parts = path.strip("/").split("/")
    if request.method == "GET":
        return {1: "find", 2: "status"}.get(len(parts), "rows")
    return "create" if len(parts) == 1 or parts[1] == "batch" else {"contacts": "add"}.get(parts[2], parts[2])


def _strike(faults: dict[str, list[BaseException | Reply]], verb: str) -> None:
    waiting = faults.get(verb) or []
    if waiting and isinstance(waiting[0], BaseException):
        raise waiting.pop(0)  # type: ignore[misc]  # an exception, as the line before says


def _take(faults: dict[str, list[BaseException | Reply]], verb: str) -> Reply | None:
    waiting = faults.get(verb) or []
    return waiting.pop(0) if waiting else None  # type: ignore[return-value]  # exceptions were raised before


@dataclass
class NativeBench:
    """An engine over a real ledger whose providers' campaigns are the server's."""

    engine: Bench
    server: NativeServer
    native: NativeDelivery

    @property
    def store(self) -> Store:
        """The ledger."""
        return self.engine.store

    async def look(self) -> Look:
        """Look at the ledger once, as the loop does."""
        self.engine.policies.renew(self.store.campaigns_in_force())
        now = self.engine.clock.now()
        return await self.engine.journal.run(lambda ledger: self.native.look(ledger, now, set(), set()))

    async def once(self) -> Look:
        """Look once and do all that was found."""
        found = await self.look()
        for fresh in found.fresh:
            await self.native.begin(fresh)
        for record in found.due:
            await self.native.look_after(record)
        for work in found.calling_off:
            await self.native.call_off(work)
        return found

    async def until_done(self, most: int = 60) -> int:
        """Let time pass until nothing is open; give in how many looks."""
        for count in range(1, most + 1):
            found = await self.once()
            if not self.store.open_attempts():
                return count
            if not found.fresh and not found.due:
                now = self.engine.clock.at
                due = self.store.next_due(now)
                times = [at for at in (found.next_at, due) if at is not None]
                assert times, "nothing would ever happen again"
                self.engine.clock.at = max(now, min(times))
        raise AssertionError(f"still open after {most} looks: {self.handovers()}")

    def handovers(self) -> list[HandoverRecord]:
        """Give every handover, oldest first."""
        ids = [row[0] for row in self.store._connection.execute("SELECT id FROM handovers ORDER BY id")]
        return [self.store.handovers.record(one) for one in ids]

    def handover_states(self) -> list[str]:
        """Give where every handover stands."""
        return [one.state.value for one in self.handovers()]

    def again(self, journal: Journal) -> NativeBench:
        """Give a new engine over the same ledger and server, as after a crash."""
        made = native_bench(self.store, journal, self.server, provider=self.engine.accounts.provider("revring"))
        made.engine.clock.at = self.engine.clock.at
        return made


def native_bench(
    store: Store,
    journal: Journal,
    server: NativeServer | None = None,
    *,
    provider: Any = None,
    paying: Account = REVRING,
) -> NativeBench:
    """Build an engine over a ledger, a provider and a server."""
    made = bench(store, journal, paying)
    transport = server or NativeServer()
    accounts = Accounts({paying.name: paying}, {paying.name: provider or provider_for(paying)})
    tools: Reconciliation = replace(made.reconciliation, transport=transport, accounts=accounts)
    made.reconciliation, made.accounts = tools, accounts
    return NativeBench(engine=made, server=transport, native=NativeDelivery.over(tools))
