"""An address at which nobody listens for a while: a forwarder that stands before a server of this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


class Door:
    """Refuses every connection until it opens, then forwards bytes both ways."""

    def __init__(self, target: str) -> None:
        self._target = urlsplit(target)
        # Bound and not listening: the port is ours, and the machine refuses whoever comes.
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    def open_in(self, seconds: float) -> None:
        """Open when so many seconds have passed."""
        self._keep(asyncio.create_task(self._open(seconds)))

    async def close(self) -> None:
        """Let nobody in any more, and drop who is inside."""
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._listener.close()
        # a closed connection tells its end in the next turn of the loop
        await asyncio.sleep(0)

    async def _open(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._server = await asyncio.start_server(self._forward, sock=self._listener)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._keep(asyncio.create_task(_pump(reader, back)))
        self._keep(asyncio.create_task(_pump(there, writer)))

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@asynccontextmanager
async def door_to(url: str) -> AsyncIterator[Door]:
    """Stand before a server while the block runs."""
    door = Door(url)
    try:
        yield door
    finally:
        await door.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until one side ends."""
    try:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
    finally:
        writer.close()
