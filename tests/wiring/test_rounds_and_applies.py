"""Rounds while rules change: what an apply, a pause or a cancel does to those that are due, and who says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from runner.engine.rounds import Rounds
from runner.ledger import overview, standing
from runner.ledger.store import Store
from runner.model.rounds import Recurring, RoundState
from runner.report.rounds_view import status_sentence
from runner.wiring import applying
from runner.wiring.applying import Examined
from runner.wiring.planned import Planned
from runner.wiring.rounds import FileRounds
from tests.building import Bench
from tests.wiring.rounds_project import (
    FRIDAY,
    HOUR,
    MONDAY,
    SCHEDULE,
    TEXT,
    WEEK,
    Project,
    cut_short,
    rounds_of,
    run,
)


def missed(store: Store) -> list[tuple[datetime, int, str]]:
    noted = store.rounds.noted().get("renewals", ())
    return [(one.at, one.count, one.reason) for one in noted if one.state is RoundState.MISSED]


def edit(project: Project, schedule: str = SCHEDULE) -> None:
    project.write((TEXT + schedule).replace("daily 08:00-20:00", "daily 09:00-20:00"))


def apply_slowly(project: Project, store: Store, planned: datetime) -> None:
    """Apply so that writing begins a minute before a round is due, and ends a minute after it."""
    workspace = project.workspace
    (loaded,) = workspace.load([])
    examined = applying.examine(workspace.plan(loaded, planned))
    instants = iter((MONDAY - timedelta(minutes=1), MONDAY + timedelta(minutes=1)))
    applying.apply_all(workspace, [examined], store, lambda: next(instants))


def break_off(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    """Have an apply end before it puts its plan in force."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(applying, "complete", killed)
        with pytest.raises(KeyboardInterrupt):
            project.apply(store, now)


@pytest.mark.parametrize("catch_up", ["none", "all"])
async def test_rounds_that_nobody_started_before_other_rules_were_applied_are_noted(
    project: Project, store: Store, bench: Bench, catch_up: str
) -> None:
    schedule = f"{SCHEDULE}  catch_up: {catch_up}\n"
    project.write(TEXT + schedule)
    project.apply(store)
    edit(project, schedule)
    project.apply(store, MONDAY + WEEK + HOUR)
    await run(bench, project, MONDAY + WEEK + 2 * HOUR)
    assert missed(store) == [(MONDAY + WEEK, 2, "no runner was at work")]
    assert store.rounds.names_of("renewals") == []
    await run(bench, project, MONDAY + 2 * WEEK)
    assert store.rounds.names_of("renewals") == ["renewals@2026-04-20T13:00Z"]
    (own, _) = overview.campaigns(store, MONDAY + 2 * WEEK)
    assert own.rounds is not None
    assert (own.rounds.started, own.rounds.missed) == (1, 2)


@pytest.mark.parametrize("noted", [True, False])
async def test_neither_a_restart_nor_an_apply_between_two_runners_costs_a_round(
    project: Project, store: Store, bench: Bench, *, noted: bool
) -> None:
    project.apply(store)
    if not noted:  # the last runner wrote the round down, and ended before it could say so
        project.start(store)
    edit(project)
    project.apply(store, MONDAY + timedelta(minutes=2))
    await run(bench, project, MONDAY + timedelta(minutes=4))
    name = "renewals@2026-04-06T13:00Z"
    assert (missed(store), store.rounds.names_of("renewals")) == ([], [name])
    assert len(bench.transport.sent) == 2
    await run(bench, project, MONDAY + timedelta(minutes=5))
    assert len(bench.transport.sent) == 2


async def test_a_recent_round_that_the_new_rules_do_not_have_is_missed(
    project: Project, store: Store, bench: Bench
) -> None:
    project.apply(store)
    edit(project, SCHEDULE.replace("0 9", "30 9"))
    project.apply(store, MONDAY + timedelta(minutes=2))
    await run(bench, project, MONDAY + timedelta(minutes=4))
    assert missed(store) == [(MONDAY, 1, "no runner was at work")]
    assert bench.transport.sent == []


@pytest.mark.parametrize("in_time", [True, False])
async def test_half_a_round_of_earlier_rules_is_finished_in_time_or_never_begins(
    project: Project, store: Store, bench: Bench, monkeypatch: pytest.MonkeyPatch, *, in_time: bool
) -> None:
    project.apply(store)
    cut_short(project, store, monkeypatch)
    edit(project)
    project.apply(store, MONDAY + timedelta(minutes=2))
    later = MONDAY + (timedelta(minutes=4) if in_time else HOUR)
    await run(bench, project, later)
    assert [one.state for one in store.rounds.noted()["renewals"]] == [
        RoundState.STARTED if in_time else RoundState.MISSED
    ]
    assert len(bench.transport.sent) == (2 if in_time else 0)
    statuses = [one.status for one in overview.campaigns(store, later) if one.round_of]
    assert statuses == ["running" if in_time else "cancelled"]


async def test_rounds_that_fall_due_while_a_campaign_is_applied_half_are_noted_and_not_made_up_for(
    project: Project, store: Store, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    schedule = f"{SCHEDULE}  catch_up: all\n"
    project.write(TEXT + schedule)
    project.apply(store)
    rounds = rounds_of(bench, project)

    async def look(at: datetime) -> None:
        bench.clock.at = at
        bench.policies.renew(store.campaigns_in_force())
        if (found := await bench.journal.run(lambda ledger: rounds.next_at(ledger, at))) is not None and found <= at:
            await rounds.start()

    await look(MONDAY)
    edit(project, schedule.replace("0 9", "0 10"))
    break_off(project, store, monkeypatch, MONDAY + HOUR)
    store.pause("renewals", "by hand", MONDAY + HOUR)
    (own, _) = overview.campaigns(store, MONDAY + HOUR)
    assert own.rounds is not None
    assert own.rounds.next_at is None
    told = status_sentence("renewals", own.rounds)
    assert told == "renewals: 1 round so far; none begins until it is applied to the end"
    store.resume("renewals", MONDAY + HOUR)
    # A runner is at work all the time, and was told to look when the rounds are due.
    for at in (MONDAY + WEEK, MONDAY + 2 * WEEK):
        for late in (-timedelta(minutes=1), timedelta(0), HOUR):
            await look(at + late)
    project.apply(store, MONDAY + 2 * WEEK + 2 * HOUR)
    await look(MONDAY + 2 * WEEK + 2 * HOUR)
    assert missed(store) == [(MONDAY + 2 * WEEK + HOUR, 2, "the campaign was applied half")]
    await look(MONDAY + 3 * WEEK + HOUR)
    assert store.rounds.names_of("renewals") == ["renewals@2026-04-06T13:00Z", "renewals@2026-04-27T14:00Z"]


async def test_rounds_of_before_an_apply_broke_off_had_no_runner(
    project: Project, store: Store, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.apply(store)
    edit(project)
    break_off(project, store, monkeypatch, MONDAY + HOUR)
    project.write(TEXT + SCHEDULE)
    project.apply(store, MONDAY + WEEK + HOUR)
    await run(bench, project, MONDAY + WEEK + 2 * HOUR)
    assert missed(store) == [
        (MONDAY, 1, "no runner was at work"),
        (MONDAY + WEEK, 1, "the campaign was applied half"),
    ]
    rounds = rounds_of(bench, project)
    later = MONDAY + WEEK + 3 * HOUR
    assert await bench.journal.run(lambda ledger: rounds.next_at(ledger, later)) == MONDAY + 2 * WEEK


async def test_a_runner_looks_once_at_rules_that_had_no_round(project: Project, store: Store, bench: Bench) -> None:
    project.apply(store)
    edit(project)
    now = FRIDAY + HOUR
    project.apply(store, now)
    await run(bench, project, now)
    assert store.rounds.noted() == {}
    rounds = rounds_of(bench, project)
    assert await bench.journal.run(lambda ledger: rounds.next_at(ledger, now)) == MONDAY


async def test_an_apply_that_takes_its_time_costs_no_round_of_that_moment(
    project: Project, store: Store, bench: Bench
) -> None:
    """Writing began before a round was due, and ended after it; the plan was asked about for an hour before that."""
    apply_slowly(project, store, planned=MONDAY - WEEK - HOUR)
    await run(bench, project, MONDAY + timedelta(minutes=2))
    assert (missed(store), store.rounds.names_of("renewals")) == ([], ["renewals@2026-04-06T13:00Z"])


async def test_rounds_of_a_pause_and_of_a_cancelled_campaign(project: Project, store: Store, bench: Bench) -> None:
    project.apply(store)
    store.pause("renewals", "by hand", FRIDAY)
    edit(project)
    project.apply(store, MONDAY + HOUR)
    await run(bench, project, MONDAY + 2 * HOUR)
    assert missed(store) == [(MONDAY, 1, "the campaign was paused")]
    standing.cancel_by_hand(store, "renewals", "", MONDAY + 2 * HOUR)
    project.write(TEXT + SCHEDULE)
    project.apply(store, MONDAY + WEEK + HOUR)
    await run(bench, project, MONDAY + WEEK + 2 * HOUR)
    assert len(missed(store)) == 1


@dataclass
class Overtaken:
    """Starts rounds from files, and has somebody apply other rules just before or after one is written."""

    project: Project
    store: Store
    before: bool

    def start(self, campaign: Recurring, at: datetime, now: datetime) -> str:
        starter = FileRounds(workspace=self.project.workspace)
        if not self.before:
            name = starter.start(campaign, at, now)
        edit(self.project)
        self.project.apply(self.store, now)
        return starter.start(campaign, at, now) if self.before else name


@pytest.mark.parametrize("before", [True, False])
async def test_other_rules_that_are_applied_as_a_runner_starts_a_round(
    project: Project, store: Store, bench: Bench, *, before: bool
) -> None:
    project.apply(store)
    at = MONDAY + timedelta(seconds=1)
    bench.clock.at = at
    bench.policies.renew(store.campaigns_in_force())
    rounds = Rounds(
        bench.journal, bench.policies, Overtaken(project, store, before), bench.clock, timedelta(minutes=10)
    )
    await rounds.start()
    assert bench.campaign_state() == ("active", "")
    await run(bench, project, at)
    name = "renewals@2026-04-06T13:00Z"
    assert (missed(store), store.rounds.names_of("renewals")) == ([], [name])
    assert len(bench.transport.sent) == 2
    assert standing.cancel_by_hand(store, "renewals", "", at) is not None
    assert [one.status for one in overview.campaigns(store, at)] == ["cancelled", "cancelled"]


async def test_rules_of_long_ago_that_nobody_can_read_keep_no_runner_from_its_work(
    project: Project, store: Store, bench: Bench
) -> None:
    project.apply(store)
    edit(project)
    project.apply(store, MONDAY + HOUR)
    old = "json_set(policy, '$.schedule.repeat', 'FREQ=DAILY;COUNT=3')"
    store._connection.execute(f"UPDATE revisions SET policy = {old} WHERE id = 1")
    await run(bench, project, MONDAY + WEEK)
    assert store.rounds.names_of("renewals") == ["renewals@2026-04-13T13:00Z"]


@pytest.mark.parametrize("comes_back", [True, False])
async def test_a_cancel_reaches_a_round_that_nobody_noted(
    project: Project, store: Store, bench: Bench, *, comes_back: bool
) -> None:
    project.apply(store)
    project.start(store)  # and the runner ends before it notes it
    edit(project)
    project.apply(store, MONDAY + timedelta(minutes=1))
    assert standing.cancel_by_hand(store, "renewals", "", MONDAY + timedelta(minutes=2)) == 2
    if comes_back:
        project.write(TEXT + SCHEDULE)
        project.apply(store, MONDAY + timedelta(minutes=3))
    await run(bench, project, MONDAY + timedelta(minutes=4))
    assert bench.transport.sent == []


@pytest.mark.parametrize("ordered", ["cancel", "pause"])
async def test_what_is_ordered_while_a_round_is_written_holds_for_it(
    project: Project, store: Store, bench: Bench, monkeypatch: pytest.MonkeyPatch, ordered: str
) -> None:
    project.apply(store)
    real = applying.examine

    def examine(planned: Planned) -> Examined:
        if ordered == "cancel":
            standing.cancel_by_hand(store, "renewals", "", MONDAY)
        else:
            standing.pause_by_hand(store, "renewals", "", MONDAY)
        return real(planned)

    monkeypatch.setattr("runner.wiring.rounds.examine", examine)
    await run(bench, project, MONDAY)
    await run(bench, project, MONDAY + timedelta(minutes=1))
    assert bench.transport.sent == []
    state = {"cancel": "cancelled", "pause": "paused"}[ordered]
    assert [one.status for one in overview.campaigns(store, MONDAY)] == [state, state]
    if ordered == "pause":
        assert standing.resume_by_hand(store, "renewals", "", MONDAY + HOUR)
        await run(bench, project, MONDAY + HOUR)
        assert len(bench.transport.sent) == 2


@pytest.mark.parametrize("written", ["not", "half", "whole"])
@pytest.mark.parametrize("again", [True, False])
async def test_a_campaign_that_repeats_no_more_has_its_rounds_accounted_for(
    project: Project, store: Store, bench: Bench, monkeypatch: pytest.MonkeyPatch, written: str, *, again: bool
) -> None:
    project.apply(store)
    if written == "half":
        cut_short(project, store, monkeypatch)
    elif written == "whole":
        project.start(store)
    project.write(TEXT)
    project.apply(store, MONDAY + HOUR)
    if again:
        edit(project)
        project.apply(store, MONDAY + 2 * HOUR)
    await run(bench, project, MONDAY + 3 * HOUR)
    (noted,) = store.rounds.noted()["renewals"]
    assert (noted.at, noted.state) == (MONDAY, RoundState.STARTED if written == "whole" else RoundState.MISSED)
    assert "draft" not in [one.status for one in overview.campaigns(store, MONDAY + 3 * HOUR)]
    assert store.rounds.repeating() == ({"renewals"} if again else frozenset())
    rounds = rounds_of(bench, project)
    ahead = await bench.journal.run(lambda ledger: rounds.next_at(ledger, MONDAY + 3 * HOUR))
    assert ahead == (MONDAY + WEEK if again else None)


async def test_a_runner_that_is_stopped_between_two_rounds_leaves_none_behind(
    project: Project, store: Store, bench: Bench
) -> None:
    """The older one is in time by the new rules too, the newer one is not: neither is forgotten for the other."""
    project.write(TEXT + SCHEDULE.replace("0 9", "0,5 9"))
    project.apply(store)
    edit(project)
    project.apply(store, MONDAY + timedelta(minutes=6))
    bench.clock.at = MONDAY + timedelta(minutes=7)
    bench.policies.renew(store.campaigns_in_force())
    stopped = rounds_of(bench, project)
    stopped.stop()
    await stopped.start()
    assert store.rounds.noted() == {}
    await run(bench, project, MONDAY + timedelta(minutes=8))
    assert [(one.at, one.state) for one in store.rounds.noted()["renewals"]] == [
        (MONDAY, RoundState.STARTED),
        (MONDAY + timedelta(minutes=5), RoundState.MISSED),
    ]
    assert len(bench.transport.sent) == 2


async def test_an_apply_heals_one_whose_clock_was_ahead(project: Project, store: Store, bench: Bench) -> None:
    project.apply(store, FRIDAY + 52 * WEEK)
    await run(bench, project, MONDAY)
    assert bench.transport.sent == []
    edit(project)
    project.apply(store, MONDAY + HOUR)
    await run(bench, project, MONDAY + WEEK)
    assert store.rounds.names_of("renewals") == ["renewals@2026-04-13T13:00Z"]
    assert missed(store) == []


async def test_a_clock_that_went_back_behind_an_apply_keeps_nobody_busy(
    project: Project, store: Store, bench: Bench
) -> None:
    project.apply(store)
    edit(project)
    project.apply(store, MONDAY + HOUR)
    rounds = rounds_of(bench, project)
    before = MONDAY - HOUR
    bench.policies.renew(store.campaigns_in_force())
    assert await bench.journal.run(lambda ledger: rounds.next_at(ledger, before)) == MONDAY + HOUR
    bench.clock.at = before
    await rounds.start()  # as it is for the round of another campaign
    await run(bench, project, MONDAY + HOUR)
    assert missed(store) == [(MONDAY, 1, "no runner was at work")]


async def test_a_file_that_was_moved_and_applied_while_a_round_starts_refuses_none(
    project: Project, store: Store, bench: Bench
) -> None:
    project.apply(store)
    folder = project.root / "campaigns"

    class Moved:
        def start(self, campaign: Recurring, at: datetime, now: datetime) -> str:
            (folder / "renewals.yaml").rename(folder / "moved.yaml")
            project.apply(store, now)
            return FileRounds(workspace=project.workspace).start(campaign, at, now)

    bench.clock.at = MONDAY
    bench.policies.renew(store.campaigns_in_force())
    await Rounds(bench.journal, bench.policies, Moved(), bench.clock, timedelta(minutes=10)).start()
    assert bench.campaign_state() == ("active", "")
    await run(bench, project, MONDAY + timedelta(minutes=1))
    assert len(bench.transport.sent) == 2


async def test_a_campaign_that_comes_back_as_a_round_is_due_has_it(
    project: Project, store: Store, bench: Bench
) -> None:
    project.apply(store)
    standing.cancel_by_hand(store, "renewals", "", FRIDAY)
    edit(project)
    apply_slowly(project, store, planned=MONDAY - HOUR)
    await run(bench, project, MONDAY + timedelta(minutes=2))
    assert len(bench.transport.sent) == 2
