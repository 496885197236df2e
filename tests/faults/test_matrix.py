"""Each cell of both tables: at most one dial, and exactly the state, outcome and reason that the fault's proof allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import pytest

from runner.sandbox.faults import FaultKind
from tests.cli.running import REPOSITORY
from tests.faults.cells import COLUMNS, Cell, Column, Trouble
from tests.faults.expected import RULINGS, of_request, of_webhooks
from tests.faults.matrix import drawn, row, shown
from tests.faults.troubles import REQUESTS, WEBHOOKS

Expected = Callable[[Column, str], Cell]

_NAMES: Mapping[str, str] = {
    "no answer after it took effect": "F5", "connection reset before it was read": "F6",
    "closed before it took effect": "F6", "closed after it took effect": "F6",
    "closed after it took effect, and lists lag behind": "F6", "500 without effect": "F7", "500 with effect": "F7",
    "200 without an id": "F8", "malformed JSON": "F8", "a page of HTML": "F8", "an answer of 10 MB": "F8",
    "a redirect": "F9", "303 after it took effect": "F9", "429 with Retry-After": "F10", "429 with a date": "F10",
    "429 without": "F10", "told twice": "F13", "out of order": "F14", "before the answer": "F15", "never": "F44",
}  # fmt: skip
"""rows that are a fault of the catalogue"""


def rows_of(troubles: Mapping[str, Trouble]) -> list[Any]:
    """Give the rows of a table, each with the mark of its fault."""
    marks = {row: (pytest.mark.fault(_NAMES[row]),) if row in _NAMES else () for row in troubles}
    return [pytest.param(row, marks=marks[row]) for row in troubles]


def expected_row(rule: Expected, trouble: Trouble, fault: str) -> dict[str, Cell]:
    return {
        column.name: rule(column, fault) for column in COLUMNS if not trouble.only or column.provider in trouble.only
    }


def expected_table(rule: Expected, troubles: Mapping[str, Trouble]) -> str:
    rows = {fault: expected_row(rule, trouble, fault) for fault, trouble in troubles.items()}
    return drawn({fault: {where: shown(one) for where, one in cells.items()} for fault, cells in rows.items()})


@pytest.mark.parametrize("fault", rows_of(REQUESTS))
async def test_a_request_that_meets_a_fault(fault: str) -> None:
    assert await row(REQUESTS[fault]) == expected_row(of_request, REQUESTS[fault], fault)


@pytest.mark.parametrize("fault", rows_of(WEBHOOKS))
async def test_webhooks_that_meet_a_fault(fault: str) -> None:
    assert await row(WEBHOOKS[fault]) == expected_row(of_webhooks, WEBHOOKS[fault], fault)


def test_the_page_shows_both_tables() -> None:
    page = (REPOSITORY / "docs/faults.md").read_text("utf-8")

    assert expected_table(of_request, REQUESTS) in page
    assert expected_table(of_webhooks, WEBHOOKS) in page


def test_every_fault_of_the_sandbox_has_a_row() -> None:
    planned = {fault.kind for trouble in REQUESTS.values() for fault in trouble.faults}

    assert planned == set(get_args(FaultKind))
    assert set(RULINGS) == set(REQUESTS)


def test_nobody_may_be_dialled_twice_in_any_cell() -> None:
    cells = [of_request(column, fault) for column in COLUMNS for fault in REQUESTS]
    cells += [of_webhooks(column, fault) for column in COLUMNS for fault in WEBHOOKS]

    assert max(one.dials for one in cells) == 1
    assert {one.dials for one in cells if one.outcome == "answered"} == {1}
