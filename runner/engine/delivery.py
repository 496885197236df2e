"""Carry out claimed attempts: durable intent first, then one request, then what its answer proves."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from runner.engine.accounts import Accounts
from runner.engine.arrivals import hear_waiting
from runner.engine.clock_watch import ClockWatch
from runner.engine.dealings import dealings_with
from runner.engine.journal import Journal
from runner.engine.lines import COUNT_LASTS, Lines
from runner.engine.meanwhile import over_meanwhile
from runner.engine.pacing import Pacing
from runner.engine.policies import Policies
from runner.engine.settlement import give_up, settle
from runner.engine.stop_file import StopFile
from runner.errors import (
    CredentialMissing,
    InDoubt,
    NotFound,
    NotSent,
    OutreachError,
    Rejected,
    SendError,
    Throttled,
    TooLate,
)
from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.move import ContactState, Move
from runner.model.notification import DOUBT_BUDGET
from runner.model.outcome import Observation, Outcome
from runner.model.request import Receipt
from runner.ports import Clock, Ledger, Transport
from runner.ports.crash_points import CrashPoint, reached
from runner.ports.telemetry import (
    SILENT,
    Telemetry,
    about,
    named,
    shown_attempt,
    told_without_key,
    without_own_key,
)
from runner.rules.doubt import DoubtBudget
from runner.rules.gate import Drop, Go, Wait, may_send

log = logging.getLogger(__name__)

TRANSPORT_TRIES = 12
"""how often one attempt is tried again when it provably was not sent"""
_LONGEST_BACKOFF = timedelta(minutes=15)
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
    pacing: Pacing
    """is told what became of what it let start"""
    lines: Lines = field(default_factory=Lines)
    doubt_budget: DoubtBudget = field(default_factory=DoubtBudget)
    warned: set[str] = field(default_factory=set)
    """the warnings that were given already"""
    telemetry: Telemetry = SILENT
    stop_file: StopFile = field(default_factory=StopFile)
    watch: ClockWatch | None = None
    """looks whether the clock was set since it was decided what starts"""

    def deliver(self, claimed: Sequence[Assignment]) -> Coroutine[Any, Any, None]:
        """Carry out a batch of claimed attempts; every one of them ends in a named state.

        They count as on their way from the call on, not only when the coroutine begins.
        """
        self.lines.took(claimed)
        return self._deliver(claimed)

    async def _deliver(self, claimed: Sequence[Assignment]) -> None:
        began = time.perf_counter()
        intended, at = await self.journal.run_dated(lambda ledger: self._intend(ledger, claimed), begins=True)
        if intended:
            reached(CrashPoint.AFTER_INTENT)
        took, now = time.perf_counter() - began, self.clock.now()
        for work in intended:
            self.telemetry.intended(work.attempt, now, took)
        leaving = {work.attempt.id for work in intended}
        for work in claimed:
            if work.attempt.id not in leaving:
                self.lines.landed(work)
        # Each writes down its own end, so one that cannot must not leave the others behind unwatched.
        ends = await asyncio.gather(*(self._send(work, at) for work in intended), return_exceptions=True)
        for end in ends:
            if isinstance(end, BaseException):
                raise end

    def _intend(self, ledger: Ledger, claimed: Sequence[Assignment]) -> list[Assignment]:
        """Write the intents of those that may be sent, in the transaction that read what forbids it."""
        now = self.clock.now()
        self.stop_file.heed(ledger, now)
        going = []
        for work in ledger.assignments([one.attempt.id for one in claimed]):
            if work.attempt.state is not AttemptState.CLAIMED:
                continue
            move = self._kept_back(work, now) or self._judge(ledger, work, now)
            if ledger.move([move])[0] and move.new is AttemptState.SENDING:
                going.append(work)
        begun = {work.attempt.id for work in going}
        for one in claimed:
            if one.attempt.id not in begun:
                self.pacing.dropped(ledger, one.attempt, now)
        if going:
            reached(CrashPoint.BEFORE_INTENT)
        return going

    def _judge(self, ledger: Ledger, work: Assignment, now: datetime) -> Move:
        attempt = work.attempt
        policy = self.policies.of(attempt.campaign)
        step = policy.step_named(attempt.step)
        if step is None:
            return Move(
                attempt_id=attempt.id, old=attempt.state, new=AttemptState.SUPERSEDED, at=now,
                contact=ContactState.FAILED, reason="the step is no longer in the campaign",
            )  # fmt: skip
        over = over_meanwhile(policy, work, ledger, now)
        if over is not None:
            return over
        verdict = may_send(
            policy, step, attempt.where, now, work.suppression, step_due_at=attempt.step_due_at,
            dealings=dealings_with(ledger, policy, step, work, now), is_callback=attempt.is_callback,
        )  # fmt: skip
        match verdict:
            case Go():
                return _leaving(attempt, now)
            case Wait(until, why):
                return replace(self._back(work, now, until, why), source=verdict.source)
            case Drop():
                return give_up(policy, work, verdict, ledger.history(attempt.contact_id), now)

    def _kept_back(self, work: Assignment, now: datetime) -> Move | None:
        """Give the move that puts an attempt back in line while nothing of its campaign may leave; None when it may."""
        if self.journal.tenure.is_closing:
            why = "the runner stops"
        elif self.watch is not None and self.watch.step():
            why = "the clock was set"
        elif work.is_paused:
            why = "the campaign is paused"
        else:
            return None
        return self._back(work, now, work.attempt.due_at, why)

    async def count_lines(self, name: str) -> None:
        """Ask how many lines an account has free; nothing starts while nobody says."""
        account, available = self.accounts.account(name), None
        self.lines.begin_count(name)
        try:
            count = self.accounts.lines()[name]
            available = count.read(await self.transport.send(account, count.request()))
        except OutreachError as error:
            sentence = f"account {name}: {error.message}; no call starts until its free lines are known"
            self._say(sentence, "lines_unknown", account=name)
        finally:
            self.lines.end_count(name, available, account.spare_lines or 0, self.clock.now())
        self.woken()

    async def _send(self, work: Assignment, intended_at: float) -> None:
        """Send one attempt whose intent is durable, and write down what came of it."""
        try:
            with about(work.attempt):
                await self._send_counted(work, intended_at)
        finally:
            self.lines.landed(work)
        self.woken()

    async def _send_counted(self, work: Assignment, intended_at: float) -> None:
        attempt = work.attempt
        agent = self.policies.agent_of(attempt.campaign, attempt.step, work.agent)
        in_body = agent is None or agent.reference == "metadata"
        try:
            provider = self.accounts.provider(attempt.account)
            request = provider.stamp(work.request, attempt.key, in_body=in_body)
            reached(CrashPoint.BEFORE_POST)
            self.journal.tenure.check_sending(intended_at)
            reply = await self.transport.send(self.accounts.account(attempt.account), request)
            reached(CrashPoint.AFTER_POST)
            receipt = provider.read_receipt(reply)
        except SendError as error:
            await self._not_accepted(work, told_without_key(error, attempt))
        except (CredentialMissing, NotFound) as error:  # raised before anything is sent
            await self._not_accepted(work, Rejected(error.message, pause=True))
        except Exception as error:  # whatever it was, the request may have left
            shown = shown_attempt(attempt.key)
            log.exception("attempt %s: unexpected failure while sending", shown, extra=named("send_failed"))
            await self._not_accepted(work, InDoubt(f"unexpected failure: {type(error).__name__}"))
        else:
            await self._accepted(work, receipt)

    async def _accepted(self, work: Assignment, receipt: Receipt) -> None:
        attempt = work.attempt
        account = self.accounts.account(attempt.account)
        now = self.clock.now()
        poll_at = now + account.poll[0]
        if receipt.is_queued:  # what may still wait when the window shuts is called off then
            poll_at = min(poll_at, self.policies.shuts_at(attempt, now) or poll_at)
        accepted = Move(
            attempt_id=attempt.id, old=AttemptState.SENDING, new=AttemptState.ACCEPTED, at=now,
            provider_id=receipt.provider_id, poll_at=poll_at,
        )  # fmt: skip

        def write(ledger: Ledger) -> None:
            known = ledger.find(account.name, receipt.provider_id, "")
            if known is not None and known.attempt.id != attempt.id:
                # Some ids name a thread, not a text. It was accepted all the same; only its key can tell it apart.
                given = without_own_key(without_own_key(receipt.provider_id, attempt), known.attempt)
                reason = f"the provider gave the id of another attempt: {given}"
                ledger.move([replace(accepted, provider_id="", reason=reason)])
            elif ledger.move([accepted])[0]:
                placed = replace(attempt, provider_id=receipt.provider_id or attempt.provider_id)
                hear_waiting(ledger, self.policies, self.accounts.provider(account.name), placed, now)
            self.pacing.sent(ledger, attempt, None, now)
            if receipt.remaining == 0:
                self._pause_callers(ledger, attempt, "no calls remain", now)
            if not self.accounts.can_follow(attempt.account):
                self._finish_unfollowed(ledger, attempt.id)
            reached(CrashPoint.BEFORE_RESULT)

        await self.journal.run(write)
        reached(CrashPoint.AFTER_RESULT)
        extra = named("accepted", provider_id=receipt.provider_id)
        log.info("attempt %s: accepted", shown_attempt(attempt.key), extra=extra)

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

        def write(ledger: Ledger) -> None:
            current = ledger.assignments([work.attempt.id])[0]
            if current.attempt.state is AttemptState.SENDING:  # else its webhook was faster, and is proof
                ledger.move([self._after_error(ledger, current, error, now)])
            if isinstance(error, TooLate):
                self.pacing.dropped(ledger, work.attempt, now)
            else:
                self.pacing.sent(ledger, work.attempt, error, now)
            if isinstance(error, Rejected) and error.pause:
                reason = f"account {work.attempt.account}: {error.message}"
                ledger.pause(work.attempt.campaign, reason, now)
            if isinstance(error, InDoubt) and not current.is_paused:
                self._hold_to_doubt_budget(ledger, work.attempt.campaign, now)
            reached(CrashPoint.BEFORE_RESULT)

        await self.journal.run(write)
        reached(CrashPoint.AFTER_RESULT)

    def _hold_to_doubt_budget(self, ledger: Ledger, campaign: str, now: datetime) -> None:
        """Pause a campaign of which too many sends are in doubt: people may have been called that nobody knows of."""
        why = self.doubt_budget.verdict(ledger.lanes.doubts(campaign, now - self.doubt_budget.span))
        if why:
            log.warning("campaign %s is paused: %s", campaign, why, extra=named("doubt_budget_spent"))
            ledger.pause(campaign, why, now, cause=DOUBT_BUDGET)

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
        if isinstance(error, TooLate):
            return self._back(work, now, now, error.message, unsent=True)
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
        self._say(f"account {work.attempt.account}: {error.message}; it is tried again", "account_unreachable")

    def _say(self, sentence: str, event: str, **ids: str) -> None:
        if sentence not in self.warned:
            self.warned.add(sentence)
            log.warning("%s", sentence, extra=named(event, **ids))

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


def _leaving(attempt: Attempt, now: datetime) -> Move:
    """Have an attempt sent; one that a lost copy of the ledger may have sent is looked for first."""
    if attempt.is_lost:
        return Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.IN_DOUBT, at=now, poll_at=now,
            sent_at=attempt.lost_until, contact=ContactState.CALLING,
            reason="another copy of this ledger may have sent it",
        )  # fmt: skip
    return Move(
        attempt_id=attempt.id, old=attempt.state, new=AttemptState.SENDING, at=now, sent_at=now,
        contact=ContactState.CALLING,
    )  # fmt: skip
