"""Templates: what they may say, what they look up, and that every fault has its name and its place."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.bounds import OUTPUT_LIMIT
from runner.rules.templates import RenderFailed, TemplateSet, TemplateWrong

FILES = {
    "sign.txt": "-- {{ campaign.name }}",
    "words.txt": "{% macro hello(name) %}Hello {{ name | title }}{% endmacro %}{% set greeting = 'Dear' %}",
    "frame.txt": "[{% block body %}base{% endblock %}]",
    "page.txt": "{% extends 'frame.txt' %}{% block body %}{{ super() }} and {{ contact.name }}{% endblock %}",
    "wrong.txt": "fine\n  {{ contact.name | titel }}",
}
VALUES: Mapping[str, Any] = {
    "contact": {
        "name": "ann o'neill",
        "amount": "12.50",
        "items": "three",
        "First Name": "Ann",
        "days": ["mon", "tue"],
        "address": {"city": "Austin", "zip": None},
        "paid": True,
        "visits": 3,
        "nothing": None,
        "score": float("nan"),
    },
    "campaign": {"name": "april"},
    "now": datetime(2026, 12, 3, 15, 30, tzinfo=UTC),
}
TEMPLATES = TemplateSet(FILES, "en_US")


def render(source: str) -> str:
    return TEMPLATES.compile(source).render(VALUES)


def failure(source: str) -> RenderFailed:
    template = TEMPLATES.compile(source)
    with pytest.raises(RenderFailed) as caught:
        template.render(VALUES)
    return caught.value


def wrongness(source: str, files: Mapping[str, str] = FILES) -> TemplateWrong:
    with pytest.raises(TemplateWrong) as caught:
        TemplateSet(files, "en_US").compile(source)
    return caught.value


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ("{{ contact.name }}", "ann o'neill"),
        ("{{ contact['First Name'] }}", "Ann"),
        ("{{ contact.items }}", "three"),
        ("{{ contact.address.city }}", "Austin"),
        ("{{ contact.days[0] }} {{ contact.days[-1] }}", "mon tue"),
        ("{{ contact.paid }} {{ contact.visits }}", "true 3"),
        ("{{ contact.nobody | default('you') }}", "you"),
        ("{{ contact.nothing | default('you') }}", "you"),
        ("{{ contact.address.zip | default('-') }}", "-"),
        ("{{ nobody | default('you') }}", "you"),
        ("{% if contact.nobody %}yes{% else %}no{% endif %}", "no"),
        ("{% if contact.nobody is defined %}yes{% else %}no{% endif %}", "no"),
        ("{{ 'a' if contact.nobody }}", ""),
        (
            "{% for day in contact.days %}{{ loop.index }}{{ day }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1mon, 2tue",
        ),
        ("{% for name, cell in contact.address | items %}{{ name }}{% endfor %}", "cityzip"),
        ("{{ contact.days | join(', ') }}", "mon, tue"),
        ("{{ contact.name ~ ' ' ~ contact.visits }}", "ann o'neill 3"),
        ("{{ contact.visits + 1 }} {{ 7 // 2 }} {{ 7 % 4 }} {{ -contact.visits }}", "4 3 3 -3"),
        ("{{ (contact.amount | float) * 2 }}", "25.0"),
        ("{{ contact.amount | round(1) * 2 }}", "25.0"),
        ("{% set who = contact.name | title %}{{ who }}", "Ann O'Neill"),
        ("{% with who = 'Bo' %}{{ who }}{% endwith %}", "Bo"),
        ("{% filter upper %}hi {{ contact.name }}{% endfilter %}", "HI ANN O'NEILL"),
        ("{% macro twice(x) %}{{ x }}{{ x }}{% endmacro %}{{ twice('ab') }}", "abab"),
        ("{% macro box() %}<{{ caller() }}>{% endmacro %}{% call box() %}hi{% endcall %}", "<hi>"),
        ("{% include 'sign.txt' %}", "-- april"),
        ("{% include 'absent.txt' ignore missing %}!", "!"),
        ("{% include ['absent.txt', 'sign.txt'] %}", "-- april"),
        ("{% import 'words.txt' as words %}{{ words.hello('bo') }} {{ words.greeting }}", "Hello Bo Dear"),
        ("{% from 'words.txt' import hello as hi %}{{ hi(contact.name) }}", "Hello Ann O'Neill"),
        ("{% include 'page.txt' %}", "[base and ann o'neill]"),
        ("{% extends 'frame.txt' %}{% block body %}mine{% endblock %}", "[mine]"),
        ("{% raw %}{{ name }}{% endraw %}", "{{ name }}"),
        ("{# a remark #}x", "x"),
        ("a\n{%- if true %} b {%- endif %}", "a b"),
        ("{{ now.year }} {{ now | date('d MMM') }}", "2026 3 Dec"),
        ("{{ now }}", "2026-12-03T15:30:00+00:00"),
    ],
)
def test_what_a_template_gives(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize("name", ["title", "get", "keys", "values", "copy", "update", "pop", "fromkeys"])
def test_a_dot_is_a_column_and_never_a_method(name: str) -> None:
    assert failure(f"{{{{ contact.{name} }}}}").fault.name == f"contact.{name}"
    assert TEMPLATES.compile(f"{{{{ contact.{name} }}}}").render({"contact": {name: "cell"}}) == "cell"


@pytest.mark.parametrize(
    ("source", "name", "line", "column", "length"),
    [
        ("{{ contact.clinc }}", "contact.clinc", 1, 12, 5),
        ("Hi,\n  see {{ contact.name }} at {{ contact.clinc | upper }}", "contact.clinc", 2, 40, 5),
        ("{{ clinc }}", "clinc", 1, 4, 5),
        ("{% if clinc %}{% endif %}", "clinc", 1, 7, 5),
        ("{{ contact.name }}\r\n{{ contact['Frist Name'] }}", "contact.Frist Name", 2, 12, 12),
        ("{% for day in contact.dais %}{% endfor %}", "contact.dais", 1, 23, 4),
        ("{{ contact.address.street }}", "contact.address.street", 1, 20, 6),
        ("{{ contact.nothing }}", "contact.nothing", 1, 12, 7),
        ("{{ contact.clinc.street }}", "contact.clinc", 1, 12, 5),
        ("{{ contact.clinc == 'a' }}", "contact.clinc", 1, 12, 5),
        ("{{ contact.clinc + 1 }}", "contact.clinc", 1, 12, 5),
        ("{{ contact.clinc | int }}", "contact.clinc", 1, 12, 5),
        ("{{ contact.clinc | money('USD') }}", "contact.clinc", 1, 12, 5),
        ("{{ contact.clinc | tojson }}", "contact.clinc", 1, 12, 5),
    ],
)
def test_an_absent_value_raises_with_its_name_and_place(
    source: str, name: str, line: int, column: int, length: int
) -> None:
    fault = failure(source).fault
    assert (fault.name, fault.line, fault.column, fault.length) == (name, line, column, length)
    assert name in fault.message


def test_an_absent_value_has_a_neighbour() -> None:
    assert failure("{{ contact.nam }}").help == "did you mean `name`?"
    assert failure("{{ contct }}").help == "did you mean `contact`?"


def test_a_fault_inside_a_file_names_the_file() -> None:
    templates = TemplateSet({"inner.txt": "one\ntwo {{ contact.clinc }}"}, "en_US")
    with pytest.raises(RenderFailed) as caught:
        templates.compile("{% include 'inner.txt' %}").render(VALUES)
    assert (caught.value.template, caught.value.line, caught.value.column) == ("inner.txt", 2, 16)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{ contact.days }}", "this is a list, not text"),
        ("{{ contact.address }}", "this is a map, not text"),
        ("{{ contact.days | upper }}", "this is a list, not text"),
        ("{{ none }}", "this is empty"),
        ("{{ contact.score }}", "this is not a number that can be printed"),
        ("{{ 1 / 0 }}", "this divides by zero"),
        ("{{ contact.amount * 2 }}", "`*` needs two numbers"),
        ("{{ contact.name > 3 }}", "these values do not go together here"),
        ("{% for letter in contact.name %}{% endfor %}", "`ann o'neill` is not a list"),
        ("{% import 'words.txt' as words %}{{ words }}", "this is not text"),
        ("{{ contact.name | money('USD') }}", "`ann o'neill` is not a number"),
    ],
)
def test_what_is_no_text_is_never_printed(source: str, message: str) -> None:
    error = failure(source)
    assert (error.message, error.code) == (message, "V08")


def test_a_refusing_filter_is_the_place() -> None:
    fault = failure("Hi\n{{ contact.amount | money('USD') }} {{ contact.name | money('USD') }}").fault
    assert (fault.line, fault.column, fault.length, fault.name) == (2, 55, 5, "contact.name")


@pytest.mark.parametrize(
    ("source", "code", "message", "help", "column", "length"),
    [
        ("{{ contact.name | }}", "V03", "something is missing before `}}`", "", 19, 2),
        ("{{ contact.name", "V03", "`{{` is never closed", "close it with }}", 1, 2),
        ("{{ name}", "V03", "`}` is not expected here", "close it with }}", 8, 1),
        ("{% if a %}x", "V03", "`{% if %}` is never closed", "write {% endif %} after it", 4, 2),
        ("{% endif %}", "V03", "`{% endif %}` closes nothing", "write {% if ... %} before it", 4, 5),
        ("{% fro x %}", "V03", "there is no tag `{% fro %}`", "did you mean `from`?", 4, 3),
        ("{# x", "V03", "`{#` is never closed", "close it with #}", 1, 2),
        ("{{ 'abc }}", "V03", "`'` is not expected here", "close the quotes", 4, 1),
        ("{{ a ? b }}", "V03", "`?` is not expected here", "", 6, 1),
        ("{{ a b }}", "V03", "`b` is not expected here", "close it with }}", 6, 1),
        ("{{ contact.name | titel }}", "V04", "there is no filter `titel`", "did you mean `title`?", 19, 5),
        ("{{ a is definde }}", "V04", "there is no test `definde`", "did you mean `defined`?", 9, 7),
        ("{% include 'sing.txt' %}", "V05", "there is no template `sing.txt`", "did you mean `sign.txt`?", 12, 10),
        ("{{ a.upper() }}", "V03", "`a.upper` cannot be called", "write a filter: {{ a | upper }}", 4, 1),
        (
            "{% for i in range(3) %}{% endfor %}",
            "V07",
            "`range` is not available in templates",
            "loop over a list of the contact",
            13,
            5,
        ),
    ],
)
def test_a_wrong_template_says_what_and_where(
    source: str, code: str, message: str, help: str, column: int, length: int
) -> None:
    fault = wrongness("first line\n" + source).fault
    assert (fault.code, fault.message, fault.help) == (code, message, help)
    assert (fault.line, fault.column, fault.length) == (2, column, length)


def test_a_wrong_file_is_found_when_the_text_that_names_it_is_compiled() -> None:
    error = wrongness("{% include 'wrong.txt' %}")
    assert (error.template, error.code, error.line, error.column) == ("wrong.txt", "V04", 2, 21)


def test_two_blocks_of_one_name_are_refused() -> None:
    error = wrongness("{% block a %}{% endblock %}\n{% block a %}{% endblock %}")
    assert (error.code, error.message, error.line) == ("V03", "block `a` defined twice", 2)


def test_a_file_compiled_by_itself() -> None:
    template = TEMPLATES.compile_file("page.txt")
    assert template.render(VALUES) == "[base and ann o'neill]"
    with pytest.raises(TemplateWrong) as caught:
        TEMPLATES.compile_file("paeg.txt")
    assert (caught.value.code, caught.value.help) == ("V05", "did you mean `page.txt`?")


def test_text_alone_is_constant() -> None:
    assert TEMPLATES.compile("Hello there").is_constant
    assert TEMPLATES.compile("").is_constant
    assert not TEMPLATES.compile("Hello {{ contact.name }}").is_constant


def test_a_failed_rendering_leaves_no_trace_in_the_next() -> None:
    hungry = TEMPLATES.compile("{% for a in contact.big %}{% for b in contact.big %}{% endfor %}{% endfor %}done")
    with pytest.raises(RenderFailed):
        hungry.render({"contact": {"big": ["x"] * 200}})
    assert hungry.render({"contact": {"big": ["x"] * 20}}) == "done"
    assert TEMPLATES.compile("{% include 'page.txt' %}").render(VALUES) == "[base and ann o'neill]"


def test_the_output_is_bounded_in_bytes() -> None:
    template = TEMPLATES.compile("{{ contact.text }}")
    assert len(template.render({"contact": {"text": "x" * OUTPUT_LIMIT}})) == OUTPUT_LIMIT
    for text in ("x" * (OUTPUT_LIMIT + 1), "\u20ac" * (OUTPUT_LIMIT // 2)):
        with pytest.raises(RenderFailed) as caught:
            template.render({"contact": {"text": text}})
        assert caught.value.message == "the text is longer than 8 KiB"


@given(st.text(alphabet="{}%#abc.|_()[]'\" 0+*~=\n-", max_size=60))
def test_any_source_gives_text_or_a_placed_fault(source: str) -> None:
    error: TemplateWrong | RenderFailed
    try:
        TEMPLATES.compile(source).render(VALUES)
    except (TemplateWrong, RenderFailed) as caught:
        error = caught
    else:
        return
    lines = source.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.length >= 1
    assert error.message


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4), st.text(min_size=1, max_size=8))
def test_any_column_is_reached_by_its_name(row: dict[str, str], name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    if escaped.startswith("__"):
        return
    template = TEMPLATES.compile("{{ contact['" + escaped + "'] | default('none') }}")
    assert template.render({"contact": row}) == row.get(name, "none")


def test_a_typical_line_is_rendered_20000_times_a_second() -> None:
    template = TEMPLATES.compile("Hi {{ contact.name }}, you owe {{ contact.amount }}.")
    best = 1.0
    for _ in range(3):
        start = time.process_time()
        for _ in range(2000):
            template.render(VALUES)
        best = min(best, time.process_time() - start)
    assert 2000 / best > 20_000
