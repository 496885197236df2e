"""Receive webhooks: limits first, then the engine's inbox; answer only after it is durable."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from runner.errors import OutreachError, WebhookRefused

log = logging.getLogger(__name__)

MOST_BYTES = 1 << 20
"""the largest webhook that is read"""

Receive = Callable[[str, str, Mapping[str, str], bytes], Awaitable[str]]


def receiver(receive: Receive) -> Starlette:
    """Build the app: `POST /webhooks/{account}` and `/webhooks/{account}/{token}`, `GET /healthz`.

    A token in the URL stands for the signature that a provider does not send.
    """

    async def webhook(request: Request) -> Response:
        account, token = request.path_params["account"], request.path_params.get("token", "")
        try:
            body = await _body(request)
            result = await receive(account, token, dict(request.headers), body)
        except WebhookRefused as error:
            log.warning("webhook for %r refused: %s", account, error.message)
            # The sender learns nothing about why: it may be probing.
            return JSONResponse({"error": "refused"}, status_code=error.status)
        except ClientDisconnect:
            return Response(status_code=400)
        except OutreachError as error:
            log.error("webhook for %r could not be stored: %s", account, error.message)  # noqa: TRY400 no traceback for a sentence
            return JSONResponse({"error": "try again"}, status_code=503)
        return JSONResponse({"result": result})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"ok": True})

    return Starlette(
        routes=[
            Route("/webhooks/{account}", webhook, methods=["POST"]),
            Route("/webhooks/{account}/{token}", webhook, methods=["POST"]),
            Route("/healthz", healthz, methods=["GET"]),
        ]
    )


async def _body(request: Request) -> bytes:
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
