"""Agents that the ledger knows and no file defines any more: named, never deleted, forgotten once they are gone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from runner.files.campaign import LoadedCampaign
from runner.ledger.agents import AgentRow, forget_gone_agent
from runner.ledger.store import Store
from runner.planning.agents import AgentChange, AgentSpec, left_behind
from runner.providers.assistants import agents_api
from runner.wiring.agents import DefinedAgent, living
from runner.wiring.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAgent:
    """One agent that was applied once and that no file defines now."""

    spec: AgentSpec
    """what was last applied"""
    row: AgentRow
    reached: DefinedAgent | None
    """how its provider is asked about it; None when outreach.yaml names its account no longer"""

    @property
    def change(self) -> AgentChange:
        """Say what applying does with it: nothing."""
        return left_behind(self.spec, self.row.applied)


def left_agents(workspace: Workspace, loaded: Sequence[LoadedCampaign], *, whole_project: bool) -> list[LeftAgent]:
    """Give the agents that campaigns have left behind; with `whole_project` those of campaigns without a file too."""
    by_name = {one.campaign.campaign: one for one in loaded}
    gone = [name for name in workspace.campaigns_with_agents() if name not in by_name] if whole_project else []
    return [agent for name in (*by_name, *gone) for agent in _left_by(workspace, name, by_name.get(name))]


async def still_there(left: Sequence[LeftAgent], credential: Callable[[str], str], now: datetime) -> list[LeftAgent]:
    """Leave out those that their providers say are gone; asks nobody when there are none."""
    asked = [one.reached for one in left if one.reached is not None]
    if not asked:
        return list(left)
    found = {_key(one.spec) for one in await living(asked, credential, now)}
    return [one for one in left if one.reached is None or _key(one.spec) in found]


def forget(store: Store, gone: Iterable[LeftAgent], at: datetime) -> None:
    """Let the ledger forget agents that are gone at their providers."""
    for one in gone:
        forget_gone_agent(store, one.spec, one.row.applied.provider_id, at)


def _key(spec: AgentSpec) -> tuple[str, str, str]:
    return spec.campaign, spec.account, spec.name


def _left_by(workspace: Workspace, campaign: str, loaded: LoadedCampaign | None) -> Iterator[LeftAgent]:
    defined, named = _spoken_of(workspace, loaded) if loaded is not None else (set(), set())
    for key, row in sorted(workspace.known_agents(campaign).items()):
        if key not in defined and row.applied.provider_id not in named:
            yield _left(workspace, campaign, row)


def _spoken_of(workspace: Workspace, loaded: LoadedCampaign) -> tuple[Collection[tuple[str, str]], Collection[str]]:
    """Give what a campaign's file still speaks of: the agents that it defines, and the ids that it names."""
    agents = loaded.campaign.agents.items()
    defined = {(workspace.agent_account(agent).name, name) for name, agent in agents if agent.define is not None}
    return defined, {agent.id for _, agent in agents if agent.id}


def _left(workspace: Workspace, campaign: str, row: AgentRow) -> LeftAgent:
    account = workspace.accounts.get(row.account)
    spec = AgentSpec(
        campaign=campaign,
        name=row.name,
        account=row.account,
        provider=account.provider if account else row.account,
        fields=row.applied.fields,
    )
    api = agents_api(account) if account else None
    reached = DefinedAgent(spec=spec, account=account, api=api, row=row) if account and api else None
    return LeftAgent(spec=spec, row=row, reached=reached)
