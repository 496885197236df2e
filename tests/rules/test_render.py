"""The renderer: variables and messages for one contact, their types, and what must never go out."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.model.campaign import Campaign
from runner.model.contact import Contact
from runner.model.json import Json
from runner.rules.render import Rendered, Renderer, RenderFailed, TemplateWrong

NOW = datetime(2026, 12, 3, 23, 30, tzinfo=UTC)


def contact(**values: Json) -> Contact:
    return Contact(key="+12025550143", phone="+12025550143", row=2, values=values)


def campaign(variables: Mapping[str, Any] | None = None, *steps: Mapping[str, Any], **more: Any) -> Campaign:
    written = {
        "campaign": "april",
        "purpose": "informational",
        "description": "spring recall",
        "agents": {"caller": "movoice/agent_1", "texter": "revring/agent_2"},
        "contacts": "april.csv",
        "variables": variables or {},
        "steps": steps or [{"call": "caller"}],
        **more,
    }
    return Campaign.model_validate(written).canonical()


def rendered(value: Any, row: Mapping[str, Json], zone: str | None = None, **more: Any) -> Json:
    made = campaign({"x": value}, **more)
    return Renderer(made, {}).render(made.steps[0], contact(**row), NOW, zone).variables["x"]


def failure(value: Any, row: Mapping[str, Json]) -> RenderFailed:
    with pytest.raises(RenderFailed) as caught:
        rendered(value, row)
    return caught.value


def test_variables_of_the_campaign_and_of_the_step() -> None:
    made = campaign(
        {"name": "{{ contact.name | title }}", "slot": "{{ contact.slot | default('soon') }}"},
        {"call": "caller"},
        {
            "text": "texter",
            "variables": {"slot": "now", "step": "{{ step.name }} {{ step.channel }}"},
            "message": "Hi {{ contact.name }}",
        },
    )
    renderer = Renderer(made, {})
    ann = contact(name="ann o'neill")
    assert renderer.render(made.steps[0], ann, NOW) == Rendered(
        variables={"name": "Ann O'Neill", "slot": "soon"}, message=""
    )
    second = renderer.render(made.steps[1], ann, NOW)
    assert second.variables == {"name": "Ann O'Neill", "slot": "now", "step": "text text"}
    assert second.message == "Hi ann o'neill"


def test_what_templates_see_of_the_campaign() -> None:
    value = "{{ campaign.name }}, {{ campaign.purpose }}, {{ campaign.description }}, {{ step.name }}"
    assert rendered(value, {}) == "april, informational, spring recall, call"


def test_now_is_on_the_persons_clock() -> None:
    assert rendered("{{ now | time }} {{ now | date }}", {}) == "11:30 PM December 3, 2026"
    assert rendered("{{ now | time }} {{ now | date }}", {}, "Asia/Tokyo") == "8:30 AM December 4, 2026"


def test_the_locale_is_the_campaigns() -> None:
    assert rendered("{{ contact.due | money('EUR') }}", {"due": "1250.5"}, locale="de_DE") == "1.250,50 €"


def test_a_message_from_a_file_with_files() -> None:
    made = campaign({}, {"text": "texter", "message": {"template": "sms/slot.txt"}})
    sources = {
        "sms/slot.txt": "\n{% import 'words.txt' as w %}{{ w.hi(contact.name) }}\n",
        "words.txt": "{% macro hi(n) %}Hi {{ n }}!{% endmacro %}",
    }
    assert Renderer(made, sources).render(made.steps[0], contact(name="Ann"), NOW).message == "Hi Ann!"


@pytest.mark.parametrize(
    ("variable", "row", "value"),
    [
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": "12.50"}, 12.5),
        ({"value": " {{ contact.n }} ", "type": "number"}, {"n": "12"}, 12),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": "-0161"}, -161),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": ".5"}, 0.5),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": 7}, 7),
        ({"value": "{{ contact.b }}", "type": "boolean"}, {"b": "Yes"}, True),
        ({"value": "{{ contact.b }}", "type": "boolean"}, {"b": False}, False),
        ({"value": "{{ contact.b }}", "type": "boolean"}, {"b": "0"}, False),
        (
            {"value": '{"a": {"b": {{ contact.t | tojson }}}}', "type": "json"},
            {"t": 'say "hi"'},
            {"a": {"b": 'say "hi"'}},
        ),
        ({"value": "{{ contact.t | tojson }}", "type": "json"}, {"t": [1, None, "x"]}, [1, None, "x"]),
        ("{{ contact.n }}", {"n": "012.50"}, "012.50"),
        ("{{ contact.n }}", {"n": "+12025550143"}, "+12025550143"),
        ("two\nlines\tand a tab", {}, "two\nlines\tand a tab"),
        ("{{ contact.t }}", {"t": "שלום 👋 مرحبا"}, "שלום 👋 مرحبا"),
        ("{{ contact.t }}", {"t": "{a} }b{ 50% {x%y}"}, "{a} }b{ 50% {x%y}"),
    ],
)
def test_values_and_their_types(variable: Any, row: Mapping[str, Json], value: Json) -> None:
    given_value = rendered(variable, row)
    assert (given_value, type(given_value)) == (value, type(value))


@pytest.mark.parametrize(
    ("variable", "row", "code", "message"),
    [
        ("{{ contact.slot }}", {}, "V02", "`slot` is empty in this row"),
        ("{{ contact.slot }}", {"slot": ""}, "V02", "`slot` is empty in this row"),
        ("{{ contact.slot }}", {"slot": None}, "V02", "`slot` is empty in this row"),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": "abc"}, "V08", "`abc` is not a number"),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": "1e5"}, "V08", "`1e5` is not a number"),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": "nan"}, "V08", "`nan` is not a number"),
        ({"value": "{{ contact.n }}", "type": "number"}, {"n": "٣"}, "V08", "`٣` is not a number"),
        ({"value": "{{ contact.b }}", "type": "boolean"}, {"b": "maybe"}, "V08", "`maybe` is neither true nor false"),
        ({"value": "{a: {{ contact.b }}}", "type": "json"}, {"b": "1"}, "V08", "this does not make a JSON value"),
        ({"value": "NaN", "type": "json"}, {}, "V08", "this does not make a JSON value"),
        ({"value": "[" * 4000, "type": "json"}, {}, "V08", "this does not make a JSON value"),
        ("None", {}, "V09", "`None` would be said to a person"),
        ("{{ contact.t }}", {"t": " nan "}, "V09", "`nan` would be said to a person"),
        ("{{ contact.t }}", {"t": "undefined"}, "V09", "`undefined` would be said to a person"),
        ("{{ contact.t }}", {"t": "x" * 9000}, "V07", "the text is longer than 8 KiB"),
    ],
)
def test_what_cannot_be_rendered(variable: Any, row: Mapping[str, Json], code: str, message: str) -> None:
    error = failure(variable, row)
    assert (error.code, error.message, error.path) == (code, message, ("variables", "x", "value"))


def test_an_empty_cell_has_a_remedy_and_a_place() -> None:
    error = failure("Hi\n  {{ contact.next_slot }}", {"name": "Ann"})
    assert error.help == "give a value: {{ contact.next_slot | default('soon') }}"
    assert (error.line, error.column, error.length, error.template) == (2, 14, 9, "")
    assert (
        failure("{{ contact['Next slot'] }}", {}).help == "give a value: {{ contact['Next slot'] | default('soon') }}"
    )


@pytest.mark.parametrize(
    ("piece", "message"),
    [
        ("{{", "`contact.name` carries `{{`, which the provider would fill in"),
        ("}}", "`contact.name` carries `}}`, which the provider would fill in"),
        ("{%", "`contact.name` carries `{%`, which the provider would fill in"),
        ("%}", "`contact.name` carries `%}`, which the provider would fill in"),
        ("{#", "`contact.name` carries `{#`, which the provider would fill in"),
        ("\x00", "`contact.name` carries the unseen character U+0000"),
        ("\x1b", "`contact.name` carries the unseen character U+001B"),
        ("\r", "`contact.name` carries the unseen character U+000D"),
        ("\x7f", "`contact.name` carries the unseen character U+007F"),
        ("\x9b", "`contact.name` carries the unseen character U+009B"),
        ("\u202e", "`contact.name` carries the unseen character U+202E"),
        ("\u2066", "`contact.name` carries the unseen character U+2066"),
        ("\ud800", "`contact.name` carries the unseen character U+D800"),
    ],
)
@pytest.mark.parametrize(
    "variable", ["Hi {{ contact.name }}", {"value": "[{{ contact.name | tojson }}]", "type": "json"}]
)
def test_contact_data_cannot_speak_to_the_provider(variable: Any, piece: str, message: str) -> None:
    error = failure(variable, {"city": "Rome", "name": f"Ann{piece}x"})
    assert (error.code, error.message, error.fault.name) == ("V09", message, "contact.name")


def test_marks_that_meet_in_the_text_are_refused_too() -> None:
    error = failure("{{ contact.a }}{{ contact.b }}", {"a": "{", "b": "{name"})
    assert error.message == "this text carries `{{`, which the provider would fill in"
    assert (
        failure("{% raw %}{{ name }}{% endraw %}", {}).message
        == "this text carries `{{`, which the provider would fill in"
    )


def test_messages_are_held_to_the_same_rules() -> None:
    made = campaign({}, {"text": "texter", "message": "{{ contact.words }}"})
    renderer = Renderer(made, {})
    for words, message in (
        ("{{ x }}", "`contact.words` carries `{{`, which the provider would fill in"),
        ("  ", "the message is empty for this person"),
        ("None", "`None` would be said to a person"),
    ):
        with pytest.raises(RenderFailed) as caught:
            renderer.render(made.steps[0], contact(words=words), NOW)
        assert (caught.value.message, caught.value.path) == (message, ("steps", 0, "message"))


def test_a_fault_in_a_message_file_has_path_file_and_place() -> None:
    made = campaign({}, {"call": "caller"}, {"text": "texter", "message": {"template": "slot.txt"}})
    with pytest.raises(RenderFailed) as caught:
        Renderer(made, {"slot.txt": "Hi\n{{ contact.slot }}"}).render(made.steps[1], contact(name="Ann"), NOW)
    error = caught.value
    assert (error.path, error.template, error.line, error.column) == (
        ("steps", 1, "message", "template"),
        "slot.txt",
        2,
        12,
    )


@pytest.mark.parametrize(
    ("variables", "step", "path", "code"),
    [
        ({"x": "{{ a | titel }}"}, {"call": "caller"}, ("variables", "x", "value"), "V04"),
        ({}, {"call": "caller", "variables": {"x": "{{ a"}}, ("steps", 0, "variables", "x", "value"), "V03"),
        ({}, {"text": "texter", "message": "{% include 'no' %}"}, ("steps", 0, "message"), "V05"),
        ({}, {"text": "texter", "message": {"template": "no"}}, ("steps", 0, "message", "template"), "V05"),
        ({"x": "{{ 9**9**9 }}"}, {"call": "caller"}, ("variables", "x", "value"), "V07"),
    ],
)
def test_a_wrong_template_is_found_before_any_contact(
    variables: Mapping[str, Any], step: Mapping[str, Any], path: tuple[str | int, ...], code: str
) -> None:
    with pytest.raises(TemplateWrong) as caught:
        Renderer(campaign(variables, step), {})
    assert (caught.value.path, caught.value.code) == (path, code)


TEXT = st.text(max_size=30) | st.sampled_from(
    ["{{", "}}", "{%", "{", "}", "{#", "{{ x }}", "\u202e", "None", "\x1b[0m"]
)
CELL = st.recursive(
    TEXT | st.integers() | st.booleans() | st.none(), lambda inner: st.lists(inner, max_size=3), max_leaves=4
)


@given(TEXT, TEXT, CELL)
def test_nothing_that_goes_out_can_be_filled_in(first: str, second: str, cell: Json) -> None:
    made = campaign(
        {
            "plain": "{{ contact.a | default('') }}{{ contact.b | default('') }}",
            "title": "{{ contact.a | default('x') | title }}",
            "json": {"value": "{{ contact.c | default('') | tojson }}", "type": "json"},
        },
        {"text": "texter", "message": "Hi {{ contact.b | default('') }}"},
    )
    try:
        told = Renderer(made, {}).render(made.steps[0], contact(a=first, b=second, c=cell), NOW)
    except RenderFailed:
        dirty = f"{first}\n{second}\n{first}{second}\n" + "\n".join(_strings(cell))
        assert (
            _UNSENDABLE.search(dirty)
            or re.search("[\u2028\u2029\ufff9-\ufffb\U000e0000-\U000e007f]", dirty)
            or any(text.rstrip().endswith("{") for text in (first, second))
            or _NOTHING & {text.strip().lower() for text in (first, second, first + second)}
            or not second.strip()
        )
        return
    texts = [told.message, str(told.variables["plain"]), str(told.variables["title"])]
    texts += _strings(told.variables["json"])
    for mark in ("{{", "}}", "{%", "%}", "{#", "\x1b", "\u202e"):
        assert all(mark not in text for text in texts)
    "".join(texts).encode()


_UNSENDABLE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_NOTHING = {"none", "nan", "undefined"}


def _strings(value: Json) -> list[str]:
    if isinstance(value, list):
        return [text for item in value for text in _strings(item)]
    return [value] if isinstance(value, str) else []


def test_four_variables_take_less_than_60_microseconds() -> None:
    made = campaign(
        {
            "name": "{{ contact.name | title }}",
            "amount": "{{ contact.amount }}",
            "slot": "{{ contact.slot | default('soon') }}",
            "n": {"value": "{{ contact.amount }}", "type": "number"},
        }
    )
    renderer, person = Renderer(made, {}), contact(name="anna van der berg", amount="12.50")
    best = 1.0
    for _ in range(3):
        start = time.process_time()
        for _ in range(1000):
            renderer.render(made.steps[0], person, NOW, "America/New_York")
        best = min(best, time.process_time() - start)
    assert best / 1000 < 60e-6
