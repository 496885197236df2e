"""Look a ledger over: the file, its references, what must hold of its rows, its moves and its audit chain."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from sqlite3 import DatabaseError, Row
from typing import Final

from runner.ledger import chain
from runner.ledger.store import Store
from runner.model.attempt import MOVES, AttemptState
from runner.model.move import ContactState

_S = AttemptState
_SILENT: Final[dict[AttemptState, frozenset[AttemptState]]] = {
    _S.PLANNED: frozenset({_S.CLAIMED, _S.SUPERSEDED, _S.CANCELLED, _S.SUPPRESSED}),
    _S.CLAIMED: frozenset(),
    _S.SUPERSEDED: frozenset({_S.PLANNED}),
}
"""moves that write no event: claims, and what apply calls off and takes back; erasing a person calls off too"""
_ASKED: Final = frozenset({_S.ACCEPTED, _S.IN_DOUBT})
_RULES: Final = (
    ("one live attempt", "broken_live"),
    ("one live attempt", "broken_open"),
    ("provider's ids", "broken_ids"),
    ("provider's ids", "broken_accepted"),
    ("states", "broken_states"),
    ("states", "broken_contacts"),
    ("durable intents", "broken_intents"),
    ("outcomes", "broken_outcomes"),
    ("suppressions", "broken_suppressions"),
)
CHECKS: Final = ("file", "references", *dict.fromkeys(rule for rule, _ in _RULES), "moves", "audit chain")
"""what is looked at, in this order"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that must not be."""

    check: str
    """one of CHECKS"""
    what: str
    """which row, and what is wrong with it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was looked at and found."""

    faults: tuple[Fault, ...]
    checks: tuple[str, ...]
    contacts: int
    attempts: int
    head: chain.Head

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults


def audit(store: Store, *, quick: bool = False, expected: chain.Head | None = None) -> Audit:
    """Look a ledger over, as of one state of it; with `quick` the file, the references and the rows alone.

    A file that is not sound is looked into no further.

    `expected` is a head of the chain that was noted before.
    """
    with store.reading():
        faults = [*_file(store, quick=quick)]
        if faults:
            return Audit(
                faults=tuple(faults), checks=CHECKS[:1], contacts=0, attempts=0, head=chain.Head(event=0, hash="")
            )
        faults = [*_references(store), *_rows(store)]
        if not quick or expected is not None:
            faults += _moves(store)
            faults += [
                Fault(check="audit chain", what=one) for one in chain.broken_links(store._connection, expected)  # noqa: SLF001 the same room
            ]  # fmt: skip
        counts = store.one("count_rows")
        return Audit(
            faults=tuple(faults),
            checks=CHECKS if not quick or expected is not None else CHECKS[:-2],
            contacts=counts["contacts"] if counts is not None else 0,
            attempts=counts["attempts"] if counts is not None else 0,
            head=chain.head_of(store._connection),  # noqa: SLF001 the same room
        )


def _file(store: Store, *, quick: bool) -> Iterator[Fault]:
    check = "quick_check" if quick else "integrity_check"
    try:
        for row in store._connection.execute(f"PRAGMA {check}"):  # noqa: SLF001 the same room
            if row[0] != "ok":
                yield Fault(check="file", what=row[0])
    except DatabaseError as error:
        yield Fault(check="file", what=str(error))


def _references(store: Store) -> Iterator[Fault]:
    for row in store._connection.execute("PRAGMA foreign_key_check"):  # noqa: SLF001 the same room
        yield Fault(check="references", what=f"row {row[1]} of {row[0]} names a row of {row[2]} that is not there")


def _rows(store: Store) -> Iterator[Fault]:
    states = {
        "attempt_states": json.dumps([one.value for one in AttemptState]),
        "contact_states": json.dumps([one.value for one in ContactState]),
    }
    for rule, name in _RULES:
        for row in store.all(name, **(states if name == "broken_states" else {})):
            yield Fault(check=rule, what=row["what"])


def _moves(store: Store) -> Iterator[Fault]:
    """Replay what was written down of every attempt against the table of moves, up to where it stands."""
    rows = store.all("moves_of_attempts", attempt_states=json.dumps([one.value for one in AttemptState]))
    for attempt, events in groupby(rows, key=lambda row: (row["id"], row["state"])):
        for what in replayed(attempt[1], events):
            yield Fault(check="moves", what=f"attempt {attempt[0]} {what}")


def replayed(state: str, events: Iterable[Row]) -> Iterator[str]:
    """Say where the events of an attempt and the state that it is in break the table of moves."""
    at = _S.PLANNED
    for event in events:
        if event["event_id"] is None:
            continue
        new, detail = _S(event["kind"]), json.loads(event["detail"])
        old = _S(detail["from"]) if "from" in detail else _before(at, new)
        if old not in _reach(at):
            yield f"was {at}, and event {event['event_id']} says that it was {old}"
        if new not in MOVES[old] and not (new is old and new in _ASKED):
            yield f"went from {old} to {new} by event {event['event_id']}, which no attempt may"
        at = new
    if state in set(_S) and _S(state) not in _reach(at) and not _was_erased(at, _S(state)):
        yield f"is {state}, and what was written down of it ends at {at}"


def _before(at: AttemptState, new: AttemptState) -> AttemptState:
    """Give where an attempt was before an event that does not say it, the nearest from which it may go on."""
    return next((old for old in (at, *sorted(_reach(at))) if new in MOVES[old] or new is old), at)


def _was_erased(at: AttemptState, state: AttemptState) -> bool:
    """Whether erasing its person ended an attempt that was held."""
    return at is _S.HELD and state is _S.FINISHED


def _reach(at: AttemptState) -> frozenset[AttemptState]:
    """Give where an attempt may have got to without an event."""
    seen, waiting = {at}, [at]
    while waiting:
        for new in _SILENT.get(waiting.pop(), frozenset()) - seen:
            seen.add(new)
            waiting.append(new)
    return frozenset(seen)
