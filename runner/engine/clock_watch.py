"""Watch the clock that windows are kept by: was it set, and do the providers' answers agree with it."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner.engine.tenure import Tenure
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.ports import Clock, Transport
from runner.rules.clocks import Reading, in_words, skew_of, stepped


class ClockWatch:
    """Compares the clock with one that nobody sets and, with `hears_replies`, with what providers say."""

    def __init__(self, clock: Clock, *, hears_replies: bool = False) -> None:
        self.clock = clock
        self.hears_replies = hears_replies
        self.skew = ""
        """what a provider's answer said against the clock; empty while none did"""
        self._last = self._read()

    def step(self) -> timedelta:
        """Give by how much the clock was set since the last `take`; back is negative, 0 when it was not."""
        return stepped(self._last, self._read())

    def take(self) -> timedelta:
        """Give the same, and go on from how the clock stands now."""
        reading = self._read()
        step = stepped(self._last, reading)
        self._last = reading
        return step

    def hear(self, account: Account, reply: Reply, asked: datetime, answered: datetime) -> None:
        """Take in the time in a provider's answer; one from a store on the way tells an older time."""
        if not self.hears_replies or reply.headers.get("age", "0").strip() != "0":
            return
        skew = skew_of(reply.headers.get("date", ""), asked, answered)
        if skew is None:
            return
        which = "behind" if skew > timedelta(0) else "ahead of"
        self.skew = f"account {account.name}: this machine's clock is {in_words(skew)} {which} the provider's"

    def _read(self) -> Reading:
        before = self.clock.boottime()
        wall = self.clock.now()
        return Reading(wall=wall, boot=before, took=self.clock.boottime() - before)


class WatchedTransport:
    """A transport that sends nothing but look-ups when the ledger may be another runner's, and hears the time."""

    def __init__(self, transport: Transport, tenure: Tenure, watch: ClockWatch) -> None:
        self._transport = transport
        self._tenure = tenure
        self._watch = watch

    async def send(self, account: Account, request: Request) -> Reply:
        """Send one request, once; raise TooLate, a NotSent, when it must not leave any more."""
        if request.method != "GET" and not request.reads:
            self._tenure.check_sending()
        asked = self._watch.clock.now()
        reply = await self._transport.send(account, request)
        self._watch.hear(account, reply, asked, self._watch.clock.now())
        return reply
