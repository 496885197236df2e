"""How the engine meets the machine: network, clock, alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from runner.model.project import Account
from runner.model.request import Reply, Request


class Transport(Protocol):
    """Sends requests over the network."""

    async def send(self, account: Account, request: Request) -> Reply:
        """Send one request, once, with the account's credential; raise NotSent or InDoubt.

        Never retries, never follows a redirect.
        """
        ...


class Clock(Protocol):
    """The only source of the present."""

    def now(self) -> datetime:
        """Give the present instant, aware and UTC."""
        ...

    def boottime(self) -> float:
        """Give seconds that only grow and go on while the machine sleeps; nobody sets them."""
        ...


class Alarm(Protocol):
    """Wakes the dispatcher; decides nothing."""

    def set(self, at: datetime) -> None:
        """Wake at this instant of the clock, at once if it has passed; an earlier alarm stays."""
        ...
