"""What `plan`, `apply` and `run` share about agents that campaigns define: look, show, make them so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import click

from runner.cli.output import console
from runner.files.campaign import LoadedCampaign
from runner.ledger.store import Store
from runner.planning.agents import AgentChange
from runner.wiring import agents as wired
from runner.wiring import applying
from runner.wiring.agents import MadeAgent, ReviewedAgent
from runner.wiring.applying import Examined
from runner.wiring.reviewing import refuse_other_lines
from runner.wiring.workspace import Workspace


def last_applied(workspace: Workspace, loaded: LoadedCampaign) -> list[AgentChange]:
    """Hold a campaign's agents against what was last applied; needs no network."""
    return wired.compared(wired.defined_agents(workspace, loaded))


async def live(
    workspace: Workspace, loaded: Sequence[LoadedCampaign], credential: Callable[[str], str], now: datetime
) -> list[ReviewedAgent]:
    """Hold the agents of campaigns against what lives at their providers; asks nobody where none is defined."""
    defined = [agent for one in loaded for agent in wired.defined_agents(workspace, one)]
    return await wired.reviewed(defined, credential, now) if defined else []


def show(changes: Sequence[AgentChange], *, online: bool, everything: bool = False) -> None:
    """Print what applying would do with agents, campaign by campaign."""
    from runner.report.agents_view import print_agents  # noqa: PLC0415 rich is not free

    for campaign in dict.fromkeys(one.spec.campaign for one in changes):
        own = [one for one in changes if one.spec.campaign == campaign]
        print_agents(console(), own, online=online, everything=everything)


async def make_so(
    agents: Sequence[ReviewedAgent], store: Store, credential: Callable[[str], str], now: datetime
) -> list[MadeAgent]:
    """Make agents what the files say; give what was done with each."""
    return await wired.carry_out(agents, store, credential, now) if agents else []


def with_their_ids(
    workspace: Workspace, examined: Sequence[Examined], agents: Sequence[ReviewedAgent]
) -> list[Examined]:
    """Plan those campaigns anew whose agents have got an id; raise FilesWrong for bad rows, as the first look did.

    Raises PlanChanged when more than the ids became different in between.
    """
    new = {one.agent.spec.campaign for one in agents if one.change.creates or one.change.adopted}
    found = []
    for one in examined:
        if one.planned.name in new:
            again = applying.examined_again(workspace, one)
            refuse_other_lines(one, again)
            found.append(again)
        else:
            found.append(one)
    applying.refuse_bad_rows(found)
    return found


def print_made(made: Sequence[MadeAgent]) -> None:
    """Say what became of each agent."""
    for one in made:
        click.echo(f"agent {one.spec.name} of {one.spec.campaign}: {one.done} ({one.spec.provider}/{one.provider_id})")


def facts_of(made: Sequence[MadeAgent]) -> list[dict[str, str]]:
    """Give what became of each agent as JSON."""
    return [
        {
            "campaign": one.spec.campaign,
            "name": one.spec.name,
            "provider": one.spec.provider,
            "account": one.spec.account,
            "id": one.provider_id,
            "done": one.done,
        }
        for one in made
    ]
