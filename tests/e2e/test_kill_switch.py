"""One command, or one file beside the ledger, stops everything within one look; nobody is lost by it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.engine.stop_file import STOP_FILE, WHY
from runner.ledger.standing import EVERYTHING
from tests.e2e.processes import dials, outreach, sandbox_process, start, status_of, wait_until_dialled, write_project

_CAMPAIGN = """\
campaign: {name}
purpose: informational
agent: movoice/agent_12345
contacts: contacts/people.csv
retry: never
limits: {{concurrency: 20}}
caps: []
"""
_TICK_SECONDS = 1.0
"""a runner with people due looks and writes intents many times a second"""


def by_file(folder: Path) -> None:
    (folder / ".outreach" / STOP_FILE).touch()


def by_command(folder: Path) -> None:
    done = outreach("pause", "--all", "--reason", "wrong list", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "2 campaigns paused: one, two\n"), done


@pytest.mark.parametrize(("stop", "reason"), [(by_file, WHY), (by_command, f"{EVERYTHING}: wrong list")])
def test_nothing_leaves_after_it(tmp_path: Path, stop: Callable[[Path], None], reason: str) -> None:
    names = ("one", "two")
    write_project(tmp_path, [(f"{name}.yaml", _CAMPAIGN.format(name=name)) for name in names], people=200)
    with sandbox_process(tmp_path, "--seed", "3", "--speed", "20") as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        running = start(*words, cwd=tmp_path)
        wait_until_dialled(url, 10)
        stop(tmp_path)
        time.sleep(_TICK_SECONDS)
        after_a_tick = len(dials(url))
        time.sleep(3.0)
        later = len(dials(url))
        running.communicate(timeout=60)
        states = {one["campaign"]: (one["status"], one["reason"]) for one in status_of(tmp_path)}
        again = outreach(*words, cwd=tmp_path)
        still = len(dials(url))
        (tmp_path / ".outreach" / STOP_FILE).unlink(missing_ok=True)
        resumed = outreach("resume", "--all", cwd=tmp_path)
        ended = outreach(*words, cwd=tmp_path)
        placed = dials(url)
        people = [one["row_stats"] for one in status_of(tmp_path)]

    assert 10 <= after_a_tick < 300, "it was stopped in the middle"
    assert later == after_a_tick == still, "nothing left after one look, nor by a later run"
    assert states == dict.fromkeys(names, ("paused", reason))
    assert again.returncode == 5
    assert resumed.stdout == "2 campaigns resumed: one, two\n"
    assert ended.returncode in {0, 5}
    assert sum(one["completed"] + one["failed"] for one in people) == 400, "nobody is lost"
    assert max(Counter(dial["reference"] for dial in placed).values()) == 1, "nobody is dialled twice"


def test_resume_says_that_the_file_is_still_there(tmp_path: Path) -> None:
    write_project(tmp_path, [("one.yaml", _CAMPAIGN.format(name="one"))], people=1)
    assert outreach("apply", "--yes", cwd=tmp_path).returncode == 0
    by_file(tmp_path)

    done = outreach("resume", "--all", cwd=tmp_path)
    neither = outreach("pause", cwd=tmp_path)
    both = outreach("pause", "one", "--all", cwd=tmp_path)

    assert done.returncode == neither.returncode == both.returncode == 2
    assert f"rm {(tmp_path / '.outreach' / STOP_FILE).resolve()}" in done.stderr
