"""Diagnostics as text, JSON and workflow commands."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from runner.errors import Diagnostic, Severity, Span
from runner.files.diagnostics import as_github, as_json, as_text, group_same, styled, visible

ONE = Diagnostic(
    code="C01",
    message="unknown key `contcts`",
    help="did you mean `contacts`?",
    file="campaigns/spring.yaml",
    span=Span(3, 1, 3, 8),
    path="contcts",
    source="contcts: contacts/recall.csv",
)


def at_line(line: int, one: Diagnostic = ONE) -> Diagnostic:
    return replace(one, span=Span(line, 1, line, 8))


def test_text_has_the_documented_layout() -> None:
    warning = replace(
        at_line(10), severity=Severity.WARNING, code="Z02", message="212 numbers fit 8 time zones", help=""
    )

    assert as_text([ONE, warning]) == (
        "error[C01]: unknown key `contcts`\n"
        " --> campaigns/spring.yaml:3:1\n"
        "  |\n"
        "3 | contcts: contacts/recall.csv\n"
        "  | ^^^^^^^\n"
        "  = help: did you mean `contacts`?\n"
        "warning[Z02]: 212 numbers fit 8 time zones\n"
        "  --> campaigns/spring.yaml:10:1\n"
        "   |\n"
        "10 | contcts: contacts/recall.csv\n"
        "   | ^^^^^^^\n"
        "1 error, 1 warning"
    )


def test_a_whole_file_has_no_line() -> None:
    one = replace(ONE, span=None, source="", help="write one\nor two")

    assert as_text([one]) == (
        "error[C01]: unknown key `contcts`\n --> campaigns/spring.yaml\n  = help: write one\n          or two\n1 error"
    )


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ([14], "14:1"),
        ([14, 22], "14:1   also line 22"),
        ([14, 22, 31], "14:1   also lines 22 and 31"),
        ([14, 22, 31, 40], "14:1   also lines 22, 31 and 40"),
        ([14, 22, 31, 40, *range(50, 83)], "14:1   also lines 22, 31, 40 and 33 more"),
    ],
)
def test_equal_causes_are_told_once(lines: list[int], place: str) -> None:
    text = as_text([at_line(line) for line in lines])

    assert text.count("error[") == 1
    assert f"--> campaigns/spring.yaml:{place}\n" in text
    assert text.endswith(f"\n{len(lines)} error{'s' if len(lines) > 1 else ''}")


def test_equal_causes_on_one_line_both_stay() -> None:
    other = replace(ONE, span=Span(3, 10, 3, 12))

    assert group_same([ONE, other]) == [ONE, other]


def test_text_stops_after_twenty() -> None:
    many = [replace(at_line(line), message=f"unknown key `k{line}`") for line in range(1, 52)]

    text = as_text(many)

    assert text.count("error[") == 20
    assert text.endswith("\nand 31 more (--all)\n51 errors")
    assert as_text(many, limit=None).count("error[") == 51


@pytest.mark.parametrize(
    ("source", "span", "carets"),
    [
        ("日本: x", Span(1, 5, 1, 6), "      ^"),
        ("日本: x", Span(1, 1, 1, 3), "^^^^"),
        ("e\u0301a: x", Span(1, 3, 1, 4), " ^"),
        ("\tname: x", Span(1, 1, 1, 2), "^^"),
        ("a: \x1b[31mred", Span(1, 5, 1, 6), "       ^"),
        ("a: |", Span(1, 4, 3, 2), "   ^"),
        ("a:", Span(1, 3, 1, 3), "  ^"),
        ("{is: x, key: ************}", Span(1, 14, 1, 50), " " * 13 + "^" * 12),
    ],
)
def test_carets_stand_under_the_span(source: str, span: Span, carets: str) -> None:
    text = as_text([replace(ONE, source=source, span=span)])

    assert text.split("\n")[4] == f"  | {carets}"


def test_long_lines_are_cut_around_the_span() -> None:
    source = "a" * 300 + "WORD" + "b" * 300

    lines = as_text([replace(ONE, source=source, span=Span(1, 301, 1, 305))]).split("\n")

    assert len(lines[3]) < 180
    start = lines[4].index("^")
    assert lines[3][start : start + 4] == "WORD"
    assert lines[4].count("^") == 4
    assert (lines[3].count("…"), lines[3][-1]) == (2, "…")


@given(st.text(max_size=40), st.text(max_size=80), st.integers(1, 90), st.integers(0, 20))
def test_nothing_shown_moves_the_cursor(message: str, source: str, column: int, length: int) -> None:
    one = replace(ONE, message=message, source=source.replace("\n", " "), span=Span(2, column, 2, column + length))

    text = as_text([one])

    assert not [
        char
        for char in text
        if char != "\n" and (ord(char) < 32 or 0x7F <= ord(char) < 0xA0 or char in "\u2028\u202e\u200b")
    ]
    shown = text.split("\n")
    if source.strip():
        assert cell_len(shown[4]) <= cell_len(shown[3].rstrip()) + 4 + 1 or column > len(source.rstrip())


def test_visible_names_what_hides() -> None:
    assert visible("a\x1b[0m\u202eb\tc\u200d") == "a\\x1b[0m\\u202eb\\tc\\u200d"
    assert visible("日本 é 👍") == "日本 é 👍"


def test_json_has_every_field() -> None:
    (record,) = json.loads(as_json([replace(ONE, source="é日: x", span=Span(3, 5, 3, 6), same=(7,))]))

    assert record == {
        "severity": "error",
        "code": "C01",
        "message": "unknown key `contcts`",
        "help": "did you mean `contacts`?",
        "file": "campaigns/spring.yaml",
        "range": {"start": {"line": 3, "column": 5, "byte": 8}, "end": {"line": 3, "column": 6, "byte": 9}},
        "path": "contcts",
        "same": [7],
    }


def test_json_of_a_whole_file_has_no_range() -> None:
    (record,) = json.loads(as_json([replace(ONE, span=None)]))

    assert record["range"] is None
    assert json.loads(as_json([])) == []


def test_github_escapes_and_counts() -> None:
    one = replace(ONE, file="a,b:c.yaml", message="100% wrong\nreally")
    many = [replace(at_line(line), message=f"m{line}") for line in range(1, 13)]

    assert as_github([one]) == (
        "::error file=a%2Cb%3Ac.yaml,line=3,col=1,endColumn=8,title=C01::100%25 wrong%0Areally%0Adid you mean `contacts`?"
    )
    assert as_github(many).split("\n")[10:] == ["::notice::and 2 more; the log of this step has them all"]
    assert as_github([at_line(1), at_line(2), at_line(3)]).endswith("%0Aalso on 2 more lines")
    assert as_github([replace(ONE, span=None)]).startswith("::error file=campaigns/spring.yaml,title=C01::")


def test_style_changes_no_character() -> None:
    text = as_text([ONE])

    assert styled(text).plain == text
    assert styled(text).spans
