"""Let an opt-out arrive between any two statements of the engine, and see whether anybody is dialled after it."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from runner.engine.journal import Journal
from runner.errors import LedgerBusy
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.outcome import Observation, Outcome
from runner.model.request import Reply, Request
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, phone, reply

_AGENTS = {"a": {"provider": "revring", "id": "agent_1", "from": "+12025550190"}}
_ACCOUNT = account("revring", webhook_secret="env:X")
_HOUR = timedelta(hours=1)
_TRIES = 2
_PATIENCE = 400


class Way(StrEnum):
    """How an opt-out comes."""

    ELSEWHERE = "another process"
    """as `outreach suppress` does, in a transaction of its own that may stay open for a while"""
    WEBHOOK = "webhook"
    """a call of another campaign ended with it"""
    TEXT = "inbound text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """When an opt-out comes, counted in statements of the engine on its ledger."""

    way: Way
    begins: int
    commits: int
    """of another process's transaction; the engine commits the others itself"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """What came of one interleaving."""

    statements: int
    dials: int
    before: int
    """intents that were durable before the opt-out was"""
    after: int
    """intents that became durable after the opt-out had: none may"""
    is_out: bool
    """the opt-out stands in the ledger"""

    @property
    def is_sound(self) -> bool:
        """Whether nobody was dialled whose opt-out came before the intent."""
        return self.is_out and not self.after and self.dials == self.before


class _Watched:
    """A connection that lets something happen before each of its statements."""

    def __init__(self, real: sqlite3.Connection) -> None:
        self._real = real
        self.count = 0
        self.before: Callable[[int], None] = lambda _: None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, statement: str, *values: Any) -> sqlite3.Cursor:
        self.before(self.count)
        self.count += 1
        return self._real.execute(statement, *values)


class _Elsewhere:
    """Another process: begins its transaction as soon as it may from a moment on, commits it at a later one."""

    def __init__(self, path: Path, moment: Moment) -> None:
        self._moment = moment
        self.store = Store.open(path)
        self.store._connection.execute("PRAGMA busy_timeout = 0")
        self._open: AbstractContextManager[None] | None = None
        self.is_done = False

    def look(self, count: int) -> None:
        """Do what is due; a ledger that is locked is tried again at the next statement."""
        if not self.is_done and self._open is None and count >= self._moment.begins:
            opened = self.store.transaction()
            try:
                opened.__enter__()
            except LedgerBusy:
                return
            self._open = opened
            self.store.suppress(phone(0), "opted out", "another process", NOON)
        if self._open is not None and count >= self._moment.commits:
            self._open.__exit__(None, None, None)
            self._open, self.is_done = None, True

    def finish(self) -> None:
        """Do now what was still to come."""
        while not self.is_done:
            self.look(1 << 30)


@contextmanager
def template() -> Iterator[Path]:
    """Give a ledger in which a person was called by one campaign and is to be called by another."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(prefix="opt-outs-", dir=memory if memory.is_dir() else None) as name:
        path = Path(name) / "template.db"
        asyncio.run(_prepare(path))
        yield path


async def _prepare(path: Path) -> None:
    with closing(Store.open(path)) as store:
        rules = {"agent": None, "agents": _AGENTS}
        apply(store, campaign(campaign="spring", **rules), (contact(0),), _ACCOUNT)
        async with Journal(store) as journal:
            engine = _engine(store, journal)
            await engine.deliver("spring")
            await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED))
        retry = f"{_TRIES + 1} times, 1h apart, on no_answer"
        apply(store, campaign(retry=retry, **rules), (contact(0),), _ACCOUNT)


def _engine(store: Store, journal: Journal) -> Bench:
    engine = bench(store, journal, _ACCOUNT)
    engine.transport.dials = [_took]
    return engine


def _took(request: Request) -> Reply:
    key = next(value for name, value in request.headers.items() if name.lower() == "idempotency-key")
    return reply({"data": {"id": f"id-{key}"}}, 201)


async def interleaved(template: Path, moment: Moment | None) -> Outcomes:
    """Call the person several times while an opt-out comes at a moment, or never; then once more after it."""
    path = template.with_name("ledger.db")
    shutil.copy(template, path)
    store = Store.open(path)
    known = _last_event(store)
    watched = _Watched(store._connection)
    store._connection.execute("PRAGMA busy_timeout = 0")
    store._connection, store.patience = watched, _PATIENCE  # type: ignore[assignment]
    elsewhere = _Elsewhere(path, moment) if moment is not None and moment.way is Way.ELSEWHERE else None
    told: list[asyncio.Task[None]] = []
    try:
        async with Journal(store) as journal:
            engine = _engine(store, journal)
            loop = asyncio.get_running_loop()

            def tell(count: int) -> None:
                if moment is not None and not told and count >= moment.begins:
                    watched.before = lambda _: None
                    loop.call_soon_threadsafe(lambda: told.append(loop.create_task(_tell(engine, moment.way))))

            if moment is not None:
                watched.before = elsewhere.look if elsewhere is not None else tell
            await _calls(engine)
            statements = watched.count
            if elsewhere is not None:
                elsewhere.finish()
            elif moment is not None and not told:
                await _tell(engine, moment.way)
            await asyncio.gather(*told)
            await _calls(engine)
            dials = len(engine.transport.sent)
    finally:
        store._connection = watched._real
        if elsewhere is not None:
            elsewhere.store.close()
        is_out = store.letters.is_suppressed(phone(0))
        kinds = _kinds_since(store, known)
        store.close()
    at = kinds.index("suppressed") if "suppressed" in kinds else len(kinds)
    return Outcomes(
        statements=statements, dials=dials, before=kinds[:at].count("sending"), after=kinds[at:].count("sending"),
        is_out=is_out,
    )  # fmt: skip


async def _calls(engine: Bench) -> None:
    """Claim, judge, intend, send and settle, some times over."""
    for _ in range(_TRIES):
        await engine.deliver("renewals")
        for work in await engine.journal.run(lambda ledger: ledger.in_state(AttemptState.ACCEPTED)):
            await engine.reconciliation.settle(work.attempt.id, Observation(outcome=Outcome.NO_ANSWER))
        engine.clock.forward(_HOUR)


async def _tell(engine: Bench, way: Way) -> None:
    """Have the inbox hear of it, proved by the token in the URL."""
    if way is Way.TEXT:
        event: dict[str, Any] = {
            "event": "message_received",
            "fromNumber": phone(0),
            "toNumber": "+12025550190",
            "body": "STOP",
        }
        body: dict[str, Any] = {**event, "messageSid": "SM-1"}
    else:
        # By the journal: a connection is one thread's, and two that meet in it wait for each other for good.
        (first,) = await engine.journal.run(lambda ledger: ledger.assignments([1]))
        body = {
            "id": first.attempt.provider_id,
            "status": "COMPLETED",
            "doNotCallRequested": True,
            "toNumber": phone(0),
        }
    await engine.inbox.receive("revring", "secret", {}, json.dumps(body).encode())


def _last_event(store: Store) -> int:
    return int(store._connection.execute("SELECT MAX(id) FROM events").fetchone()[0])


def _kinds_since(store: Store, known: int) -> list[str]:
    """Give what was written down since, in the order of the commits."""
    rows = store._connection.execute("SELECT kind FROM events WHERE id > ? ORDER BY id", (known,))
    return [row[0] for row in rows]
