"""Forgetting: nothing of an erased person is in the file, and the number is still refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import LedgerError
from runner.ledger import chain, erasing
from runner.ledger.audit import audit
from runner.ledger.instants import to_micros
from runner.ledger.revisions import known_campaign
from runner.ledger.store import Store
from runner.ledger.suppressions import lift
from runner.model.attempt import AttemptState
from runner.model.contact import Contact
from runner.model.move import Move
from runner.model.outcome import InboundText, Observation, Outcome
from tests.building import NOON, account, apply, campaign, contact, draft, phone, planned, standing, states

S = AttemptState
LATER = NOON + timedelta(days=200)
ME, OTHER = phone(0), phone(1)
SECRETS = (
    "2025550100", "Maria Canary", "canary-words", "canary-summary", "canary-transcript", "call-canary", "canary-reply",
    "canary-webhook", "canary-recording", "canary-note", "customer-canary",
)  # fmt: skip


def person(number: int, name: str, key: str) -> Contact:
    values = {"phone": phone(number), "name": name}
    return contact(number, key=key, values=values)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """Give a ledger in which much was said to one person, and something to another one."""
    store = Store.open(path)
    of = campaign(variables={"name": "{{ contact.name }}"})
    apply(store, of, [person(0, "Maria Canary", "customer-canary"), person(1, "Otto", "customer-other")])
    for attempt, who in ((1, "canary"), (2, "other")):
        seen = Observation(
            outcome=Outcome.ANSWERED, summary=f"{who}-summary", transcript=f"{who}-transcript",
            recording_url=f"https://x.example/{who}-recording", words={"said": f"{who}-words"}, tag="BOOKED",
        )  # fmt: skip
        store.move(
            [
                Move(attempt_id=attempt, old=S.PLANNED, new=S.CLAIMED, at=NOON),
                Move(attempt_id=attempt, old=S.CLAIMED, new=S.SENDING, at=NOON, sent_at=NOON),
                Move(attempt_id=attempt, old=S.SENDING, new=S.ACCEPTED, at=NOON, provider_id=f"call-{who}"),
                Move(attempt_id=attempt, old=S.ACCEPTED, new=S.FINISHED, at=NOON, outcome=Outcome.ANSWERED, observation=seen),
            ]
        )  # fmt: skip
        store.event(NOON, attempt, "conflict_checked", provider_says=f"{who}-note")
        text = InboundText(
            provider="movoice", from_number=phone(attempt - 1), to_number=phone(9), body=f"{who}-reply", provider_id=who
        )
        store.letters.reply("movoice", text, NOON, attempt_id=attempt, stops=False, verified=True)
        body = json.dumps({"call_id": f"call-{who}", "text": f"{who}-webhook"}).encode()
        store.receive("movoice", f"digest-{who}", body, NOON, verified=True)
    store._connection.execute("UPDATE contacts SET state = 'completed'")
    store.receive("movoice", "early", json.dumps({"to": ME, "name": "Maria Canary"}).encode(), NOON, verified=False)
    store.letters.quarantine("movoice", "early", [("call-canary", "")])
    store.suppress(ME, "opted out", f"attempt {store.assignments([1])[0].attempt.key}", NOON)
    lift(store, ME, "asked to", "tester", NOON)
    store.letters.listed("movoice", [ME], NOON)
    store.suppress(ME, "opted out", "call-canary", NOON)
    yield store
    store.close()


def raw(path: Path) -> bytes:
    return b"".join(file.read_bytes() for file in path.parent.iterdir() if file.name.startswith(path.name))


def test_nothing_of_an_erased_person_is_left_in_the_file(store: Store, path: Path) -> None:
    before = raw(path)
    assert [one for one in SECRETS if one.encode() in before] == list(SECRETS)
    key = store.assignments([1])[0].attempt.key.encode()

    found = erasing.erase(store, ME, LATER, really=True)
    assert (found.contacts, found.attempts, found.replies, found.webhooks) == (1, 1, 1, 2)
    assert found.was_listed
    assert erasing.compact(store)

    after = raw(path)
    assert [one for one in (*SECRETS, key.decode()) if one.encode() in after] == []
    for kept in (
        "2025550101",
        "Otto",
        "other-summary",
        "other-transcript",
        "call-other",
        "other-reply",
        "other-webhook",
    ):
        assert kept.encode() in after
    assert audit(store).faults == ()
    assert list(chain.broken_links(store._connection)) == []


def test_freed_pages_are_overwritten_even_without_compacting(store: Store, path: Path) -> None:
    erasing.erase(store, ME, LATER, really=True)
    assert [one for one in SECRETS if one.encode() in path.read_bytes()] == []


def test_counts_and_outcomes_stay(store: Store) -> None:
    erasing.erase(store, ME, LATER, really=True)
    rows = store._connection.execute("SELECT state, outcome, tag, sent_at FROM attempts ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("finished", "answered", "BOOKED", to_micros(NOON))] * 2
    assert sorted(standing(store).values()) == ["completed", "completed"]


def test_a_count_changes_nothing(store: Store, path: Path) -> None:
    before = list(store._connection.iterdump())
    counted = erasing.erase(store, ME, LATER, really=False)
    assert list(store._connection.iterdump()) == before
    assert erasing.erase(store, ME, LATER, really=True) == counted


def test_an_erased_number_is_refused_wherever_it_turns_up(store: Store) -> None:
    erasing.erase(store, ME, LATER, really=True)
    assert known_campaign(store, "renewals").suppressions.get(ME, "").startswith("was erased")
    assert OTHER not in known_campaign(store, "renewals").suppressions
    again = campaign(campaign="again")
    made = draft(again, account(), known=known_campaign(store, "again"))
    lines, _ = planned(made, [contact(0), contact(1)], LATER)
    assert [(line.phone, line.status.value) for line in lines] == [(ME, "skip"), (OTHER, "create")]

    # Even if a plan of before the erasure is applied: the gate looks again when it sends.
    store._connection.execute("INSERT INTO campaigns (name) VALUES ('old plan')")
    old = known_campaign(store, "nobody")
    assert old.suppressions.get(ME)
    apply(store, campaign(campaign="other"), [contact(1)], now=LATER)
    attempt = store._connection.execute("SELECT MAX(id) FROM attempts").fetchone()[0]
    store._connection.execute("UPDATE attempts SET phone = ? WHERE id = ?", (ME, attempt))
    assert store.assignments([attempt])[0].suppression.startswith("was erased")
    assert store.letters.is_suppressed(ME)
    assert not store.letters.is_suppressed(OTHER)


def test_nothing_brings_an_erased_number_back_into_the_lists(store: Store, path: Path) -> None:
    erasing.erase(store, ME, LATER, really=True)
    assert not store.suppress(ME, "do not call", "provider", LATER)
    assert not store.suppress(ME, "quiet", "provider", LATER, until=LATER + timedelta(days=1))
    store.letters.listed("movoice", [ME, OTHER], LATER)
    erasing.compact(store)
    assert b"2025550100" not in raw(path)
    assert lift(store, ME, "asked to", "tester", LATER) is not None
    assert ME not in known_campaign(store, "renewals").suppressions
    assert lift(store, ME, "asked to", "tester", LATER) is None


def test_a_person_who_stands_in_the_campaign_file_is_blanked_in_its_rules(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "ledger.db")
    people = [{"phone": "+1 (202) 555-0100", "name": "Maria Canary"}, {"phone": OTHER, "name": "Otto"}]
    of = campaign(contacts=people)
    apply(store, of, [contact(0), contact(1)])
    row = store._connection.execute("SELECT policy FROM revisions").fetchone()
    policy = row[0].replace("+1 (202) 555-0100", ME)
    store._connection.execute("UPDATE revisions SET policy = ?", (policy,))
    erasing.erase(store, ME, LATER, really=True)
    rules = json.loads(store._connection.execute("SELECT policy FROM revisions").fetchone()[0])
    assert rules["contacts"]["inline"] == [{"phone": "", "name": ""}, {"phone": OTHER, "name": "Otto"}]
    store.close()


@pytest.mark.parametrize("state", ["claimed", "sending", "accepted", "in_doubt"])
def test_whoever_is_being_called_is_erased_later(store: Store, state: str) -> None:
    store._connection.execute("UPDATE attempts SET state = ? WHERE id = 1", (state,))
    with pytest.raises(LedgerError, match="under way"):
        erasing.erase(store, ME, LATER, really=True)
    assert store._connection.execute("SELECT COUNT(*) FROM contacts WHERE phone = ?", (ME,)).fetchone()[0] == 1


def test_planned_and_held_attempts_of_an_erased_person_end(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(), [contact(0)])
    apply(store, campaign(campaign="second"), [contact(0)])
    store.move([Move(attempt_id=2, old=S.PLANNED, new=S.HELD, at=NOON)])
    erasing.erase(store, ME, LATER, really=True)
    assert [state for *_, state in states(store)] == ["suppressed"]
    assert [state for *_, state in states(store, "second")] == ["finished"]
    assert set(standing(store).values()) == {"suppressed"}
    assert audit(store).faults == ()
    store.close()


def test_a_number_in_a_table_that_nobody_told_of_is_struck_out(store: Store, path: Path) -> None:
    store._connection.execute("CREATE TABLE later (id INTEGER PRIMARY KEY, body TEXT, raw BLOB)")
    store._connection.execute("INSERT INTO later (body, raw) VALUES (?, ?)", (f"to {ME}", ME.encode()))
    assert erasing.erase(store, ME, LATER, really=True).elsewhere == 2
    erasing.compact(store)
    assert b"2025550100" not in raw(path)


def test_purging_forgets_what_was_said_and_keeps_what_counts(store: Store, path: Path) -> None:
    before = NOON + timedelta(days=1)
    counted = erasing.purge(store, before, LATER, campaign=None, really=False)
    found = erasing.purge(store, before, LATER, campaign=None, really=True)
    assert found == counted
    assert (found.contacts, found.payloads, found.summaries, found.results, found.replies, found.webhooks) == (
        2,
        2,
        2,
        2,
        2,
        3,
    )
    erasing.compact(store)
    after = raw(path)
    said = ("Otto", "Maria", "-summary", "-transcript", "-recording", "-reply", "-webhook")
    assert [one for one in said if one.encode() in after] == []
    rows = store._connection.execute("SELECT phone, state, outcome, tag FROM attempts ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [
        (ME, "finished", "answered", "BOOKED"),
        (OTHER, "finished", "answered", "BOOKED"),
    ]
    assert audit(store).faults == ()
    assert erasing.purge(store, before, LATER, campaign=None, really=True).is_nothing


@pytest.mark.parametrize(
    ("before", "campaign_name", "count"),
    [(NOON, None, 0), (NOON + timedelta(seconds=1), "renewals", 2), (NOON + timedelta(seconds=1), "others", 0)],
)
def test_only_what_is_old_enough_and_of_the_campaign_is_purged(
    store: Store, before: object, campaign_name: str | None, count: int
) -> None:
    found = erasing.purge(store, before, LATER, campaign=campaign_name, really=True)  # type: ignore[arg-type]
    assert found.contacts == count
    assert found.webhooks == 0, "webhooks belong to no campaign, and these are not older"


def test_whoever_waits_for_something_is_not_purged(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(), [contact(0)])
    assert erasing.purge(store, LATER, LATER, campaign=None, really=True).is_nothing
    store.close()
