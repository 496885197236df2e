"""RevRing's webhook signing secret: made, rotated and removed by request, or the one of the sandbox's settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox.signatures import sign_revring
from runner.sandbox.wire import Json
from runner.sandbox.world import World

_ROTATES_WITHIN = timedelta(minutes=1)


class SigningSecret:
    """The one secret of an organization; a new one is live a minute after it was made, the first one at once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._touched = False
        self._secret = ""
        self._before = ""
        self._live_at: datetime | None = None

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/webhooks/signing-secret", self._make, methods=["POST"]),
            Route("/webhooks/signing-secret", self._show, methods=["GET"]),
            Route("/webhooks/signing-secret", self._remove, methods=["DELETE"]),
        ]

    def forget(self) -> None:
        """Sign with the target's secret again."""
        self._touched, self._secret, self._before, self._live_at = False, "", "", None

    def sign(self, target_secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:
        """Sign a webhook; nothing is signed without a secret."""
        secret = target_secret
        if self._touched:
            is_live = self._live_at is None or now >= self._live_at
            secret = self._secret if is_live else self._before
        return sign_revring(secret, raw, now) if secret else {}

    async def _make(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        first = not (self._touched and self._secret)
        self._before = self._secret
        self._secret = f"whsec_{self._world.new_id('secret')}"
        self._live_at = None if first else self._world.clock.now() + _ROTATES_WITHIN
        self._touched = True
        return Json({"data": {"secret": self._secret, **self._state()}}, 201)

    async def _show(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        return Json({"data": self._state()})

    async def _remove(self, request: Request) -> Response:  # noqa: ARG002  the framework hands it over
        self.forget()
        self._touched = True
        return Json({"data": self._state()})

    def _state(self) -> dict[str, Any]:
        return {"enabled": bool(self._secret), "last4": self._secret[-4:] or None}
