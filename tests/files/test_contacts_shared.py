"""A number in several rows: the first row alone, each row a person, or the later rows refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from runner.errors import FilesWrong
from runner.files.contacts import Row, read_contacts
from runner.files.row_faults import row_diagnostics
from runner.model.campaign import Columns, ContactSource
from runner.model.contact import Contact, DuplicateRow, RejectedRow

A, B = "+12025550143", "+12025550144"
FAMILY = (
    {"id": "1", "phone": A, "name": "Ada"},
    {"id": "2", "phone": "(202) 555-0143", "name": "Ben"},
    {"id": "3", "phone": B, "name": "Cy"},
    {"id": "1", "phone": A, "name": "Ada again"},
    {"id": "2", "phone": B, "name": "Ben, elsewhere"},
)
BY_ID = Columns(key="id")


def rows_of(*people: dict[str, Any], **keys: Any) -> list[Row]:
    given = tuple({"country": "US", **keys}.items())
    return list(read_contacts(ContactSource(inline=people, **dict(given)), Path("nowhere")))


def kinds(rows: list[Row]) -> list[str]:
    return [f"{row.key} {row.phone}" if isinstance(row, Contact) else type(row).__name__ for row in rows]


@pytest.mark.parametrize("keys", [{}, {"columns": BY_ID}])
def test_the_first_row_counts_where_nothing_is_said(keys: dict[str, Any]) -> None:
    rows = rows_of(*FAMILY[:2], **keys)
    assert isinstance(rows[0], Contact)
    assert rows[1] == DuplicateRow(row=2, phone=A, first_row=1)
    assert rows_of(*FAMILY[:2], shared_number="once", **keys) == rows


def test_each_is_a_person_of_its_own_by_its_key() -> None:
    rows = rows_of(*FAMILY, shared_number="each", columns=BY_ID)
    assert kinds(rows) == [f"1 {A}", f"2 {A}", f"3 {B}", "DuplicateRow", "RejectedRow"]
    assert rows[3] == DuplicateRow(row=4, phone=A, first_row=1)
    assert isinstance(rows[4], RejectedRow)
    assert rows[4].reason == "`2` names another number on line 2"


def test_each_needs_a_key_in_every_row() -> None:
    rows = rows_of(FAMILY[0], {"phone": A, "name": "Ben"}, shared_number="each", columns=BY_ID)
    assert isinstance(rows[1], RejectedRow)
    assert rows[1].reason == "`id` is empty, and it names the person"


def test_each_without_a_key_column_is_refused() -> None:
    with pytest.raises(FilesWrong) as caught:
        rows_of(*FAMILY, shared_number="each")
    (fault,) = caught.value.diagnostics
    assert (fault.code, fault.path) == ("P17", "contacts.shared_number")
    assert fault.help == "name it: contacts: {columns: {key: customer_id}}"


def test_refused_rows_are_bad_rows() -> None:
    rows = rows_of(*FAMILY[:4], shared_number="refuse", columns=BY_ID)
    assert kinds(rows) == [f"1 {A}", "RejectedRow", f"3 {B}", "RejectedRow"]
    bad = [row for row in rows if isinstance(row, RejectedRow)]
    assert [(row.code, row.reason) for row in bad] == [("P09", f"`{A}` stands in row 1 already")] * 2
    (said,) = row_diagnostics(bad, ContactSource(inline=FAMILY), "people.csv")
    assert said.message == f"2 rows: phone: `{A}` stands in row 1 already"
    assert "shared_number: once" in said.help


def test_a_rejected_row_lends_its_number_to_nobody() -> None:
    first = {"id": "1", "phone": A, "timezone": "Nowhere/Else"}
    rows = rows_of(first, FAMILY[1], shared_number="refuse", columns=BY_ID)
    assert kinds(rows) == ["RejectedRow", f"2 {A}"]
