"""Every fault of a campaign's texts at once, each at its place, without rendering."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.campaign import Campaign
from runner.rules.check import TemplateProblem, check_templates
from runner.rules.render import Renderer

COLUMNS = frozenset({"name", "clinic", "amount_due", "phone", "First Name", "days"})
VALUE = ("variables", "x", "value")


def campaign(**more: Any) -> Campaign:
    written = {
        "campaign": "april",
        "purpose": "informational",
        "agents": {"caller": "movoice/agent_1", "texter": "revring/agent_2"},
        "contacts": "april.csv",
        "steps": [{"call": "caller"}],
        **more,
    }
    return Campaign.model_validate(written).canonical()


def of_value(
    source: str, columns: frozenset[str] | None = COLUMNS, files: Mapping[str, str] | None = None
) -> list[TemplateProblem]:
    return check_templates(campaign(variables={"x": source}), columns, files or {})


def of_when(source: str) -> list[TemplateProblem]:
    steps = [{"call": "caller"}, {"text": "texter"}, {"call": "caller", "when": source}, {"text": "texter"}]
    return check_templates(campaign(steps=steps), COLUMNS, {})


@pytest.mark.parametrize(
    ("source", "code", "message", "help", "line", "column", "length"),
    [
        ("{{ contact.clinc }}", "V01", "`{{ contact.clinc }}` is in no column", "did you mean `clinic`?", 1, 12, 5),
        ("{{ contact['Frist Name'] }}", "V01", "`{{ contact.Frist Name }}` is in no column", "did you mean `First Name`?", 1, 12, 12),
        ("{{ clinic }}", "V01", "`{{ clinic }}` is in no column, variable or default", "write {{ contact.clinic }}", 1, 4, 6),
        ("{{ clinc }}", "V01", "`{{ clinc }}` is in no column, variable or default", "did you mean `contact.clinic`?", 1, 4, 5),
        ("{{ contct.name }}", "V01", "`{{ contct.name }}` is in no column, variable or default", "did you mean `contact`?", 1, 4, 6),
        ("{{ contact.clinc.street }} {{ contact.clinic }}", "V01", "`{{ contact.clinc.street }}` is in no column", "did you mean `clinic`?", 1, 12, 5),
        ("{{ contact.clinic.x }}{{ contact.clinic[0] }}{{ x }}", "V01", "`{{ x }}` is in no column, variable or default", "write {{ contact.x }} for a column of the contacts", 1, 49, 1),
        ("{{ campaign.nme }}", "V01", "`{{ campaign.nme }}` is not known", "did you mean `name`?", 1, 13, 3),
        ("{{ step.label }}", "V01", "`{{ step.label }}` is not known", "write step.channel or step.name", 1, 9, 5),
        ("Hi\n  {{ contact.name | titel }}", "V04", "there is no filter `titel`", "did you mean `title`?", 2, 21, 5),
        ("{{ contact.name | }}", "V03", "something is missing before `}}`", "", 1, 19, 2),
        ("{% include 'no.txt' %}", "V05", "there is no template `no.txt`", "templates/ is empty", 1, 12, 8),
        ("{{ 'a' * 999999999 }}", "V07", "text and lists cannot be multiplied", "", 1, 1, 21),
        ("{% for d in contact.days %}{{ d }}{% endfor %}{{ d }}", "V01", "`{{ d }}` is in no column, variable or default", "write {{ contact.d }} for a column of the contacts", 1, 50, 1),
        ("{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1) }}{{ a }}", "V01", "`{{ a }}` is in no column, variable or default", "write {{ contact.a }} for a column of the contacts", 1, 51, 1),
        ("{% if a is defined %}{{ a }}{% endif %} {{ a }}", "V01", "`{{ a }}` is in no column, variable or default", "write {{ contact.a }} for a column of the contacts", 1, 44, 1),
        ("{{ contact.clinc | default('x') }} {{ contact.clinc }}", "V01", "`{{ contact.clinc }}` is in no column", "did you mean `clinic`?", 1, 47, 5),
        ("{% block a %}{% endblock %}{% block a %}{% endblock %}", "V03", "block `a` defined twice", "", 1, 1, 1),
    ],
)  # fmt: skip
def test_one_fault_and_its_place(  # noqa: PLR0917 one row of the table each
    source: str, code: str, message: str, help: str, line: int, column: int, length: int
) -> None:
    (problem,) = of_value(source)
    assert (problem.code, problem.message, problem.path, problem.template) == (code, message, VALUE, "")
    assert (problem.line, problem.column, problem.length) == (line, column, length)
    assert problem.help == help


@pytest.mark.parametrize(
    "source",
    [
        "plain",
        "{{ contact.name }} {{ contact['First Name'] }} {{ contact }}",
        "{{ campaign.name }} {{ campaign.purpose }} {{ step.name }} {{ step.channel }} {{ now | date }}",
        "{{ contact.optional | default('x') }} {{ optional | default('x') }}",
        "{% if contact.optional is defined %}{{ contact.optional }}{% endif %}",
        "{% if contact.optional is not defined %}-{% else %}{{ contact.optional }}{% endif %}",
        "{% if contact.optional is undefined %}-{% elif true %}{{ contact.optional }}{% endif %}",
        "{{ contact.optional if contact.optional is defined else '-' }}",
        "{% if contact.optional is defined and contact.optional == 'x' %}y{% endif %}",
        "{% set a = contact.name %}{{ a }}",
        "{% set a %}x{% endset %}{{ a }}",
        "{% if contact.name %}{% set a = 1 %}{% else %}{% set a = 2 %}{% endif %}{{ a }}",
        "{% for day in contact.days %}{{ loop.index }} {{ day }}{% else %}-{% endfor %}",
        "{% for a, b in contact.days | items %}{{ a }}{{ b }}{% endfor %}",
        "{% with a = 1, b = 2 %}{{ a + b }}{% endwith %}",
        "{% macro m(a, b=2) %}{{ a }}{{ b }}{{ contact.name }}{% endmacro %}{{ m(1) }}",
        "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}x{% endcall %}",
        "{% filter upper %}{{ contact.name }}{% endfilter %}",
        "{% block a %}{{ contact.name }}{% endblock %}{{ self.a() }}",
        "{% include 'absent.txt' ignore missing %}",
    ],
)
def test_what_is_fine_has_no_problem(source: str) -> None:
    assert of_value(source) == []


def test_columns_that_are_not_known_are_not_checked() -> None:
    assert of_value("{{ contact.anything }}", None) == []
    assert [one.code for one in of_value("{{ anything }}", None)] == ["V01"]
    where = campaign(contacts={"file": "a.csv", "where": "anything > 0"})
    assert check_templates(where, None, {}) == []


def test_files_are_followed_and_named() -> None:
    files = {
        "a.txt": "one\n{% include 'b.txt' %}{{ contact.clinc }}",
        "b.txt": "{{ contact.naem }} {{ given }}",
        "frame.txt": "{% block body %}{{ contact.clinc }}{% endblock %}",
        "page.txt": "{% extends 'frame.txt' %}{% block body %}{{ super() }}{{ contact.naem }}{% endblock %}",
    }
    problems = of_value("{% set given = 1 %}{% include 'a.txt' %}", files=files)
    assert [(one.template, one.line, one.column, one.code) for one in problems] == [
        ("a.txt", 2, 33, "V01"),
        ("b.txt", 1, 12, "V01"),
    ]
    assert {(one.template, one.column) for one in of_value("{% include 'page.txt' %}", files=files)} == {
        ("page.txt", 66),
        ("frame.txt", 28),
    }


def test_imported_files_see_no_values_unless_asked() -> None:
    files = {"m.txt": "{% macro hi(n) %}{{ n }}{{ contact.name }}{% endmacro %}"}
    (problem,) = of_value("{% from 'm.txt' import hi %}{{ hi('x') }}", files=files)
    assert (problem.template, problem.column, problem.code) == ("m.txt", 28, "V01")
    assert problem.help == "give it to the macro as an argument, or import with context"
    assert of_value("{% from 'm.txt' import hi with context %}{{ hi('x') }}", files=files) == []


def test_files_in_a_circle_are_said_once() -> None:
    files = {"a.txt": "{% include 'b.txt' %}", "b.txt": "x\n{% include 'a.txt' %}"}
    (problem,) = of_value("{% include 'a.txt' %}", files=files)
    assert (problem.code, problem.template, problem.line, problem.column) == ("V07", "b.txt", 2, 12)
    assert problem.help == "undo one of: a.txt -> b.txt -> a.txt"


def test_messages_inline_and_from_files() -> None:
    steps = [
        {"text": "texter", "message": "Hi {{ contact.clinc }}"},
        {"text": "texter", "message": {"template": "sms.txt"}},
        {"text": "texter", "message": {"template": "mss.txt"}},
        {"call": "caller", "variables": {"y": "{{ nobody }}"}},
    ]
    problems = check_templates(campaign(steps=steps), COLUMNS, {"sms.txt": "Hi\n{{ contact.clinc }}"})
    assert [(one.path, one.template, one.line, one.column, one.code) for one in problems] == [
        (("steps", 0, "message"), "", 1, 15, "V01"),
        (("steps", 1, "message", "template"), "sms.txt", 2, 12, "V01"),
        (("steps", 2, "message", "template"), "", 1, 1, "V05"),
        (("steps", 3, "variables", "y", "value"), "", 1, 4, "V01"),
    ]
    assert problems[2].help == "did you mean `sms.txt`?"


def test_many_faults_of_one_text_come_in_order() -> None:
    problems = of_value("{{ contact.clinc | titel }}\n{{ nobody }}{{ contact.name | uper }}")
    assert [(one.line, one.column, one.code) for one in problems] == [
        (1, 12, "V01"),
        (1, 20, "V04"),
        (2, 4, "V01"),
        (2, 31, "V04"),
    ]


@pytest.mark.parametrize(
    ("where", "code", "message", "column", "length"),
    [
        ("amount_du > 0", "V01", "`amount_du` is in no column", 1, 9),
        ("name and contact.clinc", "V01", "`clinc` is in no column", 18, 5),
        ("contact['Frist Name'] == 'a'", "V01", "`Frist Name` is in no column", 9, 12),
        ("amount_due > ", "V03", "this ends too early", 12, 1),
        ("amount_due + 1 > 2", "V06", "nothing can be worked out in an expression", 1, 10),
        ("name | lowr", "V04", "there is no filter `lowr` in expressions", 8, 4),
    ],
)
def test_where(where: str, code: str, message: str, column: int, length: int) -> None:
    (problem,) = check_templates(campaign(contacts={"file": "a.csv", "where": where}), COLUMNS, {})
    assert (problem.path, problem.code, problem.message) == (("contacts", "where"), code, message)
    assert (problem.line, problem.column, problem.length) == (1, column, length)


def test_where_over_optional_columns() -> None:
    where = "optional | default('') == '' and other is defined and contact['First Name'] and contact"
    assert check_templates(campaign(contacts={"file": "a.csv", "where": where}), COLUMNS, {}) == []


@pytest.mark.parametrize(
    ("when", "code", "message", "help", "column", "length"),
    [
        ("cal.outcome == 'x'", "V06", "`cal` is no step before this one", "did you mean `call`?", 1, 3),
        ("call_2.outcome == 'x'", "V06", "`call_2` comes later", "did you mean `call`?", 1, 6),
        ("text_2.tag", "V06", "`text_2` comes later", "did you mean `text`?", 1, 6),
        ("call.outcom == 'x'", "V06", "`call.outcom` is not known of a step", "did you mean `outcome`?", 6, 6),
        ("(call)", "V06", "`call` alone says nothing", "write call.outcome or call.tag", 2, 4),
        (
            "previous.state == 'x'",
            "V06",
            "`previous.state` is not known of a step",
            "write previous.outcome or previous.tag",
            10,
            5,
        ),
        ("contact.clinc", "V01", "`contact.clinc` is in no column", "did you mean `clinic`?", 9, 5),
        (
            "amount_due > 3",
            "V06",
            "`amount_due` is no step before this one",
            "write one of: call, text, previous, contact",
            1,
            10,
        ),
        ("previous.outcome ==", "V03", "this ends too early", "", 18, 2),
    ],
)
def test_when(when: str, code: str, message: str, help: str, column: int, length: int) -> None:
    (problem,) = of_when(when)
    assert (problem.path, problem.code, problem.message) == (("steps", 2, "when"), code, message)
    assert (problem.help, problem.column, problem.length) == (help, column, length)


@pytest.mark.parametrize(
    "when",
    [
        "no_answer, busy",
        "previous.outcome in ['answered']",
        "call.tag == 'BOOKED' and text.outcome == 'delivered'",
        "contact.name",
    ],
)
def test_when_that_is_fine(when: str) -> None:
    assert of_when(when) == []


@pytest.mark.parametrize(
    ("condition", "code", "message", "help"),
    [
        ("tagg == 'BOOKED'", "V06", "`tagg` is not known here", "did you mean `tag`?"),
        ("outcome.tag == 'x'", "V06", "`outcome` is not known here", ""),
        ("call.result == 'x'", "V06", "`call.result` is not known of a step", "write call.outcome or call.tag"),
        ("contact.clinc", "V01", "`contact.clinc` is in no column", "did you mean `clinic`?"),
        ("call_2.tag == 'x'", "V06", "", ""),
        ("tag ==", "V03", "this ends too early", ""),
        ("tag | shout", "V04", "there is no filter `shout` in expressions", ""),
    ],
)
@pytest.mark.parametrize("key", ["done_when", "stop_when"])
def test_what_is_asked_of_an_ending(key: str, condition: str, code: str, message: str, help: str) -> None:
    problems = of_condition(key, condition)
    if key == "done_when" and condition.startswith("call_2"):
        assert problems == []
        return
    (problem,) = problems
    assert problem.path == (("done_when",) if key == "done_when" else ("steps", 0, "retry", "stop_when"))
    assert problem.code == code
    assert message in problem.message
    assert help in problem.help


@pytest.mark.parametrize("key", ["done_when", "stop_when"])
@pytest.mark.parametrize(
    "condition",
    [
        "tag == 'BOOKED'",
        "outcome in ['answered']",
        "call.tag == 'x' or contact.name",
        "answered, replied",
        "previous.tag",
    ],
)
def test_a_condition_of_an_ending_that_is_fine(key: str, condition: str) -> None:
    assert of_condition(key, condition) == []


def of_condition(key: str, condition: str) -> list[TemplateProblem]:
    """Check a goal, or what stops the first of two steps."""
    retry = {"attempts": 2, "stop_when": condition} if key == "stop_when" else "never"
    steps = [{"call": "caller", "retry": retry}, {"call": "caller"}]
    more = {"done_when": condition} if key == "done_when" else {}
    return check_templates(campaign(steps=steps, **more), COLUMNS, {})


def test_the_first_step_has_none_before_it() -> None:
    (problem,) = check_templates(campaign(steps=[{"call": "caller", "when": "busy"}]), COLUMNS, {})
    assert (problem.code, problem.message) == ("V06", "no step comes before the first one")


def test_a_campaign_without_texts_is_fine() -> None:
    assert check_templates(campaign(), COLUMNS, {}) == []


def test_an_inline_text_has_a_limit_of_its_own() -> None:
    (problem,) = of_value("x" * 20_000)
    assert (problem.code, problem.message) == ("V07", "this template is longer than 16 KiB")


SOURCES = st.lists(
    st.sampled_from([
        "text ", "{{ contact.name }}", "{{ contact.clinc }}", "{{ x }}", "{{ x | default(1) }}", "{% if x is defined %}", "{% endif %}",
        "{% for x in contact.days %}", "{% endfor %}", "{% set x = 1 %}", "{% include 'f' %}", "{{ contact.name | titel }}", "{{", "}}",
        "{% block b %}", "{% endblock %}", "{{ 'a' * 3 }}", "\n", "{% macro x() %}", "{% endmacro %}", "{{ x() }}", "{% import 'f' as x %}",
    ]),
    max_size=8,
).map("".join)  # fmt: skip


@given(SOURCES, SOURCES)
def test_what_has_no_problem_compiles_and_what_compiles_has_no_syntax_problem(source: str, file: str) -> None:
    made = campaign(variables={"x": source})
    problems = check_templates(made, COLUMNS, {"f": file})
    lines = {"": source.split("\n"), "f": file.split("\n")}
    for one in problems:
        assert 1 <= one.line <= len(lines[one.template])
        assert 1 <= one.column <= len(lines[one.template][one.line - 1]) + 1
    if all(one.code in {"V01", "V02"} for one in problems):
        Renderer(made, {"f": file})


def test_a_long_campaign_is_checked_quickly() -> None:
    made = campaign(
        variables={f"v{n}": "Hi {{ contact.name | title }}, {{ contact.clinic | default('x') }}" for n in range(50)}
    )
    start = time.process_time()
    assert check_templates(made, COLUMNS, {}) == []
    assert time.process_time() - start < 0.5
