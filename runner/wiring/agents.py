"""Agents as code over the network: see what lives at the providers, and make it what the files say.

An agent is made once, however often answers are lost: its intent is written down before the create
request leaves, it is looked for by its own name before and after, and while nobody can say whether
a request arrived, no second one leaves.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from runner.errors import InDoubt, OutreachError, SendError
from runner.files.campaign import LoadedCampaign
from runner.ledger.agents import AgentRow, begin_agent, forget_agent, put_agent
from runner.ledger.store import Store
from runner.model.definitions import definition_model
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.planning.agents import (
    AgentChange,
    AgentSpec,
    AgentStatus,
    LiveAgent,
    agrees,
    compare_applied,
    compare_live,
    observed_of,
    problems_of_names,
    same,
)
from runner.ports import Transport
from runner.providers.assistants import AgentsApi, agents_api
from runner.rules.placeholders import prompt_text
from runner.wiring.workspace import Workspace

MOST_PAGES = 100
"""pages of an account's agents that are looked through; more than that proves nothing"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinedAgent:
    """One agent that the files define, how it is reached, what the ledger knows of it."""

    spec: AgentSpec
    account: Account
    api: AgentsApi
    row: AgentRow | None

    @property
    def title(self) -> str:
        """Name the agent as errors do."""
        return f"the agent `{self.spec.name}` of {self.spec.campaign}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedAgent:
    """A defined agent and what applying would do with it."""

    agent: DefinedAgent
    change: AgentChange
    live: LiveAgent | None = None
    doubtful_until: datetime | None = None
    """a create request may still be under way until then; None when none is"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeAgent:
    """What applying did with one agent."""

    spec: AgentSpec
    provider_id: str
    done: Literal["created", "changed", "taken over", "unchanged"]


def defined_agents(workspace: Workspace, loaded: LoadedCampaign) -> list[DefinedAgent]:
    """Give the agents that a campaign defines, with what the ledger holds of them; needs no network."""
    campaign = loaded.campaign
    if not any(agent.define for agent in campaign.agents.values()):
        return []
    rows = workspace.known_agents(campaign.campaign)
    found = []
    for name, agent in campaign.agents.items():
        account = workspace.agent_account(agent)
        api, model = agents_api(account), definition_model(account.provider, account.generation)
        if agent.define is None or api is None or model is None:
            continue
        definition = model.model_validate(agent.define.written())
        spec = AgentSpec(
            campaign=campaign.campaign,
            name=name,
            account=account.name,
            provider=account.provider,
            fields=api.fields(definition, prompt_text(agent.define.prompt, workspace.templates)),
            provider_id=agent.id,
            clearable=api.clearable,
        )
        found.append(DefinedAgent(spec=spec, account=account, api=api, row=rows.get((account.name, name))))
    return found


def compared(agents: Iterable[DefinedAgent]) -> list[AgentChange]:
    """Hold agents against what was last applied alone; needs no network."""
    return [compare_applied(one.spec, one.row.applied if one.row else None) for one in agents]


async def reviewed(
    agents: Iterable[DefinedAgent], credential: Callable[[str], str], now: datetime
) -> list[ReviewedAgent]:
    """Hold agents against what lives at their providers; changes nothing.

    Raises OutreachError when a provider does not say what lives there.
    """
    async with _transport(credential) as transport:
        return [await _review(one, transport, now) for one in agents]


async def living(agents: Iterable[DefinedAgent], credential: Callable[[str], str], now: datetime) -> list[DefinedAgent]:
    """Leave out the agents that their providers say are gone; one of which nobody says anything stays."""
    async with _transport(credential) as transport:
        return [one for one in agents if not await _is_gone(one, transport, now)]


def refuse_drift(agents: Sequence[ReviewedAgent], *, accept: bool) -> None:
    """Raise OutreachError when somebody changed agents at their providers, unless that is to be overwritten.

    An agent whose id the files name, and that is gone, cannot be made again: that is always refused.
    """
    for one in agents:
        if one.change.status is AgentStatus.DRIFT and one.change.creates and one.agent.spec.provider_id:
            spec = one.agent.spec
            raise OutreachError(
                f"{spec.provider} has no agent `{spec.provider_id}`", help="remove the id, and apply makes a new agent"
            )
    drifted = [one for one in agents if one.change.status is AgentStatus.DRIFT]
    if drifted and not accept:
        facts = "; ".join(_drift_of(one) for one in drifted)
        raise OutreachError(
            f"applying would overwrite what somebody changed at the provider: {facts}",
            help="take it over into the file, or overwrite it: outreach apply --accept-drift",
        )


async def carry_out(
    agents: Iterable[ReviewedAgent], store: Store, credential: Callable[[str], str], now: datetime
) -> list[MadeAgent]:
    """Make the agents what the files say, and write down their ids; give what was done with each.

    Raises OutreachError at the first that cannot be made so; what was done before it stands.
    """
    async with _transport(credential) as transport:
        return [await _make_so(one, store, transport, now) for one in agents]


@asynccontextmanager
async def _transport(credential: Callable[[str], str]) -> AsyncIterator[Transport]:
    from runner.providers.transport import HttpTransport  # noqa: PLC0415 the HTTP library is not free, and `plan` looks here

    transport = HttpTransport(credential)
    try:
        yield transport
    finally:
        await transport.aclose()


async def _make_so(one: ReviewedAgent, store: Store, transport: Transport, now: datetime) -> MadeAgent:
    spec = one.agent.spec
    if one.change.writes:
        provider_id = await _write(one, store, transport, now)
        return MadeAgent(spec=spec, provider_id=provider_id, done="created" if one.change.creates else "changed")
    if _is_news(one):
        put_agent(store, spec, one.change.provider_id, observed_of(spec.fields, one.live), now)
    return MadeAgent(
        spec=spec, provider_id=one.change.provider_id, done="taken over" if one.change.adopted else "unchanged"
    )


def _drift_of(one: ReviewedAgent) -> str:
    fields = ", ".join(f"`{change.field}`" for change in one.change.changes if change.drifted)
    return f"{one.agent.title}: {fields or one.change.reason}"


def _is_news(one: ReviewedAgent) -> bool:
    """Whether the ledger knows less than what is so: a new id, or a field that the provider has already."""
    row = one.agent.row
    return (
        row is None
        or row.applied.provider_id != one.change.provider_id
        or not same(dict(row.applied.fields), dict(one.agent.spec.fields))
    )


async def _review(agent: DefinedAgent, transport: Transport, now: datetime) -> ReviewedAgent:
    spec, applied = agent.spec, agent.row.applied if agent.row else None
    known = spec.provider_id or (applied.provider_id if applied else "")
    try:
        live = await _by_id(agent, known, transport) if known else await _by_name(agent, transport)
    except SendError as error:
        message = f"{spec.provider} does not say what {agent.title} is: {error.message}"
        raise OutreachError(message, help=error.help) from error
    change = compare_live(spec, applied, live)
    until = _doubtful_until(agent, now) if live is None else None
    if until is not None:
        change = replace(change, reason="a create request may still be under way")
    return ReviewedAgent(agent=agent, change=change, live=live, doubtful_until=until)


async def _is_gone(agent: DefinedAgent, transport: Transport, now: datetime) -> bool:
    try:
        review = await _review(agent, transport, now)
    except OutreachError:
        return False
    return review.live is None and review.doubtful_until is None


def _doubtful_until(agent: DefinedAgent, now: datetime) -> datetime | None:
    """Give until when an agent that was asked for may still appear; None when none was, or it never will."""
    if agent.row is None or agent.row.applied.provider_id:
        return None
    until = agent.row.at + 2 * agent.account.settle_after
    return until if now < until else None


async def _write(one: ReviewedAgent, store: Store, transport: Transport, now: datetime) -> str:
    """Create or change an agent; give its id."""
    agent = one.agent
    if one.doubtful_until is not None:
        raise OutreachError(
            f"{agent.spec.provider} may have created {agent.title} already, and does not list it yet",
            help=f"apply again after {one.doubtful_until:%H:%M:%S} UTC",
        )
    live = await (_create(agent, store, transport, now) if one.change.creates else _update(one, transport))
    put_agent(store, agent.spec, live.provider_id, observed_of(agent.spec.fields, live), now)
    return live.provider_id


async def _create(agent: DefinedAgent, store: Store, transport: Transport, now: datetime) -> LiveAgent:
    """Make an agent; the intent stays in the ledger while nobody knows whether it was made."""
    spec = agent.spec
    if not begin_agent(store, spec, now, agent.row):
        raise OutreachError(f"another process is creating {agent.title}", help="wait for it, then apply again")
    try:
        return agent.api.read_written(
            await _sent(agent, agent.api.create_request(spec.live_name, spec.fields), transport)
        )
    except InDoubt as doubt:
        found = await _looked_up(agent, transport)
        if found is not None:
            return found
        raise OutreachError(
            f"{spec.provider} may have created {agent.title}, and does not list it yet: {doubt.message}",
            help=f"apply again in a few minutes: it is looked for as `{spec.live_name}` before anything is created",
        ) from doubt
    except SendError as error:
        forget_agent(store, spec)
        raise OutreachError(f"{agent.title} was not created: {error.message}", help=error.help) from error


async def _looked_up(agent: DefinedAgent, transport: Transport) -> LiveAgent | None:
    """Look for an agent whose create request got no answer; None when it is not listed, or nobody says."""
    try:
        return await _by_name(agent, transport)
    except SendError:
        return None


async def _update(one: ReviewedAgent, transport: Transport) -> LiveAgent:
    """Change an agent; a change whose answer is lost is looked at, and may be sent again by the next apply."""
    agent, change = one.agent, one.change
    try:
        reply = await _sent(agent, agent.api.update_request(change.provider_id, change.fields), transport)
        return agent.api.read_written(reply)
    except InDoubt as doubt:
        live = await _shown(agent, change.provider_id, transport)
        if live is not None and all(
            agrees(value, live.fields.get(name, value)) for name, value in change.fields.items()
        ):
            return live
        message = f"{agent.spec.provider} may have changed {agent.title}: {doubt.message}"
        raise OutreachError(message, help="apply again: what is right already is left alone") from doubt
    except SendError as error:
        raise OutreachError(f"{agent.title} was not changed: {error.message}", help=error.help) from error


async def _shown(agent: DefinedAgent, provider_id: str, transport: Transport) -> LiveAgent | None:
    try:
        return await _by_id(agent, provider_id, transport)
    except SendError:
        return None


async def _by_id(agent: DefinedAgent, provider_id: str, transport: Transport) -> LiveAgent | None:
    """Give the agent of an id; None when there is none. Raises a SendError when nobody says."""
    return agent.api.read_found(await _sent(agent, agent.api.get_request(provider_id), transport))


async def _by_name(agent: DefinedAgent, transport: Transport) -> LiveAgent | None:
    """Give the agent that carries the name of this one; None when none does.

    Raises OutreachError when several do, a SendError when the list cannot be read to its end.
    """
    found: dict[str, LiveAgent] = {}
    seen: set[str] = set()
    for page in range(MOST_PAGES):
        listed = agent.api.read_list(await _sent(agent, agent.api.list_request(page), transport))
        new = {one.provider_id for one in listed.agents} - seen
        seen |= new
        found |= {one.provider_id: one for one in listed.agents if one.name == agent.spec.live_name}
        if not listed.more or not new:
            return _only_one(agent, list(found.values()))
    raise InDoubt(f"{agent.spec.provider} lists more than {MOST_PAGES} pages of agents")


def _only_one(agent: DefinedAgent, found: list[LiveAgent]) -> LiveAgent | None:
    problem = problems_of_names(found)
    if problem:
        advice = (
            f"delete all but one at {agent.spec.provider}, or write its id beside `define`: id: {found[0].provider_id}"
        )
        raise OutreachError(problem, help=advice)
    return found[0] if found else None


async def _sent(agent: DefinedAgent, request: Request, transport: Transport) -> Reply:
    return await transport.send(agent.account, request)
