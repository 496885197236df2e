"""YAML as nodes: maps, sequences and scalars that know where in the file they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from runner.errors import Span

Kind = Literal["mapping", "sequence", "scalar"]
KeyPath = tuple[str | int, ...]
Plain = dict[str, "Plain"] | list["Plain"] | str | None
"""a document without places: maps, lists, text and None"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One map, sequence or scalar and its place."""

    kind: Kind
    span: Span
    """from the first to after the last character; block collections start at their first key or dash"""
    value: str | None = None
    """a scalar's text as it stands in the file, quotes and escapes read; None for an empty value"""
    keys: tuple[Node, ...] = ()
    """a map's keys, one for each child"""
    children: tuple[Node, ...] = ()
    style: str = ""
    """of scalars: empty (plain), ', ", | or >; of collections: `flow` in brackets, else empty"""
    raw: str = ""
    """a scalar's characters in the file, quotes and block header included"""

    @property
    def content_line(self) -> int:
        """The line on which a block scalar's text starts; the node's own line for other scalars."""
        return self.span.line + (self.style in {"|", ">"})

    @property
    def content_indent(self) -> int:
        """How many spaces stand before a block scalar's text, because of its indentation; 0 for other scalars."""
        if self.style not in {"|", ">"}:
            return 0
        header, *lines = self.raw.split("\n")
        del header
        value_lines = (self.value or "").split("\n")
        if self.style == "|":
            pairs = zip(lines, value_lines, strict=False)
            return next((_indent(raw) - _indent(text) for raw, text in pairs if text.strip()), 0)
        return next((_indent(line) for line in lines if line.strip()), 0)

    def get(self, key: str) -> Node | None:
        """Give the value of a map's key; None when there is none."""
        return next((child for name, child in self.items() if name == key), None)

    def key_node(self, key: str) -> Node | None:
        """Give the node of a map's key itself; None when there is none."""
        return next((node for node in self.keys if node.value == key), None)

    def items(self) -> Iterator[tuple[str, Node]]:
        """Give a map's pairs in file order."""
        for key, child in zip(self.keys, self.children, strict=True):
            yield key.value or "", child

    def step(self, name: str | int) -> Node | None:
        """Go one step down: by key in a map, by place in a sequence; None where there is nothing."""
        if self.kind == "mapping":
            return self.get(str(name))
        if self.kind == "sequence" and isinstance(name, int) and name < len(self.children):
            return self.children[name]
        return None

    def plain(self) -> Plain:
        """Give what the node holds as dicts, lists, text and None."""
        if self.kind == "mapping":
            return {key: child.plain() for key, child in self.items()}
        if self.kind == "sequence":
            return [child.plain() for child in self.children]
        return self.value


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def edited(root: Node, path: KeyPath, change: Callable[[Node, str | int], Node]) -> Node:
    """Give the tree with the collection that holds the path's last step changed; the same where the path leads nowhere."""
    if len(path) == 1:
        return change(root, path[0])
    child = root.step(path[0]) if path else None
    if child is None:
        return root
    new = edited(child, path[1:], change)
    children = tuple(new if one is child else one for one in root.children)
    return replace(root, children=children)


def renamed(name: str) -> Callable[[Node, str | int], Node]:
    """Build the change that gives a map's key another name."""

    def change(node: Node, key: str | int) -> Node:
        return replace(node, keys=tuple(replace(one, value=name) if one.value == key else one for one in node.keys))

    return change


def dropped(node: Node, key: str | int) -> Node:
    """Give a map without a key, or a sequence without an item."""
    if node.kind == "sequence":
        return replace(node, children=tuple(child for at, child in enumerate(node.children) if at != key))
    kept = [(name, child) for name, child in zip(node.keys, node.children, strict=True) if name.value != key]
    return replace(node, keys=tuple(name for name, _ in kept), children=tuple(child for _, child in kept))


def position_in(node: Node, template_line: int, template_column: int, length: int) -> Span:
    """Map a place in a scalar's text to its place in the file.

    Line and column count from 1 in the node's value. Block literals, plain and quoted values of
    one line are mapped exactly; folded values are searched for the same characters. A place
    that cannot be found gives the node's own span.
    """
    lines = (node.value or "").split("\n")
    if template_line > len(lines) or template_column - 1 > len(lines[template_line - 1]):
        return node.span
    if node.style == "|":
        line = node.content_line + template_line - 1
        column = node.content_indent + template_column
        return Span(line, column, line, column + length)
    if node.span.line == node.span.end_line and template_line == 1 and node.style in {"", "'"}:
        start = node.span.column + _raw_offset(node, template_column - 1)
        end = node.span.column + _raw_offset(node, template_column - 1 + length)
        return Span(node.span.line, start, node.span.line, end)
    return _found_in(node, template_line, template_column, length) or node.span


def _raw_offset(node: Node, offset: int) -> int:
    """Count the characters of the file before a place in a one-line plain or single-quoted value."""
    if node.style != "'":
        return offset
    return 1 + offset + (node.value or "")[:offset].count("'")


def _found_in(node: Node, line: int, column: int, length: int) -> Span | None:
    """Search the file's characters for what stands at the place in the value, the same occurrence."""
    value = node.value or ""
    lines = value.split("\n")
    start = sum(len(one) + 1 for one in lines[: line - 1]) + column - 1
    wanted = lines[line - 1][column - 1 : column - 1 + length]
    for needle in (wanted, *wanted.split()[:1]):
        if needle and (at := _nth(node.raw, needle, value[:start].count(needle))) >= 0:
            return _span_at(node, at, len(needle))
    return None


def _nth(text: str, needle: str, nth: int) -> int:
    at = text.find(needle)
    while nth and at >= 0:
        at, nth = text.find(needle, at + len(needle)), nth - 1
    return at


def _span_at(node: Node, offset: int, length: int) -> Span:
    before = node.raw[:offset]
    row = before.count("\n")
    column = offset - before.rfind("\n") if row else node.span.column + offset
    return Span(node.span.line + row, column, node.span.line + row, column + length)
