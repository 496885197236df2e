"""HTTP connections with a deadline: a sender that hands over a request too slowly is cut off, whatever it asks for."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

SEND_SECONDS = 10.0
"""how long the head of a request may take, and what nobody reads of its body"""

_UNFINISHED = (h11.IDLE, h11.SEND_BODY)


class DeadlineProtocol(H11Protocol):
    """Closes a connection on which no whole request has arrived in time.

    The server's own limit counts only while a connection is silent, so one byte now and then would
    keep it open for good. The body of a request that is being answered has the app's own deadline.
    """

    _due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock for the first request."""
        super().connection_made(transport)
        self._start_clock()

    def data_received(self, data: bytes) -> None:
        """Take in bytes; the clock runs from the first byte of a request to its last."""
        super().data_received(data)
        if self.conn.their_state not in _UNFINISHED:
            self._stop_clock()
        elif self._due is None:
            self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def _start_clock(self) -> None:
        self._due = self.loop.call_later(SEND_SECONDS, self._overdue)

    def _stop_clock(self) -> None:
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _overdue(self) -> None:
        self._due = None
        cycle: Any = self.cycle
        if self.conn.their_state not in _UNFINISHED:
            return
        if cycle is not None and not cycle.response_complete:
            self._start_clock()
        else:
            self.transport.close()
