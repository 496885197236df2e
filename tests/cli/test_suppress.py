"""The list of people who must not be contacted, by command: add, remove, list, import, export."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.ledger import sqlite
from runner.ledger.store import Store
from runner.schedule.clock import SystemClock
from tests.cli.running import Shell

A, B, C = "+12025550143", "+12025550144", "+442079460000"
NOW = SystemClock().now()
LATER = (NOW + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%SZ")
_CAMPAIGN = """\
campaign: people
purpose: informational
agent: movoice/agent_1
timezone: America/New_York
windows: daily 00:00-24:00
contacts: [{phone: "+12025550143"}, {phone: "+12025550144"}]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "people.yaml").write_text(_CAMPAIGN, encoding="utf-8")
    return tmp_path


def ledger(folder: Path) -> Store:
    return Store.open(folder / ".outreach" / "ledger.db")


def listed(shell: Shell, folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    done = shell("suppress", "list", "--format", "json", *words, cwd=folder)
    assert done.code == 0
    return {one["phone"]: one for one in json.loads(done.out)["suppressions"]}


def waiting(folder: Path) -> list[tuple[str, str]]:
    store = ledger(folder)
    found = store._connection.execute("SELECT phone, state FROM attempts ORDER BY phone").fetchall()
    store.close()
    return [tuple(row) for row in found]


def test_a_list_comes_before_the_first_campaign(shell: Shell, folder: Path) -> None:
    done = shell("suppress", "add", "(202) 555-0143", "--country", "us", cwd=folder)
    assert (done.code, done.out) == (0, f"{A} is on the list: asked not to be contacted (by hand)\n")
    assert shell("suppress", "add", A, "--reason", "again", cwd=folder).out == (
        f"{A} was on the list before: asked not to be contacted (by hand)\n"
    )
    plan = shell("plan", "--format", "json", cwd=folder).lines()
    reasons = {line["contact"]["phone"]: line["reason"] for line in plan if "contact" in line}
    assert reasons[A] == "must not be contacted: asked not to be contacted (by hand)"
    assert reasons[B] is None


def test_adding_calls_off_what_is_planned(shell: Shell, folder: Path) -> None:
    assert shell("apply", "--yes", cwd=folder).code == 0
    assert shell("suppress", "add", A, "--reason", "letter of 3 May", "--source", "legal", cwd=folder).code == 0
    assert waiting(folder) == [(A, "suppressed"), (B, "planned")]
    assert listed(shell, folder)[A] | {"at": ""} == {
        "phone": A, "reason": "letter of 3 May", "source": "legal", "at": "", "until": None, "holds": True,
    }  # fmt: skip


def test_a_rest_leaves_the_plan_and_puts_it_off(shell: Shell, folder: Path) -> None:
    assert shell("apply", "--yes", cwd=folder).code == 0
    assert shell("suppress", "add", A, "--until", LATER, "--reason", "on holiday", cwd=folder).code == 0
    assert waiting(folder) == [(A, "planned"), (B, "planned")]
    lines = shell("plan", "--format", "json", cwd=folder).lines()
    plan = {line["contact"]["phone"]: line for line in lines if "contact" in line}
    assert plan[A]["not_before"] == LATER
    assert plan[A]["waits"].endswith(": on holiday")
    assert plan[B]["waits"] is None
    assert listed(shell, folder)[A]["until"] == LATER
    done = shell("suppress", "add", B, "--until", "2020-01-01T00:00:00Z", cwd=folder)
    assert (done.code, "is over" in done.err) == (2, True)


def test_removing_keeps_the_entry_and_says_who_lists_the_number_still(shell: Shell, folder: Path) -> None:
    shell("suppress", "add", A, cwd=folder)
    store = ledger(folder)
    store.letters.listed("clinic", [A], NOW)
    store.close()
    assert shell("suppress", "remove", A, cwd=folder).code == 2
    done = shell("suppress", "remove", A, "--reason", "asked to be called again", cwd=folder)
    assert (done.code, done.out) == (0, f"{A} may be contacted again; what was called off stays so\n")
    assert "the do-not-call list of account clinic has the number too" in done.err
    assert listed(shell, folder) == {}

    store = ledger(folder)
    (kept,) = store._connection.execute("SELECT phone, reason, source, why FROM lifted_suppressions").fetchall()
    assert tuple(kept) == (A, "asked not to be contacted", "by hand", "asked to be called again")
    (event,) = store._connection.execute("SELECT detail FROM events WHERE kind = 'suppression_lifted'").fetchall()
    assert A not in event["detail"]
    assert store.letters.unlisted("clinic", 10) == []
    store.close()
    assert "is not on the list" in shell("suppress", "remove", A, "--reason", "x", cwd=folder).err


@pytest.mark.parametrize("words", [("remove", A, "--reason", "x"), ("add", "hello"), ("add", "0202 555")])
def test_what_cannot_be_done(shell: Shell, folder: Path, words: tuple[str, ...]) -> None:
    done = shell("suppress", *words, cwd=folder)
    assert done.code in (1, 2)
    assert done.err.startswith(("error:", "Error:", "Usage:"))


def test_an_import_takes_what_can_be_read_and_reports_the_rest(shell: Shell, folder: Path) -> None:
    (folder / "dnc.csv").write_text(
        f"name,phone,reason,until\nx,{A},complained,\ny,(202) 555-0144,,{LATER}\nz,not a number,,\n"
        f"u,{C},,2020-01-01T00:00:00Z\nv,+12025550147,,tomorrow\n", encoding="utf-8",
    )  # fmt: skip
    done = shell("suppress", "import", "dnc.csv", "--country", "US", cwd=folder)
    assert (done.code, done.out) == (1, "2 put on the list, 0 were on it before, 1 left out whose time is over\n")
    assert "2 rows left out" in done.err
    assert "import the file again" in done.err
    assert "contacts:" not in done.err, "a list is no campaign's file"
    found = listed(shell, folder)
    assert {phone: (one["reason"], one["source"], one["until"]) for phone, one in found.items()} == {
        A: ("complained", "dnc.csv", None),
        B: ("asked not to be contacted", "dnc.csv", LATER),
    }
    with (folder / ".outreach" / "dnc.reject.csv").open(encoding="utf-8") as file:
        rejects = list(csv.reader(file))[1:]
    assert [(row[0], row[1]) for row in rejects] == [("4", "phone"), ("6", "until")]


def test_a_plain_list_is_imported(shell: Shell, folder: Path) -> None:
    (folder / "dnc.txt").write_text(f"# the regulator's\n{A}\n\n{B}\n{A}\n", encoding="utf-8")
    done = shell("suppress", "import", "dnc.txt", "--reason", "national list", "--source", "DNC", cwd=folder)
    assert (done.code, done.out) == (0, "2 put on the list, 1 were on it before\n")
    assert {one["source"] for one in listed(shell, folder).values()} == {"DNC"}
    assert shell("suppress", "import", "nowhere.txt", cwd=folder).code == 1


def test_an_export_is_an_import_elsewhere(shell: Shell, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    shell("suppress", "add", A, "--reason", "=HYPERLINK(1)", cwd=folder)
    shell("suppress", "add", B, C, "--until", LATER, cwd=folder)
    done = shell("suppress", "export", "list.csv", cwd=folder)
    assert (done.code, done.err) == (0, "3 numbers in list.csv\n")
    file = folder / "list.csv"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "'=HYPERLINK(1)" in file.read_text("utf-8")
    assert shell("suppress", "export", cwd=folder).out == file.read_text("utf-8")
    assert shell("suppress", "export", "-", cwd=folder).out == file.read_text("utf-8")
    assert not (folder / "-").exists()

    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "campaigns").mkdir()
    assert shell("suppress", "import", str(file), cwd=elsewhere).code == 0
    before, after = listed(shell, folder), listed(shell, elsewhere)
    assert {phone: one["until"] for phone, one in before.items()} == {
        phone: one["until"] for phone, one in after.items()
    }


def test_an_empty_list(shell: Shell, folder: Path) -> None:
    assert (shell("suppress", "list", cwd=folder).code, listed(shell, folder)) == (0, {})
    assert shell("suppress", "export", cwd=folder).out == "phone,reason,source,at,until\n"
    assert not (folder / ".outreach").exists(), "looking writes nothing"


def test_off_a_terminal_the_numbers_are_masked(shell: Shell, folder: Path) -> None:
    shell("suppress", "add", A, cwd=folder)
    done = shell("suppress", "list", cwd=folder)
    assert re.match(rf"\+\d+\*\*\*{A[-4:]}#[0-9a-f]{{8}} ", done.out)
    assert A not in done.out
    assert done.out.endswith("asked not to be contacted (by hand)\n")
    assert done.err == "1 number on the list\n"


@pytest.mark.parametrize("change", [lambda store: store.suppress(C, "x", "y", NOW), lambda _: None])
def test_it_works_while_a_runner_holds_the_ledger(
    shell: Shell, folder: Path, change: Callable[[Store], object]
) -> None:
    assert shell("apply", "--yes", cwd=folder).code == 0
    path = folder / ".outreach" / "ledger.db"
    with sqlite.exclusive_runner(path):
        store = Store.open(path)
        change(store)
        assert shell("suppress", "add", A, cwd=folder).code == 0
        assert store.letters.is_suppressed(A)
        store.close()
