"""A place inside of a value points at the same characters of the file."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import Span
from runner.files.document import Document, read_document
from runner.files.nodes import Node, dropped, edited, position_in, renamed


def value_at(text: str, key: str = "key") -> tuple[Document, Node]:
    document = read_document(text.encode(), "x.yaml")
    assert document.root is not None, document.problems
    node = document.root.get(key)
    assert node is not None
    return document, node


def place_of(node: Node, word: str) -> tuple[int, int]:
    """Give the place of a word in a node's value."""
    before = (node.value or "")[: (node.value or "").index(word)]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def characters(document: Document, span: Span) -> str:
    assert span.line == span.end_line
    return document.lines[span.line - 1][span.column - 1 : span.end_column - 1]


@pytest.mark.parametrize(
    "text",
    [
        "key: one WORD two\n",
        "key:   WORD   # comment\n",
        "key: 'one WORD two'\n",
        "key: 'it''s a ''WORD'' of two'\n",
        'key: "one WORD two"\n',
        'key: "tab\\tand \\u00e9 WORD"\n',
        "key: |\n  one\n  two WORD\n",
        "key: |\n\n\n      one\n        deeper WORD\n",
        "key: |2\n    one more\n  WORD\n",
        "key: |-  # how it ends\n  one\n\n  WORD\n\n",
        "key: >\n  one\n  two WORD\n\n  three\n",
        "key: >-\n\n  one\n    kept\n  WORD\n",
        "key: one\n  two\n  WORD three\n",
        "key: 'one\n\n  two WORD'\n",
        'key: "one \\\n  two WORD"\n',
        "other: é日本\nkey: 日本 WORD\n",
    ],
)
def test_a_word_is_found_in_every_style(text: str) -> None:
    document, node = value_at(text)
    line, column = place_of(node, "WORD")

    span = position_in(node, line, column, 4)

    assert characters(document, span) == "WORD"


def test_the_same_word_twice_is_told_apart() -> None:
    document, node = value_at('key: "one \\t x one"\n')

    span = position_in(node, 1, (node.value or "").rindex("one") + 1, 3)

    assert (span.line, span.column) == (1, document.lines[0].rindex("one") + 1)


@pytest.mark.parametrize(("line", "column"), [(9, 1), (1, 400)])
def test_a_place_outside_of_the_value_gives_the_value(line: int, column: int) -> None:
    _, node = value_at("key: |\n  one\n  two\n")

    assert position_in(node, line, column, 3) == node.span


_LINE = st.text(st.sampled_from("abc é{}'\"日#: "), min_size=1, max_size=20)


@given(st.lists(_LINE, min_size=1, max_size=5), st.integers(1, 6), st.data())
@settings(max_examples=200, deadline=None)
def test_block_literals_are_exact(lines: list[str], indent: int, data: st.DataObject) -> None:
    lines = ["x" + line for line in lines]
    document, node = value_at("key: |\n" + "".join(" " * indent + line + "\n" for line in lines))
    row = data.draw(st.integers(1, len(lines)))
    column = data.draw(st.integers(1, len(lines[row - 1])))

    span = position_in(node, row, column, 1)

    assert characters(document, span) == lines[row - 1][column - 1]
    assert span.line == row + 1


@given(_LINE, st.data())
@settings(max_examples=200, deadline=None)
def test_single_quoted_values_are_exact(text: str, data: st.DataObject) -> None:
    document, node = value_at("key: '" + text.replace("'", "''") + "'\n")
    column = data.draw(st.integers(1, len(text)))

    span = position_in(node, 1, column, 1)

    assert characters(document, span)[0] == text[column - 1]


def test_blocks_end_at_their_last_character() -> None:
    document = read_document(b"a:\n  - b: 1\n    c: 2\n\n# end\nd: |\n  x\n\n# end\n\n", "x.yaml")
    assert document.root is not None
    block, literal = document.root.children

    assert block.span == Span(2, 3, 3, 9)
    assert (literal.span.line, literal.span.end_line) == (6, 7)
    assert (literal.content_line, literal.content_indent) == (7, 2)


def test_changes_make_new_trees() -> None:
    document = read_document(b"a: [1, {b: 2, c: 3}]\n", "x.yaml")
    root = document.root
    assert root is not None

    changed = edited(edited(root, ("a", 1, "b"), renamed("d")), ("a", 1, "c"), dropped)

    assert changed.plain() == {"a": ["1", {"d": "2"}]}
    assert root.plain() == {"a": ["1", {"b": "2", "c": "3"}]}
    assert edited(root, ("x", "y"), dropped) is root
