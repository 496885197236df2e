"""Webhooks that came before their call was known: they wait, and are heard in the transaction that makes it known."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from runner.engine.endings import SETTLED_BY_PROOF, end, suppress_for, take_late
from runner.engine.policies import Policies
from runner.engine.settlement import opted_out
from runner.errors import WebhookRefused
from runner.model.attempt import Attempt
from runner.model.outcome import Observation
from runner.model.result import StoredWebhook
from runner.ports import Ledger, Provider

WAIT_FOR_CALL = timedelta(minutes=10)
"""how long a webhook waits for the call that it names"""


def hear_waiting(
    ledger: Ledger,
    policies: Policies,
    provider: Provider,
    attempt: Attempt,
    now: datetime,
    *,
    waited: timedelta = WAIT_FOR_CALL,
) -> None:
    """Hear the webhooks that waited for an attempt which the provider has now taken, at most so long.

    `attempt` bears the provider's id by now. A proven one settles it; an unproven one has the provider asked.
    """
    since = now - waited
    for webhook in ledger.letters.waiting(attempt.account, attempt.provider_id, attempt.key, since):
        ledger.letters.release(webhook, _hear(ledger, policies, provider, webhook, attempt, now))


def _hear(
    ledger: Ledger, policies: Policies, provider: Provider, webhook: StoredWebhook, attempt: Attempt, now: datetime
) -> str:
    try:
        seen = _about(provider.read_webhook({}, webhook.body), attempt)
    except WebhookRefused as error:
        return f"waited for its call: {error.message}"
    results = []
    for one in seen:
        # What asking tells better is not settled by a webhook, but an opt-out is heard at once.
        settles = webhook.verified and (opted_out(one) or not provider.capabilities.confirm)
        is_settled = settles and end(ledger, policies, attempt.id, one, now)
        results.append("settled" if is_settled else _hear_on(ledger, one, attempt, now, verified=webhook.verified))
    return f"waited for its call: {', '.join(dict.fromkeys(results)) or 'nothing to settle'}"


def _about(observations: Iterable[Observation], attempt: Attempt) -> list[Observation]:
    return [
        one for one in observations if one.reference == attempt.key or (one.provider_id == attempt.provider_id != "")
    ]


def _hear_on(ledger: Ledger, seen: Observation, attempt: Attempt, now: datetime, *, verified: bool) -> str:
    """Hear what settles nothing by itself: a late word, or a reason to ask."""
    work = ledger.assignments([attempt.id])[0]
    if verified and work.attempt.state not in SETTLED_BY_PROOF:
        return take_late(ledger, work, seen, now)
    if not verified and opted_out(seen):
        suppress_for(ledger, work, now, source=f"unproven webhook to account {attempt.account}")
        return "opted out"
    if seen.is_final or seen.ended_at is not None:
        ledger.ask_now(attempt.id, now)
        return "asking the provider"
    return "still live"
