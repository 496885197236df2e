"""Jinja's sandbox, narrowed: items only, macros only, everything that grows counted, nothing undefined printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, time
from typing import Any, NoReturn

from jinja2 import DictLoader, StrictUndefined, nodes, pass_context
from jinja2 import Template as JinjaTemplate
from jinja2.environment import TemplateModule
from jinja2.exceptions import SecurityError, TemplateSyntaxError, UndefinedError
from jinja2.runtime import BlockReference, Context, LoopContext, Macro, TemplateReference, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from runner.rules.bounds import arithmetic, joined, metered_turns, spend, weighed
from runner.rules.faults import TemplateFault, TemplateWrong
from runner.rules.filters import TESTS, filters_for
from runner.rules.guard import (
    FILE_LIMIT,
    METERED_JOIN,
    METERED_LITERAL,
    METERED_LOOP,
    Vocabulary,
    put_on_meter,
    refusals,
)
from runner.rules.places import Places
from runner.rules.refusal import text_of
from runner.rules.syntax import lower_sentence, parse_template

_CALL_TURNS = 10
_LOOP_ITEMS = frozenset({
    "index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem", "depth", "cycle", "changed",
})  # fmt: skip
_INSTANT_ITEMS = frozenset({"year", "month", "day", "hour", "minute"})


class Missing(StrictUndefined):
    """What is not there: it raises its name when used, and an absent item is false."""

    __slots__ = ()

    def _fail_with_undefined_error(self, *_: Any, **__: Any) -> NoReturn:
        raise NameMissing(self)

    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __hash__ = __contains__ = _fail_with_undefined_error
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _fail_with_undefined_error
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _fail_with_undefined_error
    __pos__ = __neg__ = __call__ = __getitem__ = __pow__ = __rpow__ = _fail_with_undefined_error
    __lt__ = __le__ = __gt__ = __ge__ = __int__ = __float__ = __complex__ = _fail_with_undefined_error

    def __bool__(self) -> bool:  # type: ignore[override]
        if self._undefined_obj is missing:
            self._fail_with_undefined_error()
        return False


class NameMissing(UndefinedError):
    """A missing name was used; carries what was looked up, and where."""

    def __init__(self, absent: Undefined) -> None:
        self.name = str(absent._undefined_name or "")  # noqa: SLF001 Jinja gives its facts to subclasses only
        self.hint = absent._undefined_hint or ""  # noqa: SLF001
        obj = absent._undefined_obj  # noqa: SLF001
        self.is_item = obj is not missing
        self.known = tuple(str(key) for key in obj) if isinstance(obj, Mapping) else ()
        super().__init__(self.hint or self.name)


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment of all templates of a project, for one locale."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    concat = staticmethod(joined)

    def __init__(self, sources: Mapping[str, str], locale: str) -> None:
        # Without the optimizer fewer constants are worked out while compiling, where nothing is counted.
        super().__init__(
            loader=DictLoader(sources),
            undefined=Missing,
            autoescape=False,
            finalize=text_of,
            auto_reload=False,
            cache_size=-1,
            optimized=False,
        )
        self.globals.clear()
        public = filters_for(locale)
        self.vocabulary = Vocabulary(filters=frozenset(public), tests=frozenset(TESTS))
        self.filters = {
            **public,
            METERED_LOOP: metered_turns,
            METERED_JOIN: _metered_join,
            METERED_LITERAL: _metered_literal,
        }
        self.tests = {name: self.tests[name] for name in TESTS}

    def parse_checked(self, source: str, name: str) -> nodes.Template:
        """Parse and refuse what must not be compiled; the tree is as written, nothing is on the meter yet."""
        tree, faults = self.parse_all(source, name)
        if faults:
            raise TemplateWrong(faults[0])
        return tree

    def parse_all(self, source: str, name: str) -> tuple[nodes.Template, list[TemplateFault]]:
        """Parse, and give all that must not be compiled; raise TemplateWrong when it cannot be read at all."""
        if len(source) > FILE_LIMIT:
            raise TemplateWrong(replace(too_large(FILE_LIMIT, "split the file"), template=name))
        places = Places(self, source)
        tree = parse_template(self, source, name, places)
        return tree, [replace(fault, template=name) for fault in refusals(tree, places, self.vocabulary)]

    def from_tree(self, tree: nodes.Template) -> JinjaTemplate:
        """Compile a checked tree."""
        metered = put_on_meter(tree)
        metered.set_environment(self)
        try:
            code = self.compile(metered)
        except TemplateSyntaxError as error:
            raise _not_compiled(error, "") from error
        except (SyntaxError, RecursionError, MemoryError) as error:
            raise TemplateWrong(TemplateFault(code="V07", message="this is nested too deeply")) from error
        return self.template_class.from_code(self, code, {}, None)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:  # noqa: ARG002
        """Jinja's own way to a template file: the same checks stand in it."""
        tree = put_on_meter(self.parse_checked(source, name or ""))
        tree.set_environment(self)
        return tree

    def get_template(self, name: Any, parent: Any = None, globals: Any = None) -> JinjaTemplate:
        """Give a compiled template file; counted, because a template may ask for it in a loop."""
        spend(_CALL_TURNS)
        try:
            return super().get_template(name, parent, globals)
        except TemplateSyntaxError as error:
            raise _not_compiled(error, str(name)) from error

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Look up an item of a map; of anything else only the few things that templates need."""
        if isinstance(obj, Mapping):
            value = obj.get(attribute)
            return Missing(obj=obj, name=attribute) if value is None else value
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()  # noqa: SLF001 Jinja's own protocol
        if isinstance(obj, LoopContext) and attribute in _LOOP_ITEMS:
            return getattr(obj, attribute)
        if isinstance(obj, TemplateModule) and not attribute.startswith("_"):
            return vars(obj).get(attribute, Missing(obj=vars(obj), name=attribute))
        if isinstance(obj, TemplateReference):
            return self._block(obj, attribute)
        if isinstance(obj, (date, datetime, time)) and attribute in _INSTANT_ITEMS and hasattr(obj, attribute):
            return getattr(obj, attribute)
        return Missing(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        """Look up an item of a map, a list or a text by key or place."""
        if isinstance(obj, (str, list, tuple)) and isinstance(argument, (int, slice)):
            try:
                return obj[argument]
            except IndexError:
                return Missing(obj=obj, name=str(argument))
        if isinstance(obj, Mapping) and not isinstance(argument, str):
            return Missing(obj=obj, name=str(argument))
        return self.getattr(obj, str(argument))

    def call(self, context: Context, obj: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro or a block, counted; nothing else can be called."""
        is_loop = isinstance(getattr(obj, "__self__", None), LoopContext)
        if isinstance(obj, Undefined):
            obj._fail_with_undefined_error()  # noqa: SLF001 Jinja's own protocol
        if not is_loop and not isinstance(obj, (Macro, BlockReference)):
            raise SecurityError("this cannot be called")
        spend(_CALL_TURNS)
        return context.call(obj, *args, **kwargs)

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ARG002
        """Work out bounded arithmetic."""
        for side in (left, right):
            if isinstance(side, Undefined):
                side._fail_with_undefined_error()  # noqa: SLF001 Jinja's own protocol
        return arithmetic(operator, left, right, self.binop_table)

    @staticmethod
    def _block(reference: TemplateReference, name: str) -> Any:
        try:
            return reference[name]
        except LookupError:
            return Missing(obj=reference, name=name)


def too_large(limit: int, help: str) -> TemplateFault:
    """Build the fault for a source beyond its limit."""
    return TemplateFault(code="V07", message=f"this template is longer than {limit // 1024} KiB", help=help)


def _not_compiled(error: TemplateSyntaxError, name: str) -> TemplateWrong:
    """Build the error for what only the compiler sees, such as two blocks of one name."""
    fault = TemplateFault(code="V03", message=lower_sentence(error.message or "this cannot be compiled"))
    return TemplateWrong(replace(fault, template=name, line=error.lineno))


def _metered_join(pieces: list[Any]) -> str:
    spend(len(pieces))
    return joined([text_of(piece) for piece in pieces])


@pass_context
def _metered_literal(_: Context, value: Any) -> Any:
    """Weigh a list or a map; the context keeps the compiler from doing it while nothing is counted."""
    return weighed(value)
