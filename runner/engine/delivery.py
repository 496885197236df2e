"""Carry out claimed attempts: durable intent first, then one request, then what its answer proves."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from runner.engine.accounts import Accounts
from runner.engine.arrivals import hear_waiting
from runner.engine.journal import Journal
from runner.engine.pace import COUNT_LASTS, Pace
from runner.engine.policies import Policies
from runner.engine.settlement import settle
from runner.errors import CredentialMissing, InDoubt, NotFound, NotSent, OutreachError, Rejected, SendError, Throttled
from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome
from runner.model.request import Receipt
from runner.ports import Clock, Ledger, Transport
from runner.rules.gate import Drop, Go, Wait, may_send

log = logging.getLogger(__name__)

TRANSPORT_TRIES = 12
"""how often one attempt is tried again when it provably was not sent"""
_LONGEST_BACKOFF = timedelta(minutes=15)
_LONGEST_REST = timedelta(seconds=30)
"""how long an account rests that was told to wait, and not how long"""
_MOST_RETRY_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What carrying out attempts needs."""

    journal: Journal
    policies: Policies
    accounts: Accounts
    transport: Transport
    clock: Clock
    woken: Callable[[], None]
    """called when something changed that the dispatcher waits for"""
    pace: Pace = field(default_factory=Pace)
    said: set[str] = field(default_factory=set)
    """the warnings that were given already"""

    def deliver(self, claimed: Sequence[Assignment]) -> Coroutine[Any, Any, None]:
        """Carry out a batch of claimed attempts; every one of them ends in a named state.

        They count as on their way from the call on, not only when the coroutine begins.
        """
        self.pace.took(claimed)
        return self._deliver(claimed)

    async def _deliver(self, claimed: Sequence[Assignment]) -> None:
        intended = await self.journal.run(lambda ledger: self._intend(ledger, claimed))
        leaving = {work.attempt.id for work in intended}
        for work in claimed:
            if work.attempt.id not in leaving:
                self.pace.landed(work)
        # Each writes down its own end, so one that cannot must not leave the others behind unwatched.
        ends = await asyncio.gather(*(self._send(work) for work in intended), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _intend(self, ledger: Ledger, claimed: Sequence[Assignment]) -> list[Assignment]:
        """Write the intents of those that may be sent, in the transaction that read what forbids it."""
        now = self.clock.now()
        going = []
        for work in ledger.assignments([one.attempt.id for one in claimed]):
            if work.attempt.state is not AttemptState.CLAIMED:
                continue
            move = self._judge(work, now)
            if ledger.move([move])[0] and move.new is AttemptState.SENDING:
                going.append(work)
        return going

    def _judge(self, work: Assignment, now: datetime) -> Move:
        attempt = work.attempt
        if work.is_paused:
            return self._back(work, now, attempt.due_at, "the campaign is paused")
        verdict = may_send(self.policies.of(attempt.campaign), attempt.zones, now, work.suppression)
        match verdict:
            case Go():
                return Move(
                    attempt_id=attempt.id, old=attempt.state, new=AttemptState.SENDING, at=now, sent_at=now,
                    contact=ContactState.CALLING,
                )  # fmt: skip
            case Wait(until, why):
                return self._back(work, now, until, why)
            case Drop(state, why):
                suppressed = state is AttemptState.SUPPRESSED
                contact = ContactState.SUPPRESSED if suppressed else ContactState.FAILED
                return Move(attempt_id=attempt.id, old=attempt.state, new=state, at=now, contact=contact, reason=why)

    async def count_lines(self, name: str) -> None:
        """Ask how many lines an account has free; nothing starts while nobody says."""
        account, available = self.accounts.account(name), None
        self.pace.begin_count(name)
        try:
            lines = self.accounts.lines()[name]
            available = lines.read(await self.transport.send(account, lines.request()))
        except OutreachError as error:
            self._say(f"account {name}: {error.message}; no call starts until its free lines are known")
        finally:
            self.pace.end_count(name, available, account.spare_lines or 0, self.clock.now())
        self.woken()

    async def _send(self, work: Assignment) -> None:
        """Send one attempt whose intent is durable, and write down what came of it."""
        try:
            await self._send_counted(work)
        finally:
            self.pace.landed(work)
        self.woken()

    async def _send_counted(self, work: Assignment) -> None:
        attempt = work.attempt
        agent = self.policies.agent_of(attempt.campaign, attempt.step)
        in_body = agent is None or agent.reference == "metadata"
        try:
            provider = self.accounts.provider(attempt.account)
            request = provider.stamp(work.request, attempt.key, in_body=in_body)
            receipt = provider.read_receipt(await self.transport.send(self.accounts.account(attempt.account), request))
        except SendError as error:
            await self._not_accepted(work, error)
        except (CredentialMissing, NotFound) as error:  # raised before anything is sent
            await self._not_accepted(work, Rejected(error.message, pause=True))
        except Exception as error:  # whatever it was, the request may have left
            log.exception("attempt %s: unexpected failure while sending", attempt.key)
            await self._not_accepted(work, InDoubt(f"unexpected failure: {type(error).__name__}"))
        else:
            await self._accepted(work, receipt)

    async def _accepted(self, work: Assignment, receipt: Receipt) -> None:
        attempt = work.attempt
        account = self.accounts.account(attempt.account)
        now = self.clock.now()
        poll_at = now + account.poll[0]
        if receipt.is_queued:  # what may still wait when the window shuts is called off then
            poll_at = min(poll_at, self.policies.of(attempt.campaign).shuts_at(attempt.zones, now) or poll_at)
        accepted = Move(
            attempt_id=attempt.id, old=AttemptState.SENDING, new=AttemptState.ACCEPTED, at=now,
            provider_id=receipt.provider_id, poll_at=poll_at,
        )  # fmt: skip

        def write(ledger: Ledger) -> None:
            known = ledger.find(account.name, receipt.provider_id, "")
            if known is not None and known.attempt.id != attempt.id:
                # Some ids name a thread, not a text. It was accepted all the same; only its key can tell it apart.
                reason = f"the provider gave the id of another attempt: {receipt.provider_id}"
                ledger.move([replace(accepted, provider_id="", reason=reason)])
            elif ledger.move([accepted])[0]:
                hear_waiting(ledger, self.policies, self.accounts.provider(account.name), attempt.id, now)
            if receipt.remaining == 0:
                self._pause_callers(ledger, attempt, "no calls remain", now)
            if not self.accounts.can_follow(attempt.account):
                self._finish_unfollowed(ledger, attempt.id)

        await self.journal.run(write)

    def _pause_callers(self, ledger: Ledger, attempt: Attempt, why: str, now: datetime) -> None:
        """Pause an attempt's campaign and every other one that places calls and pays with the same account."""
        for name in {attempt.campaign, *self.policies.active}:
            calls = any(step.channel == "call" for step in self.policies.of(name).campaign.steps)
            if name == attempt.campaign or (calls and attempt.account in self.policies.accounts_of(name)):
                ledger.pause(name, f"account {attempt.account}: {why}", now)

    def _finish_unfollowed(self, ledger: Ledger, attempt_id: int) -> None:
        """End an attempt whose provider can neither be asked nor tells."""
        work = ledger.assignments([attempt_id])[0]
        if work.attempt.state is AttemptState.ACCEPTED:
            words = {"note": "the provider has no way to say how it ended"}
            ledger.move([self._settled(ledger, work, Observation(outcome=Outcome.UNKNOWN, words=words))])

    async def _not_accepted(self, work: Assignment, error: SendError) -> None:
        now = self.clock.now()
        if isinstance(error, Throttled):  # before its place is free for somebody else
            wait = _wait(error, work.attempt.transport_tries + 1)
            self.pace.rest(work.attempt.account, now + (wait if error.retry_after else min(wait, _LONGEST_REST)))

        def write(ledger: Ledger) -> None:
            current = ledger.assignments([work.attempt.id])[0]
            if current.attempt.state is AttemptState.SENDING:  # else its webhook was faster, and is proof
                ledger.move([self._after_error(ledger, current, error, now)])
            if isinstance(error, Rejected) and error.pause:
                reason = f"account {work.attempt.account}: {error.message}"
                ledger.pause(work.attempt.campaign, reason, now)

        await self.journal.run(write)

    def _after_error(self, ledger: Ledger, work: Assignment, error: SendError, now: datetime) -> Move:
        """Give the move that an error's proof allows: only what provably was not sent is sent again."""
        attempt, tries = work.attempt, work.attempt.transport_tries + 1
        if isinstance(error, Rejected) and error.pause:
            return self._back(work, now, now, error.message)
        if isinstance(error, Rejected):
            outcome = Outcome(error.outcome)
            seen = Observation(outcome=outcome, words={"error": error.message})
            if outcome is Outcome.OPTED_OUT:
                ledger.suppress(attempt.phone, "opted out", f"provider of account {attempt.account}", now)
            settled = self._settled(ledger, work, seen)
            # The outcome alone would not say what the provider did not like.
            then = "" if settled.reason == outcome else f"; {settled.reason}"
            return replace(settled, reason=error.message + then)
        if isinstance(error, Throttled):
            return self._later(ledger, work, error, now, now + _wait(error, tries))
        if isinstance(error, NotSent):
            return self._later(ledger, work, error, now, now + _backoff(tries))
        settle_after = self.accounts.account(attempt.account).settle_after
        return Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.IN_DOUBT, at=now, reason=error.message,
            poll_at=now + settle_after,
        )  # fmt: skip

    def _later(
        self, ledger: Ledger, work: Assignment, error: NotSent | Throttled, now: datetime, due_at: datetime
    ) -> Move:
        """Put an attempt back in line, and pause its campaign when that has helped too often: nobody is given up for it."""
        tries = work.attempt.transport_tries + 1
        if isinstance(error, Throttled) and error.is_busy:
            tries = work.attempt.transport_tries
        elif tries >= TRANSPORT_TRIES:
            reason = f"account {work.attempt.account}: {error.message}, {tries} times in a row"
            ledger.pause(work.attempt.campaign, reason, now)
            tries = 0
        self._warn(work, error)
        return self._back(work, now, due_at, error.message, tries=tries, unsent=isinstance(error, NotSent))

    def _warn(self, work: Assignment, error: SendError) -> None:
        """Say once for each account and cause that it cannot be reached."""
        self._say(f"account {work.attempt.account}: {error.message}; it is tried again")

    def _say(self, sentence: str) -> None:
        if sentence not in self.said:
            self.said.add(sentence)
            log.warning("%s", sentence)

    def _back(
        self,
        work: Assignment,
        now: datetime,
        due_at: datetime,
        why: str,
        *,
        tries: int | None = None,
        unsent: bool = False,
    ) -> Move:
        """Put an attempt that provably was not placed back in line."""
        attempt = work.attempt
        first_step = self.policies.of(attempt.campaign).campaign.steps[0].label
        untouched = attempt.number == 1 and attempt.step == first_step
        return Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.PLANNED, at=now, due_at=due_at, reason=why,
            contact=ContactState.PENDING if untouched else ContactState.RETRY, transport_tries=tries, unsent=unsent,
        )  # fmt: skip

    def _settled(self, ledger: Ledger, work: Assignment, seen: Observation) -> Move:
        policy = self.policies.of(work.attempt.campaign)
        return settle(policy, work, seen, ledger.history(work.attempt.contact_id), self.clock.now())


def _wait(error: Throttled, tries: int) -> timedelta:
    """Give how long an account waits that was told to: as long as it was told, else longer from time to time."""
    if error.retry_after:
        return _told(error.retry_after)
    return COUNT_LASTS if error.is_busy else _backoff(tries)


def _told(seconds: float) -> timedelta:
    """Give the wait that a provider asks for, within reason."""
    return timedelta(seconds=min(max(seconds, 1.0), _MOST_RETRY_AFTER.total_seconds()))


def _backoff(tries: int) -> timedelta:
    return min(timedelta(seconds=2.0**tries), _LONGEST_BACKOFF)
