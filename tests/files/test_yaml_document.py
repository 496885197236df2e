"""YAML into nodes: scalars stay as written, every trap has its sentence, bombs are refused at once."""

from __future__ import annotations

import gc
import hashlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml.reader import Reader

from runner.files.document import MAX_BYTES, MAX_LINE, Document, read_document
from runner.files.nodes import Node
from runner.files.yaml_events import MAX_TAG, _QuickReader


def read(text: str | bytes) -> Document:
    return read_document(text if isinstance(text, bytes) else text.encode(), "x.yaml")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("+12025550143", "+12025550143"),
        ("2.50", "2.50"),
        ("0161", "0161"),
        ("0x1F", "0x1F"),
        ("0o17", "0o17"),
        ("1_000", "1_000"),
        ("1e3", "1e3"),
        (".inf", ".inf"),
        ("no", "no"),
        ("Yes", "Yes"),
        ("on", "on"),
        ("true", "true"),
        ("10:30", "10:30"),
        ("20:30:00", "20:30:00"),
        ("2026-12-01", "2026-12-01"),
        ("null", "null"),
        ("~", "~"),
        ("'it''s'", "it's"),
        ('"a\\tb"', "a\tb"),
        ("''", ""),
        ("a # comment", "a"),
        ("a#b", "a#b"),
        ("Hello {{ contact.name }}", "Hello {{ contact.name }}"),
        ("http://example.com:80/x", "http://example.com:80/x"),
        ("", None),
        ("# only a comment", None),
    ],
)
def test_scalars_stay_as_written(written: str, value: str | None) -> None:
    document = read(f"key: {written}\n")

    assert document.problems == ()
    assert document.root is not None
    assert document.root.plain() == {"key": value}


@pytest.mark.parametrize(
    ("text", "code", "line", "column", "words", "help"),
    [
        ("a: 1\nb: 2\na: 3\n", "Y01", 3, 1, "`a` is set twice", "first set on line 1"),
        ("a: {{ x }}   # oops\n", "Y02", 1, 4, "this template needs quotes", 'write: a: "{{ x }}"'),
        ("a: {{ x }} and {{ y }}\n", "Y02", 1, 4, "needs quotes", 'write: a: "{{ x }} and {{ y }}"'),
        ('a: {{ x | default("y") }}\n', "Y02", 1, 4, "needs quotes", "write: a: '{{ x | default(\"y\") }}'"),
        ("- {{ x }}\n", "Y02", 1, 3, "needs quotes", 'write: - "{{ x }}"'),
        ("a: {b: {{ x }}, c: 1}\n", "Y02", 1, 8, "needs quotes", 'write: a: {b: "{{ x }}", c: 1}'),
        ("a: {% if x %}y{% endif %}\n", "Y02", 1, 4, "needs quotes", 'write: a: "{% if x %}y{% endif %}"'),
        ("a: !!int 3\n", "Y04", 1, 4, "`!!int` is a tag", "remove `!!int`"),
        ("a: !secret {b: 1}\n", "Y04", 1, 4, "`!secret` is a tag", "remove `!secret`"),
        ("%YAML 1.1\n---\na: no\n", "Y05", 1, 1, "a `%` line", "remove this line"),
        ("a: 1\n---\nb: 2\n", "Y06", 2, 1, "a second document", "a file of its own"),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", "Y07", 3, 3, "merge keys", "write the keys out"),
        ("a: &x 1\nb: &x 2\n", "Y08", 2, 4, "the anchor `&x` is set twice", "another name"),
        ("a: *x\n", "Y08", 1, 4, "`*x` names no anchor", "quotes"),
        ("a:\n\tb: c\n", "Y03", 2, 1, "a tab stands here", "two spaces"),
        ("a: b: c\n", "Y00", 1, 4, "holds `: `", 'write: a: "b: c"'),
        ("a: b\n c: d\n", "Y00", 2, 2, "indented deeper", "same column"),
        ("foo\nbar: 1\n", "Y00", 1, 1, "this line has no `:`", "write: key: value"),
        ("a: 1\nfoo\nb: 2\n", "Y00", 2, 1, "this line has no `:`", "write: key: value"),
        ("a: 'b\nc: d\n", "Y00", 1, 4, "this quote is never closed", "same quote"),
        ("a: [1, 2\nb: c\n", "Y00", 1, 4, "this `[` is never closed", "add the `]`"),
        ("a: {b: 1\nc: 2\n", "Y00", 1, 4, "this `{` is never closed", "add the `}`"),
        ("a: @x\n", "Y00", 1, 4, "a value cannot start with `@`", 'write: a: "@x"'),
        ('a: "b\\qc"\n', "Y00", 1, 7, "this backslash", "single quotes"),
        ('a: "x" y\n', "Y00", 1, 8, "after the value has ended", "in quotes"),
        ("a: - b\n", "Y00", 1, 4, "a list cannot start here", "below the key"),
        ("a: | text\n  more\n", "Y00", 1, 6, "text cannot stand behind", "next line"),
        ("steps:\n- call: x\n text: y\n", "Y00", 3, 2, "does not line up", "neighbours"),
        ("? [a]\n: b\n", "Y00", 1, 3, "a key must be plain text", "quotes"),
        (": b\n", "Y00", 1, 1, "no key before its `:`", "name: value"),
        ("a: b\x07c\n", "Y10", 1, 5, "control character `U+0007`", "remove it"),
        (b"a: caf\xe9\n", "Y10", 1, 7, "the byte `0xE9` is not UTF-8", "save the file as UTF-8"),
        ("", "Y11", 1, 1, "this file is empty", "campaign"),
        ("# nothing\n", "Y11", 1, 1, "this file is empty", "campaign"),
        ("- a\n", "Y11", 1, 1, "must be a map", "campaign"),
        ("text\n", "Y11", 1, 1, "must be a map", "campaign"),
    ],
)
def test_every_trap_has_its_own_sentence(
    text: str | bytes, code: str, line: int, column: int, words: str, help: str
) -> None:
    (problem,) = read(text).problems

    assert problem.span is not None
    assert (problem.code, problem.span.line, problem.span.column) == (code, line, column)
    assert words in problem.message
    assert help in problem.help


def test_a_byte_order_mark_and_windows_line_ends_change_nothing() -> None:
    document = read("\ufeffa: 1\r\nb:\r\n  - c\r\n".encode())

    assert document.problems == ()
    assert document.root is not None
    assert document.root.plain() == {"a": "1", "b": ["c"]}
    assert document.root.keys[0].span.column == 1
    assert document.lines[:2] == ("a: 1", "b:")


def test_reading_goes_on_after_what_can_be_repaired() -> None:
    document = read('%YAML 1.1\n---\na: {{ x }}\nb: {c: {{ y["z"] }}, d: 1}\na: 2\ne: !!str f\n')

    assert [(one.code, one.span.line if one.span else 0) for one in document.problems] == [
        ("Y05", 1), ("Y02", 3), ("Y02", 4), ("Y01", 5), ("Y04", 6),
    ]  # fmt: skip
    assert document.root is not None
    assert document.root.plain() == {"a": "{{ x }}", "b": {"c": '{{ y["z"] }}', "d": "1"}, "e": "f"}


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_what_is_refused_unread_is_placed_however_far_down(end: bytes) -> None:
    lines = [b"a: " + b"x" * 100] * 4000

    (byte,) = read(end.join([*lines, b"b: caf\xe9"])).problems
    (long,) = read(end.join([*lines, b"b: " + b"y" * MAX_LINE])).problems

    assert (byte.code, byte.span and (byte.span.line, byte.span.column)) == ("Y10", (4001, 7))
    assert (long.code, long.span and (long.span.line, long.span.column)) == ("Y09", (4001, 1))


def test_a_large_file_is_not_read_again_for_every_line_to_repair() -> None:
    text = "".join(f"a{n}: b\n" for n in range(20_000)) + "".join(f"c{n}: {{{{ x }}}}\n" for n in range(20))
    started = time.process_time()

    problems = read(text).problems

    assert {one.code for one in problems} == {"Y02"}
    assert time.process_time() - started < 6
    assert len(read(text[-400:].partition("\n")[2]).problems) == 20


@settings(deadline=None)
@given(st.lists(st.sampled_from(["x" * 80, "y" * 200, "\ufeff", "é", " ", "\n  ", "'", ": "]), max_size=12))
def test_long_words_are_passed_over_as_the_parser_does_it_letter_by_letter(parts: list[str]) -> None:
    text = "a: " + "".join(parts) + "\nb: *none\n"

    def told() -> tuple[object, ...]:
        document = read(text)
        return document.root and document.root.plain(), [(one.code, one.span) for one in document.problems]

    quick = told()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_QuickReader, "forward", Reader.forward)
        assert quick == told()


def test_a_tag_of_any_length_is_reported_at_its_place() -> None:
    for length in (MAX_TAG - 1, MAX_TAG, 30_000):
        (problem, *others) = read(f"a: b\nc: !{'x' * (length - 1)} d\n").problems
        assert (problem.code, problem.span and (problem.span.line, problem.span.column), others) == ("Y04", (2, 4), [])


def test_the_hash_is_that_of_the_bytes() -> None:
    data = b"\xef\xbb\xbfa: 1\r\n"

    assert read(data).sha256 == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("text", ["a: 1\n", "a: [\n"])
def test_the_garbage_collector_is_left_as_it_was(text: str) -> None:
    read(text)
    assert gc.isenabled()

    gc.disable()
    try:
        read(text)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_a_few_aliases_are_read() -> None:
    document = read("a: &x {b: [1, 2]}\nc: *x\nd: [*x, *x]\n")

    assert document.problems == ()
    assert document.root is not None
    shared = {"b": ["1", "2"]}
    assert document.root.plain() == {"a": shared, "c": shared, "d": [shared, shared]}


BOMBS = {
    "brackets": "a: " + "[" * 5000,
    "brackets on lines": "a: [\n" + "[\n" * 20000,
    "braces": "a: " + "{a: " * 5000,
    "closed brackets": "a: " + "[" * 3000 + "]" * 3000,
    "indentation": "".join(" " * depth + "a:\n" for depth in range(300)),
    "dashes": "- " * 5000 + "a",
    "question marks": "? " * 5000 + "a",
    "aliases": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
    "doubling": "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 12)),
    "merge keys": "a: &a {x: 1}\n" + "".join(f"m{n}: {{<<: [{', '.join(['*a'] * 20)}]}}\n" for n in range(3)),
    "long line": "a: " + "b" * (MAX_LINE + 1),
    "many lines": "a: b\n" * 200_000,
    "large file": "a: " + ("b" * 1000 + "\n   ") * (MAX_BYTES // 1000),
    "tag at depth": "a: !!python/object/apply:os.system [" + "[" * 100,
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name: str) -> None:
    data = BOMBS[name].encode()
    started = time.process_time()

    document = read(data)

    took = time.process_time() - started
    assert document.problems
    assert {one.code for one in document.problems} <= {"Y00", "Y04", "Y07", "Y08", "Y09"}
    assert took < 0.25, f"{took:.3f} s of CPU; the aim is far below 0.1 s, the rest is for a busy machine"


def test_aliases_that_expand_too_far_are_refused() -> None:
    wide = ", ".join(["x"] * 3000)
    text = f"a: &a [{wide}]\nb: &b [*a, *a, *a]\nc: &c [*b, *b, *b]\nd: [*c, *c, *c]\n"

    (problem,) = read(text).problems

    assert problem.code == "Y09"
    assert "50,000" in problem.message


def test_too_many_values_belong_into_a_csv() -> None:
    people = "".join(f"- {{phone: '+12025550143', name: n{n}}}\n" for n in range(11_000))

    (problem,) = read("contacts:\n" + people).problems

    assert problem.code == "Y09"
    assert problem.help == "put people into a CSV file: contacts: contacts/people.csv"


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_text_gives_nodes_or_problems_with_places(text: str) -> None:
    document = read(text.encode("utf-8", "surrogatepass"))

    assert document.root is not None or document.problems
    for one in document.problems:
        assert one.span is not None
        assert 1 <= one.span.line <= len(document.lines)
        assert 1 <= one.span.column <= len(document.lines[one.span.line - 1]) + 1


_PIECES = st.sampled_from(
    [
        "a",
        "b: ",
        ": ",
        "- ",
        "\n",
        "\n  ",
        "{",
        "}",
        "[",
        "]",
        "{{ x }}",
        '"',
        "'",
        "#",
        "&a ",
        "*a",
        "!t ",
        "|",
        "? ",
        ",",
        "%",
        "\t",
        "é",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_mix_of_yaml_signs_gives_nodes_or_problems(text: str) -> None:
    document = read(text)

    assert document.root is not None or document.problems
    if document.root is not None:
        _check_spans(document.root, document)


def _check_spans(node: Node, document: Document) -> None:
    assert 1 <= node.span.line <= node.span.end_line <= len(document.lines)
    assert node.span.column <= len(document.lines[node.span.line - 1]) + 1
    for child in (*node.keys, *node.children):
        _check_spans(child, document)


_WORDS = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=12)
_TREES = st.recursive(
    st.none() | _WORDS,
    lambda inner: (
        st.lists(inner.filter(lambda one: one is not None), max_size=3) | st.dictionaries(_WORDS, inner, max_size=3)
    ),
    max_leaves=12,
)


@given(st.dictionaries(_WORDS, _TREES, min_size=1, max_size=4))
@settings(max_examples=150, deadline=None)
def test_what_is_written_is_what_is_read(tree: dict[str, object]) -> None:
    lines = "".join(f"{_flow(key)}: {_flow(value)}\n" for key, value in tree.items())

    document = read(lines)

    assert document.problems == ()
    assert document.root is not None
    assert document.root.plain() == tree


def _flow(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(one) for one in value) + "]"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else ""
