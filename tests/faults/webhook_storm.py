"""Push webhooks at the real `outreach serve` as providers do, kill it again and again, and see what it made of them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import random
import socket
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import ContactState, Move
from runner.schedule.clock import SystemClock
from runner.wiring import applying
from runner.wiring.workspace import open_workspace
from tests.building import claim_due
from tests.e2e.processes import REPOSITORY

_SECRET = "whsec_of-the-storm"
_PROJECT = """\
accounts:
  ring: {{provider: revring, base_url: "{url}/revring/v1", credential: env:STORM_SECRET,
    webhook_secret: env:STORM_SECRET, poll: [20h, 24h], allow_loopback: true}}
  voice: {{provider: movoice, base_url: "{url}/movoice/v1", credential: env:STORM_SECRET,
    webhook_secret: env:STORM_SECRET, poll: [20h, 24h], allow_loopback: true}}
"""
_CAMPAIGN = """\
campaign: {account}
purpose: transactional
agent: {{provider: {provider}, account: {account}, id: {agent}{more}}}
windows: daily 00:00-24:00
contacts: contacts/{account}.csv
retry: 2 times, 30d apart, on no_answer
"""
_ACCOUNTS = {
    "ring": ("revring", "3c90c3cc-0d44-4b50-8888-8dd25736052a", ', from: "+61491570156"', "+6125550"),
    "voice": ("movoice", "agent_12345", "", "+6135550"),
}
"""account -> provider, agent, more of the agent, and the beginning of 10,000 numbers that ACMA keeps free"""
_RING_SAYS: Mapping[str, Mapping[str, Any]] = {
    "answered": {"status": "COMPLETED", "summary": "Agreed."},
    "voicemail": {"status": "COMPLETED", "hangupCause": "VOICEMAIL_DETECTED"},
    "busy": {"status": "FAILED", "errorMessage": "call rejected (SIP 486 Busy Here)"},
    "no_answer": {"status": "FAILED", "errorMessage": "no answer: the callee did not pick up"},
    "declined": {"status": "FAILED", "errorMessage": "call rejected (SIP 603 Decline)"},
}
_VOICE_SAYS: Mapping[str, Mapping[str, Any]] = {
    "answered": {"event_type": "call.completed", "outcome": "BOOKED", "summary": "Agreed."},
    "busy": {"event_type": "call.failed", "reason": "busy"},
    "no_answer": {"event_type": "call.failed", "reason": "no_answer"},
    "invalid_number": {"event_type": "call.failed", "reason": "invalid_number"},
    "failed": {"event_type": "call.failed", "reason": "network_error"},
}
_SAYS = {"ring": _RING_SAYS, "voice": _VOICE_SAYS}
_GIVES_UP = 10.0
_CHUNK = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """One webhook, and what must come of it."""

    account: str
    call: str
    outcome: str
    body: bytes

    def request(self, now: datetime) -> bytes:
        """Write it as its provider sends it: RevRing signs, the other one knows a token."""
        token = "" if self.account == "ring" else f"/{_SECRET}"
        headers = {"Host": "127.0.0.1", "Connection": "close", "Content-Type": "application/json"}
        headers["Content-Length"] = str(len(self.body))
        if self.account == "ring":
            stamp = str(int(now.timestamp()))
            mark = hmac.new(_SECRET.encode(), f"{stamp}.".encode() + self.body, hashlib.sha256).hexdigest()
            headers |= {"X-RevRing-Timestamp": stamp, "X-RevRing-Signature": f"v1={mark}"}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"POST /webhooks/{self.account}{token} HTTP/1.1\r\n{head}\r\n".encode() + self.body


@dataclass(frozen=True, slots=True, kw_only=True)
class Storm:
    """How many webhooks, how fast, and how often the receiver is killed meanwhile."""

    webhooks: int = 10_000
    kills: int = 10
    a_second: float = 200.0
    quiet: int = 3_000
    """deliveries before the first kill, by which the answers are timed"""
    seed: int = 1


@dataclass(slots=True)
class Blown:
    """What a storm came to."""

    webhooks: int
    deliveries: int = 0
    retried: int = 0
    kills: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    """by call: how often a delivery was answered 2xx"""
    refused: Counter[int] = field(default_factory=Counter)
    """answers that were no 2xx, by status"""
    quiet: list[float] = field(default_factory=list)
    """seconds of each answer before the first kill"""
    wrong: list[str] = field(default_factory=list)

    @property
    def p99(self) -> float:
        """Give the seconds within which 99 of 100 answers came while nobody killed."""
        return sorted(self.quiet)[int(len(self.quiet) * 0.99)] if self.quiet else 0.0

    @property
    def p50(self) -> float:
        """Give the seconds within which half of them came."""
        return sorted(self.quiet)[len(self.quiet) // 2] if self.quiet else 0.0


def blow(folder: Path, sandbox: str, storm: Storm) -> Blown:
    """Build a ledger with an accepted call for each webhook, push them all, and read what the ledger says then."""
    webhooks = _accepted(folder, sandbox, storm.webhooks)
    blown = Blown(webhooks=len(webhooks))
    asyncio.run(_push(folder, webhooks, storm, blown))
    blown.wrong += _judged(folder / ".outreach" / "ledger.db", webhooks, blown.taken)
    return blown


def _accepted(folder: Path, sandbox: str, count: int) -> list[Webhook]:
    contacts = folder / "campaigns" / "contacts"
    contacts.mkdir(parents=True)
    (folder / "outreach.yaml").write_text(_PROJECT.format(url=sandbox), "utf-8")
    for account, (provider, agent, more, numbers) in _ACCOUNTS.items():
        campaign = _CAMPAIGN.format(account=account, provider=provider, agent=agent, more=more)
        (folder / "campaigns" / f"{account}.yaml").write_text(campaign, "utf-8")
        rows = [f"{numbers}{number:04d}" for number in range(count // 2)]
        (contacts / f"{account}.csv").write_text("phone\n" + "\n".join(rows) + "\n", "utf-8")
    workspace = open_workspace(folder, _environment())
    now = SystemClock().now()
    with closing(Store.open(workspace.ledger_path)) as store:
        store.belong_to("real")
        for loaded in workspace.load([]):
            applying.apply(workspace, applying.examine(workspace.plan(loaded, now)), store)
        for account in _ACCOUNTS:
            _accept(store, account, now)
    return _webhooks(workspace.ledger_path)


def _accept(store: Store, campaign: str, now: datetime) -> None:
    """Take every attempt of a campaign through intent and acceptance, as the engine does."""
    while claimed := claim_due(store, campaign, _CHUNK, now, now + timedelta(minutes=5)):
        with store.transaction():
            for work in claimed:
                attempt = work.attempt
                sending = Move(
                    attempt_id=attempt.id, old=attempt.state, new=AttemptState.SENDING, at=now, sent_at=now,
                    contact=ContactState.CALLING,
                )  # fmt: skip
                accepted = Move(
                    attempt_id=attempt.id, old=AttemptState.SENDING, new=AttemptState.ACCEPTED, at=now,
                    provider_id=f"call_{campaign}_{attempt.id}", poll_at=now + timedelta(hours=20),
                )  # fmt: skip
                store.move([sending, accepted])


def _webhooks(ledger: Path) -> list[Webhook]:
    found = []
    with closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute("SELECT account, provider_id FROM attempts WHERE state = 'accepted' ORDER BY id")
        for number, (account, call) in enumerate(rows.fetchall()):
            outcomes = list(_SAYS[account])
            outcome = outcomes[number % len(outcomes)]
            named = {"id": call} if account == "ring" else {"call_id": call}
            body = json.dumps({**named, **_SAYS[account][outcome]}).encode()
            found.append(Webhook(account=account, call=call, outcome=outcome, body=body))
    return found


async def _push(folder: Path, webhooks: Sequence[Webhook], storm: Storm, blown: Blown) -> None:
    chance, port = random.Random(storm.seed), _free_port()
    deliveries = [webhook for webhook in webhooks for _ in range(chance.randint(1, 5))]
    chance.shuffle(deliveries)
    blown.deliveries = len(deliveries)
    with _serving(folder, port) as receiver:
        await receiver.ready()
        quiet, rest = deliveries[: storm.quiet], deliveries[storm.quiet :]
        await _at_pace(quiet, port, storm, blown, timed=True)
        killing = asyncio.create_task(_kill(receiver, storm, blown, chance, len(rest) / storm.a_second))
        await _at_pace(rest, port, storm, blown)
        await killing
        await receiver.ready()


async def _at_pace(some: Sequence[Webhook], port: int, storm: Storm, blown: Blown, *, timed: bool = False) -> None:
    began, tasks = time.monotonic(), []
    for number, webhook in enumerate(some):
        await asyncio.sleep(max(0.0, began + number / storm.a_second - time.monotonic()))
        tasks.append(asyncio.create_task(_deliver(webhook, port, blown, timed=timed)))
    await asyncio.gather(*tasks)


async def _deliver(webhook: Webhook, port: int, blown: Blown, *, timed: bool) -> None:
    """Send one delivery, and again for as long as it is not answered 2xx."""
    wait = 0.2
    while True:
        began, status = time.monotonic(), 0
        with suppress(OSError, TimeoutError, asyncio.IncompleteReadError, ValueError, IndexError):
            async with asyncio.timeout(_GIVES_UP):
                status = await _post(port, webhook.request(SystemClock().now()))
        if timed:
            blown.quiet.append(time.monotonic() - began)
        if 200 <= status < 300:
            blown.taken[webhook.call] += 1
            return
        blown.retried += 1
        blown.refused[status] += 1
        await asyncio.sleep(wait)
        wait = min(2.0, wait * 2)


async def _post(port: int, request: bytes) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        status = int((await reader.readline()).split()[1])
        await reader.read()
        return status
    finally:
        writer.close()


async def _kill(receiver: _Receiver, storm: Storm, blown: Blown, chance: random.Random, seconds: float) -> None:
    """Kill the receiver at random instants, spread over a time; each time it must be at work again first."""
    apart = seconds / max(storm.kills, 1)
    for _ in range(storm.kills):
        await receiver.ready()
        await asyncio.sleep(chance.uniform(0.2, max(0.3, apart * 0.9)))
        receiver.kill()
        blown.kills += 1
        receiver.start()


class _Receiver:
    """`outreach serve`, which is killed and started again at one address."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder, self._port = folder, port
        self.start()

    def start(self) -> None:
        with (self._folder / "stderr").open("ab") as stderr:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "runner", "serve", "--port", str(self._port)], cwd=self._folder,
                stdout=subprocess.DEVNULL, stderr=stderr, env=_environment(),
            )  # fmt: skip

    def kill(self) -> None:
        self._process.kill()
        self._process.wait(timeout=20)

    async def ready(self) -> None:
        """Wait until it answers; raise what it said when it ended instead."""
        async with asyncio.timeout(60):
            while True:
                with suppress(OSError, ValueError, IndexError):
                    if await _post(self._port, b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
                        return
                if self._process.poll() is not None:
                    raise AssertionError((self._folder / "stderr").read_text("utf-8")[-1000:])
                await asyncio.sleep(0.05)


@contextmanager
def _serving(folder: Path, port: int) -> Iterator[_Receiver]:
    receiver = _Receiver(folder, port)
    try:
        yield receiver
    finally:
        receiver.kill()


def _judged(ledger: Path, webhooks: Sequence[Webhook], taken: Counter[str]) -> list[str]:
    """Name every webhook that was answered 2xx and is not in the ledger once and rightly."""
    with closing(sqlite3.connect(ledger)) as connection:
        rows = connection.execute(
            "SELECT a.provider_id, a.state, a.outcome,"
            " (SELECT COUNT(*) FROM events e WHERE e.attempt_id = a.id AND e.kind = 'finished'),"
            " (SELECT COUNT(*) FROM results r WHERE r.attempt_id = a.id),"
            " (SELECT COUNT(*) FROM attempts n WHERE n.contact_id = a.contact_id AND n.number = 2)"
            " FROM attempts a WHERE a.number = 1"
        ).fetchall()
        stored = Counter(bytes(body) for (body,) in connection.execute("SELECT body FROM inbox"))
        sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
    found = {row[0]: row[1:] for row in rows}
    wrong = [] if sound == "ok" else [f"the ledger is not sound: {sound}"]
    for webhook in webhooks:
        wanted = ("finished", webhook.outcome, 1, 1, int(webhook.outcome == "no_answer"))
        if not taken[webhook.call]:
            wrong.append(f"{webhook.call} was never taken")
        elif found[webhook.call] != wanted:
            wrong.append(f"{webhook.call} was taken {taken[webhook.call]} times: {found[webhook.call]}, not {wanted}")
        elif stored[webhook.body] != 1:
            wrong.append(f"{webhook.call} is stored {stored[webhook.body]} times")
    return wrong


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "NO_COLOR": "1", "STORM_SECRET": _SECRET}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
