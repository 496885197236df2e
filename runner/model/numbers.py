"""Which numbers a campaign reaches: of which countries, and of which types."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, WithJsonSchema

from runner.model.fields import Region, wrong
from runner.model.shorthand import read_words

NumberType = Literal["mobile", "fixed_line", "fixed_line_or_mobile", "voip", "toll_free"]
"""what a number may be to be reached; all other types never are"""

NUMBER_TYPES: tuple[NumberType, ...] = get_args(NumberType)

PERSONAL_LINES: tuple[NumberType, ...] = ("mobile", "fixed_line", "fixed_line_or_mobile")
"""what is reached when a campaign says nothing; North American numbers do not tell which of the two they are"""

_TYPES_HELP = f"write some of: {', '.join(NUMBER_TYPES)}"


def _read_types(value: object) -> object:
    words = read_words(value)
    if not isinstance(words, (list, tuple)):
        return words
    if not words:
        raise wrong("`number_types` names none, so nobody could be reached", _TYPES_HELP)
    for word in words:
        if isinstance(word, str) and word not in NUMBER_TYPES:
            raise wrong(f"`{word}` is not a type of number that can be reached", _TYPES_HELP)
    return words


Countries = Annotated[
    tuple[Region, ...],
    BeforeValidator(read_words),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["US", "US, CA"]},
                {"type": "array", "items": {"type": "string", "pattern": "^[A-Za-z]{2}$"}},
            ]
        }
    ),
]
"""countries by their two letters"""

NumberTypes = Annotated[
    tuple[NumberType, ...],
    BeforeValidator(_read_types),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["mobile", "mobile, fixed_line, fixed_line_or_mobile, voip"]},
                {"type": "array", "items": {"enum": list(NUMBER_TYPES)}, "minItems": 1},
            ]
        }
    ),
]
"""types of numbers"""
