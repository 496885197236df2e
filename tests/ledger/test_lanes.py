"""Lanes in the ledger: old ledgers get theirs, attempts follow their agent, live slots and doubts are counted."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from runner.ledger import migrate as migrating
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.lane import RecentDoubts, Slot
from runner.model.move import Move
from tests.building import NOON, account, apply, campaign, contact, phone

S = AttemptState
LATER = NOON + timedelta(minutes=5)
AGENT = {"provider": "movoice", "id": "agent_1", "from": "+12025550190"}


def move(store: Store, attempt: int, old: AttemptState, new: AttemptState, seconds: float = 0) -> None:
    at = NOON + timedelta(seconds=seconds)
    assert store.move(
        [Move(attempt_id=attempt, old=old, new=new, at=at, sent_at=at if new is S.SENDING else None)]
    ) == [True]  # fmt: skip


def test_each_attempt_has_the_lane_of_its_step(store: Store) -> None:
    apply(store, campaign(agent=AGENT), [contact(0), contact(1)], account(name="main"))
    (lane,) = store.lanes.after(0)
    assert (lane.campaign, lane.step, lane.account, lane.agent, lane.from_number) == (
        "renewals", "call", "main", "agent", "+12025550190",
    )  # fmt: skip
    assert store.lanes.after(lane.id) == []
    assert [one.due_at for one in store.lanes.due(lane.id, NOON, 9)] == [NOON, NOON]
    assert len(store.lanes.due(lane.id, NOON, 1)) == 1
    assert store.lanes.due(lane.id, NOON - timedelta(seconds=1), 9) == []


def test_what_is_planned_moves_to_the_lane_of_another_number(store: Store) -> None:
    apply(store, campaign(agent=AGENT), [contact(0), contact(1)])
    first = store.lanes.claim([1], LATER)
    assert len(first) == 1
    apply(store, campaign(agent={**AGENT, "from": "+12025550191"}), [contact(0), contact(1)])
    old, new = store.lanes.after(0)
    assert (old.from_number, new.from_number) == ("+12025550190", "+12025550191")
    assert [one.id for one in store.lanes.due(new.id, NOON, 9)] == [2]
    assert store.lanes.live(NOON) == [Slot(old.id, NOON)], "what was claimed before counts where it was"


def test_nobody_is_claimed_twice_at_once(store: Store) -> None:
    apply(store, campaign(), [contact(0)])
    apply(store, campaign(campaign="other"), [contact(0)])
    one, other = store.lanes.after(0)
    assert len(store.lanes.due(other.id, NOON, 9)) == 1
    assert [work.attempt.phone for work in store.lanes.claim([1, 2], LATER)] == [phone(0)]
    assert store.lanes.due(other.id, NOON, 9) == []
    assert store.lanes.due(one.id, NOON, 9) == []


def test_slots_are_held_from_the_claim_to_the_outcome(store: Store) -> None:
    apply(store, campaign(), [contact(0)])
    store.lanes.claim([1], LATER)
    assert store.lanes.live(NOON) == [Slot(1, NOON)]
    for seconds, (old, new) in enumerate([(S.CLAIMED, S.SENDING), (S.SENDING, S.IN_DOUBT)]):
        move(store, 1, old, new, seconds)
        assert store.lanes.live(LATER) == [Slot(1, NOON)]
    move(store, 1, S.IN_DOUBT, S.HELD, 2)
    assert store.lanes.live(LATER) == [], "a person decides on it, and the call is long over"


def test_starts_are_those_of_the_lanes_oldest_first(store: Store) -> None:
    for name in ("one", "two"):
        apply(store, campaign(campaign=name), [contact(0 if name == "one" else 1), contact(2 if name == "one" else 3)])
    store.lanes.claim([1, 2, 3, 4], LATER)
    for attempt, seconds in ((3, 1), (1, 2)):
        move(store, attempt, S.CLAIMED, S.SENDING, seconds)
    at = {seconds: NOON + timedelta(seconds=seconds) for seconds in (1, 2)}
    assert store.lanes.starts([1, 2], NOON, LATER) == [at[1], at[2], LATER, LATER], "what is claimed starts now"
    assert store.lanes.starts([1], NOON, LATER) == [at[2], LATER]
    assert store.lanes.starts([2], at[1], LATER) == [LATER]
    assert store.lanes.first_start([1, 2]) == at[1]
    assert store.lanes.first_start([]) is None


def test_doubts_count_from_the_last_resumption_on(store: Store) -> None:
    apply(store, campaign(), [contact(number) for number in range(4)])
    store.lanes.claim([1, 2, 3], LATER)
    for attempt in (1, 2, 3):
        move(store, attempt, S.CLAIMED, S.SENDING, attempt)
    for attempt in (1, 2):
        move(store, attempt, S.SENDING, S.IN_DOUBT, 10 + attempt)
    move(store, 1, S.IN_DOUBT, S.ACCEPTED, 20)
    assert store.lanes.doubts("renewals", NOON) == RecentDoubts(sent=3, doubted=2)
    assert store.lanes.doubts("renewals", NOON + timedelta(seconds=11)) == RecentDoubts(sent=0, doubted=1)
    store.pause("renewals", "doubts", NOON + timedelta(seconds=12))
    store.resume("renewals", NOON + timedelta(seconds=30))
    assert store.lanes.doubts("renewals", NOON) == RecentDoubts(sent=3, doubted=0)
    assert store.lanes.doubts("unheard-of", NOON) == RecentDoubts(sent=0, doubted=0)


def test_a_ledger_of_before_lanes_gets_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every payload and attempt of an old ledger gets the lane of its step, whatever its agent was."""
    path = tmp_path / "ledger.db"
    whole = migrating.migrations()
    monkeypatch.setattr(migrating, "migrations", lambda: tuple(one for one in whole if one.version < 6))
    connection = sqlite3.connect(path, isolation_level=None)
    path.chmod(0o600)
    migrating.migrate(connection)
    policy = campaign(agent=AGENT, steps=[{"call": "agent"}, {"text": "agent", "message": "hello", "after": "1h"}])
    connection.executescript(f"""
        INSERT INTO campaigns (id, name, revision_id) VALUES (1, 'renewals', NULL);
        INSERT INTO revisions (id, campaign_id, digest, policy, accounts, applied_at, tool_version)
            VALUES (1, 1, 'x', '{policy.model_dump_json(exclude_none=True)}', '{{}}', 0, '0');
        UPDATE campaigns SET revision_id = 1;
        INSERT INTO contacts (id, campaign_id, key, phone, row, zones, zone_source, cells, state)
            VALUES (1, 1, 'a', '{phone(0)}', 2, 'UTC', 'column', '{{}}', 'pending');
        INSERT INTO payloads VALUES (1, 0, 'call', 'main', 'movoice', 'agent_1', 'POST', '/c', '{{}}', 'f');
        INSERT INTO payloads VALUES (1, 1, 'gone', 'main', 'movoice', 'agent_1', 'POST', '/c', '{{}}', 'f');
        INSERT INTO attempts (key, campaign_id, contact_id, phone, step, number, channel, account, state, due_at)
            VALUES ('k', 1, 1, '{phone(0)}', 'call', 1, 'call', 'main', 'planned', 0);
    """)
    connection.close()
    monkeypatch.setattr(migrating, "migrations", lambda: whole)
    store = Store.open(path)
    lanes = {one.step: one for one in store.lanes.after(0)}
    assert (lanes["call"].agent, lanes["call"].from_number) == ("agent", "+12025550190")
    assert (lanes["gone"].agent, lanes["gone"].from_number) == ("", "")
    assert [one.id for one in store.lanes.due(lanes["call"].id, NOON, 9)] == [1]
    store.close()
