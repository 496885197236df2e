"""Small projects on disk for hostile files to stand in, and what opening and planning one says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from runner.errors import Diagnostic, FilesWrong, OutreachError
from runner.wiring.applying import examine
from runner.wiring.workspace import open_workspace

NOON = datetime(2026, 1, 5, 17, 0, tzinfo=UTC)

CAMPAIGN = """\
campaign: hostile
purpose: informational
agent: movoice/agent_1
contacts: people.csv
timezone: America/New_York
windows: daily 00:00-24:00
"""
PEOPLE = "phone,name\n+12025550143,Ann\n"


def project(root: Path, campaign: str = CAMPAIGN, files: Mapping[str, str] | None = None) -> Path:
    """Write a project of one campaign; give the campaign's file."""
    for name, text in {"outreach.yaml": "", "campaigns/people.csv": PEOPLE, **(files or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="")
    file = root / "campaigns" / "hostile.yaml"
    file.write_text(campaign, "utf-8", newline="")
    return file


def faults(root: Path) -> list[Diagnostic]:
    """Open a project and check its campaigns; give everything that is wrong."""
    try:
        open_workspace(root).load([])
    except FilesWrong as wrong:
        return list(wrong.diagnostics)
    except OutreachError as error:
        return [Diagnostic(code=type(error).__name__, message=error.message, help=error.help)]
    return []


def reasons(root: Path) -> list[str]:
    """Open and plan a project that has no fault; give for each person why nothing would be sent, or nothing."""
    workspace = open_workspace(root)
    (loaded,) = workspace.load([])
    found: list[str] = []
    examine(workspace.plan(loaded, NOON), lambda line: found.append(line.reason if line.rejected else ""))
    return found
