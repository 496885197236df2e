"""`outreach sandbox` as a process: a file of faults, shares, switches, and what it says when they mean nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

COMMAND = [sys.executable, "-m", "runner", "sandbox", "--port", "0"]


@contextmanager
def served(*words: str) -> Iterator[httpx.Client]:
    with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().split()[2]
            with httpx.Client(base_url=url, trust_env=False, timeout=5, headers={"Authorization": "Bearer k"}) as http:
                yield http
        finally:
            process.terminate()
            process.wait(10)


def test_it_serves_with_faults_and_switches(tmp_path: Path) -> None:
    plan = tmp_path / "faults.yaml"
    plan.write_text("seed: 3\nfaults:\n  - {kind: status, status: 418, provider: revmo}\n")
    call: dict[str, Any] = {"agentId": "QUdFTlQ=", "to": "+12025550101"}
    words = ["--faults", str(plan), "--switch", "revmo.slash=accept", "--switch", "revmo.calls_remaining_form=int"]

    with served(*words, "--webhook-fault", "lost=0.5", "--realistic") as http:
        first = http.post("/revmo/v1/makecall", json=call)
        second = http.post("/revmo/v1/makecall", json=call)
        dials = http.get("/_sandbox/dials").json()

    assert (first.status_code, second.status_code) == (418, 200)
    assert second.json()["calls_remaining"] == 499
    assert len(dials) == 1


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--switch", "revmo.colour=red"], "there is no switch `colour`"),
        (["--fault", "explode=0.1"], "there is no fault `explode`"),
        (["--webhook-fault", "eaten=0.1"], "webhooks have no option `eaten`"),
        (["--faults", "nowhere.yaml"], "cannot read `nowhere.yaml`"),
    ],
)
def test_it_says_what_means_nothing(tmp_path: Path, words: list[str], message: str) -> None:
    done = subprocess.run([*COMMAND, *words], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode != 0
    assert message in done.stderr
    assert "help" in done.stderr
