"""The supply chain: each pinned package is accounted for, hashes stand beside it, and the audit says what it did not see."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_NAME = re.compile(r"^([a-z0-9][a-z0-9._-]*)==(\S+)", re.MULTILINE)
_NEEDS = re.compile(r"^[A-Za-z0-9._-]+")


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked() -> set[str]:
    return {plain(name) for name, _ in _NAME.findall((ROOT / "requirements.txt").read_text("utf-8"))}


def explained() -> set[str]:
    section = (ROOT / "docs/why.md").read_text("utf-8").partition("## Dependencies")[2]
    return {plain(name) for name in re.findall(r"^- \*\*([\w.-]+)\*\*", section, re.MULTILINE)}


def needs(name: str) -> set[str]:
    """Give what a package needs without its extras, on any platform."""
    try:
        lines = requires(name) or []
    except PackageNotFoundError:
        return set()
    return {plain(found[0]) for line in lines if "extra ==" not in line and (found := _NEEDS.match(line))}


def test_each_pinned_package_earns_its_place_or_is_needed_by_one_that_does() -> None:
    known, waiting = set[str](), explained()
    while waiting:
        name = waiting.pop()
        known.add(name)
        waiting |= needs(name) - known

    assert locked() - known == set(), "say in docs/why.md what these are for"


def test_what_the_project_names_is_explained() -> None:
    named = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]

    assert {plain(_NEEDS.match(line)[0]) for line in named} <= explained()  # type: ignore[index]


def test_each_pinned_package_has_hashes() -> None:
    blocks = re.split(r"\n(?=[a-z0-9])", (ROOT / "requirements.txt").read_text("utf-8"))

    pinned = [block for block in blocks if "==" in block]
    assert len(pinned) == len(locked())
    assert all("--hash=sha256:" in block for block in pinned)


@pytest.mark.parametrize(
    ("answer", "code", "says"),
    [
        ({"dependencies": [{"name": "a", "version": "1", "vulns": []}]}, 0, "1 of 1 packages checked, 0 with"),
        ({"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "CVE-1"}]}]}, 1, "audit: a 1: CVE-1"),
        ({"dependencies": [{"name": "a", "skip_reason": "not found"}]}, 0, "NOT CHECKED: a"),
        (
            {"dependencies": [{"name": "a", "skip_reason": "x"}, {"name": "b", "version": "2", "vulns": [{"id": "X-1"}]}]},
            1, "NOT CHECKED: a",
        ),
        (None, 0, "NOT CHECKED: everything"),
    ],
)  # fmt: skip
def test_the_audit_tells_checked_from_not_checked(tmp_path: Path, answer: object, code: int, says: str) -> None:
    """The tool itself ends with 0 when it has skipped every single package."""
    (tmp_path / "answer").write_text("" if answer is None else json.dumps(answer))
    tool = tmp_path / "pip-audit"
    tool.write_text(f"#!/bin/sh\ncat {tmp_path / 'answer'}\n")
    tool.chmod(0o755)
    (tmp_path / "cyclonedx-py").symlink_to(Path(sys.executable).parent / "cyclonedx-py")
    sbom = tmp_path / "sbom.json"
    done = subprocess.run(
        [sys.executable, ROOT / ".ci/audit"], capture_output=True, text=True, timeout=60, check=False,
        env={**os.environ, "BIN": str(tmp_path), "SBOM": str(sbom)},
    )  # fmt: skip

    assert (done.returncode, says in done.stdout + done.stderr) == (code, True), done
    listed = json.loads(sbom.read_text("utf-8"))
    assert {plain(one["name"]) for one in listed["components"]} == locked()
    assert listed["bomFormat"] == "CycloneDX"
