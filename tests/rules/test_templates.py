"""Templates: what they may say, what they look up, and that every fault has its name and its place."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
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
        ("{% for day in contact.days %}{{ loop.index }}{{ day }}{% if not loop.last %}, {% endif %}{% endfor %}", "1mon, 2tue"),
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
    assert (fault.line, fault.name) == (2, "contact.name") or fault.column == 21


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
        ("{% for i in range(3) %}{% endfor %}", "V07", "`range` is not available in templates", "loop over a list of the contact", 13, 5),
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


class Secretive:
    """An object as no caller should pass it: nothing of it may be reached."""

    secret = "s3cret"  # noqa: S105 a bait

    def tell(self) -> str:
        return self.secret

    def __str__(self) -> str:
        return self.secret


ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''['__class__'] }}",
    "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ contact.__class__ }}",
    "{{ contact['__init__'] }}",
    "{{ contact.items() }}",
    "{{ contact.update({'a': 1}) }}",
    "{{ contact.days.append('x') }}",
    "{{ contact | attr('__class__') }}",
    "{{ 'x' | attr('format') }}",
    "{{ '{0.__class__}'.format(contact) }}",
    "{{ '{0.__class__}' | format(contact) }}",
    "{{ '%s' % contact }}",
    "{{ contact.name.format }}",
    "{{ contact.days | map(attribute='__class__') | list }}",
    "{{ contact.days | map('attr', '__class__') | list }}",
    "{{ [contact] | join(attribute='__class__') }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ self }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m._func }}",
    "{% for a in contact.days %}{{ loop.__init__ }}{% endfor %}",
    "{% for a in contact.days %}{{ loop._iterable }}{% endfor %}",
    "{{ lipsum.__globals__['os'] }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ joiner('x') }}",
    "{{ dict(a=1) }}",
    "{{ namespace(a=1) }}",
    "{{ config }}",
    "{{ request.application }}",
    "{{ now.__reduce__() }}",
    "{{ now.strftime('%Y') }}",
    "{{ now.tzinfo }}",
    "{% import 'words.txt' as w %}{{ w.__dict__ }}",
    "{% import 'words.txt' as w %}{{ w._body_stream }}",
    "{% import contact.name as w %}",
    "{% include contact.name %}",
    "{% include '../../etc/passwd' %}",
    "{% include '/etc/passwd' %}",
    "{% extends contact.name %}",
    "{% autoescape true %}{% endautoescape %}",
    "{{ contact.name | safe }}",
    "{% do contact.clear() %}",
    "{% debug %}",
    "{{ object.secret }}",
    "{{ object.tell() }}",
    "{{ object }}",
    "{{ object | string }}",
    "{{ object ~ '' }}",
    "{{ [object] | join }}",
    "{{ object | tojson }}",
    "{{ object['secret'] }}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_nothing_escapes_the_sandbox(source: str) -> None:
    with pytest.raises((TemplateWrong, RenderFailed)) as caught:
        TEMPLATES.compile(source).render({**VALUES, "object": Secretive()})
    assert "s3cret" not in caught.value.message + caught.value.help


@given(st.text(alphabet="{}%#abc.|_()[]'\" 0+*~=\n-", max_size=60))
def test_any_source_gives_text_or_a_placed_fault(source: str) -> None:
    try:
        text = TEMPLATES.compile(source).render(VALUES)
    except (TemplateWrong, RenderFailed) as error:
        lines = source.replace("\r\n", "\n").split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1
        assert error.length >= 1
        assert error.message
    else:
        assert isinstance(text, str)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4), st.text(min_size=1, max_size=8))
def test_any_column_is_reached_by_its_name(row: dict[str, str], name: str) -> None:
    escaped = name.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    if escaped.startswith("__"):
        return
    template = TEMPLATES.compile("{{ contact['" + escaped + "'] | default('none') }}")
    assert template.render({"contact": row}) == row.get(name, "none")


def _bombs() -> Iterator[tuple[str, str]]:
    yield "times", "{{ 'A' * 1000000000 }}"
    yield "times of a cell", "{{ contact.name * 1000000000 }}"
    yield "times from the left", "{{ 1000000000 * contact.name }}"
    yield "list times", "{{ [1] * 1000000000 }}"
    yield "power", "{{ 9**9**9 }}"
    yield "power of a bracket", "{{ (9**9)**9 }}"
    yield "range", "{% for i in range(1000000000) %}{% endfor %}"
    yield "nested range", "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
    yield "format filter", "{{ '%0500000000d' | format(1) }}"
    yield "format operator", "{{ '%0500000000d' % 1 }}"
    yield "format operator of a cell", "{{ contact.wide % 1 }}"
    yield "format method", "{{ '{:>500000000}'.format(1) }}"
    yield "center", "{{ 'a' | center(1000000000) }}"
    yield "indent", "{{ 'a' | indent(1000000000) }}"
    yield "slice", "{{ [1] | slice(1000000000) | list }}"
    yield "batch", "{{ [1] | batch(1000000000, 0) | list }}"
    yield "namespace", "{% set n = namespace(x='a') %}{% for i in 'aaaaaaaaaa' %}{% set n.x = n.x ~ n.x %}{% endfor %}"
    yield "loops", "{% for a in contact.big %}" * 3 + "{% endfor %}" * 3
    yield "four loops", "{% for a in contact.big %}" * 4 + "{% endfor %}" * 4
    yield "recursive loop", "{% for a in contact.big recursive %}{{ loop(contact.big) }}{% endfor %}"
    yield "tilde", "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a ~ a %}" * 60 + "{{ a }}"
    yield "plus", "{% set a = 'xxxxxxxxxx' %}" + "{% set a = a + a %}" * 60 + "{{ a }}"
    yield "list plus", "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | length }}"
    yield "lists in lists", "{% set a = [1] %}" + "{% set a = [a, a] %}" * 60 + "{{ a | string }}"
    yield "tuples in tuples", "{% set a = (1,) %}" + "{% set a = (a, a) %}" * 60 + "{{ a in [a] }}"
    yield "maps in maps", "{% set a = {'k': 1} %}" + "{% set a = {'x': a, 'y': a} %}" * 60 + "{{ a | tojson }}"
    yield "set blocks", "{% set a %}xxxxxxxxxx{% endset %}" + "{% set a %}{{ a }}{{ a }}{% endset %}" * 60 + "{{ a }}"
    yield "macro of macro", "{% macro f(x) %}{{ x }}{{ x }}{% endmacro %}{{ " + "f(" * 40 + "'aaaaaaaaaa'" + ")" * 40 + " }}"
    yield "macro without end", "{% macro f() %}{{ f() }}{{ f() }}{% endmacro %}{{ f() }}"
    yield "macro tree", "{% macro f(n) %}{% if n < 40 %}{{ f(n + 1) }}{{ f(n + 1) }}{% endif %}{% endmacro %}{{ f(1) }}"
    yield "block in itself", "{% block a %}{{ self.a() }}{{ self.a() }}{% endblock %}"
    yield "replace", "{{ contact.name | replace('a', contact.long) | replace('a', contact.long) }}"
    yield "join", "{{ contact.big | join(contact.long) }}"
    yield "loop of long text", "{% for a in contact.big %}{{ contact.long }}{% endfor %}"
    yield "round", "{{ 5 | round(-1000000000) }}"
    yield "many digits", "{{ contact.digits | int }}"
    yield "long number", "{{ " + "9" * 5000 + " }}"
    yield "squares", "{% set a = 999999999 %}" + "{% set a = a * a %}" * 40 + "{{ a }}"
    yield "exponent", "{{ '1e999999999' | money('USD') }}"
    yield "spoken digits", "{{ contact.digits | spoken_number }}"
    yield "brackets", "{{ " + "(" * 8000 + "1" + ")" * 8000 + " }}"
    yield "lists", "{{ " + "[" * 3000 + "]" * 3000 + " }}"
    yield "nested ifs", "{% if 1 %}" * 300 + "{% endif %}" * 300
    yield "nots", "{{ " + "not " * 3000 + "1 }}"
    yield "dots", "{{ contact" + ".a" * 7000 + " }}"
    yield "filters", "{{ 'a'" + "|upper" * 2500 + " }}"
    yield "arguments", "{{ 1 | default(" + ",".join(f"a{i}=1" for i in range(1500)) + ") }}"
    yield "long source", "a" * 20_000
    yield "lipsum", "{{ lipsum(n=100000) }}"
    yield "include of itself", "{% include 'self.txt' %}"
    yield "tree of includes", "{% include 'tree1' %}"
    yield "include in a loop", "{% for a in contact.big %}{% include 'loop.txt' %}{% endfor %}"
    yield "open tags", "{{" * 8000
    yield "pattern", "{{ '2026-01-01' | date('" + "E" * 5000 + "') }}"


BOMBS = dict(_bombs())
BOMB_FILES = {
    "self.txt": "{% include 'self.txt' %}",
    "loop.txt": "{% for a in contact.big %}x{% endfor %}",
    **{f"tree{n}": f"{{% include 'tree{n + 1}' %}}" * 2 for n in range(1, 40)},
    "tree40": "x",
}
BOMB_VALUES: Mapping[str, Any] = {
    "contact": {
        "name": "a" * 50,
        "long": "a" * 8000,
        "wide": "%0500000000d",
        "big": [str(n) for n in range(1000)],
        "digits": "9" * 6000,
    }
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_are_refused_at_once(name: str) -> None:
    templates = TemplateSet(BOMB_FILES, "en_US")
    spent = []
    for _ in range(2):
        start = time.process_time()
        with pytest.raises((TemplateWrong, RenderFailed)):
            templates.compile(BOMBS[name]).render(BOMB_VALUES)
        spent.append(time.process_time() - start)
    assert min(spent) < 0.1


def test_a_typical_line_is_rendered_20000_times_a_second() -> None:
    template = TEMPLATES.compile("Hi {{ contact.name }}, you owe {{ contact.amount }}.")
    best = 1.0
    for _ in range(3):
        start = time.process_time()
        for _ in range(2000):
            template.render(VALUES)
        best = min(best, time.process_time() - start)
    assert 2000 / best > 20_000
