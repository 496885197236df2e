"""How long a value for an agent may be: counted whole in characters, refused beyond, never cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ruamel.yaml import YAML

from runner.model.campaign import LONGEST_ALLOWED
from runner.model.json import Json
from runner.rules.bounds import OUTPUT_LIMIT
from runner.rules.render import Renderer, RenderFailed
from tests.rules.test_render import NOW, campaign, contact, failure, rendered

BIO = "{{ contact.bio }}"
JOINED = "\U0001f469\u200d\U0001f680"
"""an astronaut: a woman, a joiner and a rocket"""


@pytest.mark.parametrize(
    ("variable", "row", "has"),
    [
        (BIO, {"bio": "x" * 499}, None),
        (BIO, {"bio": "x" * 500}, None),
        (BIO, {"bio": "x" * 501}, "501 characters, from `contact.bio`; 500 are allowed"),
        (BIO, {"bio": "x" * 8000}, "8000 characters, from `contact.bio`; 500 are allowed"),
        # Characters are counted, not bytes and not halves of a pair.
        (BIO, {"bio": "👋" * 500}, None),
        (BIO, {"bio": "👋" * 501}, "501 characters, from `contact.bio`; 500 are allowed"),
        (BIO, {"bio": "é" * 500}, None),
        # An emoji that is joined of others counts as all of them, the joiner too.
        (BIO, {"bio": JOINED * 166}, None),
        (BIO, {"bio": JOINED * 167}, "501 characters, from `contact.bio`; 500 are allowed"),
        (BIO, {"bio": JOINED * 170}, "510 characters, from `contact.bio`; 500 are allowed"),
        # Blanks reach the agent too.
        (BIO, {"bio": "x" + "\t" * 498 + "x"}, None),
        (BIO, {"bio": "x" + "\t" * 499 + "x"}, "501 characters, from `contact.bio`; 500 are allowed"),
        (BIO, {"bio": "x" + " \n" * 250}, "501 characters, from `contact.bio`; 500 are allowed"),
        # The whole value counts, and no column is named where no cell alone is too long.
        ("Hi {{ contact.a }}{{ contact.b }}", {"a": "x" * 250, "b": "y" * 247}, None),
        ("Hi {{ contact.a }}{{ contact.b }}", {"a": "x" * 250, "b": "y" * 248}, "501 characters; 500 are allowed"),
        ("y" * 490 + BIO, {"bio": "x" * 11}, "501 characters; 500 are allowed"),
        ("y" * 501 + "{{ '' }}", {}, "501 characters; 500 are allowed"),
        ("{{ contact.bio | upper }}", {"bio": "x" * 501}, "501 characters; 500 are allowed"),
        (BIO, {"other": "x" * 9000, "bio": "y" * 501}, "501 characters, from `contact.bio`; 500 are allowed"),
        # The same cell is right where the template itself shortens it, and a long one that nobody says harms nobody.
        ("{{ contact.bio | truncate(500) }}", {"bio": "word " * 1000}, None),
        ("{{ contact.name }}", {"bio": "x" * 9000, "name": "Ann"}, None),
        # What the campaign's author wrote without a tag is no data of a contact.
        ("y" * 501, {}, None),
        ("{% raw %}" + "y" * 8000 + "{% endraw %}", {}, None),
        # Each kind of value is counted as it comes out of the template.
        ({"value": "{{ contact.t | tojson }}", "type": "json"}, {"t": "x" * 498}, None),
        (
            {"value": "{{ contact.t | tojson }}", "type": "json"},
            {"t": "x" * 499},
            "501 characters; 500 are allowed",
        ),
        (
            {"value": "{{ contact.t | tojson }}", "type": "json"},
            {"t": ["x" * 60] * 8},
            "512 characters; 500 are allowed",
        ),
        (
            {"value": "{{ contact.n }}", "type": "number"},
            {"n": "1" * 501},
            "501 characters, from `contact.n`; 500 are allowed",
        ),
        # `longest` raises it and lowers it.
        ({"value": BIO, "longest": "2000"}, {"bio": "x" * 2000}, None),
        (
            {"value": BIO, "longest": 2000},
            {"bio": "x" * 2001},
            "2001 characters, from `contact.bio`; 2000 are allowed",
        ),
        ({"value": BIO, "longest": 8192}, {"bio": "x" * 8192}, None),
        ({"value": BIO, "longest": 1}, {"bio": "x"}, None),
        ({"value": BIO, "longest": 1}, {"bio": "xy"}, "2 characters, from `contact.bio`; 1 is allowed"),
        ({"value": BIO, "longest": 20}, {"bio": "x" * 21}, "21 characters, from `contact.bio`; 20 are allowed"),
    ],
)
def test_a_value_is_never_longer_than_its_variable_may_be(
    variable: Any, row: Mapping[str, Json], has: str | None
) -> None:
    if has is None:
        rendered(variable, row)
        return
    error = failure(variable, row)
    assert (error.code, error.message) == ("V10", f"`x` has {has}")
    assert error.path == ("variables", "x", "value")


def test_a_value_that_fits_is_sent_whole() -> None:
    assert rendered(BIO, {"bio": "👋" * 500}) == "👋" * 500
    assert rendered({"value": BIO, "longest": 8192}, {"bio": "x" * 8192}) == "x" * 8192


@pytest.mark.parametrize(
    ("variable", "cell", "more"),
    [
        (BIO, "x" * 812, 'x: {value: "{{ contact.bio }}", longest: 812}'),
        ('"{{ contact.bio }}"\n!', "x" * 600, r'x: {value: "\"{{ contact.bio }}\"\n!", longest: 604}'),
        ("a" * 80 + BIO, "x" * 501, "x: {value: ..., longest: 581}"),
        (
            {"value": "{{ contact.bio | tojson }}", "type": "json"},
            "x" * 501,
            'x: {value: "{{ contact.bio | tojson }}", type: json, longest: 503}',
        ),
    ],
)
def test_a_value_that_is_too_long_has_a_remedy_that_holds(variable: Any, cell: str, more: str) -> None:
    error = failure(variable, {"bio": cell})
    assert error.help == f"shorten it: | truncate(500), or allow more: {more}"
    pasted = YAML(typ="safe").load(more)["x"]
    if pasted["value"] != "...":
        rendered(pasted, {"bio": cell})
        with pytest.raises(RenderFailed):
            rendered(pasted, {"bio": cell + "x"})


def test_a_value_that_is_too_long_names_its_column_and_its_size() -> None:
    fault = failure(BIO, {"bio": "x" * 812}).of_value
    assert (fault.code, fault.column, fault.size) == ("V10", "bio", 812)
    assert failure("y" * 490 + BIO, {"bio": "x" * 11}).of_value.column == ""
    assert failure("{{ contact['Next slot'] }}", {}).of_value.column == "Next slot"


def test_each_variable_has_a_length_of_its_own_wherever_it_stands() -> None:
    wide = {"bio": {"value": BIO, "longest": 600}}
    made = campaign(
        {"bio": BIO},
        {"call": "caller", "variables": wide},
        {"call": "caller", "name": "second"},
        variants={"a": {"weight": 1}, "b": {"weight": 1, "variables": {"bio": {"value": BIO, "longest": 50}}}},
    )
    renderer, person = Renderer(made, {}), contact(bio="x" * 501)
    assert renderer.render(made.steps[0], person, NOW, variant="a").variables == {"bio": "x" * 501}
    for step, variant, path in (
        (made.steps[1], "a", ("variables", "bio", "value")),
        (made.steps[0], "b", ("variants", "b", "variables", "bio", "value")),
    ):
        with pytest.raises(RenderFailed) as caught:
            renderer.render(step, person, NOW, variant=variant)
        assert (caught.value.code, caught.value.path) == ("V10", path)


def test_the_words_of_a_text_have_their_own_rules_of_length() -> None:
    made = campaign({}, {"text": "texter", "message": "{{ contact.words }}"})
    assert Renderer(made, {}).render(made.steps[0], contact(words="x" * 1600), NOW).message == "x" * 1600


def test_the_longest_that_a_file_may_allow_is_what_a_template_may_give() -> None:
    assert LONGEST_ALLOWED == OUTPUT_LIMIT
