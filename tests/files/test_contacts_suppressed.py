"""Do-not-contact files: lists and CSV, and that an unreadable entry stops everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import FilesWrong
from runner.files.contacts import read_contacts
from runner.files.suppressions import Suppressions, read_suppressions
from runner.model.campaign import Columns, ContactSource
from runner.model.contact import Contact

A, B = "+12025550143", "+12025550144"


def suppressed(folder: Path, content: str | bytes, **keys: Any) -> Suppressions:
    (folder / "no.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    return read_suppressions(ContactSource(inline=(), suppress=("no.csv",), **keys), folder)


def faults(folder: Path, content: str | bytes, **keys: Any) -> list[tuple[str, int, tuple[int, ...]]]:
    with pytest.raises(FilesWrong) as caught:
        suppressed(folder, content, **keys)
    return [(one.message, one.span.line if one.span else 0, one.same) for one in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (f"{A}\n", 1),
        (f"# asked in May\n\n +1 (202) 555-0143 \n{A}\n", 3),
        (f"{A}".encode("utf-16"), 1),
        (f"\ufeff{A}\r\n", 1),
        (f"phone\n{A}\n", 2),
        (f"since;phone;why\n2026-05-01;{A};asked\n", 2),
        (f"# from the desk\nsince,phone\n,{A}\n", 3),
        (f"number\n\n'{A}\n", 3),
    ],
)
def test_lists_and_tables_are_read(tmp_path: Path, content: str | bytes, line: int) -> None:
    known = suppressed(tmp_path, content)

    assert known.named_by(A) == f"no.csv:{line}"
    assert known.named_by(B) == ""


def test_the_campaigns_phone_column_is_used(tmp_path: Path) -> None:
    known = suppressed(tmp_path, f"mobile,phone\n{A},{B}\n", columns=Columns(phone="mobile"))

    assert (known.named_by(A), known.named_by(B)) == ("no.csv:2", "")


def test_the_country_of_the_contacts_holds_here_too(tmp_path: Path) -> None:
    assert suppressed(tmp_path, "0161 496 0000\n", country="GB").named_by("+441614960000") == "no.csv:1"


def test_an_empty_file_suppresses_nobody(tmp_path: Path) -> None:
    assert len(suppressed(tmp_path, "# nobody yet\n\n")) == 0


def test_a_number_that_nobody_can_have_is_matched_literally(tmp_path: Path) -> None:
    assert suppressed(tmp_path, "+1 (202) 155-0143\n").named_by("+12021550143") == "no.csv:1"


def test_a_bad_byte_beside_the_number_does_no_harm(tmp_path: Path) -> None:
    (row,) = [suppressed(tmp_path, f"phone;name\n{A};x\n".encode())]
    assert row.named_by(A)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (f"{A}\n0161 496 0000\n0161 496 0001\n", [("`0161 496 0000` has no country code", 2, (3,))]),
        (f"{A}\n1.2E+10\n", [("a spreadsheet turned this number into `1.2E+10` and lost digits", 2, ())]),
        ("#N/A\n", [("there is no column `phone`", 1, ())]),
        (f"{A}\n#N/A\n", [("a spreadsheet wrote `#N/A` where a number was", 2, ())]),
        (f"{A} Bo\n", [("there is no column `phone`", 1, ())]),
        (f"{A}\nBo\n", [("`Bo` has letters in it", 2, ())]),
        (f"phone,why\n{A},x\n,asked\n", [("there is no phone number", 3, ())]),
        (f'phone,why\n{A},"x\n', [("a quote opens in this row and does not close", 2, ())]),
        (f"{A}\n+1202555\xff\n".encode("latin-1"), [("a byte in this entry cannot be read", 2, ())]),
        (f"since,who\n2026,{A}\n", [("there is no column `phone`", 1, ())]),
    ],
)
def test_one_unreadable_entry_stops_everything(tmp_path: Path, content: str | bytes, found: list[Any]) -> None:
    shown = [
        (message.replace(", so this do-not-contact file cannot be obeyed", ""), *rest)
        for message, *rest in faults(tmp_path, content)
    ]

    assert shown == found


def test_a_missing_file_stops_everything(tmp_path: Path) -> None:
    with pytest.raises(FilesWrong) as caught:
        list(read_contacts(ContactSource(inline=({"phone": A},), suppress=("none.txt", "nor.txt")), tmp_path))
    assert [one.code for one in caught.value.diagnostics] == ["P10", "P10"]


def test_contacts_say_which_entry_names_them(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text(f"{B}\n")
    (tmp_path / "two.txt").write_text(f"{B}\n{A}\n")
    source = ContactSource(
        inline=({"phone": A}, {"phone": B}, {"phone": "+12025550145"}), suppress=("one.txt", "two.txt")
    )

    rows = [row for row in read_contacts(source, tmp_path) if isinstance(row, Contact)]

    assert [row.suppressed_by for row in rows] == ["two.txt:2", "one.txt:1", ""]


def test_suppressions_can_be_brought_along(tmp_path: Path) -> None:
    known = suppressed(tmp_path, A)
    (row,) = read_contacts(ContactSource(inline=({"phone": A},), suppress=("gone.txt",)), tmp_path, suppressions=known)

    assert isinstance(row, Contact)
    assert row.suppressed_by == "no.csv:1"
