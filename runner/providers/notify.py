"""Sends notifications to the targets that outreach.yaml names, each in its own way."""

from __future__ import annotations

import asyncio
import difflib
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Final

from runner.errors import CredentialMissing, NotifyFailed
from runner.model.notification import Notification, NotifyTarget
from runner.providers.notify_apprise import Chat
from runner.providers.notify_webhook import Webhooks
from runner.rules.notify import message_of

_KEPT_SECONDS: Final = 60.0


class Targets:
    """Implements the port `Notifier`. `secrets` follows a reference to one value or several, blanks between."""

    def __init__(self, targets: Mapping[str, NotifyTarget], secrets: Callable[[str], str]) -> None:
        self._targets = targets
        follow = _Kept(secrets)
        self._webhooks = Webhooks(follow)
        self._chat = Chat(follow)

    def names(self) -> Collection[str]:
        """Give the targets that it knows."""
        return self._targets.keys()

    async def send(self, this: Notification, now: datetime) -> None:
        """Send one notification, once, within a bounded time; raise NotifyFailed."""
        target = self._targets.get(this.target)
        if target is None:
            near = difflib.get_close_matches(this.target, self._targets, n=1)
            advice = f"did you mean `{near[0]}`?" if near else "name it in outreach.yaml and start again"
            raise NotifyFailed(f"outreach.yaml had no target `{this.target}` when this run began", help=advice)
        message = message_of(this, personal=target.personal)
        if target.webhook is not None:
            await self._webhooks.post(target.webhook, target.secret, message, now, allow_loopback=target.allow_loopback)
        elif target.apprise is not None:
            await self._chat.post(target.apprise, message)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._webhooks.aclose()


class _Kept:
    """Follows references off the event loop, since some run a command, and keeps what was found for a minute."""

    def __init__(self, secrets: Callable[[str], str]) -> None:
        self._secrets = secrets
        self._found: dict[str, tuple[float, str]] = {}

    async def __call__(self, reference: str) -> str:
        now = asyncio.get_running_loop().time()
        until, value = self._found.get(reference, (now, ""))
        if now < until:
            return value
        try:
            value = await asyncio.to_thread(self._secrets, reference)
        except CredentialMissing as missing:
            raise NotifyFailed(missing.message, help=missing.help) from None
        self._found[reference] = (now + _KEPT_SECONDS, value)
        return value
