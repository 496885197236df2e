"""How notifications meet the ledger that holds them and the network that takes them."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from runner.model.notification import Notification, Settled


class OutboxLedger(Protocol):
    """What waits to be told. Each method is one durable transaction, or a part of the one that is open."""

    def note_finished(self, now: datetime) -> int:
        """Put a notification into the outbox for each campaign that has finished since; give how many."""
        ...

    def targets(self) -> list[str]:
        """Give the targets for which something waits."""
        ...

    def due(self, target: str, now: datetime, count: int) -> list[Notification]:
        """Give up to `count` notifications of a target whose time has come, the earliest first."""
        ...

    def settle(self, results: Iterable[Settled]) -> None:
        """Write down what became of tries."""
        ...

    def trim(self, now: datetime) -> int:
        """Give up what is too old or too many and forget what is long settled; give how many were given up."""
        ...

    def withhold(self, now: datetime) -> dict[str, int]:
        """Have nothing that waits ever be sent; give how many of each target."""
        ...


class Notifier(Protocol):
    """Sends notifications to their targets."""

    def names(self) -> Collection[str]:
        """Give the targets that it knows."""
        ...

    async def send(self, this: Notification, now: datetime) -> None:
        """Send one notification, once, within a bounded time; raise NotifyFailed."""
        ...
