"""Native delivery through the command, against the sandbox in its process: everybody ends, every dial is accounted for."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cli.running import Done, Shell
from tests.e2e.processes import (
    dials,
    fictional_number,
    outreach,
    sandbox_process,
    start,
    status_of,
    wait_until_dialled,
)

PEOPLE, FEW = 30, 8
_REVRING = 'agent: {provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199"}'
_REVOX = "agent: {provider: revox, id: 182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e}"
_MOVOICE = "agent: movoice/agent_12345"
_RETRY = "retry: 3 times, 1h apart"
WAYS: Mapping[str, tuple[str, str]] = {
    "revring": (f"{_REVRING}\n{_RETRY}\nwindows: mon-fri 10:00-18:00", ""),
    "revox-a": (f"{_REVOX}\n{_RETRY}\nwindows: daily 10:00-18:00", "A"),
    "revox-d": (f"{_REVOX}\n{_RETRY}\nwindows: mon-fri 10:00-18:00", "D"),
    "movoice": (f"{_MOVOICE}\nwindows: daily 00:00-24:00\nlimits: {{concurrency: 3}}", ""),
}
_OWN = re.compile(r"([\d,]+) calls of providers' own campaigns for ([\d,]+) people, as often as they told us")


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(monkeypatch, capsys)


def project(folder: Path, way: str, more: str = "", people: int = PEOPLE) -> Path:
    """Write a project whose only step is handed over."""
    rules, generation = WAYS.get(way, (_REVRING, ""))
    (folder / "campaigns").mkdir()
    (folder / "outreach.yaml").write_text(
        f"accounts: {{revox: {{provider: revox, generation: {generation}}}}}\n"
        if generation
        else "accounts: {movoice: {provider: movoice, plan: growth}}\n"
    )
    rows = "\n".join(f"{fictional_number(at)},Person {at}" for at in range(people))
    (folder / "campaigns" / "people.csv").write_text(f"phone,name\n{rows}\n")
    (folder / "campaigns" / "people.yaml").write_text(
        "campaign: people\npurpose: informational\ncontacts: people.csv\ntimezone: America/New_York\n"
        f'{rules}\nsteps:\n  - {{call: agent, delivery: native}}\nvariables: {{name: "{{{{ contact.name }}}}"}}\n{more}'
    )
    return folder


def place(shell: Shell, folder: Path, *words: str) -> Done:
    return shell(
        "run", "campaigns", "--sandbox", "--seed", "5", "--at", "2026-01-05T16:00:00Z", "--yes", *words, cwd=folder
    )


def told(shell: Shell, folder: Path) -> dict[str, Any]:
    done = shell("status", "--contacts", "--format", "json", cwd=folder)
    (found,) = json.loads(done.out)["campaigns"]
    campaign: dict[str, Any] = found
    return campaign


@pytest.mark.parametrize("way", WAYS)
def test_everybody_ends_and_the_dials_match(shell: Shell, tmp_path: Path, way: str) -> None:
    done = place(shell, project(tmp_path, way))
    status = told(shell, tmp_path)
    stats = status["row_stats"]

    assert done.code in (0, 5), done.err
    assert status["status"] == "completed"
    assert stats["total"] == PEOPLE == stats["completed"] + stats["failed"] + stats["suppressed"]
    match = _OWN.search(done.out)
    assert match, done.out
    assert int(match[2]) == PEOPLE
    assert f"{PEOPLE} contacts = {PEOPLE} finished + 0 skipped + 0 rejected" in done.out


def slow_project(folder: Path) -> Path:
    """Write a project whose people are called by RevRing one after the other, once."""
    return project(folder, "slow", more="limits: {concurrency: 1}\n", people=FEW)


def test_pause_and_resume_while_it_runs(tmp_path: Path) -> None:
    """The runner passes the pause on and ends; no run ends it by itself; nobody is called twice in the end."""
    slow_project(tmp_path)
    with sandbox_process(tmp_path, "--seed", "2") as url:
        words = ("run", "--sandbox", url, "--now", "--yes", "campaigns")
        first = start(*words, cwd=tmp_path)
        wait_until_dialled(url, 2)
        paused = outreach("pause", "people", "--reason", "lunch", cwd=tmp_path)
        code = first.wait(timeout=60)
        assert first.stdout is not None
        first.stdout.close()
        at_pause = len(dials(url))
        second = outreach(*words, cwd=tmp_path)
        (still,) = status_of(tmp_path)
        at_second = len(dials(url))
        resumed = outreach("resume", "people", cwd=tmp_path)
        third = outreach(*words, cwd=tmp_path)
        (done,) = status_of(tmp_path)
        told = Counter(str(dial["to"]) for dial in dials(url))

    assert (paused.returncode, resumed.returncode) == (0, 0), paused.stderr + resumed.stderr
    assert (code, second.returncode) == (5, 5)
    assert "paused, and left so: people (paused by hand: lunch)" in second.stderr
    assert "outreach resume people" in second.stderr
    assert (still["status"], at_second) == ("paused", at_pause)
    assert at_pause < FEW
    assert third.returncode in (0, 5), third.stderr
    assert done["status"] == "completed"
    assert told == {fictional_number(at): 1 for at in range(FEW)}
    assert "as often as they told us" in third.stdout


def test_cancel_while_it_runs(tmp_path: Path) -> None:
    slow_project(tmp_path)
    with sandbox_process(tmp_path, "--seed", "2") as url:
        first = start("run", "--sandbox", url, "--now", "--yes", "campaigns", cwd=tmp_path)
        wait_until_dialled(url, 2)
        cancelled = outreach("cancel", "people", cwd=tmp_path)
        first.wait(timeout=60)
        assert first.stdout is not None
        first.stdout.close()
        (done,) = status_of(tmp_path, contacts=True)
        placed = len(dials(url))

    outcomes = Counter(attempt["outcome"] for person in done["contacts"] for attempt in person["attempts"])
    assert cancelled.returncode == 0, cancelled.stderr
    assert done["status"] == "cancelled"
    assert placed < FEW
    assert outcomes.total() == FEW
    assert outcomes["cancelled"] >= FEW - placed
    assert outcomes[""] == 0


@pytest.mark.parametrize("moment", ["create", "launch"])
def test_killed_while_handing_over(tmp_path: Path, moment: str) -> None:
    """SIGKILL around the request that creates, then a second run: one campaign that dials, everybody ends."""
    slow_project(tmp_path)
    with sandbox_process(tmp_path, "--seed", "2") as url:
        words = ("run", "--sandbox", url, "--now", "--yes", "campaigns")
        first = start(*words, cwd=tmp_path)
        if moment == "launch":
            wait_until_dialled(url, 1)
        else:
            wait_for_request(url, "/campaigns")
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=20)
        assert first.stdout is not None
        first.stdout.close()
        second = outreach(*words, cwd=tmp_path)
        (done,) = status_of(tmp_path)
        told = Counter(str(dial["to"]) for dial in dials(url))

    assert second.returncode in (0, 5), second.stderr
    assert done["status"] == "completed"
    assert "as often as they told us" in second.stdout
    assert told == {fictional_number(at): 1 for at in range(FEW)}


def wait_for_request(url: str, path: str, seconds: float = 30) -> None:
    """Wait until the sandbox was asked for something."""
    deadline = time.monotonic() + seconds
    while not any(path in str(one) for one in httpx.get(f"{url}/_sandbox/requests", trust_env=False).json()):
        assert time.monotonic() < deadline, "nothing is asked for"
        time.sleep(0.005)


def test_webhooks_of_the_providers_calls_settle_and_tell_more_than_its_rows(tmp_path: Path) -> None:
    slow_project(tmp_path)
    with sandbox_process(tmp_path, "--seed", "2") as url:
        done = outreach("run", "--sandbox", url, "--now", "--yes", "campaigns", cwd=tmp_path)
    with closing(sqlite3.connect(tmp_path / ".outreach" / "ledger.db")) as ledger:
        heard = ledger.execute("SELECT DISTINCT verified, result FROM inbox").fetchall()
        told = ledger.execute("SELECT calls, summary FROM attempts WHERE outcome = 'answered'").fetchall()

    assert done.returncode in (0, 5), done.stderr
    assert {verified for verified, _ in heard} == {1}
    assert not [result for _, result in heard if "unknown" in result], heard
    assert told
    assert all(calls == 1 and summary for calls, summary in told), "rows have no words"
