"""The validator's errors in plain words: one table from its kinds of error to our sentences."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from runner.errors import Span
from runner.files.faults import Fault, document_path
from runner.files.keys import key_places, meant_key, model_at, nearest_word, other_level
from runner.files.masking import is_secret
from runner.files.nodes import KeyPath, Kind, Node
from runner.model.fields import FilePart

_OURS = re.compile(r"[A-Z]\d\d")
_QUOTED = re.compile(r"'([^']*)'")
_LINES = {
    "campaign": "campaign: april-reminders",
    "purpose": "purpose: informational   (or marketing, transactional, debt_collection, research)",
    "contacts": "contacts: contacts/people.csv",
    "file": "file: contacts/people.csv",
    "from": 'from: "09:00"',
    "to": 'to: "18:00"',
    "provider": "provider: movoice   (or revmo, revring, revox)",
    "id": "id: agent_12345",
    "value": 'value: "{{ contact.name }}"',
    "template": "template: reminder.txt",
}
"""the line to paste for each required key"""
_DECLARED_LINES = {
    "base_url": "base_url: https://api.acme.example/v2",
    "path": "path: /calls",
    "id": "id: data.call.id",
    "outcome": "outcome: data.status",
}
"""the same for the keys of a declared provider"""

_KEY_ITSELF = "this looks like the key itself"
_STEP_KINDS = ("call", "text")
_ACCOUNT_HELP = "keys belong to outreach.yaml: accounts: {main: {provider: movoice, credential: env:MOVOICE_API_KEY}}"
_WAIT_HELP = "a pause stands in the step that waits: after: 1d"
_STEP_HELP = "write: call: agent-name, or text: agent-name"


def validation_errors(error: ValidationError) -> list[ErrorDetails]:
    """Give pydantic's errors without the input, which could be a secret."""
    return error.errors(include_url=False, include_input=False)


def unknown_keys(model: type[FilePart], root: Node, errors: Sequence[ErrorDetails]) -> list[tuple[Fault, str]]:
    """Give a fault for each unknown key, and the key it was meant to be (empty when nobody knows)."""
    return [
        unknown_key(model, root, document_path(root, details["loc"]))
        for details in errors
        if details["type"] == "extra_forbidden" and _fits(root, details["loc"])
    ]


def unknown_key(model: type[FilePart], root: Node, path: KeyPath) -> tuple[Fault, str]:
    """Say what is wrong with a key that is not known where it stands, and what it was meant to be."""
    word, here, parent = str(path[-1]), model_at(model, path[:-1]), _node(root, path[:-1])
    present = [key for key, _ in parent.items()] if parent and parent.kind == "mapping" else []
    if here is None:
        return Fault(path=path, code="C01", message=f"unknown key `{word}`", at="key"), ""
    if here.__name__ == "Step" and not set(_STEP_KINDS) & set(present):
        return _unknown_step(here, path, present)
    if is_secret(word, "x") and here.__name__ in {"Campaign", "Agent", "Step"}:
        return Fault(path=path, code="C01", message=f"unknown key `{word}`", help=_ACCOUNT_HELP, at="key"), ""
    level = other_level(model, path)
    if level:
        return Fault(path=path, code="C01", message=f"unknown key `{word}`", help=level, at="key"), ""
    meant = meant_key(here, word, present)
    known = [key for key in key_places(here) if key not in present]
    advice = f"did you mean `{meant}`?" if meant else f"the keys that can stand here: {', '.join(known)}"
    return Fault(path=path, code="C01", message=f"unknown key `{word}`", help=advice, at="key"), meant


def _unknown_step(model: type[FilePart], path: KeyPath, present: Sequence[str]) -> tuple[Fault, str]:
    """Say that a step is neither call nor text, unless the key was meant to be another one beside its kind."""
    word = str(path[-1])
    meant = meant_key(model, word, present)
    if meant and meant not in _STEP_KINDS and len(present) > 1:
        found = Fault(path=path, code="C01", message=f"unknown key `{word}`", help=f"did you mean `{meant}`?", at="key")
        return found, meant
    kind = meant if meant in _STEP_KINDS else ""
    advice = f"did you mean `{kind}`?" if kind else _WAIT_HELP if meant == "after" else _STEP_HELP
    return Fault(path=path, code="C03", message="this step is neither call nor text", help=advice, at="key"), kind


def value_faults(root: Node, errors: Sequence[ErrorDetails]) -> list[Fault]:
    """Give a fault for each error of a value, one for each cause."""
    faults: dict[tuple[KeyPath, str], Fault] = {}
    for details in errors:
        if details["type"] != "extra_forbidden" and _fits(root, details["loc"]):
            path = document_path(root, details["loc"])
            fault = _value_fault(path, _node(root, path), details)
            if fault.message == _KEY_ITSELF:
                fault = _key_itself(root, path)
            if details["loc"][-1:] == ("[key]",):
                fault = replace(fault, at="key")
            faults.setdefault((fault.path, fault.message), fault)
    return list(faults.values())


def option_fault(details: ErrorDetails, options: Mapping[str, Any], known: Sequence[str], provider: str) -> Fault:
    """Give the fault of one provider option (C06); its path starts below `options`."""
    path = tuple(details["loc"])
    if details["type"] == "extra_forbidden":
        word = str(path[-1])
        near = nearest_word(word, known) if len(path) == 1 else ""
        advice = f"did you mean `{near}`?" if near else f"the options of {provider}: {', '.join(known) or 'none'}"
        return Fault(path=path, code="C06", message=f"`{word}` is not an option of {provider}", help=advice, at="key")
    value: Any = options
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    fault = _value_fault(path, _as_node(value), details)
    if details["type"] == "missing":
        return replace(fault, code="C06", help=f"add: options: {{{path[-1]}: ...}}")
    return replace(fault, code="C06")


def _as_node(value: object) -> Node:
    """Give a node for a plain value, which stands nowhere; the sentences only look at its kind and text."""
    kind: Kind = (
        "mapping" if isinstance(value, Mapping) else "sequence" if isinstance(value, (list, tuple)) else "scalar"
    )
    return Node(kind=kind, span=Span(1, 1, 1, 1), value=str(value) if kind == "scalar" and value is not None else None)


def _fits(root: Node, loc: Sequence[str | int]) -> bool:
    """Whether an error belongs to the branch of a union that the file took."""
    for at, label in enumerate(loc):
        if label not in {"Message", "str"} or at == 0 or loc[at - 1] != "message":
            continue
        node = _node(root, document_path(root, loc[:at]))
        return node is None or (label == "Message") == (node.kind == "mapping")
    return True


def _value_fault(path: KeyPath, node: Node | None, details: ErrorDetails) -> Fault:
    kind, ctx = details["type"], details.get("ctx", {})
    if _OURS.fullmatch(kind):
        found = Fault(path=path, code=kind, message=str(ctx["message"]), help=str(ctx.get("help", "")))
        return _ours(node, found)
    if kind == "missing":
        return _missing(path)
    if kind in {"enum", "literal_error"} and node is not None:
        return _not_one_of(path, node, _QUOTED.findall(str(ctx.get("expected", ""))))
    message, advice = _sentence(kind, path, node, ctx)
    return Fault(path=path, code="C05", message=message, help=advice)


def _ours(node: Node | None, fault: Fault) -> Fault:
    """Complete a reader's own fault with the zone that is near."""
    if fault.message.endswith("is not a time zone") and node is not None and node.value:
        return replace(fault, help=_near_zone(node.value) or fault.help)
    return fault


def _key_itself(root: Node, path: KeyPath) -> Fault:
    """Say where a key belongs, under the variable that the account's provider is asked for by default."""
    key, account = str(path[-1]), _node(root, path[:-1])
    provider = account.get("provider") if account else None
    name = (provider.value or "" if provider else "").strip().upper() or "MY"
    advice = (
        f"put it in the environment and write: {key}: env:{name}_{'API_KEY' if key == 'credential' else key.upper()}"
    )
    return Fault(path=path, code="S01", message=_KEY_ITSELF, help=advice)


def _near_zone(word: str) -> str:
    """Ask for the zone, or the zone of the city, that is nearest; empty when none is near."""
    names = sorted(available_timezones())
    cities = {name.rpartition("/")[2]: name for name in names if "/" in name}
    near = nearest_word(word.replace(" ", "_"), [*names, *cities])
    return f"did you mean `{cities.get(near, near)}`?" if near else ""


def _missing(path: KeyPath) -> Fault:
    key = str(path[-1])
    lines = _DECLARED_LINES if path[0] == "providers" else _LINES
    line = lines.get(key, f"{key}: ...")
    return Fault(path=path, code="C02", message=f"`{key}` is missing", help=f"add: {line}", at="map")


def _not_one_of(path: KeyPath, node: Node, known: list[str]) -> Fault:
    values = f"one of: {', '.join(known)}"
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if node.kind != "scalar" or not node.value:
        message = f"`{key}` has no value" if node.kind == "scalar" else f"`{key}` must be a single value"
        return Fault(path=path, code="C05", message=message, help=values)
    near = nearest_word(node.value, known)
    advice = f"did you mean `{near}`?   ({values})" if near else values
    return Fault(path=path, code="C04", message=f"`{node.value}` is not a value of `{key}`", help=advice)


def _sentence(kind: str, path: KeyPath, node: Node | None, ctx: Mapping[str, Any]) -> tuple[str, str]:
    key = next((step for step in reversed(path) if isinstance(step, str)), "")
    if node is None or (node.kind == "scalar" and not node.value):
        write = f"write: {_LINES[key]}" if key in _LINES else "write a value, or remove the line"
        return f"`{key}` has no value", write
    shown = node.value if node.kind == "scalar" else None
    if kind.endswith("_type") and (shown is None or kind in _SHAPES):
        return _wrong_shape(kind, key, node)
    sentence = _SENTENCES.get(kind)
    if sentence is None:
        return f"`{shown or key}` does not fit here", ""
    return sentence(shown or key, ctx)


_A_MAP = ("a map", "write its keys on the lines below, indented")
_A_LIST = ("a list", "write each item on a line below, after `- `")
_SHAPES = {
    "model_type": _A_MAP,
    "model_attributes_type": _A_MAP,
    "dict_type": _A_MAP,
    "tuple_type": _A_LIST,
    "list_type": _A_LIST,
    "string_type": ("text", "write: {key}: text"),
}


def _wrong_shape(kind: str, key: str, node: Node) -> tuple[str, str]:
    wanted, advice = _SHAPES.get(kind, ("a single value", "write: {key}: value"))
    given = {"mapping": "a map", "sequence": "a list", "scalar": "a single value"}[node.kind]
    line = f"write: {_LINES[key]}" if key in _LINES and wanted == "text" else advice.format(key=key)
    return f"`{key}` must be {wanted}, not {given}", line


def _too_long(shown: str, ctx: Mapping[str, Any]) -> tuple[str, str]:
    limit = int(ctx.get("max_length", 0))
    return f"`{shown}` has {len(shown)} characters, and at most {limit} fit", f"write: {shown[:limit].rstrip()}"


def _too_short(shown: str, ctx: Mapping[str, Any]) -> tuple[str, str]:
    return f"`{shown}` is too short", f"write at least {ctx.get('min_length', 1)} characters"


def _at_least(shown: str, ctx: Mapping[str, Any]) -> tuple[str, str]:
    return f"`{shown}` is less than {ctx.get('ge')}", f"write {ctx.get('ge')} or more"


def _at_most(shown: str, ctx: Mapping[str, Any]) -> tuple[str, str]:
    return f"`{shown}` is more than {ctx.get('le')}", f"write {ctx.get('le')} or less"


def _whole_number(shown: str, _ctx: Mapping[str, Any]) -> tuple[str, str]:
    return f"`{shown}` is not a whole number", "write digits only: 3"


def _number(shown: str, _ctx: Mapping[str, Any]) -> tuple[str, str]:
    return f"`{shown}` is not a number", "write a number: 0.5"


def _yes_or_no(shown: str, _ctx: Mapping[str, Any]) -> tuple[str, str]:
    return f"`{shown}` is neither true nor false", "write: true, or false"


_SENTENCES: dict[str, Callable[[str, Mapping[str, Any]], tuple[str, str]]] = {
    "int_parsing": _whole_number,
    "int_parsing_size": _whole_number,
    "int_from_float": _whole_number,
    "int_type": _whole_number,
    "float_parsing": _number,
    "float_type": _number,
    "decimal_parsing": _number,
    "finite_number": _number,
    "bool_parsing": _yes_or_no,
    "bool_type": _yes_or_no,
    "greater_than_equal": _at_least,
    "less_than_equal": _at_most,
    "greater_than": lambda shown, ctx: (
        f"`{shown}` is not more than {ctx.get('gt')}",
        f"write more than {ctx.get('gt')}",
    ),
    "less_than": lambda shown, ctx: (f"`{shown}` is not less than {ctx.get('lt')}", f"write less than {ctx.get('lt')}"),
    "string_too_long": _too_long,
    "string_too_short": _too_short,
    "string_pattern_mismatch": lambda shown, _ctx: (
        f"`{shown}` does not have the right form",
        "compare it with the examples of this key",
    ),
    "value_error": lambda shown, ctx: (str(ctx.get("error", f"`{shown}` does not fit here")), ""),
    "url_parsing": lambda shown, _ctx: (f"`{shown}` is not a URL", "write: https://example.com/hook"),
    "datetime_parsing": lambda shown, _ctx: (f"`{shown}` is not a date and time", "write: 2026-12-01T09:00:00Z"),
    "datetime_from_date_parsing": lambda shown, _ctx: (
        f"`{shown}` is not a date and time",
        "write: 2026-12-01T09:00:00Z",
    ),
}
"""what pydantic calls an error, and how we say it"""


def _node(root: Node, path: KeyPath) -> Node | None:
    node: Node | None = root
    for step in path:
        node = node.step(step) if node else None
    return node
