"""Variants and backups in plans and in the ledger: given once, kept for good, rendered, counted, told."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from runner.engine.settlement import settle
from runner.ledger.revisions import known_campaign
from runner.ledger.store import Store
from runner.ledger.variants import variant_results
from runner.model.attempt import AttemptState
from runner.model.campaign import Campaign
from runner.model.move import Move
from runner.model.outcome import Observation, Outcome
from runner.model.plan import PlanLine, PlanStatus
from runner.planning.digest import Digest
from runner.planning.plan import Draft, plan_lines
from runner.planning.summary import Tally
from runner.planning.variants import VariantTally
from runner.rules.policy import policy_of
from tests.building import NOON, account, apply, campaign, contact, draft, planned

S, P = AttemptState, PlanStatus
PEOPLE = tuple(contact(number) for number in range(40))
MAIN, SPARE = account(name="main"), account(name="spare")
TWO: dict[str, Any] = {
    "agent": None,
    "agents": {
        "voice": {"provider": "movoice", "id": "agent_1", "account": "main"},
        "other": {"provider": "movoice", "id": "agent_2", "account": "spare"},
    },
    "variables": {"tone": "plain", "of": "{{ variant }}"},
    "steps": [{"call": "voice"}],
}


def with_variants(variants: Any, **changes: Any) -> Campaign:
    variables = TWO["variables"] if variants else {"tone": "plain"}
    return campaign(**{**TWO, "variables": variables, "variants": variants, **changes})


A_AND_B = {"a": 2, "b": {"variables": {"tone": "warm"}, "agent": "other", "options": {"max_duration": 90}}}


def lines_of(of: Campaign, store: Store | None = None, rows: tuple[Any, ...] = PEOPLE) -> list[PlanLine]:
    known = known_campaign(store, of.campaign) if store is not None else None
    return planned(draft(of, MAIN, SPARE, known=known), rows)[0]


@pytest.fixture
def store(tmp_path: Any) -> Any:
    made = Store.open(tmp_path / "ledger.db")
    yield made
    made.close()


def end(store: Store, attempt: int, outcome: Outcome, tag: str = "") -> None:
    """Carry an attempt out to its end."""
    for old, new in [(S.PLANNED, S.CLAIMED), (S.CLAIMED, S.SENDING), (S.SENDING, S.ACCEPTED)]:
        sent = NOON if new is S.SENDING else None
        assert store.move([Move(attempt_id=attempt, old=old, new=new, at=NOON, sent_at=sent)]) == [True]
    seen = Observation(outcome=outcome, tag=tag)
    store.move([Move(attempt_id=attempt, old=S.ACCEPTED, new=S.FINISHED, at=NOON, outcome=outcome, observation=seen)])


def test_each_variant_sends_its_own() -> None:
    """Variables, agent, account and options of the person's variant, and its name where templates ask for it."""
    lines = lines_of(with_variants(A_AND_B))
    seen = {
        (
            one.variant,
            one.agent,
            one.account,
            str((one.payload or {}).get("agent_id")),
            "warm" in json.dumps(one.payload),
        )
        for one in lines
    }

    assert seen == {("a", "voice", "main", "agent_1", False), ("b", "other", "spare", "agent_2", True)}
    assert all(f'"{one.variant}"' in json.dumps(one.payload) for one in lines)


def test_the_plan_counts_variants() -> None:
    """Everybody who is reached, by variant; people who are skipped do not count."""
    made = draft(with_variants(A_AND_B), MAIN, SPARE)
    suppressed = replace(PEOPLE[0], suppressed_by="stop.csv:1")
    of = made.policy.campaign
    tally = Tally(of.campaign, Digest(of, {}), variants=VariantTally(of))
    lines = list(tally.watch(plan_lines(made, (suppressed, *PEOPLE[1:]), NOON)))
    counts = tally.summary().variants

    assert [(one.variant, one.weight) for one in counts] == [("a", 2), ("b", 1)]
    assert sum(one.contacts for one in counts) == len(lines) - 1


def test_weights_move_nobody_who_is_known(store: Store) -> None:
    """The ledger's variant wins over any weight, new variants and a weight of 0."""
    apply(store, with_variants({"a": 1, "b": 1}), PEOPLE, MAIN, SPARE)
    before = {one.contact_key: one.variant for one in lines_of(with_variants({"a": 1, "b": 1}), store)}
    after = lines_of(with_variants({"a": 0, "b": 90, "c": 500}), store)

    assert set(before.values()) == {"a", "b"}
    assert {one.contact_key: one.variant for one in after} == before
    assert {one.status for one in after} == {P.KEEP}


def test_a_variant_that_left_the_file(store: Store) -> None:
    """Nothing sent: another one, and the plan says so. Something sent: the name stays, and nothing of it counts."""
    apply(store, with_variants({"a": 1, "c": {"variables": {"tone": "loud"}}}), PEOPLE, MAIN, SPARE)
    of_c = [one for one in lines_of(with_variants({"a": 1, "c": 1}), store) if one.variant == "c"]
    ids = {row["key"]: row["id"] for row in store._connection.execute(
        "SELECT a.id, k.key FROM attempts a JOIN contacts k ON k.id = a.contact_id")}  # fmt: skip
    end(store, ids[of_c[0].contact_key], Outcome.NO_ANSWER)
    after = {one.contact_key: one for one in lines_of(with_variants({"a": 1, "b": 1}), store)}

    sent, unsent = after[of_c[0].contact_key], after[of_c[1].contact_key]
    assert (sent.status, sent.variant) == (P.KEEP, "c")
    assert sent.reason == "variant `c` is no longer in the file: goes on without it"
    assert "loud" not in json.dumps(sent.payload)
    assert unsent.status is P.CHANGE
    assert unsent.reason == f"variant `c` is no longer in the file: now `{unsent.variant}`"

    apply(store, with_variants({"a": 1, "b": 1}), PEOPLE, MAIN, SPARE)
    assert {one.status for one in lines_of(with_variants({"a": 1, "b": 1}), store)} == {P.KEEP}


def test_variants_that_come_later(store: Store) -> None:
    """Whoever was sent something before there were variants gets none; the others do."""
    apply(store, with_variants({}), PEOPLE, MAIN, SPARE)
    end(store, 1, Outcome.NO_ANSWER)
    apply(store, with_variants({"a": 1, "b": 1}), PEOPLE, MAIN, SPARE)
    known = known_campaign(store, "renewals").contacts

    assert known[PEOPLE[0].key].variant == ""
    assert {known[one.key].variant for one in PEOPLE[1:]} == {"a", "b"}


def test_all_rounds_give_a_person_the_same(store: Store) -> None:
    """A round is a campaign of its own in the ledger, and not for the draw."""
    of = with_variants({"a": 1, "b": 1})
    own = {one.contact_key: one.variant for one in lines_of(of)}
    made = draft(of, MAIN, SPARE)
    named = of.model_copy(update={"campaign": "renewals@2026-04-06T13:00Z"})
    round_of: Draft = replace(made, policy=replace(made.policy, campaign=named))

    assert {one.contact_key: one.variant for one in planned(round_of, PEOPLE)[0]} == own


def test_backups_are_planned_and_stored(store: Store) -> None:
    """What would go out through each is in the plan, in its digest, and in the ledger."""
    plain, backed = with_variants({}), with_variants({}, steps=[{"call": ["voice", "other"]}])
    line = lines_of(backed, rows=PEOPLE[:1])[0]
    backup = line.backups[0]

    assert (backup.agent, backup.account, backup.payload and backup.payload["agent_id"]) == (
        "other",
        "spare",
        "agent_2",
    )
    assert line.key in backup.headers.values()
    assert apply(store, plain, PEOPLE, MAIN, SPARE).created == len(PEOPLE)
    assert {one.reason for one in lines_of(backed, store)} == {"the payload changed"}
    apply(store, backed, PEOPLE, MAIN, SPARE)
    stored = store._connection.execute("SELECT account, agent_id, body FROM backups WHERE contact_id = 1").fetchall()
    assert [(row["account"], row["agent_id"], json.loads(row["body"])) for row in stored] == [
        ("spare", "agent_2", backup.payload)
    ]
    assert {one.status for one in lines_of(backed, store)} == {P.KEEP}


def test_a_changed_backup_changes_the_plan(store: Store) -> None:
    """Options of the backup alone are a change of what was reviewed."""
    backed = with_variants({}, steps=[{"call": ["voice", "other"]}])
    apply(store, backed, PEOPLE, MAIN, SPARE)
    agents = {**TWO["agents"], "other": {**TWO["agents"]["other"], "options": {"max_duration": 77}}}
    changed = with_variants({}, steps=[{"call": ["voice", "other"]}], agents=agents)

    assert {one.status for one in lines_of(changed, store)} == {P.CHANGE}


def test_results_by_variant(store: Store) -> None:
    """People, not attempts: who was tried, who was reached, whose goal is reached, a tag that came late included."""
    of = with_variants({"a": 1, "b": 1}, done_when="tag == 'BOOKED' and variant == 'a'")
    apply(store, of, PEOPLE, MAIN, SPARE)
    rows = store._connection.execute(
        "SELECT a.id, k.variant FROM attempts a JOIN contacts k ON k.id = a.contact_id ORDER BY a.id"
    ).fetchall()
    a, b = ([row["id"] for row in rows if row["variant"] == name] for name in "ab")
    end(store, a[0], Outcome.ANSWERED, "BOOKED")
    end(store, a[1], Outcome.NO_ANSWER)
    end(store, a[2], Outcome.ANSWERED)
    end(store, b[0], Outcome.ANSWERED, "BOOKED")
    store._connection.execute("UPDATE attempts SET tag = 'BOOKED' WHERE id = ?", (a[2],))
    found = {one.variant: one for one in variant_results(store, "renewals")}

    assert list(found) == ["a", "b"]
    assert (found["a"].contacts, found["a"].tried, found["a"].reached.count) == (len(a), 3, 2)
    assert [one.goal.count for one in found.values() if one.goal] == [2, 0]
    assert found["b"].reached.low == pytest.approx(0.206549, abs=1e-5)
    assert variant_results(store, "nobody") == ()


@pytest.mark.parametrize(("asked", "follows"), [("only", "again"), ("other", "")])
def test_conditions_may_ask_for_the_variant(store: Store, asked: str, follows: str) -> None:
    """What the ledger gave a person decides which step follows."""
    steps = [{"call": "voice"}, {"call": "voice", "name": "again", "when": f"variant == '{asked}'"}]
    of = with_variants({"only": 1}, steps=steps)
    apply(store, of, PEOPLE[:1], MAIN, SPARE)
    work = store.assignments([1])[0]
    sending = replace(work, attempt=replace(work.attempt, state=S.ACCEPTED))
    move = settle(policy_of(of), sending, Observation(outcome=Outcome.NO_ANSWER), (), NOON)

    assert (move.next_attempt.step if move.next_attempt else "") == follows
