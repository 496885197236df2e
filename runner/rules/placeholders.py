"""The placeholders that a defined agent's words carry, held against the variables that the campaign sends; pure.

`{{name}}` in a prompt is the provider's own: it fills in the variable of that name and is never
rendered here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from runner.model.agent_definition import AgentDefinition, Prompt
from runner.model.campaign import Campaign, Step, Variant
from runner.rules.check import TemplateProblem
from runner.rules.faults import KeyPath, did_you_mean

SPOKEN = (
    "first_sentence",
    "voicemail_message",
    "end_of_call_sentence",
    "max_duration_end_message",
    "sms_template",
    "voicemail_sms_prompt",
    "after_call_sms_prompt",
)
"""the fields beside the prompt in which providers fill placeholders from the campaign's variables"""

SHORTEST_PROMPT: Mapping[str, int] = {"movoice": 10}
"""by provider: how many characters a prompt has at least"""

_MARK = re.compile(r"\{\{(?P<inside>[^{}\n]*)\}\}")
_NAME = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(frozen=True, slots=True)
class _Words:
    """One text of an agent and where it stands."""

    path: KeyPath
    text: str
    template: str = ""


def prompt_text(prompt: Prompt, templates: Mapping[str, str]) -> str:
    """Give the words of a prompt; KeyError when its file is not among the templates."""
    return templates[prompt.template] if prompt.template is not None else prompt.text or ""


def check_definitions(campaign: Campaign, templates: Mapping[str, str]) -> list[TemplateProblem]:
    """Give every fault in the words of a canonical campaign's defined agents.

    A prompt's file that is not there, a prompt that is too short for its provider, a placeholder
    that a step with this agent sends no variable for.
    """
    return [
        problem
        for name, definition in _defined(campaign)
        for problem in (
            *_prompt_faults(campaign, name, definition, templates),
            *_unsent(campaign, name, definition, templates),
        )
    ]


def unused_variables(campaign: Campaign, templates: Mapping[str, str]) -> list[TemplateProblem]:
    """Give every variable that only defined agents are sent and that none of them says.

    What an agent without a definition says is not known, so its variables are not judged.
    """
    own = [(("steps", at, "variables"), step.variables, [step]) for at, step in enumerate(campaign.steps)]
    shared: list[tuple[KeyPath, Mapping[str, object], list[Step]]] = [
        (("variables",), campaign.variables, list(campaign.steps)),
        *own,
        *(
            (("variants", name, "variables"), variant.variables, [*campaign.steps, *_taken_over(campaign, variant)])
            for name, variant in campaign.variants.items()
        ),
    ]
    return [
        _unused((*path, name, "value"), name, str(getattr(variable, "value", "")))
        for path, variables, steps in shared
        for name, variable in variables.items()
        if steps and not any(_may_say(campaign, step, name, templates) for step in steps)
    ]


def _defined(campaign: Campaign) -> Iterator[tuple[str, AgentDefinition]]:
    for name, agent in campaign.agents.items():
        if agent.define is not None:
            yield name, agent.define


def _words(name: str, definition: AgentDefinition, templates: Mapping[str, str]) -> Iterator[_Words]:
    """Give the texts of an agent in which placeholders are filled."""
    base: KeyPath = ("agents", name, "define")
    prompt = definition.prompt
    if prompt.template is None:
        yield _Words((*base, "prompt", "text"), prompt.text or "")
    elif prompt.template in templates:
        yield _Words((*base, "prompt", "template"), templates[prompt.template], prompt.template)
    written = definition.written()
    for key in SPOKEN:
        if isinstance(written.get(key), str):
            yield _Words((*base, key), written[key])


def _prompt_faults(
    campaign: Campaign, name: str, definition: AgentDefinition, templates: Mapping[str, str]
) -> Iterator[TemplateProblem]:
    prompt, base = definition.prompt, ("agents", name, "define", "prompt")
    if prompt.template is not None and prompt.template not in templates:
        advice = did_you_mean(prompt.template, templates) or "put the file into the templates folder"
        message = f"there is no template `{prompt.template}`"
        yield _problem(_Words((*base, "template"), prompt.template), 0, len(prompt.template), "V05", message, advice)
        return
    shortest = SHORTEST_PROMPT.get(campaign.agents[name].provider, 1)
    if len(prompt_text(prompt, templates).strip()) < shortest:
        words = _Words((*base, "text"), prompt.text or "", prompt.template or "")
        message = f"this prompt has fewer than {shortest} characters" if shortest > 1 else "this prompt is empty"
        yield _problem(words, 0, max(1, len(prompt.text or "")), "C40", message, "say what the agent does")


def _unsent(
    campaign: Campaign, name: str, definition: AgentDefinition, templates: Mapping[str, str]
) -> Iterator[TemplateProblem]:
    steps = [step for step in campaign.steps if name in {step.agent, *step.backups}]
    if not steps:
        variants = (one for one in campaign.variants.values() if one.agent == name)
        steps = [step for one in variants for step in _taken_over(campaign, one)]
    for words in _words(name, definition, templates) if steps else ():
        for match in _MARK.finditer(words.text):
            inside = match["inside"].strip()
            found = _fault_of(inside, campaign, steps)
            if found is not None:
                start = match.start("inside") + len(match["inside"]) - len(match["inside"].lstrip())
                yield _problem(words, start, max(1, len(inside)), "V10", *found)


def _fault_of(inside: str, campaign: Campaign, steps: list[Step]) -> tuple[str, str] | None:
    """Say what is wrong with one placeholder, and what to write; None when every step sends its variable."""
    if not _NAME.fullmatch(inside):
        message = f"`{{{{{inside}}}}}` is more than a name, and the provider fills in names alone"
        return message, 'write {{name}}, and have the campaign send it: variables: {name: "{{ contact.name | title }}"}'
    lacking = [step for step in steps if inside not in campaign.variables and inside not in step.variables]
    if campaign.variants and all(inside in variant.variables for variant in campaign.variants.values()):
        return None
    if not lacking:
        return None
    known = {*campaign.variables, *lacking[0].variables}
    where = f"the step `{lacking[0].label}`" if len(lacking) < len(steps) else "the campaign"
    advice = did_you_mean(inside, known) or f'add: variables: {{{inside}: "{{{{ contact.{inside} }}}}"}}'
    return f"the agent says `{{{{{inside}}}}}`, and {where} never sends `{inside}`", advice


def _may_say(campaign: Campaign, step: Step, variable: str, templates: Mapping[str, str]) -> bool:
    """Whether a step's agent uses a variable, as far as anybody can know."""
    return any(_agent_may_say(campaign, name, variable, templates) for name in (step.agent, *step.backups))


def _agent_may_say(campaign: Campaign, name: str, variable: str, templates: Mapping[str, str]) -> bool:
    agent = campaign.agents.get(name)
    if agent is None or agent.define is None:
        return True
    texts = [words.text for words in _words(name, agent.define, templates)]
    texts.append(str(agent.define.written()))
    return any(match["inside"].strip() == variable for text in texts for match in _MARK.finditer(text))


def _taken_over(campaign: Campaign, variant: Variant) -> list[Step]:
    """Give one step that stands for all that a variant's agent may take over, with every variable that one of them sends."""
    if variant.agent is None:
        return []
    sent = {name: value for step in campaign.steps for name, value in step.variables.items()} | variant.variables
    return [step.model_copy(update={"call": variant.agent, "variables": sent}) for step in campaign.steps[:1]]


def _unused(path: KeyPath, name: str, value: str) -> TemplateProblem:
    message = f"`{name}` is sent, and no agent says `{{{{{name}}}}}`"
    length = max(1, len(value.split("\n", 1)[0]))
    return _problem(_Words(path, value), 0, length, "V11", message, f"use it in the prompt, or remove `{name}`")


def _problem(words: _Words, start: int, length: int, code: str, message: str, help: str) -> TemplateProblem:
    line = words.text.count("\n", 0, start) + 1
    return TemplateProblem(
        path=words.path,
        template=words.template,
        line=line,
        column=start - (words.text.rfind("\n", 0, start) + 1) + 1,
        length=length,
        code=code,
        message=message,
        help=help,
    )
