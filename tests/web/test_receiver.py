"""Receiving webhooks over a real socket: limits first, an answer only after the result."""

from __future__ import annotations

import asyncio
import json
import socket
import tracemalloc
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

import httpx
import pytest

from runner.engine.inbox import UNKNOWN_CALL, UNVERIFIED, Taken
from runner.errors import LedgerUnwritable, UsageWrong, WebhookRefused
from runner.web import deadline
from runner.web import receiver as receiving
from runner.web.receiver import MOST_BYTES, receiver
from runner.web.serving import served


class Engine:
    """Takes webhooks, and answers what it was told."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, str, Mapping[str, str], bytes]] = []
        self.answer: str | Exception = "settled"
        self.verified = True
        self.gate = asyncio.Event()
        self.gate.set()

    async def receive(self, account: str, token: str, headers: Mapping[str, str], body: bytes) -> Taken:
        self.taken.append((account, token, headers, body))
        await self.gate.wait()
        if isinstance(self.answer, Exception):
            raise self.answer
        return Taken(result=self.answer, verified=self.verified)


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


# Senders that take their time, send without end, or send too often


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make ten seconds a fifth of one."""
    assert receiving.READ_SECONDS == deadline.SEND_SECONDS == 10
    monkeypatch.setattr(receiving, "READ_SECONDS", 0.2)
    monkeypatch.setattr(deadline, "SEND_SECONDS", 0.2)


HEAD = b"POST /webhooks/revox HTTP/1.1\r\nHost: x\r\n"


async def drip(client: httpx.AsyncClient, first: bytes, drop: bytes, seconds: float = 5.0) -> bytes:
    """Send something at once and then a little again and again; give what was answered before the end came."""
    reader, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    writer.write(first)

    async def on_and_on() -> None:
        while True:
            await asyncio.sleep(0.02)
            writer.write(drop)
            await writer.drain()

    dripping = asyncio.create_task(on_and_on())
    answered = b""
    try:
        async with asyncio.timeout(seconds):
            while chunk := await reader.read(65_536):
                answered += chunk
    except ConnectionResetError:
        pass
    finally:
        dripping.cancel()
        await asyncio.gather(dripping, return_exceptions=True)
        writer.close()
    return answered


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize(
    ("first", "drop", "answered"),
    [
        (b"", b"", b""),
        (HEAD, b"X-Pad: 1\r\n", b""),
        (b"P", b"", b""),
        (HEAD + b"Content-Length: 100000\r\n\r\n", b"x", b" 408 "),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", b" 408 "),
        (b"POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n", b"x", b" 404 "),
        (b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"G", b" 200 "),
    ],
    ids=["silence", "headers", "one byte", "body", "chunks", "a body that nobody reads", "a second request"],
)
async def test_a_sender_that_takes_its_time_is_cut_off(
    engine: Engine, client: httpx.AsyncClient, first: bytes, drop: bytes, answered: bytes
) -> None:
    said = await drip(client, first, drop)
    assert answered in said
    assert bool(said) == bool(answered)
    assert engine.taken == []
    assert (await client.get("/healthz")).status_code == 200


@pytest.mark.usefixtures("hurried")
async def test_slow_senders_hold_up_nobody_else(engine: Engine, client: httpx.AsyncClient) -> None:
    slow = [asyncio.create_task(drip(client, HEAD, b"X-Pad: 1\r\n")) for _ in range(50)]
    await asyncio.sleep(0.05)
    answers = await asyncio.gather(*(client.post("/webhooks/revox", content=b"{}") for _ in range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len(engine.taken) == 20
    await asyncio.gather(*slow)


@pytest.mark.usefixtures("hurried")
async def test_an_answer_that_takes_its_time_is_waited_for(engine: Engine, client: httpx.AsyncClient) -> None:
    engine.gate.clear()
    sending = asyncio.create_task(client.post("/webhooks/revox", content=b"{}"))
    await asyncio.sleep(0.6)
    engine.gate.set()
    assert (await sending).status_code == 200


async def pour(writer: asyncio.StreamWriter, piece: bytes, most: int) -> int:
    """Send a piece again and again until the other side ends the connection; give how many bytes were sent."""
    sent = 0
    with suppress(ConnectionError):
        while sent < most:
            writer.write(piece)
            await writer.drain()
            sent += len(piece)
    return sent


@pytest.mark.parametrize(
    "head",
    [
        HEAD + b"Content-Length: 104857600\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["declared", "in chunks", "encoded"],
)
async def test_of_a_hundred_megabytes_most_are_never_read(
    engine: Engine, client: httpx.AsyncClient, head: bytes
) -> None:
    _, writer = await asyncio.open_connection(client.base_url.host, client.base_url.port)
    piece = b"10000\r\n" + b"x" * 65_536 + b"\r\n" if b"chunked" in head else b"x" * 65_536
    writer.write(head)
    tracemalloc.start()
    try:
        sent = await asyncio.wait_for(pour(writer, piece, 100 << 20), 20)
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    writer.close()
    assert sent < 40 << 20, "the connection ended long before"
    assert held < 20 << 20, "and what came was not kept"
    assert engine.taken == []
    assert (await client.post("/webhooks/revox", content=b"{}")).status_code == 200


class Seconds:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.mark.parametrize("how", ["forged", "unproven"])
async def test_who_sends_too_much_that_proves_nothing_is_not_listened_to_for_a_while(engine: Engine, how: str) -> None:
    engine.answer = WebhookRefused("the signature does not hold") if how == "forged" else UNKNOWN_CALL
    engine.verified = False
    seconds = Seconds()
    async with (
        served(receiver(engine.receive, now=seconds), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client,
    ):
        first = [(await client.post("/webhooks/revox", content=b"{}")).status_code for _ in range(100)]
        assert set(first) == {401 if how == "forged" else 202}
        refused = await client.post("/webhooks/revox", content=b"{}")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert len(engine.taken) == 100, "unread"
        other = {"X-Forwarded-For": "203.0.113.7"}
        assert (await client.post("/webhooks/revox", content=b"{}", headers=other)).status_code == first[0]
        seconds.at += 1
        again = [(await client.post("/webhooks/revox", content=b"{}")).status_code for _ in range(51)]
        assert again.count(first[0]) == 50
        assert again[-1] == 429


async def test_what_is_proven_may_come_as_fast_as_it_likes(engine: Engine) -> None:
    async with (
        served(receiver(engine.receive, now=Seconds()), "127.0.0.1", 0) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, timeout=10) as client,
    ):
        for _ in range(250):
            assert (await client.post("/webhooks/revox", content=b"{}")).status_code == 200


@pytest.mark.parametrize(("result", "status"), [(UNKNOWN_CALL, 202), (UNVERIFIED, 202), ("seen before", 200)])
async def test_what_has_no_effect_yet_is_taken_in_all_the_same(
    engine: Engine, client: httpx.AsyncClient, result: str, status: int
) -> None:
    engine.answer = result
    answer = await client.post("/webhooks/revox", content=b"{}")
    assert (answer.status_code, answer.json()) == (status, {"result": result})
