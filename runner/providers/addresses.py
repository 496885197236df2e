"""Connects to the very address that was checked: one resolution for each connection, nothing private, nothing local.

Whoever sends to an address that a file names (providers, notifications) takes `guarded_transport`; the
name of the host stays what TLS proves and what `Host` says.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any

import httpcore
import httpx

from runner.errors import AddressRefused
from runner.rules.addresses import address_problem, place_of

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""gives the addresses of a host, as text, the best one first; raises OSError when there are none"""

_MOST_ADDRESSES = 8


def guarded_transport(
    *,
    allow_loopback: bool = False,
    tls: ssl.SSLContext | None = None,
    limits: httpx.Limits | None = None,
    resolve: Resolve | None = None,
) -> httpx.AsyncHTTPTransport:
    """Give a transport for an httpx client that reaches public hosts by https alone.

    With ``allow_loopback`` it reaches this machine too, also by http. A request elsewhere raises
    AddressRefused before a byte is sent; a name that resolves to several addresses is refused if any
    one of them is not allowed. Asks no proxy and never tries again.
    """
    return _GuardedTransport(allow_loopback, tls, limits or httpx.Limits(), resolve or resolved)


async def resolved(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver once."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class _GuardedTransport(httpx.AsyncHTTPTransport):
    def __init__(
        self, allow_loopback: bool, tls: ssl.SSLContext | None, limits: httpx.Limits, resolve: Resolve
    ) -> None:
        context = tls or httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False, limits=limits)
        self._allow_loopback = allow_loopback
        # The library offers no argument for it; a test with a resolver that changes its mind holds this in place.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=limits.max_connections,
            max_keepalive_connections=limits.max_keepalive_connections,
            keepalive_expiry=limits.keepalive_expiry,
            network_backend=_PinnedBackend(httpcore.AnyIOBackend(), resolve, allow_loopback=allow_loopback),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        place_of(str(request.url), allow_loopback=self._allow_loopback)
        return await super().handle_async_request(request)


class _PinnedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a host once, refuses what is not allowed, and hands only checked addresses on."""

    def __init__(self, inner: httpcore.AsyncNetworkBackend, resolve: Resolve, *, allow_loopback: bool) -> None:
        self._inner = inner
        self._resolve = resolve
        self._allow_loopback = allow_loopback

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        began = time.monotonic()
        addresses = await self._addresses(host, port, timeout)
        failure: Exception = httpcore.ConnectError(f"`{host}` has no address")
        for at, address in enumerate(addresses):
            left = None if timeout is None else (timeout - (time.monotonic() - began)) / (len(addresses) - at)
            if left is not None and left <= 0:
                break
            try:
                return await self._inner.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)

    async def _addresses(self, host: str, port: int, seconds: float | None) -> Sequence[str]:
        try:
            async with asyncio.timeout(seconds):
                found = await self._resolve(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"`{host}` was not resolved in time") from None
        except OSError as error:
            raise httpcore.ConnectError(f"`{host}` was not resolved") from error
        for address in found:
            why = address_problem(address, allow_loopback=self._allow_loopback)
            if why:
                raise AddressRefused(f"`{host}` leads to {why}", help="write a public https address")
        return found[:_MOST_ADDRESSES]
