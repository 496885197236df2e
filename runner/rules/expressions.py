"""Small, safe expressions for `when` and `where`: names, comparisons, `in`, `and`, `or`, `not`; nothing is called.

Cells are text. Beside a number they count as a number (``amount_due > 0`` with ``12.50``), beside
text they stay text (``"0161" == "0161"``). An empty cell is false and cannot be greater or smaller.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from jinja2 import nodes
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from runner.rules.bounds import ValueRefused
from runner.rules.cells import Cell, EmptyCell, as_cell
from runner.rules.faults import ExpressionFailed, ExpressionWrong, TemplateFault, TemplateWrong, did_you_mean
from runner.rules.filters import floating, length, whole
from runner.rules.guard import dotted_name
from runner.rules.places import Places
from runner.rules.syntax import parse_expression

__all__ = ["Expression", "ExpressionFailed", "ExpressionWrong", "StepResult", "when_values", "where_values"]

SOURCE_LIMIT = 4_000
_NODE_LIMIT = 1_000
_ALLOWED = (
    nodes.Name, nodes.Getattr, nodes.Getitem, nodes.Const, nodes.List, nodes.Tuple, nodes.Compare, nodes.Operand,
    nodes.And, nodes.Or, nodes.Not, nodes.Filter, nodes.Test, nodes.Neg,
)  # fmt: skip
_TESTS = ("defined", "undefined")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepResult:
    """How a step ended, as later steps may ask for it; the tag is empty when the agent set none."""

    outcome: str
    tag: str = ""


def where_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what `where` sees: the columns as names, and the whole row as ``contact``."""
    return {**row, "contact": row}


def when_values(done: Mapping[str, StepResult], row: Mapping[str, Any], variant: str = "") -> dict[str, Any]:
    """Give what `when` sees: ``previous``, every step that was done by its name (`-` becomes `_`), ``contact`` and ``variant``.

    ``done`` holds the steps in the order in which they ended.
    """
    results = {variable_name(name): {"outcome": one.outcome, "tag": one.tag} for name, one in done.items()}
    last = list(results.values())[-1:]
    return {"variant": variant, **results, **({"previous": last[0]} if last else {}), "contact": row}


def variable_name(step: str) -> str:
    """Give the name under which an expression knows a step: ``call-2`` is ``call_2``."""
    return step.replace("-", "_")


class Expression:
    """One compiled expression; ``evaluate`` may be called for each row."""

    __slots__ = ("_compiled", "_roots", "_source", "guarded", "names")

    def __init__(self, source: str, tree: nodes.Expr) -> None:
        self._source = source
        self.names: tuple[str, ...] = tuple(dict.fromkeys(_names(tree)))
        """the dotted names that it uses, such as ``call.outcome``"""
        self.guarded: frozenset[str] = frozenset(_guarded(tree))
        """the names that it expects to be absent: with a default, or asked whether they are defined"""
        self._roots = tuple(dict.fromkeys(_root_names(tree)))
        self._compiled = _ENVIRONMENT.compile_expression(source, undefined_to_none=False)

    @classmethod
    def compile(cls, source: str) -> Expression:
        """Compile an expression; raise ExpressionWrong (V03, V04, V06, V07) with its place."""
        if len(source) > SOURCE_LIMIT:
            raise ExpressionWrong(TemplateFault(code="V07", message="this expression is too long"))
        places = Places(_ENVIRONMENT, source, expression=True)
        try:
            tree = parse_expression(_ENVIRONMENT, source, places)
        except TemplateWrong as error:
            raise ExpressionWrong(error.fault) from error
        fault = _fault(tree, places)
        if fault is not None:
            raise ExpressionWrong(fault)
        return cls(source, tree)

    def evaluate(self, values: Mapping[str, Any]) -> bool:
        """Decide for these values, absent ones being empty cells; raise ExpressionFailed where they cannot be compared."""
        try:
            result = self._compiled({name: as_cell(values[name], name) for name in self._roots if name in values})
            return bool(result)
        except ValueRefused as error:
            raise ExpressionFailed(self._placed(error.message, error.help, getattr(error, "name", ""))) from error
        except (TypeError, ValueError, ArithmeticError, RecursionError) as error:
            advice = "compare text with text, and numbers with numbers"
            raise ExpressionFailed(self._placed("these values cannot be compared", advice, "")) from error

    def _placed(self, message: str, help: str, name: str) -> TemplateFault:
        places = Places(_ENVIRONMENT, self._source, expression=True)
        lines = range(1, self._source.count("\n") + 2)
        found = next((hit for line in lines if (hit := places.name_with(name, line))), None) if name else None
        spot = found[1] if found else places.line_spot(1)
        fault = TemplateFault(code="V06", message=message, help=help, name=found[0] if found else name)
        return replace(fault, line=spot.line, column=spot.column, length=spot.length)


class _CellEnvironment(ImmutableSandboxedEnvironment):
    """Looks up items only, and gives text as cells."""

    def __init__(self) -> None:
        super().__init__(undefined=EmptyCell, autoescape=False, optimized=False)
        self.globals.clear()
        self.filters = dict(_FILTERS)
        self.tests = {name: self.tests[name] for name in _TESTS}

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up an item of a map; of anything else nothing."""
        if isinstance(obj, Mapping):
            return as_cell(obj.get(attribute), attribute)
        return EmptyCell(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up an item of a map or a list."""
        if isinstance(obj, (list, tuple)) and isinstance(argument, int) and -len(obj) <= argument < len(obj):
            return as_cell(obj[argument], str(argument))
        return self.getattr(obj, str(argument))


def _text_filter(change: str) -> Any:
    def apply(value: Any) -> Any:
        if isinstance(value, Undefined):
            return value
        return Cell(getattr(str(value), change)(), getattr(value, "name", ""))

    return apply


def _default(value: Any, instead: Any = "", boolean: bool = False) -> Any:
    return instead if isinstance(value, Undefined) or (boolean and not value) else value


_FILTERS: dict[str, Any] = {
    "lower": _text_filter("lower"),
    "upper": _text_filter("upper"),
    "trim": _text_filter("strip"),
    "length": length,
    "int": whole,
    "float": floating,
    "default": _default,
    "d": _default,
}
_ENVIRONMENT = _CellEnvironment()


def _fault(tree: nodes.Expr, places: Places) -> TemplateFault | None:
    """Find the first thing that an expression must not hold; None when there is none."""
    for count, node in enumerate(_every(tree)):
        problem = ("V07", "this expression is too long", "") if count > _NODE_LIMIT else _problem(node)
        if problem is not None:
            code, message, advice = problem
            named = node if isinstance(node, nodes.Name) else node.find(nodes.Name)
            word = node.name if isinstance(node, (nodes.Filter, nodes.Test)) else named.name if named else ""
            spot = places.spot_of(word, node.lineno or 1) or places.line_spot(node.lineno or 1)
            fault = TemplateFault(code=code, message=message, help=advice)
            return replace(fault, line=spot.line, column=spot.column, length=spot.length)
    return None


def _every(tree: nodes.Node) -> Iterator[nodes.Node]:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _problem(node: nodes.Node) -> tuple[str, str, str] | None:
    if isinstance(node, (nodes.Filter, nodes.Test)):
        return _unknown(node)
    if isinstance(node, nodes.Call):
        return "V06", "nothing can be called in an expression", "write for example: name | lower == 'ann'"
    if isinstance(
        node, (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Concat)
    ):
        return "V06", "nothing can be worked out in an expression", "compare a column with a number: amount_due > 100"
    is_item = isinstance(node, nodes.Getitem) and not isinstance(node.arg, nodes.Const)
    is_sum = isinstance(node, nodes.Neg) and not isinstance(node.node, nodes.Const)
    if is_item or is_sum or not isinstance(node, _ALLOWED):
        return "V06", "this is not available in an expression", "use names, comparisons, in, and, or, not"
    item = node.attr if isinstance(node, nodes.Getattr) else ""
    if item.startswith("__"):
        return "V06", f"`{item}` is out of reach", "columns do not start with `__` here"
    return None


def _unknown(node: nodes.Filter | nodes.Test) -> tuple[str, str, str] | None:
    what, known = ("filter", tuple(_FILTERS)) if isinstance(node, nodes.Filter) else ("test", _TESTS)
    if node.name in known:
        return None
    advice = did_you_mean(node.name, known) or f"{what}s: {', '.join(sorted(known))}"
    return "V04", f"there is no {what} `{node.name}` in expressions", advice


def _names(node: nodes.Node) -> Iterator[str]:
    """Give the longest dotted names, in order."""
    dotted = dotted_name(node)
    if dotted:
        yield dotted
        return
    for child in node.iter_child_nodes():
        yield from _names(child)


def _root_names(tree: nodes.Node) -> Iterator[str]:
    return (node.name for node in _every(tree) if isinstance(node, nodes.Name))


def _guarded(tree: nodes.Node) -> Iterator[str]:
    for node in _every(tree):
        expects_absence = isinstance(node, nodes.Test) or (
            isinstance(node, nodes.Filter) and node.name in {"default", "d"}
        )
        if expects_absence and isinstance(node, (nodes.Test, nodes.Filter)) and node.node is not None:
            yield dotted_name(node.node)
