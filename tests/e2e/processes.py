"""Start the real command and a real sandbox as processes, and talk to them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from runner.ledger.sqlite import is_held

REPOSITORY = Path(__file__).resolve().parents[2]

AGENTS: Mapping[str, str] = {
    "movoice": "movoice/agent_12345",
    "revmo": "revmo/QUdFTlQtMDAwMQ==",
    "revox": "revox/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e",
    "revring": '{provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550199"}',
}
"""what a campaign writes for its agent, by provider"""
READABLE = ("movoice", "revox", "revring")
"""providers at which a lost request can be looked for"""


def outreach(*words: str, cwd: Path, timeout: float = 90) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "runner", *words], cwd=cwd, capture_output=True, text=True, timeout=timeout,
        check=False, env=_environment(),
    )  # fmt: skip


def start(
    *words: str, cwd: Path, stderr: int = subprocess.DEVNULL, env: Mapping[str, str] | None = None
) -> subprocess.Popen[str]:
    """Start one command, with `env` beside this process's own variables, and leave it running."""
    return subprocess.Popen(
        [sys.executable, "-m", "runner", *words], cwd=cwd, text=True, env={**_environment(), **(env or {})},
        stdout=subprocess.PIPE, stderr=stderr,
    )  # fmt: skip


@contextmanager
def sandbox_process(cwd: Path, *options: str) -> Iterator[str]:
    """Serve a sandbox on a free port; give its URL."""
    process = start("sandbox", "--port", "0", *options, cwd=cwd)
    try:
        assert process.stdout is not None
        first = process.stdout.readline()
        assert first.startswith("sandbox at "), first
        yield first.split()[2]
    finally:
        process.terminate()
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def served(cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """Serve a project's ledger until the block ends."""
    process = start("serve", "--port", "0", cwd=cwd)
    try:
        deadline = time.monotonic() + 20
        while not is_held(cwd / ".outreach/ledger.db"):
            assert time.monotonic() < deadline, "serve does not start"
            assert process.poll() is None
            time.sleep(0.05)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def dials(url: str) -> list[dict[str, Any]]:
    """Ask the sandbox for the truth."""
    # A sandbox that refuses connections on purpose refuses ours, too.
    with httpx.Client(transport=httpx.HTTPTransport(retries=5, trust_env=False), timeout=20) as client:
        found: list[dict[str, Any]] = client.get(f"{url}/_sandbox/dials").json()
    return found


def status_of(cwd: Path, *, contacts: bool = False) -> list[dict[str, Any]]:
    """Ask the ledger, through the command."""
    done = outreach("status", "--format", "json", *(["--contacts"] if contacts else []), cwd=cwd)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)["campaigns"]
    return found


def wait_until_dialled(url: str, count: int, seconds: float = 30) -> None:
    """Wait until the sandbox has placed so many calls."""
    deadline = time.monotonic() + seconds
    while len(dials(url)) < count:
        assert time.monotonic() < deadline, "the runner dials nobody"
        time.sleep(0.02)


def write_project(folder: Path, campaigns: Sequence[tuple[str, str]], people: int = 60) -> None:
    """Write a project: campaigns by file name, and one contacts file with fictional numbers."""
    (folder / "campaigns" / "contacts").mkdir(parents=True)
    for name, text in campaigns:
        (folder / "campaigns" / name).write_text(text, encoding="utf-8")
    rows = [f"{fictional_number(index)},Person {index}" for index in range(people)]
    (folder / "campaigns" / "contacts" / "people.csv").write_text("phone,name\n" + "\n".join(rows) + "\n")


def fictional_number(index: int) -> str:
    """Give one of 1,000 numbers that belong to nobody: 555-01xx in ten area codes."""
    areas = ("202", "212", "213", "305", "312", "404", "415", "512", "617", "702")
    return f"+1{areas[index // 100]}55501{index % 100:02d}"


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"}
