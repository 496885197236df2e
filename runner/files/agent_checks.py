"""What a campaign's `define` must be: something its provider can make, in the provider's own fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runner.files.checks import Check, Checkable
from runner.files.faults import Fault
from runner.files.keys import did_you_mean, key_places
from runner.files.model_faults import option_fault, validation_errors
from runner.files.nodes import KeyPath
from runner.model.agent_definition import AgentDefinition
from runner.model.campaign import Agent
from runner.model.definitions import DEFINITIONS, definition_model
from runner.model.fields import FilePart
from runner.model.project import resolve_account

_LATER = {"max_duration": "options: {max_duration: 600}"}
"""fields of an agent that its provider takes with each call instead"""


def id_or_definition(this: Checkable) -> Iterator[Fault]:
    """Require an agent that is there already, by its id, or one that `apply` can make."""
    for name, agent in this.canonical.agents.items():
        if not agent.id and agent.define is None:
            yield Fault(
                path=("agents", name, "id"),
                code="C02",
                message="`id` is missing",
                help="add: id: agent_12345",
                at="map",
            )


def definable_agents(this: Checkable) -> Iterator[Fault]:
    """Refuse `define` where the provider's agents cannot be made through its API."""
    for name, agent in this.canonical.agents.items():
        if agent.define is not None and agent.provider in this.providers and agent.provider not in DEFINITIONS:
            yield Fault(
                path=("agents", name, "define"),
                code="C41",
                message=f"agents of {agent.provider} cannot be defined here",
                help=f"make it at {agent.provider}, and write its id in place of `define`   "
                f"(can be defined: {', '.join(DEFINITIONS)})",
                at="key",
            )


def right_definitions(this: Checkable) -> Iterator[Fault]:
    """Require the fields of a definition to be the provider's own, in the generation that the account pins."""
    for name, agent in this.canonical.agents.items():
        if agent.define is None:
            continue
        base: KeyPath = ("agents", name, "define")
        yield from _prompt_faults(agent.define, base)
        if agent.provider not in DEFINITIONS:
            continue
        account = resolve_account(this.project, agent.provider, agent.account)
        model = definition_model(agent.provider, account.generation if account else "")
        if model is not None:
            yield from _field_faults(model, agent, agent.define.written(), base)


AGENT_CHECKS: tuple[Check, ...] = (id_or_definition, definable_agents, right_definitions)
"""every rule about agents that a campaign defines"""


def _prompt_faults(definition: AgentDefinition, base: KeyPath) -> Iterator[Fault]:
    prompt = definition.prompt
    if (prompt.text is None) == (prompt.template is None):
        message = "a prompt is either a text or a template" if prompt.text else "this prompt says nothing"
        advice = "write: prompt: {template: agents/reminder.md}"
        yield Fault(path=(*base, "prompt"), code="C40", message=message, help=advice, at="key")


def _field_faults(model: type[FilePart], agent: Agent, written: Mapping[str, Any], base: KeyPath) -> Iterator[Fault]:
    try:
        model.model_validate(written)
    except ValidationError as error:
        for details in validation_errors(error):
            yield _field_fault(model, agent, details, written, base)


def _field_fault(
    model: type[FilePart], agent: Agent, details: ErrorDetails, written: Mapping[str, Any], base: KeyPath
) -> Fault:
    path = tuple(details["loc"])
    if details["type"] == "extra_forbidden":
        return _unknown_field(model, agent, path, base)
    if details["type"] == "missing":
        return Fault(
            path=(*base, *path), code="C02", message=f"`{path[-1]}` is missing", help=f"add: {path[-1]}: ...", at="map"
        )
    fault = option_fault(details, written, tuple(key_places(model)), agent.provider)
    if not path:
        return replace(fault, path=base, code="C40", at="key")
    return replace(fault, path=(*base, *path), code="C40")


def _unknown_field(model: type[FilePart], agent: Agent, path: KeyPath, base: KeyPath) -> Fault:
    word = str(path[-1])
    message = f"`{word}` is not a field of {agent.provider}'s agents"
    known = list(key_places(model))
    advice = f"the fields of {agent.provider}'s agents: {', '.join(known)}"
    if len(path) > 1:
        message, advice = f"`{word}` is not known here", "remove the line"
    elif word in _LATER:
        advice = f"each call takes it: write it beside `define`: {_LATER[word]}"
    else:
        advice = did_you_mean(word, known) or advice
    return Fault(path=(*base, *path), code="C40", message=message, help=advice, at="key")
