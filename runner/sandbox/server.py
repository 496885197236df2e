"""The sandbox as an HTTP server: in this process for a while, or until a signal ends it."""

from __future__ import annotations

import asyncio
import signal
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from typing import ClassVar

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route, Router
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from runner.errors import OutreachError, UsageWrong
from runner.sandbox.clock import SandboxClock
from runner.sandbox.control import Control
from runner.sandbox.entrance import Entrance
from runner.sandbox.face import Face
from runner.sandbox.movoice import Movoice
from runner.sandbox.revmo import Revmo
from runner.sandbox.revox import Revox
from runner.sandbox.revring import Revring
from runner.sandbox.settings import Settings
from runner.sandbox.strikes import DROP
from runner.sandbox.wire import Json, Refused
from runner.sandbox.world import World

MakeFace = Callable[[World], Face]

_GRACE_SECONDS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningSandbox:
    """A sandbox that serves."""

    url: str
    """without a slash at its end; a provider stands under ``{url}/revring`` and so on"""
    world: World


def create_app(settings: Settings, clock: SandboxClock, others: Sequence[MakeFace] = ()) -> Starlette:
    """Build the sandbox; its World is ``app.state.world`` and ends with the app's lifespan.

    ``others`` make the faces of further APIs, which have the same people, faults and webhooks as the four.
    Served by another server than ours, requests that a fault drops raise ConnectionAbortedError instead.
    """
    world = World(settings, clock)
    revring, movoice = Revring(world), Movoice(world)
    faces: tuple[Face, ...] = (Revmo(world), revring, Revox(world), movoice, *(make(world) for make in others))
    control = Control(world, writes=revring, tells=movoice)
    by_name = {face.name: face for face in faces}

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:  # noqa: ARG001  the framework hands it over
        yield
        await world.close()

    async def on_http(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        face = by_name.get(request.url.path.split("/", 2)[1])
        return Json(face.refusal(status) if face else {"error": "there is nothing here"}, status)

    app = Starlette(
        routes=[*_mounts(faces), _mount("/_sandbox", control.routes())],
        middleware=[Middleware(Entrance, world=world, faces=by_name)],
        exception_handlers={HTTPException: on_http, Refused: _on_refused, OutreachError: _on_wrong},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.world = world
    return app


@asynccontextmanager
async def running(
    settings: Settings, clock: SandboxClock, host: str = "127.0.0.1", port: int = 0, others: Sequence[MakeFace] = ()
) -> AsyncIterator[RunningSandbox]:
    """Serve inside this process while the block runs; port 0 takes any free one, ``others`` are further APIs.

    Touches no signal handlers; at the end every connection is closed and every timer ended. Raises UsageWrong when
    the address cannot be bound.
    """
    app = create_app(settings, clock, others)
    world: World = app.state.world
    listener = _listen(host, port)
    server = _Server(_config(app, world.faults.refuses))
    serving = asyncio.create_task(server.serve([listener]))
    try:
        await server.wait_started(serving)
        yield RunningSandbox(url=_url(listener), world=world)
    finally:
        await world.close()
        server.stop()
        await serving


async def serve_forever(
    settings: Settings, clock: SandboxClock, host: str, port: int, announce: Callable[[str], None]
) -> None:
    """Serve until SIGINT or SIGTERM; ``announce`` is given the address as soon as it answers.

    Must run in the main thread. Raises UsageWrong when the address cannot be bound.
    """
    loop = asyncio.get_running_loop()
    stopped = asyncio.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    for number in signals:
        loop.add_signal_handler(number, stopped.set)
    try:
        async with running(settings, clock, host, port) as server:
            announce(server.url)
            await stopped.wait()
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class _Server(uvicorn.Server):
    """Tells when it has started, stops when told, and leaves the process's signal handlers alone."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._ready = asyncio.Event()
        self._stopped = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready.set()

    async def main_loop(self) -> None:
        await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Close as its parent does, but without pauses: a rehearsal or a test starts many sandboxes."""
        for server in self.servers:
            server.close()
        for listener in sockets or []:
            listener.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            _, unanswered = await asyncio.wait(self.server_state.tasks, timeout=_GRACE_SECONDS)
            for task in unanswered:
                task.cancel()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await self.lifespan.shutdown()
        # a closed connection tells its end in the next turn of the loop
        await asyncio.sleep(0)

    def stop(self) -> None:
        """Close every connection and end."""
        self._stopped.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def wait_started(self, serving: asyncio.Task[None]) -> None:
        """Wait until requests are answered, or raise what kept it from starting."""
        ready = asyncio.create_task(self._ready.wait())
        await asyncio.wait({ready, serving}, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        if serving.done():
            serving.result()


class _Protocol(H11Protocol):
    """Lets the app close a connection without an answer, which ASGI has no word for, and resets some at once."""

    refuses: ClassVar[Callable[[], bool]]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as its parent has it
        super().connection_made(transport)
        if type(self).refuses():
            # without lingering, a close is a reset
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
            return
        app = self.app

        async def with_drop(scope: Scope, receive: Receive, send: Send) -> None:
            scope["extensions"] = {**scope.get("extensions", {}), DROP: transport.abort}
            await app(scope, receive, send)

        self.app = with_drop


def _config(app: Starlette, refuses: Callable[[], bool]) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=type("_Protocol", (_Protocol,), {"refuses": staticmethod(refuses)}),
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="warning",
        access_log=False,
        proxy_headers=False,
        server_header=False,
    )


def _mounts(faces: tuple[Face, ...]) -> list[Mount]:
    return [_mount(base, face.routes()) for face in faces for base in face.bases]


def _mount(base: str, routes: list[Route]) -> Mount:
    # a slash too many or too few is a 404 at the providers: a redirect would turn a POST into a GET
    return Mount(base, app=Router(routes, redirect_slashes=False))


def _listen(host: str, port: int) -> socket.socket:
    if not host:
        raise UsageWrong("an empty host would serve every network", help="name one, such as 127.0.0.1")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # named as TCP, asyncio sends small packets at once; otherwise each answer waits 40 ms for an acknowledgement
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
        listener.setblocking(False)
    except (OSError, OverflowError) as error:
        with suppress(OSError):
            listener.close()
        raise UsageWrong(f"cannot serve on `{host}:{port}`: {error}", help="choose another port") from error
    return listener


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def _on_refused(request: Request, error: Exception) -> Response:  # noqa: ARG001  the framework hands it over
    if not isinstance(error, Refused):
        raise error
    return Json(error.body, error.status)


async def _on_wrong(request: Request, error: Exception) -> Response:  # noqa: ARG001  the framework hands it over
    if not isinstance(error, OutreachError):
        raise error
    return Json({"error": error.message, "help": error.help}, 400)
