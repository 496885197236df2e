"""What templates may be made of, and what is refused before anything is compiled or folded.

Jinja's sandbox keeps templates from reaching objects, not from eating time and memory, and the
compiler already works out constants. So the parsed tree is walked first; what is bounded only at
run time (loops, calls, joined text) is rewritten here to pass a meter.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from typing import cast

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from runner.rules.faults import TemplateFault, did_you_mean
from runner.rules.places import Places, Spot

INLINE_LIMIT = 16 * 1024
"""characters of a template that stands in a campaign"""
FILE_LIMIT = 64 * 1024
"""characters of a template file that is used"""
NODE_LIMIT = 4_000
ARGUMENT_LIMIT = 20
DEPTH_LIMIT = 60
LOOP_DEPTH_LIMIT = 3
LARGEST_CONSTANT = 10**18

METERED_LOOP = "(loop)"
METERED_JOIN = "(join)"
METERED_LITERAL = "(literal)"
"""filters that only the rewriting can name: a bracket cannot stand in a filter's name"""

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.Slice, nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Call, nodes.Add, nodes.Sub,
    nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Concat, nodes.If, nodes.For,
    nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.With, nodes.Block, nodes.Include, nodes.Import,
    nodes.FromImport, nodes.Extends, nodes.Assign, nodes.AssignBlock,
)  # fmt: skip
_REFERENCES = (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport)
_GROWING: tuple[type[nodes.Node], ...] = (
    nodes.For, nodes.Call, nodes.CallBlock, nodes.Concat, nodes.Block, nodes.AssignBlock, nodes.FilterBlock,
    nodes.Macro, nodes.Add, nodes.Mul, nodes.List, nodes.Tuple, nodes.Dict, *_REFERENCES,
)  # fmt: skip
_RESERVED = frozenset({"self", "super", "loop", "caller"})
_ARGUMENTS = frozenset({"varargs", "kwargs"})
_REMOVED = frozenset({"range", "dict", "lipsum", "cycler", "joiner", "namespace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """The filters and tests that a text may use."""

    filters: Collection[str]
    tests: Collection[str]


def refusals(tree: nodes.Template, places: Places, vocabulary: Vocabulary) -> list[TemplateFault]:
    """Give every construct of a parsed template that must not be compiled, in order; V03, V04, V05 and V07."""
    size = _too_large(tree)
    if size is not None:
        return [size]
    walk = _Walk(places, vocabulary, frozenset(_bound_names(tree)))
    return sorted(walk.faults_below(tree, 0), key=lambda fault: (fault.line, fault.column))


def put_on_meter(tree: nodes.Template) -> nodes.Template:
    """Give the tree with every loop and every joining of text sent through a metered filter."""
    return cast(nodes.Template, _Meter().visit(tree))


def is_metered(tree: nodes.Template) -> bool:
    """Whether rendering needs a meter: plain names, filters and conditions are bounded by their own length."""
    return any(next(tree.find_all(kind), None) is not None for kind in _GROWING)


def static_references(tree: nodes.Template) -> list[tuple[int, tuple[str, ...], bool]]:
    """Give for each include, extends and import its line, the names it may take, and whether it may be missing."""
    return [
        (node.lineno or 1, _constant_names(node.template), isinstance(node, nodes.Include) and node.ignore_missing)
        for kind in _REFERENCES
        for node in tree.find_all(kind)
        if isinstance(node, _REFERENCES)
    ]


def dotted_name(node: nodes.Node) -> str:
    """Give the dotted text of a name with its constant items, such as ``contact.First Name``; empty if it is none."""
    if isinstance(node, nodes.Name):
        return node.name
    if isinstance(node, nodes.Getattr):
        front = dotted_name(node.node)
        return f"{front}.{node.attr}" if front else ""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
        front = dotted_name(node.node)
        return f"{front}.{node.arg.value}" if front else ""
    return ""


def _too_large(tree: nodes.Template) -> TemplateFault | None:
    """Walk without recursion, because a hostile tree may be deeper than the stack."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    count = 0
    while waiting:
        node, depth = waiting.pop()
        count += 1
        if depth > DEPTH_LIMIT:
            return TemplateFault(code="V07", message="this is nested too deeply", line=node.lineno or 1)
        if count > NODE_LIMIT:
            return TemplateFault(code="V07", message="this template has too many parts", help="split the campaign")
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())
    return None


def _bound_names(tree: nodes.Template) -> Iterator[str]:
    """Name everything in a template that may be called: its macros and what it imports."""
    yield from ("caller", "super")
    for node in tree.find_all((nodes.Macro, nodes.Import, nodes.FromImport)):
        if isinstance(node, nodes.Macro):
            yield node.name
        elif isinstance(node, nodes.Import):
            yield node.target
        elif isinstance(node, nodes.FromImport):
            yield from (name if isinstance(name, str) else name[1] for name in node.names)


def _constant_names(expression: nodes.Expr) -> tuple[str, ...]:
    if isinstance(expression, nodes.Const) and isinstance(expression.value, str):
        return (expression.value,)
    if isinstance(expression, (nodes.List, nodes.Tuple)):
        return tuple(name for item in expression.items for name in _constant_names(item))
    return ()


class _Walk:
    """One pass over a tree of bounded size."""

    def __init__(self, places: Places, vocabulary: Vocabulary, callable_names: frozenset[str]) -> None:
        self._places = places
        self._vocabulary = vocabulary
        self._callable = callable_names
        self._checks: dict[type[nodes.Node], Callable[..., TemplateFault | None]] = {
            nodes.Filter: self._unknown,
            nodes.Test: self._unknown,
            nodes.Call: self._call,
            nodes.Mul: self._arithmetic,
            nodes.Mod: self._arithmetic,
            **dict.fromkeys(_REFERENCES, self._reference),
        }

    def faults_below(self, node: nodes.Node, loops: int) -> Iterator[TemplateFault]:
        fault = self._fault(node, loops)
        if fault is not None:
            yield fault
        inside = loops + isinstance(node, nodes.For)
        for child in node.iter_child_nodes():
            yield from self.faults_below(child, inside)

    def _fault(self, node: nodes.Node, loops: int) -> TemplateFault | None:
        if isinstance(node, nodes.Pow):
            return self._refused(node, "V07", "`**` is not available in templates", "write it out: a * a")
        if not isinstance(node, _ALLOWED):
            return self._refused(node, "V03", f"`{_word_of(node)}` is not available in templates")
        if isinstance(node, nodes.For):
            return self._loop(node, loops)
        return self._checks.get(type(node), self._name)(node)

    def _unknown(self, node: nodes.Filter | nodes.Test) -> TemplateFault | None:
        is_filter = isinstance(node, nodes.Filter)
        known = self._vocabulary.filters if is_filter else self._vocabulary.tests
        if node.name in known:
            return self._arguments(node)
        spot = self._places.next_spots("filter" if is_filter else "test", node.name, node.lineno)[0]
        what = "filter" if is_filter else "test"
        advice = did_you_mean(node.name, known) or f"{what}s: {', '.join(sorted(filter(str.isidentifier, known)))}"
        return _fault_at(spot, "V04", f"there is no {what} `{node.name}`", advice)

    def _loop(self, node: nodes.For, loops: int) -> TemplateFault | None:
        if node.recursive:
            return self._refused(node, "V07", "a loop cannot be `recursive`")
        if loops >= LOOP_DEPTH_LIMIT:
            return self._refused(node, "V07", f"loops stand in each other more than {LOOP_DEPTH_LIMIT} deep")
        if isinstance(node.iter, nodes.Const):
            return self._refused(node, "V07", "a loop needs a list", "write a list: {% for day in ['mon', 'tue'] %}")
        return None

    def _call(self, node: nodes.Call) -> TemplateFault | None:
        called = dotted_name(node.node)
        root, _, rest = called.partition(".")
        if root in self._callable or (root == "self" and rest) or called in {"loop.cycle", "loop.changed"}:
            return self._arguments(node)
        if root in _REMOVED and not rest:
            return self._refused(
                node, "V07", f"`{root}` is not available in templates", "loop over a list of the contact"
            )
        shown = f"`{called}`" if called else "this"
        front, _, last = called.rpartition(".")
        advice = f"write a filter: {{{{ {front} | {last} }}}}" if last in self._vocabulary.filters and front else ""
        return self._refused(node, "V03", f"{shown} cannot be called", advice)

    def _arguments(self, node: nodes.Filter | nodes.Test | nodes.Call) -> TemplateFault | None:
        if len(node.args) + len(node.kwargs) > ARGUMENT_LIMIT:
            return self._refused(node, "V07", f"more than {ARGUMENT_LIMIT} things stand in these brackets")
        return None

    def _arithmetic(self, node: nodes.Mul | nodes.Mod) -> TemplateFault | None:
        sides = (node.left, node.right) if isinstance(node, nodes.Mul) else (node.left,)
        for side in sides:
            is_text = isinstance(side, nodes.Const) and isinstance(side.value, str)
            if is_text or isinstance(side, (nodes.List, nodes.Tuple, nodes.Concat, nodes.Dict)):
                verb = "multiplied" if isinstance(node, nodes.Mul) else "filled in with `%`"
                return self._refused(node, "V07", f"text and lists cannot be {verb}")
        return None

    def _reference(self, node: nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport) -> TemplateFault | None:
        if _constant_names(node.template):
            return None
        advice = 'write the name of a file in templates/: {% include "signature.txt" %}'
        return self._refused(node, "V05", "a template file must be named plainly", advice)

    def _name(self, node: nodes.Node) -> TemplateFault | None:
        if (
            isinstance(node, nodes.Const)
            and isinstance(node.value, (int, float))
            and abs(node.value) > LARGEST_CONSTANT
        ):
            return self._refused(node, "V07", "this number is too large")
        if isinstance(node, nodes.Name) and node.name in _ARGUMENTS:
            return self._refused(
                node, "V03", f"`{node.name}` is not available in templates", "name the macro's arguments"
            )
        if isinstance(node, nodes.Name) and node.ctx == "store" and node.name in _RESERVED:
            return self._refused(node, "V03", f"`{node.name}` has a meaning of its own and cannot be set")
        item = node.attr if isinstance(node, nodes.Getattr) else None
        if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const):
            item = node.arg.value
        if isinstance(item, str) and item.startswith("__"):
            return self._refused(node, "V03", f"`{item}` is out of reach", "columns do not start with `__` here")
        return None

    def _refused(self, node: nodes.Node, code: str, message: str, help: str = "") -> TemplateFault:
        return _fault_at(self._spot(node), code, message, help)

    def _spot(self, node: nodes.Node) -> Spot:
        line = node.lineno or 1
        if isinstance(node, nodes.Name):
            return self._places.spot_of(node.name, line) or self._places.line_spot(line)
        child = node.find(nodes.Name)
        found = self._places.name_with(child.name, line) if child is not None else None
        return found[1] if found else self._places.line_spot(line)


def _fault_at(spot: Spot, code: str, message: str, help: str) -> TemplateFault:
    fault = TemplateFault(code=code, message=message, help=help)
    return replace(fault, line=spot.line, column=spot.column, length=spot.length)


def _word_of(node: nodes.Node) -> str:
    words = {"ScopedEvalContextModifier": "autoescape", "EvalContextModifier": "autoescape", "NSRef": "namespace"}
    kind = type(node).__name__
    return words.get(kind, kind.lower())


class _Meter(NodeTransformer):
    """Rewrites what grows into calls of metered filters."""

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 the visitor's own naming
        self.generic_visit(node)
        node.iter = _filtered(cast(nodes.Expr, node.iter), METERED_LOOP)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802 the visitor's own naming
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), METERED_JOIN)

    def visit_List(self, node: nodes.List) -> nodes.Node:  # noqa: N802 the visitor's own naming
        return self._literal(node)

    def visit_Dict(self, node: nodes.Dict) -> nodes.Node:  # noqa: N802 the visitor's own naming
        return self._literal(node)

    def visit_Tuple(self, node: nodes.Tuple) -> nodes.Node:  # noqa: N802 the visitor's own naming
        return node if node.ctx != "load" else self._literal(node)

    def _literal(self, node: nodes.Literal) -> nodes.Node:
        """Have each list weighed: lists in lists can double with every line, only constants alone cannot."""
        if all(isinstance(child, nodes.Const) for child in node.iter_child_nodes()):
            return node
        self.generic_visit(node)
        return _filtered(node, METERED_LITERAL)


def _filtered(node: nodes.Expr, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)
