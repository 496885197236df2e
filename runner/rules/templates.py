"""Templates of a campaign: compiled once in Jinja's sandbox, rendered for each contact.

Values are plain: text, numbers, lists, maps and instants. A dot looks up an item of a map and
nothing else, so ``contact.items`` is a column and never a method. What is undefined, empty or
not plain is never printed: it raises, with its name and its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from jinja2 import Template as JinjaTemplate
from jinja2 import nodes
from jinja2.runtime import new_context

from runner.rules.bounds import OUTPUT_LIMIT, joined, start_meter, stop_meter, too_long
from runner.rules.environment import Sandbox, too_large
from runner.rules.explain import explain, failing_line
from runner.rules.faults import RenderFailed, TemplateFault, TemplateWrong, did_you_mean
from runner.rules.guard import INLINE_LIMIT, is_metered, static_references
from runner.rules.places import Places

__all__ = ["RenderFailed", "Template", "TemplateFault", "TemplateSet", "TemplateWrong"]

_INCLUDE_LIMIT = 100
_CHECK_BYTES_FROM = OUTPUT_LIMIT // 4


class TemplateSet:
    """The template files of a project and the locale they are written in; compiles texts that may use them."""

    def __init__(self, sources: Mapping[str, str], locale: str) -> None:
        self.sources = dict(sources)
        self.environment = Sandbox(self.sources, locale)

    def compile(self, source: str) -> Template:
        """Compile a text of a campaign and every file that it names; raise TemplateWrong for the first fault."""
        if len(source) > INLINE_LIMIT:
            raise TemplateWrong(too_large(INLINE_LIMIT, "move it into a file in templates/"))
        tree = self.environment.parse_checked(source, "")
        constant, metered = _constant_text(tree), is_metered(tree)
        _Chain(self).compile_below(tree, source, ())
        return Template(self, source, self.environment.from_tree(tree), constant=constant, metered=metered)

    def compile_file(self, name: str) -> Template:
        """Compile a file of the templates folder and every file that it names; raise TemplateWrong."""
        if name not in self.sources:
            raise TemplateWrong(self.absent(name))
        source = self.sources[name]
        tree = self.environment.parse_checked(source, name)
        _Chain(self).compile_below(tree, source, (name,))
        compiled = self.environment.get_template(name)
        return Template(self, source, compiled, constant=_constant_text(tree), metered=is_metered(tree))

    def absent(self, name: str) -> TemplateFault:
        """Build the fault for a file that is not in the templates folder."""
        here = ", ".join(sorted(self.sources)[:8])
        advice = did_you_mean(name, self.sources) or (
            f"in templates/ there is: {here}" if here else "templates/ is empty"
        )
        return TemplateFault(code="V05", message=f"there is no template `{name}`", help=advice, name=name)


class Template:
    """One compiled template; ``render`` may be called as often as there are contacts."""

    __slots__ = ("_blocks", "_constant", "_metered", "_root", "_set", "name", "source")

    def __init__(
        self, of: TemplateSet, source: str, compiled: JinjaTemplate, *, constant: str | None, metered: bool
    ) -> None:
        self._set = of
        self.name = compiled.name
        self.source = source
        self._root = compiled.root_render_func
        self._blocks = compiled.blocks
        self._metered = metered
        self._constant = constant

    @property
    def is_constant(self) -> bool:
        """Whether the template gives the same text for everybody."""
        return self._constant is not None

    def render(self, values: Mapping[str, object]) -> str:
        """Give the text for these plain values, at most 8 KiB; raise RenderFailed with the place otherwise."""
        if self._constant is not None:
            return self._constant
        if self._metered:
            start_meter()
        try:
            # `shared` saves the copy of the values; templates cannot write to them.
            context = new_context(self._set.environment, self.name, self._blocks, values, shared=True)  # type: ignore[arg-type]
            text = joined(self._root(context)) if self._metered else "".join(self._root(context))
            if len(text) > _CHECK_BYTES_FROM and len(text.encode("utf-8", "surrogatepass")) > OUTPUT_LIMIT:
                raise too_long()  # noqa: TRY301 the same way out gives it a place
        except Exception as error:
            # Whatever a template does, the campaign goes on with the next contact and says what happened to this one.
            raise RenderFailed(self._fault(error, values)) from error
        finally:
            if self._metered:
                stop_meter()
        return text

    def _fault(self, error: Exception, values: Mapping[str, object]) -> TemplateFault:
        name, line = failing_line(error)
        name = name or self.name or ""
        source = self._set.sources.get(name, self.source) if name else self.source
        return replace(explain(error, Places(self._set.environment, source), line, values), template=name)


class _Chain:
    """One walk over what a template names, which names files in turn."""

    def __init__(self, of: TemplateSet) -> None:
        self._set = of
        self._count = 0

    def compile_below(self, tree: nodes.Template, source: str, above: tuple[str, ...]) -> None:
        """Compile every file that is named, so that no rendering compiles anything; raise TemplateWrong."""
        for line, names, may_miss in static_references(tree):
            known = [name for name in names if name in self._set.sources]
            if not known and not may_miss:
                raise TemplateWrong(self._placed(self._set.absent(names[0]), names[0], source, line, above))
            for name in known:
                self._enter(name, above)
                below = self._set.environment.parse_checked(self._set.sources[name], name)
                self._set.environment.get_template(name)
                self.compile_below(below, self._set.sources[name], (*above, name))

    def _enter(self, name: str, above: tuple[str, ...]) -> None:
        self._count += 1
        here = above[-1] if above else ""
        if name in above:
            chain = " -> ".join((*above, name))
            raise TemplateWrong(
                TemplateFault(
                    code="V07", message=f"`{name}` takes in itself", help=f"undo one of: {chain}", template=here
                )
            )
        if self._count > _INCLUDE_LIMIT:
            message = f"more than {_INCLUDE_LIMIT} files are taken in"
            raise TemplateWrong(TemplateFault(code="V07", message=message, template=here))

    def _placed(self, fault: TemplateFault, name: str, source: str, line: int, above: tuple[str, ...]) -> TemplateFault:
        places = Places(self._set.environment, source)
        spot = places.spot_of(f'"{name}"', line) or places.spot_of(f"'{name}'", line) or places.line_spot(line)
        template = above[-1] if above else ""
        return replace(fault, template=template, line=spot.line, column=spot.column, length=spot.length)


def _constant_text(tree: nodes.Template) -> str | None:
    """Give the text of a template without any tag; None when there is one."""
    if not tree.body:
        return ""
    output = tree.body[0]
    if len(tree.body) > 1 or not isinstance(output, nodes.Output):
        return None
    if any(not isinstance(part, nodes.TemplateData) for part in output.nodes):
        return None
    return "".join(part.data for part in output.nodes if isinstance(part, nodes.TemplateData))
