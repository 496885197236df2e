"""`outreach serve` runs, and other commands want the ledger: they leave the placing to it, or say what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from runner.cli import watching
from runner.errors import LedgerError
from runner.ledger.sqlite import exclusive_runner
from runner.ledger.store import Store
from runner.schedule.clock import SystemClock
from tests.building import apply, campaign, contact
from tests.e2e.processes import dials, outreach, sandbox_process, served

_PROJECT = """\
accounts:
  movoice: {{provider: movoice, base_url: "{url}/movoice/v1", allow_loopback: true, credential: env:BESIDE_SERVE_KEY, poll: [0.3s, 0.5s, 1s, 2s, 4s, 8s]}}
"""
_CAMPAIGN = """\
campaign: visits
purpose: transactional
agent: movoice/agent_12345
windows: daily 00:00-24:00
timezone: America/New_York
contacts: [{phone: "+12025550143"}, {phone: "+12025550144"}]
"""
_CALL = ("--agent", "movoice/agent_12345", "--purpose", "transactional", "--windows", "daily 00:00-24:00", "--yes")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, str]]:
    """A project whose account lies at a sandbox that counts as a real provider."""
    monkeypatch.setenv("BESIDE_SERVE_KEY", "any")
    folder = tmp_path / "project"
    (folder / "campaigns").mkdir(parents=True)
    (folder / "campaigns/visits.yaml").write_text(_CAMPAIGN)
    with sandbox_process(tmp_path, "--seed", "7") as url:
        (folder / "outreach.yaml").write_text(_PROJECT.format(url=url))
        people = {phone: ["answered"] for phone in ("+12025550143", "+12025550144", "+12025550145")}
        httpx.post(f"{url}/_sandbox/people", json=people, trust_env=False, timeout=10).raise_for_status()
        yield folder, url


def test_a_call_and_a_run_are_placed_by_the_process_that_serves(project: tuple[Path, str]) -> None:
    """Each person is dialled once, the commands wait for the end and tell it."""
    folder, url = project
    with served(folder):
        called = outreach("call", "+12025550145", *_CALL, cwd=folder)
        ran = outreach("run", "campaigns", "--yes", cwd=folder)
        again = outreach("call", "+12025550145", *_CALL, cwd=folder)
        placed = [dial["to"] for dial in dials(url)]

    assert (called.returncode, ran.returncode, again.returncode) == (0, 0, 0), (called, ran, again)
    assert "outreach serve runs on this ledger and places it" in called.stderr
    assert "call: answered" in called.stdout
    assert "2 contacts = 2 finished" in ran.stdout
    assert "it was placed before" in again.stdout
    assert sorted(placed) == ["+12025550143", "+12025550144", "+12025550145"]


def test_what_names_nothing_is_told_who_places_it(project: tuple[Path, str]) -> None:
    """`run` without files has nothing to apply: everything that was applied is placed already."""
    folder, _ = project
    with served(folder) as process:
        done = outreach("run", cwd=folder)
        second = outreach("serve", "--port", "0", cwd=folder)

    assert done.returncode == second.returncode == 6
    assert f"error: outreach serve, process {process.pid} runs on this ledger already" in done.stderr
    assert "outreach apply, then outreach status" in done.stderr


def test_a_rehearsal_is_not_left_to_it(project: tuple[Path, str]) -> None:
    """The one that serves places for real: a sandbox of this process is none of its business."""
    folder, url = project
    with served(folder):
        done = outreach("run", "campaigns", "--sandbox", "--yes", cwd=folder)
        placed = dials(url)

    assert (done.returncode, placed) == (6, [])


def test_a_run_is_waited_for_and_nothing_is_left_to_it(project: tuple[Path, str]) -> None:
    """A run may place some campaigns only, and ends: whoever comes second is told to wait, and nothing is applied."""
    folder, _ = project
    with exclusive_runner(folder / ".outreach/ledger.db"):
        done = outreach("call", "+12025550145", *_CALL, cwd=folder)

    assert done.returncode == 6
    assert f"process {os.getpid()} runs on this ledger already" in done.stderr
    assert not (folder / ".outreach/ledger.db").exists()


async def test_watching_ends_when_nobody_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A watcher does not wait for ever for a process that is gone."""
    monkeypatch.setattr(watching, "LOOK_SECONDS", 0.01)
    of = campaign()
    store = Store.open(tmp_path / "ledger.db")
    apply(store, of, [contact(1)])
    store.close()

    with pytest.raises(LedgerError, match="nobody places what is left"):
        await watching.watched(tmp_path / "ledger.db", {of.campaign}, SystemClock())
