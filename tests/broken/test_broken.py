"""Every broken campaign file gives exactly the text that stands beside it; UPDATE_GOLDEN=1 writes the texts anew."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.errors import Diagnostic, FilesWrong
from runner.files.campaign import load_campaign, template_diagnostics
from runner.files.diagnostics import as_text
from runner.files.project import read_project
from runner.model.project import Project
from runner.providers.registry import all_providers
from runner.rules.check import check_templates

CORPUS = Path(__file__).parent
FILES = sorted(CORPUS.glob("[0-9][0-9]-*.yaml"))
COLUMNS = frozenset({"phone", "name", "clinic", "amount_due", "timezone"})
TEMPLATES: Mapping[str, str] = {"reminder.txt": "Hello {{ contact.name }}.\n"}
PROJECT = Project.model_validate({"accounts": {"main": {"provider": "movoice", "credential": "env:MOVOICE_API_KEY"}}})


def diagnostics_of(path: Path) -> list[Diagnostic]:
    try:
        if path.stem.endswith("-project"):
            read_project(path, CORPUS, shown=path.name)
            return []
        loaded = load_campaign(path, project=PROJECT, providers=all_providers(), shown=path.name)
    except FilesWrong as error:
        return list(error.diagnostics)
    problems = check_templates(loaded.campaign, COLUMNS, TEMPLATES)
    return template_diagnostics(loaded, problems, {name: f"templates/{name}" for name in TEMPLATES}, TEMPLATES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_gives_the_text_beside_it(path: Path) -> None:
    found = diagnostics_of(path)
    text = as_text(found, limit=None) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("UPDATE_GOLDEN") == "1":
        golden.write_text(text, encoding="utf-8")

    assert found, "a broken file must give an error"
    assert golden.read_text(encoding="utf-8") == text


def test_the_corpus_is_whole() -> None:
    assert len(FILES) >= 25
    assert [path.stem for path in FILES] == sorted(path.stem for path in CORPUS.glob("*.txt"))
    assert len({path.name[:2] for path in FILES}) == len(FILES), "each number stands once"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_error_has_a_place_a_plain_sentence_and_help(path: Path) -> None:
    for one in diagnostics_of(path):
        assert one.span is not None
        assert one.code
        assert "invalid" not in one.message
        assert one.message[0].islower() or one.message[0] == "`" or not one.message[0].isalpha()
        assert one.help or one.code == "V03", "only a template's syntax error may stand without a line to paste"
