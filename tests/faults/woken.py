"""Stop a runner at work, let another one take its ledger over, wake it up again, and see whether it still sends anything."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.ledger.instants import to_micros
from runner.ports.crash_points import CrashPoint
from runner.schedule.clock import SystemClock
from tests.e2e.processes import REPOSITORY, dials
from tests.faults.joining import Joined, joined
from tests.faults.kill_loop import SLOW_ANSWERS, Lives, Load, faulty_sandbox, write_load

POINTS: tuple[tuple[CrashPoint | None, int], ...] = (
    (None, 1),
    (CrashPoint.AFTER_CLAIM, 3),
    (CrashPoint.AFTER_INTENT, 3),
    (CrashPoint.BEFORE_POST, 12),
    (CrashPoint.BEFORE_POST, 12),
    (CrashPoint.AFTER_POST, 12),
    (CrashPoint.AFTER_RESULT, 12),
)
"""where it is stopped, and at which visit at the latest; None is any instant"""
_LONGEST_WORK, _LONGEST_SLEEP = 1.0, 4.0
"""until it is stopped at any instant, and from the taking over until it wakes up"""
_LEASE_AND_MORE = 60.0
_TAKEN_OVER = 6
"""the exit code of a runner that has lost its ledger"""
_NEWEST_INTENT = """
SELECT MAX(e.at) FROM events e JOIN attempts a ON a.id = e.attempt_id
WHERE a.key = ? AND e.kind = 'sending' AND e.at <= ?
"""
_LIVE = "SELECT COUNT(*) FROM attempts WHERE state IN ('claimed', 'sending')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wakings:
    """What some rounds came to."""

    rounds: int = 0
    met: int = 0
    """rounds in which the runner was stopped with attempts claimed or requests on their way"""
    stayed: tuple[str, ...] = ()
    """runners that woke up and did not end as one that has lost its ledger"""
    late: tuple[str, ...] = ()
    """dials after the waking of which only the runner that had lost its ledger had an intent"""
    unexpected: tuple[str, ...] = ()
    found: Joined = field(default_factory=Joined)

    def __add__(self, other: Wakings) -> Wakings:
        """Sum up."""
        return Wakings(
            rounds=self.rounds + other.rounds, met=self.met + other.met, stayed=self.stayed + other.stayed,
            late=self.late + other.late, unexpected=self.unexpected + other.unexpected, found=self.found + other.found,
        )  # fmt: skip

    @property
    def holds(self) -> bool:
        """Whether nobody was dialled twice or lost, and every runner that woke up sent nothing and ended."""
        found = self.found
        wrong = (found.twice, found.strangers, found.lost, found.wrong, found.held_elsewhere("revmo"))
        return not any((*wrong, self.late, self.stayed, self.unexpected))

    @property
    def said(self) -> str:
        """Give the figures in one line, and the first of everything that is wrong."""
        found = self.found
        said = (
            f"{self.rounds} runners stopped at work, their ledger taken over, and woken up, {self.met} of them with"
            f" attempts claimed or requests on their way; {found.people:,} people, {found.attempts:,} attempts,"
            f" {found.dials:,} dials: {len(found.twice)} attempts dialled twice, {len(found.lost)} lost,"
            f" {len(found.wrong)} with a wrong outcome, {len(found.held_elsewhere('revmo'))} held where there is a"
            f" read side, {len(found.held_at('revmo'))} at revmo, which has none; {len(self.late)} requests that left"
            f" on an intent from before the taking over, {len(self.stayed)} runners that went on"
        )
        wrong = (*found.twice, *found.strangers, *found.lost, *found.wrong, *found.held_elsewhere("revmo"))
        return "; ".join([said, *(*wrong, *self.late, *self.stayed, *self.unexpected)[:5]])


def one_waking(seed: int, people: int = 15) -> Wakings:
    """Do one round in a ledger and with a sandbox of its own; raises AssertionError when it cannot be staged."""
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="woken-") as name:
        folder, load = Path(name), Load(people=people, faults=(SLOW_ANSWERS,))
        write_load(folder, load)
        with faulty_sandbox(chance.randrange(1 << 30), load.faults) as url:
            lives = Lives(folder, url)
            woken = _wake_one_up(folder, url, POINTS[seed % len(POINTS)], chance)
            lives.finish(load.patience)
            placed = dials(url)
            stayed = () if woken.code == _TAKEN_OVER else (f"the runner of seed {seed} ended with {woken.code}",)
            return Wakings(
                rounds=1, met=woken.met, stayed=stayed, late=tuple(late_dials(lives.ledger, placed, woken.other_began, woken.at)),
                unexpected=lives.unexpected(), found=joined(lives.ledger, placed),
            )  # fmt: skip


def late_dials(
    ledger: Path, placed: Sequence[Mapping[str, Any]], other_began: datetime, woken_at: datetime
) -> Iterator[str]:
    """Give the dials after a waking whose newest intent is older than the start of the runner that took over."""
    with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as connection:
        for dial in placed:
            at = datetime.fromisoformat(dial["at"])
            if at < woken_at:
                continue
            (intent,) = connection.execute(_NEWEST_INTENT, (dial["reference"], to_micros(at))).fetchone()
            if intent is None or intent < to_micros(other_began):
                yield f"{dial['reference'][:8]} was dialled at {at:%H:%M:%S.%f}, {at - woken_at} after the waking"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Woken:
    code: int | None
    """how the runner ended; None when it did not"""
    met: bool
    """whether it was stopped in the midst of something"""
    other_began: datetime
    """when the other one was started: whatever is older is an intent of the one that was stopped"""
    at: datetime


def _wake_one_up(folder: Path, url: str, place: tuple[CrashPoint | None, int], chance: random.Random) -> _Woken:
    ledger = folder / ".outreach" / "ledger.db"
    point, last_visit = place
    armed = {"OUTREACH_STOP_AT": f"{point}:{chance.randint(1, last_visit)}"} if point else {}
    first = _run(folder, url, env=armed)
    second = None
    try:
        if point is None:
            _wait_until_at_work(ledger, chance)
            first.send_signal(signal.SIGSTOP)
        _until(lambda: _state(first.pid) == "T", "it was never stopped")
        _stop_outside_transactions(first, ledger, chance)
        met = _ask(ledger, _LIVE) > 0
        # As on another machine that mounts the same folder: the lock of this one says nothing there.
        ledger.with_name("ledger.db.lock").unlink()
        epoch, other_began = _epoch(ledger), SystemClock().now()
        second = _run(folder, url, "--takeover")
        _until(lambda: _epoch(ledger) > epoch, "nobody took the ledger over")
        time.sleep(chance.uniform(0, _LONGEST_SLEEP))
        at = SystemClock().now()
        first.send_signal(signal.SIGCONT)
        code = None
        with suppress(subprocess.TimeoutExpired):
            code = first.wait(timeout=60)
        second.wait(timeout=120)
        return _Woken(code=code, met=met, other_began=other_began, at=at)
    finally:
        for process in (first, second):
            if process is not None and process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
                process.wait(timeout=20)


def _wait_until_at_work(ledger: Path, chance: random.Random) -> None:
    _until(lambda: _ask(ledger, "SELECT COUNT(*) FROM events WHERE kind = 'sending'") > 0, "it sends nothing")
    time.sleep(chance.uniform(0, _LONGEST_WORK))


def _stop_outside_transactions(process: subprocess.Popen[bytes], ledger: Path, chance: random.Random) -> None:
    """Stop a stopped process an instant later while one of its threads holds the lock of the database."""
    while not _can_be_written(ledger):
        process.send_signal(signal.SIGCONT)
        time.sleep(chance.uniform(0.001, 0.02))
        process.send_signal(signal.SIGSTOP)
        _until(lambda: _state(process.pid) == "T", "it does not stop")


def _run(folder: Path, url: str, *more: str, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    words = ("run", "campaigns", "--sandbox", url, "--now", "--yes", *more)
    with (folder / "stderr").open("ab") as stderr:
        return subprocess.Popen(
            [sys.executable, "-m", "runner", *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=stderr,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", **(env or {})},
        )  # fmt: skip


def _until(happens: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _LEASE_AND_MORE
    while not happens():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.02)


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _epoch(ledger: Path) -> int:
    return _ask(ledger, "SELECT epoch FROM lease")


def _ask(ledger: Path, query: str) -> int:
    with suppress(sqlite3.OperationalError), closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as found:
        return int(found.execute(query).fetchone()[0])
    return 0


def _can_be_written(ledger: Path) -> bool:
    with closing(sqlite3.connect(ledger, timeout=0.2, isolation_level=None)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        connection.execute("ROLLBACK")
        return True
