"""Everything that is said to one person: a step's variables and message, rendered for one contact.

What comes out goes to providers that fill ``{{name}}`` themselves, and to people. So no value may
carry template marks, control characters or marks that turn the direction of text. Nor may a value
for an agent be longer than its `longest`: a cell with a page of instructions is the shape in which
contact data speaks to an agent over the campaign's head. The whole value counts, the campaign's own
words around the cell too, because that is what the agent reads. Counted are Unicode characters (code
points): of an emoji that is joined of several, each. Text without any tag is the campaign's own alone,
and is not counted. The words of a text message are not either: a person reads them, and providers
say how long they may be.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from runner.model.campaign import Campaign, Message, Step
from runner.model.contact import Contact
from runner.model.json import Json
from runner.rules.faults import KeyPath, RenderFailed, TemplateFault, TemplateWrong, has_size
from runner.rules.templates import Template, TemplateSet

__all__ = ["RenderFailed", "Rendered", "Renderer", "TemplateWrong"]

VariableType = Literal["text", "number", "boolean", "json"]

_MARKS = re.compile(r"\{\{|\}\}|\{%|%\}|\{#")
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""what nobody sees and machines read: controls, turned directions, lone surrogates, letters that are tags"""
_HALF_MARK = re.compile(r"\{\s*\Z")
_UNSAFE = re.compile(f"{_MARKS.pattern}|{_UNSEEN.pattern}")
_NOTHING = frozenset({"None", "nan", "NaN", "undefined"})
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_DECIMAL = re.compile(r"[+-]?(\d{1,15})?\.?\d{1,15}", re.ASCII)
_TRUE = frozenset({"true", "yes", "1", "on"})
_FALSE = frozenset({"false", "no", "0", "off"})
_DEPTH_LIMIT = 32
_PASTED = 80
"""characters of a template that a help line repeats at most"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """What one contact is told by one step."""

    variables: Mapping[str, Json]
    message: str
    """the words of a text; empty when the step has none"""


@dataclass(frozen=True, slots=True)
class _Part:
    """One compiled text of the campaign and where it stands."""

    path: KeyPath
    template: Template
    type: VariableType
    longest: int | None = None
    """how many code points may come out; None where they are not counted"""


@dataclass(frozen=True, slots=True)
class _StepParts:
    facts: Mapping[str, str]
    variables: tuple[tuple[str, _Part], ...]
    message: _Part | None


class Renderer:
    """The templates of a campaign, compiled once; renders a step for a contact."""

    def __init__(self, campaign: Campaign, sources: Mapping[str, str]) -> None:
        """Compile every variable and message of a canonical campaign; raise TemplateWrong with its key path.

        ``sources`` holds the project's template files by name.
        """
        self._templates = TemplateSet(sources, campaign.locale)
        self._campaign = {
            "name": campaign.campaign,
            "purpose": campaign.purpose.value,
            "description": campaign.description,
        }
        shared = self._variables(campaign.variables, ("variables",))
        self._has_variants = bool(campaign.variants)
        steps = {step.label: self._step(step, index, shared) for index, step in enumerate(campaign.steps)}
        self._steps = {("", label): parts for label, parts in steps.items()}
        for name, variant in campaign.variants.items():
            own = self._variables(variant.variables, ("variants", name, "variables"))
            for label, parts in steps.items():
                self._steps[name, label] = replace(parts, variables=tuple({**dict(parts.variables), **own}.items()))

    def render(
        self, step: Step, contact: Contact, now: datetime, zone: str | None = None, variant: str = ""
    ) -> Rendered:
        """Render a step's variables and message for a contact; raise RenderFailed with the key path and the place.

        ``now`` is aware; templates see it on the clock of ``zone``, of UTC without one. A ``variant`` that
        the campaign has no more changes no variable.
        """
        parts = self._steps.get((variant, step.label)) or self._steps["", step.label]
        values = {
            "contact": _filled(contact.values),
            "campaign": self._campaign,
            "step": parts.facts,
            "now": now.astimezone(_zone(zone)),
            **({"variant": variant} if self._has_variants else {}),
        }
        variables = {name: _value(part, values) for name, part in parts.variables}
        message = _message(parts.message, values) if parts.message is not None else ""
        return Rendered(variables=variables, message=message)

    def _step(self, step: Step, index: int, shared: Mapping[str, _Part]) -> _StepParts:
        own = self._variables(step.variables, ("steps", index, "variables"))
        facts = {"name": step.label, "channel": step.channel}
        message = self._message(step.message, ("steps", index, "message"))
        return _StepParts(facts, tuple({**shared, **own}.items()), message)

    def _variables(self, variables: Mapping[str, Any], path: KeyPath) -> dict[str, _Part]:
        return {
            name: self._compiled((*path, name, "value"), variable.value, variable.type, variable.longest)
            for name, variable in variables.items()
        }

    def _message(self, message: Message | str | None, path: KeyPath) -> _Part | None:
        if message is None:
            return None
        if isinstance(message, str):
            return self._compiled(path, message, "text")
        place = (*path, "template")
        try:
            return _Part(place, self._templates.compile_file(message.template), "text")
        except TemplateWrong as error:
            raise error.at(place) from error

    def _compiled(self, path: KeyPath, source: str, type: VariableType, longest: int | None = None) -> _Part:
        try:
            template = self._templates.compile(source)
        except TemplateWrong as error:
            raise error.at(path) from error
        return _Part(path, template, type, None if template.is_constant else longest)


def _filled(row: Mapping[str, Json]) -> Mapping[str, Json]:
    """Give the row without empty cells: an empty cell is as good as none."""
    return {name: cell for name, cell in row.items() if cell != ""} if "" in row.values() else row


@lru_cache(maxsize=512)
def _zone(name: str | None) -> ZoneInfo | Any:
    return UTC if name is None else ZoneInfo(name)


def _value(part: _Part, values: Mapping[str, Any]) -> Json:
    text = _rendered(part, values)
    if part.longest is not None and len(text) > part.longest:
        raise _longer(text, part.longest, part, values)
    if part.type == "text":
        return _sendable(text, part, values)
    if part.type == "number":
        return _number(text.strip(), part)
    if part.type == "boolean":
        return _boolean(text.strip(), part)
    return _json(text, part, values)


def _message(part: _Part, values: Mapping[str, Any]) -> str:
    text = _sendable(_rendered(part, values), part, values).strip()
    if not text:
        raise _failed(part, "V09", "the message is empty for this person", "say something in every case: {% else %}")
    return text


def _rendered(part: _Part, values: Mapping[str, Any]) -> str:
    try:
        return part.template.render(values)
    except RenderFailed as error:
        raise RenderFailed(_of_this_row(error.fault), part.path) from error


def _of_this_row(fault: TemplateFault) -> TemplateFault:
    """Say of an absent item of the contact that its cell is empty: columns were checked before any row was read."""
    root, _, column = fault.name.partition(".")
    if fault.code != "V02" or root != "contact" or not column:
        return fault
    name = f"contact.{column}" if column.replace(".", "").isidentifier() else f"contact['{column}']"
    return replace(
        fault, message=f"`{column}` is empty in this row", help=f"give a value: {{{{ {name} | default('soon') }}}}"
    )


def _sendable(text: str, part: _Part, values: Mapping[str, Any]) -> str:
    found = _UNSAFE.search(text)
    if found is not None:
        raise _unsafe(found[0], part, values)
    if _HALF_MARK.search(text):
        # beside another value in the agent's prompt it makes a whole mark, whose name the provider fills in
        raise _unsafe("{", part, values)
    if text.strip() in _NOTHING:
        raise _failed(part, "V09", f"`{text.strip()}` would be said to a person", "give a value: | default('...')")
    return text


def _unsafe(piece: str, part: _Part, values: Mapping[str, Any]) -> RenderFailed:
    column = _column_with(piece, values["contact"])
    subject = f"`contact.{column}`" if column else "this text"
    is_mark = piece == "{" or _MARKS.fullmatch(piece) is not None
    what = f"`{piece}`, which the provider would fill in" if is_mark else f"the unseen character U+{ord(piece):04X}"
    advice = "take it out of the contacts" if column else "take it out of the template"
    return _failed(part, "V09", f"{subject} carries {what}", advice, name=f"contact.{column}" if column else "")


def _longer(text: str, longest: int, part: _Part, values: Mapping[str, Any]) -> RenderFailed:
    """Name the variable and how long it came out, and the column where one cell alone is too long."""
    name = str(part.path[-2])
    cells = ((column, _all_text(cell, 0)) for column, cell in values["contact"].items())
    column = next((column for column, cell in cells if len(cell) > longest and cell in text), "")
    source = f", from `contact.{column}`" if column else ""
    allowed = "1 is allowed" if longest == 1 else f"{longest} are allowed"
    message = f"`{name}` {has_size(len(text))}{source}; {allowed}"
    more = f"{name}: {{value: {_pasted(part)}, longest: {len(text)}}}"
    advice = f"shorten it: | truncate({longest}), or allow more: {more}"
    return _failed(part, "V10", message, advice, name=f"contact.{column}" if column else "", size=len(text))


def _pasted(part: _Part) -> str:
    """Write a variable's template and type as they stand in its long form; `...` for a template that fits no line."""
    source = part.template.source
    value = json.dumps(source, ensure_ascii=False) if len(source) <= _PASTED else "..."
    return value if part.type == "text" else f"{value}, type: {part.type}"


def _column_with(piece: str, row: Mapping[str, Any]) -> str:
    return next((name for name, value in row.items() if piece in _all_text(value, 0)), "")


def _all_text(value: Any, depth: int) -> str:
    if isinstance(value, str):
        return value
    if depth > _DEPTH_LIMIT:
        return ""
    if isinstance(value, Mapping):
        return "\n".join(f"{key}\n{_all_text(item, depth + 1)}" for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return "\n".join(_all_text(item, depth + 1) for item in value)
    return ""


def _number(text: str, part: _Part) -> int | float:
    if _WHOLE.fullmatch(text):
        return int(text)
    if _DECIMAL.fullmatch(text):
        return float(text)
    raise _failed(
        part, "V08", f"`{text[:40]}` is not a number", "write digits and a dot: 12.50, or drop `type: number`"
    )


def _boolean(text: str, part: _Part) -> bool:
    if text.lower() in _TRUE:
        return True
    if text.lower() in _FALSE:
        return False
    raise _failed(
        part, "V08", f"`{text[:40]}` is neither true nor false", "write true or false, or drop `type: boolean`"
    )


def _json(text: str, part: _Part, values: Mapping[str, Any]) -> Json:
    try:
        value: Json = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        advice = 'write a value with | tojson: {"name": {{ contact.name | tojson }}}'
        raise _failed(part, "V08", "this does not make a JSON value", advice) from None
    found = _UNSAFE.search(_all_text(value, 0))
    if found is not None:
        raise _unsafe(found[0], part, values)
    return value


def _no_constant(name: str) -> float:
    raise ValueError(name)


def _failed(part: _Part, code: str, message: str, help: str, name: str = "", size: int = 0) -> RenderFailed:
    source = part.template.source
    first = source.partition("\n")[0]
    template = part.template.name or ""
    fault = TemplateFault(
        code=code, message=message, help=help, template=template, length=max(1, len(first)), name=name, size=size
    )
    return RenderFailed(fault, part.path)
