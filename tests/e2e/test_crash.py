"""Kill the runner in the middle, run it again: everybody ends, and nobody is dialled twice for one attempt."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.processes import (
    AGENTS,
    READABLE,
    dials,
    outreach,
    sandbox_process,
    start,
    status_of,
    wait_until_dialled,
    write_project,
)

_ENDED = {"completed", "failed", "suppressed"}


def people_of(provider: str) -> str:
    return f"""\
campaign: {provider}-people
purpose: informational
agent: {AGENTS[provider]}
contacts: contacts/people.csv
retry: 2 times, 1s apart, on no_answer, busy
limits: {{concurrency: 8}}
variables: {{name: "{{{{ contact.name }}}}"}}
"""


@pytest.mark.parametrize("kills", [1, 2, 3, 5, 8, 13, 21, 27, 34, 40])
@pytest.mark.fault("F4")
def test_killed_and_run_again(tmp_path: Path, kills: int) -> None:
    """The ten rounds of the promise: SIGKILL after the Nth dial, each provider in turn, then a second run."""
    provider = READABLE[kills % 3]
    write_project(tmp_path, [("people.yaml", people_of(provider))], people=40)
    with sandbox_process(tmp_path, "--seed", str(kills)) as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        first = start(*words, cwd=tmp_path)
        wait_until_dialled(url, kills)
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=20)
        assert first.stdout is not None
        first.stdout.close()

        second = outreach(*words, cwd=tmp_path)
        placed = dials(url)
        (campaign,) = status_of(tmp_path, contacts=True)

    assert second.returncode in (0, 5), second.stderr
    assert campaign["status"] == "completed"
    assert campaign["row_stats"]["total"] == 40
    assert {person["state"] for person in campaign["contacts"]} <= _ENDED
    assert_one_dial_each(placed, campaign)


def assert_one_dial_each(placed: list[dict[str, object]], campaign: dict[str, object]) -> None:
    """Join the dial list with the ledger: one dial for each attempt, one attempt for each dial."""
    people: list[dict[str, list[dict[str, str]]]] = campaign["contacts"]  # type: ignore[assignment]
    attempts = [attempt for person in people for attempt in person["attempts"]]
    references = Counter(str(dial["reference"]) for dial in placed)

    assert [reference for reference, count in references.items() if count > 1] == []
    assert "" not in references
    assert sorted(attempt["provider_id"] for attempt in attempts) == sorted(str(dial["id"]) for dial in placed)


@pytest.mark.fault("F23")
def test_two_runners_on_one_ledger(tmp_path: Path) -> None:
    """The second runner is turned away with its own exit code, and dials nobody."""
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=200)
    with sandbox_process(tmp_path) as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        first = start(*words, cwd=tmp_path)
        wait_until_dialled(url, 3)
        second = outreach(*words, cwd=tmp_path)
        first.send_signal(signal.SIGTERM)
        first.wait(timeout=30)
        assert first.stdout is not None
        first.stdout.close()

    assert second.returncode == 6
    assert "runs on this ledger already" in second.stderr


@pytest.mark.fault("F25")
def test_sigterm_drains(tmp_path: Path) -> None:
    """Told to stop, it finishes what it is sending, leaves nothing in doubt, and a second run ends the rest."""
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=40)
    with sandbox_process(tmp_path) as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        first = start(*words, cwd=tmp_path)
        wait_until_dialled(url, 5)
        first.send_signal(signal.SIGTERM)
        assert first.wait(timeout=30) == 130
        assert first.stdout is not None
        first.stdout.close()
        (stopped,) = status_of(tmp_path, contacts=True)
        states = Counter(attempt["state"] for person in stopped["contacts"] for attempt in person["attempts"])

        second = outreach(*words, cwd=tmp_path)
        placed = dials(url)
        (campaign,) = status_of(tmp_path, contacts=True)

    assert set(states) <= {"planned", "accepted", "finished"}
    assert second.returncode in (0, 5), second.stderr
    assert campaign["status"] == "completed"
    assert_one_dial_each(placed, campaign)


def test_a_reader_that_is_gone_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    """Ctrl-C of a pipeline ends the reader of stderr too; the runner must stop all the same."""
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=100)
    with sandbox_process(tmp_path) as url:
        words = ("run", "campaigns", "--sandbox", url, "--now", "--yes")
        first = start(*words, cwd=tmp_path, stderr=subprocess.PIPE)
        assert first.stderr is not None
        first.stderr.close()
        wait_until_dialled(url, 3)
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=30) == 130
        assert first.stdout is not None
        first.stdout.close()
        before = len(dials(url))
        assert before < 50, "it went on dialling until nobody was left"
        time.sleep(1)
        assert len(dials(url)) == before


def test_run_places_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    """Another campaign that was applied before is not dialled by a run that does not name it."""
    other = (
        people_of("revox")
        .replace("contacts/people.csv", '[{phone: "+12025550190"}]')
        .replace('variables: {name: "{{ contact.name }}"}\n', "")
    )
    write_project(tmp_path, [("people.yaml", people_of("movoice")), ("other.yaml", other)], people=5)
    assert outreach("apply", "campaigns/other.yaml", "--yes", cwd=tmp_path).returncode == 0
    with sandbox_process(tmp_path) as url:
        done = outreach("run", "campaigns/people.yaml", "--sandbox", url, "--now", "--yes", cwd=tmp_path)
        placed = dials(url)

    assert done.returncode in (0, 5), done.stderr
    assert placed
    assert "+12025550190" not in {dial["to"] for dial in placed}
