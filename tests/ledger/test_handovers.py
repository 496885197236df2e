"""Handovers in the ledger: the table of moves, who is due together, what is written down about people."""

from __future__ import annotations

from datetime import timedelta
from itertools import product

import pytest

from runner.errors import MoveRefused
from runner.ledger.queries import query
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.handed_over import (
    HANDOVER_MOVES,
    UNFINISHED,
    HandoverMove,
    HandoverRecord,
    HandoverState,
    NewHandover,
    RowSeen,
)
from runner.model.move import ContactState, Move
from tests.building import NOON, apply, campaign, claim_due, contact, dump, live_calls, phone, standing
from tests.ledger.conftest import OpenStore

S = HandoverState
PEOPLE = tuple(contact(number) for number in range(3))
LEASE = NOON + timedelta(minutes=5)


def begun(store: Store, *, people: int = 3) -> HandoverRecord:
    """Apply a campaign and hand its people over, as far as the intent."""
    apply(store, campaign(), PEOPLE[:people])
    group = store.handovers.first_due("renewals", "call", NOON)
    assert group is not None
    claimed = store.handovers.claim(group, 10, LEASE, same_zones=False)
    new = NewHandover(
        key="a" * 32, campaign="renewals", step="call", account="movoice", agent_id="agent_1", name="renewals",
        concurrency=10, attempts=[work.attempt.id for work in claimed],
    )  # fmt: skip
    record = store.handovers.begin(new, NOON)
    store.move(
        Move(attempt_id=one.attempt.id, old=AttemptState.CLAIMED, new=AttemptState.SENDING, at=NOON) for one in claimed
    )
    return record


def move(record: HandoverRecord, new: HandoverState, old: HandoverState = S.SENDING) -> HandoverMove:
    return HandoverMove(handover_id=record.id, old=old, new=new, at=NOON, native_id="camp_1", poll_at=LEASE)


@pytest.mark.parametrize(("old", "new"), list(product(S, S)))
def test_the_table_of_moves_is_the_law(old: HandoverState, new: HandoverState) -> None:
    if old is new or new in HANDOVER_MOVES[old]:
        HandoverMove(handover_id=1, old=old, new=new, at=NOON)
    else:
        with pytest.raises(MoveRefused, match=f"from {old} to {new}"):
            HandoverMove(handover_id=1, old=old, new=new, at=NOON)


def test_only_ends_have_no_way_out() -> None:
    assert {state for state in S if not HANDOVER_MOVES[state]} == set(S) - UNFINISHED - {S.HELD}


def test_an_intent_and_its_people_are_written_together(store: Store) -> None:
    record = begun(store)

    assert (record.state, record.people, record.campaign_state, record.told) == (S.SENDING, 3, "active", "running")
    assert [one.phone for one in store.handovers.people(record.id)] == [phone(number) for number in range(3)]
    assert store.handovers.unfinished() == [record]
    assert store.handovers.count("renewals", "call") == 1
    assert live_calls(store) == {}
    assert store.in_state(AttemptState.SENDING) == [], "they are put right with their handover"


def test_a_move_applies_once(store: Store) -> None:
    record = begun(store)

    assert store.handovers.move(move(record, S.CREATED))
    assert not store.handovers.move(move(record, S.IN_DOUBT))
    current = store.handovers.record(record.id)
    assert (current.state, current.native_id, current.poll_at) == (S.CREATED, "camp_1", LEASE)


def test_the_key_lets_a_handover_exist_once(store: Store) -> None:
    begun(store)
    before = dump(store)
    again = NewHandover(
        key="a" * 32, campaign="renewals", step="call", account="movoice", agent_id="agent_1", name="renewals",
        concurrency=10, attempts=[],
    )  # fmt: skip
    with pytest.raises(Exception, match="UNIQUE"):
        store.handovers.begin(again, NOON)

    assert dump(store) == before


def test_those_who_went_back_in_line_can_be_handed_over_anew(store: Store) -> None:
    record = begun(store)
    first = store.handovers.people(record.id)[0]
    store.move([Move(attempt_id=first.attempt_id, old=first.state, new=AttemptState.PLANNED, at=NOON)])
    store.handovers.release(record.id)

    assert [one.phone for one in store.handovers.people(record.id)] == [phone(1), phone(2)]
    group = store.handovers.first_due("renewals", "call", NOON)
    assert group is not None
    assert [one.attempt.phone for one in store.handovers.claim(group, 9, LEASE, same_zones=False)] == [phone(0)]


def test_who_is_due_together(store: Store) -> None:
    zones = ("America/New_York", "America/Chicago", "America/New_York")
    people = [contact(at, timezone=zone) for at, zone in enumerate(zones)]
    apply(store, campaign(timezone="contact"), people)
    group = store.handovers.first_due("renewals", "call", NOON)

    assert group is not None
    assert (group.account, group.agent_id, group.zones, group.different_zones) == (
        "movoice", "agent_1", "America/New_York", 2,
    )  # fmt: skip
    assert store.handovers.first_due("renewals", "call", NOON - timedelta(days=1)) is None
    assert store.handovers.first_due("renewals", "other", NOON) is None
    claimed = store.handovers.claim(group, 9, LEASE, same_zones=True)
    assert [one.attempt.phone for one in claimed] == [phone(0), phone(2)]


def test_whoever_is_live_elsewhere_is_not_due(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    apply(store, campaign(campaign="other"), PEOPLE[:1])
    claim_due(store, "other", 1, NOON, LEASE)

    assert store.handovers.first_due("renewals", "call", NOON) is None


def test_what_a_provider_says_of_people(store: Store) -> None:
    record = begun(store)
    ids = [one.attempt_id for one in store.handovers.people(record.id)]
    later = NOON + timedelta(hours=1)
    seen = [
        RowSeen(attempt_id=ids[0], calls=1, contact=ContactState.CALLING),
        RowSeen(attempt_id=ids[1], calls=2, contact=ContactState.RETRY),
        RowSeen(attempt_id=ids[2], calls=0, contact=ContactState.PENDING),
    ]
    store.handovers.see(record.id, seen, later)

    assert standing(store) == {phone(0): "calling", phone(1): "retry", phone(2): "pending"}
    assert [one.calls for one in store.handovers.people(record.id)] == [1, 2, 0]
    assert store.handovers.calls_by_phone() == {phone(0): 1, phone(1): 2, phone(2): 0}
    assert store.handovers.record(record.id).changed_at == later
    store.handovers.see(record.id, seen, later + timedelta(hours=1))
    assert store.handovers.record(record.id).changed_at == later, "nothing new was said"


def test_a_word_about_somebody_who_has_ended_moves_nobody(store: Store) -> None:
    record = begun(store, people=1)
    one = store.handovers.people(record.id)[0]
    store.move(
        [
            Move(
                attempt_id=one.attempt_id, old=one.state, new=AttemptState.FINISHED, at=NOON,
                contact=ContactState.COMPLETED,
            )
        ]
    )  # fmt: skip
    store.handovers.see(record.id, [RowSeen(attempt_id=one.attempt_id, calls=1, contact=ContactState.CALLING)], NOON)

    assert standing(store) == {phone(0): "completed"}


def test_what_a_provider_was_told_survives_a_restart(open_store: OpenStore) -> None:
    store = open_store()
    record = begun(store)
    store.handovers.told(record, "paused", NOON)
    assert open_store().handovers.record(record.id).told == "paused"

    store.pause("renewals", "by hand", NOON)
    store.handovers.told(store.handovers.record(record.id), "cancelled", NOON, refusal="it cannot")
    current = open_store().handovers.record(record.id)
    assert (current.told, current.refused, current.campaign_state) == ("paused", "cancelled", "paused")
    assert store.campaigns_in_force()[0].reason == "by hand; it cannot"


def test_every_file_of_statements_is_read() -> None:
    assert "UPDATE handovers" in query("move_handover")
    assert "FROM campaigns" in query("campaigns_in_force")
    with pytest.raises(KeyError):
        query("no_such_statement")
