"""Rounds from files: contacts read anew, rules held against what was applied, each round a campaign of its own."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from runner.engine.rounds import NOT_STARTED
from runner.errors import FilesWrong, LedgerError
from runner.ledger import overview
from runner.ledger.instants import from_micros
from runner.ledger.store import Store
from runner.model.rounds import RoundState
from runner.wiring import applying
from runner.wiring.rounds import FileRounds
from runner.wiring.running import engine, own_sandbox
from tests import building
from tests.building import Bench
from tests.wiring.rounds_project import (
    ADA,
    BOB,
    CAM,
    FRIDAY,
    HOUR,
    MONDAY,
    SCHEDULE,
    TEXT,
    WEEK,
    Project,
    cut_short,
    keys,
    run,
)


def test_a_campaign_that_repeats_is_applied_without_people(project: Project, store: Store) -> None:
    applied = project.apply(store)
    assert (applied.recorded.created, applied.summary.contacts) == (0, 2)
    assert building.states(store) == []
    (one,) = store.rounds.recurring()
    assert (one.name, one.file, one.since, one.is_active) == ("renewals", "campaigns/renewals.yaml", FRIDAY, True)
    # Other people are no other rules: there is nothing to apply.
    project.people(CAM)
    assert not project.apply(store, FRIDAY + HOUR).recorded.is_new


def test_each_round_has_the_people_of_its_moment_and_keys_of_its_own(project: Project, store: Store) -> None:
    project.apply(store)
    first = project.start(store)
    project.people(BOB, CAM)
    second = project.start(store, MONDAY + WEEK)
    assert (first, second) == ("renewals@2026-04-06T13:00Z", "renewals@2026-04-13T13:00Z")
    assert set(building.standing(store, first)) == {ADA, BOB}
    assert set(building.standing(store, second)) == {BOB, CAM}
    assert len(keys(store, first) | keys(store, second)) == 4
    assert building.states(store, "renewals") == []
    bodies = store._connection.execute("SELECT body FROM payloads").fetchall()
    assert all("renewals for +1" in row["body"] for row in bodies)


def test_a_round_is_made_once_however_often_it_is_started(project: Project, store: Store) -> None:
    project.apply(store)
    project.start(store)
    before = building.dump(store)
    project.people(CAM)
    assert project.start(store, MONDAY, MONDAY + HOUR) == "renewals@2026-04-06T13:00Z"
    assert building.dump(store) == before


def test_a_round_that_a_crash_cut_short_is_finished(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.apply(store)
    cut_short(project, store, monkeypatch)
    name = "renewals@2026-04-06T13:00Z"
    assert [one.status for one in overview.campaigns(store, MONDAY)] == ["running", "draft"]
    assert len(keys(store, name)) == 1
    project.start(store)
    assert set(building.standing(store, name)) == {ADA, BOB}
    assert len(keys(store, name)) == 2
    assert [one.is_active for one in store.campaigns_in_force()] == [True, True]


def test_half_a_round_that_is_too_late_never_begins(project: Project, store: Store) -> None:
    project.apply(store)
    project.start(store)
    name = "renewals@2026-04-06T13:00Z"
    store._connection.execute("UPDATE revisions SET complete = 0 WHERE id = (SELECT MAX(id) FROM revisions)")
    store.rounds.drop_half(name, "no runner was at work")
    assert [one.is_active for one in store.campaigns_in_force() if one.name == name] == [False]
    assert [one.status for one in overview.campaigns(store, MONDAY) if one.campaign == name] == ["cancelled"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("daily 08:00-20:00", "daily 07:00-22:00", "`windows` of campaigns/renewals.yaml changed since it was applied"),
        ("repeat: 0 9", "repeat: 30 9", "`schedule` of campaigns/renewals.yaml changed since it was applied"),
        ("campaign: renewals", "campaign: others", "campaigns/renewals.yaml holds another campaign now, `others`"),
    ],
)
def test_rules_that_nobody_applied_start_no_round(
    project: Project, store: Store, old: str, new: str, message: str
) -> None:
    project.apply(store)
    project.write((TEXT + SCHEDULE).replace(old, new))
    with pytest.raises(LedgerError) as refused:
        project.start(store)
    assert refused.value.message == message
    assert [one.name for one in store.campaigns_in_force()] == ["renewals"]


def test_a_template_that_changed_starts_no_round(project: Project, store: Store) -> None:
    (project.root / "templates").mkdir()
    template = project.root / "templates" / "words.j2"
    template.write_text("hello", encoding="utf-8")
    project.apply(store)
    template.write_text("goodbye", encoding="utf-8")
    with pytest.raises(LedgerError, match="templates of renewals changed since it was applied"):
        project.start(store)


@pytest.mark.parametrize(("rules", "command"), [("", "outreach apply"), ("review: required\n", "outreach plan")])
def test_a_round_that_is_refused_names_the_command_that_goes_on(
    project: Project, store: Store, rules: str, command: str
) -> None:
    (project.root / "outreach.yaml").write_text(rules, encoding="utf-8")
    project.apply(store)
    project.write((TEXT + SCHEDULE).replace("08:00", "09:00"))
    with pytest.raises(LedgerError) as refused:
        project.start(store)
    assert refused.value.help == command


def test_another_version_of_the_tool_starts_no_round(
    project: Project, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.apply(store)
    monkeypatch.setattr("runner.planning.digest.__version__", "9.9.9")
    monkeypatch.setattr("runner.wiring.rounds.__version__", "9.9.9")
    with pytest.raises(LedgerError, match=r"outreach .* applied it, and this is 9\.9\.9"):
        project.start(store)


@pytest.mark.parametrize("skips", [False, True])
def test_bad_rows_follow_on_bad_row(project: Project, store: Store, *, skips: bool) -> None:
    source = "contacts:\n  file: people.csv\n  on_bad_row: skip\n" if skips else "contacts: people.csv\n"
    project.write((TEXT + SCHEDULE).replace("contacts: people.csv\n", source))
    project.apply(store)
    project.people(ADA, "12")
    if not skips:
        with pytest.raises(FilesWrong):
            project.start(store)
        return
    assert set(building.standing(store, project.start(store))) == {ADA}


def test_an_ordinary_campaign_that_begins_to_repeat_calls_off_what_was_planned_and_back(
    project: Project, store: Store
) -> None:
    project.write(TEXT)
    project.apply(store)
    assert [state for *_, state in building.states(store)] == ["planned", "planned"]
    project.write(TEXT + SCHEDULE)
    assert project.apply(store, FRIDAY + HOUR).recorded.removed == 2
    assert [state for *_, state in building.states(store)] == ["superseded", "superseded"]
    assert [one.name for one in store.rounds.recurring()] == ["renewals"]
    project.write(TEXT)
    project.apply(store, FRIDAY + 2 * HOUR)
    assert [state for *_, state in building.states(store)] == ["planned", "planned"]


async def test_the_same_person_is_called_in_each_round(project: Project, store: Store, bench: Bench) -> None:
    project.people(ADA)
    project.apply(store)
    bench.transport.looks = [building.reply({"status": "completed"})]
    for week in range(3):
        await run(bench, project, MONDAY + week * WEEK)
        bench.clock.forward(HOUR)
        await bench.ask()
    assert len(bench.transport.sent) == 3
    assert [one.status for one in overview.campaigns(store, bench.clock.at)][1:] == ["completed"] * 3


async def test_a_person_who_is_still_on_the_line_is_not_called_twice_at_once(
    project: Project, store: Store, bench: Bench
) -> None:
    project.people(ADA)
    project.apply(store)
    await run(bench, project, MONDAY)
    await run(bench, project, MONDAY + WEEK)
    assert len(bench.transport.sent) == 1
    assert [state for *_, state in building.states(store, "renewals@2026-04-13T13:00Z")] == ["planned"]


@pytest.mark.parametrize(("hours", "sent", "states"), [(5, 1, ["accepted"]), (30, 0, [])])
async def test_nothing_older_than_expires_is_sent_late(
    project: Project, store: Store, bench: Bench, hours: int, sent: int, states: list[str]
) -> None:
    project.people(ADA)
    retry = "retry: {attempts: 1, expires: 1d}\n"
    project.write(TEXT + retry + SCHEDULE + "  catch_up: all\n")
    project.apply(store)
    await run(bench, project, MONDAY + hours * HOUR)
    assert len(bench.transport.sent) == sent
    assert [state for *_, state in building.states(store, "renewals@2026-04-06T13:00Z")] == states


async def test_a_round_that_was_started_and_found_much_later_expires_too(
    project: Project, store: Store, bench: Bench
) -> None:
    project.people(ADA)
    project.write(TEXT + "retry: {attempts: 1, expires: 1d}\n" + SCHEDULE)
    project.apply(store)
    name = project.start(store)
    # The machine went down before anybody was called; it is back on Wednesday.
    bench.clock.at = MONDAY + 48 * HOUR
    await bench.deliver(of=name)
    assert bench.transport.sent == []
    assert [state for *_, state in building.states(store, name)] == ["expired"]


async def test_a_late_round_still_waits_for_its_windows(project: Project, store: Store, bench: Bench) -> None:
    project.people(ADA)
    project.write(TEXT + SCHEDULE + "  catch_up: last\n")
    project.apply(store)
    night = MONDAY + 14 * HOUR
    await run(bench, project, night)
    assert bench.transport.sent == []
    await run(bench, project, MONDAY + 23 * HOUR)
    assert len(bench.transport.sent) == 1


async def test_applying_again_ends_the_pause_of_a_round_that_was_refused(
    project: Project, store: Store, bench: Bench
) -> None:
    project.apply(store)
    project.write((TEXT + SCHEDULE).replace("daily 08:00-20:00", "daily 09:00-20:00"))
    await run(bench, project, MONDAY)
    state, reason = bench.campaign_state()
    assert (state, reason.startswith(NOT_STARTED)) == ("paused", True)
    assert [one.state for one in store.rounds.noted()["renewals"]] == [RoundState.REFUSED]
    project.apply(store, MONDAY + HOUR)
    assert bench.campaign_state() == ("active", "")
    await run(bench, project, MONDAY + WEEK)
    assert len(bench.transport.sent) == 2


def test_a_plan_shows_the_next_round_and_its_digest_is_of_the_rules(project: Project, store: Store) -> None:
    workspace = project.workspace
    (loaded,) = workspace.load([])
    planned = workspace.plan(loaded, FRIDAY)
    lines, tally = planned.lines()
    shown = list(lines)
    summary = tally.summary()
    assert {(line.campaign, line.not_before) for line in shown} == {("renewals@2026-04-06T13:00Z", MONDAY)}
    (rounds,) = summary.rounds
    assert rounds.next_at == (MONDAY, MONDAY + WEEK, MONDAY + 2 * WEEK)
    assert not rounds.is_in_force
    project.apply(store)
    project.people(CAM)
    again = applying.examine(workspace.plan(loaded, FRIDAY + HOUR)).summary
    assert again.digest == summary.digest
    assert again.rounds[0].is_in_force
    project.people(ADA, BOB)
    assert keys(store, project.start(store)) == {line.key for line in shown}


async def test_a_runner_for_good_begins_rounds_on_time_and_places_them(project: Project, store: Store) -> None:
    # Time that nobody needs passes at once there: without an end, more rounds would come.
    project.write(TEXT + SCHEDULE + "  end: 2026-04-12\n")
    workspace = project.workspace
    begin = MONDAY - timedelta(minutes=30)
    project.apply(store, FRIDAY)
    async with own_sandbox(workspace.accounts, seed=1, start=begin) as surroundings:
        pointed = workspace.pointed_at(surroundings.accounts)
        starter = FileRounds(workspace=pointed)
        async with engine(workspace.ledger_path, surroundings, starter=starter) as running:
            loop = asyncio.create_task(running.run(until_done=False))
            async with asyncio.timeout(30):
                while not any(  # noqa: ASYNC110 the ledger rings no bell
                    one.round_of and one.status == "completed" for one in await running.overview()
                ):
                    await asyncio.sleep(0.05)
            running.dispatcher.stop()
            await loop
            dials = await running.check_dials()
    assert (dials.dials, dials.twice) == (2, 0)
    first = store.rounds.noted()["renewals"][0]
    assert (first.at, first.state) == (MONDAY, RoundState.STARTED)
    sent = store._connection.execute("SELECT MIN(sent_at) FROM attempts").fetchone()[0]
    assert from_micros(sent) >= MONDAY
