"""The worked example in the docs is what the tool reads, and what it then sends."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.cli.running import REPOSITORY, Shell

PAGE = (REPOSITORY / "docs/declared-provider.md").read_text("utf-8")
FENCES = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_the_example_validates_and_plans_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (project, campaign), (shown,) = ([body for kind, body in FENCES if kind == wanted] for wanted in ("yaml", "json"))
    shell = Shell(monkeypatch, capsys)
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "outreach.yaml").write_text(project, "utf-8")
    head = "campaign: visits\npurpose: transactional\n"
    (tmp_path / "campaigns/visits.yaml").write_text(head + campaign, "utf-8")

    assert shell("validate", cwd=tmp_path).code == 0
    line = shell("plan", "--at", "2026-12-01T09:00:00Z", "--format", "json", cwd=tmp_path).lines()[0]
    assert json.dumps({key: line[key] for key in ("method", "url", "body")}) == json.dumps(json.loads(shown))
