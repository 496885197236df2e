"""Revox's own SDK against the sandbox: every answer is parsed by the vendor's strict models, in both generations.

Two versions cannot be installed side by side, so that each stands in a folder of its own beside the environment and
runs as a process of its own. They are installed at the first use, from the index that pip is set up for.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import RevoxSwitches, Settings

HERE = Path(__file__).parent
ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
TUESDAY_NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
"""in New York, inside every calling window"""


def installed(version: str) -> Path:
    """Give the folder in which a version of the SDK stands, and put it there when it is missing."""
    folder = Path(sys.prefix) / "sdk" / f"revox-{version}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(exist_ok=True)
    made = Path(tempfile.mkdtemp(dir=folder.parent))
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--require-hashes", "--target", str(made), "-r", str(HERE / f"revox-{version}.txt")]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"revox {version} cannot be installed: {done.stderr[-800:]}"
        if not folder.is_dir():
            made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return folder


async def journey(version: str, generation: Literal["A", "D"]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Let the SDK travel, and give what it read and who was dialled with which outcome."""
    folder = await asyncio.to_thread(installed, version)
    script = {ANA: ("answered",), SAM: ("no_answer", "answered"), TOM: ("no_answer",)}
    settings = Settings(
        seed=7,
        api_keys=("sk-test",),
        script=script,
        ring_seconds=(0.05, 0.1),
        talk_seconds=(0.2, 0.3),
        revox=RevoxSwitches(generation=generation),
    )
    async with running(settings, WallClock(start=TUESDAY_NOON)) as server:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(HERE / f"journey_{version.replace('.', '_')}.py"),
            f"{server.url}/revox/api",
            env={**os.environ, "PYTHONPATH": str(folder)},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode == 0, err.decode()[-3000:]
        dials = [(dial.to, dial.reference) for dial in server.world.dials()]
    read: dict[str, Any] = json.loads(out)
    return read, dials


async def test_0_5_0_takes_the_sandbox_for_the_newest_generation() -> None:
    read, dials = await journey("0.5.0", "D")

    assert read["account"] == {
        "authenticated": True,
        "user": "sandbox@example.test",
        "voices": ["voice-ada", "voice-luc"],
        "voice": "Ada",
        "numbers": ["+12025550190"],
    }
    assert read["assistant"] == {
        "name": "Reminders",
        "delay": 400,
        "attempts": 2,
        "changed": "Hello.",
        "unchanged": "Remind them.",
        "removed": True,
        "left": [True],
    }
    assert read["call"] == {
        "found": [True, {"attempt_id": "sdk-1"}],
        "ended": ["completed", 1, "human", "Ana"],
        "talked": True,
        "assistant": "Reminders",
        "later": ["scheduled", True, True, True],
        "cancelled": True,
        "exported": ["id", "phone_number"],
        "reached": True,
    }
    campaign = read["campaign"]
    assert campaign["made"] == ["paused", 3, "run-0002"]
    assert campaign["launched"] == [3, 0, None]
    assert (campaign["paused"], campaign["resumed"]) == ([True, "paused"], True)
    assert campaign["rows"] == [[ANA, True], [SAM, True], [TOM, True]]
    assert campaign["statistics"][0] == 3
    assert campaign["statistics"][1] >= 3
    assert (campaign["cancelled"], campaign["removed"]) == (True, True)
    assert campaign["listed"] == [[True, "completed"]]
    assert campaign["exported"] == 4
    # one dial by the call order, then the campaign's: Ana once, Sam twice because he did not answer at first
    assert dials[0] == (ANA, "sdk-1")
    assert [to for to, _ in dials].count(ANA) == 2
    assert [to for to, _ in dials].count(SAM) == 2


async def test_0_1_1_takes_the_sandbox_for_the_seeds_generation() -> None:
    read, dials = await journey("0.1.1", "A")

    assert read["account"] == {"user": "sandbox@example.test", "voices": ["voice-ada", "voice-luc"]}
    assert read["assistant"] == {
        "changed": "Call us.",
        "read": "+12025550188",
        "removed": True,
        "left": ["Reminders"],
    }
    assert read["call"] == {
        "metadata": {"attempt_id": "sdk-1"},
        "ended": ["completed", 1, "human"],
        "found": [[ANA, "completed", "human"]],
        "elsewhere": 0,
    }
    campaign = read["campaign"]
    assert campaign["made"] == ["running", 3]
    assert campaign["cancelled"] == [True, True]
    assert campaign["page"] == [2, 2, 3, [TOM]]
    assert ANA in campaign["reached"]
    assert campaign["listed"] == ["run-0001"]
    assert (campaign["exported"], campaign["removed"]) == (4, True)
    assert dials[:2] == [(ANA, "sdk-1"), (ANA, "")]
    assert [to for to, _ in dials].count(SAM) == 2
