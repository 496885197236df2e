"""Which names a template uses, with their places, and which of them nothing gives: no rendering, no row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from jinja2 import nodes

from runner.rules.guard import dotted_name
from runner.rules.places import Places, Spot

_IMPLICIT = frozenset({"self", "super", "caller", "varargs", "kwargs"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A name that a template reads from outside itself."""

    name: str
    """dotted, such as ``contact.clinic``"""
    spots: tuple[Spot, ...]
    """the place of each part; at least one"""
    guarded: bool
    """it may be absent: it has a default, or was asked for"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """An include, extends or import, and what the file sees."""

    names: tuple[str, ...]
    spot: Spot
    may_miss: bool
    with_context: bool
    local: frozenset[str] = field(default_factory=frozenset)
    """names that the text itself gives to the file"""


@dataclass(frozen=True, slots=True)
class _Scope:
    local: frozenset[str]
    guarded: frozenset[str]

    def plus(self, names: Iterator[str] | tuple[str, ...]) -> _Scope:
        return replace(self, local=self.local | frozenset(names))

    def guarding(self, names: frozenset[str]) -> _Scope:
        return replace(self, guarded=self.guarded | names)


class Uses:
    """One walk over a template that passes its outer names and its references on."""

    def __init__(
        self, places: Places, on_use: Callable[[Use], None], on_reference: Callable[[Reference], None]
    ) -> None:
        self._places = places
        self._on_use = on_use
        self._on_reference = on_reference
        self._visitors: Mapping[type[nodes.Node], Callable[..., _Scope]] = {
            nodes.Assign: self._assign,
            nodes.AssignBlock: self._assign_block,
            nodes.CallBlock: self._call_block,
            nodes.CondExpr: self._conditional,
            nodes.And: self._both,
            nodes.Filter: self._filter,
            nodes.FilterBlock: self._own_names,
            nodes.For: self._loop,
            nodes.FromImport: self._from_import,
            nodes.Block: self._own_names,
            nodes.If: self._if,
            nodes.Import: self._import,
            nodes.Include: self._include,
            nodes.Extends: self._include,
            nodes.Macro: self._macro,
            nodes.Test: self._test,
            nodes.With: self._with,
        }

    def walk(self, tree: nodes.Template, local: frozenset[str]) -> None:
        """Pass on every use and reference, in the order of reading."""
        self._all(tree.body, _Scope(local | _IMPLICIT, frozenset()))

    def _all(self, below: list[nodes.Node], scope: _Scope) -> _Scope:
        for node in below:
            scope = self._one(node, scope)
        return scope

    def _one(self, node: nodes.Node, scope: _Scope) -> _Scope:
        visitor = self._visitors.get(type(node))
        if visitor is not None:
            return visitor(node, scope)
        name = dotted_name(node)
        if name:
            self._use(node, name, scope, guarded=False)
        else:
            self._all(list(node.iter_child_nodes()), scope)
        return scope

    def _use(self, node: nodes.Node, name: str, scope: _Scope, *, guarded: bool) -> None:
        root = node if isinstance(node, nodes.Name) else node.find(nodes.Name)
        if root is None:
            return
        spots = self._places.next_spots("name", name, root.lineno or 1)
        if root.name not in scope.local and (not isinstance(root, nodes.Name) or root.ctx == "load"):
            self._on_use(
                Use(name=name, spots=spots, guarded=guarded or name in scope.guarded or root.name in scope.guarded)
            )

    def _bound(self, *targets: nodes.Node) -> tuple[str, ...]:
        """Name what is set here, and count its places, so that a later use of the name gets its own."""
        names = tuple(_targets(*targets))
        for name in names:
            self._places.next_spots("name", name, targets[0].lineno or 1)
        return names

    def _assign(self, node: nodes.Assign, scope: _Scope) -> _Scope:
        bound = self._bound(node.target)
        self._one(node.node, scope)
        return scope.plus(bound)

    def _assign_block(self, node: nodes.AssignBlock, scope: _Scope) -> _Scope:
        bound = self._bound(node.target)
        self._all(node.body, scope)
        if node.filter is not None:
            self._one(node.filter, scope)
        return scope.plus(bound)

    def _call_block(self, node: nodes.CallBlock, scope: _Scope) -> _Scope:
        bound = self._bound(*node.args)
        self._one(node.call, scope)
        self._all(list(node.defaults), scope)
        self._all(node.body, scope.plus(bound))
        return scope

    def _conditional(self, node: nodes.CondExpr, scope: _Scope) -> _Scope:
        asked, denied = _asked(node.test), _denied(node.test)
        self._one(node.expr1, scope.guarding(asked))
        self._one(node.test, scope)
        if node.expr2 is not None:
            self._one(node.expr2, scope.guarding(denied))
        return scope

    def _both(self, node: nodes.And, scope: _Scope) -> _Scope:
        self._one(node.left, scope)
        self._one(node.right, scope.guarding(_asked(node.left)))
        return scope

    def _filter(self, node: nodes.Filter, scope: _Scope) -> _Scope:
        inner = node.node
        name = dotted_name(inner) if inner is not None else ""
        if name and inner is not None and node.name in {"default", "d"}:
            self._use(inner, name, scope, guarded=True)
        elif inner is not None:
            self._one(inner, scope)
        self._all([*node.args, *node.kwargs], scope)
        return scope

    def _test(self, node: nodes.Test, scope: _Scope) -> _Scope:
        name = dotted_name(node.node)
        if name and node.name in {"defined", "undefined"}:
            self._use(node.node, name, scope, guarded=True)
        else:
            self._one(node.node, scope)
        self._all([*node.args, *node.kwargs], scope)
        return scope

    def _own_names(self, node: nodes.FilterBlock | nodes.Block, scope: _Scope) -> _Scope:
        """Walk a part whose names end with it."""
        self._all(list(node.iter_child_nodes()), scope)
        return scope

    def _if(self, node: nodes.If, scope: _Scope) -> _Scope:
        self._one(node.test, scope)
        after = [self._all(node.body, scope.guarding(_asked(node.test)))]
        otherwise = scope.guarding(_denied(node.test))
        for branch in node.elif_:
            self._one(branch.test, otherwise)
            after.append(self._all(branch.body, otherwise.guarding(_asked(branch.test))))
            otherwise = otherwise.guarding(_denied(branch.test))
        after.append(self._all(node.else_, otherwise))
        # A name that only one branch sets is undefined in the other; the rendering of each row sees that.
        return scope.plus(tuple(name for branch_scope in after for name in branch_scope.local))

    def _loop(self, node: nodes.For, scope: _Scope) -> _Scope:
        bound = self._bound(node.target)
        self._one(node.iter, scope)
        inner = scope.plus((*bound, "loop"))
        if node.test is not None:
            self._one(node.test, inner)
        self._all(node.body, inner)
        self._all(node.else_, scope)
        return scope

    def _macro(self, node: nodes.Macro, scope: _Scope) -> _Scope:
        self._places.next_spots("name", node.name, node.lineno or 1)
        bound = self._bound(*node.args)
        self._all(list(node.defaults), scope)
        named = scope.plus((node.name,))
        self._all(node.body, named.plus(bound))
        return named

    def _with(self, node: nodes.With, scope: _Scope) -> _Scope:
        bound = self._bound(*node.targets)
        self._all(list(node.values), scope)
        self._all(node.body, scope.plus(bound))
        return scope

    def _include(self, node: nodes.Include | nodes.Extends, scope: _Scope) -> _Scope:
        self._refer(node, scope, with_context=not isinstance(node, nodes.Include) or node.with_context)
        return scope

    def _import(self, node: nodes.Import, scope: _Scope) -> _Scope:
        self._refer(node, scope, with_context=node.with_context)
        return scope.plus((node.target,))

    def _from_import(self, node: nodes.FromImport, scope: _Scope) -> _Scope:
        self._refer(node, scope, with_context=node.with_context)
        return scope.plus(tuple(name if isinstance(name, str) else name[1] for name in node.names))

    def _refer(
        self,
        node: nodes.Include | nodes.Extends | nodes.Import | nodes.FromImport,
        scope: _Scope,
        *,
        with_context: bool,
    ) -> None:
        names = [one.value for one in _constants(node.template) if isinstance(one.value, str)]
        line = node.lineno or 1
        spots = [self._places.spot_of(quoted, line) for name in names[:1] for quoted in (f'"{name}"', f"'{name}'")]
        spot = next((spot for spot in spots if spot is not None), self._places.line_spot(line))
        may_miss = isinstance(node, nodes.Include) and node.ignore_missing
        local = scope.local if with_context else frozenset()
        self._on_reference(
            Reference(names=tuple(names), spot=spot, may_miss=may_miss, with_context=with_context, local=local)
        )


def _constants(node: nodes.Expr) -> Iterator[nodes.Const]:
    if isinstance(node, nodes.Const):
        yield node
    else:
        yield from node.find_all(nodes.Const)


def _targets(*targets: nodes.Node) -> Iterator[str]:
    for target in targets:
        if isinstance(target, nodes.Name):
            yield target.name
        else:
            yield from (name.name for name in target.find_all(nodes.Name))


def _asked(test: nodes.Node) -> frozenset[str]:
    """Name what is defined wherever the test is true."""
    if isinstance(test, nodes.And):
        return _asked(test.left) | _asked(test.right)
    if isinstance(test, nodes.Not):
        return _denied(test.node)
    return (
        frozenset({dotted_name(test.node)}) if isinstance(test, nodes.Test) and test.name == "defined" else frozenset()
    )


def _denied(test: nodes.Node) -> frozenset[str]:
    """Name what is defined wherever the test is false."""
    if isinstance(test, nodes.Or):
        return _denied(test.left) | _denied(test.right)
    if isinstance(test, nodes.Not):
        return _asked(test.node)
    return (
        frozenset({dotted_name(test.node)})
        if isinstance(test, nodes.Test) and test.name == "undefined"
        else frozenset()
    )
