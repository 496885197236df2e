"""How faults strike: what is answered, or not, in place of the real answer."""

from __future__ import annotations

from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from runner.sandbox.faults import Fault
from runner.sandbox.wire import Json
from runner.sandbox.world import World

DROP = "outreach.sandbox.drop"
"""ASGI extension of our server: a function that closes the connection"""

LANDING = "/_sandbox/landing"
"""where redirects lead; the provider follows"""

_BIG_BYTES = 10 * 1024 * 1024
_CHUNK = b" " * 65_536
_SLOW_SECONDS = 5.0
_RETRY_SECONDS = 2.0
_PAGE = "<!doctype html><html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


class Captured:
    """A real answer, kept instead of sent."""

    def __init__(self) -> None:
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    async def take(self, message: Message) -> None:
        """Keep one part of it."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = [pair for pair in message["headers"] if pair[0] != b"content-length"]
        else:
            self.body += message.get("body", b"")

    async def send(self, send: Send, body: bytes, *, pad: int = 0) -> None:
        """Send it with another body, behind so many blanks."""
        size = str(pad + len(body)).encode()
        headers = [*self.headers, (b"content-length", size)]
        await send({"type": "http.response.start", "status": self.status or 500, "headers": headers})
        while pad > 0:
            part = _CHUNK[:pad]
            pad -= len(part)
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": body})


async def strike(fault: Fault, world: World, real: Captured, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer as the fault wants; ``real`` is the answer of a request that took effect, or empty."""
    if fault.kind in {"status", "html", "redirect"}:
        await _instead(fault, world, scope)(scope, receive, send)
    elif fault.kind == "malformed":
        await real.send(send, real.body[: len(real.body) // 2])
    elif fault.kind == "big":
        await real.send(send, real.body, pad=_BIG_BYTES)
    elif fault.kind == "slow":
        await world.faults.hang(_SLOW_SECONDS if fault.seconds is None else fault.seconds)
        await real.send(send, real.body)
    elif fault.kind == "wrong_generation":
        await real.send(send, real.body)
    else:
        if fault.kind == "hang_after":
            await world.faults.hang(fault.seconds)
        await _drop(scope, receive)


async def _drop(scope: Scope, receive: Receive) -> None:
    """Close the connection without an answer, and wait until it is closed.

    Raises ConnectionAbortedError where no real connection is there to be closed.
    """
    drop = scope.get("extensions", {}).get(DROP)
    if drop is None:
        raise ConnectionAbortedError("the sandbox dropped this request on purpose")
    drop()
    # our server takes a return without an answer for a fault of its own unless it knows that the client is gone
    while (await receive())["type"] != "http.disconnect":
        pass


def _instead(fault: Fault, world: World, scope: Scope) -> Response:
    headers = dict(fault.headers)
    if fault.retry_after is not None:
        headers["Retry-After"] = _retry_after(fault, world)
    if fault.kind == "redirect":
        headers["Location"] = f"{LANDING}/{scope['path'].split('/', 2)[1]}"
    body: Any = fault.body
    if body is None:
        body = _PAGE if fault.kind == "html" else {"error": "sandbox fault"}
    if isinstance(body, str):
        return Response(body, fault.answered, headers=headers, media_type="text/html")
    return Json(body, fault.answered, headers=headers)


def _retry_after(fault: Fault, world: World) -> str:
    seconds = _RETRY_SECONDS if fault.seconds is None else fault.seconds
    if fault.retry_after == "date":
        at = world.clock.now().replace(microsecond=0) + timedelta(seconds=seconds)
        return format_datetime(at, usegmt=True)
    return f"{seconds:.0f}" if fault.retry_after == "delta" else "in a little while"
