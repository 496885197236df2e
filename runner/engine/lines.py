"""How many calls each account lets start now, where its provider says how many lines are free, whoever uses the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

from runner.model.attempt import Assignment

COUNT_LASTS = timedelta(seconds=5)
"""how old a count of free lines may get before the provider is asked again"""


@dataclass(slots=True)
class _Count:
    """What may start since the provider was asked."""

    at: datetime
    free: int


class Lines:
    """What is known of accounts for a moment; nothing of it outlives the process. For the event loop's thread alone.

    The provider counts every live call of an account, whoever placed it; of ours it may not know yet those whose
    requests are on their way, so these are taken off its count.
    """

    def __init__(self) -> None:
        self._counts: dict[str, _Count] = {}
        self._flying: Counter[str] = Counter()
        self._counting: Counter[str] = Counter()
        """by account that is being asked: the calls that its answer may not know of"""
        self._asked: set[str] = set()

    def free(self, limited: Iterable[str]) -> dict[str, int]:
        """Give how many calls may start now, of the accounts whose lines are `limited`; none while nobody says."""
        return {account: self._counts[account].free if account in self._counts else 0 for account in limited}

    def took(self, claimed: Iterable[Assignment]) -> None:
        """Count attempts that are about to be sent."""
        for work in claimed:
            if work.attempt.channel == "call":
                self._flying[work.attempt.account] += 1
                self._counting[work.attempt.account] += 1
                if work.attempt.account in self._counts:
                    self._counts[work.attempt.account].free -= 1

    def landed(self, work: Assignment) -> None:
        """Take note that an attempt was answered, or was not sent after all."""
        if work.attempt.channel == "call":
            self._flying[work.attempt.account] -= 1

    def begin_count(self, account: str) -> None:
        """Take note that an account's provider is being asked."""
        self._asked.add(account)
        self._counting[account] = self._flying[account]

    def end_count(self, account: str, available: int | None, spare: int, now: datetime) -> None:
        """Take in how many lines the provider has free, `spare` of which are for others; None when it did not say."""
        free = 0 if available is None else max(0, available - spare - self._counting[account])
        self._counts[account] = _Count(now, free)
        self._asked.discard(account)

    def to_count(self, limited: Collection[str], due: Collection[str], now: datetime) -> list[str]:
        """Give the limited accounts with something due whose lines are to be counted; forget what the others had free."""
        for account in set(self._counts) - set(due):
            del self._counts[account]
        return [
            account
            for account in sorted(set(limited) & set(due) - self._asked)
            if account not in self._counts or now >= self._counts[account].at + COUNT_LASTS
        ]

    def next_at(self, due: AbstractSet[str]) -> datetime | None:
        """Give when a line is to be looked for again."""
        recounts = [count.at + COUNT_LASTS for account, count in self._counts.items() if account in due - self._asked]
        return min(recounts, default=None)
