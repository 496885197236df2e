"""The way into the sandbox: logs each request, lets faults befall it, checks its key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.sandbox.face import Face
from runner.sandbox.faults import Fault
from runner.sandbox.requests_log import Seen
from runner.sandbox.wire import Json
from runner.sandbox.world import World

DROP = "outreach.sandbox.drop"
"""ASGI extension of our server: a function that closes the connection"""

_LARGEST_BODY = 32 * 1024 * 1024


class Entrance:
    """Stands before the routes; requests under ``/_sandbox`` pass untouched."""

    def __init__(self, app: ASGIApp, *, world: World, faces: Mapping[str, Face]) -> None:
        self._app = app
        self._world = world
        self._faces = faces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        face = self._faces.get(_provider(scope["path"])) if scope["type"] == "http" else None
        if face is None:
            await self._app(scope, receive, send)
            return
        try:
            raw = await _read(receive)
        except ClientDisconnect:
            return
        if raw is None:
            await Json({"error": "request too large"}, 413)(scope, receive, send)
            return
        seen = self._world.requests.add(self._world.clock.now(), scope, raw)
        fault = self._world.faults.meet(face.name, scope["path"])
        if fault is None:
            await self._serve(face, scope, _replay(raw, receive), _noting(send, seen))
            return
        seen.fault = fault.kind
        if fault.takes_effect:
            await self._serve(face, scope, _replay(raw, receive), _swallow)
        await self._strike(fault, seen, scope, receive, send)

    async def _serve(self, face: Face, scope: Scope, receive: Receive, send: Send) -> None:
        key = face.credential(Headers(scope=scope))
        known = self._world.settings.api_keys
        self._world.serving += 1
        try:
            if key and (not known or key in known):
                await self._app(scope, receive, send)
            else:
                await Json(face.refusal(401), 401)(scope, receive, send)
        finally:
            self._world.serving -= 1

    async def _strike(self, fault: Fault, seen: Seen, scope: Scope, receive: Receive, send: Send) -> None:
        if fault.kind == "status":
            await _answer_of(fault)(scope, receive, _noting(send, seen))
            return
        if fault.kind == "hang_after":
            await self._world.faults.hang()
        await _drop(scope, receive)


async def _read(receive: Receive) -> bytes | None:
    """Read the whole body; None when it is too large; raise ClientDisconnect when it never came in full."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        part = message.get("body", b"")
        size += len(part)
        if size > _LARGEST_BODY:
            return None
        parts.append(part)
        if not message.get("more_body", False):
            return b"".join(parts)


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


async def _swallow(message: Message) -> None:
    """Send nothing."""


def _provider(path: str) -> str:
    return path.split("/", 2)[1] if path.startswith("/") else ""


def _replay(raw: bytes, receive: Receive) -> Receive:
    """Give the body once more, then what really comes."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": raw, "more_body": False}

    return again


def _noting(send: Send, seen: Seen) -> Send:
    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
        await send(message)

    return note


def _answer_of(fault: Fault) -> Response:
    body: Any = {"error": "sandbox fault"} if fault.body is None else fault.body
    if isinstance(body, str):
        return Response(body, fault.status, headers=dict(fault.headers), media_type="text/html")
    return Json(body, fault.status, headers=dict(fault.headers))
