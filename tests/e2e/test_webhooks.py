"""Webhooks over real sockets: the engine, its receiver and the sandbox, with every mischief on the way between them."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.ledger.results import export_rows
from runner.ledger.store import Store
from runner.model.campaign import Campaign
from runner.model.project import Project
from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import Mischief, RevringSwitches, Settings
from runner.wiring.accounts import SANDBOX_SECRET, project_accounts
from runner.wiring.running import Engine, engine, other_sandbox
from tests.building import account, apply, campaign, contact, phone

PEOPLE = tuple(contact(number) for number in range(12))
AGENTS: Mapping[str, dict[str, Any]] = {
    "movoice": {"provider": "movoice", "id": "agent_12345"},
    "revox": {"provider": "revox", "id": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"},
    "revring": {"provider": "revring", "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "from": "+12025550190"},
}
_OURS = {"answered": "answered", "voicemail": "voicemail", "no_answer": "no_answer", "busy": "busy"}


@dataclass(frozen=True)
class Scene:
    """A sandbox, an engine over it, and a client that anybody could be."""

    sandbox: str
    parts: Engine
    http: httpx.AsyncClient
    provider: str

    async def post(self, content: bytes, *, token: str = SANDBOX_SECRET, **headers: str) -> httpx.Response:
        """Send a webhook to the engine's receiver."""
        path = f"/webhooks/{self.provider}" + (f"/{token}" if token else "")
        return await self.http.post(self.parts.receiver_url + path, content=content, headers=headers)

    async def dials(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.http.get(f"{self.sandbox}/_sandbox/dials")).json()
        return found

    async def run(self) -> None:
        await asyncio.wait_for(self.parts.run(until_done=True), 60)

    async def rows(self) -> list[dict[str, Any]]:
        """Give every attempt's state, outcome and id."""
        query = "SELECT state, outcome, provider_id, key FROM attempts ORDER BY id"
        return await self.parts.journal.run(
            lambda _: [dict(row) for row in self.parts.store._connection.execute(query)]
        )

    async def changes(self) -> int:
        """Count what was ever written about attempts and webhooks."""
        query = "SELECT (SELECT COUNT(*) FROM events WHERE attempt_id IS NOT NULL) + (SELECT COUNT(*) FROM inbox)"
        return int(await self.parts.journal.run(lambda _: self.parts.store._connection.execute(query).fetchone()[0]))


def rules(provider: str, **changes: Any) -> Campaign:
    return campaign(agent=None, agents={"a": AGENTS[provider]}, limits={"concurrency": 12}, **changes)


@asynccontextmanager
async def scene(
    folder: Path, provider: str, settings: Settings, of: Campaign | None = None, people: int = 12
) -> AsyncIterator[Scene]:
    """Apply a campaign and build everything; nothing is placed yet."""
    ledger = folder / "ledger.db"
    store = Store.open(ledger)
    apply(store, of or rules(provider), PEOPLE[:people], account(provider))
    store.close()
    async with (
        running(settings, WallClock()) as sandbox,
        other_sandbox(project_accounts(Project()), sandbox.url) as surroundings,
        engine(ledger, surroundings, windows_ignored=True) as parts,
        httpx.AsyncClient(trust_env=False, timeout=20) as http,
    ):
        yield Scene(sandbox.url, parts, http, provider)


# Mischief on the way

MISCHIEF = {
    "twice": Mischief(duplicated=1.0),
    "in disorder": Mischief(reordered=0.6, duplicated=0.3),
    "early": Mischief(early=1.0),
    "late": Mischief(late=1.0, late_seconds=0.4),
    "never": Mischief(lost=1.0),
    "everything": Mischief(duplicated=0.4, reordered=0.3, late=0.3, late_seconds=0.3, lost=0.2, early=0.4),
}


@pytest.mark.parametrize("provider", sorted(AGENTS))
@pytest.mark.parametrize("how", sorted(MISCHIEF))
@pytest.mark.fault("F14")
async def test_every_call_ends_as_it_went_whatever_happens_to_webhooks(tmp_path: Path, provider: str, how: str) -> None:
    settings = Settings(seed=3, mischief=MISCHIEF[how], odds={"answered": 6, "no_answer": 2, "busy": 2})
    async with scene(tmp_path, provider, settings, people=6) as here:
        await here.run()
        rows, dials = await here.rows(), await here.dials()
    placed = {dial["reference"]: dial for dial in dials}
    assert len(dials) == len(placed) == len(rows) == 6, "one dial for each attempt"
    assert {row["state"] for row in rows} == {"finished"}
    assert [row["outcome"] for row in rows] == [_OURS[placed[row["key"]]["outcome"]] for row in rows]
    assert sorted(row["provider_id"] for row in rows) == sorted(dial["id"] for dial in dials)


@pytest.mark.fault("F15")
async def test_early_webhooks_wait_for_their_call(tmp_path: Path) -> None:
    settings = Settings(seed=1, mischief=Mischief(early=1.0), odds={"answered": 1}, talk_seconds=(0.0, 0.01))
    async with scene(tmp_path, "movoice", settings, people=4) as here:
        await here.run()
        query = "SELECT result FROM inbox"
        results = [row["result"] for row in here.parts.store._connection.execute(query)]
    assert any(one.startswith("waited for its call") for one in results), results


# Anybody can send anything


def completed(call: str, **facts: Any) -> bytes:
    return json.dumps({"event_type": "call.completed", "call_id": call, "summary": "said yes", **facts}).encode()


@asynccontextmanager
async def accepted(folder: Path, provider: str = "movoice") -> AsyncIterator[tuple[Scene, str]]:
    """Place one call that nobody tells about; give the provider's id of it."""
    settings = Settings(webhook_share=0.0, ring_seconds=(300, 300))
    async with scene(folder, provider, settings, people=1) as here:
        going = asyncio.create_task(here.parts.dispatcher.run(until_done=True))
        async with asyncio.timeout(20):
            while (await here.rows())[0]["state"] != "accepted":  # noqa: ASYNC110 the ledger tells nobody
                await asyncio.sleep(0.01)
        yield here, (await here.rows())[0]["provider_id"]
        here.parts.dispatcher.stop()
        await going


@pytest.mark.fault("F13")
async def test_a_hundred_at_once_are_one_change_and_all_are_answered(tmp_path: Path) -> None:
    async with accepted(tmp_path) as (here, call):
        before = await here.changes()
        answers = await asyncio.gather(*(here.post(completed(call)) for _ in range(100)))
        assert {answer.status_code for answer in answers} == {200}
        assert Counter(answer.json()["result"] for answer in answers) == {"settled": 1, "seen before": 99}
        assert await here.changes() - before == 2, "one event, one row of the inbox"
        assert (await here.rows())[0]["outcome"] == "answered"


@pytest.mark.fault("F18")
async def test_forged_webhooks_are_refused_and_counted(tmp_path: Path) -> None:
    async with accepted(tmp_path) as (here, call):
        before = await here.changes()
        for token in ("", "wrong", SANDBOX_SECRET[:-1], SANDBOX_SECRET + "x"):
            assert (await here.post(completed(call), token=token)).status_code == 401
        assert await here.changes() == before
        query = "SELECT detail FROM events WHERE kind = 'webhook_refused'"
        (event,) = [row["detail"] for row in here.parts.store._connection.execute(query)]
        assert "said yes" not in event
        assert (await here.rows())[0]["state"] == "accepted"


def signed(content: bytes, age: float = 0.0, secret: str = SANDBOX_SECRET) -> dict[str, str]:
    stamp = str(int(WallClock().now().timestamp() - age))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
    return {"X-RevRing-Timestamp": stamp, "X-RevRing-Signature": f"v1={mac}"}


@pytest.mark.fault("F18")
async def test_signatures_hold_only_while_fresh_whole_and_single(tmp_path: Path) -> None:
    async with accepted(tmp_path, "revring") as (here, call):
        content = json.dumps({"id": call, "status": "COMPLETED", "summary": "said yes"}).encode()
        before = await here.changes()
        wrong = (
            signed(content, age=301),
            signed(content, age=-301),
            signed(content, secret="guess"),
            signed(content + b" "),
        )
        for headers in (*wrong, {}):
            assert (await here.post(content, token="", **headers)).status_code == 401
        url = f"{here.parts.receiver_url}/webhooks/revring"
        doubled = [*signed(content).items(), ("X-RevRing-Signature", "v1=" + "0" * 64)]
        assert (await here.http.post(url, content=content, headers=doubled)).status_code == 401
        assert await here.changes() == before
        assert (await here.post(content, token="", **signed(content))).json() == {"result": "settled"}
        assert (await here.post(content, token="", **signed(content, age=9))).json() == {"result": "seen before"}


@pytest.mark.fault("F19")
async def test_an_unknown_call_is_taken_in_and_kept(tmp_path: Path) -> None:
    async with accepted(tmp_path) as (here, _):
        answer = await here.post(completed("nobody-knows"))
        assert (answer.status_code, answer.json()) == (202, {"result": "unknown call"})
        assert (await here.post(completed("nobody-knows"))).status_code == 200, "seen before"


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", {}, 400),
        (b'{"a":' + b"[" * 40 + b"]" * 40 + b"}", {}, 400),
        (b"\x1f\x8b\x08", {"Content-Encoding": "gzip"}, 415),
        (b"x" * (1 << 20) + b"x", {}, 413),
    ],
    ids=["no JSON", "too deep", "packed", "too large"],
)
async def test_what_is_no_webhook_is_refused(
    tmp_path: Path, content: bytes, headers: dict[str, str], status: int
) -> None:
    async with accepted(tmp_path) as (here, _):
        before = await here.changes()
        assert (await here.post(content, **headers)).status_code == status
        assert await here.changes() == before


# Texts


async def test_a_stop_that_is_texted_reaches_our_ledger_and_their_list(tmp_path: Path) -> None:
    steps = [{"text": "a", "message": "Hello"}, {"call": "a", "after": "1d"}]
    settings = Settings(revring=RevringSwitches(do_not_call=(phone(7),)))
    async with scene(tmp_path, "revring", settings, rules("revring", steps=steps), people=8) as here:
        going = asyncio.create_task(here.parts.run(until_done=False))
        async with asyncio.timeout(20):
            while len(await here.dials()) < 7:  # noqa: ASYNC110 the sandbox tells nobody
                await asyncio.sleep(0.02)
            inbound = {"provider": "revring", "from": phone(0), "to": "+12025550190", "body": "Stop texting me!"}
            (await here.http.post(f"{here.sandbox}/_sandbox/inbound", json=inbound)).raise_for_status()
            listed: list[str] = []
            headers = {"x-api-key": "any"}
            while phone(0) not in listed:
                await asyncio.sleep(0.05)
                told = (await here.http.get(f"{here.sandbox}/revring/v1/do-not-call", headers=headers)).json()
                listed = [one["e164"] for one in told["data"]]
        here.parts.dispatcher.stop()
        await asyncio.wait_for(going, 30)
        people = {row.phone: row for row in export_rows(here.parts.store)}
        dialled = {dial["to"] for dial in await here.dials()}
    assert people[phone(0)].contact_state == "suppressed"
    assert people[phone(7)].contact_state == "suppressed", "on their list from the start"
    assert phone(7) not in dialled
    assert sorted(listed) == sorted([phone(0), phone(7)])
