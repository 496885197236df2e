"""Follow attempts to their end: ask for outcomes, look for requests in doubt, recover after a crash."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from runner.engine.accounts import Accounts
from runner.engine.arrivals import hear_waiting
from runner.engine.delivery import TRANSPORT_TRIES
from runner.engine.endings import end_read
from runner.engine.journal import Journal
from runner.engine.policies import Policies
from runner.engine.polling import Polling, sent_of, together
from runner.errors import Ambiguous, OutreachError
from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome
from runner.model.request import Finding
from runner.ports import Clock, Ledger, Transport
from runner.ports.telemetry import about, named, shown_attempt, told_without_key

log = logging.getLogger(__name__)

EMPTY_LOOKUPS = 2
"""how many complete, empty look-ups prove that a request never arrived"""
_MOST_PAGES = 50
_LOOKED_FOR = 0.5
_LOOK_AGAIN = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """What asking needs."""

    journal: Journal
    policies: Policies
    accounts: Accounts
    transport: Transport
    clock: Clock
    woken: Callable[[], None]

    async def recover(self) -> int:
        """Put right what a crash left behind; give how many attempts are in doubt because of it.

        What was claimed was not sent. What was being sent may have been.
        """

        def put_right(ledger: Ledger) -> int:
            self.put_back(ledger)
            return self.doubt(ledger)

        return await self.journal.run(put_right)

    def put_back(self, ledger: Ledger) -> int:
        """Put what is claimed back in line, inside the transaction that is open; give how many."""
        now = self.clock.now()
        return sum(
            ledger.move(_unclaimed(work, now, self._first_step(work)) for work in ledger.in_state(AttemptState.CLAIMED))
        )

    def doubt(self, ledger: Ledger) -> int:
        """Have what is being sent looked for, inside the transaction that is open; give how many."""
        now = self.clock.now()
        return sum(ledger.move(self._doubted(work, now) for work in ledger.in_state(AttemptState.SENDING)))

    async def ask(self, due: Sequence[Assignment]) -> None:
        """Ask about accepted and doubtful attempts whose time has come."""
        doubtful = [work for work in due if work.attempt.state is AttemptState.IN_DOUBT]
        accepted = [work for work in due if work.attempt.state is not AttemptState.IN_DOUBT]
        polling = Polling(self.journal, self.policies, self.accounts, self.transport, self.clock)
        await asyncio.gather(polling.poll(accepted), *(self._look_for(work) for work in doubtful))
        self.woken()

    def together(self, due: Sequence[Assignment]) -> list[list[Assignment]]:
        """Sort attempts into those that are asked about by one request; nobody then waits for another one's answer."""
        return together(self.accounts, due)

    async def settle(self, attempt_id: int, observation: Observation) -> bool:
        """End an attempt with a proven outcome; False when it had ended before."""
        ended = await self.journal.run(lambda ledger: self.settle_in(ledger, attempt_id, observation))
        self.woken()
        return ended

    def settle_in(self, ledger: Ledger, attempt_id: int, observation: Observation) -> bool:
        """Do the same inside a transaction that is open."""
        return self.settle_read(ledger, ledger.assignments([attempt_id])[0], observation)

    def settle_read(self, ledger: Ledger, work: Assignment, observation: Observation) -> bool:
        """Do the same with an attempt that this transaction has read and not changed since."""
        return end_read(ledger, self.policies, work, observation, self.clock.now())

    async def ask_for_the_record(self, attempt_id: int) -> None:
        """Ask once how a call ended about which two words differ, and write the answer down; it changes nothing else.

        An attempt whose outcome was asked for as often as its account's `poll` says is not asked for again.
        """
        work = (await self.journal.run(lambda ledger: ledger.assignments([attempt_id])))[0]
        provider = self.accounts.provider(work.attempt.account)
        request = provider.poll_request(sent_of(work))
        if request is None or work.attempt.polls >= len(self.accounts.poll(work.attempt.account)):
            return
        try:
            reply = await self.transport.send(self.accounts.account(work.attempt.account), request)
            seen = provider.read_poll(sent_of(work), reply)
            said = seen.outcome.value if seen.outcome is not None else "no outcome"
        except OutreachError as error:
            said = f"no answer: {told_without_key(error, work.attempt).message}"
        now = self.clock.now()
        await self.journal.run(
            lambda ledger: ledger.letters.note(now, attempt_id, "conflict_checked", provider_says=said)
        )

    async def _look_for(self, work: Assignment) -> None:
        try:
            with about(work.attempt):
                await self._resolve(work)
        except Exception:  # one attempt's trouble must not stop the others
            extra = named("look_up_failed", work.attempt)
            shown = shown_attempt(work.attempt.key)
            log.exception("attempt %s: unexpected failure while looking for it", shown, extra=extra)
            await self._look_again(work, work.attempt.polls)

    async def _resolve(self, work: Assignment) -> None:
        """Look for a request in doubt; only repeated complete, empty answers prove that it never arrived."""
        attempt = work.attempt
        try:
            finding = await self._look_up(work)
        except OutreachError as error:
            told_without_key(error, attempt)
            if isinstance(error, Ambiguous) and attempt.lost_until is not None:
                # What a lost copy of the ledger did with the person will not become any clearer.
                await self._move(self._held(work, self.clock.now(), f"another copy may have sent it: {error.message}"))
                return
            extra = named("still_in_doubt")
            log.info("attempt %s: still in doubt: %s", shown_attempt(attempt.key), error.message, extra=extra)
            await self._look_again(work, attempt.polls)
            return
        if finding is not None and finding.found and await self._is_taken(work, finding.provider_id):
            # Found by number and time alone, it is the call of another attempt: ours is not in the list.
            finding = Finding()
        now = self.clock.now()
        if finding is None:
            await self._move(self._held(work, now, "may have been placed, and this provider cannot be asked"))
        elif finding.found:
            await self._found(work, finding.provider_id)
        elif attempt.polls + 1 < EMPTY_LOOKUPS:
            await self._look_again(work, attempt.polls + 1)
        elif attempt.transport_tries >= TRANSPORT_TRIES:
            words = {"error": f"never arrived in {attempt.transport_tries + 1} tries"}
            await self.settle(attempt.id, Observation(outcome=Outcome.FAILED, words=words))
        else:
            await self._move(
                Move(
                    attempt_id=attempt.id, old=attempt.state, new=AttemptState.PLANNED, at=now, due_at=now,
                    reason="proved absent: it never arrived", contact=ContactState.RETRY,
                    transport_tries=attempt.transport_tries + 1,
                )
            )  # fmt: skip

    async def _found(self, work: Assignment, provider_id: str) -> None:
        """Follow a request that was in doubt, and hear what was said about it before."""
        attempt, now = work.attempt, self.clock.now()
        accepted = Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.ACCEPTED, at=now, reason="found again",
            provider_id=provider_id, poll_at=now + self.accounts.poll(attempt.account)[0],
        )  # fmt: skip
        provider = self.accounts.provider(attempt.account)

        def write(ledger: Ledger) -> None:
            if ledger.move([accepted])[0]:
                found = replace(attempt, provider_id=provider_id or attempt.provider_id)
                hear_waiting(ledger, self.policies, provider, found, now)

        await self.journal.run(write)

    async def _is_taken(self, work: Assignment, provider_id: str) -> bool:
        known = await self.journal.run(lambda ledger: ledger.find(work.attempt.account, provider_id, ""))
        return known is not None and known.attempt.id != work.attempt.id

    async def _look_up(self, work: Assignment) -> Finding | None:
        """Page through the provider's list to its end; None when the provider cannot be asked."""
        provider, account = self.accounts.provider(work.attempt.account), self.accounts.account(work.attempt.account)
        taken = await self.journal.run(lambda ledger: ledger.letters.known_calls(work.attempt))
        sent = replace(sent_of(work), taken=taken)
        for page in range(_MOST_PAGES):
            request = provider.find_request(sent, page)
            if request is None:
                return None
            finding = provider.read_find(sent, await self.transport.send(account, request))
            if finding.found or not finding.more:
                return finding
        raise OutreachError(f"the list has more than {_MOST_PAGES} pages")

    async def _look_again(self, work: Assignment, empty: int) -> None:
        """Look for a request in doubt once more, `empty` complete look-ups having found nothing; in the end a person must.

        A look-up that failed proves nothing, so it is not counted.
        """
        attempt, now = work.attempt, self.clock.now()
        wait = max(self.accounts.settle_after(attempt.account), _LOOK_AGAIN)
        ends = (attempt.lost_until or attempt.sent_at or attempt.due_at) + self.accounts.poll(attempt.account)[-1]
        # After a runner was away for long, its first look-up may fail as any other: that is no reason to give up.
        in_time = attempt.poll_at is None or now - attempt.poll_at <= wait
        if now >= ends and in_time and empty == attempt.polls and await self._was_looked_for(attempt, wait):
            await self._move(self._held(work, now, "may have been placed, and nothing proves it either way"))
            return
        await self._move(
            Move(
                attempt_id=attempt.id, old=attempt.state, new=attempt.state, at=now, poll_at=now + wait,
                polls=empty, reason="looked for; nothing proves it yet",
            )
        )  # fmt: skip

    async def _was_looked_for(self, attempt: Attempt, wait: timedelta) -> bool:
        """Whether looks that proved nothing fill half of the time that there was for them: a runner that was away did not look."""
        looks = await self.journal.run(lambda ledger: ledger.letters.looks(attempt.id))
        return looks * wait >= self.accounts.poll(attempt.account)[-1] * _LOOKED_FOR

    async def _move(self, move: Move) -> None:
        await self.journal.run(lambda ledger: ledger.move([move]))

    def _first_step(self, work: Assignment) -> str:
        return self.policies.of(work.attempt.campaign).campaign.steps[0].label

    def _doubted(self, work: Assignment, now: datetime) -> Move:
        settle_after = self.accounts.settle_after(work.attempt.account)
        since = work.attempt.sent_at or now
        return Move(
            attempt_id=work.attempt.id, old=AttemptState.SENDING, new=AttemptState.IN_DOUBT, at=now,
            reason="the runner stopped while it was being sent", poll_at=since + settle_after,
        )  # fmt: skip

    @staticmethod
    def _held(work: Assignment, now: datetime, why: str) -> Move:
        return Move(
            attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.HELD, at=now, reason=why,
            contact=ContactState.HELD, polls=work.attempt.polls,
        )  # fmt: skip


def _unclaimed(work: Assignment, now: datetime, first_step: str) -> Move:
    untouched = work.attempt.number == 1 and work.attempt.step == first_step
    return Move(
        attempt_id=work.attempt.id, old=AttemptState.CLAIMED, new=AttemptState.PLANNED, at=now,
        reason="the runner stopped before it was sent",
        contact=ContactState.PENDING if untouched else ContactState.RETRY,
    )  # fmt: skip
