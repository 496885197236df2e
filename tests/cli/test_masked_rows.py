"""Rows of contacts that errors quote off a terminal: no number in full, in whatever shape and format."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.running import Shell

CAMPAIGN = """\
campaign: visits
purpose: transactional
agent: movoice/agent_12345
windows: daily 09:00-17:00
timezone: America/New_York
contacts: {file}
variables: {{note: "{{{{ contact.note }}}}"}}
"""
SHAPES = (
    "tel:2025550177", "12025550194x", "+12025550194x12", "2025550194ext3", "2025550194: call", "note:2025550194",
    "wa.me/12025550194", "202/555/0144", "-2025550194", "id_12025550194", "2025550194 (home)",
)  # fmt: skip
LETTERED = "202a555b0194"
"""found where an error quotes the cell itself; in a row it may be anything"""
WHOLE = ("5550177", "5550194", "555/0144", "555b0194", "5550197", "202/555")
FORMATS = ("text", "json", "github")


def write(folder: Path, name: str, rows: str) -> None:
    (folder / "campaigns").mkdir()
    (folder / "campaigns/visits.yaml").write_text(CAMPAIGN.format(file=name), encoding="utf-8")
    (folder / "campaigns" / name).write_text(rows, encoding="utf-8")


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("shape", [*SHAPES, LETTERED])
def test_a_number_in_any_shape_is_masked(shell: Shell, tmp_path: Path, shape: str, form: str) -> None:
    write(tmp_path, "people.csv", f"phone,note\n{shape},hello\n")
    done = shell("validate", "--format", form, cwd=tmp_path)

    assert done.code == 1
    assert [one for one in WHOLE if one in done.out + done.err] == []
    assert form == "json" or ",hello" in done.err


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_number_beside_what_is_wrong_is_masked(shell: Shell, tmp_path: Path, shape: str, form: str) -> None:
    write(tmp_path, "people.csv", f"phone,other,note\n+12025550177,{shape},{'n' * 501}\n")
    done = shell("validate", "--format", form, cwd=tmp_path)

    assert "V10" in done.out + done.err
    assert [one for one in WHOLE if one in done.out + done.err] == []


@pytest.mark.parametrize("form", FORMATS)
def test_json_lines_with_numbers_unquoted_are_masked(shell: Shell, tmp_path: Path, form: str) -> None:
    write(tmp_path, "people.jsonl", '{"phone":2025550197,"note":""}\n{"phone":2025550194,"note":"hello"}\n')
    done = shell("validate", "--format", form, cwd=tmp_path)

    assert done.code == 1
    assert [one for one in WHOLE if one in done.out + done.err] == []


def test_carets_stand_below_the_cell_and_help_can_be_pasted(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, "people_20261201.csv", "phone,note\ntel:2025550177;x,hello\n")
    done = shell("validate", cwd=tmp_path)
    lines = done.err.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("2 | "))

    assert lines[at] == "2 | tel:******0177;x,hello"
    assert set(lines[at + 1].removeprefix("  | ").strip()) == {"^"}
    assert "people_20261201.csv" in done.err
    where = json.loads(shell("validate", "--format", "json", cwd=tmp_path).out)
    assert [one["range"]["start"]["line"] for one in where] == [2]
