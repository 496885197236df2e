"""Results: written with the end of an attempt, never over what stands there, read out whole in pages."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.errors import LedgerError, NotFound
from runner.ledger import results
from runner.ledger.results import export_rows
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import Move
from runner.model.outcome import InboundText, Observation, Outcome
from runner.model.result import AttemptRecord, ExportRow, Result
from tests.building import NOON, apply, campaign, contact, dump, phone, standing, states
from tests.ledger.conftest import OpenStore
from tests.ledger.test_record import LIVE_PATH, take

S = AttemptState
PEOPLE = tuple(contact(number) for number in range(5))
WHOLE = Observation(
    outcome=Outcome.ANSWERED,
    tag="BOOKED",
    summary="wants Tuesday",
    sentiment="positive",
    duration_seconds=61.5,
    recording_url="https://example.com/r.mp3",
    transcript="user: yes\nagent: fine",
    transcript_url="https://example.com/t.json",
    structured={"day": "Tuesday", "people": 2},
    hangup_cause="CLIENT_INITIATED",
    calls=2,
    words={"status": "COMPLETED"},
)


def end(store: Store, seen: Observation, **changes: Any) -> int:
    """Carry one attempt to its end; give its id."""
    live = take(store, *LIVE_PATH, sent_at=NOON)
    outcome = seen.outcome or Outcome.UNKNOWN
    move = Move(attempt_id=live, old=S.ACCEPTED, new=S.FINISHED, at=NOON, outcome=outcome, observation=seen)
    assert store.move([replace(move, **changes)]) == [True]
    return live


def one(store: Store) -> AttemptRecord:
    """Give the only attempt that has ended."""
    (found,) = [row.attempt for row in export_rows(store) if row.attempt and row.attempt.outcome]
    return found


def test_everything_that_was_said_is_read_out_again(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    end(store, WHOLE)
    attempt = one(store)
    assert attempt.result == Result(
        sentiment="positive", duration_seconds=61.5, hangup_cause="CLIENT_INITIATED", calls=2,
        recording_url="https://example.com/r.mp3", transcript_url="https://example.com/t.json", summary="wants Tuesday",
        transcript="user: yes\nagent: fine", structured={"day": "Tuesday", "people": 2}, words={"status": "COMPLETED"},
    )  # fmt: skip
    assert (attempt.outcome, attempt.tag, attempt.provider, attempt.sent_at) == ("answered", "BOOKED", "movoice", NOON)


def test_columns_hold_what_people_query(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    end(store, WHOLE)
    row = store._connection.execute(
        "SELECT outcome, sentiment, duration_seconds, hangup_cause, calls, recording_url FROM results"
    ).fetchone()
    assert tuple(row) == ("answered", "positive", 61.5, "CLIENT_INITIATED", 2, "https://example.com/r.mp3")


def test_a_result_is_part_of_the_change_that_ends_the_attempt(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    before = dump(store)
    with pytest.raises(LedgerError), store.transaction():  # noqa: PT012 what fails is the whole
        end(store, WHOLE)
        raise LedgerError("stop")
    assert dump(store) == before


def test_what_does_not_end_leaves_no_result(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    take(store, *LIVE_PATH)
    assert dump(store)["results"] == []


def test_a_later_word_fills_gaps_and_changes_nothing_else(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    attempt = end(store, Observation(outcome=Outcome.ANSWERED, summary="first", duration_seconds=0.0))
    store.letters.fill(attempt, replace(WHOLE, duration_seconds=9.0))
    store.letters.fill(attempt, Observation(outcome=Outcome.ANSWERED, sentiment="negative", tag="REFUSED"))
    found = one(store)
    assert found.result is not None
    assert (found.result.summary, found.result.duration_seconds, found.result.sentiment) == ("first", 0.0, "positive")
    assert (found.result.structured, found.tag) == ({"day": "Tuesday", "people": 2}, "BOOKED")


def test_filling_what_has_no_result_does_nothing(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    store.letters.fill(1, WHOLE)
    assert dump(store)["results"] == []


def test_replies_stand_with_their_attempt(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    attempt = end(store, WHOLE)
    text = InboundText(provider="revring", from_number=phone(0), to_number=phone(9), body="yes", provider_id="1")
    for body, name, at in (("yes", "1", None), ("yes", "1", None), ("and no", "2", NOON + timedelta(hours=1))):
        told = replace(text, body=body, provider_id=name, at=at)
        store.letters.reply("revring", told, NOON, attempt_id=attempt, stops=False, verified=True)
    assert [(reply.body, reply.at) for reply in one(store).replies] == [
        ("yes", NOON),
        ("and no", NOON + timedelta(hours=1)),
    ]


@pytest.mark.parametrize("page", [1, 2, 3, 500])
def test_pages_leave_nobody_out_and_show_nobody_twice(store: Store, monkeypatch: pytest.MonkeyPatch, page: int) -> None:
    monkeypatch.setattr(results, "PAGE", page)
    apply(store, campaign(), PEOPLE)
    apply(store, campaign(campaign="reminders"), PEOPLE[:2])
    everybody = [(row.campaign, row.contact_key) for row in export_rows(store)]
    assert everybody == [
        *(("renewals", one.key) for one in PEOPLE),
        *(("reminders", one.key) for one in PEOPLE[:2]),
    ]
    assert [row.contact_key for row in export_rows(store, "reminders")] == [one.key for one in PEOPLE[:2]]


def test_a_contact_without_attempts_has_one_row(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    store._connection.execute("DELETE FROM attempts")
    assert list(export_rows(store)) == [
        ExportRow(
            campaign="renewals", contact_key=phone(0), phone=phone(0), row=2, contact_state="pending", attempt=None
        )
    ]


def test_a_campaign_that_was_never_applied_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound, match="no campaign `renewal` was applied"):
        list(export_rows(store, "renewal"))


def test_a_ledger_from_before_results_has_none(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    sqlite3.connect(path).close()
    path.chmod(0o600)
    store = Store.open_read_only(path)
    assert list(export_rows(store)) == []
    store.close()


def test_a_slow_reader_does_not_keep_the_runner_from_writing(
    open_store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "PAGE", 2)
    writer = open_store()
    apply(writer, campaign(), PEOPLE)
    path = Path(writer._connection.execute("PRAGMA database_list").fetchone()["file"])
    reader = Store.open_read_only(path)
    reading = export_rows(reader)
    next(reading)
    writer._connection.execute("PRAGMA busy_timeout = 0")
    writer.pause("renewals", "by hand", NOON)
    assert len(list(reading)) == 4
    reader.close()


# Suppressions


def test_a_suppression_calls_off_what_is_planned_everywhere_and_leaves_the_rest(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:3])
    apply(store, campaign(campaign="reminders"), PEOPLE[:2])
    take(store, *LIVE_PATH)
    store.suppress(phone(0), "opted out", "call 1", NOON)
    store.suppress(phone(1), "opted out", "call 2", NOON)
    assert [row[3] for row in states(store)] == ["accepted", "suppressed", "planned"]
    assert [row[3] for row in states(store, "reminders")] == ["suppressed", "suppressed"]
    assert standing(store) == {phone(0): "suppressed", phone(1): "suppressed", phone(2): "pending"}
    assert standing(store, "reminders") == {phone(0): "suppressed", phone(1): "suppressed"}


def test_a_suppression_again_writes_nothing(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    store.suppress(phone(0), "opted out", "call 1", NOON)
    before = dump(store)
    store.suppress(phone(0), "complained", "call 2", NOON)
    assert dump(store) == before


# Lists


def test_a_list_is_told_what_it_does_not_know_oldest_first(store: Store) -> None:
    for number, minutes in ((0, 3), (1, 1), (2, 2)):
        store.suppress(phone(number), "opted out", "call", NOON + timedelta(minutes=minutes))
    assert store.letters.unlisted("revring", 2) == [phone(1), phone(2)]
    assert store.letters.listed("revring", [phone(1), phone(2)], NOON) == 2
    assert store.letters.listed("revring", [phone(2)], NOON) == 0
    assert store.letters.unlisted("revring", 9) == [phone(0)]
    assert len(store.letters.unlisted("other", 9)) == 3


def test_details_are_json_that_other_tools_can_read(store: Store) -> None:
    apply(store, campaign(), PEOPLE)
    end(store, WHOLE)
    (detail,) = store._connection.execute("SELECT detail FROM results").fetchone()
    assert json.loads(detail)["structured"]["people"] == 2
