"""Templates and expressions read into Jinja's tree; what cannot be read becomes a sentence with a place."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.parser import Parser

from runner.rules.faults import TemplateFault, TemplateWrong, did_you_mean
from runner.rules.places import Places, Spot

_TAGS = (
    "if", "elif", "else", "endif", "for", "endfor", "set", "endset", "macro", "endmacro", "include", "extends",
    "block", "endblock", "import", "from", "call", "endcall", "filter", "endfilter", "with", "endwith", "raw", "endraw",
)  # fmt: skip
_INNERMOST = re.compile(r"The innermost block that needs to be closed is '([^']*)'")
_OPEN = {
    "end of print statement": ("{{", "}}"),
    "end of statement block": ("{%", "%}"),
    "Missing end of comment tag": ("{#", "#}"),
    "Missing end of raw directive": ("{% raw %}", "{% endraw %}"),
}
_ENDS = {"end of print statement": "}}", "end of statement block": "%}", "end of template": ""}
_QUOTES = "'\"\\"

_Sentence = tuple[str, str, str]


def parse_template(environment: Environment, source: str, name: str, places: Places) -> nodes.Template:
    """Read a template into a tree; raise TemplateWrong with the place and, where there is one, the remedy."""
    parser = None
    try:
        parser = Parser(environment, source, name or None)
        return parser.parse()
    except TemplateSyntaxError as error:
        raise TemplateWrong(replace(_syntax_fault(error, parser, places), template=name)) from error
    except (RecursionError, MemoryError, OverflowError) as error:
        raise TemplateWrong(TemplateFault(code="V07", message="this is nested too deeply", template=name)) from error
    except ValueError as error:
        # Python refuses to read whole numbers of more than 4,300 digits.
        raise TemplateWrong(TemplateFault(code="V07", message="this number is too large", template=name)) from error


def parse_expression(environment: Environment, source: str, places: Places) -> nodes.Expr:
    """Read one expression without delimiters into a tree; raise TemplateWrong with the place."""
    if not source.strip():
        raise TemplateWrong(
            TemplateFault(code="V03", message="this is empty", help="write for example: amount_due > 0")
        )
    parser = None
    try:
        parser = Parser(environment, source, state="variable")
        tree = parser.parse_expression()
        if not parser.stream.eos:
            parser.fail(f"unexpected '{_shown(parser)}'")
    except TemplateSyntaxError as error:
        raise TemplateWrong(_syntax_fault(error, parser, places)) from error
    except (RecursionError, MemoryError, OverflowError, ValueError) as error:
        raise TemplateWrong(TemplateFault(code="V07", message="this is nested too deeply")) from error
    return tree


def _syntax_fault(error: TemplateSyntaxError, parser: Parser | None, places: Places) -> TemplateFault:
    message, advice, word = _sentence(error.message or "this cannot be read", parser)
    spot = _spot(error.lineno, word, places)
    fault = TemplateFault(code="V03", message=message, help=advice)
    return replace(fault, line=spot.line, column=spot.column, length=spot.length)


def _spot(line: int, word: str, places: Places) -> Spot:
    found = places.spot_of(word, line) or places.spot_behind(word, line) if word else None
    if found is not None:
        return found
    last = places.last_spot()
    return last if last.line == line else places.line_spot(line)


def _sentence(message: str, parser: Parser | None) -> _Sentence:
    """Say what Jinja's message means: the sentence, the remedy, and the word that it is about."""
    for pattern, say in _SENTENCES:
        match = pattern.search(message)
        if match:
            return say(match, parser)
    return lower_sentence(message), "", _shown(parser)


def lower_sentence(message: str) -> str:
    """Give a library's sentence in our style."""
    return message[:1].lower() + message[1:].rstrip(".").replace("'", "`")


def _unclosed(match: re.Match[str], _: Parser | None) -> _Sentence:
    if match[1] not in _OPEN:
        return f"`{match[1]}` is missing at the end", f"close it with {match[1]}", ""
    begin, end = _OPEN[match[1]]
    return f"`{begin}` is never closed", f"close it with {end}", begin


def _unclosed_tag(match: re.Match[str], _: Parser | None) -> _Sentence:
    tag = match[1]
    return f"`{{% {tag} %}}` is never closed", f"write {{% end{tag} %}} after it", tag


def _character(match: re.Match[str], _: Parser | None) -> _Sentence:
    sign = match[1]
    return f"`{sign}` is not expected here", "close the quotes" if sign in _QUOTES else "", sign


def _unknown_tag(match: re.Match[str], _: Parser | None) -> _Sentence:
    tag = match[1]
    open_tag = _INNERMOST.search(match.string)
    if tag in _TAGS and open_tag:
        advice = f"write {{% end{open_tag[1]} %}} first"
        return f"`{{% {tag} %}}` stands in an open `{{% {open_tag[1]} %}}`", advice, tag
    if tag in _TAGS:
        opener = "if" if tag in {"elif", "else", "endif"} else tag.removeprefix("end")
        return f"`{{% {tag} %}}` closes nothing", f"write {{% {opener} ... %}} before it", tag
    return (
        f"there is no tag `{{% {tag} %}}`",
        did_you_mean(tag, _TAGS) or "a value is printed so: {{ contact.name }}",
        tag,
    )


def _expected(match: re.Match[str], parser: Parser | None) -> _Sentence:
    wanted, got = match[1], match[2]
    if got in _ENDS:
        return _missing(match, parser)
    if wanted in _ENDS:
        end = _ENDS[wanted]
        return f"`{_shown(parser) or got}` is not expected here", f"close it with {end}" if end else "", _shown(parser)
    return f"`{wanted}` is expected here, not `{_shown(parser) or got}`", "", _shown(parser)


def _unexpected(match: re.Match[str], parser: Parser | None) -> _Sentence:
    got = match[match.lastindex or 0]
    if got in _ENDS:
        return _missing(match, parser)
    advice = "close it with }}" if got == "}" else ""
    return f"`{got}` is not expected here", advice, got if got.strip() else _shown(parser)


def _missing(match: re.Match[str], _: Parser | None) -> _Sentence:
    end = _ENDS[match[match.lastindex or 0]]
    return (f"something is missing before `{end}`" if end else "this ends too early"), "", end


def _no_tag(_: re.Match[str], parser: Parser | None) -> _Sentence:
    return "a tag needs a name", "write for example: {% if contact.name is defined %}", _shown(parser)


def _shown(parser: Parser | None) -> str:
    """Give the text of the token at which the parser stands."""
    if parser is None or parser.stream.current.type == "eof":
        return ""
    return str(parser.stream.current.value)


_SENTENCES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str], Parser | None], _Sentence]], ...] = (
    (re.compile(r"Encountered unknown tag '([^']*)'"), _unknown_tag),
    (_INNERMOST, _unclosed_tag),
    (re.compile(r"unexpected end of template, expected '(.*)'"), _unclosed),
    (re.compile(r"(Missing end of (?:comment tag|raw directive))"), _unclosed),
    (re.compile(r"""unexpected char (?:'|")(.+)(?:'|") at \d+"""), _character),
    (re.compile(r"expected token '(.*)', got '(.*)'"), _expected),
    (re.compile(r"unexpected '(.*?)'"), _unexpected),
    (re.compile(r"(?i)expected an expression, got '(.*)'"), _unexpected),
    (re.compile(r"tag name expected"), _no_tag),
)
