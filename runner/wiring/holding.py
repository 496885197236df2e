"""Take a ledger as its one runner, hold it, and give it back at an orderly end."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import NamedTuple, Self

from runner import __version__
from runner.engine.clock_watch import ClockWatch
from runner.engine.journal import Journal
from runner.engine.tenure import Tenure
from runner.errors import ClockWrong, LedgerError, LedgerHeld
from runner.ledger import instance, sqlite
from runner.ledger.holder import is_proven_dead, this_process
from runner.ledger.reserve import reserved
from runner.ledger.store import Store
from runner.model.lease import Holder, Lease
from runner.ports.telemetry import SILENT, Telemetry, named
from runner.rules.clocks import in_words, ledger_is_ahead
from runner.rules.lease import LASTS, is_free, is_over_by_watching
from runner.schedule.clock import FastClock, SystemClock, VirtualClock, boottime

log = logging.getLogger(__name__)

_LOOK_SECONDS = 0.5
_PATIENT_TRIES = 12
"""how often a transaction is tried while another process keeps the ledger locked: for a minute in all"""


class Taken(NamedTuple):
    """A ledger that was taken: its store, its one writer, and the watch over the clock."""

    store: Store
    journal: Journal
    watch: ClockWatch


@dataclass(frozen=True, slots=True, kw_only=True)
class Bearer:
    """Who takes the ledger, and the clocks by which it is held: the machine's own, whatever the engine's clock says."""

    holder: Holder
    wall: Callable[[], datetime]
    boottime: Callable[[], float]
    lapses: bool = True
    """whether the lease ends when it is not renewed"""

    @classmethod
    def of(cls, clock: SystemClock | FastClock | VirtualClock) -> Self:
        """Give this process by the machine's clocks; in a rehearsal nobody in particular, for whom no time passes."""
        if isinstance(clock, VirtualClock):
            nobody = Holder(host="rehearsal", boot="", pid=0, began=0, version=__version__)
            return cls(holder=nobody, wall=clock.now, boottime=lambda: 0.0, lapses=False)
        return cls(holder=this_process(), wall=SystemClock().now, boottime=boottime)


@asynccontextmanager
async def taken(  # noqa: PLR0913 what taking it may be told
    ledger: Path,
    clock: SystemClock | FastClock | VirtualClock,
    open_store: Callable[[Path], Store],
    *,
    serves: bool = False,
    waits: bool = False,
    trusts_clock: bool = False,
    telemetry: Telemetry = SILENT,
) -> AsyncIterator[Taken]:
    """Take a ledger as its one runner, by lock and by lease, and give it back at the end.

    Raises LedgerHeld when another runner has it, or waits for it; LedgerCopied for a copy that was not reconciled; ClockWrong when the ledger knows of
    instants that lie well after the present, unless the clock is to be trusted.
    """
    is_real = isinstance(clock, SystemClock)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(locked(ledger, serves=serves, waits=waits))
        store = open_store(ledger)
        stack.callback(store.close)
        instance.require_own(store.tide)
        if is_real and not trusts_clock:
            refuse_wrong_clock(store, clock.now())
        tenure = await stack.enter_async_context(held(store, ledger, Bearer.of(clock), waits=waits))
        spare = stack.enter_context(reserved(ledger)) if is_real else None
        store.patience = _PATIENT_TRIES
        journal = await stack.enter_async_context(Journal(store, telemetry, tenure, spare))
        yield Taken(store, journal, ClockWatch(clock, hears_replies=is_real))


@asynccontextmanager
async def locked(ledger: Path, *, serves: bool, waits: bool) -> AsyncIterator[None]:
    """Hold the operating system's lock on a ledger; raise LedgerHeld when another process has it, or wait for it."""
    async with AsyncExitStack() as stack:
        has_said = False
        while True:
            try:
                stack.enter_context(sqlite.exclusive_runner(ledger, serves=serves))
                break
            except LedgerHeld as held:
                if not waits:
                    raise
                if not has_said:
                    log.warning("%s; this one waits until it ends", held.message, extra=named("ledger_awaited"))
                has_said = True
                await asyncio.sleep(_LOOK_SECONDS)
        yield


@asynccontextmanager
async def held(store: Store, ledger: Path, bearer: Bearer, *, waits: bool) -> AsyncIterator[Tenure]:
    """Take the ledger's lease, and give it back at the end.

    Raises LedgerHeld while another runner's lease lasts that nobody can prove dead; with `waits` it is
    watched until it was not renewed for as long as it lasts. Nothing here relies on the lock.
    """
    epoch = await _taken(store, bearer, waits=waits)
    tenure = Tenure(epoch, bearer.wall, bearer.boottime, is_there=_still_there(ledger), lapses=bearer.lapses)
    try:
        yield tenure
    finally:
        try:
            store.leases.release(epoch)
        except LedgerError as error:  # it ends by itself
            log.info("the lease could not be given back: %s", error.message, extra=named("lease_kept"))


def refuse_wrong_clock(store: Store, now: datetime) -> None:
    """Raise ClockWrong when the ledger knows of instants that lie well after the present."""
    newest = store.leases.newest_instant()
    ahead = ledger_is_ahead(newest, now)
    if newest is None or ahead is None:
        return
    raise ClockWrong(
        f"this machine's clock says {now:%Y-%m-%d %H:%M:%S} UTC, and the ledger was last written "
        f"{in_words(ahead)} later, at {newest:%Y-%m-%d %H:%M:%S} UTC",
        help="set the clock right (timedatectl), then run again; if it is the ledger's past that was wrong: --trust-clock",
    )


async def _taken(store: Store, bearer: Bearer, *, waits: bool) -> int:
    """Take the lease as soon as that is right; give the epoch."""
    first, watched_since, has_said = store.leases.current(), bearer.boottime(), False
    while True:
        seen = store.leases.current()
        if (seen.epoch, seen.renewed) != (first.epoch, first.renewed):
            first, watched_since = seen, bearer.boottime()
        is_dead = is_proven_dead(seen.holder, bearer.holder)
        now = bearer.wall()
        watched = bearer.boottime() - watched_since
        if is_free(seen, now, holder_is_dead=is_dead) or (waits and is_over_by_watching(first, seen, watched)):
            epoch = store.leases.take(seen, bearer.holder, now, now + LASTS)
            if epoch is not None:
                return epoch
            continue
        if not waits:
            raise _held_by(seen)
        if not has_said:
            sentence = "%s holds this ledger; this one waits until it does no longer"
            log.warning(sentence, seen.holder.sentence, extra=named("ledger_awaited"))
        has_said = True
        await asyncio.sleep(_LOOK_SECONDS)


def _held_by(lease: Lease) -> LedgerHeld:
    return LedgerHeld(
        f"{lease.holder.sentence} holds this ledger until {lease.until:%Y-%m-%d %H:%M:%S} UTC, and whether it has "
        "ended cannot be seen from here",
        help="end it there; or wait until its lease is over: --takeover",
    )


def _still_there(ledger: Path) -> Callable[[], bool]:
    """Give a function that says whether a ledger's file is still the one that is open now."""
    path = os.fspath(ledger)
    opened = os.stat(path)  # noqa: PTH116 it is asked in each transaction, and a Path asks slowly

    def is_there() -> bool:
        try:
            found = os.stat(path)  # noqa: PTH116
        except OSError:
            return False
        return (found.st_dev, found.st_ino) == (opened.st_dev, opened.st_ino)

    return is_there
