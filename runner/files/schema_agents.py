"""The part of the JSON Schema about agents that campaigns define, by provider."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from runner.files.schema_parts import Schema
from runner.model.definitions import DEFINITIONS
from runner.model.fields import FilePart

Read = Callable[[type[FilePart], dict[str, Schema]], Schema]
"""gives the schema of a model, its own parts put among the common ones"""

_REF = "#/$defs/"
_SHORT: Mapping[str, Schema] = {
    "voice": {
        "type": "string",
        "pattern": r"^\s*[^/\s]+/\S.*$",
        "patternErrorMessage": "write provider/voice, for example elevenlabs/rachel",
        "examples": ["elevenlabs/rachel"],
    },
    "model": {"type": "string", "minLength": 1, "examples": ["openai/gpt-4o-mini", "gpt-4.1"]},
}
"""by key: what may stand in place of its map"""


def add_definitions(parts: dict[str, Schema], read: Read) -> None:
    """Add what agents of each provider may be, and have an agent's `define` follow its provider."""
    for provider in DEFINITIONS:
        parts[f"{provider.title()}Agent"] = _definition(provider, parts, read)
    parts["AgentDefinition"] = {
        "description": "The agent itself, for `apply` to create and update at its provider.",
        "anyOf": [{"$ref": f"{_REF}{provider.title()}Agent"} for provider in DEFINITIONS],
    }
    for name in ("Voice", "LanguageModel"):
        parts.pop(name, None)
    for condition in parts["AgentMap"].get("allOf", []):
        provider = condition["if"]["properties"]["provider"]["const"]
        if provider in DEFINITIONS:
            define = {
                "$ref": f"{_REF}{provider.title()}Agent",
                "description": f"The agent itself, as {provider} has it.",
            }
            condition["then"].setdefault("properties", {})["define"] = define
        else:
            condition["then"]["not"] = {"required": ["define"]}


def _definition(provider: str, parts: dict[str, Schema], read: Read) -> Schema:
    """Give the fields of a provider's agents over all of its generations; the account says which one it is."""
    fields: dict[str, Schema] = {}
    models = tuple(DEFINITIONS[provider].values())
    for model in models:
        _merge(fields, {key: _with_short(key, one) for key, one in read(model, parts)["properties"].items()})
    needed = [
        key for key in fields if all((info := model.model_fields.get(key)) and info.is_required() for model in models)
    ]
    return {
        "type": "object",
        "description": f"An agent of {provider}.",
        "properties": fields,
        "required": needed,
        "additionalProperties": False,
    }


def _with_short(key: str, schema: Schema) -> Schema:
    """Let the short form of a voice or a model stand in place of its map."""
    if key not in _SHORT or "$ref" not in schema:
        return schema
    about = {word: schema[word] for word in ("description",) if word in schema}
    return {**about, "anyOf": [_SHORT[key], {"$ref": schema["$ref"]}]}


def _merge(into: dict[str, Schema], fields: Mapping[str, Schema]) -> None:
    """Take in fields; one that stands there with another schema may be either."""
    for key, schema in fields.items():
        known = into.get(key)
        if known is None or known == schema:
            into[key] = schema
            continue
        choices = [one for each in (known, schema) for one in _choices(each)]
        distinct = [one for at, one in enumerate(choices) if one not in choices[:at]]
        into[key] = {"description": known.get("description", ""), "anyOf": distinct}


def _choices(schema: Schema) -> list[Schema]:
    found: list[Schema] = schema.get("anyOf") or [{key: one for key, one in schema.items() if key != "description"}]
    return found
