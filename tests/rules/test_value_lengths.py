"""How long a value for an agent may be: counted whole in characters, refused beyond, never cut."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from runner.model.campaign import LONGEST_ALLOWED
from runner.model.json import Json
from runner.rules.bounds import OUTPUT_LIMIT
from runner.rules.render import Renderer, RenderFailed
from tests.rules.test_render import NOW, campaign, contact, failure, rendered

BIO = "{{ contact.bio }}"


@pytest.mark.parametrize(
    ("variable", "row", "comes_to"),
    [
        (BIO, {"bio": "x" * 499}, None),
        (BIO, {"bio": "x" * 500}, None),
        (BIO, {"bio": "x" * 501}, "501 characters by `contact.bio`, and may have 500"),
        (BIO, {"bio": "x" * 8000}, "8000 characters by `contact.bio`, and may have 500"),
        # Characters are counted, not bytes and not halves of a pair.
        (BIO, {"bio": "👋" * 500}, None),
        (BIO, {"bio": "👋" * 501}, "501 characters by `contact.bio`, and may have 500"),
        (BIO, {"bio": "é" * 500}, None),
        # Blanks reach the agent too.
        (BIO, {"bio": "x" + "\t" * 498 + "x"}, None),
        (BIO, {"bio": "x" + "\t" * 499 + "x"}, "501 characters by `contact.bio`, and may have 500"),
        (BIO, {"bio": "x" + " \n" * 250}, "501 characters by `contact.bio`, and may have 500"),
        # The whole value counts, and no column is named where no cell alone is too long.
        ("Hi {{ contact.a }}{{ contact.b }}", {"a": "x" * 250, "b": "y" * 247}, None),
        ("Hi {{ contact.a }}{{ contact.b }}", {"a": "x" * 250, "b": "y" * 248}, "501 characters, and may have 500"),
        ("y" * 490 + BIO, {"bio": "x" * 11}, "501 characters, and may have 500"),
        ("y" * 501 + "{{ '' }}", {}, "501 characters, and may have 500"),
        ("{{ contact.bio | upper }}", {"bio": "x" * 501}, "501 characters, and may have 500"),
        (BIO, {"other": "x" * 9000, "bio": "y" * 501}, "501 characters by `contact.bio`, and may have 500"),
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
            "501 characters, and may have 500",
        ),
        (
            {"value": "{{ contact.t | tojson }}", "type": "json"},
            {"t": ["x" * 60] * 8},
            "512 characters, and may have 500",
        ),
        (
            {"value": "{{ contact.n }}", "type": "number"},
            {"n": "1" * 501},
            "501 characters by `contact.n`, and may have 500",
        ),
        # `longest` raises it and lowers it.
        ({"value": BIO, "longest": "2000"}, {"bio": "x" * 2000}, None),
        (
            {"value": BIO, "longest": 2000},
            {"bio": "x" * 2001},
            "2001 characters by `contact.bio`, and may have 2000",
        ),
        ({"value": BIO, "longest": 8192}, {"bio": "x" * 8192}, None),
        ({"value": BIO, "longest": 1}, {"bio": "x"}, None),
        ({"value": BIO, "longest": 20}, {"bio": "x" * 21}, "21 characters by `contact.bio`, and may have 20"),
    ],
)
def test_a_value_is_never_longer_than_its_variable_may_be(
    variable: Any, row: Mapping[str, Json], comes_to: str | None
) -> None:
    if comes_to is None:
        rendered(variable, row)
        return
    error = failure(variable, row)
    assert (error.code, error.message) == ("V10", f"`x` comes to {comes_to}")
    assert error.path == ("variables", "x", "value")


def test_a_value_that_fits_is_sent_whole() -> None:
    assert rendered(BIO, {"bio": "👋" * 500}) == "👋" * 500
    assert rendered({"value": BIO, "longest": 8192}, {"bio": "x" * 8192}) == "x" * 8192


def test_a_value_that_is_too_long_has_a_remedy_and_names_its_column() -> None:
    error = failure(BIO, {"bio": "x" * 812})
    assert error.help == "shorten it: | truncate(500), or allow more: x: {value: ..., longest: 812}"
    assert error.fault.name == "contact.bio"


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
