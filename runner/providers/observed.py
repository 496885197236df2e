"""A transport that tells of each request: how long it took and how it ended, nothing of what it said."""

from __future__ import annotations

from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.ports import Transport
from runner.ports.telemetry import Telemetry


class ObservedTransport:
    """Implements the port `Transport` by another one."""

    def __init__(self, transport: Transport, telemetry: Telemetry) -> None:
        self._transport = transport
        self._telemetry = telemetry

    async def send(self, account: Account, request: Request) -> Reply:
        """Send one request, once, as the other transport does."""
        kind = "read" if request.method == "GET" or request.reads else "send"
        facts = {"account": account.name, "provider": account.provider, "method": request.method, "kind": kind}
        with self._telemetry.span("request", **facts) as span:
            reply = await self._transport.send(account, request)
            span.note(status=reply.status)
        return reply
