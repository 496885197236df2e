"""What a campaign says for the law: consent, places, and rows of the law that do not hold for it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, WithJsonSchema

from runner.model.fields import Duration, FilePart, wrong
from runner.model.window import WindowList

_JURISDICTION = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?")
_JURISDICTION_HELP = "write a country or a part of one: US, US-TX, CA-QC"


class Consent(StrEnum):
    """What a person has agreed to, weakest first; each holds for what a weaker one allows."""

    NONE = "none"
    """nothing"""
    EXISTING_RELATIONSHIP = "existing_relationship"
    """a customer, or somebody who asked, from whom consent may be inferred"""
    EXPRESS = "express"
    """said so, in any form that can be proved"""
    EXPRESS_WRITTEN = "express_written"
    """said so in writing, signed"""

    @property
    def rank(self) -> int:
        """How much it allows: 0 for nothing."""
        return list(Consent).index(self)


def is_jurisdiction(text: str) -> bool:
    """Whether a text has the form of a country or a part of one, such as `US` or `US-TX`."""
    return _JURISDICTION.fullmatch(text) is not None


def _read_jurisdictions(value: Any) -> Any:
    words = [part.strip() for part in value.split(",")] if isinstance(value, str) else value
    for word in words if isinstance(words, (list, tuple)) else ():
        if isinstance(word, str) and not is_jurisdiction(word):
            raise wrong(f"`{word}` is not a country or a part of one", _JURISDICTION_HELP)
    return words


Jurisdictions = Annotated[
    tuple[str, ...],
    BeforeValidator(_read_jurisdictions),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "examples": ["US", "US-TX", "US-TX, CA-QC"]},
                {"type": "array", "items": {"type": "string", "pattern": r"^[A-Z]{2}(-[A-Z0-9]{1,3})?$"}},
            ]
        }
    ),
]
"""countries and parts of them"""


def _read_words(value: Any) -> Any:
    return [part.strip() for part in value.split(",")] if isinstance(value, str) else value


class AttemptLimit(FilePart):
    """The most attempts that a row of the law allows in a period."""

    attempts: Annotated[int, Field(ge=0)]
    """How many there may be."""
    per: Duration
    """In how long a time, from any attempt on."""


class Override(FilePart):
    """A row of the law that does not hold for this campaign as it stands, and why.

    With `windows` or `attempts` only that part of the row is another; with neither, the row does not count.
    """

    row: str
    """The row's id, as plans and `outreach rules` print it."""
    reason: Annotated[str, Field(min_length=10)]
    """Why it does not hold here; every plan shows it."""
    windows: WindowList | None = None
    """The hours that count in place of the row's."""
    attempts: tuple[AttemptLimit, ...] | None = None
    """The limits that count in place of the row's; `[]` for none."""

    @property
    def sets_aside(self) -> bool:
        """Whether the whole row does not count."""
        return self.windows is None and self.attempts is None


class Compliance(FilePart):
    """What the law asks of a campaign."""

    consent: Consent | None = None
    """What the people have agreed to: `none`, `existing_relationship`, `express` or `express_written`."""
    consent_column: str | None = None
    """The column of the contacts that says it for each person; where its cell is empty, `consent` counts."""
    jurisdictions: Jurisdictions = ()
    """Countries and parts of them whose law counts for everybody, besides those that numbers and contacts tell."""
    sectors: Annotated[tuple[str, ...], BeforeValidator(_read_words)] = ()
    """Sectors whose own codes count too, such as `telecom`."""
    disclosure: str = ""
    """How the agent says that it is an AI, and who calls; where the law asks for that, a plan without it warns."""
    overrides: tuple[Override, ...] = ()
    """Rows of the law that do not hold as they stand, each with a reason."""
