"""The YAML parser's own complaints in plain words, each at its right place."""

from __future__ import annotations

import re

from ruamel.yaml.error import MarkedYAMLError

from runner.files.yaml_events import YamlFault

_START = re.compile(r"found character '(?P<char>.*)' that cannot start any token")
_PAIR = re.compile(r"^(?P<key>\s*(?:- +)*[^\s:#][^:#]*?): +(?P<value>.*\S)")


def plain_fault(error: MarkedYAMLError, text: str) -> YamlFault:
    """Turn ruamel's error into a sentence with a place; what the table lacks keeps ruamel's words."""
    problem = str(error.problem or error)
    at = _index(error.problem_mark, len(text))
    opened = _index(error.context_mark, at)
    start = _START.search(problem)
    if start:
        return _cannot_start(start["char"], text, at)
    for words, code, message, advice, at_context in _TABLE:
        if words in problem:
            place = opened if at_context else at
            return YamlFault(code, message.format(char=text[place : place + 1]), advice, place, place + 1)
    if "mapping values are not allowed" in problem:
        return _second_colon(text, at)
    return YamlFault("Y00", problem.lower().replace("invalid ", "wrong "), "", at, at + 1)


_TABLE: tuple[tuple[str, str, str, str, bool], ...] = (
    (
        "found unexpected end of stream",
        "Y00",
        "this quote is never closed",
        "add the same quote at the end of the value",
        True,
    ),
    (
        "found unknown escape",
        "Y00",
        "this backslash stands before a letter that means nothing",
        "use single quotes: '…'",
        False,
    ),
    ("expected ',' or ']'", "Y00", "this `[` is never closed", "add the `]`, or a comma between two values", True),
    ("expected ',' or '}'", "Y00", "this `{{` is never closed", "add the `}`, or a comma between two values", True),
    ("could not find expected ':'", "Y00", "this line has no `:`", "write: key: value", True),
    ("found unexpected ':'", "Y00", "this value holds a `:` and needs quotes", "put the whole value in quotes", False),
    (
        "but found '?'",
        "Y00",
        "this key does not line up with the lines above it",
        "indent it like its neighbours",
        False,
    ),
    (
        "but found '-'",
        "Y00",
        "this `-` does not line up with the lines above it",
        "indent it like its neighbours",
        False,
    ),
    (
        "<block sequence start>",
        "Y00",
        "this `-` does not line up with the lines above it",
        "indent it like its neighbours",
        False,
    ),
    (
        "<block mapping start>",
        "Y00",
        "this key does not line up with the lines above it",
        "indent it like its neighbours",
        False,
    ),
    (
        "expected <block end>",
        "Y00",
        "text stands here after the value has ended",
        "put the whole value in quotes",
        False,
    ),
    (
        "sequence entries are not allowed",
        "Y00",
        "a list cannot start here",
        "put each `-` on a line of its own, below the key",
        False,
    ),
    ("mapping keys are not allowed", "Y00", "a key cannot start here", "put it on a line of its own", False),
    ("<document start>", "Y00", "this line stands outside of the map above it", "indent it like its neighbours", False),
    (
        "more indented follow up line",
        "Y00",
        "the first line of this text is indented more than the next",
        "start all lines at the same column",
        False,
    ),
    (
        "expected a comment or a line break",
        "Y00",
        "text cannot stand behind `|` or `>`",
        "start the text on the next line",
        False,
    ),
    (
        "chomping or indentation",
        "Y00",
        "only `|`, `>`, `|-` or `>-` may stand here",
        "start the text on the next line",
        False,
    ),
    (
        "undefined tag handle",
        "Y04",
        "tags are not read, and every value here is text",
        "remove the word with `!`",
        False,
    ),
    (
        "while parsing a tag",
        "Y04",
        "tags are not read, and every value here is text",
        "remove the word with `!`",
        False,
    ),
    ("the node content", "Y00", "a value is missing here", "write the value, or remove the line", False),
)
"""ruamel's words, our code, sentence and help, and whether the fault lies where the construct was opened"""


def _index(mark: object, otherwise: int) -> int:
    index = getattr(mark, "index", None)
    return index if isinstance(index, int) else otherwise


def _cannot_start(char: str, text: str, at: int) -> YamlFault:
    if char in {"\\t", "\t"}:
        return YamlFault(
            "Y03", "a tab stands here, and YAML is indented with spaces", "replace the tab with two spaces", at, at + 1
        )
    line_start = text.rfind("\n", 0, at) + 1
    line = text[line_start:].split("\n", 1)[0]
    pair = _PAIR.match(line)
    advice = f"write: {_quoted(pair)}" if pair and line_start + pair.start("value") == at else "put the value in quotes"
    return YamlFault("Y00", f"a value cannot start with `{char}`", advice, at, at + 1)


def _second_colon(text: str, at: int) -> YamlFault:
    line_start = text.rfind("\n", 0, at) + 1
    line = text[line_start:].split("\n", 1)[0]
    pair = _PAIR.match(line)
    if pair and line_start + pair.end("key") < at:
        return YamlFault(
            "Y00",
            "this value holds `: ` and needs quotes",
            f"write: {_quoted(pair)}",
            line_start + pair.start("value"),
            line_start + pair.end("value"),
        )
    first = line_start + len(line) - len(line.lstrip())
    above = text[:line_start].rstrip()
    above_start = above.rfind("\n") + 1
    above_first = above_start + len(above[above_start:]) - len(above[above_start:].lstrip())
    if above and above_first - above_start >= first - line_start:
        return YamlFault("Y00", "this line has no `:`", "write: key: value", above_first, len(above))
    return YamlFault(
        "Y00", "this line is indented deeper than the one it belongs to", "start it in the same column", first, at
    )


def _quoted(pair: re.Match[str]) -> str:
    value = pair["value"].replace('"', '\\"') if "\\" not in pair["value"] else pair["value"]
    return f'{pair["key"].strip()}: "{value}"'
