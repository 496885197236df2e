"""Agents in the ledger: intents, ids, what was applied, and ledgers from before there were any."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from runner.ledger.agents import begin_agent, forget_agent, known_agents, put_agent
from runner.ledger.store import Store
from runner.planning.agents import AgentSpec, definition_digest
from tests.building import NOON

SPEC = AgentSpec(
    campaign="renewals", name="reminder", account="main", provider="revox", fields={"prompt": "Grüß {{name}}", "n": 1}
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "ledger.db")
    yield opened
    opened.close()


def test_an_intent_has_no_id_and_can_be_taken_back(store: Store) -> None:
    assert begin_agent(store, SPEC, NOON, None)

    row = known_agents(store, "renewals")["main", "reminder"]
    assert (row.applied.provider_id, row.applied.fields, row.at) == ("", SPEC.fields, NOON)
    forget_agent(store, SPEC)
    assert known_agents(store, "renewals") == {}


def test_an_agent_that_was_applied_is_not_forgotten(store: Store) -> None:
    begin_agent(store, SPEC, NOON, None)
    put_agent(store, SPEC, "asst_1", {"prompt": "Gruss", "n": 1}, NOON + timedelta(seconds=1))
    forget_agent(store, SPEC)

    row = known_agents(store, "renewals")["main", "reminder"]
    assert (row.applied.provider_id, row.at) == ("asst_1", NOON + timedelta(seconds=1))
    assert row.applied.observed == {"prompt": "Gruss", "n": 1}


def test_only_one_of_two_processes_begins(store: Store) -> None:
    assert begin_agent(store, SPEC, NOON, None)
    row = known_agents(store, "renewals")["main", "reminder"]

    assert not begin_agent(store, SPEC, NOON + timedelta(seconds=1), None)
    assert begin_agent(store, SPEC, NOON + timedelta(minutes=9), row)
    assert not begin_agent(store, SPEC, NOON + timedelta(minutes=9, seconds=1), row)
    assert known_agents(store, "renewals")["main", "reminder"].at == NOON + timedelta(minutes=9)


def test_the_event_tells_what_was_applied_without_its_words(store: Store) -> None:
    put_agent(store, SPEC, "asst_1", {}, NOON)

    (detail,) = [row[0] for row in store._connection.execute("SELECT detail FROM events WHERE kind = 'agent_applied'")]
    assert json.loads(detail) == {
        "account": "main",
        "campaign": "renewals",
        "agent": "reminder",
        "provider_id": "asst_1",
        "digest": definition_digest(SPEC.fields),
    }


def test_agents_are_kept_by_account_campaign_and_name(store: Store) -> None:
    put_agent(store, SPEC, "asst_1", {}, NOON)
    put_agent(store, AgentSpec(campaign="renewals", name="reminder", account="b", provider="revox", fields={}), "asst_2", {}, NOON)  # fmt: skip
    put_agent(store, AgentSpec(campaign="other", name="reminder", account="main", provider="revox", fields={}), "asst_3", {}, NOON)  # fmt: skip

    found = {key: row.applied.provider_id for key, row in known_agents(store, "renewals").items()}
    assert found == {("main", "reminder"): "asst_1", ("b", "reminder"): "asst_2"}
