"""Carry a handover to its provider: created by one request at most, then filled and launched, which may be repeated."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from runner.engine.delivery import TRANSPORT_TRIES
from runner.engine.native_release import Fresh, contact_of, most_people, terms_of
from runner.engine.reconciliation import Reconciliation
from runner.errors import (
    CredentialMissing,
    InDoubt,
    NotFound,
    NotSent,
    OutreachError,
    Rejected,
    SendError,
    Throttled,
    WrongGeneration,
)
from runner.model.attempt import Assignment, AttemptState
from runner.model.handed_over import Handed, HandoverMove, HandoverRecord, HandoverState
from runner.model.handover import NativeStatus
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome
from runner.model.request import Request
from runner.planning.handover import Terms
from runner.ports import Ledger, NativeCampaigns
from runner.ports.crash_points import CrashPoint, reached
from runner.ports.telemetry import named, told_without_key, without_own_key

log = logging.getLogger(__name__)

NOT_THERE = frozenset({AttemptState.SENDING, AttemptState.IN_DOUBT})
"""states of people of whom the provider has not said that it has them"""
_LAUNCHED = frozenset({NativeStatus.RUNNING, NativeStatus.COMPLETED, NativeStatus.CANCELLED})
_LONGEST_WAIT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Sending:
    """What carrying handovers to their providers needs."""

    tools: Reconciliation

    async def create(self, fresh: Fresh) -> None:
        """Send the one request that creates, write down what its answer proves, and go on."""
        record, accounts = fresh.record, self.tools.accounts
        try:
            request = self._first_request(fresh)
        except Exception as error:  # nothing has left
            log.exception("handover %d: its request cannot be built", record.id, extra=named("request_unbuilt", record))
            said = error.message if isinstance(error, OutreachError) else f"unexpected failure: {type(error).__name__}"
            await self._not_created(record, Rejected(said, pause=True))
            return
        try:
            reached(CrashPoint.BEFORE_POST)
            reply = await self.tools.transport.send(accounts.account(record.account), request)
            reached(CrashPoint.AFTER_POST)
            native_id = accounts.native(record.account).read_created(reply)
        except SendError as error:
            await self._not_created(record, told_without_key(error, record))
        except (CredentialMissing, NotFound) as error:  # raised before anything is sent
            await self._not_created(record, Rejected(error.message, pause=True))
        except Exception as error:  # whatever it was, the request may have left
            log.exception(
                "handover %d: unexpected failure while sending", record.id, extra=named("send_failed", record)
            )
            await self._not_created(record, InDoubt(f"unexpected failure: {type(error).__name__}"))
        else:
            await self.go_on(await self.created(record, native_id, fresh.first))

    async def created(self, record: HandoverRecord, native_id: str, first: int) -> HandoverRecord:
        """Write down the id that a provider gave, and that it has the first people; give the handover as it stands."""
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> HandoverRecord:
            ledger.handovers.move(step(record, HandoverState.CREATED, now, native_id=native_id, poll_at=now))
            people = ledger.handovers.people(record.id)[:first]
            given = without_own_key(native_id, record)
            ledger.move(_has(one, given, now) for one in people if one.state in NOT_THERE)
            return ledger.handovers.record(record.id)

        return await self.tools.journal.run(write)

    async def go_on(self, record: HandoverRecord) -> None:
        """Add who is not there yet and launch; both may be repeated, so this goes on after a crash as well."""
        try:
            native = self.tools.accounts.native(record.account)
            await self._add_all(record, native)
            current = await self.tools.journal.run(lambda ledger: ledger.handovers.record(record.id))
            if current.campaign_state == "active":
                await self._launch(current, native)
        except Rejected as error:
            await self._pause(record, told_without_key(error, record))
        except (CredentialMissing, NotFound) as error:
            await self._pause(record, Rejected(error.message, pause=True))
        except SendError as error:
            await self.later(record, error.message, error.retry_after if isinstance(error, Throttled) else None)

    async def later(self, record: HandoverRecord, why: str, seconds: float | None = None) -> None:
        """Look after a handover again in a while; the wait grows with each failure in a row."""
        now, tries, why = self.tools.clock.now(), record.tries + 1, without_own_key(why, record)
        if tries == 1:
            extra = named("account_unreachable", record)
            log.warning("account %s: %s; it is tried again", record.account, why, extra=extra)
        wait = timedelta(seconds=max(seconds, 1.0) if seconds else 2.0 ** min(tries, 10))
        again = step(
            record,
            record.state,
            now,
            poll_at=now + min(wait, _LONGEST_WAIT),
            polls=record.polls,
            tries=tries,
            reason=why,
        )
        await self.tools.journal.run(lambda ledger: ledger.handovers.move(again))

    def _first_request(self, fresh: Fresh) -> Request:
        record, accounts = fresh.record, self.tools.accounts
        first = replace(fresh.handover, people=fresh.handover.people[: fresh.first])
        request = accounts.native(record.account).create(first)
        return accounts.provider(record.account).stamp(request, record.key, in_body=False)

    async def _not_created(self, record: HandoverRecord, error: SendError) -> None:
        """Write down what an error proves: in doubt, or that nothing was created; or that it dials all the same."""
        if isinstance(error, WrongGeneration) and error.is_dialling and error.native_id:
            await self._dials_unasked(record, error.native_id, error)
            return
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            if isinstance(error, InDoubt):
                doubt(self.tools, ledger, record, error.message)
            else:
                self._refused(ledger, record, error, now)

        await self.tools.journal.run(write)

    def _refused(self, ledger: Ledger, record: HandoverRecord, error: SendError, now: datetime) -> None:
        """Put people back in line who provably were not handed over; one alone whom the provider refused has failed.

        Of many, nobody knows whom the provider meant: the campaign is paused, and a person can say.
        """
        ledger.handovers.move(step(record, HandoverState.REJECTED, now, reason=error.message))
        if not isinstance(error, Rejected):
            due_at = now + self._wait(ledger, record, error)
            back_in_line(self.tools, ledger, record, due_at, error)
            extra = named("handover_anew", record)
            log.warning("account %s: %s; the handover is made anew", record.account, error.message, extra=extra)
        elif record.people == 1 and not error.pause:
            self._end(ledger, record, Observation(outcome=Outcome.FAILED, words={"error": error.message}))
        else:
            back_in_line(self.tools, ledger, record, now, error)
            ledger.pause(record.campaign, f"account {record.account}: {error.message}", now)

    def _wait(self, ledger: Ledger, record: HandoverRecord, error: SendError) -> timedelta:
        if isinstance(error, Throttled) and error.retry_after:
            return timedelta(seconds=max(error.retry_after, 1.0))
        ids = [one.attempt_id for one in ledger.handovers.people(record.id)]
        tries = max((work.attempt.transport_tries for work in ledger.assignments(ids)), default=0) + 1
        return min(timedelta(seconds=2.0**tries), _LONGEST_WAIT)

    async def _dials_unasked(self, record: HandoverRecord, native_id: str, error: SendError) -> None:
        """Follow a campaign that another generation of the API has started at once; hand over nobody else meanwhile."""
        created = await self.created(record, native_id, record.people)
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            ledger.handovers.move(self._launched(created, now))
            ledger.pause(record.campaign, f"account {record.account}: {error.message}", now)

        await self.tools.journal.run(write)

    async def _add_all(self, record: HandoverRecord, native: NativeCampaigns) -> None:
        """Add everybody who is not there yet, chunk by chunk; raise a SendError when a chunk was not taken."""
        waiting = await self.tools.journal.run(lambda ledger: self._waiting(ledger, record))
        if not waiting:
            return
        try:
            terms = terms_of(self.tools, record.campaign, record.step, record.account, record.agent_id)
        except KeyError:
            words = {"note": "the step is no longer in the campaign"}
            seen = Observation(outcome=Outcome.CANCELLED, words=words)
            await self.tools.journal.run(lambda ledger: self._end(ledger, record, seen))
            return
        size = most_people(native)
        for start in range(0, len(waiting), size):
            await self._add(record, native, terms, waiting[start : start + size])

    def _waiting(self, ledger: Ledger, record: HandoverRecord) -> list[Assignment]:
        """Give who is still to be added; whoever must not be contacted any more, and is not there, leaves."""
        now = self.tools.clock.now()
        people = [one.attempt_id for one in ledger.handovers.people(record.id) if one.state in NOT_THERE]
        waiting = ledger.assignments(people)
        forbidden = [one for one in waiting if one.suppression or (one.left_alone_until or now) > now]
        leaving = [one for one in forbidden if one.attempt.state is AttemptState.SENDING]
        ledger.move(_back(work, now, now, "must not be contacted") for work in leaving)
        ledger.handovers.release(record.id)
        return [one for one in waiting if one not in leaving]

    async def _add(
        self, record: HandoverRecord, native: NativeCampaigns, terms: Terms, chunk: Sequence[Assignment]
    ) -> None:
        now = self.tools.clock.now()
        handover = terms.handover(record.key, (contact_of(work) for work in chunk), now)
        request = native.add(record.native_id, handover)
        if request is not None:
            try:
                reply = await self.tools.transport.send(self.tools.accounts.account(record.account), request)
                native.read_done(reply)
            except Rejected as error:
                await self._not_added(record, chunk, told_without_key(error, record))
                raise
        ids = {work.attempt.id for work in chunk}

        def write(ledger: Ledger) -> None:
            people = [one for one in ledger.handovers.people(record.id) if one.attempt_id in ids]
            given = without_own_key(record.native_id, record)
            ledger.move(_has(one, given, now) for one in people if one.state in NOT_THERE)

        await self.tools.journal.run(write)

    async def _not_added(self, record: HandoverRecord, chunk: Sequence[Assignment], error: Rejected) -> None:
        """Put those back in line who were not added; whoever may be there from a request in doubt is held."""
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            for work in ledger.assignments([one.attempt.id for one in chunk]):
                if work.attempt.state is AttemptState.SENDING:
                    ledger.move([_back(work, now, now, error.message)])
                elif work.attempt.state is AttemptState.IN_DOUBT:
                    ledger.move([_held(work, now, error.message)])
            ledger.handovers.release(record.id)

        await self.tools.journal.run(write)

    def _end(self, ledger: Ledger, record: HandoverRecord, seen: Observation) -> None:
        """End everybody who is not there."""
        for one in ledger.handovers.people(record.id):
            if one.state in NOT_THERE:
                self.tools.settle_in(ledger, one.attempt_id, seen)

    async def _launch(self, record: HandoverRecord, native: NativeCampaigns) -> None:
        """Have the provider start; a refusal counts only if its campaign really does not run."""
        account, request = self.tools.accounts.account(record.account), native.launch(record.native_id)
        if request is not None:
            try:
                is_done = native.read_done(await self.tools.transport.send(account, request))
                if not is_done:
                    raise InDoubt(f"{account.provider} did not launch its campaign")
            except SendError:
                status = native.status_request(record.native_id)
                stands = native.read_status(await self.tools.transport.send(account, status))
                if stands not in _LAUNCHED:
                    raise
        now = self.tools.clock.now()
        await self.tools.journal.run(lambda ledger: ledger.handovers.move(self._launched(record, now)))

    def _launched(self, record: HandoverRecord, now: datetime) -> HandoverMove:
        first_look = now + self.tools.accounts.poll(record.account)[0]
        return step(record, HandoverState.ACCEPTED, now, poll_at=first_look)

    async def _pause(self, record: HandoverRecord, error: Rejected) -> None:
        """Pause a campaign whose handover cannot go on; it goes on where it stands when the campaign is resumed."""
        now = self.tools.clock.now()

        def write(ledger: Ledger) -> None:
            ledger.handovers.move(step(record, record.state, now, poll_at=now, reason=error.message))
            ledger.pause(record.campaign, f"account {record.account}: {error.message}", now)

        await self.tools.journal.run(write)


def step(record: HandoverRecord, new: HandoverState, at: datetime, **facts: Any) -> HandoverMove:
    """Build a move of a handover from where it stands."""
    return HandoverMove(handover_id=record.id, old=record.state, new=new, at=at, **facts)


def doubt(tools: Reconciliation, ledger: Ledger, record: HandoverRecord, why: str) -> None:
    """Write down that a handover may have been created, inside the transaction that is open."""
    now = tools.clock.now()
    look_at = max(now, record.sent_at + tools.accounts.settle_after(record.account))
    ledger.handovers.move(step(record, HandoverState.IN_DOUBT, now, poll_at=look_at, reason=why))
    ledger.move(
        Move(attempt_id=one.attempt_id, old=one.state, new=AttemptState.IN_DOUBT, at=now, reason=why)
        for one in ledger.handovers.people(record.id)
        if one.state is AttemptState.SENDING
    )


def back_in_line(
    tools: Reconciliation, ledger: Ledger, record: HandoverRecord, due_at: datetime, error: SendError
) -> None:
    """Let people who provably were not handed over wait again.

    When that has helped too often, their campaign is paused: nobody is given up for it.
    """
    now, is_try, unsent = tools.clock.now(), not isinstance(error, Rejected), isinstance(error, NotSent)
    ids = [one.attempt_id for one in ledger.handovers.people(record.id) if one.state in NOT_THERE]
    waiting = ledger.assignments(ids)
    tries = max((work.attempt.transport_tries for work in waiting), default=0) + is_try
    if tries >= TRANSPORT_TRIES:
        reason = f"account {record.account}: {error.message}, {tries} times in a row"
        ledger.pause(record.campaign, reason, now)
        tries = 0
    ledger.move(_back(work, now, due_at, error.message, tries=tries, unsent=unsent) for work in waiting)
    ledger.handovers.release(record.id)


def hold(ledger: Ledger, record: HandoverRecord, now: datetime, why: str) -> None:
    """Leave a handover in doubt, and everybody in it, to a person."""
    ledger.handovers.move(step(record, HandoverState.HELD, now, polls=record.polls, reason=why))
    ids = [one.attempt_id for one in ledger.handovers.people(record.id) if one.state is AttemptState.IN_DOUBT]
    ledger.move(_held(work, now, why) for work in ledger.assignments(ids))


def _has(one: Handed, given: str, now: datetime) -> Move:
    reason = f"handed over in campaign {given}"
    return Move(attempt_id=one.attempt_id, old=one.state, new=AttemptState.ACCEPTED, at=now, reason=reason)


def _back(
    work: Assignment, now: datetime, due_at: datetime, why: str, *, tries: int | None = None, unsent: bool = True
) -> Move:
    return Move(
        attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.PLANNED, at=now, due_at=due_at,
        reason=why, transport_tries=tries, unsent=unsent,
    )  # fmt: skip


def _held(work: Assignment, now: datetime, why: str) -> Move:
    return Move(
        attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.HELD, at=now, reason=why,
        contact=ContactState.HELD,
    )  # fmt: skip
