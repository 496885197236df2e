"""Take in webhooks: stored as they came, verified, then settled; a doubtful one only asks the provider."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from runner.engine import native_words
from runner.engine.accounts import Accounts
from runner.engine.arrivals import hear_waiting
from runner.engine.endings import SETTLED_BY_PROOF, accept_after_all, end_after_all, suppress_for, take_late
from runner.engine.inbound_texts import take_text
from runner.engine.journal import Journal
from runner.engine.reconciliation import Reconciliation
from runner.engine.settlement import opted_out
from runner.errors import LedgerError, WebhookRefused
from runner.model.attempt import Assignment, AttemptState
from runner.model.fields import is_slow
from runner.model.move import Move
from runner.model.outcome import InboundText, Observation
from runner.ports import Clock, Ledger
from runner.ports.crash_points import CrashPoint, reached

UNKNOWN_CALL = "unknown call"
"""what a webhook leads to that names no call that we know; it waits for it"""

SEEN_BEFORE = "seen before"
"""what a webhook leads to that came before, byte for byte; nothing changes"""

UNVERIFIED = "unverified"
"""what a webhook leads to that nothing proves, about a call that the provider cannot be asked for"""

KEEP_BODIES = timedelta(days=30)
"""how long the bodies of webhooks are kept"""

MOST_UNPROVEN_BYTES = 64 * 1024
"""the largest webhook without a proof that is kept: anybody may send them, and thousands are kept"""

_COUNT_EVERY = timedelta(minutes=1)
_TIDY_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A webhook that was read, and what it says."""

    account: str
    body: bytes
    at: datetime
    verified: bool
    """a signature, or the token in its URL, proves it"""
    observations: tuple[Observation, ...]
    texts: tuple[InboundText, ...]

    @property
    def digest(self) -> str:
        """What tells it from every other one."""
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a webhook led to, durable."""

    result: str
    verified: bool
    """a signature, or the token in its URL, proves it"""

    @property
    def waits(self) -> bool:
        """Whether it was kept without an effect: its call is unknown, or nothing proves it."""
        return UNKNOWN_CALL in self.result or UNVERIFIED in self.result


@dataclass(slots=True)
class _Refused:
    """How many webhooks of an account were refused since that was last written down."""

    written_at: datetime
    count: int = 0


@dataclass(frozen=True, slots=True)
class Inbox:
    """What receiving webhooks needs."""

    journal: Journal
    accounts: Accounts
    reconciliation: Reconciliation
    clock: Clock
    secret: Callable[[str], str]
    """gives the value of a credential reference; a slow one is followed off the event loop, one at a time"""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refused: dict[str, _Refused] = field(default_factory=dict)
    _tidied: list[datetime] = field(default_factory=list)
    """when bodies were last looked through"""
    _checks: set[asyncio.Task[None]] = field(default_factory=set)

    async def receive(self, account: str, token: str, headers: Mapping[str, str], body: bytes) -> Taken:
        """Take in one webhook; give what it led to, after that is durable.

        A webhook is proof when the provider's signature or the secret token in its URL holds.
        Where none is configured it is a hint: the provider is asked, and where it cannot be asked
        the webhook is kept as unverified. Where a configured proof fails it is refused. Raises
        WebhookRefused.
        """
        if account not in self.accounts:
            raise WebhookRefused("no such account", status=404)
        try:
            webhook = self._read(account, await self._is_proven(account, token, headers, body), headers, body)
        except WebhookRefused as refusal:
            await self._count(account, refusal)
            raise
        contradicted: list[int] = []
        result = await self.journal.run(lambda ledger: self._take_all(ledger, webhook, contradicted))
        reached(CrashPoint.AFTER_WEBHOOK)
        if result != SEEN_BEFORE:
            self.reconciliation.woken()
        for attempt_id in contradicted:
            check = asyncio.create_task(self.reconciliation.ask_for_the_record(attempt_id))
            self._checks.add(check)
            check.add_done_callback(self._checks.discard)
        await self._tidy_now_and_then()
        return Taken(result=result, verified=webhook.verified)

    async def settled(self) -> None:
        """Wait until what contradicted the ledger was asked for."""
        await asyncio.gather(*self._checks, return_exceptions=True)

    async def tidy(self) -> int:
        """Drop the bodies of webhooks that are older than 30 days; give of how many."""
        now = self.clock.now()
        self._tidied[:] = [now]
        return await self.journal.run(lambda ledger: ledger.letters.forget_bodies(now - KEEP_BODIES))

    async def _tidy_now_and_then(self) -> None:
        """Tidy once an hour while webhooks come: a runner may stand for months."""
        if self._tidied and self.clock.now() - self._tidied[0] < _TIDY_EVERY:
            return
        with suppress(LedgerError):  # the webhook itself is safe
            await self.tidy()

    def _read(self, account: str, verified: bool, headers: Mapping[str, str], body: bytes) -> Webhook:
        if not verified and len(body) > MOST_UNPROVEN_BYTES:
            raise WebhookRefused("larger than 64 KiB, and nothing proves it", status=413)
        provider = self.accounts.provider(account)
        texts = provider.read_inbound(headers, body)
        return Webhook(
            account=account,
            body=body,
            at=self.clock.now(),
            verified=verified,
            observations=() if texts else provider.read_webhook(headers, body),
            texts=texts,
        )

    async def _is_proven(self, account: str, token: str, headers: Mapping[str, str], body: bytes) -> bool:
        reference = self.accounts.account(account).webhook_secret
        if not reference:
            return False
        secret = await self._secret_of(reference)
        if token and any(hmac.compare_digest(token.encode(), one.encode()) for one in secret.split()):
            return True
        provider = self.accounts.provider(account)
        if provider.verify_webhook(headers, body, secret, self.clock.now()):
            return True
        if provider.capabilities.assumed_signature in headers and not token:
            return False
        raise WebhookRefused("the signature does not hold")

    async def _secret_of(self, reference: str) -> str:
        """Follow a reference; webhooks of strangers must not hold up the calls, however long it takes."""
        if not is_slow(reference):
            return self.secret(reference)
        async with self._asking:
            return await asyncio.to_thread(self.secret, reference)

    async def _count(self, account: str, refusal: WebhookRefused) -> None:
        """Count refused webhooks in an event, at most one a minute and account, and nothing of what they held."""
        now = self.clock.now()
        refused = self._refused.setdefault(account, _Refused(now - _COUNT_EVERY))
        refused.count += 1
        if now - refused.written_at < _COUNT_EVERY:
            return
        count, refused.count, refused.written_at = refused.count, 0, now
        with suppress(LedgerError):  # the sender must not learn that the ledger is in trouble
            await self.journal.run(
                lambda ledger: ledger.letters.note(
                    now, None, "webhook_refused", account=account, reason=refusal.message, count=count
                )
            )

    def _take_all(self, ledger: Ledger, webhook: Webhook, contradicted: list[int]) -> str:
        """Store a webhook and settle what it says, in one transaction; the same one again changes nothing."""
        account, digest = webhook.account, webhook.digest
        if not ledger.receive(account, digest, webhook.body, webhook.at, verified=webhook.verified):
            return SEEN_BEFORE
        results = [self._take(ledger, webhook, one, contradicted) for one in webhook.observations]
        unknown = [
            (one.provider_id, one.reference)
            for one, result in zip(webhook.observations, results, strict=True)
            if result == UNKNOWN_CALL
        ]
        results += [
            take_text(ledger, self.reconciliation.policies, account, one, webhook.at, verified=webhook.verified)
            for one in webhook.texts
        ]
        if unknown or not webhook.verified:
            # Anybody may send what proves nothing: it is kept within bounds even when it waits for no call.
            ledger.letters.quarantine(account, digest, unknown or [("", "")])
        result = ", ".join(dict.fromkeys(results)) or "nothing to settle"
        ledger.settle_webhook(account, digest, result)
        reached(CrashPoint.IN_WEBHOOK)
        return result

    def _take(self, ledger: Ledger, webhook: Webhook, seen: Observation, contradicted: list[int]) -> str:
        work = ledger.find(webhook.account, seen.provider_id, seen.reference)
        if work is None:
            return self._take_native(ledger, webhook, seen) or UNKNOWN_CALL
        if work.attempt.account != webhook.account:
            return "another account's"
        if not webhook.verified:
            return self._take_hint(ledger, webhook, work, seen)
        if work.attempt.state not in SETTLED_BY_PROOF:
            return self._take_outside(ledger, webhook, work, seen, contradicted)
        if opted_out(seen) or (seen.is_final and not self._is_to_confirm(work)):
            ended = self.reconciliation.settle_read(ledger, work, seen)
            return "settled" if ended else "opted out"
        self._prove_accepted(ledger, work, seen, webhook.at)
        has_ended = seen.is_final or seen.ended_at is not None
        # It ended without saying how, or asking tells more.
        return _ask(ledger, work, webhook.at) if has_ended else "still live"

    def _take_native(self, ledger: Ledger, webhook: Webhook, seen: Observation) -> str:
        word = native_words.Word(
            account=webhook.account, digest=webhook.digest, seen=seen, at=webhook.at, verified=webhook.verified
        )
        return native_words.hear(self.reconciliation, ledger, word)

    def _take_hint(self, ledger: Ledger, webhook: Webhook, work: Assignment, seen: Observation) -> str:
        """Hear a word that nothing proves: the provider is asked where it can be, and nothing is settled.

        An opt-out holds all the same for a person whom we contacted, as one by text does: it places
        nothing, and missing one cannot be made good.
        """
        if opted_out(seen) and work.attempt.sent_at is not None:
            suppress_for(ledger, work, webhook.at, source=f"unproven webhook to account {webhook.account}")
            return "opted out"
        if work.attempt.state not in SETTLED_BY_PROOF:
            return "already settled"
        if not self.accounts.provider(webhook.account).capabilities.poll:
            return UNVERIFIED
        if not seen.is_final and seen.ended_at is None:
            return "still live"
        return _ask(ledger, work, webhook.at)

    def _is_to_confirm(self, work: Assignment) -> bool:
        """Whether asking tells more than this provider's webhooks, and it can be asked about this attempt."""
        can = self.accounts.provider(work.attempt.account).capabilities
        return can.confirm and work.attempt.state in {AttemptState.ACCEPTED, AttemptState.IN_DOUBT}

    def _take_outside(
        self, ledger: Ledger, webhook: Webhook, work: Assignment, seen: Observation, contradicted: list[int]
    ) -> str:
        """Hear a proven word about an attempt that has ended, or that waits in line although it was placed."""
        if work.attempt.state in {AttemptState.PLANNED, AttemptState.CLAIMED}:
            if seen.is_final and end_after_all(ledger, self.reconciliation.policies, work, seen, webhook.at):
                return "settled"
            if opted_out(seen):
                suppress_for(ledger, work, webhook.at)
                return "opted out"
            poll_at = webhook.at + self.accounts.poll(work.attempt.account)[0]
            if accept_after_all(ledger, work, seen, webhook.at, poll_at):
                return "still live"
            return "not under way"
        result = take_late(ledger, work, seen, webhook.at)
        if result == "conflict":
            contradicted.append(work.attempt.id)
        return result

    def _prove_accepted(self, ledger: Ledger, work: Assignment, seen: Observation, now: datetime) -> None:
        """End the doubt whether a request had arrived: a proven sign of life says that it had."""
        attempt = work.attempt
        if attempt.state is not AttemptState.IN_DOUBT or not seen.provider_id:
            return
        if ledger.find(attempt.account, seen.provider_id, "") is not None:
            return
        accepted = Move(
            attempt_id=attempt.id, old=attempt.state, new=AttemptState.ACCEPTED, at=now, reason="a webhook proves it",
            provider_id=seen.provider_id, poll_at=now + self.accounts.poll(attempt.account)[0],
        )  # fmt: skip
        if ledger.move([accepted])[0]:
            provider = self.accounts.provider(attempt.account)
            placed = replace(attempt, provider_id=seen.provider_id)
            hear_waiting(ledger, self.reconciliation.policies, provider, placed, now)


def _ask(ledger: Ledger, work: Assignment, now: datetime) -> str:
    """Have the provider asked at once; a doubt keeps its times."""
    ledger.ask_now(work.attempt.id, now)
    return "asking the provider" if work.attempt.state is AttemptState.ACCEPTED else "noted"
