"""What is wrong with a file, by key path; and where such a fault stands in the document."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runner.errors import Diagnostic, Span
from runner.files.document import Document
from runner.files.masking import MASK, is_secret
from runner.files.nodes import KeyPath, Node, position_in

_SHOWN = re.compile(r"`([^`]+)`")
_UNION_LABELS = frozenset({"Message", "str", "[key]"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One cause: where, a code, a plain sentence, a line to paste."""

    path: KeyPath
    """the key path, in the document or in the canonical campaign"""
    code: str
    message: str
    help: str = ""
    at: Literal["value", "key", "map"] = "value"
    """what to point at: the value, its key, or the map from which a key is missing"""


def document_path(root: Node, path: Sequence[str | int]) -> KeyPath:
    """Follow a path of the long form into a document that may use short forms.

    Steps that the short form leaves out (`inline`, `agents.agent`, the only item of a list) are
    skipped; below a scalar the path ends. A last step that does not exist is kept.
    """
    path = _top_level(root, path)
    if tuple(path[:2]) == ("agents", "agent") and root.get("agents") is None and root.get("agent") is not None:
        path = ("agent", *path[2:])
    node, found = root, list[str | int]()
    for step in path:
        child = node.step(step)
        if child is not None:
            found.append(step)
            node = child
        elif node.kind == "scalar":
            break
        elif node.kind == "mapping" and isinstance(step, str) and step not in _UNION_LABELS:
            found.append(step)
            break
    return tuple(found)


def _top_level(root: Node, path: Sequence[str | int]) -> Sequence[str | int]:
    """Lead a step's retry to the campaign's own where the step has none written."""
    if tuple(path[:1]) != ("steps",) or tuple(path[2:3]) != ("retry",) or root.get("retry") is None:
        return path
    steps = root.get("steps")
    step = steps.step(path[1]) if steps is not None else None
    return path if step is not None and step.get("retry") is not None else path[2:]


def nearest(root: Node, path: Sequence[str | int]) -> tuple[Node, KeyPath]:
    """Give the deepest node on the path that exists, and its path."""
    node, found = root, list[str | int]()
    for step in document_path(root, path):
        child = node.step(step)
        if child is None:
            break
        found.append(step)
        node = child
    return node, tuple(found)


def place(root: Node, fault: Fault) -> Span:
    """Find the place that a fault points at: the words it quotes if the value holds them, else the whole value."""
    node, path = nearest(root, fault.path)
    if fault.at == "key":
        key = _key_of(root, path)
        return key.span if key else node.span
    if fault.at == "map":
        return _head(root, node, path)
    if node.kind == "scalar" and node.value is None:
        key = _key_of(root, path)
        return key.span if key else node.span
    quoted = _SHOWN.search(fault.message)
    return (_words(node, quoted[1]) if quoted else None) or _head(root, node, path)


def diagnostic_of(document: Document, root: Node, fault: Fault) -> Diagnostic:
    """Build a fault's diagnostic; a secret value in its sentence is masked."""
    node, path = nearest(root, fault.path)
    message = fault.message
    name = next((str(step) for step in reversed(path) if isinstance(step, str)), "")
    if node.kind == "scalar" and node.value and is_secret(name, node.value):
        message = message.replace(node.value, MASK)
    return document.diagnostic(fault.code, message, fault.help, place(root, fault), document_path(root, fault.path))


def _key_of(root: Node, path: KeyPath) -> Node | None:
    if not path:
        return None
    parent, _ = nearest(root, path[:-1])
    return parent.key_node(str(path[-1])) if parent.kind == "mapping" else None


def _head(root: Node, node: Node, path: KeyPath) -> Span:
    """Give the place that stands for a whole node: a block by its key, or by its first key."""
    if node.kind == "scalar" or node.style == "flow":
        return node.span
    if node.kind == "mapping" and node.keys and (not path or isinstance(path[-1], int)):
        return node.keys[0].span
    key = _key_of(root, path)
    return key.span if key else node.span


def _words(node: Node, words: str) -> Span | None:
    """Find the quoted words in the value, or in the only scalar below it that holds them."""
    if node.kind == "scalar":
        value = node.value or ""
        at = _whole_word(value, words)
        if at < 0 or value.strip() == words:
            return node.span if value.strip() == words and "\n" not in node.raw else None
        line = value.count("\n", 0, at) + 1
        return position_in(node, line, at - (value.rfind("\n", 0, at) + 1) + 1, len(words))
    for child in (*node.keys, *node.children):
        span = _words(child, words)
        if span:
            return span
    return None


def _whole_word(value: str, words: str) -> int:
    match = re.search(rf"(?<!\w){re.escape(words)}(?!\w)", value)
    return match.start() if match else value.find(words)
