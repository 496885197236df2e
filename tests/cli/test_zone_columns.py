"""A column that is called like a zone and is not read as one: whoever would be called at the wrong hour is warned of."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.running import Shell

CAMPAIGN = """\
campaign: visits
purpose: transactional
agent: movoice/agent_1
contacts: {file: people.csv%s}
"""


def write(folder: Path, header: str, more: str = "") -> None:
    cells = ",".join(
        {"phone": "+12025550143", "mobile": "+12025550143"}.get(name, "Europe/London") for name in header.split(",")
    )
    (folder / "campaigns").mkdir()
    (folder / "campaigns/people.csv").write_text(f"{header}\n{cells}\n", encoding="utf-8")
    (folder / "campaigns/visits.yaml").write_text(CAMPAIGN % more, encoding="utf-8")


@pytest.mark.parametrize("name", ["tz", "TZ", "Timezone", "time_zone", "Time Zone", "zone", "iana-timezone"])
def test_the_column_is_named_and_the_line_to_write(shell: Shell, tmp_path: Path, name: str) -> None:
    write(tmp_path, f"phone,{name}")
    done = shell("validate", cwd=tmp_path)

    assert done.code == 0
    assert f"warning[P16]: the column `{name}` is not read as the zone" in done.err
    assert "--> campaigns/visits.yaml:4:11" in done.err
    assert f"write: contacts: {{file: people.csv, columns: {{timezone: {name}}}}}" in done.err


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("run", "campaigns", "--sandbox", "--yes")])
def test_every_command_that_decides_when_says_so(shell: Shell, tmp_path: Path, command: tuple[str, ...]) -> None:
    write(tmp_path, "phone,tz")

    assert "warning[P16]" in shell(*command, cwd=tmp_path).err


@pytest.mark.parametrize(
    ("header", "more"),
    [
        ("phone,timezone", ""),
        ("phone,timezone,tz", ""),
        ("phone,tz", ", columns: {timezone: tz}"),
        ("phone,zone_manager", ""),
        ("phone", ""),
    ],
)
def test_what_is_read_and_what_is_no_zone_is_fine(shell: Shell, tmp_path: Path, header: str, more: str) -> None:
    write(tmp_path, header, more)

    assert shell("validate", cwd=tmp_path).err == ""


def test_other_columns_that_are_named_stay_in_the_line(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, "mobile,tz", ", columns: {phone: mobile}")

    assert "columns: {phone: mobile, timezone: tz}}" in shell("validate", cwd=tmp_path).err


def test_what_decides_instead_is_said(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, "phone,tz")
    file = tmp_path / "campaigns/visits.yaml"
    file.write_text(file.read_text() + "timezone: America/New_York\n")

    assert "everybody is taken to be in America/New_York" in shell("plan", cwd=tmp_path).err


def test_people_in_the_file_itself_rename_it(shell: Shell, tmp_path: Path) -> None:
    write(tmp_path, "phone")
    inline = CAMPAIGN.replace("{file: people.csv%s}", '[{phone: "+12025550143", tz: Europe/London}]')
    (tmp_path / "campaigns/visits.yaml").write_text(inline, encoding="utf-8")

    assert "= help: call it `timezone`" in shell("validate", cwd=tmp_path).err
