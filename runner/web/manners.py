"""What every answer says besides its content, and which names this machine answers to."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

ALWAYS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
}
"""headers of every answer, unless the answer says another value itself"""

_FROM_OUTSIDE = ("/webhooks/", "/healthz")
"""what a proxy hands on by the public name that strangers know"""
_NAMES_OF_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "[::1]", "::1"})

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


def with_manners(app: App, host: str) -> App:
    """Give an app whose answers carry `ALWAYS`, bound to ``host``.

    Bound to this machine alone, everything but webhooks and `/healthz` is answered only by the names
    of this machine: a page of strangers that a browser here shows cannot reach it by a name of theirs
    that leads here (DNS rebinding). It is answered 421 and reaches no code of ours.
    """
    is_local = host == "localhost" or _is_loopback(host)

    async def answered(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": _completed(message.get("headers", ()))}
            await send(message)

        if is_local and not scope["path"].startswith(_FROM_OUTSIDE) and not _is_for_us(scope):
            await send_with_headers(
                {"type": "http.response.start", "status": 421, "headers": [(b"content-length", b"0")]}
            )
            await send({"type": "http.response.body", "body": b""})
            return
        await app(scope, receive, send_with_headers)

    return answered


def _completed(headers: Any) -> list[tuple[bytes, bytes]]:
    own = [(name, value) for name, value in headers if name.lower() != b"server"]
    said = {name.lower() for name, _ in own}
    return own + [(name.encode(), value.encode()) for name, value in ALWAYS.items() if name.encode() not in said]


def _is_for_us(scope: Scope) -> bool:
    """Whether the one Host of a request is a name of this machine; its port does not matter."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name.lower() == b"host"]
    if len(hosts) != 1:
        return False
    name, _, port = hosts[0].rpartition(":")
    if not name or not port.isdigit():
        name = hosts[0]
    return name.lower() in _NAMES_OF_THIS_MACHINE


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
