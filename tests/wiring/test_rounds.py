"""Rounds from files: contacts read anew, rules held against what was applied, each round a campaign of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.engine.journal import Journal
from runner.engine.rounds import NOT_STARTED, Rounds
from runner.errors import FilesWrong, LedgerError
from runner.ledger import overview, standing
from runner.ledger.instants import from_micros
from runner.ledger.store import Store
from runner.model.rounds import Recurring, RoundState
from runner.report.rounds_view import status_sentence
from runner.wiring import applying
from runner.wiring.applying import Applied, Examined
from runner.wiring.planned import Planned
from runner.wiring.rounds import FileRounds
from runner.wiring.running import engine, own_sandbox
from runner.wiring.workspace import Workspace, open_workspace
from tests import building
from tests.building import Bench

MONDAY = datetime(2026, 4, 6, 13, tzinfo=UTC)
FRIDAY = MONDAY - timedelta(days=3)
HOUR, WEEK = timedelta(hours=1), timedelta(days=7)

TEXT = """\
campaign: renewals
purpose: informational
agent: movoice/agent_1
contacts: people.csv
timezone: America/New_York
windows: daily 08:00-20:00
variables:
  greeting: "{{ campaign.name }} for {{ contact.phone }}"
"""
SCHEDULE = """\
schedule:
  repeat: 0 9 * * mon
  timezone: America/New_York
"""
ADA, BOB, CAM = "+12025550143", "+12025550144", "+12025550145"


class Project:
    """A project in a folder with one campaign that repeats."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "campaigns").mkdir()
        self.write(TEXT + SCHEDULE)
        self.people(ADA, BOB)

    def write(self, text: str) -> None:
        (self.root / "campaigns" / "renewals.yaml").write_text(text, encoding="utf-8")

    def people(self, *phones: str) -> None:
        rows = "".join(f"{phone}\n" for phone in phones)
        (self.root / "campaigns" / "people.csv").write_text(f"phone\n{rows}", encoding="utf-8")

    @property
    def workspace(self) -> Workspace:
        return open_workspace(self.root, {})

    def apply(self, store: Store, now: datetime = FRIDAY) -> Applied:
        workspace = self.workspace
        (loaded,) = workspace.load([])
        examined = applying.examine(workspace.plan(loaded, now))
        applying.refuse_bad_rows([examined])
        return applying.apply(workspace, examined, store)

    def start(self, store: Store, at: datetime = MONDAY, now: datetime | None = None) -> str:
        (one,) = store.rounds.recurring()
        return FileRounds(workspace=self.workspace).start(one, at, now or at)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)


@pytest.fixture
def store(project: Project) -> Iterator[Store]:
    opened = Store.open(project.workspace.ledger_path)
    yield opened
    opened.close()


@pytest.fixture
async def bench(store: Store) -> AsyncIterator[Bench]:
    async with Journal(store) as journal:
        yield building.bench(store, journal)


def keys(store: Store, of: str) -> set[str]:
    found = store._connection.execute(
        "SELECT a.key FROM attempts a JOIN campaigns c ON c.id = a.campaign_id WHERE c.name = ?", (of,)
    )
    return {row["key"] for row in found}


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


def cut_short(project: Project, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a runner end while it writes a round down: one of two people is in the ledger."""
    begun, real = [], Store.change

    def change(self: Store, name: str, /, **values: object) -> int:
        if name == "add_first_attempt":
            begun.append(name)
            if len(begun) > 1:
                raise KeyboardInterrupt
        return real(self, name, **values)

    with monkeypatch.context() as patched:
        patched.setattr("runner.ledger.revisions.CHUNK", 1)
        patched.setattr(Store, "change", change)
        with pytest.raises(KeyboardInterrupt):
            project.start(store)


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


def rounds_of(bench: Bench, project: Project) -> Rounds:
    starter = FileRounds(workspace=project.workspace)
    return Rounds(bench.journal, bench.policies, starter, bench.clock, timedelta(minutes=10))


async def run(bench: Bench, project: Project, at: datetime) -> None:
    """Have a fresh runner look at an instant and do what is due."""
    bench.clock.at = at
    bench.policies.renew(bench.store.campaigns_in_force())
    rounds = rounds_of(bench, project)
    found = await bench.journal.run(lambda ledger: rounds.next_at(ledger, at))
    if found is not None and found <= at:
        await rounds.start()
    for name in [one.name for one in bench.store.campaigns_in_force()]:
        await bench.deliver(of=name)


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


def missed(store: Store) -> list[tuple[datetime, int, str]]:
    noted = store.rounds.noted().get("renewals", ())
    return [(one.at, one.count, one.reason) for one in noted if one.state is RoundState.MISSED]


def edit(project: Project, schedule: str = SCHEDULE) -> None:
    project.write((TEXT + schedule).replace("daily 08:00-20:00", "daily 09:00-20:00"))


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
    workspace = project.workspace
    (loaded,) = workspace.load([])
    examined = applying.examine(workspace.plan(loaded, MONDAY - WEEK - HOUR))
    instants = iter((MONDAY - timedelta(minutes=1), MONDAY + timedelta(minutes=1)))
    applying.apply_all(workspace, [examined], store, lambda: next(instants))
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
    workspace = project.workspace
    (loaded,) = workspace.load([])
    examined = applying.examine(workspace.plan(loaded, MONDAY - HOUR))
    instants = iter((MONDAY - timedelta(minutes=1), MONDAY + timedelta(minutes=1)))
    applying.apply_all(workspace, [examined], store, lambda: next(instants))
    await run(bench, project, MONDAY + timedelta(minutes=2))
    assert len(bench.transport.sent) == 2
