"""`outreach export`: everything that came of every attempt, for spreadsheets and machines."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from runner.ledger.person import pseudonyms_at
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.move import Move
from runner.model.outcome import InboundText, Observation, Outcome
from runner.report.export import COLUMNS
from tests.building import NOON, apply, campaign, contact, phone
from tests.cli.running import REPOSITORY, Shell
from tests.ledger.test_record import LIVE_PATH, take

HOSTILE = ('=HYPERLINK("http://x")', "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\uff1d1")
TOLD = Observation(
    outcome=Outcome.ANSWERED, tag="=BOOKED", summary='said "yes",\nand hung up', sentiment="positive", duration_seconds=61.0,
    recording_url="https://example.com/r.mp3", transcript="user: =1+1", transcript_url="https://example.com/t.json",
    structured={"day": "Tuesday", "note": "é"}, hangup_cause="CLIENT_INITIATED", calls=1, words={"status": "COMPLETED"},
)  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose ledger has two campaigns, one ended attempt and one reply."""
    (tmp_path / "outreach.yaml").write_text("ledger: sqlite:///ledger.db\n", "utf-8")
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(), tuple(contact(number) for number in range(3)))
    apply(store, campaign(campaign="reminders"), (contact(0),))
    live = take(store, *LIVE_PATH, sent_at=NOON, provider_id="call-1")
    S = AttemptState  # noqa: N806 the name that these tests use everywhere
    store.move(
        [Move(attempt_id=live, old=S.ACCEPTED, new=S.FINISHED, at=NOON, outcome=Outcome.ANSWERED, observation=TOLD)]
    )
    text = InboundText(provider="revring", from_number=phone(0), to_number=phone(9), body="=thanks", provider_id="S1")
    store.letters.reply("revring", text, NOON, attempt_id=live, stops=False, verified=True)
    store.close()
    return tmp_path


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_csv_has_a_row_for_each_contact_and_attempt(shell: Shell, project: Path) -> None:
    done = shell("export", cwd=project)

    assert (done.code, done.err) == (0, "")
    rows = read_csv(done.out)
    assert [(row["campaign"], row["contact"]) for row in rows] == [
        ("renewals", f"'{phone(0)}"), ("renewals", f"'{phone(1)}"), ("renewals", f"'{phone(2)}"),
        ("reminders", f"'{phone(0)}"),
    ]  # fmt: skip
    first = rows[0]
    assert first["phone"] == f"'{phone(0)}", "text, and no number that loses its +"
    assert (first["outcome"], first["tag"], first["duration_seconds"]) == ("answered", "'=BOOKED", "61")
    assert first["summary"] == 'said "yes",\nand hung up'
    assert json.loads(first["structured"]) == {"day": "Tuesday", "note": "é"}
    assert json.loads(first["replies"])[0]["body"] == "=thanks"
    assert (first["sent_at"], first["recording_url"]) == ("2026-01-05T17:00:00Z", "https://example.com/r.mp3")
    assert (rows[1]["outcome"], rows[1]["summary"], rows[1]["replies"]) == ("", "", "")


def test_every_cell_is_quoted(shell: Shell, project: Path) -> None:
    lines = shell("export", "reminders", cwd=project).out.splitlines()
    assert len(lines) == 2
    assert all(re.fullmatch(r'"[^"]*"(,"[^"]*")*', line) for line in lines)


@pytest.mark.parametrize("cell", HOSTILE)
def test_nothing_is_a_formula(shell: Shell, project: Path, cell: str) -> None:
    store = Store.open(project / "ledger.db")
    store._connection.execute("UPDATE attempts SET tag = ?, reason = ?", (cell, cell))
    store._connection.execute("UPDATE contacts SET key = ? WHERE id = 1", (cell,))
    store.close()
    for row in read_csv(shell("export", cwd=project).out):
        for name, value in row.items():
            assert not value.lstrip().startswith(("=", "+", "-", "@", "\uff1d")), (name, value)


def test_raw_cells_are_as_the_ledger_holds_them(shell: Shell, project: Path) -> None:
    first = read_csv(shell("export", "--raw", cwd=project).out)[0]
    assert (first["phone"], first["contact"], first["tag"]) == (phone(0), phone(0), "=BOOKED")


def test_a_terminal_obeys_nothing(shell: Shell, project: Path) -> None:
    store = Store.open(project / "ledger.db")
    store._connection.execute("UPDATE attempts SET tag = ?", ("\x1b]0;owned\x07 \u202egnp",))
    store.close()
    assert read_csv(shell("export", cwd=project).out)[0]["tag"] == "\\x1b]0;owned\\x07 \\x202egnp"


def test_json_lines_hold_the_same(shell: Shell, project: Path) -> None:
    done = shell("export", "renewals", "--format", "json", cwd=project)

    first, *rest = done.lines()
    assert len(rest) == 2
    assert first["contact"] == {"key": phone(0), "phone": phone(0), "row": 2, "state": "pending"}
    attempt = first["attempt"]
    pseudonyms = pseudonyms_at(project / "ledger.db")
    assert attempt["log_id"] == pseudonyms.log_id(attempt["key"]) != ""
    assert (attempt["provider"], attempt["provider_id"], attempt["outcome"]) == ("movoice", "call-1", "answered")
    assert attempt["result"]["structured"] == {"day": "Tuesday", "note": "é"}
    assert attempt["result"]["words"] == {"status": "COMPLETED"}
    assert attempt["replies"] == [{"at": "2026-01-05T17:00:00Z", "body": "=thanks", "stops": False, "verified": True}]
    assert (rest[0]["attempt"]["result"], rest[0]["attempt"]["replies"]) == (None, [])


def test_a_file_is_for_its_owner_alone_and_appears_whole(shell: Shell, project: Path) -> None:
    out = project / "out.csv"
    out.write_text("older", "utf-8")
    out.chmod(0o644)
    done = shell("export", "--output", "out.csv", cwd=project)

    assert (done.code, done.out, done.err) == (0, "", "4 rows in out.csv\n")
    assert out.stat().st_mode & 0o777 == 0o600
    assert len(read_csv(out.read_text("utf-8"))) == 4
    assert [path for path in project.iterdir() if path.suffix == ".part"] == []


def test_what_fails_leaves_the_older_file(shell: Shell, project: Path) -> None:
    out = project / "out.csv"
    out.write_text("older", "utf-8")
    done = shell("export", "nobody", "--output", "out.csv", cwd=project)

    assert done.code == 1
    assert "no campaign `nobody` was applied" in done.err
    assert out.read_text("utf-8") == "older"
    assert not list(project.glob(".out.csv*"))


def test_a_folder_that_is_not_there_is_wrong_use(shell: Shell, project: Path) -> None:
    done = shell("export", "--output", "nowhere/out.csv", cwd=project)
    assert (done.code, "`nowhere/out.csv` cannot be written" in done.err) == (2, True)


def test_without_a_ledger_there_is_nothing_to_export(shell: Shell, tmp_path: Path) -> None:
    done = shell("export", cwd=tmp_path)
    assert (done.code, "there is no ledger" in done.err) == (1, True)


def test_exporting_writes_nothing(shell: Shell, project: Path) -> None:
    before = (project / "ledger.db").read_bytes()
    shell("export", cwd=project)
    assert (project / "ledger.db").read_bytes() == before


def test_every_key_and_column_is_documented(shell: Shell, project: Path) -> None:
    text = (REPOSITORY / "docs" / "machine-formats.md").read_text("utf-8")
    tables = dict(re.findall(r"<!-- keys: ([\w ]+) -->\n((?:\|.*\n)+)", text))
    documented = {key.removesuffix(".*") for key in re.findall(r"^\| `([^`]+)` \|", tables["export"], re.MULTILINE)}

    first = shell("export", "renewals", "--format", "json", cwd=project).lines()[0]
    assert _paths(first) == documented
    assert {path.rpartition(".")[2].removesuffix("[]") for path in documented} | {
        "contact",
        "contact_state",
        "replies",
    } >= set(COLUMNS)


def _paths(value: Any, at: str = "") -> set[str]:
    """Give the path of every leaf; what lies in structured output and in the provider's words is not ours."""
    if isinstance(value, dict) and at.rpartition(".")[2] not in {"structured", "words"}:
        return {path for key, item in value.items() for path in _paths(item, f"{at}.{key}" if at else key)}
    if isinstance(value, list):
        return {path for item in value for path in _paths(item, f"{at}[]")}
    return {at}
