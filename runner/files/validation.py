"""A document against a model: all faults in one go, and what can be checked further in spite of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails, PydanticCustomError

from runner.files.faults import Fault, document_path, nearest
from runner.files.keys import python_names
from runner.files.model_faults import unknown_key, unknown_keys, validation_errors, value_faults
from runner.files.nodes import KeyPath, Node, dropped, edited, renamed
from runner.model import shorthand
from runner.model.fields import FilePart

Model = TypeVar("Model", bound=FilePart)

_MAX_ROUNDS = 8
_ITEM_READERS = {
    "windows": shorthand.read_windows,
    "on": shorthand.read_outcomes,
    "days": shorthand.read_days,
    "when": shorthand.read_when,
}
_TEXTS = {
    "campaign": "x",
    "purpose": "informational",
    "windows": shorthand.DEFAULT_WINDOWS,
    "on": "no_answer",
    "when": "no_answer",
    "days": "mon",
    "poll": "1h",
    "suppress": "x",
}
"""a right value for each key and list whose part may be wrong"""
_DECLARED_TEXTS = {"base_url": "https://api.test", "path": "/", "id": "id", "outcome": "outcome"}
"""a right value for each key that a declared provider's block cannot be without"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked(Generic[Model]):
    """What a document is worth."""

    value: Model | None
    """what could be read, without the parts that are wrong; None when too little is right"""
    root: Node
    """the document, misspelt keys read as what they were meant to be"""
    faults: tuple[Fault, ...]
    left_out: tuple[KeyPath, ...]
    """the paths of the parts that `value` lacks"""


def check_model(model: type[Model], root: Node) -> Checked[Model]:
    """Validate a document; every cause is reported once.

    A misspelt key is reported and read as the key that it was meant to be, so that it is not
    missing as well and its value is checked too. What is wrong is left out and the rest
    validated again, so that rules over several keys can speak about what remains.
    """
    run = _Check(model, root)
    run.read_keys()
    value = run.read_values()
    return Checked(value=value, root=run.shown, faults=tuple(run.faults), left_out=tuple(run.left_out))


class _Check(Generic[Model]):
    """One run over one document: the tree as it is shown, the tree that is still validated, what was found."""

    def __init__(self, model: type[Model], root: Node) -> None:
        self._model = model
        self.shown = root
        self._kept = root
        self.faults: list[Fault] = []
        self.left_out: list[KeyPath] = []

    def read_keys(self) -> None:
        """Report unknown keys; rename what was misspelt and leave out the others, until none is left."""
        for path, right in list(python_names(self._model, self.shown)):
            fault = Fault(
                path=path, code="C01", message=f"unknown key `{path[-1]}`", help=f"did you mean `{right}`?", at="key"
            )
            self._unknown(fault, right)
        for _ in range(_MAX_ROUNDS):
            found = unknown_keys(self._model, self._kept, self._validate()[1])
            if not found:
                return
            for fault, _ in found:
                self._unknown(*unknown_key(self._model, self._kept, fault.path))

    def read_values(self) -> Model | None:
        """Report wrong values and leave them out until the rest can be read; None when it cannot."""
        for _ in range(_MAX_ROUNDS):
            value, errors = self._validate()
            if value is not None:
                return value
            found = [one for fault in value_faults(self._kept, errors) for one in self._items(fault)]
            self.faults.extend(fault for fault in found if self._is_new(fault))
            self._leave_out(found)
        return None

    def _validate(self) -> tuple[Model | None, list[ErrorDetails]]:
        try:
            return self._model.model_validate(self._kept.plain()), []
        except ValidationError as error:
            return None, validation_errors(error)

    def _unknown(self, fault: Fault, meant: str) -> None:
        if not meant:
            self.faults.append(fault)
            self.left_out.append(fault.path)
            self._kept = edited(self._kept, fault.path, dropped)
            return
        self.faults.append(replace(fault, path=(*fault.path[:-1], meant)))
        self.shown = edited(self.shown, fault.path, renamed(meant))
        self._kept = edited(self._kept, fault.path, renamed(meant))

    def _items(self, fault: Fault) -> list[Fault]:
        """Split a fault of a whole list into one for each of its items that is wrong."""
        node, path = nearest(self._kept, fault.path)
        reader = _ITEM_READERS.get(str(path[-1])) if path else None
        if reader is None or node.kind != "sequence" or path != fault.path:
            return [fault]
        found: list[Fault] = []
        for index, item in enumerate(node.children):
            try:
                reader([item.plain()])
            except PydanticCustomError as error:
                found.append(_item_fault((*path, index), error))
        return found or [fault]

    def _is_new(self, fault: Fault) -> bool:
        """Whether a fault is no echo of a part that was left out, nor of keys none of which is known."""
        if fault.at == "map":
            kept, shown = (nearest(tree, fault.path[:-1])[0] for tree in (self._kept, self.shown))
            if shown.keys and not kept.keys:
                return False
        return not any(
            fault.path[: len(path)] == path or path[: len(fault.path)] == fault.path for path in self.left_out
        )

    def _leave_out(self, found: Sequence[Fault]) -> None:
        for fault in found:
            path = fault.path
            if fault.at == "map" and len(path) > 1:
                path = path[:-1]
            self.left_out.append(path)
            self._kept = _without(self._kept, path)


def _item_fault(path: KeyPath, error: PydanticCustomError) -> Fault:
    context = error.context or {}
    return Fault(path=path, code=error.type, message=str(context.get("message", "")), help=str(context.get("help", "")))


def _without(root: Node, path: KeyPath) -> Node:
    """Give the tree without a part.

    An item of a list keeps a stand-in, so that the places of the others stay; so does a key that
    a campaign cannot be without. Nothing else sees a stand-in, and faults about it are left out.
    """
    existing = document_path(root, path)
    if not existing:
        return root
    stand_in = _stand_in(existing, root)
    if stand_in is None:
        return edited(root, existing, dropped)
    return edited(root, existing, lambda node, step: _with_child(node, step, stand_in))


def _stand_in(path: KeyPath, root: Node) -> Node | None:
    step = path[-1]
    key = next((str(one) for one in reversed(path) if isinstance(one, str)), "")
    if path[0] == "providers" and key in _DECLARED_TEXTS and len(path) in {3, 4}:
        return Node(kind="scalar", span=root.span, value=_DECLARED_TEXTS[key])
    if isinstance(step, str) and (len(path) > 1 or key not in {"campaign", "purpose", "contacts"}):
        return None
    if key == "contacts":
        return Node(kind="sequence", span=root.span)
    text = _TEXTS.get(key)
    if text is not None:
        return Node(kind="scalar", span=root.span, value=text)
    call = Node(kind="scalar", span=root.span, value="call")
    return Node(kind="mapping", span=root.span, keys=(call,), children=(call,))


def _with_child(node: Node, step: str | int, child: Node) -> Node:
    if node.kind == "sequence":
        return replace(node, children=tuple(child if at == step else one for at, one in enumerate(node.children)))
    name = node.key_node(str(step)) or Node(kind="scalar", span=node.span, value=str(step))
    rest = dropped(node, step)
    return replace(rest, keys=(*rest.keys, name), children=(*rest.children, child))
