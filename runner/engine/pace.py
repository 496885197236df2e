"""How many calls each account lets start now: none while it was told to wait, no more than it has lines to spare."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from runner.model.attempt import Assignment
from runner.model.channel import Channel

COUNT_LASTS = timedelta(seconds=5)
"""how old a count of free lines may get before the provider is asked again"""


@dataclass(slots=True)
class _Lines:
    """What may start since the provider was asked."""

    at: datetime
    free: int


@dataclass(frozen=True, slots=True)
class Room:
    """What accounts let start at one moment; `taken` is, by account, what was claimed since."""

    resting: frozenset[str] = frozenset()
    """accounts that were told to wait"""
    free: Mapping[str, int] = field(default_factory=dict)
    """how many calls may start, by account whose lines are limited"""

    def shut(self, taken: Mapping[str, int]) -> list[tuple[str, Channel]]:
        """Give what may not start, by account and channel."""
        busy = [account for account, free in self.free.items() if free <= taken.get(account, 0)]
        waiting: list[tuple[str, Channel]] = [(account, "text") for account in self.resting]
        return [*waiting, *((account, "call") for account in {*self.resting, *busy})]

    def most(self, accounts: Collection[str], taken: Mapping[str, int]) -> int | None:
        """Give how many may be claimed at once through these accounts, so that none gets too many; None for any number.

        It is at least 1: an account without a line is shut, and keeps nobody else waiting.
        """
        rooms = [free - taken.get(account, 0) for account, free in self.free.items() if account in accounts]
        return min((room for room in rooms if room > 0), default=None)


class Pace:
    """What is known of accounts for a moment; nothing of it outlives the process. For the event loop's thread alone.

    The provider counts every live call of an account, whoever placed it; of ours it may not know yet those whose
    requests are on their way, so these are taken off its count.
    """

    def __init__(self) -> None:
        self._rests: dict[str, datetime] = {}
        self._lines: dict[str, _Lines] = {}
        self._flying: Counter[str] = Counter()
        self._counting: Counter[str] = Counter()
        """by account that is being asked: the calls that its answer may not know of"""
        self._asked: set[str] = set()

    def rest(self, account: str, until: datetime) -> None:
        """Have an account start nothing until then."""
        self._rests[account] = max(until, self._rests.get(account, until))

    def took(self, claimed: Iterable[Assignment]) -> None:
        """Count attempts that are about to be sent."""
        for work in claimed:
            if work.attempt.channel == "call":
                self._flying[work.attempt.account] += 1
                self._counting[work.attempt.account] += 1
                if work.attempt.account in self._lines:
                    self._lines[work.attempt.account].free -= 1

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
        self._lines[account] = _Lines(now, free)
        self._asked.discard(account)

    def to_count(self, limited: Collection[str], due: Collection[str], now: datetime) -> list[str]:
        """Give the limited accounts with something due whose lines are to be counted; forget what the others had free."""
        for account in set(self._lines) - set(due):
            del self._lines[account]
        return [
            account
            for account in sorted(set(limited) & set(due) - self._asked)
            if account not in self._lines or now >= self._lines[account].at + COUNT_LASTS
        ]

    def room(self, limited: Iterable[str], now: datetime) -> Room:
        """Give what may start now, of the accounts whose lines are `limited` and of all others."""
        free = {account: self._lines[account].free if account in self._lines else 0 for account in limited}
        return Room(resting=frozenset(self._resting(now)), free=free)

    def next_at(self, due: AbstractSet[str], now: datetime) -> datetime | None:
        """Give when there is room again by time alone, or a line is to be looked for again."""
        recounts = [lines.at + COUNT_LASTS for account, lines in self._lines.items() if account in due - self._asked]
        return min([*self._resting(now).values(), *recounts], default=None)

    def _resting(self, now: datetime) -> dict[str, datetime]:
        return {account: until for account, until in self._rests.items() if until > now}
