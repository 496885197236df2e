"""What went wrong while a template was rendered, as one fault with its place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import TracebackType

from jinja2.exceptions import SecurityError, TemplateNotFound, TemplateRuntimeError

from runner.rules.bounds import LimitReached
from runner.rules.environment import NameMissing
from runner.rules.faults import TemplateFault, TemplateWrong, did_you_mean
from runner.rules.filters import FilterRefused
from runner.rules.places import Places, Spot
from runner.rules.refusal import shown
from runner.rules.syntax import lower_sentence

_GENERAL_HELP = "cells are text: use `| float` or `| int` for numbers"


def failing_line(error: Exception) -> tuple[str, int]:
    """Give the innermost template that an error passed through, empty for a text itself, and the line in it."""
    found = ("", 1)
    frame: TracebackType | None = error.__traceback__
    while frame is not None:
        template = frame.tb_frame.f_globals.get("__jinja_template__")
        if template is not None:
            found = (template.name or "", template.get_corresponding_lineno(frame.tb_lineno))
        frame = frame.tb_next
    return found


def explain(error: Exception, places: Places, line: int, values: Mapping[str, object]) -> TemplateFault:
    """Say in a sentence what an error of a rendering means; never raises."""
    if isinstance(error, NameMissing):
        return _missing(error, places, line, values)
    if isinstance(error, FilterRefused):
        return _filter(error, places, line, values)
    if isinstance(error, TemplateWrong):
        return error.fault
    code, message, advice = _plain(error)
    named = places.first_name(line)
    fault = TemplateFault(code=code, message=message, help=advice, line=line, name=named[0] if named else "")
    return _at(fault, named[1] if named else places.line_spot(line))


def _missing(error: NameMissing, places: Places, line: int, values: Mapping[str, object]) -> TemplateFault:
    if error.hint:
        return _at(TemplateFault(code="V08", message=lower_sentence(error.hint)), places.line_spot(line))
    found = places.name_with(error.name, line)
    name = found[0] if found else error.name
    spot = found[1] if found else places.line_spot(line)
    if not error.is_item:
        advice = did_you_mean(error.name, values) or f"there is: {', '.join(sorted(values))}"
        return _at(TemplateFault(code="V01", message=f"`{name}` is not defined", help=advice, name=name), spot)
    advice = (
        did_you_mean(error.name, set(error.known) - {error.name}) or f"give a value: {{{{ {name} | default('...') }}}}"
    )
    return _at(TemplateFault(code="V02", message=f"`{name}` has no value", help=advice, name=name), spot)


def _filter(error: FilterRefused, places: Places, line: int, values: Mapping[str, object]) -> TemplateFault:
    fault = TemplateFault(code=error.code, message=error.message, help=error.help)
    named = [word for word in places.words if word.kind == "filter" and word.text == error.filter]
    found = [(word.spots[0], _name_before(places, word.spots[0])) for word in named if word.spots[0].line == line]
    if not found:
        return _at(fault, places.line_spot(line))
    # Of several such filters in one line it is the one whose value the message shows.
    meant = (one for one in found if shown(_looked_up(one[1], values)) in error.message)
    spot, name = next(meant, found[0])
    return _at(replace(fault, name=name), spot)


def _looked_up(name: str, values: Mapping[str, object]) -> object:
    value: object = values
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value


def _name_before(places: Places, spot: Spot) -> str:
    """Give the name that stands last before a place on its line: what a filter is about."""
    names = [
        word.text
        for word in places.words
        if word.kind == "name" and word.spots[0].line == spot.line and word.spots[0].column < spot.column
    ]
    return names[-1] if names else ""


def _plain(error: Exception) -> tuple[str, str, str]:
    if isinstance(error, LimitReached):
        return error.code, error.message, error.help
    if isinstance(error, (RecursionError, MemoryError)):
        return "V07", "this template calls itself without end", ""
    if isinstance(error, SecurityError):
        return "V03", "this cannot be called", ""
    if isinstance(error, TemplateNotFound):
        return "V05", f"there is no template `{error.name}`", ""
    if isinstance(error, TemplateRuntimeError) and error.message:
        return "V08", lower_sentence(error.message), ""
    return "V08", "these values do not go together here", _GENERAL_HELP


def _at(fault: TemplateFault, spot: Spot) -> TemplateFault:
    return replace(fault, line=spot.line, column=spot.column, length=spot.length)
