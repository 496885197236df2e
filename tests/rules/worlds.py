"""Two worlds that pacing runs in: a ledger in a few dicts, and the real one in a file; both say what really happened."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from runner.engine.accounts import Accounts
from runner.engine.breakers import Breakers
from runner.engine.pacing import Pacing
from runner.engine.policies import Policies
from runner.errors import SendError
from runner.ledger.store import Store
from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.campaign import Campaign
from runner.model.lane import DueAttempt, Lane, RecentDoubts, Slot
from runner.model.limits import SharedLimits
from runner.model.move import CampaignInForce, Move
from runner.model.project import Account
from runner.model.request import Request
from runner.rules.health import AccountHealth
from tests.building import apply, contact, phone

S = AttemptState
LIVE = (S.CLAIMED, S.SENDING, S.ACCEPTED, S.IN_DOUBT)


class World(Protocol):
    """What a machine does to a ledger, besides letting pacing claim."""

    ledger: Any

    def add(self, campaign: Campaign, person: int, now: datetime) -> None:
        """Plan an attempt for somebody, due at once."""
        ...

    def move(
        self,
        attempt: Attempt,
        new: AttemptState,
        now: datetime,
        *,
        due_at: datetime | None = None,
        unsent: bool = False,
    ) -> None:
        """Change an attempt's state."""
        ...

    def opt_out(self, person: int, now: datetime) -> None:
        """Have somebody want no more calls."""
        ...

    def in_states(self, *states: AttemptState) -> list[Attempt]:
        """Give the attempts that stand so, as they stand now."""
        ...


@dataclass
class DictLedger:
    """The part of a ledger that pacing uses, over dicts."""

    rows: dict[int, Attempt] = field(default_factory=dict)
    lane_of: dict[int, int] = field(default_factory=dict)
    kept: list[Lane] = field(default_factory=list)
    standing: dict[str, AccountHealth] = field(default_factory=dict)
    notes: list[tuple[str, Any]] = field(default_factory=list)

    @property
    def lanes(self) -> DictLedger:
        return self

    @property
    def letters(self) -> DictLedger:
        return self

    def note(self, at: datetime, attempt_id: int | None, kind: str, **detail: Any) -> None:  # noqa: ARG002 as the port has it
        self.notes.append((kind, detail))

    def after(self, lane_id: int) -> list[Lane]:
        return [one for one in self.kept if one.id > lane_id]

    def due(self, lane_id: int, now: datetime, count: int) -> list[DueAttempt]:
        live = {one.phone for one in self.rows.values() if one.state in LIVE}
        found = [
            DueAttempt(one.id, one.due_at)
            for one in self.rows.values()
            if self.lane_of[one.id] == lane_id
            and one.state is S.PLANNED
            and one.due_at <= now
            and one.phone not in live
        ]
        return sorted(found, key=lambda one: (one.due_at, one.id))[:count]

    def any_due(self, lanes: Collection[int], now: datetime) -> bool:
        return any(self.due(lane, now, 1) for lane in lanes)

    def claim(self, ids: Sequence[int], lease_until: datetime) -> list[Assignment]:  # noqa: ARG002 as the port has it
        claimed = []
        for one in ids:
            live = {row.phone for row in self.rows.values() if row.state in LIVE}
            if self.rows[one].state is S.PLANNED and self.rows[one].phone not in live:
                self.rows[one] = replace(self.rows[one], state=S.CLAIMED)
                claimed.append(_work(self.rows[one]))
        return claimed

    def live(self, now: datetime) -> list[Slot]:
        found = [
            Slot(self.lane_of[one.id], now if one.state is S.CLAIMED else one.sent_at or now)
            for one in self.rows.values()
            if one.state in LIVE
        ]
        return sorted(found, key=lambda one: one.since)

    def starts(self, lanes: Collection[int], since: datetime, now: datetime) -> list[datetime]:
        mine = [one for one in self.rows.values() if self.lane_of[one.id] in lanes]
        sent = [one.sent_at for one in mine if one.sent_at is not None and one.sent_at > since]
        return sorted([*sent, *(now for one in mine if one.state is S.CLAIMED)])

    def first_start(self, lanes: Collection[int]) -> datetime | None:
        sent = [one.sent_at for one in self.rows.values() if self.lane_of[one.id] in lanes and one.sent_at is not None]
        return min(sent, default=None)

    def doubts(self, campaign: str, since: datetime) -> RecentDoubts:  # noqa: ARG002 as the port has it
        raise AssertionError("pacing never asks")

    def health(self) -> dict[str, AccountHealth]:
        return dict(self.standing)

    def put_health(self, account: str, health: AccountHealth) -> None:
        self.standing[account] = health


def _work(attempt: Attempt) -> Assignment:
    request = Request(method="POST", path="/calls", body={})
    return Assignment(attempt=attempt, agent_id="1", request=request, cells={}, suppression="", is_paused=False)


class DictWorld:
    """A ledger in dicts."""

    def __init__(self) -> None:
        self.ledger = DictLedger()
        self._gone: set[str] = set()

    def add(self, campaign: Campaign, person: int, now: datetime) -> None:
        agent = campaign.agents[campaign.steps[0].agent]
        facts = (campaign.campaign, campaign.steps[0].label, agent.account, campaign.steps[0].agent, agent.from_ or "")
        by_facts = {
            (one.campaign, one.step, one.account, one.agent, one.from_number): one.id for one in self.ledger.kept
        }
        if facts not in by_facts:
            lane = len(self.ledger.kept) + 1
            self.ledger.kept.append(
                Lane(id=lane, campaign=facts[0], step=facts[1], account=facts[2], agent=facts[3], from_number=facts[4])
            )
            by_facts[facts] = lane
        number = len(self.ledger.rows) + 1
        known = {(one.campaign, one.phone) for one in self.ledger.rows.values()}
        if phone(person) in self._gone or (campaign.campaign, phone(person)) in known:
            return
        self.ledger.lane_of[number] = by_facts[facts]
        self.ledger.rows[number] = Attempt(
            id=number, key=str(number), campaign=facts[0], contact_id=number, contact_key=phone(person),
            phone=phone(person), zones=("UTC",), step=facts[1], number=1, channel="call", provider="movoice",
            account=facts[2], state=S.PLANNED, due_at=now,
        )  # fmt: skip

    def move(
        self,
        attempt: Attempt,
        new: AttemptState,
        now: datetime,
        *,
        due_at: datetime | None = None,
        unsent: bool = False,
    ) -> None:
        row = self.ledger.rows[attempt.id]
        sent_at = now if new is S.SENDING else None if unsent else row.sent_at
        self.ledger.rows[attempt.id] = replace(row, state=new, sent_at=sent_at, due_at=due_at or row.due_at)

    def opt_out(self, person: int, now: datetime) -> None:  # noqa: ARG002 as the other world has it
        self._gone.add(phone(person))
        for row in list(self.ledger.rows.values()):
            if row.phone == phone(person) and row.state is S.PLANNED:
                self.ledger.rows[row.id] = replace(row, state=S.SUPPRESSED)

    def in_states(self, *states: AttemptState) -> list[Attempt]:
        return [one for one in self.ledger.rows.values() if one.state in states]


class FileWorld:
    """A ledger in a file."""

    def __init__(self, store: Store) -> None:
        self.ledger = store
        self._people: dict[str, list[int]] = {}

    def add(self, campaign: Campaign, person: int, now: datetime) -> None:
        people = self._people.setdefault(campaign.campaign, [])
        if person not in people:
            people.append(person)
        agent = campaign.agents[campaign.steps[0].agent]
        account = Account(
            name=agent.account, provider=agent.provider, base_url="http://127.0.0.1:9", credential="env:X"
        )
        apply(self.ledger, campaign, [contact(one) for one in people], account, now=now)

    def move(
        self,
        attempt: Attempt,
        new: AttemptState,
        now: datetime,
        *,
        due_at: datetime | None = None,
        unsent: bool = False,
    ) -> None:
        sent_at = now if new is S.SENDING else None
        old = self.ledger.assignments([attempt.id])[0].attempt.state
        move = Move(attempt_id=attempt.id, old=old, new=new, at=now, due_at=due_at, sent_at=sent_at, unsent=unsent)
        assert self.ledger.move([move]) == [True]

    def opt_out(self, person: int, now: datetime) -> None:
        self.ledger.suppress(phone(person), "opted out", "test", now)

    def in_states(self, *states: AttemptState) -> list[Attempt]:
        return [work.attempt for state in states for work in self.ledger.in_state(state)]


@dataclass
class Paced:
    """Pacing over a world, and what becomes of what it lets start."""

    world: World
    campaigns: dict[str, Campaign]
    accounts: dict[str, Account]
    of_ledger: SharedLimits | None
    paused: set[str] = field(default_factory=set)
    pacing: Pacing = field(init=False)

    def restart(self, now: datetime) -> None:
        """Lose all memory, as a crash does, and put right what it left behind."""
        self.policies = Policies()
        self.renew()
        accounts = Accounts(self.accounts, {})
        self.pacing = Pacing(self.policies, accounts, Breakers(), self.of_ledger)
        for one in self.world.in_states(S.CLAIMED):
            self.world.move(one, S.PLANNED, now)
        for one in self.world.in_states(S.SENDING):
            self.world.move(one, S.IN_DOUBT, now)
        self.pacing.begin(self.world.ledger, now)

    def renew(self) -> None:
        """Take in which campaigns are paused."""
        self.policies.renew(
            CampaignInForce(
                name=name, revision=1, policy=one.model_dump_json(exclude_none=True), accounts="{}",
                is_active=name not in self.paused,
            )
            for name, one in self.campaigns.items()
        )  # fmt: skip

    def ended(self, attempt: Attempt, error: SendError | None, now: datetime) -> None:
        """Tell pacing how a send ended."""
        self.pacing.sent(self.world.ledger, attempt, error, now)


LATER = timedelta(hours=2)
