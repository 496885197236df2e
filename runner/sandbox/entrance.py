"""The way into the sandbox: logs each request, lets faults befall it, checks its key, dates the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from email.utils import format_datetime

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runner.sandbox.call import Call, Stage
from runner.sandbox.clock import SandboxClock
from runner.sandbox.face import OTHER_GENERATION, Face
from runner.sandbox.faults import Fault
from runner.sandbox.requests_log import Seen
from runner.sandbox.strikes import Captured, strike
from runner.sandbox.wire import Json
from runner.sandbox.world import World

_LARGEST_BODY = 32 * 1024 * 1024
_LOOK_SECONDS = 0.02
_EARLY_SECONDS = 2.0
"""longest real time that an answer waits for its webhook"""


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
        again, noting = _replay(raw, receive), _noting(_dated(send, self._world.clock), seen)
        if fault is not None:
            seen.fault = fault.kind
            await self._befall(fault, face, scope, again, noting)
        elif scope["method"] == "POST" and self._world.webhooks.comes_early():
            await self._answer_late(face, scope, again, noting)
        else:
            await self._serve(face, scope, again, noting)

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

    async def _befall(self, fault: Fault, face: Face, scope: Scope, receive: Receive, send: Send) -> None:
        real = Captured()
        if fault.takes_effect:
            if fault.kind == "wrong_generation":
                scope[OTHER_GENERATION] = True
            await self._serve(face, scope, receive, real.take)
        await strike(fault, self._world, real, scope, receive, send)

    async def _answer_late(self, face: Face, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request take effect, wait until the webhook about it was told, then answer."""
        real = Captured()
        with self._world.opening() as calls:
            await self._serve(face, scope, receive, real.take)
        self._world.serving += 1
        try:
            async with asyncio.timeout(_EARLY_SECONDS):
                while any(map(_will_be_told, calls)):  # noqa: ASYNC110  a call tells nobody but its face
                    await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            pass
        finally:
            self._world.serving -= 1
        await real.send(send, real.body)


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


def _will_be_told(call: Call) -> bool:
    """Whether a webhook about a call will come by itself, and soon."""
    if call.delivery is not None:
        return not call.delivery.tried.is_set() and not call.delivery.held
    return call.is_live or call.stage is Stage.ANALYSING


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


def _dated(send: Send, clock: SandboxClock) -> Send:
    """Let every answer tell the sandbox's own time, as HTTP servers do."""

    async def date(message: Message) -> None:
        if message["type"] == "http.response.start":
            now = format_datetime(clock.now().replace(microsecond=0), usegmt=True)
            message = {**message, "headers": [*message["headers"], (b"date", now.encode())]}
        await send(message)

    return date


def _noting(send: Send, seen: Seen) -> Send:
    async def note(message: Message) -> None:
        if message["type"] == "http.response.start":
            seen.status = message["status"]
        await send(message)

    return note
