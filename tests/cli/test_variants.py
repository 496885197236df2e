"""Variants and backups as users meet them: validate, plan, run against the sandbox, status by variant."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.cli.running import REPOSITORY, Shell

LEDGER = "sqlite:///try.db"
PROJECT = (
    "accounts:\n  main: {provider: movoice, credential: env:MAIN}\n  spare: {provider: revmo, credential: env:SPARE}\n"
)
CAMPAIGN = """\
campaign: tones
purpose: transactional
timezone: UTC
windows: daily 00:00-24:00
agents:
  plain: {provider: movoice, id: agent_12345, account: main}
  warm: {provider: movoice, id: agent_67890, account: main}
  spare: {provider: revmo, id: QUdFTlQtMDAwMQ==, account: spare}
contacts: people.csv
variables:
  tone: "{{ variant }}"
steps:
  - call: [plain, spare]
variants:
  a: 1
  b: {agent: warm}
done_when: answered
"""


SHARE = ("count", "share", "low", "high")


def documented(below: str) -> set[str]:
    """Give the keys that the page of machine formats names below one."""
    page = (REPOSITORY / "docs" / "machine-formats.md").read_text("utf-8")
    return set(re.findall(rf"^\| `{re.escape(below)}\.([^`]+)`", page, re.MULTILINE))


def _leaves(value: Mapping[str, Any]) -> set[str]:
    nested = {f"{key}.{part}" for key, inner in value.items() if isinstance(inner, dict) for part in inner}
    return nested | {key for key, inner in value.items() if not isinstance(inner, dict)}


def test_from_the_file_to_the_results(shell: Shell, tmp_path: Path) -> None:
    """The plan names shares and backups; after the run the status has a share with its interval for each variant."""
    (tmp_path / "outreach.yaml").write_text(PROJECT)
    (tmp_path / "campaigns").mkdir()
    (tmp_path / "campaigns" / "tones.yaml").write_text(CAMPAIGN)
    people = "\n".join(f"+1202555{100 + number:04d}" for number in range(24))
    (tmp_path / "campaigns" / "people.csv").write_text(f"phone\n{people}\n")

    planned = shell("plan", "--format", "json", cwd=tmp_path)
    assert planned.code == 0, planned.err
    *lines, last = [json.loads(line) for line in planned.out.splitlines()]
    counts = {one["variant"]: one["contacts"] for one in last["summary"]["variants"]}
    assert sum(counts.values()) == 24
    assert {line["variant"] for line in lines} == set(counts) == {"a", "b"}
    assert {one["account"] for line in lines for one in line["backups"]} == {"spare"}

    assert documented("backups[]") == {"headers.*", "body.*", *lines[0]["backups"][0].keys() - {"headers", "body"}}
    assert documented("summary.variants[]") == set(last["summary"]["variants"][0])

    shown = shell("plan", cwd=tmp_path)
    assert f"variants: a {counts['a']} (" in shown.out
    person = shell("plan", "--contact", lines[0]["contact"]["phone"], cwd=tmp_path)
    assert "spare, while account main fails" in person.out

    ran = shell("--ledger", LEDGER, "run", "campaigns", "--sandbox", "--yes", cwd=tmp_path)
    assert ran.code in {0, 5}, ran.err  # some people never answer
    told = shell("--ledger", LEDGER, "status", "--variants", "--format", "json", cwd=tmp_path)
    results = json.loads(told.out)["campaigns"][0]["variants"]
    assert {one["variant"]: one["contacts"] for one in results} == counts
    assert documented("campaigns[].variants[]") == {"goal", *_leaves(results[0]) - {f"goal.{key}" for key in SHARE}}
    for one in results:
        assert one["tried"] == one["contacts"]
        assert 0 <= one["goal"]["low"] <= one["goal"]["share"] <= one["goal"]["high"] <= 1
    text = shell("--ledger", LEDGER, "status", "--variants", cwd=tmp_path)
    assert "tones, by variant" in text.out
