"""Ask how accepted attempts ended, many by one request where the provider can, and climb the poll ladder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.engine.accounts import Accounts
from runner.engine.endings import end
from runner.engine.journal import Journal
from runner.engine.policies import Policies
from runner.engine.settlement import opted_out
from runner.errors import InDoubt, LedgerError, OutreachError, Rejected
from runner.model.attempt import Assignment, AttemptState
from runner.model.move import Move
from runner.model.outcome import Observation, Outcome
from runner.model.request import Reply, Request, Sent
from runner.ports import Clock, ManyPolls, Transport
from runner.ports.telemetry import about, named, shown_attempt, told_without_key
from runner.rules.gate import Go, may_send

log = logging.getLogger(__name__)

_ACCEPTED = AttemptState.ACCEPTED
_CALL_OFF_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Polling:
    """What asking needs."""

    journal: Journal
    policies: Policies
    accounts: Accounts
    transport: Transport
    clock: Clock

    async def poll(self, due: Sequence[Assignment]) -> None:
        """Ask about accepted attempts whose time has come, and write down what was said of each."""
        await asyncio.gather(*(self._poll(group) for group in together(self.accounts, due)))

    async def _poll(self, group: Sequence[Assignment]) -> None:
        many = self.accounts.many_polls(group[0].attempt.account)
        if many is not None and len(group) > 1:
            await self._poll_many(group, many)
        else:
            await self._poll_singly(group)

    async def _poll_many(self, group: Sequence[Assignment], many: ManyPolls) -> None:
        """Ask about all of a group at once; one by one when the provider answers and that says nothing of any."""
        account = self.accounts.account(group[0].attempt.account)
        seen: Mapping[str, Observation] = {}
        try:
            reply = await self.transport.send(account, many.request([work.attempt.provider_id for work in group]))
        except OutreachError as error:
            _no_answer(account.name, len(group), error)
        else:
            try:
                seen = many.read(reply)
            except OutreachError as error:
                _no_answer(account.name, len(group), error)
                if isinstance(error, InDoubt) or (isinstance(error, Rejected) and not error.pause):
                    await self._poll_singly(group)
                    return
        await _each(self._hear(work, seen.get(work.attempt.provider_id, Observation())) for work in group)

    async def _poll_singly(self, group: Sequence[Assignment]) -> None:
        await _each(self._poll_one(work) for work in group)

    async def _poll_one(self, work: Assignment) -> None:
        with about(work.attempt):
            await self._hear(work, await self._asked(work))

    async def _asked(self, work: Assignment) -> Observation:
        """Give what the provider says of one attempt; nothing when it does not answer."""
        shown = shown_attempt(work.attempt.key)
        try:
            provider = self.accounts.provider(work.attempt.account)
            sent = sent_of(work)
            request = provider.poll_request(sent)
            if request is not None:
                return provider.read_poll(sent, await self._send(work, request))
        except OutreachError as error:
            extra = named("no_answer")
            log.info("attempt %s: no answer about its outcome: %s", shown, error.message, extra=extra)
        except Exception:  # one attempt's trouble must not stop the others
            extra = named("poll_failed")
            log.exception("attempt %s: unexpected failure while asking for its outcome", shown, extra=extra)
        return Observation()

    async def _hear(self, work: Assignment, seen: Observation) -> None:
        """Write down what was said of one attempt; without an outcome it is asked for again."""
        try:
            await self._take(work, seen)
        except LedgerError:
            raise
        except Exception:  # as above
            extra = named("settle_failed", work.attempt)
            sentence = "attempt %s: unexpected failure while its outcome was written down"
            log.exception(sentence, shown_attempt(work.attempt.key), extra=extra)
            await self._ask_later(work, None)

    async def _take(self, work: Assignment, seen: Observation) -> None:
        if seen.is_final or opted_out(seen):
            await self._settle(work, seen)
        if seen.is_final:
            return
        again = None
        if seen.is_queued:
            called_off, again = await self._keep_in_time(work)
            if called_off:
                return
        await self._ask_later(work, again)

    async def _keep_in_time(self, work: Assignment) -> tuple[bool, datetime | None]:
        """Call off what waits in the provider's queue and may not start any more.

        Gives whether it was, else by when it is to be asked for again at the latest.
        """
        attempt, now = work.attempt, self.clock.now()
        policy = self.policies.of(attempt.campaign)
        step = policy.step_named(attempt.step)
        if step is not None and isinstance(may_send(policy, step, attempt.where, now, work.suppression), Go):
            return False, policy.shuts_at(step, attempt.where, now)
        provider = self.accounts.provider(attempt.account)
        request = provider.cancel_request(sent_of(work))
        if request is None:
            return False, None
        try:
            is_off = provider.read_cancel(await self._send(work, request))
        except OutreachError as error:
            log.warning(
                "attempt %s: could not be called off: %s",
                shown_attempt(attempt.key),
                told_without_key(error, attempt).message,
                extra=named("not_called_off", attempt),
            )
            return False, now + _CALL_OFF_AGAIN
        if is_off:
            words = {"note": "called off: it waited in the provider's queue until it might not start any more"}
            await self._settle(work, Observation(outcome=Outcome.CANCELLED, words=words, is_undialled=True))
        return is_off, None

    async def _settle(self, work: Assignment, seen: Observation) -> None:
        now = self.clock.now()
        await self.journal.run(lambda ledger: end(ledger, self.policies, work.attempt.id, seen, now))

    async def _ask_later(self, work: Assignment, at_latest: datetime | None) -> None:
        """Climb the poll ladder; at its end nobody can say how an accepted attempt ended."""
        attempt, now = work.attempt, self.clock.now()
        ladder = self.accounts.poll(attempt.account)
        rung = (attempt.sent_at or now) + ladder[min(attempt.polls, len(ladder) - 1)]
        if now < rung:
            # It was asked ahead of its time: anybody may send hints, so they use up no rung.
            polls, poll_at, why = attempt.polls, rung, "asked ahead of its time; no outcome yet"
        elif attempt.polls + 1 >= len(ladder):
            await self._settle(work, Observation(outcome=Outcome.UNKNOWN))
            return
        else:
            polls, why = attempt.polls + 1, "asked; no outcome yet"
            poll_at = max((attempt.sent_at or now) + ladder[polls], now)
        later = Move(
            attempt_id=attempt.id, old=AttemptState.ACCEPTED, new=AttemptState.ACCEPTED, at=now,
            poll_at=min(poll_at, at_latest or poll_at), polls=polls, reason=why,
        )  # fmt: skip
        await self.journal.run(lambda ledger: ledger.move([later]))

    async def _send(self, work: Assignment, request: Request) -> Reply:
        return await self.transport.send(self.accounts.account(work.attempt.account), request)


def together(accounts: Accounts, due: Iterable[Assignment]) -> list[list[Assignment]]:
    """Sort attempts into those that one request asks about: accepted ones of one account, else each for itself."""
    found: list[list[Assignment]] = []
    filling: dict[str, list[Assignment]] = {}
    for work in due:
        attempt = work.attempt
        many = accounts.many_polls(attempt.account)
        if many is None or not attempt.provider_id or (attempt.state, attempt.channel) != (_ACCEPTED, many.channel):
            found.append([work])
            continue
        group = filling.get(attempt.account)
        if group is None or len(group) >= many.most:
            group = filling[attempt.account] = []
            found.append(group)
        group.append(work)
    return found


def sent_of(work: Assignment) -> Sent:
    """Give what is known of an attempt's request, for asking about it."""
    attempt = work.attempt
    return Sent(
        key=attempt.key,
        channel=attempt.channel,
        phone=attempt.phone,
        agent_id=work.agent_id,
        campaign=attempt.campaign,
        sent_at=attempt.lost_since or attempt.sent_at or attempt.due_at,
        sent_by=attempt.lost_until,
        provider_id=attempt.provider_id,
    )


def _no_answer(account: str, count: int, error: OutreachError) -> None:
    extra = named("no_answer", account=account)
    log.info("account %s: no answer about %d outcomes: %s", account, count, error.message, extra=extra)


async def _each(work: Iterable[Awaitable[None]]) -> None:
    """Do all of it, whatever becomes of one; then raise the first error."""
    for end_of in await asyncio.gather(*work, return_exceptions=True):
        if isinstance(end_of, BaseException):
            raise end_of
