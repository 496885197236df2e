"""Forget: what was said to people once it is old, and everything of one person who asks for it.

What is forgotten is overwritten in the file, not only unlinked. Counts, outcomes and the audit chain
stay as they are. Of a person who is erased nothing stays but a keyed hash of the number, so that the
gate still refuses it when it turns up again.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from runner.errors import LedgerError
from runner.ledger.forbidden import WHY
from runner.ledger.instants import to_micros
from runner.ledger.store import Store
from runner.model.attempt import LIVE, AttemptState

_AT_ONCE: Final = 200
_NOTHING_SAID: Final = '{"summary":"","transcript":"","structured":{},"words":{}}'
_OWN_TABLES: Final = frozenset(
    {"contacts", "payloads", "backups", "attempts", "results", "replies", "suppressions", "lifted_suppressions",
     "events", "event_links", "inbox", "revisions", "erased", "facts"}
)  # fmt: skip
"""tables that are forgotten in by name; in every other one the number itself is struck out"""
_SHORTEST_WORD: Final = 6
"""a contact's key that is shorter is not looked for in texts: it would be found everywhere"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Purged:
    """What purging forgets."""

    contacts: int
    """contacts whose row is emptied"""
    payloads: int
    summaries: int
    results: int
    """results whose transcript, links and further words go"""
    replies: int
    webhooks: int

    @property
    def is_nothing(self) -> bool:
        """Whether there is nothing to forget."""
        return not (self.contacts or self.payloads or self.summaries or self.results or self.replies or self.webhooks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erased:
    """What erasing one person takes away."""

    contacts: int
    attempts: int
    events: int
    replies: int
    webhooks: int
    elsewhere: int
    """rows of other tables in which the number stood"""
    was_listed: bool
    """the number was on the list of people who must not be contacted"""


def purge(store: Store, before: datetime, now: datetime, *, campaign: str | None, really: bool) -> Purged:
    """Forget what was said to contacts whose sequence ended before an instant; without `really`, only count it.

    Webhook bodies and texts that belong to nobody in particular are forgotten by their age, of all
    campaigns, and only when no campaign is named.
    """
    at = to_micros(before)
    ids = [row["id"] for row in store.all("purgeable_contacts", name=campaign, before=at)]
    sums = dict.fromkeys(("contacts", "payloads", "summaries", "results", "replies", "webhooks"), 0)
    for some in _chunks(ids):
        with _forgetting(store, really=really):
            for contact_id in some:
                _purge_contact(store, contact_id, sums)
    with _forgetting(store, really=really):
        if campaign is None:
            sums["webhooks"] = store.change("purge_letters", before=at)
            sums["replies"] += store.change("purge_loose_replies", before=at)
        found = Purged(**sums)
        if not found.is_nothing:
            store.event(now, None, "purged", before=before.isoformat(), campaign=campaign, **sums)
    return found


def erase(store: Store, phone: str, now: datetime, *, really: bool) -> Erased:
    """Take a person out of the ledger, and forbid the number for good; without `really`, only count it.

    Raises LedgerError while an attempt to the person is under way: nobody could say how it ended.
    """
    with _forgetting(store, really=really):
        people = store.all("contacts_of_number", phone=phone)
        contacts = [row["id"] for row in people]
        tries = store.all("attempts_of_contacts", phone=phone, contacts=json.dumps(contacts))
        if any(AttemptState(row["state"]) in LIVE for row in tries):
            raise LedgerError(
                "a call or text to this person is under way", help="erase again once it has ended: outreach status"
            )
        attempts = [row["id"] for row in tries]
        words = _words(phone, people, tries)
        was_listed = store.one("suppression", phone=phone) is not None
        events = [
            row["id"]
            for row in store.all(
                "events_of_person", attempts=json.dumps(attempts), contacts=json.dumps(contacts), words=words
            )
        ]
        replies, letters = _forget_letters(store, phone, attempts, words)
        _forget_rows(store, phone, contacts, attempts, now)
        _forget_inline(store, phone, words)
        elsewhere = _strike_out(store, phone)
        for event in events:
            store.change("erase_event", id=event)
        store.change("put_erased", phone=phone, reason=WHY, at=to_micros(now))
        store.event(now, None, "erased", events=_spans(events), contacts=len(contacts), attempts=len(attempts))
        return Erased(
            contacts=len(contacts), attempts=len(attempts), events=len(events), replies=replies, webhooks=letters,
            elsewhere=elsewhere, was_listed=was_listed,
        )  # fmt: skip


def compact(store: Store) -> bool:
    """Write the whole file anew, so that freed pages keep nothing; False when somebody else has the ledger open."""
    try:
        store._connection.execute("VACUUM")  # noqa: SLF001 the same room; a statement that no transaction may hold
    except sqlite3.OperationalError:
        return False
    return True


class _CountedOnly(Exception):
    """Takes back what was only counted."""


@contextmanager
def _forgetting(store: Store, *, really: bool) -> Iterator[None]:
    """Forget inside one transaction, freed bytes overwritten; take all of it back unless it is meant."""
    store._connection.execute("PRAGMA secure_delete = ON")  # noqa: SLF001 the same room
    try:
        with store.transaction():
            yield
            _take_back_unless(really)
    except _CountedOnly:
        pass


def _take_back_unless(really: bool) -> None:
    if not really:
        raise _CountedOnly


def _purge_contact(store: Store, contact_id: int, sums: dict[str, int]) -> None:
    sums["contacts"] += store.change("purge_contact", id=contact_id)
    sums["payloads"] += store.change("purge_payloads", id=contact_id) + store.change("purge_backups", id=contact_id)
    sums["summaries"] += store.change("purge_attempts", id=contact_id)
    sums["results"] += store.change("purge_results", id=contact_id, detail=_NOTHING_SAID)
    sums["replies"] += store.change("purge_replies", id=contact_id)


def _words(phone: str, people: Sequence[sqlite3.Row], tries: Sequence[sqlite3.Row]) -> str:
    """Give as JSON by which words a text is about a person: number, keys, the provider's ids."""
    found = {phone.removeprefix("+"), *(row["key"] for row in tries)}
    found |= {row["provider_id"] for row in tries if row["provider_id"]}
    found |= {row["key"] for row in people if len(row["key"]) >= _SHORTEST_WORD}
    return json.dumps(sorted(found))


def _forget_letters(store: Store, phone: str, attempts: list[int], words: str) -> tuple[int, int]:
    replies = store.change("erase_replies", phone=phone, attempts=json.dumps(attempts))
    letters = [row["id"] for row in store.all("letters_of_person", words=words)]
    for letter in letters:
        store.change("leave_quarantine", id=letter)
        store.change("erase_letter", id=letter)
    return replies, len(letters)


def _forget_rows(store: Store, phone: str, contacts: list[int], attempts: list[int], now: datetime) -> None:
    for attempt in attempts:
        store.change("erase_result", id=attempt, detail=_NOTHING_SAID)
        store.change("erase_attempt", id=attempt, at=to_micros(now))
    for contact in contacts:
        store.change("erase_payloads", id=contact)
        store.change("erase_backups", id=contact)
        store.change("erase_contact", id=contact)
    store.change("erase_suppression", phone=phone)
    store.change("erase_lifted", phone=phone)
    store.change("forget_listed", phone=phone)


def _forget_inline(store: Store, phone: str, words: str) -> None:
    """Blank a person who stands in a campaign file itself, and so in the rules that were applied."""
    for row in store.all("policies_with", words=words):
        rules = json.loads(row["policy"])
        source = rules.get("contacts")
        rows = source.get("inline") if isinstance(source, dict) else None
        if not rows:
            continue
        source["inline"] = [_blank(one) if _is_of(one, phone) else one for one in rows]
        store.change("set_policy", id=row["id"], policy=json.dumps(rules, ensure_ascii=False, separators=(",", ":")))


def _is_of(row: dict[str, Any], phone: str) -> bool:
    """Whether a row has a number, in whatever form it was written."""
    digits = phone.removeprefix("+")
    return any(len(one) >= _SHORTEST_WORD and digits.endswith(one) for one in map(_digits, row.values()))


def _digits(value: object) -> str:
    return re.sub(r"\D", "", str(value)).lstrip("0")


def _blank(row: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(row, "")


def _strike_out(store: Store, phone: str) -> int:
    """Strike a number out of every table that is not forgotten in by name; give from how many rows."""
    connection, count, digits = store._connection, 0, phone.removeprefix("+")  # noqa: SLF001 the same room
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in sorted(set(names) - _OWN_TABLES):
        for column in connection.execute(f'PRAGMA table_info("{table}")').fetchall():
            if column["type"].upper() not in {"TEXT", "BLOB", ""} or column["pk"]:
                continue
            # Names of tables and columns come from the schema alone.
            change = f"""UPDATE "{table}" SET "{column["name"]}" = CAST(replace(CAST("{column["name"]}" AS TEXT), ?, '')
                AS {column["type"] or "TEXT"}) WHERE instr(CAST("{column["name"]}" AS TEXT), ?) > 0"""  # noqa: S608
            count += connection.execute(change, (digits, digits)).rowcount
    return count


def _spans(ids: Sequence[int]) -> list[tuple[int, int]]:
    """Write sorted ids as spans, first and last of each."""
    found: list[tuple[int, int]] = []
    for one in ids:
        if found and found[-1][1] == one - 1:
            found[-1] = (found[-1][0], one)
        else:
            found.append((one, one))
    return found


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    return (ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE))
