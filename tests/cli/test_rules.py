"""`outreach rules`, and what `validate` and `plan` say about the law, typed as a user would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Shell

SALE = """\
campaign: sale
purpose: marketing
agent: movoice/agent_12345
contacts:
  inline:
    - {phone: "+15125550143", ok: express_written, state: ""}
    - {phone: "+12125550143", ok: express}
    - {phone: "+12125550144", ok: ""}
    - {phone: "+12125550145", ok: express_written, state: us-tx}
  columns: {jurisdiction: state}
windows: daily 08:00-21:00
compliance:
  consent_column: ok
"""
SUNDAY = "2026-03-01T16:00:00Z"  # ten in the morning in Texas, eleven in New York


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "campaigns").mkdir()
    return tmp_path


def write(project: Path, text: str) -> None:
    (project / "campaigns/sale.yaml").write_text(text, "utf-8")


def test_one_number(shell: Shell, tmp_path: Path) -> None:
    done = shell("rules", "+33639981234", "--purpose", "marketing", "--at", "2026-03-02T13:30", cwd=tmp_path)

    assert done.code == 0
    assert "✗ fr-voice-marketing: outside mon-fri 10:00-13:00; mon-fri 14:00-20:00 in Europe/Paris" in done.out
    assert "source: https://cms.law/fr/" in done.out
    assert "fr-voice-marketing: marketing calls need express consent, and none is stated" in done.out
    assert "from Mon 02 Mar 2026 14:00 Europe/Paris = 2026-03-02 13:00 UTC" in done.out


def test_one_number_as_json(shell: Shell, tmp_path: Path) -> None:
    words = ("--purpose", "marketing", "--at", SUNDAY, "--consent", "express_written", "--format", "json")
    done = shell("rules", "+15125550143", *words, cwd=tmp_path)

    found = json.loads(done.out)
    assert found["jurisdictions"] == ["US", "US-TX"]
    assert found["allowed_at"] == "2026-03-01T18:00:00Z"
    assert found["consent_gap"] is None
    assert found["forbidden"] is False
    closed = [one["row"]["id"] for one in found["rows"] if not one["open"]]
    assert closed == ["us-tx-marketing"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("12", "--purpose", "marketing"), "`12` is too short"),
        (("+61491570156", "--purpose", "marketing", "--at", "2026-03-01T10:00"), "this number may be in"),
        (("+15125550143", "--purpose", "marketing", "--at", "tomorrow at 3pm"), "`tomorrow at 3pm` is not an instant"),
        (("+15125550143", "--purpose", "marketing", "--jurisdiction", "Texas"), "`Texas` is not a country"),
        (("+15125550143", "--purpose", "marketing", "--timezone", "Texas"), "`Texas` is not a time zone"),
    ],
)
def test_wrong_words_are_refused(shell: Shell, tmp_path: Path, words: tuple[str, ...], message: str) -> None:
    done = shell("rules", *words, cwd=tmp_path)

    assert done.code == 2
    assert message in done.err


def test_a_plan_follows_the_law(shell: Shell, project: Path) -> None:
    """Texas opens at noon on Sundays; consent that is too little or that nobody states leaves people out."""
    write(project, SALE)
    done = shell("plan", "--at", SUNDAY, "--format", "json", cwd=project)

    *lines, last = map(json.loads, done.out.splitlines())
    assert [line["status"] for line in lines] == ["create", "skip", "skip", "create"]
    assert lines[0]["not_before"] == "2026-03-01T18:00:00Z"
    assert "us-fed-ai-voice: marketing calls need express_written consent, and `express`" in lines[1]["reason"]
    assert "and none is stated; write compliance: {consent: express_written}" in lines[2]["reason"]
    assert lines[3]["jurisdictions"] == ["US", "US-NY", "US-TX"]
    assert lines[3]["not_before"] == "2026-03-01T18:00:00Z"  # noon in Texas by Central time
    law = last["summary"]["law"]
    assert {"row": "us-tx-marketing", "contacts": 2} in [
        {"row": one["row"], "contacts": one["contacts"]} for one in law["rows"]
    ]
    assert any(one["text"].startswith("us-fed-ai-voice: say who calls") for one in law["warnings"])


def test_an_override_shows_in_every_plan(shell: Shell, project: Path) -> None:
    override = "  overrides: [{row: us-tx-marketing, reason: customers of the last two years}]\n"
    write(project, SALE + override)
    done = shell("plan", "--at", SUNDAY, cwd=project)

    assert "!  override us-tx-marketing: set aside: customers of the last two years" in done.out
    lines = shell("plan", "--at", SUNDAY, "--format", "json", cwd=project).lines()
    assert lines[0]["not_before"] == SUNDAY


def test_an_old_table_is_said_to_be_old(shell: Shell, project: Path) -> None:
    write(project, SALE)

    assert "the table of law is" not in shell("plan", "--at", "2027-05-19T16:00:00Z", cwd=project).out
    assert "the table of law is 181 days old" in shell("plan", "--at", "2027-05-20T16:00:00Z", cwd=project).out


@pytest.mark.parametrize(
    ("line", "message", "remedy"),
    [
        ("consent: yes please", "", "express_written"),
        ("consent_column: okay", "the contacts have no column `okay`", "did you mean `ok`?"),
        ("jurisdictions: Texas", "`Texas` is not a country or a part of one", "US-TX"),
        ("jurisdictions: [UK]", "`UK` is not a country", "US-TX"),
        ("sectors: telecoms", "no row is about the sector `telecoms`", "telecom"),
        (
            "overrides: [{row: us-tx-marketin, reason: all are customers}]",
            "no row `us-tx-marketin`",
            "`us-tx-marketing`",
        ),
        ("overrides: [{row: us-tx-marketing}]", "reason", ""),
        ("overrides: [{row: us-tx-marketing, reason: ok}]", "reason", ""),
    ],
)
def test_wrong_compliance_is_refused(shell: Shell, project: Path, line: str, message: str, remedy: str) -> None:
    write(project, SALE.replace("consent_column: ok", line))
    done = shell("validate", cwd=project)

    assert done.code == 1
    assert message in done.err
    assert remedy in done.err
    assert "campaigns/sale.yaml:" in done.err


@pytest.mark.parametrize(("cell", "reason"), [("Texas", "`TEXAS` is not a country"), ("US-TX, Ohio", "`OHIO` is not")])
def test_a_place_that_is_none_is_a_bad_row(shell: Shell, project: Path, cell: str, reason: str) -> None:
    write(project, SALE.replace("state: us-tx", f'state: "{cell}"'))
    done = shell("validate", cwd=project)

    assert done.code == 1
    assert reason in done.err
