"""Looking a ledger over: each thing that must not be is found, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runner.ledger.audit import CHECKS, audit
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import ContactState, Move
from runner.model.outcome import Observation, Outcome
from tests.building import NOON, apply, campaign, contact, phone

S = AttemptState
LIVED = (
    (1, S.PLANNED, S.CLAIMED), (1, S.CLAIMED, S.SENDING), (1, S.SENDING, S.ACCEPTED), (1, S.ACCEPTED, S.FINISHED),
    (2, S.PLANNED, S.CLAIMED), (2, S.CLAIMED, S.SENDING), (2, S.SENDING, S.IN_DOUBT), (2, S.IN_DOUBT, S.PLANNED),
    (2, S.PLANNED, S.CLAIMED), (2, S.CLAIMED, S.SENDING), (2, S.SENDING, S.ACCEPTED),
    (3, S.PLANNED, S.CLAIMED), (3, S.CLAIMED, S.PLANNED),
    (4, S.PLANNED, S.CLAIMED), (4, S.CLAIMED, S.SENDING), (4, S.SENDING, S.IN_DOUBT), (4, S.IN_DOUBT, S.HELD),
)  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Give a ledger in which attempts went every usual way."""
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(), [contact(number) for number in range(6)])
    for attempt, old, new in LIVED:
        if new is S.CLAIMED:
            store.change("claim", id=attempt, lease_until=0)
            continue
        ends = new is S.FINISHED
        contacts = {S.FINISHED: ContactState.COMPLETED, S.HELD: ContactState.HELD, S.SENDING: ContactState.CALLING}
        move = Move(
            attempt_id=attempt, old=old, new=new, at=NOON, sent_at=NOON if new is S.SENDING else None,
            provider_id=f"call-{attempt}" if new is S.ACCEPTED else "", outcome=Outcome.ANSWERED if ends else None,
            observation=Observation(outcome=Outcome.ANSWERED) if ends else None, contact=contacts.get(new),
        )  # fmt: skip
        assert store.move([move]) == [True]
    store.suppress(phone(4), "asked", "by hand", NOON)
    yield store
    store.close()


def found(store: Store) -> list[tuple[str, str]]:
    return [(fault.check, fault.what) for fault in audit(store).faults]


def test_what_the_engine_writes_is_sound(store: Store) -> None:
    done = audit(store)
    assert done.faults == ()
    assert done.is_sound
    assert (done.contacts, done.attempts) == (6, 6)
    assert done.checks == CHECKS
    assert audit(store, quick=True).checks == CHECKS[:-2]


BROKEN = [
    ("DROP INDEX one_live_attempt; UPDATE attempts SET phone = (SELECT phone FROM attempts WHERE id = 2), state = 'accepted', provider_id = 'x', sent_at = 1 WHERE id = 3", "one live attempt", r"attempts 2, 3 to one person are live at once"),
    ("UPDATE attempts SET contact_id = 3 WHERE id = 6", "one live attempt", r"attempts 3, 6 of contact 3 are open at once"),
    ("DROP INDEX one_attempt_for_each_call; UPDATE attempts SET provider_id = 'call-1' WHERE id = 2", "provider's ids", r"attempts 1, 2 share the id of one call at movoice"),
    ("UPDATE attempts SET provider_id = NULL WHERE id = 2", "provider's ids", r"attempt 2 is accepted and has no id"),
    ("UPDATE attempts SET state = 'gone' WHERE id = 3", "states", r"attempt 3 is in the state `gone`"),
    ("UPDATE contacts SET state = 'gone' WHERE id = 3", "states", r"contact 3 is in the state `gone`"),
    ("UPDATE contacts SET state = 'completed' WHERE id = 3", "states", r"contact 3 is completed, and has an attempt that is planned"),
    ("UPDATE contacts SET state = 'retry' WHERE id = 1", "states", r"contact 1 is retry, and nothing is planned"),
    ("UPDATE attempts SET state = 'sending' WHERE id = 3", "durable intents", r"attempt 3 is sending, and no intent was written"),
    ("UPDATE attempts SET sent_at = NULL WHERE id = 1", "durable intents", r"attempt 1 has an id of the provider, and never left"),
    ("UPDATE attempts SET outcome = '' WHERE id = 1", "outcomes", r"attempt 1 has finished without an outcome"),
    ("UPDATE attempts SET outcome = 'answered' WHERE id = 3", "outcomes", r"attempt 3 is planned, and has the outcome answered"),
    ("UPDATE attempts SET ended_at = NULL WHERE id = 1", "outcomes", r"attempt 1 is finished, and nothing says when"),
    ("INSERT INTO suppressions (phone, reason, source, at) SELECT phone, 'x', 'y', sent_at - 1 FROM attempts WHERE id = 1", "suppressions", r"attempt 1 left after its person was put on the list"),
    ("UPDATE attempts SET state = 'planned', outcome = '' WHERE id = 1", "moves", r"attempt 1 is planned, and what was written down of it ends at finished"),
    ("UPDATE attempts SET state = 'held' WHERE id = 3", "moves", r"attempt 3 is held, and what was written down of it ends at planned"),
    ("INSERT INTO events (at, attempt_id, kind, detail) VALUES (0, 1, 'sending', '{\"from\":\"finished\"}')", "moves", r"attempt 1 went from finished to sending by event \d+, which no attempt may"),
    ("INSERT INTO events (at, attempt_id, kind, detail) VALUES (0, 2, 'sending', '{\"from\":\"claimed\"}')", "moves", r"attempt 2 was accepted, and event \d+ says that it was claimed"),
    ("INSERT INTO events (at, attempt_id, kind, detail) VALUES (0, 2, 'sending', '{}')", "moves", r"attempt 2 went from accepted to sending"),
    ("PRAGMA foreign_keys = OFF; UPDATE attempts SET campaign_id = 99 WHERE id = 3", "references", r"row 3 of attempts names a row of campaigns that is not there"),
    ("DROP TRIGGER events_are_append_only_update; UPDATE events SET at = 1 WHERE id = 2", "audit chain", r"event 2 \(\w+\) does not follow"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "check", "what"), BROKEN)
def test_each_thing_that_must_not_be_is_found(store: Store, change: str, check: str, what: str) -> None:
    store._connection.executescript(change)
    assert [one for kind, one in found(store) if kind == check and re.match(what, one)], found(store)


@pytest.mark.parametrize("hours", [-1, 1])
def test_whether_somebody_was_on_the_list_first_is_told_by_what_was_written_first(store: Store, hours: int) -> None:
    """A clock is set back, or a rehearsal's runs ahead of the one that a person goes by."""
    at = NOON + timedelta(hours=hours)
    store.suppress(phone(0), "asked", "by hand", at)
    assert found(store) == []
    store.change("lift_suppression", phone=phone(0))
    store.suppress(phone(5), "asked", "by hand", at)
    store._connection.execute("UPDATE attempts SET state = 'planned', ended_at = NULL WHERE contact_id = 6")
    store._connection.execute("UPDATE contacts SET state = 'pending' WHERE id = 6")
    store.change("claim", id=6, lease_until=0)
    move = Move(
        attempt_id=6, old=S.CLAIMED, new=S.SENDING, at=NOON, sent_at=NOON, contact=ContactState.CALLING
    )  # fmt: skip
    assert store.move([move]) == [True]
    assert (
        "suppressions",
        "attempt 6 left after its person was put on the list of those who must not be contacted",
    ) in found(store)


def test_an_index_that_misses_a_row_is_found(store: Store) -> None:
    store._connection.executescript(
        "PRAGMA writable_schema = ON;"
        "DELETE FROM sqlite_schema WHERE name = 'attempts_by_contact';"
        "PRAGMA writable_schema = RESET"
    )
    assert {check for check, _ in found(store)} == {"file"}


def test_nothing_is_wrong_with_what_apply_calls_off_and_takes_back(store: Store) -> None:
    apply(store, campaign(windows="daily 09:00-17:00"), [contact(0), contact(1), contact(5)])
    assert found(store) == []
    apply(store, campaign(), [contact(number) for number in range(6)])
    assert found(store) == []
