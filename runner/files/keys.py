"""Which keys a file may hold where, read from the models; and what a wrong key was meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from runner.files.nodes import KeyPath, Node
from runner.model.fields import FilePart

_CLOSE_ENOUGH = 0.8
_SYNONYMS = {
    "Campaign": {"name": "campaign", "people": "contacts", "hours": "windows", "when": "windows", "vars": "variables"},
    "Step": {
        "sms": "text",
        "dial": "call",
        "phone": "call",
        "agent": "call",
        "delay": "after",
        "wait": "after",
        "if": "when",
        "body": "message",
    },
    "Retry": {"times": "attempts", "count": "attempts", "delay": "after", "wait": "after"},
    "Window": {"start": "from", "end": "to", "until": "to", "day": "days"},
    "Agent": {"agent": "id", "agent_id": "id", "number": "from", "phone": "from"},
    "ContactSource": {"path": "file", "csv": "file", "people": "inline", "filter": "where"},
    "Schedule": {"from": "start", "to": "end", "until": "end"},
    "AccountEntry": {"key": "credential", "api_key": "credential", "token": "credential", "url": "base_url"},
    "HttpApi": {"url": "base_url", "sms": "text", "dial": "call", "status": "poll", "statuses": "outcomes"},
    "PlacingRequest": {"url": "path", "json": "body", "payload": "body"},
    "OptionRule": {"min": "minimum", "max": "maximum", "enum": "one_of", "choices": "one_of"},
}
"""what people write, by model, and the key that means it"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What may stand at a key: one model, a list or map of one, or a value of another kind."""

    model: type[FilePart] | None
    many: Literal["one", "list", "map"] = "one"


@cache
def key_places(model: type[FilePart]) -> dict[str, Place]:
    """Give the keys of a model as files spell them, and what stands at each."""
    return {info.alias or name: _place(info.annotation) for name, info in model.model_fields.items()}


def model_at(model: type[FilePart], path: Iterable[str | int]) -> type[FilePart] | None:
    """Give the model of the map at a path; None where keys are free or there is no map."""
    here = Place(model=model)
    for step in path:
        if here.model is None:
            return None
        if here.many != "one" and (isinstance(step, int) or here.many == "map"):
            here = Place(model=here.model)
        else:
            here = key_places(here.model).get(str(step), Place(model=None))
    return here.model if here.many != "map" else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Give `did you mean ...?` for the known word that is nearest; empty when none is near."""
    near = nearest_word(word, known)
    return f"did you mean `{near}`?" if near else ""


def nearest_word(word: str, known: Iterable[str]) -> str:
    """Give the known word that is nearest; empty when none is near."""
    by_lower = {one.lower(): one for one in known}
    found = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def meant_key(model: type[FilePart], word: str, present: Iterable[str]) -> str:
    """Give the key that a wrong one was meant to be, unless the map has it already; empty when nobody knows."""
    free = [key for key in key_places(model) if key not in set(present)]
    synonym = _SYNONYMS.get(model.__name__, {}).get(word.lower(), "")
    return synonym if synonym in free else nearest_word(word, free)


def other_level(root: type[FilePart], path: KeyPath) -> str:
    """Say that an unknown key belongs one level up or down; empty when it does not, or a key here is nearer."""
    word, here = str(path[-1]), model_at(root, path[:-1])
    if here is None:
        return ""
    near = meant_key(here, word, ())
    if near and difflib.SequenceMatcher(None, word, near).ratio() >= _CLOSE_ENOUGH:
        return ""
    for key, place in key_places(here).items():
        if place.model is not None and word in key_places(place.model):
            return f"this key belongs one level down, under `{key}`"
    for end in range(len(path) - 2, -1, -1):
        above = model_at(root, path[:end])
        if above is not None and above is not here and word in key_places(above):
            return "this key belongs one level up"
    return ""


def python_names(root: type[FilePart], node: Node, path: KeyPath = ()) -> Iterator[tuple[KeyPath, str]]:
    """Find keys that are spelt like Python's names of fields (`from_`), with the right spelling."""
    model = model_at(root, path)
    if node.kind == "mapping" and model is not None:
        aliases = {name: info.alias for name, info in model.model_fields.items() if info.alias and info.alias != name}
        yield from (((*path, key), aliases[key]) for key, _ in node.items() if key in aliases)
    for step, child in enumerate(node.children) if node.kind == "sequence" else node.items():
        if child.kind != "scalar":
            yield from python_names(root, child, (*path, step))


def _place(annotation: Any) -> Place:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, FilePart):
        return Place(model=annotation)
    if origin is Annotated:
        return _place(arguments[0])
    if origin in {Union, UnionType}:
        return next((one for one in map(_place, arguments) if one.model), Place(model=None))
    if origin in {tuple, list}:
        return Place(model=_place(arguments[0]).model, many="list")
    if origin is dict:
        return Place(model=_place(arguments[1]).model, many="map")
    return Place(model=None)
