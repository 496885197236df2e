"""A network inside one process: HTTP requests reach ASGI apps without a socket, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, MutableMapping
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any
from urllib.parse import unquote

import httpx
from starlette.types import ASGIApp

from runner.sandbox.strikes import DROP

Message = MutableMapping[str, Any]

_Latency = Callable[[str], float]


class InProcessNetwork(httpx.AsyncBaseTransport):
    """Carries requests to the app that answers at their host and port, and gives back what it answers.

    Errors are those of the library over a real network: ConnectError where nobody answers and where the app
    refuses the connection, RemoteProtocolError where it closes one without an answer, ReadTimeout where it is
    silent for longer than the request allows. A request that has reached its app is served to its end
    whatever becomes of its sender, as over a wire. `latency` gives the seconds that one way takes, by the
    host; there is none unless told.
    """

    def __init__(self, latency: _Latency | None = None) -> None:
        self._latency = latency
        self._hosts: dict[str, _Host] = {}
        self._serving: set[asyncio.Task[None]] = set()

    def host(self, url: str, app: ASGIApp, *, refuses: Callable[[], bool] = lambda: False) -> None:
        """Have an app answer at `http://host:port`; what serves its requests runs in the context of this call."""
        self._hosts[url.removeprefix("http://")] = _Host(app, refuses, copy_context())

    def leave(self, url: str) -> None:
        """Have nobody answer there from now on."""
        self._hosts.pop(url.removeprefix("http://"), None)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request; raises an error of the library as a real network would."""
        place = request.url.netloc.decode()
        host = self._hosts.get(place)
        if host is None:
            raise httpx.ConnectError("nobody answers there", request=request)
        if host.refuses():
            raise httpx.ReadError("the connection was reset", request=request)
        ways = (0.0, 0.0) if self._latency is None else (self._latency(place), self._latency(place))
        exchange = _Exchange(await request.aread(), *ways)
        scope = _scope(request, exchange.drop)
        loop = asyncio.get_running_loop()
        task = loop.create_task(exchange.serve(host.app, scope), context=host.context.copy())
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        patience = request.extensions.get("timeout", {}).get("read")
        try:
            async with asyncio.timeout(patience):
                await exchange.answered.wait()
        except TimeoutError:
            exchange.hang_up()
            raise httpx.ReadTimeout("no answer came", request=request) from None
        except asyncio.CancelledError:
            exchange.hang_up()
            raise
        if exchange.status is None:
            raise httpx.RemoteProtocolError("the connection was closed without an answer", request=request)
        return httpx.Response(exchange.status, headers=exchange.headers, stream=_Body(exchange.body, exchange.is_whole))

    async def aclose(self) -> None:
        """Leave the network as it is: others use it too."""

    async def ended(self) -> None:
        """End what still serves a request."""
        tasks = sorted(self._serving, key=lambda task: task.get_name())
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task


class _Host:
    def __init__(self, app: ASGIApp, refuses: Callable[[], bool], context: Context) -> None:
        self.app = app
        self.refuses = refuses
        self.context = context


class _Exchange:
    """One request and its answer, as the server sees them."""

    def __init__(self, body: bytes, there: float, back: float) -> None:
        self._request: bytes | None = body
        self._ways = (there, back)
        self._gone = asyncio.Event()
        self.answered = asyncio.Event()
        self.status: int | None = None
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.is_whole = False

    async def serve(self, app: ASGIApp, scope: dict[str, Any]) -> None:
        """Let the app answer; one that fails closes the connection."""
        there, back = self._ways
        try:
            if there:  # on its way it needs its sender no more
                await asyncio.sleep(there)
            await app(scope, self._receive, self._send)
        finally:
            self._answer(back)

    def drop(self) -> None:
        """Close the connection from the server's side, without an answer."""
        self.status = None
        self._gone.set()
        self._answer(self._ways[1])

    def hang_up(self) -> None:
        """Close the connection from the sender's side."""
        self._gone.set()

    async def _receive(self) -> Message:
        body, self._request = self._request, None
        if body is not None:
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        if self._gone.is_set():
            return
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], list(message.get("headers", ()))
            return
        self.body += message.get("body", b"")
        if not message.get("more_body", False):
            self.is_whole = True
            self._answer(self._ways[1])

    def _answer(self, delay: float) -> None:
        if delay and not self.answered.is_set():
            asyncio.get_running_loop().call_later(delay, self.answered.set)
        else:
            self.answered.set()


class _Body(httpx.AsyncByteStream):
    """An answer's body, in the pieces that a socket would give; raises when it ends before its time."""

    def __init__(self, body: bytes, is_whole: bool) -> None:
        self._body = body
        self._is_whole = is_whole

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._body), 65_536):
            yield self._body[start : start + 65_536]
        if not self._is_whole:
            raise httpx.RemoteProtocolError("the connection was closed within the answer")


def _scope(request: httpx.Request, drop: Callable[[], None]) -> dict[str, Any]:
    raw_path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": request.url.scheme,
        "path": unquote(raw_path.decode("ascii")),
        "raw_path": raw_path,
        "query_string": query,
        "root_path": "",
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "client": ("127.0.0.1", 1),
        "server": (request.url.host, request.url.port or 80),
        "extensions": {DROP: drop},
        "state": {},
    }
