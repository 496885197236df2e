"""Every corpus: as large as promised, each case refused or harmless as it says, memory bounded, the runner alive."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.hostile import webhooks
from tests.hostile.cases import FOLDER, Verdict, told_by

CORPORA: dict[str, tuple[Callable[[], list[Verdict]], int]] = {
    "templates": (lambda: told_by("tests.hostile.templates"), 60),
    "YAML files": (lambda: told_by("tests.hostile.yaml_files"), 40),
    "paths": (lambda: told_by("tests.hostile.paths"), 40),
    "rows": (lambda: told_by("tests.hostile.rows"), 60),
    "webhooks": (webhooks.verdicts, 30),
}
"""by name: what tries a whole corpus, and how many cases it has at least"""


@pytest.mark.parametrize("name", CORPORA)
def test_each_case_is_refused_or_harmless_as_it_says(name: str) -> None:
    tried, least = CORPORA[name]
    found = tried()
    assert [one for one in found if not one.holds] == []
    assert len({one.what for one in found}) >= least


def test_every_case_is_another_one() -> None:
    for name in ("webhooks.jsonl",):
        cases = [json.dumps({**json.loads(one), "what": ""}) for one in (FOLDER / name).read_text("utf-8").splitlines()]
        assert len(set(cases)) == len(cases)
