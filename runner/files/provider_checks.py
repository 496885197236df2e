"""What a campaign asks of its providers: known names, accounts, channels, numbers and options."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runner.files.agent_checks import AGENT_CHECKS
from runner.files.checks import Check, Checkable
from runner.files.faults import Fault
from runner.files.keys import did_you_mean, key_places
from runner.files.model_faults import option_fault, validation_errors
from runner.files.nodes import KeyPath
from runner.files.plan_limits import plan_allows
from runner.model.campaign import Agent, Step
from runner.model.channel import Channel
from runner.model.http_fields import key_variable
from runner.model.project import PROVIDER_NAMES, resolve_account
from runner.planning.handover import native_of
from runner.ports import Provider


def check_providers(this: Checkable) -> list[Fault]:
    """Give everything that is wrong between a campaign and its providers; one fault for each place and cause."""
    faults = [fault for check in (*PROVIDER_CHECKS, *AGENT_CHECKS) for fault in check(this)]
    return list({(fault.path, fault.message): fault for fault in reversed(faults)}.values())[::-1]


def known_providers(this: Checkable) -> Iterator[Fault]:
    """Require a provider that can be spoken to."""
    for name, agent in this.canonical.agents.items():
        if agent.provider not in this.providers:
            known = ", ".join(this.providers)
            near = did_you_mean(agent.provider, this.providers)
            advice = f"{near}   (providers: {known})" if near else f"providers: {known}"
            yield Fault(
                path=("agents", name, "provider"),
                code="C10",
                message=f"`{agent.provider}` is not a provider",
                help=advice,
            )


def right_agent_ids(this: Checkable) -> Iterator[Fault]:
    """Require an agent's id in the form that its provider prints."""
    for name, agent, provider in _known(this):
        problem = provider.agent_problem(agent) if agent.id else None
        if problem is not None:
            yield Fault(path=("agents", name, "id"), code="C10", message=problem[0], help=problem[1])


def right_from_number(this: Checkable) -> Iterator[Fault]:
    """Require the number that people see where the provider needs it, refuse it where it takes none."""
    for name, agent, provider in _known(this):
        can = provider.capabilities
        if can.needs_from and agent.from_ is None:
            message = f"{agent.provider} needs the number that people see"
            advice = f'write: {name}: {{provider: {agent.provider}, id: {agent.id}, from: "+12025550143"}}'
            if agent.options or agent.account != "default" or not agent.id:
                advice = 'add: from: "+12025550143"'
            yield Fault(path=("agents", name), code="C22", message=message, help=advice, at="map")
        elif not can.takes_from and agent.from_ is not None:
            message = f"{agent.provider} takes no `from`: the number belongs to the agent"
            yield Fault(path=("agents", name, "from"), code="C22", message=message, help="remove `from`", at="key")


def known_accounts(this: Checkable) -> Iterator[Fault]:
    """Require an account of the agent's provider in outreach.yaml."""
    for name, agent, _ in _known(this):
        provider = agent.provider
        if provider not in {*PROVIDER_NAMES, *this.project.providers}:
            continue
        if resolve_account(this.project, provider, agent.account) is not None:
            continue
        own = [key for key, entry in this.project.accounts.items() if entry.provider == provider]
        message = f"`{agent.account}` is not an account of {provider}"
        advice = did_you_mean(agent.account, own) or (
            f"accounts of {provider} in outreach.yaml: {', '.join(own)}" if own else ""
        )
        if agent.account == "default":
            message, advice = (
                f"{provider} has several accounts, and none is named `default`",
                f"write: account: {own[0]}   (or {', '.join(own[1:])})",
            )
        elif agent.account in this.project.accounts:
            other = this.project.accounts[agent.account].provider
            message = f"the account `{agent.account}` belongs to {other}, not to {provider}"
        fallback = f"add to outreach.yaml: accounts: {{{agent.account}: {{provider: {provider}, credential: env:{key_variable(provider)}}}}}"
        yield Fault(path=("agents", name, "account"), code="C24", message=message, help=advice or fallback)


def declared_references(this: Checkable) -> Iterator[Fault]:
    """Refuse to say where a declared provider's reference stands: its declaration does."""
    for name, agent, _ in _known(this):
        if agent.provider in this.project.providers and "reference" in agent.model_fields_set:
            message = f"where the reference of {agent.provider} stands is said by its declaration"
            advice = "remove `reference`"
            yield Fault(path=("agents", name, "reference"), code="C25", message=message, help=advice, at="key")


def possible_channels(this: Checkable) -> Iterator[Fault]:
    """Refuse a text by a provider that sends none."""
    for at, step, agent, provider in _steps(this):
        if step.channel in provider.capabilities.channels:
            continue
        can = [name for name, one in this.providers.items() if step.channel in one.capabilities.channels]
        lacks = {"call": "places no calls", "text": "sends no texts"}[step.channel]
        message = f"`{step.agent}` is an agent of {agent.provider}, which {lacks}"
        advice = f"use an agent of {' or '.join(can)}" if can else ""
        yield Fault(path=("steps", at, step.channel), code="C16", message=message, help=advice)


def native_delivery(this: Checkable) -> Iterator[Fault]:
    """Refuse native delivery of texts, and where the provider has no campaigns of its own."""
    for at, step, agent, provider in _steps(this):
        if step.delivery == "native" and (step.channel == "text" or native_of(provider) is None):
            lacks = f"{agent.provider} has no campaigns of its own"
            message = (
                f"{'texts go out one by one' if step.channel == 'text' else lacks}, so delivery cannot be `native`"
            )
            yield Fault(
                path=("steps", at, "delivery"),
                code="C25",
                message=message,
                help="write: delivery: single   (or remove the line)",
            )


def right_options(this: Checkable) -> Iterator[Fault]:
    """Require options that are the provider's own, a step's and its agent's together."""
    used = {(step.agent, step.channel) for _, step, _, _ in _steps(this)}
    for at, step, agent, provider in _steps(this):
        if step.channel in provider.capabilities.channels:
            yield from _option_faults(
                at, step, agent, provider, frozenset(one for name, one in used if name == step.agent)
            )
    for name, agent, provider in _known(this):
        channels = provider.capabilities.channels
        if not any(name == other for other, _ in used):
            for channel in sorted(channels):
                step = Step(call=name) if channel == "call" else Step(text=name)
                yield from _option_faults(-1, step, agent, provider, channels)


PROVIDER_CHECKS: tuple[Check, ...] = (
    known_providers,
    right_agent_ids,
    right_from_number,
    known_accounts,
    declared_references,
    possible_channels,
    native_delivery,
    right_options,
    plan_allows,
)
"""every rule that looks at providers or accounts"""


def _known(this: Checkable) -> Iterator[tuple[str, Agent, Provider]]:
    for name, agent in this.canonical.agents.items():
        if agent.provider in this.providers:
            yield name, agent, this.providers[agent.provider]


def _steps(this: Checkable) -> Iterator[tuple[int, Step, Agent, Provider]]:
    for at, step in enumerate(this.canonical.steps):
        agent, provider = this.agent_of(step), this.provider_of(step)
        if agent is not None and provider is not None:
            yield at, step, agent, provider


def _option_faults(
    at: int, step: Step, agent: Agent, provider: Provider, channels: frozenset[Channel]
) -> Iterator[Fault]:
    """Validate a step's and its agent's options together, and place each error where its key is set.

    An option of the agent that only another of its channels knows is left out: an agent that
    calls and texts has the options of both.
    """
    can = provider.capabilities.channels
    models = {channel: provider.options_model(channel) for channel in (channels | {step.channel}) & can}
    elsewhere = {key for channel, model in models.items() if channel != step.channel for key in key_places(model)}
    model = models[step.channel]
    own = {key: value for key, value in agent.options.items() if key in key_places(model) or key not in elsewhere}
    try:
        model.model_validate({**own, **step.options})
    except ValidationError as error:
        for details in validation_errors(error):
            base: KeyPath = ("agents", step.agent, "options")
            if details["loc"][:1] and (details["loc"][0] in step.options or (details["type"] == "missing" and at >= 0)):
                base = ("steps", at, "options")
            yield _placed(base, details, {**own, **step.options}, tuple(key_places(model)), agent.provider)


def _placed(
    base: KeyPath, details: ErrorDetails, options: dict[str, object], known: Sequence[str], provider: str
) -> Fault:
    fault = option_fault(details, options, known, provider)
    if fault.at == "map" and len(fault.path) <= 1:
        return replace(fault, path=base[:-1])
    return replace(fault, path=(*base, *fault.path))
