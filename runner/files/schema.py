"""The JSON Schema of campaign and project files, generated from the models, for editors and CI."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from runner.files.schema_agents import add_definitions
from runner.files.schema_parts import EXAMPLES, NEW_PARTS, REPLACED, RULES, SHORT_FORMS, Schema
from runner.model.campaign import Campaign
from runner.model.durations import format_duration, parse_duration
from runner.model.project import Project
from runner.ports import Provider

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_REF = "#/$defs/"
_ISO_SPAN = re.compile(r"P(?=.)(\d+D)?(T.*)?")


def campaign_schema(providers: Mapping[str, Provider]) -> Schema:
    """Give the schema of campaign files (draft 2020-12); `$defs/Project` in it is that of `outreach.yaml`.

    Short and long forms are both accepted, and numbers and booleans wherever the runner reads
    them as text. An agent's options are checked against its provider's.
    """
    parts = _parts(providers)
    campaign = parts.pop("Campaign")
    head = {"$schema": DIALECT, "title": "outreach campaign"}
    return {**head, **campaign, "$defs": dict(sorted(parts.items()))}


def project_schema() -> Schema:
    """Give the schema of `outreach.yaml` as a document of its own."""
    parts = _parts({})
    project = parts.pop("Project")
    needed = _needed(project, parts)
    head = {"$schema": DIALECT, "title": "outreach project"}
    return {**head, **project, "$defs": {name: parts[name] for name in sorted(needed)}}


def schema_text(providers: Mapping[str, Provider]) -> str:
    """Give the text of `schema.json`: the campaign schema, indented, stable from run to run, with a newline at the end."""
    return json.dumps(campaign_schema(providers), indent=2, ensure_ascii=False) + "\n"


def _parts(providers: Mapping[str, Provider]) -> dict[str, Schema]:
    """Give every definition by name: the models as files may write them, the provider options."""
    _, raw = models_json_schema([(Campaign, "validation"), (Project, "validation")], by_alias=True)
    parts: dict[str, Schema] = {}
    for name, model in raw["$defs"].items():
        described = _with_descriptions(model, raw["$defs"])
        parts[name] = _part(name, described)
    parts |= {name: _loosened(part) for name, part in NEW_PARTS.items()}
    for name, short in SHORT_FORMS.items():
        long = parts.pop(name)
        parts[f"{name}Map"] = long
        parts[name] = {"description": long["description"], "anyOf": [*short, {"$ref": f"{_REF}{name}Map"}]}
    _add_options(parts, providers)
    add_definitions(parts, lambda model, into: _options(model.model_json_schema(by_alias=True), into))
    return parts


def _part(name: str, model: Schema) -> Schema:
    """Give one model's definition: what pydantic says, short forms, rules and examples put in."""
    part = _loosened(_plain(model))
    for key, value in part.get("properties", {}).items():
        replacement = REPLACED.get((name, key))
        if replacement is not None:
            part["properties"][key] = {
                **replacement,
                **{word: value[word] for word in ("description", "default") if word in value},
            }
        if (name, key) in EXAMPLES:
            part["properties"][key]["examples"] = EXAMPLES[name, key]
    if name == "Step":
        part["properties"]["message"] = {
            "$ref": f"{_REF}Message",
            "description": part["properties"]["message"]["description"],
        }
    return {**part, **RULES.get(name, {})}


def _with_descriptions(model: Schema, models: Mapping[str, Schema]) -> Schema:
    """Copy the description of a model to the keys that hold it and have none of their own."""
    properties = {}
    for key, value in model.get("properties", {}).items():
        target = models.get(str(value.get("$ref", "")).removeprefix(_REF), {})
        properties[key] = value if "description" in value else {**value, "description": target.get("description", "")}
    return {**model, "properties": properties} if properties else model


def _plain(schema: Schema) -> Schema:
    """Drop what editors do not need: titles, the choice of nothing, defaults that say nothing; write spans short."""
    choices = schema.get("anyOf", [])
    if {"type": "null"} in choices:
        left = [one for one in choices if one != {"type": "null"}]
        rest = {key: one for key, one in schema.items() if key != "anyOf"}
        schema = {**(left[0] if len(left) == 1 else {"anyOf": left}), **rest}
    kept = {key: one for key, one in schema.items() if key != "title"}
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    if "default" in kept:
        kept["default"] = _default(kept["default"])
        if kept["default"] in (None, {}, [], ""):
            del kept["default"]
    return _inside(kept, _plain)


def _inside(schema: Schema, change: Callable[[Schema], Schema]) -> Schema:
    """Give a schema with each schema directly inside of it changed."""
    found = dict(schema)
    for key, value in schema.items():
        if key in {"properties", "patternProperties"}:
            found[key] = {name: change(one) for name, one in value.items()}
        elif key in {"anyOf", "allOf", "oneOf"}:
            found[key] = [change(one) for one in value]
        elif key in {"items", "additionalProperties", "not"} and isinstance(value, dict):
            found[key] = change(value)
    return found


def _default(value: Any) -> Any:
    if isinstance(value, str) and _ISO_SPAN.fullmatch(value):
        return format_duration(parse_duration(value))
    if isinstance(value, list):
        return [_default(one) for one in value]
    if isinstance(value, dict):
        return {key: _default(one) for key, one in value.items() if one is not None}
    return value


def _loosened(schema: Schema) -> Schema:
    """Accept a scalar in every form that YAML gives it and the runner reads: `3` and `"3"`, an unquoted +1202..."""
    loose = _inside(schema, _loosened)
    kind = loose.get("type")
    if kind in ("integer", "number"):
        digits = r"^\s*[+-]?\d+\s*$" if kind == "integer" else r"^\s*[+-]?\d*\.?\d+\s*$"
        return {**loose, "type": [kind, "string"], "pattern": digits}
    if kind == "boolean":
        return {**{key: one for key, one in loose.items() if key != "type"}, "enum": [True, False, "true", "false"]}
    if kind == "string" and "enum" not in loose and _may_be_number(loose):
        return {**loose, "type": ["string", "number"] if "pattern" in loose else ["string", "number", "boolean"]}
    return loose


def _may_be_number(text: Schema) -> bool:
    """Whether digits alone are fine for this text: free text, names and phone numbers, but no spans, times or zones."""
    pattern, examples = text.get("pattern"), text.get("examples", [])
    if pattern is None:
        return not examples
    return bool(re.search(pattern, "2026") or re.search(pattern, "+12025550143"))


def _add_options(parts: dict[str, Schema], providers: Mapping[str, Provider]) -> None:
    """Check an agent's options by its provider, and a step's against those of any provider for its channel."""
    if not providers:
        return
    agent, step = parts["AgentMap"], parts["Step"]
    by_channel: dict[str, list[Schema]] = {"call": [], "text": []}
    conditions = []
    for name, provider in providers.items():
        both: Schema = {}
        for channel in sorted(provider.capabilities.channels):
            title = f"{_title(name)}{channel.title()}Options"
            parts[title] = _options(provider.options_model(channel).model_json_schema(by_alias=True), parts)
            by_channel[channel].append({"$ref": f"{_REF}{title}"})
            _merge(both, parts[title].get("properties", {}))
        conditions.append(_agent_options(name, both, parts))
    agent["properties"]["provider"] |= {"type": "string", "enum": list(providers)}
    agent["allOf"] = conditions
    step["allOf"] = [_step_options(channel, choices) for channel, choices in by_channel.items() if choices]


def _agent_options(name: str, options: Schema, parts: dict[str, Schema]) -> Schema:
    """Add the options of both of a provider's channels, and give the rule that asks for them."""
    title, about = f"{_title(name)}Options", f"The options of {name}."
    parts[title] = {"type": "object", "description": about, "properties": options, "additionalProperties": False}
    condition = {"properties": {"provider": {"const": name}}, "required": ["provider"]}
    rule = {"properties": {"options": {"$ref": f"{_REF}{title}", "description": about}}}
    return {"if": condition, "then": rule}


def _title(provider: str) -> str:
    return provider.title().replace("-", "")


def _step_options(channel: str, choices: list[Schema]) -> Schema:
    rule = {"properties": {"options": {"anyOf": choices, "description": "The options of the agent's provider."}}}
    return {"if": {"required": [channel]}, "then": rule}


def _options(raw: Schema, parts: dict[str, Schema]) -> Schema:
    """Give the schema of a provider's options; its own parts move to the common ones, a lone missing key is no error."""
    nested = raw.pop("$defs", {})
    for name, part in nested.items():
        parts.setdefault(name, _loosened(_plain(_with_descriptions(part, nested))))
    options: Schema = _loosened(_plain(_with_descriptions(raw, nested)))
    options.pop("required", None)
    return options


def _merge(both: Schema, properties: Mapping[str, Schema]) -> None:
    for key, value in properties.items():
        if key in both and both[key] != value:
            both[key] = {"description": value.get("description", ""), "anyOf": [both[key], value]}
        else:
            both[key] = value


def _needed(start: Schema, parts: Mapping[str, Schema]) -> set[str]:
    """Give the names of the definitions that a schema leads to."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        names = set(re.findall(rf'"{re.escape(_REF)}(\w+)"', json.dumps(waiting.pop())))
        waiting += [parts[name] for name in names - found]
        found |= names
    return found
