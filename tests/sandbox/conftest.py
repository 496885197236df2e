"""What the tests of the sandbox share: a served sandbox, a client with a key, a receiver of webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.sandbox.clock import WallClock
from runner.sandbox.server import running
from runner.sandbox.settings import Settings
from runner.sandbox.world import World

KEY = "sk-test"
ANA, FROM = "+12025550101", "+12025550190"
DOCUMENTED_KEYS: dict[str, str] = json.loads((Path(__file__).parent / "documented_keys.json").read_text())


class StandingClock:
    """Stands still until somebody lets time pass: a Tuesday, noon in New York."""

    speed = 1.0

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 3, 17, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 0.002))


@dataclass(kw_only=True)
class Served:
    """A served sandbox and a client that knows a key."""

    url: str
    world: World
    http: httpx.AsyncClient

    async def passes(self, until: datetime) -> None:
        """Let the time of a standing clock pass, event by event."""
        clock = self.world.clock
        assert isinstance(clock, StandingClock)
        async with asyncio.timeout(5):
            while (event := self.world.next_event_at()) is not None and event <= until:
                clock.at = max(clock.at, event)
                self.world.clock_jumped()
                while (event := self.world.next_event_at()) is not None and event <= clock.at:  # noqa: ASYNC110
                    await asyncio.sleep(0)
        clock.at = until

    async def get(self, path: str, **query: Any) -> Any:
        reply = await self.http.get(path, params=query)
        assert reply.status_code == 200, (reply.status_code, reply.text)
        return reply.json()

    async def post(self, path: str, body: Any, status: int = 200, **headers: str) -> Any:
        reply = await self.http.post(path, json=body, headers=headers)
        assert reply.status_code == status, (reply.status_code, reply.text)
        return reply.json()

    async def dials(self) -> list[dict[str, Any]]:
        dials = await self.get("/_sandbox/dials")
        assert isinstance(dials, list)
        return dials

    async def dialled(self, count: int) -> list[dict[str, Any]]:
        """Wait until so many people were dialled, and give the dials."""
        async with asyncio.timeout(5):
            while len(self.world.dials()) < count:  # noqa: ASYNC110  the world tells nobody
                await asyncio.sleep(0.005)
        return await self.dials()

    def hang_up(self, dial: dict[str, Any]) -> None:
        call = self.world.call(dial["provider"], dial["id"])
        assert call is not None
        self.world.hang_up(call)

    async def ended(self, seconds: float = 5.0) -> None:
        """Wait until nothing is under way any more."""
        async with asyncio.timeout(seconds):
            while not self.world.idle():  # noqa: ASYNC110  the world tells nobody
                await asyncio.sleep(0.005)


@dataclass(frozen=True, kw_only=True)
class Dialling:
    """The request that dials Ana at one provider."""

    path: str
    body: dict[str, Any]
    phone_key: str

    def to(self, phone: str) -> dict[str, Any]:
        return self.body | {self.phone_key: phone}


DIALLING = {
    "revmo": Dialling(path="/revmo/v1/makecall/", body={"agentId": "QUdFTlQ=", "to": ANA}, phone_key="to"),
    "revring": Dialling(
        path="/revring/calls", body={"agentId": "a", "toNumber": ANA, "fromNumber": FROM}, phone_key="toNumber"
    ),
    "revox": Dialling(path="/revox/call", body={"assistant_id": "a", "phone_number": ANA}, phone_key="phone_number"),
    "movoice": Dialling(
        path="/movoice/call", body={"agent_id": "a", "recipient_phone": ANA}, phone_key="recipient_phone"
    ),
}


@pytest.fixture
def dialling() -> dict[str, Dialling]:
    return DIALLING


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def keys() -> Callable[[str], set[str]]:
    """Give the documented keys of an answer or a webhook."""
    return lambda name: set(DOCUMENTED_KEYS[name].split())


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Serve a sandbox that is ten times as fast as the default one, with any settings."""
    async with AsyncExitStack() as stack:

        async def start(*, speed: float = 1.0, standing: bool = False, **settings: Any) -> Served:
            quick: dict[str, Any] = {"seed": 7, "ring_seconds": (0.005, 0.02), "talk_seconds": (0.01, 0.03)}
            clock = StandingClock() if standing else WallClock(speed)
            server = await stack.enter_async_context(running(Settings(**(quick | settings)), clock))
            headers = {"Authorization": f"Bearer {KEY}", "x-api-key": KEY}
            http = httpx.AsyncClient(base_url=server.url, headers=headers, trust_env=False, timeout=5, verify=False)
            await stack.enter_async_context(http)
            return Served(url=server.url, world=server.world, http=http)

        yield start


@dataclass(kw_only=True)
class Delivered:
    """One webhook as it arrived."""

    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass(kw_only=True)
class Receiver:
    """Takes webhooks on a socket of its own; answers the statuses in turn, then 200."""

    statuses: list[int] = field(default_factory=list)
    delivered: list[Delivered] = field(default_factory=list)
    url: str = ""

    async def arrived(self, count: int) -> list[Delivered]:
        async with asyncio.timeout(5):
            while len(self.delivered) < count:  # noqa: ASYNC110  one line beats a condition
                await asyncio.sleep(0.005)
        return self.delivered

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                lines = [line.partition(": ") for line in head.split("\r\n")[1:] if line]
                headers = {name.lower(): value for name, _, value in lines}
                raw = await reader.readexactly(int(headers["content-length"]))
                self.delivered.append(Delivered(headers=headers, raw=raw))
                status = self.statuses.pop(0) if self.statuses else 200
                location = "location: http://127.0.0.1:9/\r\n" if status == 302 else ""
                writer.write(f"HTTP/1.1 {status} x\r\n{location}content-length: 0\r\n\r\n".encode())
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with _receiving() as receiver:
        yield receiver


@asynccontextmanager
async def _receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks"
    async with server:
        yield receiver
