"""The audit chain: every event is bound to all before it, so that one changed, removed or put in between is found.

A link is `commitment || hash`, each SHA-256: the commitment covers the event's detail with a random
salt, the hash covers the hash before it, the event's other columns and the commitment. When a person
is erased, detail and salt go and the link stays: the chain still holds, and what stood there cannot
be guessed from it. A trigger of the schema writes the links through the function that `install` gives
a connection.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

ERASED: Final = '{"erased":true}'
"""the detail of an event whose own was erased; the schema allows no other change of an event"""
ERASURES: Final = ("erased", "purged")
"""kinds of events that name in `events` the ids of those whose detail they erased"""
_HASH = 32
_START: Final = b"\x00" * _HASH


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest event of a chain, and its hash: noted elsewhere it proves all before it."""

    event: int
    hash: str
    """64 hex digits; empty with no event"""

    def __str__(self) -> str:
        """Write it as `outreach ledger verify --head` takes it."""
        return f"{self.event}:{self.hash}"


def install(connection: sqlite3.Connection) -> None:
    """Give a connection the function that the schema links events with."""

    def link(*row: Any) -> bytes:
        before, event, at, attempt, kind, salt, detail = row
        return linked(before, (event, at, attempt, kind), salt, detail)

    connection.create_function("event_link", 7, link)


def linked(before: bytes | None, columns: tuple[int, int, int | None, str], salt: bytes | None, detail: str) -> bytes:
    """Give the link of an event after the link `before`; `columns` are its id, instant, attempt and kind."""
    commitment = _commitment(salt, detail)
    return commitment + _hash_after(before, columns, commitment)


def head_of(connection: sqlite3.Connection) -> Head:
    """Give the newest event of a ledger and its hash."""
    row = connection.execute("SELECT event_id, link FROM event_links ORDER BY event_id DESC LIMIT 1").fetchone()
    return Head(event=row[0], hash=row[1][_HASH:].hex()) if row is not None else Head(event=0, hash="")


def broken_links(connection: sqlite3.Connection, expected: Head | None = None) -> Iterator[str]:
    """Say of each event that was changed, removed or put in, which it is; nothing when the chain holds.

    `expected` is a head that was noted before: it must still be in the chain.
    """
    before: bytes | None = None
    erased = _accounted_for(connection)
    found = False
    for row in connection.execute(_BOTH):
        event, link = row[0], row[7]
        if event is None:
            yield f"event {row[6]} was removed"
        elif link is None:
            yield f"event {event} ({row[3]}) was put in: it was never linked"
        else:
            yield from _faults_of(row, before, erased)
            if expected is not None and expected.event == event:
                found = link[_HASH:].hex() == expected.hash
        before = link if link is not None else before
    if expected is not None and expected.event and not found:
        yield f"event {expected.event} with the hash {expected.hash[:12]}… is not in the chain: the ledger is another one, or older"


_BOTH: Final = """
SELECT e.id, e.at, e.attempt_id, e.kind, e.salt, e.detail, COALESCE(l.event_id, e.id) AS place, l.link
FROM events e LEFT JOIN event_links l ON l.event_id = e.id
UNION ALL
SELECT NULL, NULL, NULL, NULL, NULL, NULL, l.event_id, l.link
FROM event_links l WHERE l.event_id NOT IN (SELECT id FROM events)
ORDER BY place
"""


def _faults_of(row: tuple[Any, ...], before: bytes | None, erased: frozenset[int]) -> Iterator[str]:
    event, at, attempt, kind, salt, detail, _, link = row
    commitment = link[:_HASH]
    name = f"event {event} ({kind})"
    if salt is None and detail == ERASED:
        if event not in erased:
            yield f"{name} lost its detail, and no erasure says so"
    elif _commitment(salt, detail) != commitment:
        yield f"{name} has another detail than was written"
    if _hash_after(before, (event, at, attempt, kind), commitment) != link[_HASH:]:
        yield f"{name} does not follow the one before it: it was changed, or what stood before it"


def _accounted_for(connection: sqlite3.Connection) -> frozenset[int]:
    """Give the ids of the events whose detail erasures say that they took."""
    found: set[int] = set()
    for row in connection.execute("SELECT detail FROM events WHERE kind IN ('erased', 'purged') AND salt IS NOT NULL"):
        for first, last in json.loads(row[0]).get("events", ()):
            found.update(range(first, last + 1))
    return frozenset(found)


def _commitment(salt: bytes | None, detail: str) -> bytes:
    return hashlib.sha256((salt or b"") + b"\x00" + detail.encode()).digest()


_written = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _hash_after(before: bytes | None, columns: tuple[int, int, int | None, str], commitment: bytes) -> bytes:
    text = _written(columns).encode()
    last = before[_HASH:] if before is not None else _START
    return hashlib.sha256(last + commitment + text).digest()
