"""Every fault of a campaign's templates and expressions at once, found without rendering anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from jinja2 import nodes

from runner.model.campaign import Campaign, Message, Step
from runner.rules.environment import Sandbox, too_large
from runner.rules.expressions import Expression, ExpressionWrong, variable_name
from runner.rules.faults import KeyPath, TemplateFault, TemplateWrong, did_you_mean, in_template
from runner.rules.guard import INLINE_LIMIT
from runner.rules.places import Places, Spot
from runner.rules.scope import Reference, Use, Uses
from runner.rules.templates import TemplateSet

_CONTACT = "contact"
_KNOWN_ITEMS: Mapping[str, frozenset[str]] = {
    "campaign": frozenset({"name", "purpose", "description"}),
    "step": frozenset({"name", "channel"}),
}
_VALUES = frozenset({_CONTACT, "now", *_KNOWN_ITEMS})
_VARIANT = "variant"
_STEP_ITEMS = frozenset({"outcome", "tag"})
_FILE_DEPTH = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateProblem:
    """One fault of a campaign's texts; line and column from 1 within the text's own value."""

    path: KeyPath
    """the key path in the canonical campaign, such as ``("variables", "name", "value")``"""
    template: str
    """the template file in which it stands; empty when the text at the path is meant"""
    line: int
    column: int
    length: int
    code: str
    message: str
    help: str


def check_templates(
    campaign: Campaign, columns: frozenset[str] | None, templates: Mapping[str, str]
) -> list[TemplateProblem]:
    """Give every fault of a canonical campaign's variables, messages, `when` and `where`, in the campaign's order.

    ``columns`` are the contacts' columns; None when they are not known, and then they are not
    checked. ``templates`` are the project's template files by name. Raises nothing.
    """
    check = _Check(campaign, columns, TemplateSet(templates, campaign.locale))
    return list(dict.fromkeys(check.problems()))


class _Check:
    def __init__(self, campaign: Campaign, columns: frozenset[str] | None, templates: TemplateSet) -> None:
        self._campaign = campaign
        self._columns = columns
        self._templates = templates

    def problems(self) -> Iterator[TemplateProblem]:
        yield from self._where()
        yield from self._variables(self._campaign.variables, ("variables",))
        for name, variant in self._campaign.variants.items():
            yield from self._variables(variant.variables, ("variants", name, "variables"))
        yield from self._condition(self._campaign.done_when, ("done_when",), len(self._campaign.steps))
        for index, step in enumerate(self._campaign.steps):
            yield from self._when(step, index)
            stop_when = step.retry.stop_when if step.retry is not None else None
            yield from self._condition(stop_when, ("steps", index, "retry", "stop_when"), index + 1)
            yield from self._variables(step.variables, ("steps", index, "variables"))
            yield from self._message(step.message, ("steps", index, "message"))

    def _variables(self, variables: Mapping[str, object], path: KeyPath) -> Iterator[TemplateProblem]:
        for name, variable in variables.items():
            yield from self._inline(getattr(variable, "value", ""), (*path, name, "value"))

    def _message(self, message: Message | str | None, path: KeyPath) -> Iterator[TemplateProblem]:
        if isinstance(message, str):
            yield from self._inline(message, path)
        elif message is not None:
            place = (*path, "template")
            if message.template in self._templates.sources:
                texts = self._texts()
                texts.read_file(message.template, frozenset(), with_values=True)
                yield from (_problem(place, fault) for fault in texts.faults)
            else:
                fault = self._templates.absent(message.template)
                yield _problem(place, replace(fault, length=max(1, len(message.template))))

    def _inline(self, source: str, path: KeyPath) -> Iterator[TemplateProblem]:
        if len(source) > INLINE_LIMIT:
            yield _problem(path, too_large(INLINE_LIMIT, "move it into a file in templates/"))
            return
        texts = self._texts()
        texts.read(source, "", frozenset(), with_values=True)
        yield from (_problem(path, fault) for fault in texts.faults)

    def _texts(self) -> _Texts:
        return _Texts(self._templates, self._columns, _VALUES | ({_VARIANT} if self._campaign.variants else set()))

    def _where(self) -> Iterator[TemplateProblem]:
        source = self._campaign.contacts.where
        if source is None:
            return
        expression, faults = _compiled(source)
        if expression is not None and self._columns is not None:
            known = self._columns
            for name in expression.names:
                column = name.removeprefix(f"{_CONTACT}.").partition(".")[0]
                if name not in expression.guarded and name != _CONTACT and column not in known:
                    message = f"`{column}` is in no column"
                    faults.append(self._in_expression(source, name, column, message, _columns_help(column, known)))
        yield from (_problem((_CONTACT + "s", "where"), fault) for fault in faults)

    def _when(self, step: Step, index: int) -> Iterator[TemplateProblem]:
        if step.when is None:
            return
        expression, faults = _compiled(step.when)
        if expression is not None:
            found = (self._when_fault(name, step.when, index) for name in self._asked(expression))
            faults += [fault for fault in found if fault is not None]
        yield from (_problem(("steps", index, "when"), fault) for fault in faults)

    def _condition(self, source: str | None, path: KeyPath, done: int) -> Iterator[TemplateProblem]:
        """Check what is asked of an attempt that ended, when the first `done` steps may have been tried."""
        if source is None:
            return
        expression, faults = _compiled(source)
        names = [name for name in self._asked(expression) if name not in _STEP_ITEMS] if expression is not None else []
        faults += [fault for name in names if (fault := self._when_fault(name, source, done, _STEP_ITEMS)) is not None]
        yield from (_problem(path, fault) for fault in faults)

    def _asked(self, expression: Expression) -> list[str]:
        """Give the names of an expression that must be those of steps or columns."""
        return [name for name in expression.names if not (name == _VARIANT and self._campaign.variants)]

    def _when_fault(
        self, name: str, source: str, index: int, besides: frozenset[str] = frozenset()
    ) -> TemplateFault | None:
        root, _, item = name.partition(".")
        earlier = [variable_name(step.label) for step in self._campaign.steps[:index]]
        later = [variable_name(step.label) for step in self._campaign.steps[index:]]
        if root == _CONTACT:
            column = item.partition(".")[0]
            if not column or self._columns is None or column in self._columns:
                return None
            return self._in_expression(
                source, name, column, f"`{name}` is in no column", _columns_help(column, self._columns)
            )
        if root == "previous" and not earlier:
            return self._in_expression(
                source, root, root, "no step comes before the first one", "leave `when` out here"
            )
        known = [*sorted(besides), *earlier, "previous", _CONTACT, *([_VARIANT] if self._campaign.variants else [])]
        if root not in known or root in besides:
            message = (
                f"`{root}` comes later"
                if root in later
                else f"`{root}` is {'not known here' if besides else 'no step before this one'}"
            )
            advice = did_you_mean(root, known) or f"write one of: {', '.join(known)}"
            return self._in_expression(source, root, root, message, advice)
        if item not in _STEP_ITEMS:
            message = f"`{name}` is not known of a step" if item else f"`{root}` alone says nothing"
            advice = did_you_mean(item, _STEP_ITEMS) or f"write {root}.outcome or {root}.tag"
            return self._in_expression(source, name, item or root, message, advice)
        return None

    def _in_expression(self, source: str, name: str, part: str, message: str, help: str) -> TemplateFault:
        places = Places(self._templates.environment, source, expression=True)
        code = "V01" if "column" in message else "V06"
        fault = TemplateFault(code=code, message=message, help=help, name=name)
        hits = (places.name_with(part, line) for line in range(1, source.count("\n") + 2))
        hit = next((found for found in hits if found is not None), None)
        return fault if hit is None else _at(fault, hit[1])


class _Texts:
    """One text of the campaign with the files that it takes in; gathers what is wrong in any of them."""

    def __init__(self, templates: TemplateSet, columns: frozenset[str] | None, values: frozenset[str]) -> None:
        self._templates = templates
        self._columns = columns
        self._values = values
        self._open: list[str] = []
        self._done: set[tuple[str, bool]] = set()
        self.faults: list[TemplateFault] = []

    def read_file(self, name: str, local: frozenset[str], *, with_values: bool) -> None:
        """Check a template file once for each way in which it is taken in."""
        if (name, with_values) in self._done:
            return
        self._done.add((name, with_values))
        self._open.append(name)
        self.read(self._templates.sources[name], name, local, with_values=with_values)
        self._open.pop()

    def read(self, source: str, name: str, local: frozenset[str], *, with_values: bool) -> None:
        """Check one text: its syntax, what it is made of, its names, the files that it takes in."""
        environment: Sandbox = self._templates.environment
        try:
            tree, faults = environment.parse_all(source, name)
        except TemplateWrong as error:
            self.faults.append(error.fault)
            return
        found = list(faults)

        def use(one: Use) -> None:
            fault = self._use_fault(one, with_values=with_values)
            if fault is not None:
                found.append(in_template(fault, name))

        references: list[Reference] = []
        if not any(fault.code == "V07" for fault in faults):
            Uses(Places(environment, source), use, references.append).walk(tree, local)
        found += _compiler_faults(environment, tree, name) if not faults else []
        found += [fault for one in references if (fault := self._reference_fault(one, name)) is not None]
        self.faults += sorted(found, key=lambda fault: (fault.line, fault.column))
        self._read_below(references, with_values=with_values)

    def _read_below(self, references: list[Reference], *, with_values: bool) -> None:
        for one in references:
            for file in one.names:
                if file in self._templates.sources and file not in self._open:
                    self.read_file(file, one.local, with_values=with_values and one.with_context)

    def _use_fault(self, use: Use, *, with_values: bool) -> TemplateFault | None:
        root, _, item = use.name.partition(".")
        first = item.partition(".")[0]
        if use.guarded:
            return None
        if root not in self._values:
            message = f"`{{{{ {use.name} }}}}` is in no column, variable or default"
            return _unknown(use.name, message, self._root_help(use.name), use.spots[0])
        if not with_values:
            advice = "give it to the macro as an argument, or import with context"
            return _unknown(use.name, f"`{use.name}` cannot be seen from an imported file", advice, use.spots[0])
        item_spot = use.spots[1] if len(use.spots) > 1 else use.spots[0]
        if root == _CONTACT and first and self._columns is not None and first not in self._columns:
            message = f"`{{{{ {use.name} }}}}` is in no column"
            return _unknown(use.name, message, _columns_help(first, self._columns), item_spot)
        known = _KNOWN_ITEMS.get(root)
        if known is not None and item and item not in known:
            advice = did_you_mean(item, known) or f"write {' or '.join(f'{root}.{one}' for one in sorted(known))}"
            return _unknown(use.name, f"`{{{{ {use.name} }}}}` is not known", advice, item_spot)
        return None

    def _root_help(self, name: str) -> str:
        root = name.partition(".")[0]
        if self._columns is not None and root in self._columns:
            return f"write {{{{ contact.{root} }}}}"
        near = did_you_mean(root, self._columns or ())
        return (
            did_you_mean(root, self._values)
            or near.replace("`", "`contact.", 1)
            or f"write {{{{ contact.{root} }}}} for a column of the contacts"
        )

    def _reference_fault(self, one: Reference, inside: str) -> TemplateFault | None:
        if not one.names:
            return None
        cycle = [name for name in one.names if name in self._open]
        if cycle or len(self._open) > _FILE_DEPTH:
            chain = " -> ".join((*self._open, *cycle))
            what = "takes in itself" if cycle else f"stands more than {_FILE_DEPTH} files deep"
            fault = TemplateFault(code="V07", message=f"`{inside}` {what}", help=f"undo one of: {chain}")
        elif one.may_miss or any(name in self._templates.sources for name in one.names):
            return None
        else:
            fault = self._templates.absent(one.names[0])
        return in_template(_at(fault, one.spot), inside)


def _compiler_faults(environment: Sandbox, tree: nodes.Template, name: str) -> list[TemplateFault]:
    """Compile as a rendering would, for what only the compiler sees."""
    try:
        environment.from_tree(tree)
    except TemplateWrong as error:
        return [in_template(error.fault, name)]
    return []


def _compiled(source: str) -> tuple[Expression | None, list[TemplateFault]]:
    try:
        return Expression.compile(source), []
    except ExpressionWrong as error:
        return None, [error.fault]


def _columns_help(column: str, columns: frozenset[str]) -> str:
    return did_you_mean(column, columns) or f"columns: {', '.join(sorted(columns))}"


def _unknown(name: str, message: str, help: str, spot: Spot) -> TemplateFault:
    return _at(TemplateFault(code="V01", message=message, help=help, name=name), spot)


def _at(fault: TemplateFault, spot: Spot) -> TemplateFault:
    return replace(fault, line=spot.line, column=spot.column, length=spot.length)


def _problem(path: KeyPath, fault: TemplateFault) -> TemplateProblem:
    return TemplateProblem(
        path=path,
        template=fault.template,
        line=fault.line,
        column=fault.column,
        length=fault.length,
        code=fault.code,
        message=fault.message,
        help=fault.help,
    )
