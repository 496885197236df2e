"""Read everything that the ledger holds of one person."""

from __future__ import annotations

import json
from pathlib import Path
from sqlite3 import Row

from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.instants import from_micros
from runner.ledger.store import Store
from runner.ledger.suppressions import suppression_of
from runner.model.person import AttemptStory, CampaignStory, Event, Person, RevisionFacts
from runner.model.rounds import family_of
from runner.model.rule_places import RulePlaces
from runner.model.suppression import Suppression
from runner.rules.pseudonyms import UNKEYED, Pseudonyms, is_log_id, plain_key, pseudonym_in


def people_named(store: Store, wanted: str) -> tuple[str, ...]:
    """Give the numbers of everybody with this number or key, or whom logs call so: `+1***0143#1a2b3c4d`, `#1a2b3c4d`.

    An attempt names its person too, by its key or by what logs call it: `a1b2c3d4e5f60718`. What others print in
    capitals, or a key with dashes, is found as well; a contact's own key alone is taken as it is written. None when
    the ledger knows nobody of it.
    """
    plain = plain_key(wanted)
    found = store.all("phones_of", wanted=wanted) or store.all("phone_by_attempt_key", key=plain)
    if not found and is_log_id(plain):
        found = store.all("phones_by_log_id", log_id=plain)
    if not found and pseudonym_in(plain):
        found = store.all("phones_by_pseudonym", pseudonym=pseudonym_in(plain))
    return tuple(row["phone"] for row in found)


def phones_behind(ledger: Path, text: str) -> tuple[str, ...]:
    """Give the numbers of whom a log calls so; none for any other text, and where there is no ledger. Writes nothing."""
    plain = plain_key(text)
    if not (pseudonym_in(plain) or is_log_id(plain)) or not ledger.exists():
        return ()
    store = Store.open_read_only(ledger)
    try:
        return people_named(store, text)
    finally:
        store.close()


def pseudonyms_at(ledger: Path) -> Pseudonyms:
    """Give what tells people apart in a ledger; nothing does where there is none. Writes nothing."""
    if not ledger.exists():
        return UNKEYED
    store = Store.open_read_only(ledger)
    try:
        return pseudonyms_of(store)
    finally:
        store.close()


def person(store: Store, phone: str, campaign: str | None = None) -> Person:
    """Give all about one number, of one campaign and its rounds or of all, as of one state of the ledger."""
    with store.reading():
        return Person(
            phone=phone,
            suppression=suppression_of(store, phone),
            lifted=tuple(_suppression(row) for row in store.all("lifted_of", phone=phone)),
            listed_by=tuple(row["account"] for row in store.all("lists_with", phone=phone)),
            campaigns=tuple(
                _story(store, row)
                for row in store.all("stories_of", phone=phone)
                if campaign is None or campaign in {row["name"], family_of(row["name"])}
            ),
        )


def _story(store: Store, row: Row) -> CampaignStory:
    return CampaignStory(
        campaign=row["name"], state=row["campaign_state"], reason=row["campaign_reason"], revision=_revision(row),
        key=row["key"], phone=row["phone"], row=row["row"], contact_state=row["state"], held_because=row["reason"],
        zones=tuple(row["zones"].split()), zone_source=row["zone_source"],
        jurisdictions=tuple(row["jurisdictions"].split()), cells=json.loads(row["cells"]),
        attempts=_attempts(store, row["id"]),
        events=tuple(_event(one) for one in store.all("events_of_contact", contact_id=row["id"])),
    )  # fmt: skip


def _revision(row: Row) -> RevisionFacts:
    return RevisionFacts(
        id=row["revision_id"], digest=row["digest"], policy=row["policy"],
        places=RulePlaces(json.loads(row["places"])), git_commit=row["git_commit"], applied_by=row["applied_by"],
        applied_at=from_micros(row["applied_at"]), tool_version=row["tool_version"], tzdata=row["tzdata"],
    )  # fmt: skip


def _attempts(store: Store, contact_id: int) -> tuple[AttemptStory, ...]:
    rows = store.all("attempts_of_contact", contact_id=contact_id)
    ids = [row["id"] for row in rows]
    events: dict[int, list[Event]] = {}
    for row in store.all("events_of_attempts", ids=json.dumps(ids)):
        events.setdefault(row["attempt_id"], []).append(_event(row))
    works = {work.attempt.id: work for work in store.assignments(ids)}
    return tuple(
        AttemptStory(
            work=works[row["id"]], log_id=row["log_id"], reason=row["reason"], outcome=row["outcome"], tag=row["tag"],
            ended_at=from_micros(row["ended_at"]), events=tuple(events.get(row["id"], ())),
        )
        for row in rows
        if row["id"] in works
    )  # fmt: skip


def _event(row: Row) -> Event:
    return Event(at=from_micros(row["at"]), kind=row["kind"], detail=json.loads(row["detail"]))


def _suppression(row: Row) -> Suppression:
    return Suppression(
        phone=row["phone"], reason=row["reason"], source=row["source"], at=from_micros(row["at"]),
        until=from_micros(row["until"]),
    )  # fmt: skip
