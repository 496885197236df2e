"""Every hour that the runner writes for people stands with its zone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import runner

ROOT = Path(runner.__file__).parent
_HOUR = re.compile(r"\{[^{}]*:[^{}]*%H[^{}]*\}(?P<after>.{0,12})|strftime\(")
_ZONED = re.compile(r" UTC| \{(?:zone|place)\}|Z\}")
"""what follows an hour: UTC, the zone's name or place; a form that ends in Z says it itself"""

LISTS = {"report/rounds_view.py": "on the clock of {rounds.zone}"}
"""files with a list of hours whose sentence names the zone once, before them, and those words"""


def hours_in(text: str) -> list[tuple[str, bool]]:
    """Give each hour that a source text writes, and whether a zone follows."""
    return [(found[0], bool(_ZONED.search(found[0]))) for found in _HOUR.finditer(text)]


def test_every_hour_has_its_zone() -> None:
    bare = [
        f"{path.relative_to(ROOT)}: {said}"
        for path in sorted(ROOT.rglob("*.py"))
        if "sandbox" not in path.parts and path.parent.name != "providers"  # what they write is read by machines
        for said, is_zoned in hours_in(path.read_text("utf-8"))
        if not is_zoned
    ]
    assert [one for one in bare if one.partition(":")[0] not in LISTS] == []
    assert all(words in (ROOT / name).read_text("utf-8") for name, words in LISTS.items())
    assert len(bare) == len(LISTS), "one list each"


def test_there_are_hours_to_look_at() -> None:
    assert len([one for path in ROOT.rglob("*.py") for one in hours_in(path.read_text("utf-8"))]) > 8


@pytest.mark.parametrize(
    ("text", "zoned"),
    [
        ('f"{at:%a %d %b %H:%M} UTC"', True),
        ('f"{at:%H:%M:%S} {zone}"', True),
        ('f"{at:%Y-%m-%dT%H:%MZ}"', True),
        ('f"{at:%a %H:%M}"', False),
        ('f"{at:%H:%M} and later"', False),
        ('at.strftime("%H")', False),
    ],
)
def test_the_search_tells_them_apart(text: str, zoned: bool) -> None:
    assert [is_zoned for _, is_zoned in hours_in(text)] == [zoned]
