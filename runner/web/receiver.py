"""Receive webhooks: limits first, then the engine's inbox; answer only after it is durable."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.engine.inbox import UNKNOWN_CALL
from runner.errors import OutreachError, WebhookRefused

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
"""the largest webhook that is read"""

READ_SECONDS = 10.0
"""how long a sender may take to hand over a webhook"""

_PROOFS = ("signature", "timestamp")

Receive = Callable[[str, str, Mapping[str, str], bytes], Awaitable[str]]


def receiver(receive: Receive) -> Starlette:
    """Build the app: `POST /webhooks/{account}` and `/webhooks/{account}/{token}`, `GET /healthz`.

    A token in the URL stands for the signature that a provider does not send.
    """

    async def webhook(request: Request) -> Response:
        account, token = request.path_params["account"], request.path_params.get("token", "")
        try:
            headers = _headers(request)
            body = await _body(request)
            result = await receive(account, token, headers, body)
        except WebhookRefused as error:
            log.warning("webhook for %r refused: %s", account, error.message)
            # The sender learns nothing about why: it may be probing.
            return JSONResponse({"error": "refused"}, status_code=error.status)
        except ClientDisconnect:
            return Response(status_code=400)
        except OutreachError as error:
            log.error("webhook for %r could not be stored: %s", account, error.message)  # noqa: TRY400 no traceback for a sentence
            return JSONResponse({"error": "try again"}, status_code=503)
        # What names no call that we know was taken in, and may still be settled: no reason to send it again.
        return JSONResponse({"result": result}, status_code=202 if UNKNOWN_CALL in result else 200)

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    return Starlette(
        routes=[
            Route("/webhooks/{account}", webhook, methods=["POST"]),
            Route("/webhooks/{account}/{token}", webhook, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


def _headers(request: Request) -> dict[str, str]:
    """Give the headers by name; refuse one that proves something and stands there twice, since readers may differ."""
    names = list(request.headers.keys())
    if any(names.count(name) > 1 for name in names if any(proof in name for proof in _PROOFS)):
        raise WebhookRefused("a header that proves it stands there twice")
    return dict(request.headers)


async def _body(request: Request) -> bytes:
    """Read the body within its limits of form, size and time."""
    try:
        async with asyncio.timeout(READ_SECONDS):
            return await _read(request)
    except TimeoutError:
        raise WebhookRefused("it came too slowly", status=408) from None


async def _read(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity") != "identity":
        raise WebhookRefused("an encoded body", status=415)
    declared = request.headers.get("content-length", "0")
    if not declared.isdigit() or int(declared) > MOST_BYTES:
        raise WebhookRefused("larger than 1 MiB", status=413)
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > MOST_BYTES:
            raise WebhookRefused("larger than 1 MiB", status=413)
        chunks.append(chunk)
    return b"".join(chunks)
