"""Real processes that are stopped, told to end, or started in a bad place: nobody is dialled twice or out of turn."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.e2e.processes import (
    REPOSITORY,
    dials,
    outreach,
    sandbox_process,
    start,
    status_of,
    wait_until_dialled,
    write_project,
)
from tests.e2e.test_crash import assert_one_dial_each, people_of

_RUN = ("run", "campaigns", "--now", "--yes", "--sandbox")


@contextmanager
def stopped_at(cwd: Path, url: str, point: str) -> Iterator[subprocess.Popen[str]]:
    """Start a run that stops itself at a point, and wait until it has."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", "OUTREACH_STOP_AT": point}
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *_RUN, url],
        cwd=cwd, env=environment, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while _state(process.pid) != "T":
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline, "it never came there"
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.kill()
        process.wait(timeout=20)
        if process.stderr is not None:
            process.stderr.close()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def ledger_of(folder: Path) -> Path:
    return folder / ".outreach" / "ledger.db"


def attempts(folder: Path) -> Counter[str]:
    with closing(sqlite3.connect(ledger_of(folder))) as connection:
        return Counter(row[0] for row in connection.execute("SELECT state FROM attempts"))


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")


@pytest.mark.fault("F24")
@pytest.mark.parametrize("point", ["after_intent", "before_post"])
def test_a_process_that_wakes_up_after_its_ledger_was_taken_sends_nothing(tmp_path: Path, point: str) -> None:
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=6)
    with sandbox_process(tmp_path) as url, stopped_at(tmp_path, url, point) as process:
        with closing(sqlite3.connect(ledger_of(tmp_path), isolation_level=None)) as connection:
            connection.execute("UPDATE lease SET epoch = epoch + 1, pid = 1, host = 'another'")
        time.sleep(2.2)
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=40) == 6
        assert process.stderr is not None
        said = process.stderr.read()
        placed = dials(url)

    assert placed == []
    assert "another runner has taken this ledger over: process 1 on another" in said
    assert attempts(tmp_path)["sending"] == 6, "in doubt for whoever has the ledger now"


@pytest.mark.fault("F24")
def test_a_process_that_wakes_up_late_and_still_has_its_ledger_dials_each_once(tmp_path: Path) -> None:
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=6)
    with sandbox_process(tmp_path) as url, stopped_at(tmp_path, url, "before_post") as process:
        time.sleep(2.2)
        assert dials(url) == []
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=60) in (0, 5)
        placed = dials(url)
        (campaign,) = status_of(tmp_path, contacts=True)
    with closing(sqlite3.connect(ledger_of(tmp_path))) as connection:
        (late,) = connection.execute(
            "SELECT COUNT(*) FROM events WHERE detail LIKE '%not sent in time: too long after its intent%'"
        ).fetchone()

    assert late >= 1
    assert_one_dial_each(placed, campaign)


@pytest.mark.fault("F23")
@pytest.mark.fault("F24")
def test_a_second_runner_waits_the_lease_of_a_stopped_one_out(tmp_path: Path) -> None:
    """Without the operating system's lock, as over a network: the lease alone keeps them apart."""
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=6)
    with sandbox_process(tmp_path) as url, stopped_at(tmp_path, url, "before_post") as process:
        ledger_of(tmp_path).with_name("ledger.db.lock").unlink()
        refused = outreach(*_RUN, url, cwd=tmp_path)
        second = outreach(*_RUN, url, "--takeover", cwd=tmp_path, timeout=120)
        before = len(dials(url))
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=40) == 6
        placed = dials(url)
        (campaign,) = status_of(tmp_path, contacts=True)

    assert refused.returncode == 6
    assert f"process {process.pid} on" in refused.stderr
    assert "holds this ledger until" in refused.stderr
    assert second.returncode in (0, 5), second.stderr
    assert "was cut short" in second.stderr
    assert "in doubt, looked for from" in second.stderr
    assert len(placed) == before, "the first one sends nothing any more"
    assert_one_dial_each(placed, campaign)


@pytest.mark.fault("F25")
@pytest.mark.parametrize(("words", "code"), [(_RUN, 130), (("serve", "--port", "0", "--sandbox"), 0)])
def test_sigterm_under_load_finishes_what_is_on_its_way_and_begins_nothing(
    tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    slow = tmp_path / "slow.json"
    slow.write_text('[{"kind": "slow", "path": "call", "times": null, "seconds": 2}]')
    always = people_of("movoice") + "windows: mon-sun 00:00-24:00\n"
    write_project(tmp_path, [("people.yaml", always)], people=60)
    with sandbox_process(tmp_path, "--faults", str(slow)) as url:
        if code == 0:
            assert outreach("apply", "campaigns", "--yes", cwd=tmp_path).returncode == 0
        process = start(*words, url, cwd=tmp_path)
        wait_until_dialled(url, 8)
        told_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == code
        took = time.monotonic() - told_at
        assert process.stdout is not None
        process.stdout.close()
        placed = dials(url)
        states = attempts(tmp_path)
        with closing(sqlite3.connect(ledger_of(tmp_path))) as connection:
            (until,) = connection.execute("SELECT until FROM lease").fetchone()

    assert took < 20
    assert set(states) <= {"planned", "accepted", "finished"}, "nothing is in doubt, nothing stays claimed"
    assert len(placed) <= 16
    assert until == 0, "the lease is given back"


@pytest.mark.fault("F26")
def test_a_second_sigterm_ends_it_at_once_and_nobody_is_dialled_twice(tmp_path: Path) -> None:
    slow = tmp_path / "slow.json"
    slow.write_text('[{"kind": "slow", "path": "call", "times": 8, "seconds": 15}]')
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=8)
    with sandbox_process(tmp_path, "--faults", str(slow)) as url:
        process = start(*_RUN, url, cwd=tmp_path)
        wait_until_dialled(url, 3)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        told_at = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 130
        assert time.monotonic() - told_at < 2
        assert process.stdout is not None
        process.stdout.close()
        assert attempts(tmp_path)["sending"] > 0
        second = outreach(*_RUN, url, cwd=tmp_path)
        placed = dials(url)
        (campaign,) = status_of(tmp_path, contacts=True)

    assert second.returncode in (0, 5), second.stderr
    assert "in doubt, looked for from" in second.stderr, "taken over at once, since the holder is dead"
    assert_one_dial_each(placed, campaign)


@pytest.mark.fault("F28")
def test_a_clock_that_the_ledger_contradicts_is_not_run_by(tmp_path: Path) -> None:
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=3)
    with sandbox_process(tmp_path) as url:
        assert outreach("apply", "campaigns", "--yes", cwd=tmp_path).returncode == 0
        with closing(sqlite3.connect(ledger_of(tmp_path), isolation_level=None)) as connection:
            connection.execute("DROP TRIGGER events_are_append_only_update")
            connection.execute("UPDATE events SET at = at + 3600000000")
        refused = outreach(*_RUN, url, cwd=tmp_path)
        assert dials(url) == []
        trusted = outreach(*_RUN, url, "--trust-clock", cwd=tmp_path)
        assert len(dials(url)) >= 3

    assert refused.returncode == 8
    assert "the ledger was last written 59 min" in refused.stderr or "the ledger was last written 1 h" in refused.stderr
    assert "--trust-clock" in refused.stderr
    assert trusted.returncode in (0, 5), trusted.stderr


def _can_mount() -> bool:
    if shutil.which("unshare") is None:
        return False
    probe = subprocess.run(
        ["unshare", "-rm", "sh", "-c", "mount -t tmpfs -o size=1m t /mnt"], capture_output=True, check=False
    )
    return probe.returncode == 0


@pytest.mark.fault("F21")
@pytest.mark.skipif(not _can_mount(), reason="may not mount a small disk")
def test_a_disk_that_gets_full_while_it_calls(tmp_path: Path) -> None:
    """On a real disk of 28 MiB: outcomes of what was sent land in the room that was kept, and nothing new is sent."""
    slow = tmp_path / "slow.json"
    slow.write_text('[{"kind": "slow", "path": "call", "times": null, "seconds": 3}]')
    write_project(tmp_path, [("people.yaml", people_of("movoice"))], people=60)
    (tmp_path / ".outreach").mkdir()
    with sandbox_process(tmp_path, "--faults", str(slow)) as url:
        script = (
            "mount -t tmpfs -o size=28m small .outreach || exit 99\n"
            f"{sys.executable} -m runner {' '.join(_RUN)} {url} & runner=$!\n"
            "while [ ! -f go ]; do sleep 0.05; done\n"
            "dd if=/dev/zero of=.outreach/filler bs=64k 2>/dev/null\n"
            "touch filled; wait $runner; code=$?\n"
            "cp .outreach/ledger.db after.db; exit $code\n"
        )
        process = subprocess.Popen(
            ["unshare", "-rm", "sh", "-c", script], cwd=tmp_path, text=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"},
        )  # fmt: skip
        wait_until_dialled(url, 4)
        (tmp_path / "go").touch()
        _, said = process.communicate(timeout=60)
        placed = dials(url)
    with closing(sqlite3.connect(tmp_path / "after.db")) as connection:
        states = Counter(row[0] for row in connection.execute("SELECT state FROM attempts"))
        known = {row[0] for row in connection.execute("SELECT key FROM attempts WHERE state <> 'planned'")}

    assert process.returncode == 7, said
    assert "the space that was kept for outcomes is used now" in said
    assert "make room on its disk" in said
    assert len(placed) <= 24, "nothing new was begun"
    assert max(Counter(dial["reference"] for dial in placed).values()) == 1
    assert {dial["reference"] for dial in placed} <= known, "no request without a durable intent"
    assert not {"sending", "claimed"} & set(states), states
