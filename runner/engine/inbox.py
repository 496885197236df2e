"""Take in webhooks: stored as they came, verified, then settled; a doubtful one only asks the provider."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.engine.accounts import Accounts
from runner.engine.journal import Journal
from runner.engine.reconciliation import SETTLED_BY_PROOF, Reconciliation
from runner.errors import WebhookRefused
from runner.model.attempt import Assignment, AttemptState
from runner.model.move import Move
from runner.model.outcome import Observation, Outcome
from runner.ports import Clock, Ledger


@dataclass(frozen=True, slots=True)
class Inbox:
    """What receiving webhooks needs."""

    journal: Journal
    accounts: Accounts
    reconciliation: Reconciliation
    clock: Clock
    secret: Callable[[str], str]
    """gives the value of a credential reference"""

    async def receive(self, account: str, token: str, headers: Mapping[str, str], body: bytes) -> str:
        """Take in one webhook; give what it led to, after that is durable.

        A webhook is proof when the provider's signature or the secret token in its URL holds.
        An unproven one is a hint: the provider is asked, and where it cannot be asked, or a
        configured proof fails, the webhook is refused. Raises WebhookRefused.
        """
        if account not in self.accounts:
            raise WebhookRefused("no such account", status=404)
        verified = self._is_proven(account, token, headers, body)
        observations = self.accounts.provider(account).read_webhook(headers, body)
        now = self.clock.now()
        result = await self.journal.run(
            lambda ledger: self._take_all(ledger, account, body, observations, now, verified)
        )
        self.reconciliation.woken()
        return result

    def _take_all(
        self,
        ledger: Ledger,
        account: str,
        body: bytes,
        observations: Sequence[Observation],
        now: datetime,
        verified: bool,
    ) -> str:
        """Store a webhook and settle what it says, in one transaction; the same one again changes nothing."""
        digest = hashlib.sha256(body).hexdigest()
        if not ledger.receive(account, digest, body, now, verified=verified):
            return "seen before"
        results = [self._take(ledger, account, one, now, verified=verified) for one in observations]
        result = ", ".join(dict.fromkeys(results)) or "nothing to settle"
        ledger.settle_webhook(account, digest, result)
        return result

    def _is_proven(self, account: str, token: str, headers: Mapping[str, str], body: bytes) -> bool:
        reference = self.accounts.account(account).webhook_secret
        can_ask = self.accounts.provider(account).capabilities.poll
        if not reference:
            if not can_ask:
                raise WebhookRefused("this account has no webhook secret, and its provider cannot be asked")
            return False
        secret = self.secret(reference)
        if token and any(hmac.compare_digest(token.encode(), one.encode()) for one in secret.split()):
            return True
        if self.accounts.provider(account).verify_webhook(headers, body, secret, self.clock.now()):
            return True
        raise WebhookRefused("the signature does not hold")

    def _take(self, ledger: Ledger, account: str, seen: Observation, now: datetime, *, verified: bool) -> str:
        work = ledger.find(account, seen.provider_id, seen.reference)
        if work is None:
            return "unknown call"
        if work.attempt.account != account:
            return "another account's"
        if work.attempt.state not in SETTLED_BY_PROOF:
            return self._take_late(ledger, work, seen, now, verified=verified)
        if not seen.is_final and (seen.ended_at is None or work.attempt.state is AttemptState.IN_DOUBT):
            return self._take_live(ledger, work, seen, now, verified=verified)
        if not seen.is_final or not verified:
            # It ended without saying how, or nothing proves it: the provider is asked.
            ledger.ask_now(work.attempt.id, now)
            return "asking the provider"
        return "settled" if self.reconciliation.settle_in(ledger, work.attempt.id, seen) else "already settled"

    def _take_live(self, ledger: Ledger, work: Assignment, seen: Observation, now: datetime, *, verified: bool) -> str:
        """End a doubt: a proven webhook speaks of the attempt, so its request had arrived."""
        if not verified or work.attempt.state is not AttemptState.IN_DOUBT:
            return "still live"
        taken = ledger.find(account := work.attempt.account, seen.provider_id, "") if seen.provider_id else None
        accepted = Move(
            attempt_id=work.attempt.id, old=work.attempt.state, new=AttemptState.ACCEPTED, at=now,
            reason="a webhook speaks of it", poll_at=now + self.accounts.poll(account)[0],
            provider_id=seen.provider_id if taken is None else "",
        )  # fmt: skip
        ledger.move([accepted])
        return "found again"

    @staticmethod
    def _take_late(ledger: Ledger, work: Assignment, seen: Observation, now: datetime, *, verified: bool) -> str:
        """Keep the outcome that came first; yet a person who asks to be left alone afterwards is."""
        if verified and seen.outcome is Outcome.OPTED_OUT and not work.suppression:
            ledger.suppress(work.attempt.phone, "opted out", f"attempt {work.attempt.key}", now)
            return "opted out"
        return "already settled"
