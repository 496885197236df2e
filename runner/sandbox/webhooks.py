"""What the providers tell the outside: webhooks, signed, in order per call, repeated when not taken, to this machine."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import Any, Literal

import httpx

from runner.sandbox.agenda import Agenda
from runner.sandbox.chance import draw
from runner.sandbox.clock import SandboxClock
from runner.sandbox.settings import Mischief, Settings, Target
from runner.sandbox.signatures import Signer
from runner.sandbox.switches import ASSUMED_WAITS
from runner.sandbox.wire import to_json

WAITS: Mapping[str, tuple[float, ...]] = {
    "revring": (60.0, 300.0, 1800.0),
    "movoice": (30.0, 300.0, 1800.0, 7200.0),
}
"""documented seconds before each repetition"""

_AT_ONCE = 32
_GIVE_UP_SECONDS = 10.0
_PATIENCE = {"timeout": httpx.Timeout(_GIVE_UP_SECONDS).as_dict()}


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
    held: Literal["", "reordered", "late"] = ""
    """kept back: until the call's next webhook was told, or for a delay"""
    overtaken: Delivery | None = None
    """goes out as soon as this one was tried"""


class Webhooks:
    """Sends each provider's webhooks to its target; ``close`` drops what is on its way."""

    def __init__(self, settings: Settings, clock: SandboxClock, agenda: Agenda) -> None:
        self._settings = settings
        self._clock = clock
        self._agenda = agenda
        self._targets = dict(settings.webhooks)
        self._mischief = settings.mischief
        self._tasks: set[asyncio.Task[None]] = set()
        self._client: httpx.AsyncClient | None = None
        self.network: httpx.AsyncBaseTransport | None = None
        """carries webhooks in place of real connections"""
        # one httpx pool walks its whole queue at every release, so that the queue must stand outside of it
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._count = 0
        self._requests = 0

    @property
    def is_quiet(self) -> bool:
        """Whether no webhook is under way; one that waits to be repeated stands in the agenda."""
        return not self._tasks

    def aim(self, targets: Mapping[str, Target]) -> None:
        """Send webhooks to these targets from now on, and to no others."""
        self._targets = dict(targets)

    def upset(self, mischief: Mischief) -> None:
        """Let this go wrong with webhooks from now on."""
        self._mischief = mischief

    def comes_early(self) -> bool:
        """Say whether the next request is answered only after its webhook, and count it."""
        self._requests += 1
        return draw(self._settings.seed, "early", self._requests) < self._mischief.early

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
        delivery = self._new(provider, to_json(body), once=once, sign=sign, after=after)
        if self._is_lost(delivery):
            delivery.status = "sent"
            delivery.tried.set()
        elif self._befalls("reordered", delivery):
            self._hold(delivery, "reordered")
        elif self._befalls("late", delivery):
            self._hold(delivery, "late")
        else:
            self._launch(delivery)
        if delivery.status == "pending" and self._befalls("duplicated", delivery):
            self._launch(self._new(provider, delivery.raw, once=once, sign=sign, after=delivery))
        return delivery

    def clear(self) -> None:
        """Drop every webhook that is on its way, aim as at the start, and count anew."""
        for task in self._tasks:
            task.cancel()
        self._targets = dict(self._settings.webhooks)
        self._mischief = self._settings.mischief
        self._count = self._requests = 0

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

    def _new(self, provider: str, raw: bytes, *, once: bool, sign: Signer | None, after: Delivery | None) -> Delivery:
        self._count += 1
        delivery = Delivery(
            provider=provider,
            number=self._count,
            raw=raw,
            once=once,
            sign=sign,
            after=after.tried if after and not after.held else None,
        )
        if after is not None and after.held == "reordered":
            delivery.overtaken = after
        return delivery

    def _is_lost(self, delivery: Delivery) -> bool:
        arrives = draw(self._settings.seed, "webhook", delivery.provider, delivery.number)
        return arrives >= self._settings.webhook_share or self._befalls("lost", delivery)

    def _befalls(self, what: Literal["duplicated", "reordered", "late", "lost"], delivery: Delivery) -> bool:
        share: float = getattr(self._mischief, what)
        return draw(self._settings.seed, what, delivery.provider, delivery.number) < share

    def _hold(self, delivery: Delivery, how: Literal["reordered", "late"]) -> None:
        """Keep a webhook back until the next one of its call was told, or for the delay alone."""
        delivery.held = how
        at = self._clock.now() + timedelta(seconds=self._mischief.late_seconds)
        self._agenda.add(at, lambda: self._let_go(delivery), far=True)

    def _let_go(self, delivery: Delivery) -> None:
        if delivery.held:
            delivery.held = ""
            self._launch(delivery)

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
            if delivery.overtaken is not None:
                self._let_go(delivery.overtaken)
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
        if delivery.sign is not None:
            headers.update(delivery.sign(target.secret, delivery.raw, self._clock.now()))
        try:
            return (await self._post(target.url, delivery.raw, headers)).is_success
        except (httpx.HTTPError, httpx.InvalidURL):
            return False

    async def _post(self, url: str, raw: bytes, headers: Mapping[str, str]) -> httpx.Response:
        if self.network is not None:  # there is nothing on the way for which a client would be needed
            request = httpx.Request("POST", _url(url), content=raw, headers=headers, extensions=_PATIENCE)
            return await self.network.handle_async_request(request)
        if self._client is None:
            # the target is this machine: a proxy or a redirect could lead away from it
            self._client = httpx.AsyncClient(
                trust_env=False,
                follow_redirects=False,
                timeout=_GIVE_UP_SECONDS,
                verify=False,  # noqa: S501  no authority vouches for a loopback address
            )
        return await self._client.post(url, content=raw, headers=headers)

    def _wait_before_next(self, delivery: Delivery) -> timedelta | None:
        """Give how long to wait for the next try; None when there is none."""
        waits = _waits(self._settings, delivery.provider)[: self._settings.webhook_retries]
        if delivery.once or delivery.attempts > len(waits):
            return None
        return timedelta(seconds=waits[delivery.attempts - 1] * self._settings.webhook_retry_scale)


@lru_cache(maxsize=16)
def _url(text: str) -> httpx.URL:
    """Take an address apart: there are few, and each is posted to very often."""
    return httpx.URL(text)


def _waits(settings: Settings, provider: str) -> tuple[float, ...]:
    """Give the seconds before each repetition: as documented, else as switched, else as assumed."""
    if provider == "revmo":
        return settings.revmo.webhook_waits
    if provider == "revox":
        return settings.revox.webhook_waits
    return WAITS.get(provider, ASSUMED_WAITS)
