"""Whether a runner is alive, whether it is ready, and its metrics: a small app for those who watch over it."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import time
from collections.abc import Awaitable, Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

SILENT_SECONDS = 30.0
"""after how long without a look at the ledger a runner is not ready"""
WRITE_SECONDS = 2.0
"""how long the ledger may take to write for a runner that is ready"""
KEPT_SECONDS = 1.0
"""for how long one look at a runner serves everybody who asks"""

_METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_PLAIN = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

Reasons = Callable[[], Awaitable[Sequence[str]]]


class Readiness:
    """Says why a runner is not ready; one look serves everybody who asks within a second."""

    def __init__(
        self,
        turned_ago: Callable[[], float],
        write: Callable[[], Awaitable[object]],
        is_stopping: Callable[[], bool],
    ) -> None:
        """Take the seconds since the dispatcher's last look, a transaction that writes nothing, and whether it ends."""
        self._turned_ago = turned_ago
        self._write = write
        self._is_stopping = is_stopping
        self._looked_at = float("-inf")
        self._found: list[str] = []
        self._looking = asyncio.Lock()

    async def reasons(self) -> Sequence[str]:
        """Give the reasons why it is not ready; none when it is."""
        async with self._looking:
            if time.monotonic() - self._looked_at >= KEPT_SECONDS:
                self._found = await self._look()
                self._looked_at = time.monotonic()
        return self._found

    async def _look(self) -> list[str]:
        found = []
        if self._is_stopping():
            found.append("it is stopping")
        silent = self._turned_ago()
        if silent > SILENT_SECONDS:
            found.append(f"it has not looked at the ledger for {silent:.0f} s")
        try:
            async with asyncio.timeout(WRITE_SECONDS):
                await self._write()
        except TimeoutError:
            found.append(f"the ledger cannot be written within {WRITE_SECONDS:g} s")
        except Exception as error:  # noqa: BLE001 whatever it is, it cannot be written
            # What went wrong may name a path: its kind is enough, the log says the rest.
            found.append(f"the ledger cannot be written ({type(error).__name__})")
        return found


def watch_post(exposed: Callable[[], bytes], reasons: Reasons, *, token: str = "", host: str = "") -> Starlette:
    """Build the app: `GET /metrics`, `/healthz`, `/readyz`.

    With a `token`, metrics are given to those alone who bring it as bearer. On a loopback `host`, only
    requests to a loopback name are answered, so that no web page can have a browser ask.
    """

    def of_ours(request: Request) -> bool:
        return not is_loopback(host) or is_loopback(_host_of(request))

    async def metrics(request: Request) -> Response:
        if not of_ours(request):
            return PlainTextResponse("wrong host\n", status_code=421, headers=_PLAIN)
        if token and not _bears(request, token):
            return PlainTextResponse(
                "a token is needed\n", status_code=401, headers={**_PLAIN, "WWW-Authenticate": "Bearer"}
            )
        text = await asyncio.to_thread(exposed)
        return Response(text, headers={**_PLAIN, "Content-Type": _METRICS_TYPE})

    async def readyz(request: Request) -> Response:
        if not of_ours(request):
            return PlainTextResponse("wrong host\n", status_code=421, headers=_PLAIN)
        return ready(await reasons())

    return Starlette(
        routes=[
            Route("/metrics", metrics, methods=["GET"]),
            Route("/healthz", healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
        ]
    )


async def healthz(_: Request) -> Response:
    """Answer that the process lives: its loop turns, or it could not answer."""
    return JSONResponse({"ok": True}, headers=_PLAIN)


def ready(reasons: Sequence[str]) -> Response:
    """Answer whether it is ready: 200, or 503 with the reasons."""
    return JSONResponse(
        {"ready": not reasons, "reasons": list(reasons)}, status_code=503 if reasons else 200, headers=_PLAIN
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bears(request: Request, token: str) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token.encode())


def _host_of(request: Request) -> str:
    named = request.headers.get("host", "")
    return named[1:].partition("]")[0] if named.startswith("[") else named.partition(":")[0]
