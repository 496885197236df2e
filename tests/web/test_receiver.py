"""Receiving webhooks over a real socket: limits first, an answer only after the result."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping

import httpx
import pytest

from runner.errors import LedgerUnwritable, UsageWrong, WebhookRefused
from runner.web.receiver import MOST_BYTES, receiver
from runner.web.serving import served


class Engine:
    """Takes webhooks, and answers what it was told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.answer: str | Exception = "settled"
        self.gate = asyncio.Event()
        self.gate.set()

    async def receive(self, account: str, token: str, headers: Mapping[str, str], body: bytes) -> str:
        self.taken.append((account, token, headers, body))
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def engine() -> Engine:
    return Engine()


@pytest.fixture
async def client(engine: Engine) -> AsyncIterator[httpx.AsyncClient]:
    async with (
        served(receiver(engine.receive), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as one,
    ):
        yield one


async def test_a_webhook_comes_through_as_it_was_sent(engine: Engine, client: httpx.AsyncClient) -> None:
    answer = await client.post("/webhooks/revox/the-token", content=b'{"a": 1}', headers={"X-Signature": "s"})
    assert (answer.status_code, answer.json()) == (200, {"result": "settled"})
    account, token, headers, body = engine.taken[0]
    assert (account, token, body, headers["x-signature"]) == ("revox", "the-token", b'{"a": 1}', "s")


async def test_without_a_token_there_is_none(engine: Engine, client: httpx.AsyncClient) -> None:
    await client.post("/webhooks/revring", content=b"{}")
    assert engine.taken[0][:2] == ("revring", "")


async def test_the_answer_waits_for_the_result(engine: Engine, client: httpx.AsyncClient) -> None:
    engine.gate.clear()
    sending = asyncio.create_task(client.post("/webhooks/revox", content=b"{}"))
    await asyncio.sleep(0.1)
    assert engine.taken
    assert not sending.done()
    engine.gate.set()
    assert (await sending).status_code == 200


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (WebhookRefused("the signature does not hold"), 401, {"error": "refused"}),
        (WebhookRefused("no such account", status=404), 404, {"error": "refused"}),
        (WebhookRefused("cannot be read", status=400), 400, {"error": "refused"}),
        (LedgerUnwritable("the disk is full"), 503, {"error": "try again"}),
    ],
)
async def test_each_failure_has_its_status_and_tells_nothing(
    engine: Engine, client: httpx.AsyncClient, error: Exception, status: int, words: dict[str, str]
) -> None:
    engine.answer = error
    answer = await client.post("/webhooks/revox", content=b"{}")
    assert (answer.status_code, answer.json()) == (status, words)


async def test_the_largest_webhook_is_read(engine: Engine, client: httpx.AsyncClient) -> None:
    assert (await client.post("/webhooks/revox", content=b"x" * MOST_BYTES)).status_code == 200
    assert len(engine.taken[0][3]) == MOST_BYTES


async def test_a_larger_one_is_refused_by_what_it_declares(engine: Engine, client: httpx.AsyncClient) -> None:
    assert (await client.post("/webhooks/revox", content=b"x" * (MOST_BYTES + 1))).status_code == 413
    assert engine.taken == []


async def test_a_larger_one_is_refused_while_it_streams(engine: Engine, client: httpx.AsyncClient) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    answer = await client.post("/webhooks/revox", content=endless())
    assert answer.status_code == 413
    assert engine.taken == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "gzip, identity"])
async def test_an_encoded_body_is_refused(engine: Engine, client: httpx.AsyncClient, encoding: str) -> None:
    answer = await client.post("/webhooks/revox", content=b"{}", headers={"Content-Encoding": encoding})
    assert answer.status_code == 415
    assert engine.taken == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_only_a_post_is_a_webhook(engine: Engine, client: httpx.AsyncClient, method: str) -> None:
    assert (await client.request(method, "/webhooks/revox")).status_code == 405
    assert engine.taken == []


@pytest.mark.parametrize("path", ["/", "/webhooks", "/webhooks/a/b/c", "/docs"])
async def test_nothing_else_is_served(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, content=b"{}")).status_code == 404


async def test_it_says_that_it_is_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/healthz")).json() == {"ok": True}


async def test_a_sender_that_hangs_up_leaves_the_server_running(engine: Engine, client: httpx.AsyncClient) -> None:
    _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /webhooks/revox HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    await asyncio.sleep(0.05)
    assert engine.taken == []
    assert (await client.post("/webhooks/revox", content=b"{}")).status_code == 200


async def test_a_length_that_is_no_number_is_refused(client: httpx.AsyncClient) -> None:
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(b"POST /webhooks/revox HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n")
    await writer.drain()
    assert b" 400 " in await asyncio.wait_for(reader.readline(), 5)
    writer.close()
    await writer.wait_closed()


async def test_many_at_once_are_all_answered(engine: Engine, client: httpx.AsyncClient) -> None:
    contents = [json.dumps({"number": number}).encode() for number in range(100)]
    answers = await asyncio.gather(*(client.post("/webhooks/revox", content=content) for content in contents))
    assert {answer.status_code for answer in answers} == {200}
    assert {body for *_, body in engine.taken} == set(contents)


async def test_a_port_that_is_taken_is_a_sentence(engine: Engine) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageWrong, match=f"cannot listen on 127.0.0.1:{port}"):
            await served(receiver(engine.receive), "127.0.0.1", port).__aenter__()


async def test_the_port_is_free_again_afterwards(engine: Engine) -> None:
    for _ in range(2):
        async with served(receiver(engine.receive), "127.0.0.1", 0) as url:
            assert url.startswith("http://127.0.0.1:")
    async with httpx.AsyncClient(trust_env=False) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"{url}/healthz")
