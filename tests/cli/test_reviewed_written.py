"""What changes while a plan is written: all its campaigns are put in force, as they were reviewed, or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from runner.ledger.store import Store
from runner.ledger.suppressions import lift
from runner.model.plan import PlanLine
from runner.planning.summary import Tally
from runner.wiring.left_agents import left_agents
from runner.wiring.planned import Planned
from tests.building import NOON
from tests.cli.agents_project import AGENTS, CAMPAIGN, Place
from tests.cli.agents_server import AgentsServer
from tests.cli.reviewed_project import OTHER, PEOPLE, PLAN, Project
from tests.cli.running import Shell


@pytest.fixture
def project(tmp_path: Path, shell: Shell) -> Project:
    """Give a project whose campaign was never applied."""
    return Project(tmp_path, shell)


def test_contacts_that_change_after_the_check_place_nothing(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = project.digest()

    def meanwhile(*args: Any, **words: Any) -> Any:
        project.write("campaigns/people.csv", PEOPLE.replace("0144", "0145"))
        return left_agents(*args, **words)

    monkeypatch.setattr(import_module("runner.cli.apply"), "left_agents", meanwhile)
    done = project("apply", "--reviewed", digest)

    assert (done.code, "the files of visits changed while they were applied" in done.err) == (4, True)
    assert _in_force(project.root) == {"visits": False}, "what is not complete places nothing"


def _in_force(root: Path) -> dict[str, bool]:
    """Give the campaigns of a ledger, and whether they may place something."""
    store = Store.open_read_only(root / ".outreach/ledger.db")
    try:
        return {row["name"]: bool(row["complete"]) for row in store.all("campaigns_in_force")}
    finally:
        store.close()


def _change_after(monkeypatch: pytest.MonkeyPatch, campaign: str, change: Callable[[], object]) -> None:
    """Have something happen once every line of one campaign was written."""
    own_lines = Planned.own_lines

    def lines(planned: Planned) -> tuple[Iterator[PlanLine], Tally]:
        found, tally = own_lines(planned)
        return (_then(found, change) if planned.name == campaign else found), tally

    monkeypatch.setattr(Planned, "own_lines", lines)


def _then(lines: Iterator[PlanLine], change: Callable[[], object]) -> Iterator[PlanLine]:
    yield from lines
    change()


FIRST = OTHER.replace("campaign: other", "campaign: first")
STILL = "so first and visits place nothing until they are applied again"


@pytest.mark.parametrize("is_reviewed", [False, True])
@pytest.mark.parametrize("command", [("apply",), ("run", "campaigns", "--sandbox", "--yes")])
def test_of_several_campaigns_all_are_put_in_force_or_none(
    project: Project, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], *, is_reviewed: bool
) -> None:
    """The contacts of the second one change when the first one is written."""
    project.write("campaigns/first.yaml", FIRST)
    project.write("campaigns/a.yaml", OTHER)
    assert project(*(word for word in command if word != "campaigns"), "campaigns/a.yaml").code in {0, 5}
    review = ("--reviewed", project.digest()) if is_reviewed else ()
    _change_after(monkeypatch, "first", lambda: project.write("campaigns/people.csv", PEOPLE.replace("0144", "0145")))
    done = project(*command, *review)

    assert done.code == (4 if is_reviewed else 1)
    assert "the files of visits changed while they were applied" in done.err
    assert _in_force(project.root) == {"first": False, "visits": False, "other": True}
    assert STILL in done.err, "what was in force before as it is, stays so"
    help_line = "review it anew: outreach" if is_reviewed else "look at it, and apply again: outreach"
    assert f"= help: {help_line} plan" in done.err

    monkeypatch.undo()
    monkeypatch.chdir(project.root)
    again = ("--reviewed", project.digest()) if is_reviewed else ()
    assert project(*command, *again).code in {0, 5}
    assert _in_force(project.root) == {"first": True, "visits": True, "other": True}


def test_a_crash_between_two_campaigns_leaves_none_in_force_and_the_next_apply_all(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("campaigns/first.yaml", FIRST)
    digest = project.digest()

    def die() -> None:
        raise SystemExit(137)

    _change_after(monkeypatch, "visits", die)
    with pytest.raises(SystemExit):
        project("apply", "--reviewed", digest)
    assert _in_force(project.root) == {"first": False, "visits": False}

    monkeypatch.undo()
    monkeypatch.chdir(project.root)
    assert project("apply", "--reviewed", digest).code == 0, "the plan is the same one"
    assert _in_force(project.root) == {"first": True, "visits": True}


PEOPLE_OF_RENEWALS = "phone,name,timezone\n+12025550143,Ann,America/New_York\n"


@pytest.fixture
def renewals(place: Place) -> Place:
    """Give a campaign that defines an agent and reads its contacts from a file."""
    people = place.root / "campaigns/people.csv"
    people.write_text(PEOPLE_OF_RENEWALS)
    inline = CAMPAIGN.splitlines()[2]
    place.write(AGENTS["revox"], head=CAMPAIGN.replace(inline, "contacts: people.csv"))
    return place


def _digest(place: Place) -> str:
    return str(json.loads(place(*PLAN).splitlines()[-1])["summary"]["digest"])


def test_no_agent_is_made_for_another_plan(renewals: Place, server: AgentsServer) -> None:
    digest = _digest(renewals)
    (renewals.root / "campaigns/people.csv").write_text(PEOPLE_OF_RENEWALS.replace("0143", "0145"))
    renewals("apply", "--reviewed", digest, code=4)

    assert (server.asked, (renewals.root / ".outreach").exists()) == ([], False)


def test_a_plan_whose_agents_exist_by_now_is_reviewed_once_more(renewals: Place, server: AgentsServer) -> None:
    digest = _digest(renewals)
    renewals("apply", "--reviewed", digest)
    again = renewals("apply", "--reviewed", digest, code=4)

    assert "the files are the same, and the ledger is not: since then agents were created" in again
    assert [method for method, _ in server.writes()] == ["POST"]
    assert "nothing changes" in renewals("apply", "--reviewed", _digest(renewals))


def test_contacts_that_change_while_an_agent_is_made_reach_nobody(
    renewals: Place, server: AgentsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is made anew with the agent's id: its digest is another one by right, its people must not be."""
    digest, plain = _digest(renewals), server.answer

    def meanwhile(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any] | None:
        if method == "POST":
            (renewals.root / "campaigns/people.csv").write_text(PEOPLE_OF_RENEWALS.replace("0143", "0145"))
        return plain(method, path, body)

    monkeypatch.setattr(server, "answer", meanwhile)
    said = renewals("apply", "--reviewed", digest, code=4)

    assert "another plan while its agents were created" in said
    assert "= help: review it anew: outreach plan" in said
    assert not _in_force(renewals.root).get("renewals")


def _forbid(place: Place) -> None:
    _with_ledger(place, lambda store: store.suppress("+12025550144", "asked us", "test", NOON))


def _allow(place: Place) -> None:
    _with_ledger(place, lambda store: lift(store, "+12025550144", "asked again", "test", NOON))


def _leave(place: Place) -> None:
    """Do nothing."""


def _with_ledger(place: Place, change: Callable[[Store], object]) -> None:
    store = Store.open(place.root / ".outreach/ledger.db")
    try:
        change(store)
    finally:
        store.close()


@pytest.mark.parametrize("is_reviewed", [False, True])
@pytest.mark.parametrize(("before", "meanwhile"), [(_forbid, _allow), (_leave, _forbid)])
def test_what_the_ledger_says_of_people_while_an_agent_is_made_makes_another_plan(
    renewals: Place, server: AgentsServer, monkeypatch: pytest.MonkeyPatch,
    before: Callable[[Place], None], meanwhile: Callable[[Place], None], *, is_reviewed: bool,
) -> None:  # fmt: skip
    """Whoever the plan left out stays out, and whoever opts out in between does not get in."""
    people = renewals.root / "campaigns/people.csv"
    people.write_text(PEOPLE_OF_RENEWALS + "+12025550144,Bo,America/New_York\n")
    before(renewals)
    digest, plain = _digest(renewals), server.answer

    def answer(method: str, path: str, body: dict[str, Any] | None) -> tuple[int, Any] | None:
        if method == "POST":
            meanwhile(renewals)
        return plain(method, path, body)

    monkeypatch.setattr(server, "answer", answer)
    review = ("--reviewed", digest) if is_reviewed else ()
    said = renewals("apply", *review, code=4 if is_reviewed else 1)

    assert "another plan while its agents were created" in said
    assert renewals.contacts() == 0
    again = ("--reviewed", _digest(renewals)) if is_reviewed else ()
    renewals("apply", *again)
    assert renewals.contacts() == 1 + (meanwhile is _allow)
