"""What a campaign's variants and backups must be: agents that are there, can do the step, and take its options."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from pydantic import ValidationError

from runner.files.checks import Check, Checkable
from runner.files.faults import Fault
from runner.files.keys import did_you_mean, key_places
from runner.files.model_faults import option_fault, validation_errors
from runner.files.nodes import KeyPath
from runner.model.campaign import Step, Variant
from runner.model.channel import Channel
from runner.model.project import resolve_account
from runner.rules.expressions import variable_name
from runner.rules.variants import as_backup, varied, varied_steps

_LACKS: Mapping[Channel, str] = {"call": "places no calls", "text": "sends no texts"}


def check_variants(this: Checkable) -> list[Fault]:
    """Give everything that is wrong with variants and backups; paths are those of the canonical campaign."""
    return [fault for check in VARIANT_CHECKS for fault in check(this)]


def known_backups(this: Checkable) -> Iterator[Fault]:
    """Require backups to be other agents of the campaign, each once."""
    names = list(this.canonical.agents)
    for at, step in enumerate(this.written.steps):
        path: KeyPath = ("steps", at, "backups")
        for rank, name in enumerate(step.backups):
            if name not in names and names:
                advice = did_you_mean(name, names) or f"the agents here: {', '.join(names)}"
                yield Fault(path=path, code="C15", message=f"`{name}` is not an agent of this campaign", help=advice)
            elif name in {step.agent, *step.backups[:rank]}:
                message = f"`{name}` stands here twice, and nobody takes over from themselves"
                yield Fault(path=path, code="C38", message=message, help=f"remove one `{name}`")


def possible_backups(this: Checkable) -> Iterator[Fault]:
    """Require backups that can do the step, through other accounts: a breaker stops an account, not an agent."""
    for at, step in enumerate(this.canonical.steps):
        path: KeyPath = ("steps", at, "backups")
        if step.backups and step.delivery == "native":
            message = "nobody takes over from a provider's own campaign"
            yield Fault(path=path, code="C25", message=message, help="remove `backups`   (or: delivery: single)")
            continue
        if not step.backups:
            continue
        taken = {_account(this, step.agent): step.agent}
        for name in dict.fromkeys(one for one in step.backups if one != step.agent):
            agent = this.canonical.agents.get(name)
            provider = this.providers.get(agent.provider) if agent is not None else None
            if agent is None or provider is None:
                continue
            if step.channel not in provider.capabilities.channels:
                message = f"`{name}` is an agent of {agent.provider}, which {_LACKS[step.channel]}"
                yield Fault(path=path, code="C16", message=message, help=f"remove `{name}`")
                continue
            account = _account(this, name)
            if account and account in taken:
                message = f"`{name}` uses the account `{account}`, as `{taken[account]}` does: both would fail together"
                yield Fault(path=path, code="C38", message=message, help="take an agent of another account")
            taken.setdefault(account, name)
            yield from _option_faults(this, as_backup(step, name, this.canonical.agents), path, step.options)


def weighted_variants(this: Checkable) -> Iterator[Fault]:
    """Require a variant that somebody gets, and no step that takes the name `variant` from conditions."""
    variants = this.canonical.variants
    if variants and not any(one.weight for one in variants.values()):
        message = "no variant has a weight, so nobody gets one"
        yield Fault(path=("variants",), code="C38", message=message, help="write: variants: {a: 1, b: 1}", at="key")
    for at, step in enumerate(this.canonical.steps):
        if variants and variable_name(step.label) == "variant":
            message = "`variant` is the person's variant in conditions, so no step can be named like that"
            yield Fault(path=("steps", at, "name"), code="C38", message=message, help="give the step another name")


def possible_variants(this: Checkable) -> Iterator[Fault]:
    """Require variants whose agent is there and can take a step over, with options of that agent's provider."""
    agents = this.canonical.agents
    for name, variant in this.canonical.variants.items():
        base: KeyPath = ("variants", name)
        if variant.agent is not None and variant.agent not in agents:
            advice = did_you_mean(variant.agent, agents) or f"the agents here: {', '.join(agents)}"
            message = f"`{variant.agent}` is not an agent of this campaign"
            yield Fault(path=(*base, "agent"), code="C15", message=message, help=advice)
            continue
        yield from _variant_faults(this, name, variant, base)


def _variant_faults(this: Checkable, name: str, variant: Variant, base: KeyPath) -> Iterator[Fault]:
    if variant.agent is None and not variant.options:
        return

    def serves(agent: str, channel: Channel) -> bool:
        found = this.canonical.agents.get(agent)
        provider = this.providers.get(found.provider) if found is not None else None
        return provider is None or channel in provider.capabilities.channels

    touched = varied_steps(this.canonical, variant, serves)
    if not touched and variant.agent is not None and this.canonical.steps:
        message = f"`{variant.agent}` can do none of the steps"
        yield Fault(path=(*base, "agent"), code="C38", message=message, help="remove it, or take an agent that can")
    for step in varied(this.canonical, name, serves):
        if step.label not in touched:
            continue
        if step.delivery == "native":
            message = (
                f"step `{step.label}` is handed over to the provider, where everybody has the same agent and options"
            )
            yield Fault(path=base, code="C25", message=message, help="vary `variables`   (or: delivery: single)")
        else:
            yield from _option_faults(this, step, base, variant.options)


def _option_faults(this: Checkable, step: Step, path: KeyPath, own: Mapping[str, object]) -> Iterator[Fault]:
    """Validate the options of a step that another agent does; `own` are those that stand below `path`."""
    agent, provider = this.agent_of(step), this.provider_of(step)
    if agent is None or provider is None or step.channel not in provider.capabilities.channels:
        return
    model = provider.options_model(step.channel)
    known = tuple(key_places(model))
    options = {**{key: value for key, value in agent.options.items() if key in known}, **step.options}
    try:
        model.model_validate(options)
    except ValidationError as error:
        for details in validation_errors(error):
            key = details["loc"][:1]
            if key and key[0] in agent.options and key[0] not in step.options:
                continue  # said of the agent itself
            fault = option_fault(details, options, known, agent.provider)
            below = (*path, "options", *fault.path) if key and key[0] in own and path[0] == "variants" else path
            yield replace(fault, path=below)


def _account(this: Checkable, name: str) -> str:
    """Give the name of an agent's account; empty where none is known."""
    agent = this.canonical.agents.get(name)
    if agent is None or agent.provider not in this.providers:
        return ""
    account = resolve_account(this.project, agent.provider, agent.account)
    return account.name if account is not None else ""


VARIANT_CHECKS: tuple[Check, ...] = (known_backups, possible_backups, weighted_variants, possible_variants)
"""every rule about variants and backups"""
