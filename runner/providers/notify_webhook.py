"""Notifications as signed webhooks (Standard Webhooks 1.0.0): one POST each, any 2xx is a yes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

import httpx

from runner import __version__
from runner.errors import AddressRefused, NotifyFailed
from runner.model.notification import Message
from runner.providers.addresses import guarded_transport
from runner.providers.replies import retry_after
from runner.rules.notify import secret_bytes, signed_headers

_WHOLE_SECONDS: Final = 10.0
"""for everything together, a dripping answer included"""
_GONE: Final = 410
_HEADERS: Final = {
    "Content-Type": "application/json",
    "User-Agent": f"outreach-runner/{__version__}",
    "Accept-Encoding": "identity",
}


class Webhooks:
    """Posts to addresses that outreach.yaml names. `secret` follows a reference to one secret or several, blanks between.

    It raises NotifyFailed for a reference that leads nowhere.
    """

    def __init__(self, secret: Callable[[str], Awaitable[str]]) -> None:
        self._secret = secret
        self._clients: dict[bool, httpx.AsyncClient] = {}

    async def post(
        self, address: str, references: Sequence[str], message: Message, now: datetime, *, allow_loopback: bool
    ) -> None:
        """Post one message, signed with each secret; raise NotifyFailed. The answer's body is not read."""
        url = address if "://" in address else await self._secret(address)
        body = json.dumps(message.body, ensure_ascii=False, separators=(",", ":")).encode()
        headers = _HEADERS | signed_headers(message.id, now, body, await self._secrets(references))
        try:
            async with asyncio.timeout(_WHOLE_SECONDS):
                async with self._client(allow_loopback=allow_loopback).stream(
                    "POST", url, content=body, headers=headers
                ) as answer:
                    _check(answer)
        except TimeoutError:
            raise NotifyFailed(f"there was no answer in {_WHOLE_SECONDS:g} s") from None
        except AddressRefused as refused:
            raise NotifyFailed(refused.message, help=refused.help) from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            # The library's own words may quote the address, which may hold a key.
            raise NotifyFailed(f"it was not reached ({type(error).__name__})") from None

    async def aclose(self) -> None:
        """Close every connection."""
        for client in self._clients.values():
            await client.aclose()

    async def _secrets(self, references: Sequence[str]) -> list[bytes]:
        found = []
        for reference in references:
            try:
                found += [secret_bytes(one) for one in (await self._secret(reference)).split()]
            except ValueError as error:
                raise NotifyFailed(f"`{reference}`: {error}", help=SECRET_HELP) from None
        return found

    def _client(self, *, allow_loopback: bool) -> httpx.AsyncClient:
        client = self._clients.get(allow_loopback)
        if client is None:
            limits = httpx.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=5.0)
            client = self._clients[allow_loopback] = httpx.AsyncClient(
                transport=guarded_transport(allow_loopback=allow_loopback, limits=limits),
                trust_env=False, follow_redirects=False, timeout=httpx.Timeout(_WHOLE_SECONDS, connect=5.0),
            )  # fmt: skip
        return client


SECRET_HELP: Final = "export CRM_HOOK_SECRET=whsec_$(openssl rand -base64 32)"  # noqa: S105 a line to paste


def _check(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    headers = {name.lower(): value for name, value in answer.headers.items()}
    raise NotifyFailed(
        f"it answered {answer.status_code}",
        retry_after=retry_after(headers),
        is_final=answer.status_code == _GONE,
    )
