"""The machine formats, held against golden files: later versions may only add keys."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from runner import __version__
from runner.ledger.person import pseudonyms_at
from tests.cli.running import Shell

GOLDEN = Path(__file__).parent / "golden"
AT = "2026-12-01T09:00:00Z"

CAMPAIGN = """\
campaign: visits
purpose: transactional
agents:
  caller: {provider: revring, id: 3c90c3cc-0d44-4b50-8888-8dd25736052a, from: "+12025550100"}
  texter: {provider: revmo, id: QUdFTlQtMDAwMQ==}
countries: US, GB
number_types: fixed_line, fixed_line_or_mobile, toll_free
contacts: {file: people.csv, columns: {key: id}, suppress: [no-call.txt], on_bad_row: skip}
windows: mon-fri 10:00-18:00
steps:
  - call: caller
    retry: 2 times, 1h apart
  - text: texter
    after: 1d
    when: no_answer, busy
    message: "Hello {{ contact.name }}, see you {{ contact.day }}."
variables: {name: "{{ contact.name }}"}
"""
PEOPLE = """\
id,phone,name,day,timezone
1,+12025550143,Ana,Monday,America/New_York
2,+442079460123,Bo,Tuesday,
3,+12025550143,Ana again,Monday,
4,0161 496 0000,No country,Monday,
5,+12025550145,Suppressed,Monday,
6,+12025550146,No day,,
7,+18005550147,Everywhere,Monday,
"""


def test_plan(shell: Shell, tmp_path: Path) -> None:
    """Every kind of line: create, later, skip for each reason, rejected rows, and the sums."""
    _write(tmp_path)
    done = shell("plan", "visits.yaml", "--at", AT, "--format", "json", cwd=tmp_path)

    assert done.code == 0
    _compare("plan.json", [_without_version(line) for line in done.lines()])


def test_plan_text(shell: Shell, tmp_path: Path) -> None:
    """The same for people: masked off a terminal, at most about 25 lines."""
    _write(tmp_path)
    done = shell("plan", "visits.yaml", "--at", AT, cwd=tmp_path)

    assert done.code == 0
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", done.out)
    _compare_text("plan.txt", "\n".join(line.rstrip() for line in text.splitlines()) + "\n")


def test_status(shell: Shell, tmp_path: Path) -> None:
    """Applied and not yet run: scheduled, everybody pending."""
    _write(tmp_path)
    assert shell("apply", "visits.yaml", "--yes", cwd=tmp_path).code == 0
    done = shell("status", "--contacts", "--format", "json", cwd=tmp_path)

    assert done.code == 0
    status = json.loads(done.out)
    for person in status["campaigns"][0]["contacts"]:
        for attempt in person["attempts"]:
            attempt["due_at"] = "…"
            assert re.fullmatch("a[0-9a-f]{15}", attempt["log_id"])
            attempt["log_id"] = "…"
    _compare("status.json", [_without_version(status["campaigns"][0])])


def test_two_people_who_end_alike_are_told_apart_by_the_same_hash_everywhere(shell: Shell, tmp_path: Path) -> None:
    """Off a terminal, in the status and in a plan, by the hash of this ledger."""
    _write(tmp_path)
    with (tmp_path / "people.csv").open("a", encoding="utf-8") as file:
        file.write("8,+12125550143,Cy,Monday,America/New_York\n")
    assert "#" not in shell("plan", "visits.yaml", cwd=tmp_path).out, "without a ledger there is no key"
    assert shell("apply", "visits.yaml", "--yes", cwd=tmp_path).code == 0

    said = shell("status", "--contacts", cwd=tmp_path).out + shell("plan", "visits.yaml", "--all", cwd=tmp_path).out

    pseudonyms = pseudonyms_at(tmp_path / ".outreach" / "ledger.db")
    ana, cy = pseudonyms.shown("+12025550143"), pseudonyms.shown("+12125550143")
    assert set(re.findall(r"\+1\*\*\*0143\S*", said)) == {ana, cy}
    assert said.count(cy) >= 2
    assert "5550143" not in said


def test_apply_twice(shell: Shell, tmp_path: Path) -> None:
    """The second time says that nothing changes and writes nothing."""
    _write(tmp_path)
    first = shell("apply", "visits.yaml", "--yes", cwd=tmp_path)
    ledger = tmp_path / ".outreach" / "ledger.db"
    before = ledger.read_bytes()
    second = shell("apply", "visits.yaml", "--yes", cwd=tmp_path)

    assert "2 created" in first.out
    assert "nothing changes" in second.out
    assert ledger.read_bytes() == before


def test_bad_rows_stop_apply(shell: Shell, tmp_path: Path) -> None:
    """Bad rows are named with line and column, and not one row of the ledger is written."""
    _write(tmp_path, CAMPAIGN.replace(", on_bad_row: skip", ""))
    done = shell("apply", "visits.yaml", "--yes", cwd=tmp_path)

    assert done.code == 1
    assert "--> people.csv:5:3" in done.err
    assert "has no country code" in done.err
    assert not (tmp_path / ".outreach" / "ledger.db").exists()


def test_schema_is_current(shell: Shell) -> None:
    """The committed schema is what the models say."""
    done = shell("schema", "--check", "schema.json")

    assert (done.code, done.err) == (0, "")


def _write(folder: Path, campaign: str = CAMPAIGN) -> None:
    (folder / "visits.yaml").write_text(campaign, encoding="utf-8")
    (folder / "people.csv").write_text(PEOPLE, encoding="utf-8")
    (folder / "no-call.txt").write_text("+12025550145\n", encoding="utf-8")


def _without_version(value: dict[str, Any]) -> dict[str, Any]:
    """The digest holds the tool's version, so its own tests keep it; here its form is enough."""
    text = re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", json.dumps(value, ensure_ascii=False))
    text = text.replace(f'"tool_version": "{__version__}"', '"tool_version": "…"')
    plain: dict[str, Any] = json.loads(text)
    return plain


def _compare(name: str, found: list[dict[str, Any]]) -> None:
    _compare_text(name, json.dumps(found, ensure_ascii=False, indent=1) + "\n")


def _compare_text(name: str, found: str) -> None:
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
