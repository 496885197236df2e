"""Every corpus: as large as promised, each case refused or harmless as it says, memory bounded, the runner alive."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.hostile import webhooks
from tests.hostile.cases import FOLDER, Verdict, cases, told_by

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


@pytest.mark.parametrize("name", ["templates.txt", "yaml.txt", "rows.txt"])
def test_every_text_is_another_one(name: str) -> None:
    texts = [one.text.strip() + one.expected * (name == "yaml.txt") for one in cases(name)]
    assert len(set(texts)) == len(texts)


def test_every_path_is_another_one() -> None:
    lines = (FOLDER / "paths.txt").read_text("utf-8").splitlines()
    named = [tuple(one.split(" | ")[:2]) for one in lines if one and not one.startswith("#")]
    assert len(set(named)) == len(named)


def test_every_webhook_is_another_one() -> None:
    lines = (FOLDER / "webhooks.jsonl").read_text("utf-8").splitlines()
    asked = [json.dumps({**json.loads(one), "what": ""}) for one in lines]
    assert len(set(asked)) == len(asked)
