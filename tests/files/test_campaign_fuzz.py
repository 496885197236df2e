"""Whatever a campaign file holds, loading gives a campaign or diagnostics with places, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.errors import Diagnostic, FilesWrong
from runner.files.campaign import LoadedCampaign, load_campaign
from runner.files.diagnostics import as_github, as_json, as_text
from runner.files.project import read_project
from runner.files.schema import campaign_schema
from runner.model.project import Project
from tests.files.fakes import fake_providers

KEYS = [
    "campaign", "campain", "purpose", "agent", "agents", "a", "provider", "id", "account", "from", "from_", "options",
    "callerIdName", "pause", "ms", "contacts", "file", "inline", "columns", "key", "where", "suppress", "country",
    "windows", "days", "to", "timezone", "retry", "attempts", "after", "on", "steps", "call", "cal", "text", "message",
    "template", "when", "name", "delivery", "variables", "value", "type", "schedule", "start", "end", "limits",
    "concurrency", "per_second", "locale", "Message", "str", "0", "api_key", "colour",
]  # fmt: skip
VALUES = [
    "", "x", "april", "informational", "movoice/x", "revring/x", "nobody/x", "a/b c", "a.csv", "mon-fri 9am-5pm", "mon 9", "9am", "10:00",
    "25:00", "mon", "never", "3 times, 2h apart, on busy", "busy", "[busy, x]", "no_answer, busy", "3", "0", "-1", "0.5",
    "2h", "Europe/London", "contact", "Nowhere", "GB", "+12025550143", "agent", "'{{ contact.x }}'", "{{ x }}", "~",
    "null", "'it''s'", '"tab\\t"', "2026-12-01", "2020-01-01T00:00Z", "native", "de_DE", "&n x", "*n", "!t x", "[]", "{}", "b: c", "é日本",
]  # fmt: skip

_LEAVES = st.sampled_from(VALUES)
_TREES = st.recursive(
    _LEAVES,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.lists(st.tuples(st.sampled_from(KEYS), inner), min_size=1, max_size=4)
    ),
    max_leaves=14,
)
_FILES = st.lists(st.tuples(st.sampled_from(KEYS), _TREES), min_size=1, max_size=8)


def flow(tree: object) -> str:
    if isinstance(tree, list) and tree and isinstance(tree[0], tuple):
        return "{" + ", ".join(f"{key}: {flow(value)}" for key, value in tree) + "}"
    if isinstance(tree, list):
        return "[" + ", ".join(flow(one) for one in tree) + "]"
    return str(tree)


def block(tree: object, indent: int = 0) -> str:
    space = " " * indent
    if isinstance(tree, list) and tree and isinstance(tree[0], tuple):
        return "".join(f"\n{space}{key}: {block(value, indent + 2)}" for key, value in tree)
    if isinstance(tree, list):
        return "".join(f"\n{space}- {flow(one)}" for one in tree)
    return str(tree)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@given(_FILES, st.booleans(), st.booleans())
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_loading_gives_a_campaign_or_diagnostics(
    folder: Path, tree: list[tuple[str, object]], whole: bool, in_blocks: bool
) -> None:
    lines = "".join(f"{key}: {block(value, 2) if in_blocks else flow(value)}\n" for key, value in tree)
    head = "campaign: a\npurpose: informational\nagent: movoice/x\ncontacts: a.csv\n" if whole else ""
    path = folder / "campaign.yaml"
    path.write_text(head + lines, encoding="utf-8")

    loaded, found = _load(path)

    if loaded is None:
        assert found
        for one in found:
            _check(one, (head + lines).split("\n"))
        as_text(found)
        as_github(found)
        json.loads(as_json(found))
    else:
        assert loaded.campaign.steps
        assert all(step.label and step.retry for step in loaded.campaign.steps)
        assert loaded.locate(("steps", 0, "retry", "on", 0)).line >= 1


@given(_FILES)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_reading_a_project_gives_a_project_or_diagnostics(folder: Path, tree: list[tuple[str, object]]) -> None:
    path = folder / "outreach.yaml"
    path.write_text(
        "accounts: {a: {provider: revox}}\n" + "".join(f"{key}: {flow(value)}\n" for key, value in tree),
        encoding="utf-8",
    )

    found: tuple[Diagnostic, ...] | None = None
    try:
        read_project(path, folder)
    except FilesWrong as error:
        found = error.diagnostics

    assert found is None or as_text(found)
    assert found != ()


def test_a_right_campaign_stays_right_in_any_key_order(folder: Path) -> None:
    lines = [
        "campaign: a",
        "purpose: informational",
        "agent: movoice/x",
        "contacts: a.csv",
        "retry: never",
        "locale: en_US",
    ]
    schema = Draft202012Validator(campaign_schema(fake_providers()))
    for shift in range(len(lines)):
        path = folder / "order.yaml"
        path.write_text("\n".join(lines[shift:] + lines[:shift]), encoding="utf-8")

        loaded = load_campaign(path, project=Project(), providers=fake_providers())

        assert loaded.campaign.campaign == "a"
        assert schema.is_valid(loaded.root.plain())


def _load(path: Path) -> tuple[LoadedCampaign | None, tuple[Diagnostic, ...]]:
    try:
        return load_campaign(path, project=Project(), providers=fake_providers()), ()
    except FilesWrong as error:
        return None, error.diagnostics


def _check(one: Diagnostic, lines: list[str]) -> None:
    assert one.file.endswith("campaign.yaml")
    assert one.message
    assert "invalid" not in one.message
    assert one.span is not None
    assert 1 <= one.span.line <= len(lines)
    assert 1 <= one.span.column <= len(lines[one.span.line - 1]) + 1
