"""The transport over real sockets: what left, what came back, what each failure proves."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from runner.errors import CredentialMissing, InDoubt, NotSent, Rejected, TooLate
from runner.model.project import PROVIDER_NAMES, Account, ProviderName
from runner.model.request import Request
from runner.providers.transport import HttpTransport, Timeouts

SECRET = "sk_canary_0123456789"
OK = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"id":"c1"}'
QUICK = Timeouts(connect=1.0, write=1.0, read=0.3, pool=1.0, whole=2.0)

Talk = Callable[[bytes, asyncio.StreamWriter], Awaitable[bool]]


@dataclass
class Listener:
    """A raw server: reads one request after the other and lets `talk` say what happens; True keeps the line open."""

    talk: Talk
    url: str = ""
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while await self._one(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
        )
        self.requests.append(head + await reader.readexactly(length))
        return await self.talk(self.requests[-1], writer)


@asynccontextmanager
async def listening(talk: Talk) -> AsyncIterator[Listener]:
    listener = Listener(talk)
    server = await asyncio.start_server(listener.serve, "127.0.0.1", 0)
    listener.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield listener
    finally:
        server.close()
        await asyncio.sleep(0)


@asynccontextmanager
async def transport(**changes: Any) -> AsyncIterator[HttpTransport]:
    made = HttpTransport(lambda _reference: SECRET, **{"timeouts": QUICK} | changes)
    try:
        yield made
    finally:
        await made.aclose()


def account(url: str, provider: ProviderName = "revring") -> Account:
    return Account(name="main", provider=provider, base_url=url, allow_loopback=True, credential="env:KEY")


def saying(answer: bytes, *, keep: bool = True) -> Talk:
    async def talk(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(answer)
        await writer.drain()
        return keep

    return talk


async def closing(_request: bytes, _writer: asyncio.StreamWriter) -> bool:
    return False


async def hanging(_request: bytes, _writer: asyncio.StreamWriter) -> bool:
    await asyncio.sleep(5)
    return False


DIAL = Request(
    method="POST", path="/calls", body={"toNumber": "+12025550101", "name": "Zoë ₹"}, headers={"Idempotency-Key": "k1"}
)


async def test_what_must_not_leave_any_more_is_stopped_at_the_first_byte() -> None:
    """The key may come from a slow command, and a connection may take its time: who may send is asked after both."""
    said: list[str] = []

    def may_leave() -> None:
        said.append(f"{server.connections} connected, {len(server.requests)} sent")
        raise TooLate("not sent in time")

    async with listening(saying(OK)) as server, transport(may_leave=may_leave) as sender:
        with pytest.raises(TooLate, match="not sent in time"):
            await sender.send(account(server.url), DIAL)
        await sender.send(account(server.url), Request(method="GET", path="/calls"))
        await asyncio.sleep(0.1)

    assert len(said) == 1, "look-ups do not ask"
    assert [request.split()[0] for request in server.requests] == [b"GET"]


async def test_a_body_does_not_follow_its_headers_once_it_must_not_leave_any_more() -> None:
    """A process may be stopped between the two, and wake up when another one has its ledger."""
    asked: list[None] = []
    body = json.dumps(DIAL.body, ensure_ascii=False, separators=(",", ":")).encode()
    came = b""

    def may_leave() -> None:
        asked.append(None)
        if len(asked) == 2:
            raise TooLate("not sent in time")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal came
        came = await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, transport(may_leave=may_leave) as sender:
        with pytest.raises(InDoubt, match="not sent in time; its headers had left, its body did not"):
            await sender.send(account(url), DIAL)
        await asyncio.sleep(0.1)

    assert len(asked) == 2
    assert came.startswith(b"POST /calls HTTP/1.1\r\n")
    assert body not in came


async def test_a_request_leaves_as_it_was_built() -> None:
    async with listening(saying(OK)) as server, transport() as sender:
        reply = await sender.send(account(server.url), DIAL)

    assert (reply.status, reply.body, reply.headers["content-type"]) == (200, b'{"id":"c1"}', "application/json")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    assert lines[0] == "POST /calls HTTP/1.1"
    assert body == '{"toNumber":"+12025550101","name":"Zoë ₹"}'.encode()
    assert headers["x-api-key"] == SECRET
    assert headers["idempotency-key"] == "k1"
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert headers["connection"] == "close"
    assert "cookie" not in headers


async def test_every_provider_s_key_travels_in_its_own_header() -> None:
    async with listening(saying(OK)) as server, transport() as sender:
        for provider in PROVIDER_NAMES:
            await sender.send(account(server.url, provider), DIAL)

    carried = [b"x-api-key: " + SECRET.encode() in one for one in server.requests]
    bearer = [b"Authorization: Bearer " + SECRET.encode() in one for one in server.requests]
    assert carried == [False, True, False, False]
    assert bearer == [True, False, True, True]


async def test_a_dial_request_never_shares_a_connection_and_a_look_up_may() -> None:
    async with listening(saying(OK)) as server, transport() as sender:
        for _ in range(3):
            await sender.send(account(server.url), DIAL)
        assert server.connections == 3
        for _ in range(3):
            await sender.send(account(server.url), Request(method="GET", path="/calls/c1"))
        assert server.connections == 4
    assert b"Content-Type" not in server.requests[-1]


@pytest.mark.parametrize(
    "talk",
    [
        closing,
        hanging,
        saying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nhalf", keep=False),
        saying(b"HTTP/1.1 200 OK\r\nContent-Le", keep=False),
        saying(b"SSH-2.0-OpenSSH_9.6\r\n", keep=False),
        saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", keep=False),
    ],
    ids=["closes after reading", "hangs", "half a body", "half a head", "other protocol", "broken chunks"],
)
@pytest.mark.fault("F6")
async def test_once_it_left_a_failure_is_a_doubt_and_nothing_is_sent_again(talk: Any) -> None:
    async with listening(talk) as server, transport() as sender:
        with pytest.raises(InDoubt):
            await sender.send(account(server.url), DIAL)
        await asyncio.sleep(0.05)

    assert len(server.requests) == 1


@pytest.mark.fault("F6")
async def test_a_connection_that_closes_before_anything_is_read_is_a_doubt() -> None:
    async def slam(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server = await asyncio.start_server(slam, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, transport() as sender:
        with pytest.raises(InDoubt):
            await sender.send(account(url), DIAL)


async def test_nobody_listens() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        async with transport() as sender:
            with pytest.raises(NotSent):
                await sender.send(account(url), DIAL)


async def test_a_server_without_tls_was_not_sent_anything() -> None:
    async with listening(saying(OK)) as server, transport() as sender:
        with pytest.raises(NotSent):
            await sender.send(account(server.url.replace("http:", "https:")), DIAL)

    assert server.requests == []


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1", "127.0.0.1:1", "", "http://[::1", "http://127.0.0.1:99999", "http://\x00"]
)
async def test_addresses_that_are_none(url: str) -> None:
    async with transport() as sender:
        with pytest.raises((NotSent, Rejected)):
            await sender.send(account(url), DIAL)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.fault("F9")
async def test_a_redirect_is_given_back_and_never_followed(status: int) -> None:
    async with listening(saying(OK)) as target:
        moved = f"HTTP/1.1 {status} Moved\r\nLocation: {target.url}/calls\r\nContent-Length: 0\r\n\r\n".encode()
        async with listening(saying(moved)) as server, transport() as sender:
            for request in (DIAL, Request(method="GET", path="/calls/c1")):
                assert (await sender.send(account(server.url), request)).status == status

        assert target.requests == []


async def test_cookies_are_not_kept() -> None:
    answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n\r\n{}"
    async with listening(saying(answer)) as server, transport() as sender:
        for _ in range(2):
            await sender.send(account(server.url), DIAL)

    assert b"Cookie: " not in server.requests[1]


@pytest.mark.fault("F8")
async def test_a_huge_answer_is_cut_off() -> None:
    sent = 0

    async def flood(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n")
        for _ in range(160):
            writer.write(b" " * 65536)
            await writer.drain()
            sent += 65536
        return False

    async with listening(flood) as server, transport() as sender:
        with pytest.raises(InDoubt, match="1 MiB"):
            await sender.send(account(server.url), DIAL)
        await asyncio.sleep(0.05)

    assert sent < 10 * 1024 * 1024


async def test_the_answer_to_a_look_up_may_be_longer() -> None:
    body = b'{"a":"' + b"x" * 2 * 1024 * 1024 + b'"}'
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    async with listening(saying(answer)) as server, transport() as sender:
        for look_up in (Request(method="GET", path="/campaigns"), replace(DIAL, reads=True)):
            assert (await sender.send(account(server.url), look_up)).body == body
        with pytest.raises(InDoubt, match="1 MiB"):
            await sender.send(account(server.url), DIAL)


@pytest.mark.fault("F5")
async def test_an_answer_that_drips_in_ends_at_the_deadline() -> None:
    async def drip(_request: bytes, writer: asyncio.StreamWriter) -> bool:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        for _ in range(100):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
        return False

    limits = Timeouts(connect=1.0, write=1.0, read=0.3, pool=1.0, whole=0.5)
    async with listening(drip) as server, transport(timeouts=limits) as sender:
        begun = time.monotonic()
        with pytest.raises(InDoubt, match="did not finish"):
            await sender.send(account(server.url), DIAL)

    assert time.monotonic() - begun < 2


def packed(body: bytes, encoding: str = "gzip") -> bytes:
    return (
        f"HTTP/1.1 201 Created\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
    )


async def test_an_answer_that_came_packed_is_unpacked() -> None:
    async with listening(saying(packed(gzip.compress(b'{"id":"c1"}')))) as server, transport() as sender:
        reply = await sender.send(account(server.url), DIAL)

    assert (reply.status, reply.body) == (201, b'{"id":"c1"}')


@pytest.mark.fault("F8")
async def test_a_bomb_is_not_unpacked() -> None:
    bomb = packed(gzip.compress(b" " * 50_000_000))
    async with listening(saying(bomb)) as server, transport() as sender:
        with pytest.raises(InDoubt, match="1 MiB"):
            await sender.send(account(server.url), DIAL)


@pytest.mark.parametrize(
    "answer", [packed(b"\x1f\x8bgarbage"), packed(b"\x0b\x02\x80", "br"), packed(b"<html>", "identity")]
)
@pytest.mark.fault("F8")
async def test_what_cannot_be_unpacked_still_has_a_status(answer: bytes) -> None:
    async with listening(saying(answer)) as server, transport() as sender:
        reply = await sender.send(account(server.url), DIAL)

    assert reply.status == 201
    assert reply.body


async def test_html_is_given_back_as_it_came() -> None:
    async with (
        listening(saying(b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>")) as server,
        transport() as sender,
    ):
        reply = await sender.send(account(server.url), DIAL)

    assert (reply.status, reply.body) == (502, b"<html>")


async def test_proxies_of_the_environment_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with listening(saying(OK)) as server, transport() as sender:
        assert (await sender.send(account(server.url), DIAL)).status == 200


async def test_without_a_key_nothing_leaves_and_the_account_pauses() -> None:
    def missing(reference: str) -> str:
        raise CredentialMissing(f"`{reference}` is not set", help="export KEY=...")

    async with listening(saying(OK)) as server:
        sender = HttpTransport(missing, timeouts=QUICK)
        with pytest.raises(Rejected) as refused:
            await sender.send(account(server.url), DIAL)
        await sender.aclose()

    assert (refused.value.pause, refused.value.message, refused.value.help) == (
        True,
        "`env:KEY` is not set",
        "export KEY=...",
    )
    assert server.requests == []


async def test_a_generation_that_is_not_known_pauses_the_account() -> None:
    async with listening(saying(OK)) as server, transport() as sender:
        with pytest.raises(Rejected) as refused:
            await sender.send(replace(account(server.url, "revox"), generation="Z"), DIAL)

    assert refused.value.pause
    assert server.requests == []


@pytest.mark.parametrize("key", [f"{SECRET}\u20ac", f"{SECRET}\r\nX-Other: 1", f"{SECRET}\x00"])
async def test_a_key_that_no_header_can_carry_is_not_told(key: str) -> None:
    async with listening(saying(OK)) as server:
        sender = HttpTransport(lambda _reference: key, timeouts=QUICK)
        with pytest.raises(NotSent) as refused:
            await sender.send(account(server.url), DIAL)
        await sender.aclose()

    assert SECRET not in "".join(traceback.format_exception(refused.value))
    assert server.requests == []


@pytest.mark.parametrize("talk", [closing, hanging])
async def test_no_failure_tells_the_key(talk: Any) -> None:
    async with listening(talk) as server, transport() as sender:
        with pytest.raises(InDoubt) as doubt:
            await sender.send(account(server.url), DIAL)

    assert SECRET not in "".join(traceback.format_exception(doubt.value))
    assert SECRET not in repr(sender)


async def test_a_hundred_at_once_each_arrive_once() -> None:
    async with listening(saying(OK)) as server, transport(timeouts=Timeouts()) as sender:
        bodies = [{"n": number} for number in range(100)]
        await asyncio.gather(
            *(sender.send(account(server.url), Request(method="POST", path="/c", body=one)) for one in bodies)
        )

    arrived = sorted(json.loads(one.partition(b"\r\n\r\n")[2])["n"] for one in server.requests)
    assert arrived == list(range(100))
