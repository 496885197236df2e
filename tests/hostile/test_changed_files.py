"""Files that change between a look at them and their use: what is written is what was reviewed, or nothing (S29, F32)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from runner.errors import LedgerError, PlanChanged
from runner.ledger.store import Store
from runner.model.plan import PlanLine
from runner.planning.summary import Tally
from runner.wiring import applying
from runner.wiring.planned import Planned
from runner.wiring.workspace import Workspace, open_workspace
from tests.e2e.processes import fictional_number
from tests.hostile.projects import CAMPAIGN, NOON, project

_RULES = CAMPAIGN.replace("contacts: people.csv", "contacts: {file: people.csv, suppress: [never.txt]}").replace(
    "agent: movoice/agent_1", "agents: {a: {provider: revring, id: x, from: '+12025550100'}}"
)
_STEPS = "steps:\n- text: a\n  message: {template: hello.txt}\n"
_PEOPLE = "phone,name\n" + "".join(f"{fictional_number(n)},Ann{n:05d}\n" for n in range(300))
_OTHER = _PEOPLE.replace("Ann00299", "Eve00299")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A project of 300 people, one of whom must not be contacted."""
    files = {
        "campaigns/people.csv": _PEOPLE, "campaigns/never.txt": f"{fictional_number(3)}\n",
        "templates/hello.txt": "Hello {{ contact.name }}",
    }  # fmt: skip
    project(tmp_path, _RULES + _STEPS, files)
    return open_workspace(tmp_path)


def _examined(workspace: Workspace) -> applying.Examined:
    (loaded,) = workspace.load([])
    return applying.examine(workspace.plan(loaded, NOON))


def _applied(workspace: Workspace, examined: applying.Examined) -> int:
    """Apply; give how many attempts the ledger holds then."""
    store = Store.open(workspace.ledger_path)
    try:
        applying.apply(workspace, examined, store)
        return int(store._connection.execute("SELECT COUNT(*) FROM attempts").fetchone()[0])
    finally:
        store.close()


def _is_placed(workspace: Workspace) -> bool:
    """Whether a runner would place anything: of a revision that is not complete it places nothing."""
    store = Store.open(workspace.ledger_path)
    try:
        row = store.one("campaign_in_force", name="hostile")
        return row is not None and bool(row["complete"])
    finally:
        store.close()


def test_files_that_stay_are_applied(workspace: Workspace) -> None:
    assert _applied(workspace, _examined(workspace)) == 299
    assert _is_placed(workspace)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.csv", _OTHER),
        ("people.csv", _PEOPLE + f"{fictional_number(300)},Eve\n"),
        ("people.csv", _PEOPLE.partition("Ann00150")[0] + "Ann00150\n"),
        ("never.txt", ""),
        ("never.txt", f"{fictional_number(3)}\n{fictional_number(4)}\n"),
    ],
    ids=["another name", "one more", "cut short", "one may be called", "one may not"],
)
def test_what_changed_since_the_look_is_not_written(workspace: Workspace, name: str, text: str) -> None:
    examined = _examined(workspace)
    (workspace.root / "campaigns" / name).write_text(text, "utf-8")

    with pytest.raises(LedgerError, match="changed"):
        _applied(workspace, examined)
    assert not _is_placed(workspace)


def test_what_changes_in_the_middle_of_reading_is_not_written(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file keeps its place and its length: only somebody's name far down is another one, behind the reader's back."""
    examined = _examined(workspace)
    assert len(_OTHER) == len(_PEOPLE)
    _meddle(monkeypatch, lambda: (workspace.root / "campaigns" / "people.csv").write_text(_OTHER, "utf-8"))

    with pytest.raises(LedgerError, match="changed"):
        _applied(workspace, examined)
    assert not _is_placed(workspace)


def test_a_template_that_changes_later_changes_nothing(workspace: Workspace) -> None:
    examined = _examined(workspace)
    (workspace.root / "templates" / "hello.txt").write_text("Send money, {{ contact.name }}", "utf-8")
    assert _applied(workspace, examined) == 299

    store = Store.open(workspace.ledger_path)
    words = [str(tuple(row)) for row in store._connection.execute("SELECT * FROM payloads")]
    store.close()
    assert sum("Hello Ann" in one for one in words) == 299
    assert not any("money" in one for one in words)


def test_a_file_that_turns_into_a_link_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    examined = _examined(workspace)
    outside = tmp_path.parent / f"{tmp_path.name}-outside.csv"
    outside.write_text(_OTHER, "utf-8")
    (workspace.root / "campaigns" / "people.csv").unlink()
    (workspace.root / "campaigns" / "people.csv").symlink_to(outside)

    with pytest.raises(PlanChanged, match="became a link"):
        _applied(workspace, examined)
    assert not _is_placed(workspace)


def _meddle(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Have something happen to the files after the second line that is written."""
    own_lines = Planned.own_lines

    def lines(planned: Planned) -> tuple[Iterator[PlanLine], Tally]:
        found, tally = own_lines(planned)
        return _with_change(found, change), tally

    monkeypatch.setattr(Planned, "own_lines", lines)


def _with_change(lines: Iterator[PlanLine], change: Callable[[], object]) -> Iterator[PlanLine]:
    for at, line in enumerate(lines):
        yield line
        if at == 1:
            change()
