"""Numbers that must not be contacted, erased ones included, of which the ledger has a keyed hash alone."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from runner.rules.pseudonyms import Pseudonyms

if TYPE_CHECKING:
    from runner.ledger.store import Store

WHY: str = "was erased and is never contacted again"
"""why an erased person must not be contacted"""
_REMEMBERED = 4096
"""of how many numbers a connection remembers the pseudonym"""


@dataclass(frozen=True, slots=True, eq=False)
class Forbidden(Mapping[str, str]):
    """Who must not be contacted, by number, with the reason; goes through the listed ones alone."""

    listed: Mapping[str, str]
    erased: Mapping[str, str]
    """by pseudonym"""
    pseudonyms: Pseudonyms

    def __getitem__(self, phone: str) -> str:
        """Give why a number must not be contacted; KeyError when it may."""
        if phone in self.listed:
            return self.listed[phone]
        return self.erased[self.pseudonyms.of(phone)]

    def __iter__(self) -> Iterator[str]:
        """Go through the numbers that are known."""
        return iter(self.listed)

    def __len__(self) -> int:
        """Count the numbers that are known."""
        return len(self.listed)


def with_erased(store: Store, listed: Mapping[str, str]) -> Mapping[str, str]:
    """Add whom the ledger has erased to those on its list."""
    erased = {row["pseudonym"]: row["reason"] for row in store.all("erased_people")}
    return Forbidden(listed, erased, pseudonyms_of(store)) if erased else listed


def pseudonyms_of(store: Store) -> Pseudonyms:
    """Give the pseudonyms of a ledger."""
    row = store.one("fact", name="pseudonym_key")
    return Pseudonyms(bytes.fromhex(row["value"]) if row is not None else b"")


def install(connection: sqlite3.Connection) -> None:
    """Give a connection to a migrated ledger the functions `pseudonym(phone)` and `log_id(key)` of its statements."""
    row = connection.execute("SELECT value FROM facts WHERE name = 'pseudonym_key'").fetchone()
    pseudonyms = Pseudonyms(bytes.fromhex(row[0]))
    of = lru_cache(maxsize=_REMEMBERED)(pseudonyms.of)
    connection.create_function("pseudonym", 1, of, deterministic=True)
    connection.create_function("log_id", 1, lambda key: pseudonyms.log_id(key or ""), deterministic=True)
