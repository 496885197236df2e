"""The agents that campaigns define, as the ledger remembers them: intents, ids, what was applied."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from sqlite3 import Row

from runner.ledger.instants import from_micros, to_micros
from runner.ledger.store import Store
from runner.model.json import JsonObject
from runner.planning.agents import AgentSpec, AppliedAgent, definition_digest
from runner.planning.digest import canonical_json


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRow:
    """One defined agent of a campaign."""

    account: str
    name: str
    applied: AppliedAgent
    at: datetime
    """when its create request left, or when its definition was applied"""


def known_agents(store: Store, campaign: str) -> dict[tuple[str, str], AgentRow]:
    """Give a campaign's agents by account and name."""
    rows = [_row(row) for row in store.all("agents_of", campaign=campaign)]
    return {(row.account, row.name): row for row in rows}


def campaigns_with_agents(store: Store) -> list[str]:
    """Name every campaign that has had agents of its own, in order."""
    return [str(row["campaign"]) for row in store.all("agent_campaigns")]


def begin_agent(store: Store, spec: AgentSpec, at: datetime, seen: AgentRow | None) -> bool:
    """Write down, durably, that a create request is about to leave; False when it must not.

    `seen` is the row that the decision was made on: when another process has written since, it may
    have sent a request of its own.
    """
    return bool(
        store.change(
            "begin_agent", account=spec.account, campaign=spec.campaign, name=spec.name,
            definition=canonical_json(spec.fields), digest=definition_digest(spec.fields), applied_at=to_micros(at),
            seen=to_micros(seen.at) if seen else None,
        )
    )  # fmt: skip


def forget_agent(store: Store, spec: AgentSpec) -> None:
    """Take back an intent whose request provably made nothing."""
    store.change("forget_agent", account=spec.account, campaign=spec.campaign, name=spec.name)


def forget_gone_agent(store: Store, spec: AgentSpec, provider_id: str, at: datetime) -> None:
    """Forget an agent that no file defines any more and that is gone at its provider."""
    with store.transaction():
        store.change(
            "forget_gone_agent", account=spec.account, campaign=spec.campaign, name=spec.name, provider_id=provider_id
        )
        store.event(
            at, None, "agent_gone",
            account=spec.account, campaign=spec.campaign, agent=spec.name, provider_id=provider_id,
        )  # fmt: skip


def put_agent(store: Store, spec: AgentSpec, provider_id: str, observed: JsonObject, at: datetime) -> None:
    """Write down what an agent was made, and what the provider shows of it."""
    with store.transaction():
        store.change(
            "put_agent", account=spec.account, campaign=spec.campaign, name=spec.name, provider_id=provider_id,
            definition=canonical_json(spec.fields), observed=canonical_json(observed),
            digest=definition_digest(spec.fields), applied_at=to_micros(at),
        )  # fmt: skip
        store.event(
            at, None, "agent_applied",
            account=spec.account, campaign=spec.campaign, agent=spec.name, provider_id=provider_id,
            digest=definition_digest(spec.fields),
        )  # fmt: skip


def _row(row: Row) -> AgentRow:
    applied = AppliedAgent(
        provider_id=row["provider_id"], fields=json.loads(row["definition"]), observed=json.loads(row["observed"])
    )
    return AgentRow(account=row["account"], name=row["name"], applied=applied, at=from_micros(row["applied_at"]))
