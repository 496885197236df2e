"""Rounds of campaigns that repeat: started on time and once, missed as `catch_up` says, refused with a reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.engine.rounds import Rounds
from runner.errors import LedgerError, LedgerUnwritable
from runner.ledger import overview, standing
from runner.ledger.revisions import record
from runner.ledger.store import Store
from runner.model.rounds import Recurring, RoundState, round_name
from tests import building
from tests.building import Bench

MONDAY = datetime(2026, 4, 6, 9, tzinfo=UTC)
WEEK, HOUR, MINUTE = timedelta(days=7), timedelta(hours=1), timedelta(minutes=1)


@dataclass
class Starter:
    """A starter that remembers what it was told to start."""

    error: Exception | None = None
    started: list[tuple[str, datetime]] = field(default_factory=list)

    def start(self, campaign: Recurring, at: datetime, now: datetime) -> str:  # noqa: ARG002 the port hands it over
        self.started.append((campaign.name, at))
        if self.error is not None:
            raise self.error
        return round_name(campaign.name, at)


@dataclass
class Place:
    """A bench with a campaign that begins anew each Monday at 09:00 UTC, applied on the Saturday before."""

    bench: Bench
    starter: Starter
    rounds: Rounds

    @property
    def store(self) -> Store:
        return self.bench.store

    def restart(self) -> None:
        """Have another process take over."""
        self.rounds = Rounds(
            self.bench.journal, self.bench.policies, self.starter, self.bench.clock, timedelta(minutes=10)
        )

    async def look(self, at: datetime) -> datetime | None:
        """Look at an instant and start what is due, as the dispatcher does; give when the next round is due."""
        self.bench.clock.at = at
        self.bench.policies.renew(self.store.campaigns_in_force())
        found = await self.bench.journal.run(lambda ledger: self.rounds.next_at(ledger, at))
        if found is None or found > at:
            return found
        self.rounds.take()
        assert await self.bench.journal.run(lambda ledger: self.rounds.next_at(ledger, at)) is None
        await self.rounds.start()
        return await self.bench.journal.run(lambda ledger: self.rounds.next_at(ledger, at))

    def noted(self) -> list[tuple[datetime, RoundState, int, str]]:
        return [(one.at, one.state, one.count, one.reason) for one in self.store.rounds.noted().get("renewals", ())]


@pytest.fixture
def place(store: Store, journal: Journal) -> Callable[..., Place]:
    def build(**schedule: Any) -> Place:
        bench = building.bench(store, journal)
        of = building.campaign(schedule={"repeat": "0 9 * * mon", "timezone": "UTC"} | schedule)
        building.apply(store, of, (), now=MONDAY - 2 * 24 * HOUR)
        store.rounds.put("renewals", "campaigns/renewals.yaml")
        made = Place(bench, Starter(), None)  # type: ignore[arg-type] # given in the next line
        made.restart()
        return made

    return build


async def test_a_runner_at_work_starts_each_round_on_time_and_once(place: Callable[..., Place]) -> None:
    here = place()
    assert await here.look(MONDAY - HOUR) == MONDAY
    assert here.starter.started == []
    assert await here.look(MONDAY + timedelta(seconds=1)) == MONDAY + WEEK
    assert await here.look(MONDAY + MINUTE) == MONDAY + WEEK
    here.restart()
    assert await here.look(MONDAY + 2 * MINUTE) == MONDAY + WEEK
    assert here.starter.started == [("renewals", MONDAY)]
    assert here.noted() == [(MONDAY, RoundState.STARTED, 1, "")]
    # Asleep until the next round, as it was told: the round is in time, however long that was.
    await here.look(MONDAY + WEEK + timedelta(seconds=1))
    assert here.starter.started == [("renewals", MONDAY), ("renewals", MONDAY + WEEK)]


async def test_a_restart_of_minutes_misses_nothing(place: Callable[..., Place]) -> None:
    here = place()
    await here.look(MONDAY - MINUTE)
    here.restart()
    await here.look(MONDAY + 9 * MINUTE)
    assert here.starter.started == [("renewals", MONDAY)]


@pytest.mark.parametrize(
    ("catch_up", "started", "missed"),
    [("none", [], 3), ("last", [MONDAY + 2 * WEEK], 2), ("all", [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK], 0)],
)
async def test_rounds_of_a_time_without_a_runner(
    place: Callable[..., Place], catch_up: str, started: list[datetime], missed: int
) -> None:
    here = place(catch_up=catch_up)
    assert await here.look(MONDAY + 2 * WEEK + HOUR) == MONDAY + 3 * WEEK
    assert [at for _, at in here.starter.started] == started
    assert sum(count for _, state, count, _ in here.noted() if state is RoundState.MISSED) == missed
    # What was missed is accounted for: nobody makes up for it later.
    here.restart()
    await here.look(MONDAY + 2 * WEEK + 2 * HOUR)
    assert [at for _, at in here.starter.started] == started


async def test_a_machine_that_slept_was_not_at_work(place: Callable[..., Place]) -> None:
    here = place()
    await here.look(MONDAY - HOUR)
    await here.look(MONDAY + 5 * HOUR)
    assert here.starter.started == []
    assert here.noted() == [(MONDAY, RoundState.MISSED, 1, "no runner was at work")]


async def test_a_runner_that_is_busy_is_at_work(place: Callable[..., Place]) -> None:
    here = place(repeat="*/15 * * * *")
    at = MONDAY
    await here.look(at - 20 * MINUTE)
    here.starter.started.clear()
    # A tick comes every few minutes, and starting a round takes most of an hour.
    here.rounds.take()
    for minutes in range(-15, 45, 5):
        await here.bench.journal.run(partial(here.rounds.next_at, now=at + minutes * MINUTE))
    here.bench.clock.at = at + 44 * MINUTE
    await here.rounds.start()
    assert [found for _, found in here.starter.started] == [at + minutes * MINUTE for minutes in (-15, 0, 15, 30)]


async def test_rounds_that_fall_into_a_pause_are_not_made_up_for(place: Callable[..., Place]) -> None:
    here = place(catch_up="all")
    await here.look(MONDAY - HOUR)
    standing.pause_by_hand(here.store, "renewals", "wrong words", MONDAY - HOUR)
    await here.look(MONDAY)
    standing.resume_by_hand(here.store, "renewals", "", MONDAY + HOUR)
    assert await here.look(MONDAY + HOUR) == MONDAY + WEEK
    assert here.starter.started == []
    assert here.noted() == [(MONDAY, RoundState.MISSED, 1, "the campaign was paused")]


async def test_a_round_that_cannot_start_pauses_the_campaign_with_the_reason(place: Callable[..., Place]) -> None:
    here = place(catch_up="all")
    here.starter.error = LedgerError("`windows` of campaigns/renewals.yaml changed since it was applied")
    reason = "`windows` of campaigns/renewals.yaml changed since it was applied"
    await here.look(MONDAY + WEEK + HOUR)
    assert here.starter.started == [("renewals", MONDAY)]
    assert here.noted()[0] == (MONDAY, RoundState.REFUSED, 1, reason)
    assert here.bench.campaign_state() == ("paused", f"a round was not started: {reason}")
    # The second round that was due falls into the pause.
    await here.look(MONDAY + WEEK + 2 * HOUR)
    assert here.noted()[1:] == [(MONDAY + WEEK, RoundState.MISSED, 1, "the campaign was paused")]


async def test_a_ledger_that_cannot_be_written_is_no_fault_of_the_campaign(place: Callable[..., Place]) -> None:
    here = place()
    here.starter.error = LedgerUnwritable("the disk is full")
    with pytest.raises(LedgerUnwritable):
        await here.look(MONDAY + MINUTE)
    assert here.noted() == []
    here.starter.error = None
    here.restart()
    await here.look(MONDAY + 2 * MINUTE)
    assert [state for _, state, _, _ in here.noted()] == [RoundState.STARTED]


@pytest.mark.parametrize(("only", "started"), [(frozenset({"other"}), 0), (frozenset({"renewals"}), 1), (None, 1)])
async def test_a_run_of_some_campaigns_leaves_the_others_rounds_alone(
    place: Callable[..., Place], only: frozenset[str] | None, started: int
) -> None:
    here = place()
    here.bench.policies.asked = only
    await here.look(MONDAY + MINUTE)
    assert len(here.starter.started) == len(here.noted()) == started


async def test_the_dispatcher_starts_what_is_due_and_is_done(place: Callable[..., Place]) -> None:
    here = place()
    here.bench.clock.at = MONDAY + MINUTE
    loop = here.bench.dispatcher(rounds=here.rounds)
    await loop.run(until_done=True)
    assert here.starter.started == [("renewals", MONDAY)]


async def test_a_cancelled_campaign_begins_no_round(place: Callable[..., Place]) -> None:
    here = place()
    standing.cancel_by_hand(here.store, "renewals", "", MONDAY - HOUR)
    assert await here.look(MONDAY + MINUTE) is None
    assert here.starter.started == []


async def test_status_counts_rounds(place: Callable[..., Place]) -> None:
    here = place(catch_up="last")
    await here.look(MONDAY + 2 * WEEK + HOUR)
    (own,) = overview.campaigns(here.store, MONDAY + 2 * WEEK + HOUR)
    assert own.status == "scheduled"
    assert own.rounds is not None
    assert (own.rounds.started, own.rounds.missed, own.rounds.refused) == (1, 2, 0)
    assert own.rounds.next_at == MONDAY + 3 * WEEK
    kinds = [row["kind"] for row in here.store._connection.execute("SELECT kind FROM events ORDER BY id")]
    assert kinds[-2:] == ["round_missed", "round_started"]
    detail = here.store._connection.execute("SELECT detail FROM events WHERE kind = 'round_missed'").fetchone()[0]
    assert json.loads(detail)["count"] == 2


async def test_a_campaign_that_was_applied_a_moment_ago_is_no_surprise(place: Callable[..., Place]) -> None:
    here = place()
    here.bench.clock.at = MONDAY + MINUTE
    await here.bench.journal.run(lambda ledger: here.bench.policies.renew(ledger.campaigns_in_force()))
    other = building.campaign(campaign="other", schedule={"repeat": "0 9 * * *", "timezone": "UTC"})
    building.apply(here.store, other, (), now=MONDAY - HOUR)
    here.store.rounds.put("other", "campaigns/other.yaml")
    here.rounds.take()
    await here.rounds.start()
    assert here.starter.started == [("renewals", MONDAY), ("other", MONDAY)]


async def test_a_runner_that_is_told_to_stop_leaves_the_other_rounds_due(place: Callable[..., Place]) -> None:
    here = place(catch_up="all")
    real = here.starter.start

    def stopped_meanwhile(campaign: Recurring, at: datetime, now: datetime) -> str:
        here.rounds.stop()
        return real(campaign, at, now)

    here.starter.start = stopped_meanwhile  # type: ignore[method-assign]
    await here.look(MONDAY + 2 * WEEK + HOUR)
    assert here.starter.started == [("renewals", MONDAY)]
    here.starter.start = real  # type: ignore[method-assign]
    here.restart()
    await here.look(MONDAY + 2 * WEEK + HOUR)
    assert [at for _, at in here.starter.started] == [MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK]


async def test_a_round_of_long_ago_does_not_keep_a_runner_busy(place: Callable[..., Place]) -> None:
    """A schedule that ended more than a year ago has rounds that nobody looks at any more: none is due."""
    here = place(end=MONDAY + WEEK)
    assert await here.look(MONDAY + 500 * 24 * HOUR) is None
    assert here.starter.started == []


async def test_a_round_that_was_written_as_the_runner_stopped_was_not_missed(place: Callable[..., Place]) -> None:
    """The runner ended between the round's revision and the note of it, and was down for hours: people are called for it."""
    here = place()
    await here.look(MONDAY - MINUTE)
    name = round_name("renewals", MONDAY)
    written = replace(building.revision(building.campaign(), "sha256:1", MONDAY), campaign=name)
    record(here.store, written, (), lambda: "sha256:1")
    here.restart()
    assert await here.look(MONDAY + WEEK + HOUR) == MONDAY + 2 * WEEK
    assert here.starter.started == []
    assert here.noted() == [
        (MONDAY, RoundState.STARTED, 1, ""),
        (MONDAY + WEEK, RoundState.MISSED, 1, "no runner was at work"),
    ]
    assert here.store.rounds.names_of("renewals") == [name]


async def test_rules_that_come_while_another_campaign_is_started_are_for_the_next_look(
    place: Callable[..., Place],
) -> None:
    here = place()

    def apply_other(repeat: str, now: datetime) -> None:
        other = building.campaign(campaign="other", schedule={"repeat": repeat, "timezone": "UTC"})
        building.apply(here.store, other, (), now=now)
        here.store.rounds.put("other", "campaigns/other.yaml")
        here.bench.policies.renew(here.store.campaigns_in_force())

    apply_other("0 9 * * mon", MONDAY - HOUR)
    real = here.starter.start

    def meanwhile(campaign: Recurring, at: datetime, now: datetime) -> str:
        if campaign.name == "renewals":
            apply_other("1 9 * * mon", MONDAY + 2 * MINUTE)
        return real(campaign, at, now)

    here.starter.start = meanwhile  # type: ignore[method-assign]
    await here.look(MONDAY + 3 * MINUTE)
    assert here.starter.started == [("renewals", MONDAY), ("other", MONDAY)]


async def test_a_campaign_that_repeats_again_while_another_one_is_started_is_not_forgotten(
    place: Callable[..., Place],
) -> None:
    here = place()

    def apply_other(repeat: str | None, now: datetime) -> None:
        schedule = {"repeat": repeat, "timezone": "UTC"} if repeat else {}
        building.apply(here.store, building.campaign(campaign="other", schedule=schedule), (), now=now)
        if repeat:
            here.store.rounds.put("other", "campaigns/other.yaml")

    apply_other("0 9 * * mon", MONDAY - 2 * HOUR)
    apply_other(None, MONDAY - HOUR)
    real = here.starter.start

    def meanwhile(campaign: Recurring, at: datetime, now: datetime) -> str:
        if at == MONDAY:
            apply_other("30 9 * * mon", MONDAY + MINUTE)
        return real(campaign, at, now)

    here.starter.start = meanwhile  # type: ignore[method-assign]
    await here.look(MONDAY + 2 * MINUTE)
    await here.look(MONDAY + 3 * MINUTE)
    await here.look(MONDAY + 31 * MINUTE)
    assert here.starter.started == [("renewals", MONDAY), ("other", MONDAY + 30 * MINUTE)]
