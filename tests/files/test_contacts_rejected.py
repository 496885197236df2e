"""The file of rejected rows: whole or not at all, private, harmless in a spreadsheet, readable again."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.files.contacts import read_contacts
from runner.files.rejects import harmless, write_rejects
from runner.model.campaign import ContactSource
from runner.model.contact import Contact, RejectedRow


def rejected(*cells: str, reason: str = "`x` is wrong") -> RejectedRow:
    return RejectedRow(row=7, column="phone", reason=reason, cells=cells)


def test_rows_are_written_with_their_reasons(tmp_path: Path) -> None:
    path = tmp_path / "out" / "april.reject.csv"

    count = write_rejects(path, ["phone", "name"], [rejected("0161", "Bo"), rejected("a", 'b\r\n"c"', "d")])

    with path.open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["rejected_row", "rejected_column", "rejected_reason", "phone", "name"],
            ["7", "phone", "`x` is wrong", "0161", "Bo"],
            ["7", "phone", "`x` is wrong", "a", 'b\r\n"c"', "d"],
        ]
    assert count == 2
    assert path.read_text(encoding="utf-8").startswith('"rejected_row","rejected_column"')


def test_no_rejected_rows_leave_a_header(tmp_path: Path) -> None:
    assert write_rejects(tmp_path / "x.csv", ["phone"], []) == 0
    assert len((tmp_path / "x.csv").read_text().splitlines()) == 1


def test_only_the_owner_may_read_it(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")
    path.chmod(0o644)
    write_rejects(path, [], [rejected("a")])

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_failure_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("old")

    def torn() -> Iterator[RejectedRow]:
        yield rejected("a")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk"):
        write_rejects(path, [], torn())
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["x.csv"]


@pytest.mark.parametrize(
    "cell",
    [
        "=1+1",
        "+1+cmd|' /C calc'!A0",
        "-2",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\uff1d1",
        "+",
        "=HYPERLINK(0)",
        "+12025550143=1",
    ],
)
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize("cell", ["", "Bo", "+12025550143", "+1 (202) 555-0143", "2-1", "a=b", "'x"])
def test_phone_numbers_and_plain_text_stay(cell: str) -> None:
    assert harmless(cell) == cell


def test_a_mended_file_can_be_read_again(tmp_path: Path) -> None:
    write_rejects(tmp_path / "x.csv", ["phone", "name"], [rejected("+12025550143", "Bo")])
    (row,) = read_contacts(ContactSource(file="x.csv"), tmp_path)

    assert isinstance(row, Contact)
    assert (row.phone, row.values["name"]) == ("+12025550143", "Bo")
