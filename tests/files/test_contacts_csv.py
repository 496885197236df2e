"""CSV contacts: encodings, delimiters, line ends, quotes, and the line that each row is known by."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from runner.errors import FilesWrong
from runner.files.contacts import columns_of, read_contacts
from runner.model.campaign import Columns, ContactSource
from runner.model.contact import Contact, DuplicateRow, RejectedRow

A, B, C = "+12025550143", "+12025550144", "+12025550145"


def read(folder: Path, content: bytes | str, **keys: Any) -> list[Contact | RejectedRow | DuplicateRow]:
    name = keys.pop("file", "people.csv")
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return list(read_contacts(ContactSource(file=name, **keys), folder))


def people(rows: list[Any]) -> list[tuple[int, str, str]]:
    return [(row.row, row.phone, str(row.values.get("name", ""))) for row in rows if isinstance(row, Contact)]


def rejects(rows: list[Any]) -> list[tuple[int, str, str, str]]:
    return [(row.row, row.column, row.code, row.reason) for row in rows if isinstance(row, RejectedRow)]


def faults(folder: Path, content: bytes | str, **keys: Any) -> list[tuple[str, str, str]]:
    with pytest.raises(FilesWrong) as caught:
        read(folder, content, **keys)
    return [(fault.code, fault.message.replace(str(folder), "."), fault.help) for fault in caught.value.diagnostics]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.fault("F36")
def test_every_common_form_of_csv_is_read(tmp_path: Path, delimiter: str, newline: str, encoding: str) -> None:
    text = newline.join(["phone,name", f"{A},Zoë", "", f'{B},"Bo{newline}Ek"', f"{C},x"]).replace(",", delimiter)

    rows = read(tmp_path, text.encode(encoding))

    assert people(rows) == [(2, A, "Zoë"), (4, B, "Bo\nEk" if newline == "\r\n" else f"Bo{newline}Ek"), (6, C, "x")]


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1", "iso8859-15", "mac-roman", "utf-16-le", "cp437", "gb18030"])
def test_a_declared_encoding_is_used(tmp_path: Path, encoding: str) -> None:
    rows = read(tmp_path, f"phone,name\n{A},é\n".encode(encoding), encoding=encoding)

    assert people(rows) == [(2, A, "é")]


def test_a_byte_order_mark_wins_over_what_is_declared(tmp_path: Path) -> None:
    assert people(read(tmp_path, f"phone,name\n{A},é\n".encode("utf-16"), encoding="cp1252")) == [(2, A, "é")]


def test_a_declared_delimiter_wins_over_the_header(tmp_path: Path) -> None:
    rows = read(tmp_path, f"phone|a,b,c\n{A}|x\n", delimiter="|")

    assert columns_of(ContactSource(file="people.csv", delimiter="|"), tmp_path) == ("phone", "a,b,c")
    assert [row.values for row in rows if isinstance(row, Contact)] == [{"phone": A, "a,b,c": "x"}]


def test_the_delimiter_is_not_sought_inside_quotes(tmp_path: Path) -> None:
    assert people(read(tmp_path, f'phone;"a,b,c,d";name\n{A};;x\n')) == [(2, A, "x")]


def test_a_spreadsheets_sep_line_is_obeyed(tmp_path: Path) -> None:
    assert people(read(tmp_path, f"sep=;\nphone;name\n{A};a,b\n")) == [(3, A, "a,b")]


def test_cells_are_stripped_and_empty_ones_are_absent(tmp_path: Path) -> None:
    (row,) = read(tmp_path, f"phone , name,city\n {A} ,\u00a0Bo ,  \n")

    assert isinstance(row, Contact)
    assert row.values == {"phone": A, "name": "Bo"}


def test_rows_in_which_nothing_stands_leave_no_trace(tmp_path: Path) -> None:
    assert people(read(tmp_path, f"\n\nphone,name\n\n,\n  \n{A},x\n\n")) == [(7, A, "x")]


def test_nameless_columns_at_the_end_are_left_out(tmp_path: Path) -> None:
    rows = read(tmp_path, f"phone,name,,\n{A},x,,\n{B},y\n{C},z,,,,\n")

    assert columns_of(ContactSource(file="people.csv"), tmp_path) == ("phone", "name")
    assert people(rows) == [(2, A, "x"), (3, B, "y"), (4, C, "z")]


@pytest.mark.fault("F36")
def test_rows_of_another_width_are_rejected(tmp_path: Path) -> None:
    rows = read(tmp_path, f"phone,name,city\n{A},x\n{A}\n{B},y,z,u\n")

    assert rejects(rows) == [
        (2, "", "P01", "this row has 2 cells where the header has 3"),
        (3, "", "P01", "this row has 1 cell where the header has 3"),
        (4, "", "P01", "this row has 4 cells where the header has 3"),
    ]
    assert [row.cells for row in rows if isinstance(row, RejectedRow)] == [(A, "x"), (A,), (B, "y", "z", "u")]


@pytest.mark.fault("F36")
def test_a_torn_quote_costs_its_own_line_only(tmp_path: Path) -> None:
    rows = read(tmp_path, f'phone,name\n{A},"x\n{B},y\n{C},"z"\n')

    assert rejects(rows) == [(2, "", "P01", "a quote opens in this row and does not close")]
    assert people(rows) == [(3, B, "y"), (4, C, "z")]


def test_a_quote_torn_at_the_end_of_the_file_is_rejected(tmp_path: Path) -> None:
    rows = read(tmp_path, f'phone,name\n{A},x\n{B},"y')

    assert people(rows) == [(2, A, "x")]
    assert rejects(rows) == [(3, "", "P01", "a quote opens in this row and does not close")]


def test_text_behind_a_closing_quote_is_rejected(tmp_path: Path) -> None:
    rows = read(tmp_path, f'phone,name\n{A},"x"y\n{B},the "best" one\n')

    assert rejects(rows) == [(2, "", "P01", "there is text behind a closing quote in this row")]
    assert people(rows) == [(3, B, 'the "best" one')]


def test_a_quote_that_runs_over_a_thousand_lines_is_torn(tmp_path: Path) -> None:
    rows = read(
        tmp_path, f'phone,name\n{A},"x\n' + "".join(f"+1312555{n:04},y\n" for n in range(100, 200)) * 11 + f'{B},"z"\n'
    )

    assert rejects(rows) == [(2, "", "P01", "a quote opens in this row and does not close")]
    assert len(people(rows)) == 101
    assert sum(isinstance(row, DuplicateRow) for row in rows) == 1000


@pytest.mark.fault("F36")
def test_a_bad_byte_rejects_its_row_only(tmp_path: Path) -> None:
    rows = read(tmp_path, f"phone,name\n{A},B\xf6\n".encode("latin-1") + f"{B},ö\n".encode())

    (bad,) = [row for row in rows if isinstance(row, RejectedRow)]
    assert (bad.row, bad.column, bad.code, bad.cell_column) == (2, "name", "P06", 14)
    assert bad.reason == "`name` has a byte that is not in the file's encoding"
    assert bad.cells == (A, "B\ufffd")
    assert people(rows) == [(3, B, "ö")]


@pytest.mark.fault("F36")
def test_a_nul_character_rejects_its_row_only(tmp_path: Path) -> None:
    rows = read(tmp_path, f"phone,name\n{A},x\0y\n{B},z\n")

    assert rejects(rows) == [(2, "", "P01", "there is a NUL character in this row")]
    assert people(rows) == [(3, B, "z")]


def test_a_cell_and_a_line_have_a_longest_length(tmp_path: Path) -> None:
    lines = ["phone,name", f"{A},{'x' * 65_537}", f"{B},{'y' * 65_536}", f"{C},{'z' * 1_100_000}", "+12025550146,u"]
    rows = read(tmp_path, "\n".join([*lines, f"{C},{'x' * 200_000}", ""]))

    assert [(row, reason) for row, _, _, reason in rejects(rows)] == [
        (2, "a cell in this row is longer than 65536 characters"),
        (4, "this row is longer than 1048576 characters"),
        (6, "a cell in this row is longer than 65536 characters"),
    ]
    assert [row for row, _, _ in people(rows)] == [3, 5]


def test_a_line_too_long_behind_a_torn_quote_costs_itself_only(tmp_path: Path) -> None:
    rows = read(tmp_path, f'phone,name\n{A},"x\n{"z" * 1_100_000}\n{B},y\n{C},z\n')

    assert [row for row, _, _, _ in rejects(rows)] == [2, 3]
    assert people(rows) == [(4, B, "y"), (5, C, "z")]


def test_a_header_may_not_be_endless(tmp_path: Path) -> None:
    assert faults(tmp_path, "phone," + "x" * 1_100_000) == [
        (
            "P12",
            "the header cannot be read: it is longer than 1048576 characters",
            "the first line names the columns: phone,name",
        )
    ]


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    with pytest.raises(FilesWrong) as caught:
        columns_of(ContactSource(file="a\0b.csv"), tmp_path)
    assert caught.value.diagnostics[0].code == "P10"


def test_a_rejected_cell_is_shown_in_its_column(tmp_path: Path) -> None:
    rows = read(tmp_path, 'name;"note; long";phone\nBo;"a;b";  0161 496 0000\n"x\ny";;1.2E+10\n')

    assert [(row.row, row.cell_column) for row in rows if isinstance(row, RejectedRow)] == [(2, 12), (3, 5)]


@pytest.mark.parametrize(
    ("content", "keys", "expected"),
    [
        ("", {}, ("P12", "the file is empty", "its first line names the columns: phone,name")),
        ("\n \n", {}, ("P12", "the file is empty", "its first line names the columns: phone,name")),
        ("phone,a,a\n", {}, ("P12", "two columns are called `a`", "give each column its own name")),
        ("phone,,a\n", {}, ("P12", "a column has no name", "name each column in the first line")),
        (b"p\0h\0,\0", {}, ("P12", "the header cannot be read: there is a NUL character in it",
                            "if the file is UTF-16, write: encoding: utf-16-le")),
        (b"phone,n\xe4me\n", {}, ("P11", "the header cannot be read: a byte in it is not in the file's encoding",
                                  "say which encoding: contacts: {file: ..., encoding: cp1252}")),
        (b"PK\x03\x04...", {}, ("P12", "this is a spreadsheet or an archive, not text", "save it as CSV UTF-8")),
        ("phone\n", {"encoding": "cp125"}, ("P11", "`cp125` is not a text encoding", "did you mean `cp1252`?")),
        ("phone\n", {"encoding": "rot13"}, ("P11", "`rot13` is not a text encoding",
                                            "write: encoding: utf-8   (or cp1252, utf-16, latin-1)")),
        ("phone\n", {"encoding": "idna"}, ("P11", "`idna` is not a text encoding",
                                           "write: encoding: utf-8   (or cp1252, utf-16, latin-1)")),
        ("phone\n", {"country": "UK"}, ("P15", "`UK` is not a country", "did you mean `GB`?")),
        ("mobile,name\n", {}, ("P13", "there is no column `phone`",
                               "did you mean `mobile`? write: contacts: {file: people.csv, columns: {phone: mobile}}")),
        ("Phone,name\n", {}, ("P13", "there is no column `phone`",
                              "did you mean `Phone`? write: contacts: {file: people.csv, columns: {phone: Phone}}")),
        ("name,city\n", {}, ("P13", "there is no column `phone`", "the columns are: name, city")),
        ("phone,tz\n", {"columns": Columns(timezone="zt")},
         ("P13", "there is no column `zt`", "the columns are: phone, tz")),
        ("phone,customer_id\n", {"columns": Columns(key="custmer_id")},
         ("P13", "there is no column `custmer_id`",
          "did you mean `customer_id`? write: contacts: {file: people.csv, columns: {key: customer_id}}")),
    ],
)  # fmt: skip
@pytest.mark.fault("F36")
def test_a_file_that_is_wrong_as_a_whole_says_what_to_write(
    tmp_path: Path, content: bytes | str, keys: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    assert faults(tmp_path, content, **keys) == [expected]


def test_all_faults_of_a_file_are_told_at_once(tmp_path: Path) -> None:
    found = faults(tmp_path, "mobile,a,a\n", columns=Columns(key="id"), country="UK")

    assert [code for code, _, _ in found] == ["P15", "P12", "P13", "P13"]


def test_a_fault_of_the_header_is_shown_in_its_column(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("\nphone,a,a\n")
    with pytest.raises(FilesWrong) as caught:
        columns_of(ContactSource(file="people.csv"), tmp_path)
    (fault,) = caught.value.diagnostics
    assert fault.span is not None
    assert (fault.span.line, fault.span.column, fault.span.end_column, fault.source) == (2, 9, 10, "phone,a,a")


def test_a_missing_file_is_told_with_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "april.csv").write_text("phone\n")
    with pytest.raises(FilesWrong) as caught:
        list(read_contacts(ContactSource(file="aprl.csv"), tmp_path))
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.help) == ("P10", "did you mean `april.csv`?")


def test_a_folder_is_no_contact_file(tmp_path: Path) -> None:
    (tmp_path / "people").mkdir()
    with pytest.raises(FilesWrong) as caught:
        columns_of(ContactSource(file="people"), tmp_path)
    assert caught.value.diagnostics[0].help == "name a file in it"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_no_contact_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "people.csv")
    with pytest.raises(FilesWrong) as caught:
        columns_of(ContactSource(file="people.csv"), tmp_path)
    assert caught.value.diagnostics[0].code == "P10"
