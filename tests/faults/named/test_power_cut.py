"""F42: what the kernel was asked to do, in its order: an intent is flushed to the disk before its request leaves."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from runner.ledger.sqlite import connect
from tests.e2e.processes import REPOSITORY, dials, sandbox_process, write_project

_CAMPAIGN = """\
campaign: people
purpose: informational
agent: movoice/agent_12345
contacts: contacts/people.csv
limits: {concurrency: 1}
"""
_PEOPLE = 6
_CALLS = "fsync,fdatasync,write,pwrite64,sendto"
_LINE = re.compile(r"^\d+\s+(?P<call>\w+)\(\d+(?:<(?P<file>[^>]*)>)?(?P<words>.*)")
_LEDGER = {"ledger.db", "ledger.db-journal", "ledger.db-wal"}
_DIAL = re.compile(r"POST [^ ]*/(call|calls)\b")


def _traced(folder: Path, url: str) -> list[str]:
    """Run the campaign under a tracer of system calls; give its lines."""
    log = folder / "calls.txt"
    words = ["run", "campaigns", "--sandbox", url, "--now", "--yes"]
    done = subprocess.run(
        ["strace", "-f", "-qq", "-y", "-s", "200", "-e", f"trace={_CALLS}", "-e", "signal=none", "-o", str(log),
         sys.executable, "-m", "runner", *words],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(REPOSITORY), "PATH": "/usr/bin:/bin", "NO_COLOR": "1", "HOME": str(folder)},
    )  # fmt: skip
    assert done.returncode in (0, 5), done.stderr
    return log.read_text("utf-8", errors="replace").splitlines()


@pytest.mark.fault("F42")
@pytest.mark.skipif(shutil.which("strace") is None, reason="needs strace: apt-get install strace")
def test_f42_each_request_is_preceded_by_a_flush_of_all_that_was_written(tmp_path: Path) -> None:
    """When a request to dial is handed to the kernel, nothing of the ledger waits to be flushed: the intent is on the disk."""
    write_project(tmp_path, [("people.yaml", _CAMPAIGN)], people=_PEOPLE)
    with sandbox_process(tmp_path, "--seed", "5", "--webhook-fault", "lost=1") as url:
        lines = _traced(tmp_path, url)
        placed = len(dials(url))

    waiting: set[str] = set()
    flushes, seen_by = 0, []
    for line in lines:
        found = _LINE.match(line)
        if found is None:
            continue
        name = Path(found["file"] or "").name
        if found["call"] in {"write", "pwrite64"} and name in _LEDGER:
            waiting.add(name)
        elif found["call"] in {"fsync", "fdatasync"} and name in _LEDGER:
            flushes += name in waiting
            waiting.discard(name)
        elif found["call"] == "sendto" and _DIAL.search(found["words"]):
            seen_by.append((flushes, set(waiting)))

    assert len(seen_by) == placed >= _PEOPLE
    counts = [0, *(count for count, _ in seen_by)]
    assert all(later > earlier for earlier, later in pairwise(counts)), "a request left without a flush before it"
    # The lease is renewed now and then, and that may just be under way: with no flush before a request it would be all.
    assert sum(bool(dirty) for _, dirty in seen_by) <= 1, seen_by


@pytest.mark.fault("F42")
def test_f42_the_ledger_is_opened_so_that_a_commit_waits_for_the_disk(tmp_path: Path) -> None:
    connection = connect(tmp_path / "ledger.db")
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]

    assert connection.execute("PRAGMA synchronous").fetchone()[0] == 2
    assert mode in {"truncate", "wal"}
    connection.close()
