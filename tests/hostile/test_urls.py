"""Nothing is sent to a URL of the corpus, and a resolver that changes its mind changes nothing."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpcore
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import AddressRefused
from runner.providers.addresses import guarded_transport
from runner.rules.addresses import address_problem, place_of
from tests.hostile.urls import KEY, HostileUrl, corpus, refusal_of


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len({(one.url, one.addresses) for one in corpus()}) >= 40


@pytest.mark.parametrize("one", corpus(), ids=lambda one: one.what)
def test_each_url_is_refused_with_a_clear_message(one: HostileUrl) -> None:
    seen = refusal_of(one)

    assert seen.by_sender, one
    assert KEY not in seen.by_sender
    if one.addresses:
        assert seen.asked == 1
        assert "leads to" in seen.by_sender
    else:
        assert seen.by_file.startswith("outreach.yaml:4:15: "), seen
        assert seen.asked == 0 or not one.url.isascii(), "a name of another alphabet is only refused by its file"


@pytest.mark.parametrize(
    "url", ["https://api.revmo.ai", "https://www.getrevox.com/api", "https://8.8.8.8/", "https://a.b:8443"]
)
def test_public_addresses_are_fine(url: str) -> None:
    assert place_of(url).scheme == "https"


@pytest.mark.parametrize("url", ["http://127.0.0.1:8700", "http://localhost:8700/x", "https://[::1]:1/"])
def test_this_machine_is_reached_where_an_account_says_so(url: str) -> None:
    assert place_of(url, allow_loopback=True).host in {"127.0.0.1", "localhost", "::1"}
    with pytest.raises(AddressRefused) as refused:
        place_of(url)
    assert "allow_loopback" in refused.value.help


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1", "https://169.254.169.254", "http://api.acme.example", "https://[::ffff:127.0.0.1]"]
)
def test_that_setting_opens_nothing_else(url: str) -> None:
    with pytest.raises(AddressRefused):
        place_of(url, allow_loopback=True)


@given(st.ip_addresses())
def test_what_is_not_global_is_never_fine(address: object) -> None:
    if not address_problem(str(address)):
        assert getattr(address, "is_global")  # noqa: B009 the strategy gives both kinds
        assert not getattr(address, "is_multicast")  # noqa: B009 as above
        assert not getattr(address, "is_private")  # noqa: B009 as above


class _Wire(httpcore.AsyncNetworkBackend):
    """Notes whom it is asked to connect to, and connects to a listener of the test instead."""

    def __init__(self, port: int) -> None:
        self.port, self.asked = port, list[str]()
        self._real = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,  # noqa: ARG002 the listener of the test stands in
        timeout: float | None = None,  # noqa: ASYNC109 the library's signature
        local_address: str | None = None,  # noqa: ARG002 as above
        socket_options: object = None,  # noqa: ARG002 as above
    ) -> httpcore.AsyncNetworkStream:
        self.asked.append(host)
        return await self._real.connect_tcp("127.0.0.1", self.port, timeout)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@asynccontextmanager
async def greeting() -> AsyncIterator[tuple[int, list[str]]]:
    """Serve TLS clients without answering in TLS; note the name in their first message (SNI)."""
    names: list[str] = []

    async def hear(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello = await reader.read(2048)
        names.extend(name for name in ("rebind.acme.example", "8.8.8.8") if name.encode() in hello)
        writer.close()

    server = await asyncio.start_server(hear, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], names
    finally:
        server.close()


async def test_the_address_that_was_checked_is_the_one_that_is_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that says a public address first and this machine's afterwards (DNS rebinding)."""
    answers = [["8.8.8.8"], ["127.0.0.1"], ["8.8.4.4"]]

    async def resolve(host: str, port: int) -> Sequence[str]:
        return answers.pop(0)

    async with greeting() as (port, names):
        wire = _Wire(port)
        monkeypatch.setattr(httpcore, "AnyIOBackend", lambda: wire)
        async with httpx.AsyncClient(transport=guarded_transport(resolve=resolve), trust_env=False) as client:
            with pytest.raises(httpx.ConnectError):  # the listener speaks no TLS: the handshake was begun all the same
                await client.get("https://rebind.acme.example/")
            with pytest.raises(AddressRefused, match="this machine"):
                await client.get("https://rebind.acme.example/")
            with pytest.raises(httpx.ConnectError):
                await client.get("https://rebind.acme.example/")

    assert wire.asked == ["8.8.8.8", "8.8.4.4"], "connected to what was checked, and never by name"
    assert names == ["rebind.acme.example"] * 2, "TLS is still asked for the name, not the address"
    assert answers == [], "resolved once for each connection"


def test_certificates_are_checked() -> None:
    made = guarded_transport()

    context = made._pool._ssl_context
    assert context is not None
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
