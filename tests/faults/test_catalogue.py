"""Each fault of the catalogue is shown by a test, stands on the page, and no test shows one that is not there."""

from __future__ import annotations

import re

from tests.cli.running import REPOSITORY
from tests.faults.catalogue import FAULTS, table

_MARK = re.compile(r'mark\.fault\(\s*"(F\d+)"\s*\)|": "(F\d+)",')


def test_each_fault_is_shown_by_a_test() -> None:
    files = [file for file in (REPOSITORY / "tests").rglob("test_*.py") if file.name != "test_catalogue.py"]
    shown = {name for file in files for found in _MARK.findall(file.read_text("utf-8")) for name in found if name}

    assert sorted(set(FAULTS) - shown) == []
    assert sorted(shown - set(FAULTS)) == []


def test_the_catalogue_is_whole() -> None:
    assert list(FAULTS) == [f"F{number}" for number in range(1, 45) if number != 39]


def test_the_page_has_the_matrix() -> None:
    assert table() in (REPOSITORY / "docs" / "faults.md").read_text("utf-8")
