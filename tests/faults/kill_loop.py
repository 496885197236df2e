"""Kill the real command over and over while it works against a sandbox, run it again, and see what came of everybody."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from runner.ledger.standing import read_at_once_by_hand, resume_by_hand
from runner.ledger.store import Store
from runner.schedule.clock import SystemClock
from tests.e2e.processes import AGENTS, REPOSITORY, dials, fictional_number
from tests.faults.joining import Joined, joined

DIALS = r"/(call|calls|makecall/?)$"
SETTLE_SECONDS = 2
"""how long a lost request is looked for in the sandbox, twice; the S of the figures"""
SLOW_ANSWERS: Mapping[str, Any] = {"kind": "slow", "share": 0.3, "seconds": 0.15, "path": DIALS}
"""lets requests be on their way for longer, so that more kills meet one"""

_CAMPAIGN = """\
campaign: {name}-people
purpose: informational
agent: {agent}
contacts: contacts/{name}.csv
retry: 2 times, 1s apart, on no_answer, busy
limits: {{concurrency: {concurrency}}}
variables: {{name: "{{{{ contact.name }}}}"}}
"""
_LOOK_SECONDS = 0.02
_RESUME_SECONDS = 0.3
_STOPPED = (
    "SELECT (SELECT COUNT(*) FROM campaigns WHERE state = 'paused')"
    " + (SELECT COUNT(*) FROM account_health WHERE state = 'open')"
)
_LONGEST_START, _LONGEST_WORK = 1.3, 1.5
_IN_START_UP = 0.15
"""share of the kills that are aimed at the start-up; the others wait for the first intent"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What the runner has to do in one round."""

    people: int = 250
    """of each provider's campaign"""
    concurrency: int = 8
    """of each provider's campaign"""
    faults: Sequence[Mapping[str, Any]] = (SLOW_ANSWERS,)
    patience: float = 600.0
    """seconds that a round may take to end once nobody kills any more"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Toll:
    """What a loop of kills came to."""

    kills: int = 0
    at_work: int = 0
    """kills that met a runner which had sent something since its start"""
    rounds: int = 0
    resumed: int = 0
    """pauses (doubt budget, faults of an account) and waits of breakers that a person ended"""
    unexpected: tuple[str, ...] = ()
    """tracebacks and other words of a runner that did not expect something"""
    found: Joined = field(default_factory=Joined)

    def __add__(self, other: Toll) -> Toll:
        """Sum two loops."""
        return Toll(
            kills=self.kills + other.kills, at_work=self.at_work + other.at_work, rounds=self.rounds + other.rounds,
            resumed=self.resumed + other.resumed, unexpected=self.unexpected + other.unexpected,
            found=self.found + other.found,
        )  # fmt: skip

    @property
    def holds(self) -> bool:
        """Whether nobody was dialled twice or lost, and nothing is held where it could have been looked for."""
        found = self.found
        wrong = (found.twice, found.strangers, found.lost, found.wrong, found.held_elsewhere("revmo"), self.unexpected)
        return not any(wrong)

    @property
    def said(self) -> str:
        """Give the figures in one line, and the first of everything that is wrong."""
        found = self.found
        said = (
            f"{self.kills:,} SIGKILLs, {self.at_work:,} of them on a runner at work, {found.killed_sending:,} requests"
            f" cut off; {found.people:,} people in {self.rounds} rounds, {found.attempts:,} attempts,"
            f" {found.dials:,} dials: {len(found.twice)} attempts dialled twice, {len(found.lost)} lost,"
            f" {len(found.wrong)} with a wrong outcome, {len(found.held_elsewhere('revmo'))} held where there is a"
            f" read side, {len(found.held_at('revmo'))} at revmo, which has none; S = {SETTLE_SECONDS} s, looked twice"
        )
        words = [said]
        words += [f"{self.resumed} pauses and waits ended by hand"] if self.resumed else []
        words += [f"{len(found.strangers)} dials of unknown attempts"] if found.strangers else []
        wrong = (*found.twice, *found.lost, *found.wrong, *found.held_elsewhere("revmo"), *self.unexpected)
        return "; ".join([*words, *wrong[:5]])


def kill_loop(load: Load, *, kills: int, seed: int) -> Toll:
    """Kill so many times, in rounds of a fresh ledger and sandbox each; every round is finished and joined."""
    chance, toll = random.Random(seed), Toll()
    while toll.kills < kills:
        with tempfile.TemporaryDirectory(prefix="kill-loop-") as name:
            toll += _round(Path(name), load, kills - toll.kills, chance)
    return toll


def _round(folder: Path, load: Load, kills: int, chance: random.Random) -> Toll:
    write_load(folder, load)
    toll = Toll(rounds=1)
    with faulty_sandbox(chance.randrange(1 << 30), load.faults) as url:
        lives = Lives(folder, url)
        is_over = False
        while toll.kills < kills and not is_over:
            killed, at_work, is_over = lives.one(chance)
            toll = replace(toll, kills=toll.kills + killed, at_work=toll.at_work + at_work)
        lives.finish(load.patience)
        return replace(
            toll, resumed=lives.resumed, unexpected=lives.unexpected(), found=joined(lives.ledger, dials(url))
        )


class Lives:
    """The lives of one runner over a folder's ledger: started, watched, killed, started again."""

    def __init__(self, folder: Path, url: str) -> None:
        self._folder, self._url = folder, url
        self.ledger = folder / ".outreach" / "ledger.db"
        self.resumed = 0
        self._resume_at = 0.0

    def one(self, chance: random.Random) -> tuple[int, int, bool]:
        """Live once: whether it was killed, whether at work, whether everybody had ended before."""
        aims_at_start = chance.random() < _IN_START_UP
        wait = chance.uniform(0, _LONGEST_START if aims_at_start else _LONGEST_WORK)
        before = self._sent()
        process = self._start()
        try:
            deadline = None if not aims_at_start else time.monotonic() + wait
            while process.poll() is None and (deadline is None or time.monotonic() < deadline):
                time.sleep(_LOOK_SECONDS)
                self._resume()
                if deadline is None and self._sent() > before:
                    deadline = time.monotonic() + wait
            if process.poll() is not None:
                return 0, 0, self._is_over()
            at_work = self._sent() > before
            process.kill()
            return 1, int(at_work), False
        finally:
            process.kill()
            process.wait(timeout=20)

    def finish(self, patience: float) -> None:
        """Run until everybody has ended, or for so many seconds."""
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and not self._is_over():
            process = self._start()
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(_LOOK_SECONDS)
                self._resume()
            process.kill()
            process.wait(timeout=20)
            self._resume_at = 0.0
            self._resume()

    def unexpected(self) -> tuple[str, ...]:
        """Give the lines in which a runner said that it had not expected something."""
        said = (self._folder / "stderr").read_text("utf-8", "replace").splitlines()
        return tuple(one for one in said if "nexpected" in one or one.startswith("Traceback"))

    def _start(self) -> subprocess.Popen[bytes]:
        words = ("run", "campaigns", "--sandbox", self._url, "--now", "--yes")
        with (self._folder / "stderr").open("ab") as stderr:
            return subprocess.Popen(
                [sys.executable, "-m", "runner", *words], cwd=self._folder, stdout=subprocess.DEVNULL, stderr=stderr,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1"},
            )  # fmt: skip

    def _sent(self) -> int:
        """Count the intents so far; as many as before while the ledger is not there or busy."""
        return self._ask("SELECT COUNT(*) FROM events WHERE kind = 'sending'")

    def _is_over(self) -> bool:
        """Whether everybody stands in a final state and nothing is under way."""
        query = (
            "SELECT (SELECT COUNT(*) FROM contacts WHERE state IN ('pending', 'calling', 'retry'))"
            " + (SELECT COUNT(*) FROM attempts WHERE state NOT IN ('finished', 'held'))"
        )
        applied = self._ask("SELECT COUNT(*) FROM revisions WHERE complete")
        return applied == len(AGENTS) and self._ask(query, unknown=1) == 0

    def _ask(self, query: str, unknown: int = 0) -> int:
        try:
            with closing(sqlite3.connect(f"{self.ledger.as_uri()}?mode=ro", uri=True, timeout=1)) as connection:
                return int(connection.execute(query).fetchone()[0])
        except sqlite3.OperationalError:
            return unknown

    def _resume(self) -> None:
        """Do as a person does who looks at a paused campaign and has it go on."""
        if time.monotonic() < self._resume_at or not self.ledger.exists():
            return
        self._resume_at = time.monotonic() + _RESUME_SECONDS
        if not self._ask(_STOPPED):
            return
        with closing(Store.open(self.ledger)) as store:
            for name in AGENTS:
                now = SystemClock().now()
                self.resumed += resume_by_hand(store, f"{name}-people", "looked at it", now)
                self.resumed += len(read_at_once_by_hand(store, f"{name}-people", now))


@contextmanager
def faulty_sandbox(seed: int, faults: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Serve a sandbox from a process of its own; give its URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.provider_process", str(seed), json.dumps(list(faults))],
        cwd=REPOSITORY, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[2]
    finally:
        process.terminate()
        process.wait(timeout=20)
        assert process.stdout is not None
        process.stdout.close()


def write_load(folder: Path, load: Load) -> None:
    """Write a project with a campaign for each provider."""
    contacts = folder / "campaigns" / "contacts"
    contacts.mkdir(parents=True)
    for place, (name, agent) in enumerate(AGENTS.items()):
        campaign = _CAMPAIGN.format(name=name, agent=agent, concurrency=load.concurrency)
        (folder / "campaigns" / f"{name}.yaml").write_text(campaign, "utf-8")
        numbers = range(place * load.people, (place + 1) * load.people)
        rows = [f"{fictional_number(number)},Person {number}" for number in numbers]
        (contacts / f"{name}.csv").write_text("phone,name\n" + "\n".join(rows) + "\n", "utf-8")
