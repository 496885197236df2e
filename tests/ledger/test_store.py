"""The ledger's promises: claims, moves, events, facts, sums."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import LedgerError, LedgerUnwritable
from runner.ledger import overview
from runner.ledger.instants import from_micros, to_micros
from runner.ledger.store import Store
from runner.model.attempt import LIVE, AttemptState
from runner.model.campaign import Campaign
from runner.model.move import ContactState, Move, NextAttempt
from runner.model.outcome import Observation, Outcome
from runner.model.tried import Tried, last_of_each_step
from tests.building import NOON, apply, campaign, claim_due, contact, dump, live_calls, phone, standing, states
from tests.ledger.conftest import OpenStore
from tests.ledger.test_record import LIVE_PATH, finish, take

S = AttemptState
LATER = NOON + timedelta(days=9)
PEOPLE = tuple(contact(number) for number in range(4))


def other() -> Campaign:
    return campaign(campaign="reminders")


def test_due_attempts_are_claimed_once_and_oldest_first(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    for number, minutes in enumerate((3, 1, 2, 900)):
        at = to_micros(NOON + timedelta(minutes=minutes))
        store._connection.execute("UPDATE attempts SET due_at = ? WHERE phone = ?", (at, phone(number)))
    now = NOON + timedelta(minutes=10)
    first = claim_due(store, "renewals", 2, now, LATER)
    rest = claim_due(store, "renewals", 9, now, LATER)
    assert [work.attempt.phone for work in first] == [phone(1), phone(2)]
    assert [work.attempt.phone for work in rest] == [phone(0)]
    assert claim_due(store, "renewals", 9, now, LATER) == []
    assert store.next_due(now) == NOON + timedelta(minutes=900)


@pytest.mark.parametrize("count", [0, -3])
def test_nothing_is_claimed_without_room(store: Store, count: int) -> None:
    apply(store, campaign(), PEOPLE)
    assert claim_due(store, "renewals", count, LATER, LATER) == []
    assert claim_due(store, "unheard-of", 9, LATER, LATER) == []


@pytest.mark.parametrize("late_first", [True, False])
def test_of_two_attempts_to_one_person_the_earlier_one_is_claimed_alone(store: Store, late_first: bool) -> None:
    apply(store, campaign(), PEOPLE[:2])
    late, early = (0, 1) if late_first else (1, 0)
    store._connection.execute("UPDATE attempts SET phone = ?", (phone(0),))
    at = to_micros(NOON + timedelta(minutes=5))
    store._connection.execute(
        "UPDATE attempts SET due_at = ? WHERE id = (SELECT id FROM attempts LIMIT 1 OFFSET ?)", (at, late)
    )
    claimed = claim_due(store, "renewals", 9, LATER, LATER)
    assert [work.attempt.contact_key for work in claimed] == [phone(early)]
    assert claim_due(store, "renewals", 9, LATER, LATER) == []


@pytest.mark.parametrize("state", sorted(LIVE))
def test_nobody_with_a_live_attempt_in_another_campaign_is_claimed(store: Store, state: AttemptState) -> None:
    apply(store, campaign(), PEOPLE[:1])
    apply(store, other(), PEOPLE[:2])
    path = {S.CLAIMED: (), S.SENDING: (S.SENDING,), S.ACCEPTED: LIVE_PATH, S.IN_DOUBT: (S.SENDING, S.IN_DOUBT)}[state]
    take(store, *path)
    assert [work.attempt.phone for work in claim_due(store, "reminders", 9, LATER, LATER)] == [phone(1)]


def test_the_person_is_free_again_when_the_attempt_has_ended(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    apply(store, other(), PEOPLE[:1])
    live = take(store, *LIVE_PATH)
    finish(store, live, Outcome.ANSWERED, retry=False)
    assert len(claim_due(store, "reminders", 9, LATER, LATER)) == 1


@pytest.mark.parametrize("state", sorted(LIVE))
def test_the_database_itself_refuses_a_second_live_attempt(store: Store, state: AttemptState) -> None:
    apply(store, campaign(), PEOPLE[:1])
    apply(store, other(), PEOPLE[:1])
    take(store)
    with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
        store._connection.execute("UPDATE attempts SET state = ? WHERE state = 'planned'", (state.value,))


def test_one_call_of_a_provider_belongs_to_one_attempt(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:2])
    take(store, *LIVE_PATH, provider_id="call-1")
    with pytest.raises(LedgerError, match="UNIQUE"):
        take(store, *LIVE_PATH, provider_id="call-1")
    found = store.find("movoice", "call-1", "")
    assert found is not None
    assert found.attempt.phone == phone(0)
    assert store.find("revox", "call-1", "") is None


def test_a_key_says_more_than_a_provider_s_id(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:2])
    take(store, *LIVE_PATH, provider_id="thread-1")
    second = store.assignments([2])[0].attempt
    found = store.find("movoice", "thread-1", second.key)
    assert found is not None
    assert found.attempt.id == second.id


def test_a_move_applies_only_where_the_attempt_still_is(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    attempt = claim_due(store, "renewals", 1, NOON, LATER)[0].attempt
    sending = Move(attempt_id=attempt.id, old=S.CLAIMED, new=S.SENDING, at=NOON, sent_at=NOON)
    assert store.move([sending, sending]) == [True, False]
    events = [row["kind"] for row in store._connection.execute("SELECT kind FROM events WHERE attempt_id = 1")]
    assert events == ["sending"]


def test_a_move_and_its_follow_up_are_one_change(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    live = take(store, *LIVE_PATH, provider_id="x")
    before = dump(store)
    with pytest.raises(LedgerError), store.transaction():  # noqa: PT012 what fails is the whole
        finish(store, live, Outcome.BUSY)
        assert len(states(store)) == 2
        raise LedgerError("stop")
    assert dump(store) == before


@pytest.mark.parametrize(
    "statement", ["UPDATE events SET kind = 'x'", "UPDATE events SET salt = NULL", "DELETE FROM events"]
)
def test_events_are_append_only(store: Store, statement: str) -> None:
    apply(store, campaign(), PEOPLE)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        store._connection.execute(statement)


def test_events_keep_no_number_and_no_words_of_the_person(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    live = take(store, *LIVE_PATH, provider_id="x")
    seen = Observation(outcome=Outcome.ANSWERED, summary="wants a later date", transcript="hello, this is Maria")
    move = Move(attempt_id=live, old=S.ACCEPTED, new=S.FINISHED, at=NOON, outcome=Outcome.ANSWERED, observation=seen)
    store.move([move])
    store.suppress(phone(0), "opted out", "call x", NOON)
    text = " ".join(row["detail"] for row in store._connection.execute("SELECT detail FROM events"))
    assert "5550100" not in text
    assert "Maria" not in text
    assert "later date" not in text


def test_the_first_reason_of_a_suppression_stays(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    store.suppress(phone(0), "opted out", "call 1", NOON)
    store.suppress(phone(0), "complained", "call 2", LATER)
    assert store.assignments([1])[0].suppression == "opted out"


def test_a_ledger_belongs_to_one_world_for_good(open_store: OpenStore) -> None:
    open_store().belong_to("sandbox")
    open_store().belong_to("sandbox")
    with pytest.raises(LedgerError, match="this ledger belongs to the sandbox"):
        open_store().belong_to("real")


def test_a_pause_says_why_and_ends_once(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    store.pause("renewals", "no calls remain", NOON)
    store.pause("renewals", "another reason", NOON)
    assert [(one.is_active, one.reason) for one in store.campaigns_in_force()] == [(False, "no calls remain")]
    assert (store.open_attempts(), store.next_due(NOON - timedelta(days=1))) == (0, None)
    assert [store.resume("renewals", NOON), store.resume("renewals", NOON)] == [True, False]
    assert store.open_attempts() == 4


def test_calls_are_live_until_their_outcome_and_texts_while_they_are_sent(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:2])
    texts = campaign(campaign="notes", agent="revmo/agent_1", steps=[{"text": "agent", "message": "Hello"}])
    apply(store, texts, PEOPLE[2:])
    take(store, *LIVE_PATH)
    take(store)
    take(store, of="notes")
    assert live_calls(store) == {"renewals": 2, "notes": 1}


def test_starts_are_those_of_the_lanes_oldest_first(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    for number in (3, 1, 2):
        take(store, S.SENDING, sent_at=NOON + timedelta(seconds=number))
    lanes = [one.id for one in store.lanes.after(0)]
    assert store.lanes.starts(lanes, NOON + timedelta(seconds=1), NOON + timedelta(seconds=9)) == [
        NOON + timedelta(seconds=2),
        NOON + timedelta(seconds=3),
    ]


def test_the_history_tells_every_finished_try_and_when_it_started(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    finish(store, take(store, *LIVE_PATH), Outcome.NO_ANSWER)
    finish(store, take(store, *LIVE_PATH), Outcome.ANSWERED, retry=False)
    tried = Tried(step="call", number=1, channel="call", outcome="no_answer", started_at=store.history(1)[0].started_at)
    assert store.history(1)[0] == tried
    assert last_of_each_step(store.history(1))["call"].outcome == "answered"


def test_an_attempt_keeps_when_its_step_became_due_and_that_it_is_a_call_back(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    first = store.assignments([take(store, S.SENDING, sent_at=NOON)])[0].attempt
    assert (first.step_due_at, first.is_callback) == (first.due_at, False)
    back = NextAttempt(
        key="b" * 32, step="call", number=2, channel="call", due_at=NOON + timedelta(hours=5),
        step_due_at=NOON + timedelta(hours=2), is_callback=True,
    )  # fmt: skip
    assert store.move(
        [
            Move(
                attempt_id=first.id, old=S.SENDING, new=S.FINISHED, at=NOON, outcome=Outcome.ANSWERED,
                contact=ContactState.RETRY, next_attempt=back,
            )
        ]
    ) == [True]  # fmt: skip
    assert store.history(1)[0].started_at == NOON
    second = store.assignments([first.id + 1])[0].attempt
    assert (second.step_due_at, second.is_callback) == (NOON + timedelta(hours=2), True)
    later = NOON + timedelta(hours=9)
    claimed = Move(attempt_id=second.id, old=S.PLANNED, new=S.CLAIMED, at=later)
    put_off = Move(attempt_id=second.id, old=S.CLAIMED, new=S.PLANNED, at=later, due_at=later)
    assert store.move([claimed, put_off]) == [True, True]
    found = store.assignments([second.id])[0].attempt
    assert (found.due_at, found.step_due_at) == (later, NOON + timedelta(hours=2))


def test_a_webhook_is_stored_once(store: Store) -> None:
    assert store.receive("movoice", "d1", b"{}", NOON, verified=True)
    assert not store.receive("movoice", "d1", b"{}", NOON, verified=True)
    assert store.receive("revox", "d1", b"{}", NOON, verified=True)


def test_asking_at_once_moves_only_what_can_be_asked_for(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:2])
    live = take(store, *LIVE_PATH, poll_at=LATER)
    store.ask_now(live, NOON)
    store.ask_now(2, NOON)
    assert [work.attempt.id for work in store.to_ask(NOON, 9)] == [live]
    assert store.next_ask() == NOON


def test_instants_are_exact_both_ways() -> None:
    for at in (NOON, NOON + timedelta(microseconds=1), NOON.replace(year=1969), NOON.replace(year=9999)):
        assert from_micros(to_micros(at)) == at
    assert (to_micros(None), from_micros(None)) == (None, None)


# Sums


def test_sums_add_up_and_a_removed_contact_is_not_counted(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    finish(store, take(store, *LIVE_PATH, provider_id="x", sent_at=NOON), Outcome.BUSY)
    take(store, S.SENDING, S.IN_DOUBT)
    apply(store, campaign(), PEOPLE[:3])
    one = overview.campaigns(store, NOON)[0]
    counted = {state: count for state, count in one.row_stats.items() if state != "total"}
    assert one.row_stats["total"] == sum(counted.values()) == 3
    assert set(counted) == {"pending", "calling", "retry", "completed", "failed", "held", "suppressed"}
    assert (one.attempts, one.placed) == (5, 1)
    assert one.outcomes == (("call", "call", "busy", 1),)
    people = overview.contacts(store, "renewals")
    assert next((person.key, person.outcome) for person in people) == (phone(0), "busy")
    assert len(people) == 3


def status(store: Store) -> str:
    return overview.campaigns(store, NOON)[0].status


def test_each_status_has_its_moment(store: Store) -> None:
    apply(store, campaign(schedule={"start": "2026-01-06T00:00:00Z"}), PEOPLE[:1])
    assert status(store) == "scheduled"
    live = take(store, S.SENDING, sent_at=NOON)
    assert status(store) == "running"
    store.pause("renewals", "no money", NOON)
    assert status(store) == "paused"
    store.resume("renewals", NOON)
    store.move([Move(attempt_id=live, old=S.SENDING, new=S.ACCEPTED, at=NOON)])
    finish(store, live, Outcome.ANSWERED, retry=False)
    assert (status(store), standing(store)) == ("completed", {phone(0): "completed"})
    store._connection.execute("UPDATE campaigns SET state = 'cancelled'")
    assert status(store) == "cancelled"
    store._connection.execute("UPDATE campaigns SET state = 'active'")
    store._connection.execute("UPDATE revisions SET complete = 0")
    assert status(store) == "draft"


def test_reading_sums_writes_nothing(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    apply(store, campaign(), PEOPLE)
    before = dump(store)
    overview.campaigns(store, NOON)
    overview.contacts(store, "renewals")
    assert dump(store) == before


def test_after_the_ledger_took_everything_back_nothing_of_the_group_is_kept(store: Store) -> None:
    """On a full disk SQLite rolls the whole transaction back by itself; what comes after must not begin one of its own."""

    def write() -> None:
        with store.transaction():
            store.suppress(phone(0), "asked", "by hand", NOON)
            store._connection.execute("ROLLBACK")
            with pytest.raises(LedgerUnwritable, match="took back"):
                store.suppress(phone(1), "asked", "by hand", NOON)

    with pytest.raises(LedgerError):
        write()
    assert not any(store.letters.is_suppressed(phone(number)) for number in (0, 1))
