"""The breakers of all accounts: kept in the ledger, told how each send ended, asked before anything is claimed."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

from runner.engine.accounts import Accounts
from runner.engine.journal import Journal
from runner.errors import CredentialMissing, InDoubt, NotFound, NotSent, Rejected, SendError, Throttled
from runner.ports import Clock, Ledger, Transport
from runner.ports.telemetry import named
from runner.rules.breaker import (
    Breaker,
    BreakerState,
    after_read,
    as_time_passes,
    begin_read,
    begin_trial,
    read_at_once,
    read_is_due,
    recovered,
    trial_dropped,
)
from runner.rules.health import AccountHealth, after_send, room_of_account
from runner.rules.limits import Room

log = logging.getLogger(__name__)

_HEALTHY = AccountHealth()


@dataclass(slots=True)
class Breakers:
    """How each account stands. Changed inside the ledger's transactions alone."""

    _health: dict[str, AccountHealth] = field(default_factory=dict)

    def is_open(self, account: str) -> bool:
        """Whether calls are better sent through another account."""
        return self.of(account).breaker.is_open

    @property
    def any_open(self) -> bool:
        """Whether calls are better not sent through some account."""
        return any(health.breaker.is_open for health in self._health.values())

    def of(self, account: str) -> AccountHealth:
        """Give how an account stands."""
        return self._health.get(account, _HEALTHY)

    def room(self, account: str, now: datetime) -> Room:
        """Say how many requests may leave through an account now, besides its limits."""
        return room_of_account(self.of(account), now)

    def begin(self, ledger: Ledger, now: datetime) -> None:
        """Take up where the last run ended."""
        self._health = ledger.lanes.health()
        for account, health in list(self._health.items()):
            self._put(ledger, account, replace(health, breaker=recovered(health.breaker, now)), now)

    def sent(self, ledger: Ledger, account: str, attempt: int, error: SendError | None, now: datetime) -> None:
        """Take in how a send ended; `error` is None when the provider took it."""
        self._heed(ledger)
        self._put(ledger, account, after_send(self.of(account), attempt, error, now), now)

    def claimed(self, ledger: Ledger, account: str, attempt: int, now: datetime) -> None:
        """Note the attempt that tries out an account, where one does."""
        self._change(ledger, account, lambda breaker: begin_trial(breaker, attempt, now), now)

    def not_sent(self, ledger: Ledger, account: str, attempt: int, now: datetime) -> None:
        """Note that a claimed attempt was not sent after all."""
        self._change(ledger, account, lambda breaker: trial_dropped(breaker, attempt), now)

    def to_read(self, ledger: Ledger, now: datetime) -> list[str]:
        """Give the accounts whose provider is to be read now; each is given once."""
        due = []
        self._heed(ledger)
        for account in sorted(self._health):
            self._change(ledger, account, lambda breaker: as_time_passes(breaker, now), now)
            if read_is_due(self.of(account).breaker, now):
                self._change(ledger, account, lambda breaker: begin_read(breaker, now), now)
                due.append(account)
        return due

    def next_at(self, now: datetime) -> datetime | None:
        """Give when time alone changes how an account stands."""
        times = (health.breaker.retry_at for health in self._health.values())
        return min((at for at in times if at is not None and at > now), default=None)

    def read(self, ledger: Ledger, account: str, *, answered: bool, now: datetime) -> None:
        """Take in whether a provider answered."""
        self._change(ledger, account, lambda breaker: after_read(breaker, answered=answered, now=now), now)

    def _heed(self, ledger: Ledger) -> None:
        """Take up where a person asked, through the ledger, for a provider to be read at once."""
        if not self.any_open:
            return
        for account, told in ledger.lanes.health().items():
            known = self.of(account)
            at = told.breaker.retry_at
            if known.breaker.state is told.breaker.state is BreakerState.OPEN and at is not None:
                self._health[account] = replace(known, breaker=read_at_once(known.breaker, at))

    def _change(self, ledger: Ledger, account: str, change: Callable[[Breaker], Breaker], now: datetime) -> None:
        health = self.of(account)
        self._put(ledger, account, replace(health, breaker=change(health.breaker)), now)

    def _put(self, ledger: Ledger, account: str, health: AccountHealth, now: datetime) -> None:
        before = self.of(account)
        if health == before:
            return
        self._health[account] = health
        ledger.lanes.put_health(account, health)
        if health.breaker.state is not before.breaker.state:
            self._tell(ledger, account, health.breaker, now)

    @staticmethod
    def _tell(ledger: Ledger, account: str, breaker: Breaker, now: datetime) -> None:
        """Write a change of state into the events, and say it where it matters."""
        ledger.letters.note(now, None, "breaker", account=account, state=breaker.state.value, reason=breaker.reason)
        if breaker.state is BreakerState.OPEN and breaker.since == now:
            sentence = "account %s: %s; nothing is sent through it until it answers again"
            log.warning(sentence, account, breaker.reason, extra=named("breaker_open", account=account))
        elif breaker.state is BreakerState.CLOSED:
            log.warning("account %s: it takes calls again", account, extra=named("breaker_closed", account=account))


@dataclass(frozen=True, slots=True)
class Probe:
    """Reads a provider whose breaker is open: the cheapest request that it answers, never a call."""

    journal: Journal
    accounts: Accounts
    transport: Transport
    clock: Clock
    breakers: Breakers
    woken: Callable[[], None]

    async def read(self, name: str) -> None:
        """Read an account's provider once and take in whether it answered."""
        answered = await self._answers(name)
        now = self.clock.now()
        await self.journal.run(lambda ledger: self.breakers.read(ledger, name, answered=answered, now=now))
        self.woken()

    async def _answers(self, name: str) -> bool:
        """Whether the provider answers; where nothing can be read, one call has to tell."""
        try:
            provider, account = self.accounts.provider(name), self.accounts.account(name)
            request = provider.credential_check()
            if request is None:
                return True
            provider.read_credential_check(await self.transport.send(account, request))
        except (NotSent, InDoubt, Throttled):
            return False
        except (Rejected, CredentialMissing, NotFound):
            return True  # the provider is there: what is wrong with the account, the next call says
        return True
