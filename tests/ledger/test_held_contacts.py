"""People whose hour nobody knows: held without an attempt, let go by a plan that has the evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from runner.ledger import overview
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import Move
from tests.building import NOON, apply, campaign, claim_due, contact, phone, standing, states

STRICT = campaign(zones="strict")
NOBODY_KNOWS, TOLD = contact(0), contact(0, timezone="Europe/Paris")
REASON = "no time zone in the row, and `zones: strict` takes nothing else; add a timezone column"


def test_a_held_contact_has_no_attempt_and_says_why(store: Store) -> None:
    recorded = apply(store, STRICT, [NOBODY_KNOWS, contact(1, timezone="Europe/Paris")])
    assert (recorded.created, recorded.held) == (1, 1)
    assert standing(store) == {phone(0): "held", phone(1): "pending"}
    assert _states(store) == ["planned"]
    first, second = overview.contacts(store, "renewals")
    assert (first.held_because, first.attempts, second.held_because) == (REASON, (), "")
    assert store.open_attempts() == 1, "nobody waits for the runner on account of somebody who is held"
    (event,) = [json.loads(row["detail"]) for row in _events(store, "held")]
    assert event["reason"] == REASON


def test_evidence_lets_a_held_contact_go(store: Store) -> None:
    apply(store, STRICT, [NOBODY_KNOWS])
    recorded = apply(store, STRICT, [TOLD])
    assert (recorded.created, recorded.held) == (1, 0)
    assert standing(store) == {phone(0): "pending"}
    assert _states(store) == ["planned"]
    work = claim_due(store, "renewals", 1, NOON + timedelta(days=1), NOON + timedelta(days=2))[0]
    assert work.attempt.zones == ("Europe/Paris",)
    assert overview.contacts(store, "renewals")[0].held_because == ""


def test_rules_that_become_strict_call_off_what_is_planned_and_evidence_plans_it_again(store: Store) -> None:
    apply(store, campaign(), [NOBODY_KNOWS])
    assert apply(store, STRICT, [NOBODY_KNOWS]).held == 1
    assert (_states(store), standing(store)) == (["superseded"], {phone(0): "held"})
    assert claim_due(store, "renewals", 1, NOON + timedelta(days=9), NOON + timedelta(days=10)) == []
    assert apply(store, STRICT, [TOLD]).created == 1
    assert (_states(store), standing(store)) == (["planned"], {phone(0): "pending"})


def test_whoever_was_called_already_is_not_held(store: Store) -> None:
    apply(store, campaign(), [NOBODY_KNOWS])
    work = claim_due(store, "renewals", 1, NOON, NOON + timedelta(hours=1))[0]
    store.move([Move(attempt_id=work.attempt.id, old=AttemptState.CLAIMED, new=AttemptState.SENDING, at=NOON)])
    assert apply(store, STRICT, [NOBODY_KNOWS]).held == 0
    assert _states(store) == ["sending"]


def test_a_held_contact_that_leaves_the_files_is_gone(store: Store) -> None:
    apply(store, STRICT, [NOBODY_KNOWS, contact(1, timezone="Europe/Paris")])
    assert apply(store, STRICT, [contact(1, timezone="Europe/Paris")]).removed == 1
    assert standing(store) == {phone(0): "removed", phone(1): "pending"}


def test_a_held_contact_that_must_not_be_contacted_counts_as_that(store: Store) -> None:
    apply(store, STRICT, [NOBODY_KNOWS])
    apply(store, STRICT, [replace(NOBODY_KNOWS, suppressed_by="dnc.txt:3")])
    assert standing(store) == {phone(0): "suppressed"}


def test_the_same_plan_again_holds_nobody_twice(store: Store) -> None:
    assert apply(store, STRICT, [NOBODY_KNOWS]).held == 1
    assert apply(store, campaign(zones="strict", limits={"concurrency": 3}), [NOBODY_KNOWS]).held == 0
    assert len(_events(store, "held")) == 1


def test_an_intent_keeps_the_zones_and_where_they_came_from(store: Store) -> None:
    apply(store, campaign(timezone="contact"), [contact(0, phone="+61491570156"), contact(1, timezone="Europe/Paris")])
    for work in claim_due(store, "renewals", 2, NOON + timedelta(days=9), NOON + timedelta(days=10)):
        store.move([Move(attempt_id=work.attempt.id, old=AttemptState.CLAIMED, new=AttemptState.SENDING, at=NOON)])
    details = [json.loads(row["detail"]) for row in _events(store, "sending")]
    assert [(len(one["zones"]), one["zone_source"]) for one in details] == [(8, "number"), (1, "column")]


def _states(store: Store) -> list[str]:
    return [one[3] for one in states(store)]


def _events(store: Store, kind: str) -> list[dict[str, str]]:
    rows = store._connection.execute("SELECT detail FROM events WHERE kind = ? ORDER BY id", (kind,))
    return [dict(row) for row in rows]
