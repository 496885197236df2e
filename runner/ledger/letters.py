"""What providers and people told us by themselves: webhooks that wait for their call, replies, lists of numbers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from runner.ledger.instants import to_micros
from runner.ledger.results import fill_result
from runner.model.attempt import Assignment, Attempt
from runner.model.outcome import InboundText, Observation
from runner.model.result import StoredWebhook

if TYPE_CHECKING:
    from runner.ledger.store import Store

MOST_WAITING = 10_000
"""how many webhooks are kept that name no known call, or that nothing proves"""
_SLACK = 10
"""sorting out what is dropped costs more than a webhook: it is done for every tenth of what is kept"""


class Letters:
    """The letters of one ledger; each method is one transaction, or joins the one that is open."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def quarantine(self, account: str, digest: str, names: Iterable[tuple[str, str]]) -> None:
        """Have a received webhook wait for the calls that it names, by provider's id and by planted key.

        One that waits for none is only counted with them, under two empty names. Of more than 11,000
        only 10,000 stay: what nothing proves goes first, and the oldest before the others.
        """
        with self._store.transaction():
            for provider_id, reference in names:
                self._store.change(
                    "quarantine", account=account, digest=digest, provider_id=provider_id, reference=reference
                )
            held = self._store.one("count_quarantine")
            if held is not None and held["count"] > MOST_WAITING + MOST_WAITING // _SLACK:
                self._store.change("trim_quarantine", most=MOST_WAITING)

    def known_calls(self, attempt: Attempt) -> frozenset[str]:
        """Give the provider's ids of a person's other attempts through the same account."""
        rows = self._store.all("known_calls", id=attempt.id, phone=attempt.phone, account=attempt.account)
        return frozenset(row["provider_id"] for row in rows)

    def looks(self, attempt_id: int) -> int:
        """Count how often an attempt came into doubt or stayed there after a look."""
        row = self._store.one("looks", id=attempt_id)
        return int(row["count"]) if row is not None else 0

    def waiting(self, account: str, provider_id: str, key: str, since: datetime) -> list[StoredWebhook]:
        """Give the webhooks that came since then and wait for this provider's id or this key, oldest first."""
        rows = self._store.all("waiting", account=account, provider_id=provider_id, key=key, since=to_micros(since))
        return [StoredWebhook(id=row["id"], body=row["body"], verified=bool(row["verified"])) for row in rows]

    def release(self, webhook: StoredWebhook, result: str) -> None:
        """Write down what a webhook that waited led to; it waits no more."""
        with self._store.transaction():
            self._store.change("leave_quarantine", id=webhook.id)
            self._store.change("result_of_webhook", id=webhook.id, result=result)

    def forget_bodies(self, before: datetime) -> int:
        """Drop the bodies of older webhooks; give of how many. Digests stay, so that they still count once."""
        return self._store.change("forget_bodies", before=to_micros(before))

    def outcome(self, attempt_id: int) -> str:
        """Give how an attempt ended; empty when it has not."""
        row = self._store.one("outcome_of_attempt", id=attempt_id)
        return str(row["outcome"]) if row is not None else ""

    def fill(self, attempt_id: int, seen: Observation) -> None:
        """Add what a later word knows to the result of an attempt; what it says already stays."""
        with self._store.transaction():
            fill_result(self._store, attempt_id, seen)

    def note(self, at: datetime, attempt_id: int | None, kind: str, **detail: Any) -> None:
        """Write an event."""
        self._store.event(at, attempt_id, kind, **detail)

    def note_once(self, at: datetime, attempt_id: int, kind: str, **detail: Any) -> bool:
        """Write an event that an attempt does not have yet; whether it had not."""
        with self._store.transaction():
            text = json.dumps(detail, ensure_ascii=False, separators=(",", ":"))
            if self._store.one("same_event", attempt_id=attempt_id, kind=kind, detail=text) is not None:
                return False
            self._store.event(at, attempt_id, kind, **detail)
        return True

    def newest_sent(self, account: str, phone: str) -> Assignment | None:
        """Give the attempt that a reply answers: the newest text to the person through this account, else the newest of all."""
        row = self._store.one("newest_sent", account=account, phone=phone)
        return self._store.assignments([row["id"]])[0] if row is not None else None

    def locales(self, phone: str) -> tuple[str, ...]:
        """Give the locales of the campaigns that hold a person."""
        return tuple(row["locale"] for row in self._store.all("locales_of_person", phone=phone))

    def leave_alone(self, contact_id: int) -> None:
        """Count a contact for whom its campaign has ended as suppressed: they asked for it since."""
        self._store.change("leave_alone", contact_id=contact_id)

    def is_suppressed(self, phone: str) -> bool:
        """Whether a person must not be contacted."""
        return self._store.one("is_suppressed", phone=phone) is not None

    def reply(
        self, account: str, text: InboundText, now: datetime, *, attempt_id: int | None, stops: bool, verified: bool
    ) -> bool:
        """Store a text that a person sent back; False when the provider told this very one before."""
        return bool(
            self._store.change(
                "add_reply", account=account, provider_id=text.provider_id, phone=text.from_number,
                to_number=text.to_number, body=text.body, at=to_micros(text.at or now), stops=stops,
                verified=verified, attempt_id=attempt_id,
            )
        )  # fmt: skip

    def unlisted(self, account: str, count: int) -> list[str]:
        """Give people who must not be contacted and whom the account's own list does not know yet, oldest first."""
        # Two counts are far cheaper than the search, and this is asked every second.
        row = self._store.one("count_unlisted", account=account)
        if row is None or not row["count"]:
            return []
        return [row["phone"] for row in self._store.all("unlisted", account=account, count=count)]

    def listed(self, account: str, phones: Sequence[str], now: datetime) -> int:
        """Write down that the account's own list knows these numbers; give how many are news."""
        with self._store.transaction():
            at = to_micros(now)
            return sum(self._store.change("list_number", account=account, phone=phone, at=at) for phone in phones)
