"""Start the rounds of campaigns that repeat: on time, or late as `catch_up` says, each at most once.

A round that cannot be started is not started later: its campaign is paused with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby

from runner.engine.journal import Journal
from runner.engine.policies import Policies
from runner.errors import FilesWrong, LedgerUnwritable, OutreachError
from runner.model.rounds import ABSENT, HALF_APPLIED, PAUSED, Recurring, RoundRecord, RoundState, round_name
from runner.ports import Clock, Ledger
from runner.ports.rounds import RoundStarter
from runner.ports.telemetry import named
from runner.rules.earlier_rounds import Fate, earlier_rounds, half_applied_rounds
from runner.rules.recurrence import DueRounds, Recurrence, due_rounds, next_round, recurrence_of, rounds_count_from

log = logging.getLogger(__name__)

NOT_STARTED = "a round was not started: "
"""how the reason of a pause begins that a round caused; applying the campaign again ends it"""


class Rounds:
    """The rounds of one ledger's campaigns; asked at every look of the dispatcher."""

    def __init__(
        self, journal: Journal, policies: Policies, starter: RoundStarter, clock: Clock, patience: timedelta
    ) -> None:
        """`patience` is how late a look may come without having been asleep, in the clock's time."""
        self._journal = journal
        self._policies = policies
        self._starter = starter
        self._clock = clock
        self._patience = patience
        self._awake_since: datetime | None = None
        self._expected: datetime | None = None
        self._is_starting = False
        self._stopping = False

    def stop(self) -> None:
        """Begin no other round; one that is being written down is finished, and the others are due as they were."""
        self._stopping = True

    def next_at(self, ledger: Ledger, now: datetime) -> datetime | None:
        """Give when the next round is due, `now` or earlier when one is; None when there is none, or while it is started."""
        self._stay_awake(now)
        waiting = [] if self._is_starting else [self._next_of(one, now) for one in self._watched(ledger)]
        found = min((at for at in waiting if at is not None), default=None)
        # Nobody looks before the instant that was asked for, so until then a look is not late.
        self._expected = max(now, found or now)
        return found

    def take(self) -> None:
        """Have `next_at` speak of no round until `start`, which has to follow, is through."""
        self._is_starting = True

    async def start(self) -> None:
        """Start every round that is due and write down those that were missed.

        Raises LedgerError when the ledger cannot be written.
        """
        try:
            for one, recurrence in await self._journal.run(self._renewed):
                await self._start_those_of(one, recurrence, self._clock.now())
        finally:
            self._is_starting = False

    async def begin(self) -> None:
        """Start a round of each campaign now, whatever its rule says; for the sandbox, where windows can be ignored."""
        at = self._clock.now().replace(second=0, microsecond=0)
        for one, recurrence in await self._journal.run(self._renewed):
            if one.is_active and recurrence is not None:
                await self._start_one(one, at)

    def _watched(self, ledger: Ledger) -> list[Recurring]:
        asked = self._policies.asked
        return [one for one in ledger.rounds.recurring() if asked is None or one.name in asked]

    def _renewed(self, ledger: Ledger) -> list[tuple[Recurring, Recurrence | None]]:
        """Give the campaigns with the rules in force now: another process may have applied one a moment ago."""
        self._policies.renew(ledger.campaigns_in_force())
        return [(one, self._recurrence(one)) for one in self._watched(ledger)]

    def _stay_awake(self, now: datetime) -> None:
        if self._awake_since is None or self._expected is None or now - self._expected > self._patience:
            self._awake_since = now

    def _recurrence(self, one: Recurring) -> Recurrence | None:
        return recurrence_of(self._policies.of(one.name).campaign)

    def _next_of(self, one: Recurring, now: datetime) -> datetime | None:
        if one.since < one.applied_at:  # rounds of earlier rules are not accounted for; a clock may have been ahead
            return max(now, one.applied_at)
        recurrence = self._recurrence(one)
        return next_round(recurrence, rounds_count_from(one.since, now)) if recurrence is not None else None

    async def _start_those_of(self, one: Recurring, recurrence: Recurrence | None, now: datetime) -> None:
        """Do what becomes of each round in order of time, so that whatever ends it, later ones are sorted anew."""
        awake_since, took_over = self._awake_since or now, one.since < one.applied_at <= now
        fates: list[Fate] = []
        if took_over:
            earlier = await self._journal.run(lambda ledger: ledger.rounds.earlier_rules(one.name))
            fates = await asyncio.to_thread(earlier_rounds, earlier, one, now, recurrence, awake_since)
        if recurrence is not None:
            fates += _fates(recurrence, one, now, awake_since)
        for reason, group in groupby(fates, lambda fate: fate.reason):
            due = [fate.at for fate in group]
            if reason:
                await self._note_missed(one, due, reason, now)
            elif not await self._start_each(one, due):
                return
        if took_over:
            await self._journal.run(lambda ledger: _account(ledger, one, repeats=recurrence is not None))

    async def _start_each(self, one: Recurring, due: Sequence[datetime]) -> bool:
        """Start rounds one after the other; whether all went well and nobody said stop."""
        for at in due:
            if self._stopping or not await self._start_one(one, at):
                return False
        return True

    async def _note_missed(self, one: Recurring, due: Sequence[datetime], reason: str, now: datetime) -> None:
        count = await self._journal.run(lambda ledger: ledger.rounds.note_missed(one.name, due, reason, now))
        if count:
            extra = named("rounds_missed", campaign=one.name)
            log.warning("%s: %d missed, not started: %s", one.name, count, reason, extra=extra)

    async def _start_one(self, one: Recurring, at: datetime) -> bool:
        """Start a round; whether that went well, otherwise the campaign is paused."""
        try:
            await asyncio.to_thread(self._starter.start, one, at, self._clock.now())
        except LedgerUnwritable:
            raise
        except OutreachError as error:
            await self._refuse(one, at, _sentence(error))
            return False
        record = _started(one, at, self._clock.now())
        await self._journal.run(lambda ledger: ledger.rounds.note(record))
        return True

    async def _refuse(self, one: Recurring, at: datetime, reason: str) -> None:
        now = self._clock.now()
        record = RoundRecord(campaign=one.name, at=at, state=RoundState.REFUSED, noted_at=now, reason=reason)

        def write(ledger: Ledger) -> bool:
            if not any((other.name, other.digest, other.file) == said for other in ledger.rounds.recurring()):
                return False  # other rules were applied meanwhile: the next look says whether they have the round
            ledger.rounds.note(record)
            ledger.rounds.drop_half(round_name(one.name, at), reason)
            ledger.pause(one.name, NOT_STARTED + reason, now)
            return True

        said = one.name, one.digest, one.file
        if await self._journal.run(write):
            log.warning("%s: %s%s", one.name, NOT_STARTED, reason, extra=named("round_refused", campaign=one.name))


def _fates(of: Recurrence, one: Recurring, now: datetime, awake_since: datetime) -> list[Fate]:
    """Say in order of time what becomes of the rounds that the rules in force made due."""
    half = half_applied_rounds(of, one, now)
    due = due_rounds(of, half[-1] if half else max(one.since, one.applied_at), now, awake_since)
    if not one.is_active:
        due = DueRounds(missed=(*due.missed, *due.start))
    reason = ABSENT if one.is_active else PAUSED
    return [
        *(Fate(at=at, reason=HALF_APPLIED) for at in half),
        *(Fate(at=at, reason=reason) for at in due.missed),
        *(Fate(at=at) for at in due.start),
    ]


def _account(ledger: Ledger, one: Recurring, *, repeats: bool) -> None:
    ledger.rounds.account_for(one.name, one.applied_at)
    in_force = [other.name for other in ledger.rounds.recurring() if other.applied_at == one.applied_at]
    if not repeats and one.name in in_force:  # else it was applied anew, and may repeat again
        ledger.rounds.forget(one.name)


def _started(one: Recurring, at: datetime, now: datetime) -> RoundRecord:
    name = round_name(one.name, at)
    return RoundRecord(campaign=one.name, at=at, state=RoundState.STARTED, noted_at=now, name=name)


def _sentence(error: OutreachError) -> str:
    """Give an error in one line, with its first place when it is in a file."""
    if not isinstance(error, FilesWrong) or not error.diagnostics:
        return error.message
    first, *others = error.diagnostics
    place = f"{first.file}:{first.span.line}: " if first.span is not None else (f"{first.file}: " if first.file else "")
    return f"{place}{first.message}" + (f" (and {len(others)} more)" if others else "")
