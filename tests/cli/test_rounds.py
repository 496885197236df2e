"""Campaigns that repeat, from the command line: plan, apply, run, status, pause and cancel."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import REPOSITORY, Done, Shell

AT = "2026-04-01T00:00:00Z"
TEXT = """\
campaign: renewals
purpose: informational
agent: movoice/agent_1
contacts: people.csv
timezone: America/New_York
windows: daily 08:00-20:00
schedule:
  repeat: 0 9 * * mon
  timezone: America/New_York
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "renewals.yaml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "campaigns" / "people.csv").write_text("phone\n+12025550143\n+12025550144\n", encoding="utf-8")
    return tmp_path


def campaigns(done: Done) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(done.out)["campaigns"]
    return found


def words(text: str) -> str:
    return " ".join(text.split())


def documented(table: str) -> set[str]:
    """Give the keys that the page of machine formats names below `rounds`."""
    page = (REPOSITORY / "docs" / "machine-formats.md").read_text("utf-8")
    body = page.partition(f"<!-- keys: {table} -->")[2].partition("\n\n")[0]
    return {key.split(".")[-1] for key in re.findall(r"^\| `([^`]*rounds(?:\[\])?\.[^`]+)`", body, re.MULTILINE)}


def test_the_plan_says_when_the_next_rounds_are_and_what_becomes_of_missed_ones(shell: Shell, folder: Path) -> None:
    told = words(shell("plan", "--at", AT, cwd=folder).out)
    assert "repeats 0 9 * * mon on the clock of America/New_York: Mon 06 Apr 09:00, Mon 13 Apr 09:00" in told
    assert "a round that is missed while no runner is at work is not started (catch_up: none)" in told
    assert "+2 create" in told

    *lines, last = shell("plan", "--at", AT, "--format", "json", cwd=folder).lines()
    assert {line["campaign"] for line in lines} == {"renewals@2026-04-06T13:00Z"}
    (rounds,) = last["summary"]["rounds"]
    assert rounds["next"] == ["2026-04-06T13:00:00Z", "2026-04-13T13:00:00Z", "2026-04-20T13:00:00Z"]
    assert set(rounds) == documented("plan summary")


def test_apply_writes_the_rules_and_a_second_one_nothing(shell: Shell, folder: Path) -> None:
    assert shell("plan", "--exit-code", cwd=folder).code == 3
    first = shell("apply", cwd=folder)
    assert re.fullmatch(
        r"renewals: repeats 0 9 \* \* mon, next Mon \d\d \w{3} \d{4} 09:00 America/New_York \(revision 1\)\n", first.out
    )
    assert shell("plan", "--exit-code", cwd=folder).code == 0
    assert shell("apply", cwd=folder).out == "renewals: nothing changes (revision 1 is in force)\n"
    (own,) = campaigns(shell("status", "--format", "json", cwd=folder))
    assert (own["status"], own["row_stats"]["total"], own["rounds"]["started"]) == ("scheduled", 0, 0)


def test_a_run_places_a_round_and_says_when_the_next_is(shell: Shell, folder: Path) -> None:
    done = shell("run", "campaigns/renewals.yaml", "--sandbox", "--now", "--at", "2026-04-08T06:00:00Z", cwd=folder)
    assert done.code in {0, 5}
    assert "the sandbox placed 2 calls and texts for 2 attempts: one each" in done.out
    assert "1 round so far; the next Mon 13 Apr 2026 09:00 America/New_York" in words(done.out)

    own, made = campaigns(shell("status", "renewals", "--format", "json", cwd=folder))
    assert (own["campaign"], own["round_of"], made["round_of"]) == ("renewals", None, "renewals")
    assert re.fullmatch(r"renewals@2026-04-08T\d\d:\d\dZ", made["campaign"])
    assert made["row_stats"]["total"] == made["attempts"]["sent"] == 2
    documented_here = {key for key in documented("status") if key not in {"at", "state", "reason"}}
    assert set(own["rounds"]) == documented_here | {"newest"}
    assert set(own["rounds"]["newest"]) == {"at", "state", "reason"} <= documented("status")


def test_a_later_run_leaves_a_round_that_was_missed(shell: Shell, folder: Path) -> None:
    words_of_run = ("run", "campaigns/renewals.yaml", "--sandbox", "--format", "json", "--at")
    assert shell(*words_of_run, "2026-04-01T00:00:00Z", cwd=folder).code == 0
    (own,) = campaigns(shell(*words_of_run, "2026-04-14T00:00:00Z", cwd=folder))
    assert (own["rounds"]["started"], own["rounds"]["missed"]) == (0, 2)
    assert own["rounds"]["next"] == "2026-04-20T13:00:00Z"
    assert own["rounds"]["newest"]["reason"] == "no runner was at work"

    (folder / "campaigns" / "renewals.yaml").write_text(TEXT + "  catch_up: last\n", encoding="utf-8")
    shell(*words_of_run, "2026-04-15T00:00:00Z", cwd=folder)
    own, made = campaigns(shell(*words_of_run, "2026-05-05T15:00:00Z", cwd=folder))
    assert made["campaign"] == "renewals@2026-05-04T13:00Z"
    assert made["row_stats"]["completed"] + made["row_stats"]["failed"] == 2


def test_what_is_decided_about_a_campaign_holds_for_its_rounds(shell: Shell, folder: Path) -> None:
    shell("run", "campaigns/renewals.yaml", "--sandbox", "--now", "--at", "2026-04-08T06:00:00Z", cwd=folder)
    assert shell("pause", "renewals", cwd=folder).code == 0
    assert [one["status"] for one in campaigns(shell("status", "--format", "json", cwd=folder))] == ["paused"] * 2
    assert shell("resume", "renewals", cwd=folder).code == 0
    statuses = [one["status"] for one in campaigns(shell("status", "--format", "json", cwd=folder))]
    assert statuses == ["scheduled", "completed"]
    assert shell("cancel", "renewals", "--yes", cwd=folder).code == 0
    assert [one["status"] for one in campaigns(shell("status", "--format", "json", cwd=folder))] == ["cancelled"] * 2
