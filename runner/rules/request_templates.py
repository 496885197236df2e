"""The texts with ``{{ }}`` in a declared provider's requests: compiled once, filled for each request.

Constant text stays as it is written. What stands in braces is an expression of the templates'
own sandbox over plain values. A text that is exactly one name (``{{ variables }}``) or one JSON
scalar (``{{ 3 }}``) keeps its type; every other one gives text. A text that uses something which
is not there gives ``NOTHING``, and what gives nothing is left out of maps and lists.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, lru_cache
from typing import Any, Final
from urllib.parse import quote

from runner.model.json import Json
from runner.rules.faults import RenderFailed, TemplateFault, TemplateWrong
from runner.rules.places import Places
from runner.rules.scope import Use, Uses
from runner.rules.templates import Template, TemplateSet

REFERENCE_MARK: Final = "{{ reference }}"
"""stands in a planned request for the attempt's key; rendered values never hold braces, so it is always ours"""

_SLOT = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
_TAG = re.compile(r"\{%|\{#|\{\{|\}\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_SCALAR = re.compile(r"true|false|null|-?\d{1,15}(\.\d{1,15})?")
_ABSENT = frozenset({"V01", "V02"})


class Absent(Enum):
    """The value of a text that uses something which is not there."""

    NOTHING = "nothing"


NOTHING: Final = Absent.NOTHING
Filled = Json | Absent


@dataclass(frozen=True, slots=True)
class Slot:
    """What stands between one pair of braces."""

    names: tuple[str, ...]
    """the dotted names that it reads"""
    is_name: bool
    """it is one of the names and nothing else"""
    template: Template | None
    """None for a name or a scalar"""
    scalar: Json = None

    def fill(self, values: Mapping[str, Any]) -> Filled:
        """Give the value; NOTHING where a name is not there. Raises RenderFailed for what cannot be worked out."""
        if self.is_name:
            return _looked_up(self.names[0], values)
        if self.template is None:
            return self.scalar
        try:
            return self.template.render(values)
        except RenderFailed as error:
            if error.code in _ABSENT:
                return NOTHING
            raise


@dataclass(frozen=True, slots=True)
class RequestText:
    """One compiled text."""

    source: str
    pieces: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        """What stands in braces."""
        return tuple(one for one in self.pieces if isinstance(one, Slot))

    @property
    def names(self) -> frozenset[str]:
        """Every dotted name that it reads."""
        return frozenset(name for slot in self.slots for name in slot.names)

    @property
    def constants(self) -> tuple[str, ...]:
        """What stands outside of braces."""
        return tuple(one for one in self.pieces if isinstance(one, str))

    def value(self, values: Mapping[str, Any]) -> Filled:
        """Give the text filled, or the value itself when it is exactly one slot."""
        if len(self.pieces) == 1 and isinstance(self.pieces[0], Slot):
            return self.pieces[0].fill(values)
        return self._joined(values, quoted=False)

    def path(self, values: Mapping[str, Any]) -> str | Absent:
        """Give the text filled as part of a URL: every value is percent-encoded, none can leave its segment."""
        return self._joined(values, quoted=True)

    def _joined(self, values: Mapping[str, Any], *, quoted: bool) -> str | Absent:
        parts: list[str] = []
        for one in self.pieces:
            value = one if isinstance(one, str) else one.fill(values)
            if isinstance(value, Absent):
                return NOTHING
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, separators=(",", ":"))
            parts.append(_segment(text) if quoted and not isinstance(one, str) else text)
        return "".join(parts)


Tree = Mapping[str, "Tree"] | tuple["Tree", ...] | RequestText | None
"""a body with its texts compiled"""


@lru_cache(maxsize=4096)
def compile_text(source: str) -> RequestText:
    """Compile one text; raise TemplateWrong for what cannot be read, for ``{% %}`` and for braces left open."""
    pieces: list[str | Slot] = []
    at = 0
    for match in _SLOT.finditer(source):
        pieces += _constant(source[at : match.start()])
        pieces.append(_slot(match[1]))
        at = match.end()
    pieces += _constant(source[at:])
    return RequestText(source, tuple(pieces) or ("",))


def compile_tree(value: Any) -> Tree:
    """Compile every text of a body as a file has it: maps, lists, texts and empty values."""
    if isinstance(value, Mapping):
        return {str(key): compile_tree(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return tuple(compile_tree(one) for one in value)
    return None if value is None else compile_text(str(value))


def filled_tree(tree: Tree, values: Mapping[str, Any]) -> Filled:
    """Fill a body; a map or list of which nothing is left gives NOTHING itself, one that is written empty stays."""
    if isinstance(tree, RequestText):
        return tree.value(values)
    if tree is None:
        return None
    if isinstance(tree, Mapping):
        found = {key: filled_tree(one, values) for key, one in tree.items()}
        kept = {key: one for key, one in found.items() if not isinstance(one, Absent)}
        return kept if kept or not found else NOTHING
    items = [filled_tree(one, values) for one in tree]
    left = [one for one in items if not isinstance(one, Absent)]
    return left if left or not items else NOTHING


def tree_names(tree: Tree) -> frozenset[str]:
    """Give every dotted name that a body reads."""
    if isinstance(tree, RequestText):
        return tree.names
    if tree is None:
        return frozenset()
    below = tree.values() if isinstance(tree, Mapping) else tree
    return frozenset().union(*(tree_names(one) for one in below))


def with_reference(value: Json, key: str) -> Json:
    """Put an attempt's key wherever the mark stands in a planned body."""
    if isinstance(value, str):
        return value.replace(REFERENCE_MARK, key)
    if isinstance(value, Mapping):
        return {name: with_reference(one, key) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_reference(one, key) for one in value]
    return value


def path_with_reference(path: str, key: str) -> str:
    """Put an attempt's key wherever the mark stands, encoded, in a planned path."""
    return path.replace(_segment(REFERENCE_MARK), _segment(key))


def _constant(text: str) -> list[str | Slot]:
    found = _TAG.search(text)
    if found is not None:
        message = f"`{found[0]}` has no other half" if found[0] in {"{{", "}}"} else f"`{found[0]}` cannot stand here"
        raise TemplateWrong(TemplateFault(code="V03", message=message, help="write: {{ phone }}"))
    return [text] if text else []


def _slot(inside: str) -> Slot:
    expression = inside.strip()
    if _SCALAR.fullmatch(expression):
        return Slot((), False, None, json.loads(expression))
    if _NAME.fullmatch(expression):
        return Slot((expression,), True, None)
    templates = _templates()
    source = f"{{{{{inside}}}}}"
    template = templates.compile(source)
    found: list[Use] = []
    tree = templates.environment.parse_checked(source, "")
    Uses(Places(templates.environment, source), found.append, lambda _: None).walk(tree, frozenset())
    return Slot(tuple(dict.fromkeys(use.name for use in found)), False, template)


@cache
def _templates() -> TemplateSet:
    return TemplateSet({}, "en_US")


def _looked_up(name: str, values: Mapping[str, Any]) -> Filled:
    value: Any = values
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None or (isinstance(value, (str, Mapping, list, tuple)) and not value):
        return NOTHING
    return value  # type: ignore[no-any-return]  # plain values go in, so JSON comes out


def _segment(text: str) -> str:
    encoded = quote(text, safe="")
    # A lone dot or two would be read as a step in the path.
    return encoded.replace(".", "%2E") if encoded.strip(".") == "" else encoded
