"""Serve an app inside the running event loop, on loopback unless told otherwise."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.applications import Starlette

from runner.errors import UsageWrong
from runner.web.deadline import DeadlineProtocol
from runner.web.manners import with_manners

MOST_CONNECTIONS = 1_000
"""how many connections are served at once; further ones are told to come again"""


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to the command, which drains the dispatcher first.
        yield


@asynccontextmanager
async def served(app: Starlette, host: str, port: int) -> AsyncIterator[str]:
    """Serve an app; give its URL. Port 0 takes any free one. Raises UsageWrong when the port is taken."""
    listener = _listen(host, port)
    config = uvicorn.Config(
        with_manners(app, host), http=DeadlineProtocol, ws="none", log_level="warning", access_log=False, lifespan="off", server_header=False,
        timeout_graceful_shutdown=5, limit_concurrency=MOST_CONNECTIONS,
    )  # fmt: skip
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]), name="web")
    try:
        while not server.started and not task.done():  # noqa: ASYNC110 the server offers nothing to wait for
            await asyncio.sleep(0.005)
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming the protocol lets asyncio switch Nagle's algorithm off; without it answers wait for tens of milliseconds.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise UsageWrong(f"cannot listen on {host}:{port}: {error.strerror}", help="choose another --port") from error
    return listener
