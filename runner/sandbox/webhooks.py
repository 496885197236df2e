"""What the providers tell the outside: webhooks, signed, in order per call, repeated when not taken, to this machine."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Literal

import httpx

from runner.sandbox.agenda import Agenda
from runner.sandbox.clock import SandboxClock
from runner.sandbox.people import draw
from runner.sandbox.settings import Settings, Target
from runner.sandbox.wire import to_json, unix

Signer = Callable[[str, bytes, datetime], Mapping[str, str]]
"""secret, raw body and present instant give the headers that prove a webhook"""

WAITS: Mapping[str, tuple[float, ...]] = {
    "revmo": (30.0, 300.0),  # assumed
    "revring": (60.0, 300.0, 1800.0),
    "revox": (30.0, 300.0),  # assumed
    "movoice": (30.0, 300.0, 1800.0, 7200.0),
}
"""documented seconds before each repetition"""

_AT_ONCE = 32
_GIVE_UP_SECONDS = 10.0


def sign_revring(secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:
    """Sign as RevRing documents it: hex HMAC-SHA256 over timestamp, a dot, and the raw body."""
    timestamp = str(unix(now))
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + raw, sha256).hexdigest()
    return {"X-RevRing-Timestamp": timestamp, "X-RevRing-Signature": f"v1={mac}"}


def sign_movoice(secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:  # noqa: ARG001  it has no timestamp
    """Sign in the way that is assumed for Movoice: hex HMAC-SHA256 over the raw body."""
    return {"X-Movoice-Signature": hmac.new(secret.encode(), raw, sha256).hexdigest()}


@dataclass(slots=True, kw_only=True, eq=False)
class Delivery:
    """One webhook on its way."""

    provider: str
    number: int
    raw: bytes
    once: bool
    """never repeated"""
    sign: Signer | None
    after: asyncio.Event | None
    """set when the call's webhook before it was tried"""
    tried: asyncio.Event = field(default_factory=asyncio.Event)
    attempts: int = 0
    status: Literal["pending", "sent", "retrying", "failed"] = "pending"


class Webhooks:
    """Sends each provider's webhooks to its target; ``close`` drops what is on its way."""

    def __init__(self, settings: Settings, clock: SandboxClock, agenda: Agenda) -> None:
        self._settings = settings
        self._clock = clock
        self._agenda = agenda
        self._targets = dict(settings.webhooks)
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        # one httpx pool walks its whole queue at every release, so that the queue must stand outside of it
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._count = 0

    @property
    def is_quiet(self) -> bool:
        """Whether no webhook is under way; one that waits to be repeated stands in the agenda."""
        return not self._tasks

    def aim(self, targets: Mapping[str, Target]) -> None:
        """Send webhooks to these targets from now on, and to no others."""
        self._targets = dict(targets)

    def post(
        self,
        provider: str,
        body: Mapping[str, Any],
        *,
        after: Delivery | None,
        once: bool = False,
        sign: Signer | None = None,
    ) -> Delivery | None:
        """Send a webhook, tried no sooner than the one before it; None when the provider has no target.

        A webhook of the lost share counts as sent, as its provider would believe.
        """
        if provider not in self._targets:
            return None
        self._count += 1
        delivery = Delivery(
            provider=provider,
            number=self._count,
            raw=to_json(body),
            once=once,
            sign=sign,
            after=after.tried if after else None,
        )
        if draw(self._settings.seed, "webhook", provider, delivery.number) >= self._settings.webhook_share:
            delivery.status = "sent"
            delivery.tried.set()
        else:
            self._launch(delivery)
        return delivery

    def clear(self) -> None:
        """Drop every webhook that is on its way and aim as at the start."""
        for task in self._tasks:
            task.cancel()
        self._targets = dict(self._settings.webhooks)
        self._count = 0

    async def close(self) -> None:
        """Drop every webhook that is on its way and close the connections."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        for task in tasks:
            with suppress(asyncio.CancelledError):
                await task
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _launch(self, delivery: Delivery) -> None:
        task = asyncio.get_running_loop().create_task(self._deliver(delivery))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver(self, delivery: Delivery) -> None:
        if delivery.after is not None:
            await delivery.after.wait()
        try:
            async with self._turns:
                taken = await self._try(delivery)
        finally:
            delivery.tried.set()
        wait = self._wait_before_next(delivery)
        if taken:
            delivery.status = "sent"
        elif wait is None:
            delivery.status = "failed"
        else:
            delivery.status = "retrying"
            self._agenda.add(self._clock.now() + wait, lambda: self._launch(delivery), far=True)

    async def _try(self, delivery: Delivery) -> bool:
        """Send it once and say whether it was taken."""
        target = self._targets.get(delivery.provider)
        if target is None:
            return False
        delivery.attempts += 1
        headers = {"Content-Type": "application/json"}
        if delivery.sign is not None and target.secret:
            headers.update(delivery.sign(target.secret, delivery.raw, self._clock.now()))
        if self._client is None:
            # the target is this machine: a proxy or a redirect could lead away from it
            self._client = httpx.AsyncClient(
                trust_env=False,
                follow_redirects=False,
                timeout=_GIVE_UP_SECONDS,
                verify=False,  # noqa: S501  no authority vouches for a loopback address
            )
        try:
            reply = await self._client.post(target.url, content=delivery.raw, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        return reply.is_success

    def _wait_before_next(self, delivery: Delivery) -> timedelta | None:
        """Give how long to wait for the next try; None when there is none."""
        waits = WAITS[delivery.provider][: self._settings.webhook_retries]
        if delivery.once or delivery.attempts > len(waits):
            return None
        return timedelta(seconds=waits[delivery.attempts - 1] * self._settings.webhook_retry_scale)
