"""The list of people who must not be contacted, as a person keeps it by hand; the engine adds to it by itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from sqlite3 import Row

from runner.ledger.instants import from_micros, to_micros
from runner.ledger.store import Store
from runner.model.suppression import Suppression

_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Lifted:
    """An entry that was taken from the list."""

    entry: Suppression
    listed_by: tuple[str, ...]
    """accounts whose own do-not-call list has the number, from which the next run takes it anew"""


def suppressions(store: Store) -> list[Suppression]:
    """Give every entry, those included whose time is over, in the order in which they were made."""
    return [_entry(row) for row in store.all("suppressions")]


def suppression_of(store: Store, phone: str) -> Suppression | None:
    """Give the entry of a number; None when it has none."""
    row = store.one("suppression", phone=phone)
    return _entry(row) if row is not None else None


def suppress_all(store: Store, entries: Iterable[Suppression], now: datetime) -> Iterator[bool]:
    """Put entries on the list; for each, whether it is news. A runner at work gets its turn in between."""
    waiting = iter(entries)
    while some := list(islice(waiting, _AT_ONCE)):
        with store.transaction():
            news = [store.suppress(one.phone, one.reason, one.source, now, until=one.until) for one in some]
        yield from news


def lift(store: Store, phone: str, why: str, by: str, now: datetime) -> Lifted | None:
    """Take a number from the list and keep the entry with who did it and why; None when it has none.

    What was called off stays so. Providers' own lists are not touched: what stands there, the next
    run takes over again.
    """
    with store.transaction():
        entry = suppression_of(store, phone)
        if entry is None:
            return _lift_erased(store, phone, why, by, now)
        store.change("keep_lifted", phone=phone, lifted_at=to_micros(now), why=why, lifted_by=by)
        store.change("lift_suppression", phone=phone)
        listed_by = tuple(row["account"] for row in store.all("lists_with", phone=phone))
        store.change("forget_listed", phone=phone)
        store.event(now, None, "suppression_lifted", source=entry.source, why=why, by=by)
    return Lifted(entry=entry, listed_by=listed_by)


def _lift_erased(store: Store, phone: str, why: str, by: str, now: datetime) -> Lifted | None:
    """Let somebody be contacted again who was erased; None when the number was not."""
    row = store.one("is_erased", phone=phone)
    if row is None:
        return None
    store.change("lift_erased", phone=phone)
    store.event(now, None, "suppression_lifted", source="erased", why=why, by=by)
    return Lifted(entry=Suppression(phone=phone, reason=row["reason"], source="erased", at=now), listed_by=())


def _entry(row: Row) -> Suppression:
    return Suppression(
        phone=row["phone"], reason=row["reason"], source=row["source"], at=from_micros(row["at"]),
        until=from_micros(row["until"]),
    )  # fmt: skip
