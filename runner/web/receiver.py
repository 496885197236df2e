"""Receive webhooks: limits first, then the engine's inbox; answer only after it is durable."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.engine.inbox import Taken
from runner.errors import OutreachError, WebhookRefused
from runner.ports.telemetry import Telemetry, named
from runner.web.pace import SourcePace
from runner.web.room import Room, Take

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
"""the largest webhook that is read"""

READ_SECONDS = 10.0
"""how long a sender may take to hand over the body of a webhook"""

_HEAR_OUT_SECONDS, _HEAR_OUT_BYTES = 1.0, 16 * MOST_BYTES
"""how long a body that is refused is listened to, so that its sender gets round to reading the answer"""

_UNREAD = frozenset({408, 413, 415, 429, 503})
"""refusals after which the rest of the body may still be on its way: the connection ends with the answer"""

_PROOFS = ("signature", "timestamp")

Receive = Callable[[str, str, Mapping[str, str], bytes], Awaitable[Taken]]


def receiver(receive: Receive, *, now: Callable[[], float] = time.monotonic) -> Starlette:
    """Build the app: `POST /webhooks/{account}` and `/webhooks/{account}/{token}`, `GET /healthz`.

    A token in the URL stands for the signature that a provider does not send. `now` gives seconds
    of a monotonic clock. A source that sends more unproven webhooks than its pace is answered 429
    with `Retry-After`, its body unread. Large bodies find room for some at once; more are answered 503.
    """
    pace, room = SourcePace(), Room()

    async def webhook(request: Request) -> Response:
        account, token = request.path_params["account"], request.path_params.get("token", "")
        source = request.client.host if request.client is not None else ""
        wait = pace.wait(source, now())
        if wait > 0:
            return _refusal(429, {"Retry-After": str(math.ceil(wait))})
        try:
            with room.lent() as take:
                taken = await receive(account, token, _headers(request), await _body(request, take))
        except WebhookRefused as error:
            pace.count(source, now())
            extra = named("webhook_refused", account=account)
            log.warning("webhook for %r refused: %s", account, error.message, extra=extra)
            return _refusal(error.status)
        except ClientDisconnect:
            pace.count(source, now())
            return Response(status_code=400)
        except OutreachError as error:
            extra = named("webhook_not_stored", account=account)
            log.error("webhook for %r could not be stored: %s", account, error.message, extra=extra)  # noqa: TRY400 no traceback for a sentence
            return JSONResponse({"error": "try again"}, status_code=503)
        if not taken.verified:
            pace.count(source, now())
        # What settles nothing yet was taken in all the same: no reason to send it again.
        return JSONResponse({"result": taken.result}, status_code=202 if taken.waits else 200)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    return Starlette(
        routes=[
            Route("/webhooks/{account}", webhook, methods=["POST"]),
            Route("/webhooks/{account}/{token}", webhook, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


def observed(receive: Receive, telemetry: Telemetry) -> Receive:
    """Tell of each webhook that is received: how long it took, and what it led to."""

    async def receive_and_tell(account: str, token: str, headers: Mapping[str, str], body: bytes) -> Taken:
        with telemetry.span("webhook", account=account) as span:
            taken = await receive(account, token, headers, body)
            span.note(result=taken.result, verified=taken.verified)
        return taken

    return receive_and_tell


def _refusal(status: int, headers: Mapping[str, str] | None = None) -> Response:
    """Answer without a reason: the sender may be probing."""
    closing = {"Connection": "close"} if status in _UNREAD else {}
    return JSONResponse({"error": "refused"}, status_code=status, headers={**closing, **(headers or {})})


def _headers(request: Request) -> dict[str, str]:
    """Give the headers by name; refuse one that proves something and stands there twice, since readers may differ."""
    names = list(request.headers.keys())
    if any(names.count(name) > 1 for name in names if any(proof in name for proof in _PROOFS)):
        raise WebhookRefused("a header that proves it stands there twice")
    return dict(request.headers)


async def _body(request: Request, take: Take) -> bytes:
    """Read the body within its limits of form, size, time and memory."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(request, take)
    except TimeoutError:
        raise WebhookRefused("it came too slowly", status=408) from None
    except WebhookRefused:
        await _hear_out(request)
        raise


async def _read(request: Request, take: Take) -> bytes:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise WebhookRefused("an encoded body", status=415)
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > MOST_BYTES:
        raise WebhookRefused("larger than 1 MiB", status=413)
    chunks: list[bytes] = []
    try:
        await _collect(request, take, chunks)
    except WebhookRefused:
        chunks.clear()  # the error remembers this frame while the rest of the body passes by
        raise
    return b"".join(chunks)


async def _collect(request: Request, take: Take, chunks: list[bytes]) -> None:
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise WebhookRefused("larger than 1 MiB", status=413)
        take(len(chunk))
        chunks.append(chunk)


async def _hear_out(request: Request) -> None:
    """Let a little more of a refused body pass by: a connection that ends under its sender's hands hides the answer."""
    passed = 0
    try:
        async with asyncio.timeout(_HEAR_OUT_SECONDS):
            while passed <= _HEAR_OUT_BYTES:
                message = await request.receive()
                passed += len(message.get("body", b""))
                if message["type"] == "http.disconnect" or not message.get("more_body", False):
                    return
    except TimeoutError:
        return
