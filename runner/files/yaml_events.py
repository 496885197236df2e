"""The YAML parser's events into nodes, with hard bounds while it still scans."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.reader import Reader
from ruamel.yaml.scanner import Scanner

from runner.errors import Span
from runner.files.nodes import Node

MAX_FLOW_DEPTH = 32
MAX_INDENTS = 20
MAX_NODES = 50_000
MAX_ALIASES = 20
MAX_TAG = 1_000
"""letters of a tag, its `!` too; a longer one ends the reading"""

_LINE_SHOWN = 80
_LONG_WORD = 64
_COUNTED_APART = ("\n", "\r", "\ufeff", "\0")
"""characters that start a line, stand in no column, or end the text"""
_CSV_HELP = "put people into a CSV file: contacts: contacts/people.csv"
_COLLECTION = {"MappingStartEvent": "mapping", "SequenceStartEvent": "sequence"}


class YamlFault(Exception):
    """Something that no campaign may hold: a code, a sentence, a line to paste, and where (from 0, end exclusive)."""

    def __init__(self, code: str, message: str, help: str, start: int, end: int) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help
        self.start = start
        self.end = end


class UnquotedTemplate(Exception):
    """A `{{ }}` that YAML reads as a map; carries the index of its first brace."""

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self.start = start


@dataclass(slots=True, kw_only=True)
class Parse:
    """What one pass over a text gave: the first document's node and the faults after which it went on."""

    root: Node | None = None
    faults: list[YamlFault] = field(default_factory=list)


def parse_events(text: str) -> Parse:
    """Parse YAML 1.2 into nodes.

    Raises YamlFault where nothing more can be read (too deep, too many, a directive),
    UnquotedTemplate, and ruamel's MarkedYAMLError.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Scanner, yaml.Reader = _BoundedScanner, _QuickReader
    return _Builder(text).build(yaml.parse(text))


class _QuickReader(Reader):
    """Passes over a long word at once, where the parser's own reader goes letter by letter."""

    def forward(self, length: int = 1) -> None:
        passed = self.prefix(length) if length >= _LONG_WORD else ""
        if not passed or any(mark in passed for mark in _COUNTED_APART):
            super().forward(length)
            return
        self.pointer += length
        self.index += length
        self.column += length


class _BoundedScanner(Scanner):
    """Refuses depth and directives while scanning: the parser reads far ahead before it gives an event."""

    def fetch_directive(self) -> None:
        start = self.reader.index
        line = self.reader.prefix(_LINE_SHOWN).split("\n")[0].rstrip("\0 ")
        message = "a `%` line tells YAML to read the file in another way"
        raise YamlFault("Y05", message, "remove this line", start, start + len(line))

    def fetch_tag(self) -> None:
        start = self.reader.index
        word = self.reader.prefix(MAX_TAG + 1).split(maxsplit=1)[0]
        if len(word) > MAX_TAG and not word.endswith("\0"):  # the parser reads a tag three times over, letter by letter
            raise _tag_fault(word[:_LINE_SHOWN], start)
        super().fetch_tag()

    def fetch_flow_collection_start(self, TokenClass: Any, to_push: str) -> None:  # noqa: N803 ruamel's name
        if len(self.flow_context) >= MAX_FLOW_DEPTH:
            raise self._too_deep(f"brackets are nested more than {MAX_FLOW_DEPTH} deep")
        super().fetch_flow_collection_start(TokenClass, to_push)

    def add_indent(self, column: int) -> bool:
        if len(self.indents) > MAX_INDENTS:
            raise self._too_deep(f"lines are nested more than {MAX_INDENTS} levels deep")
        return bool(super().add_indent(column))

    def _too_deep(self, message: str) -> YamlFault:
        start = self.reader.index
        return YamlFault("Y09", message, "a campaign needs at most six levels", start, start + 1)


@dataclass(slots=True)
class _Open:
    """A collection whose end has not come."""

    kind: str
    start: int
    style: str
    anchor: str | None
    keys: list[Node] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)
    seen: dict[str, int] = field(default_factory=dict)
    size: int = 1
    end: int = 0

    @property
    def wants_key(self) -> bool:
        return self.kind == "mapping" and len(self.keys) == len(self.children)

    def first_pairs(self) -> tuple[tuple[Node, Node], ...]:
        """Give the pairs without those whose key was reported: empty, `<<`, or set before."""
        seen: dict[str, tuple[Node, Node]] = {}
        for key, child in zip(self.keys, self.children, strict=True):
            if key.value is not None and (key.value != "<<" or key.style):
                seen.setdefault(key.value, (key, child))
        return tuple(seen.values())


class _Builder:
    """Collects events into nodes; one for each text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(at + 1 for at, char in enumerate(text) if char == "\n")]
        self._open: list[_Open] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._aliases = 0
        self._nodes = 0
        self._documents = 0
        self._parse = Parse()

    def build(self, events: Any) -> Parse:
        for event in events:
            name = type(event).__name__
            if name == "DocumentStartEvent":
                self._documents += 1
                if self._documents > 1:
                    self._fault(
                        "Y06", "a second document starts here", "put each campaign into a file of its own", event
                    )
                    break
            elif name in _COLLECTION:
                self._start(event, _COLLECTION[name])
            elif name in {"MappingEndEvent", "SequenceEndEvent"}:
                self._end(event)
            elif name == "ScalarEvent":
                self._check_tag(event)
                self._add(self._scalar(event), 1, event)
            elif name == "AliasEvent":
                self._alias(event)
        return self._parse

    def _start(self, event: Any, kind: str) -> None:
        self._check_tag(event)
        self._count(event)
        start = event.start_mark.index
        if self._text.startswith("{{", start) and event.flow_style:
            raise UnquotedTemplate(start)
        if self._open and self._open[-1].wants_key:
            raise YamlFault("Y00", "a key must be plain text", "put the key in quotes", start, start + 1)
        self._open.append(_Open(kind, start, "flow" if event.flow_style else "", event.anchor))

    def _end(self, event: Any) -> None:
        done = self._open.pop()
        end = event.end_mark.index if done.style else done.end
        pairs = done.first_pairs() if done.kind == "mapping" else ()
        node = Node(
            kind="mapping" if done.kind == "mapping" else "sequence",
            span=self._span(done.start, max(end, done.start)),
            keys=tuple(key for key, _ in pairs),
            children=tuple(child for _, child in pairs) if done.kind == "mapping" else tuple(done.children),
            style=done.style,
        )
        self._reached(end)
        self._place(node, done.size, done.anchor, event)

    def _scalar(self, event: Any) -> Node:
        start, end = event.start_mark.index, event.end_mark.index
        style = event.style or ""
        if event.tag is not None or event.anchor is not None:
            start += _prefix_length(self._text[start:end])
        raw = _trimmed(self._text[start:end], style)
        self._reached(start + len(raw))
        value = event.value if event.value or style else None
        return Node(kind="scalar", span=self._span(start, start + len(raw)), value=value, style=style, raw=raw)

    def _reached(self, end: int) -> None:
        """Note how far the innermost open collection goes; the parser's own end counts comments in."""
        if self._open:
            self._open[-1].end = max(self._open[-1].end, end)

    def _add(self, node: Node, size: int, event: Any) -> None:
        self._count(event)
        if self._open and self._open[-1].wants_key:
            self._add_key(self._open[-1], node, event)
        else:
            self._place(node, size, event.anchor, event)

    def _add_key(self, parent: _Open, node: Node, event: Any) -> None:
        key = node.value
        if key is None:
            self._fault("Y00", "this line has no key before its `:`", "write: name: value", event)
        elif key == "<<" and node.style == "":
            self._fault("Y07", "merge keys (`<<`) are not read", "write the keys out where they are needed", event)
        elif key in parent.seen:
            self._fault("Y01", f"`{key[:_LINE_SHOWN]}` is set twice", f"first set on line {parent.seen[key]}", event)
        parent.seen.setdefault(key or "", node.span.line)
        parent.keys.append(node)

    def _place(self, node: Node, size: int, anchor: str | None, event: Any) -> None:
        if anchor is not None:
            if anchor in self._anchors:
                self._fault("Y08", f"the anchor `&{anchor[:_LINE_SHOWN]}` is set twice", "give it another name", event)
            self._anchors[anchor] = (node, size)
        if not self._open:
            self._parse.root = node
            return
        parent = self._open[-1]
        parent.children.append(node)
        parent.size += size + (parent.kind == "mapping")

    def _alias(self, event: Any) -> None:
        self._aliases += 1
        at, known = event.start_mark.index, self._anchors.get(event.anchor)
        if self._aliases > MAX_ALIASES:
            message = f"more than {MAX_ALIASES} aliases stand in this file"
            raise YamlFault("Y08", message, "write the values themselves", at, event.end_mark.index)
        if known is None:
            self._fault(
                "Y08",
                f"`*{event.anchor[:_LINE_SHOWN]}` names no anchor above it",
                "write the value itself, or put it in quotes",
                event,
            )
            known = (Node(kind="scalar", span=self._span(at, event.end_mark.index), value=""), 1)
        node, size = known
        self._nodes += size
        self._count(event)
        if self._open and self._open[-1].wants_key:
            self._add_key(self._open[-1], node, event)
        else:
            self._place(node, size, None, event)

    def _count(self, event: Any) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            at = event.start_mark.index
            raise YamlFault("Y09", f"more than {MAX_NODES:,} values stand in this file", _CSV_HELP, at, at + 1)

    def _check_tag(self, event: Any) -> None:
        if event.tag is not None and event.tag != "!":
            start = event.start_mark.index
            word = self._text[start : start + _LINE_SHOWN].split(maxsplit=1)[0]
            self._parse.faults.append(_tag_fault(word, start))

    def _fault(self, code: str, message: str, help: str, event: Any) -> None:
        start, end = event.start_mark.index, event.end_mark.index
        if code == "Y06":
            end = start + 3
        self._parse.faults.append(YamlFault(code, message, help, start, end))

    def _span(self, start: int, end: int) -> Span:
        first = bisect_right(self._starts, start)
        last = bisect_right(self._starts, end)
        return Span(first, start - self._starts[first - 1] + 1, last, end - self._starts[last - 1] + 1)


def _tag_fault(word: str, start: int) -> YamlFault:
    message = f"`{word}` is a tag, and every value here is text"
    return YamlFault("Y04", message, f"remove `{word}`", start, start + len(word))


def _trimmed(raw: str, style: str) -> str:
    """Drop the blank space and the comments that the parser counts to a plain or block scalar."""
    if style not in {"", "|", ">"}:
        return raw
    lines = raw.rstrip().split("\n")
    inside = next((_indent(line) for line in lines[1:] if line.strip()), 0)
    while style and lines[2:] and lines[-1].lstrip().startswith("#") and _indent(lines[-1]) < inside:
        lines = "\n".join(lines[:-1]).rstrip().split("\n")
    return "\n".join(lines)


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _prefix_length(text: str) -> int:
    """Count the characters of a tag and an anchor before the value itself."""
    at = 0
    while at < len(text) and text[at] in "!&":
        at += len(text[at:].split(maxsplit=1)[0])
        at += len(text[at:]) - len(text[at:].lstrip())
    return at


__all__ = ["MarkedYAMLError", "Parse", "UnquotedTemplate", "YamlFault", "parse_events"]
