"""What a row becomes: a person, a repetition or a rejected row; the same for CSV, JSON Lines and inline contacts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from runner.errors import FilesWrong
from runner.files.contacts import Row, columns_of, read_contacts
from runner.model.campaign import Columns, ContactSource
from runner.model.contact import Contact, DuplicateRow, RejectedRow

A, B, C = "+12025550143", "+12025550144", "+12025550145"


def read_csv(folder: Path, content: str, **keys: Any) -> list[Row]:
    (folder / "people.csv").write_text(content, encoding="utf-8")
    return list(read_contacts(ContactSource(file="people.csv", **keys), folder))


def read_json(folder: Path, *lines: object, **keys: Any) -> list[Row]:
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "people.jsonl").write_text(text, encoding="utf-8")
    return list(read_contacts(ContactSource(file="people.jsonl", **keys), folder))


def read_inline(*people: dict[str, Any], lines: tuple[int, ...] = (), **keys: Any) -> list[Row]:
    return list(read_contacts(ContactSource(inline=people, **keys), Path("nowhere"), lines))


def test_a_row_becomes_a_contact(tmp_path: Path) -> None:
    (row,) = read_csv(
        tmp_path, "id,phone,timezone,name\n7,+1 202 555 0143,Europe/Berlin,Bo\n", columns=Columns(key="id")
    )

    assert row == Contact(
        key="7",
        phone=A,
        row=2,
        values={"id": "7", "phone": "+1 202 555 0143", "timezone": "Europe/Berlin", "name": "Bo"},
        timezone="Europe/Berlin",
        region="US",
        number_type="fixed_line_or_mobile",
    )


def test_without_a_key_column_the_number_names_the_person() -> None:
    (row,) = read_inline({"phone": "+1 202 555 0143"})

    assert isinstance(row, Contact)
    assert row.key == A


def test_the_second_row_of_a_number_is_a_duplicate(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, f"phone,name\n{A},x\n{B},y\n+1 (202) 555-0143,z\n")

    assert rows[2] == DuplicateRow(row=4, phone=A, first_row=2)


def test_a_rejected_row_is_not_the_first_of_its_number(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, f"phone,timezone\n{A},Mars/Base\n{A},\n")

    assert isinstance(rows[0], RejectedRow)
    assert isinstance(rows[1], Contact)


def test_a_key_names_one_number_only(tmp_path: Path) -> None:
    rows = read_csv(tmp_path, f"phone,id\n{A},7\n{B},7\n{A},7\n{C},\n", columns=Columns(key="id"))

    assert rows[1] == RejectedRow(
        row=3, column="id", reason="`7` names another number on line 2", cells=(B, "7"), cell_column=14
    )
    assert rows[2] == DuplicateRow(row=4, phone=A, first_row=2)
    assert isinstance(rows[3], RejectedRow)
    assert rows[3].reason == "`id` is empty, and it names the person"


@pytest.mark.parametrize(
    ("zone", "reason"),
    [
        ("Europe/Berln", "`Europe/Berln` is not a time zone; did you mean `Europe/Berlin`?"),
        ("London", "`London` is not a time zone; did you mean `Europe/London`?"),
        ("new york", "`new york` is not a time zone; did you mean `America/New_York`?"),
        ("GMT+2", "`GMT+2` is not a time zone"),
        ("localtime", "`localtime` is not a time zone"),
        ("../../etc/passwd", "`../../etc/passwd` is not a time zone"),
    ],
)
def test_an_unknown_zone_rejects_the_row(zone: str, reason: str) -> None:
    (row,) = read_inline({"phone": A, "timezone": zone})

    assert isinstance(row, RejectedRow)
    assert (row.code, row.column, row.reason) == ("P05", "timezone", reason)


def test_the_zone_column_may_have_another_name() -> None:
    (row,) = read_inline({"phone": A, "tz": "Asia/Tokyo", "timezone": "as told"}, columns=Columns(timezone="tz"))

    assert isinstance(row, Contact)
    assert row.timezone == "Asia/Tokyo"


def test_the_country_of_the_contacts_completes_numbers() -> None:
    (row,) = read_inline({"phone": "0161 496 0000"}, country="GB")

    assert isinstance(row, Contact)
    assert row.phone == "+441614960000"


@pytest.mark.parametrize(
    ("phone", "code"), [("", "P01"), ("0161 496 0000", "P02"), ("+1202555", "P03"), ("1.2E+10", "P04")]
)
def test_a_number_that_cannot_be_dialled_rejects_the_row(phone: str, code: str) -> None:
    (row,) = read_inline({"phone": phone, "name": "Bo"}, lines=(17,))

    assert isinstance(row, RejectedRow)
    assert (row.row, row.column, row.code, row.cells) == (17, "phone", code, (phone, "Bo"))


def test_inline_rows_are_known_by_their_lines() -> None:
    rows = read_inline({"phone": A}, {"phone": A}, {"phone": B, "name": None}, lines=(12, 15, 18))

    assert rows[1] == DuplicateRow(row=15, phone=A, first_row=12)
    assert isinstance(rows[2], Contact)
    assert (rows[2].row, rows[2].values) == (18, {"phone": B})


def test_inline_columns_are_the_union() -> None:
    source = ContactSource(inline=({"phone": A}, {"phone": B, "name": "x"}))

    assert columns_of(source, Path("nowhere")) == ("phone", "name")
    assert columns_of(ContactSource(inline=()), Path("nowhere")) == ()


def test_inline_contacts_without_any_phone_are_wrong_as_a_whole() -> None:
    with pytest.raises(FilesWrong) as caught:
        read_inline({"mobile": A})
    (fault,) = caught.value.diagnostics
    assert fault.help == "did you mean `mobile`? write: contacts: {columns: {phone: mobile}}"


def test_json_numbers_stay_as_they_are_written(tmp_path: Path) -> None:
    (row,) = read_json(
        tmp_path,
        f'{{"phone": "{A}", "fee": 2.50, "big": 12345678901234567890, "e": 1e2, "ok": true, "no": null, "n": " x "}}',
    )

    assert isinstance(row, Contact)
    assert row.values == {"phone": A, "fee": "2.50", "big": "12345678901234567890", "e": "1e2", "ok": True, "n": "x"}


def test_a_rejected_json_row_is_laid_out_by_column(tmp_path: Path) -> None:
    rows = read_json(tmp_path, {"phone": A, "visits": [1], "name": "x"}, {"visits": ["2"], "phone": "0161"}, "{")

    assert [row.cells for row in rows if isinstance(row, RejectedRow)] == [("0161", '["2"]', ""), ("{",)]


def test_nested_json_is_kept(tmp_path: Path) -> None:
    (row,) = read_json(tmp_path, {"phone": A, "visits": [{"at": "2026-12-01", "fee": None}]})

    assert isinstance(row, Contact)
    assert row.values["visits"] == [{"at": "2026-12-01", "fee": None}]


def test_a_bad_json_line_is_rejected_alone(tmp_path: Path) -> None:
    lines = [
        {"phone": A}, "", "{", "[]", '"x"', "NaN", '{"phone": NaN}', '{"a": 1, "a": 2}', '{"phone": ["x"]}',
        '{"phone": "a\\u0000b"}', '{"x":' * 40 + "1" + "}" * 40, '{"x":' * 5000 + "1" + "}" * 5000,
        {"phone": B, "x": "y" * 65_537}, {"phone": C},
    ]  # fmt: skip
    rows = read_json(tmp_path, *lines)

    assert [(row.row, row.reason) for row in rows if isinstance(row, RejectedRow)] == [
        (3, "this line is not a JSON object"),
        (4, "this line is not a JSON object"),
        (5, "this line is not a JSON object"),
        (6, "`NaN` is not JSON"),
        (7, "`NaN` is not JSON"),
        (8, "`a` is set twice in this line"),
        (9, "`phone` is not text"),
        (10, "there is a NUL character in this line"),
        (11, "objects and lists in `x` lie too deep inside each other"),
        (12, "objects and lists in this line lie too deep inside each other"),
        (13, "`x` is longer than 65536 characters"),
    ]
    assert [row.row for row in rows if isinstance(row, Contact)] == [1, 14]


def test_a_bad_byte_in_json_rejects_its_line_only(tmp_path: Path) -> None:
    (tmp_path / "people.jsonl").write_bytes(f'{{"phone": "{A}", "n": "\xff"}}\n{{"phone": "{B}"}}'.encode("latin-1"))
    rows = list(read_contacts(ContactSource(file="people.jsonl"), tmp_path))

    assert isinstance(rows[0], RejectedRow)
    assert rows[0].code == "P06"
    assert isinstance(rows[1], Contact)


def test_a_json_line_has_a_longest_length(tmp_path: Path) -> None:
    rows = read_json(tmp_path, {"phone": A, "x": "y" * 1_100_000}, {"phone": B})

    assert [type(row).__name__ for row in rows] == ["RejectedRow", "Contact"]
    assert [row.row for row in rows] == [1, 2]


def test_json_columns_are_those_of_the_first_hundred_lines(tmp_path: Path) -> None:
    lines = [{"phone": f"+1312555{n:04}"} for n in range(99)] + [{"phone": A, "in": 1}, {"phone": B, "out": 1}]
    read_json(tmp_path, *lines)

    assert columns_of(ContactSource(file="people.jsonl"), tmp_path) == ("phone", "in")


def test_json_without_the_phone_column_is_wrong_as_a_whole(tmp_path: Path) -> None:
    with pytest.raises(FilesWrong) as caught:
        read_json(tmp_path, {"tel": A})
    assert caught.value.diagnostics[0].code == "P13"
