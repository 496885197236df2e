"""Each cell of both tables: at most one dial, and exactly the state, outcome and reason that the fault's proof allows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args

import pytest

from runner.sandbox.faults import FaultKind
from tests.cli.running import REPOSITORY
from tests.faults.cells import COLUMNS, Cell, Column, Trouble
from tests.faults.expected import RULINGS, of_request, of_webhooks
from tests.faults.matrix import drawn, row, shown
from tests.faults.troubles import REQUESTS, WEBHOOKS

Expected = Callable[[Column, str], Cell]


def expected_row(rule: Expected, trouble: Trouble, fault: str) -> dict[str, Cell]:
    return {
        column.name: rule(column, fault) for column in COLUMNS if not trouble.only or column.provider in trouble.only
    }


def expected_table(rule: Expected, troubles: Mapping[str, Trouble]) -> str:
    rows = {fault: expected_row(rule, trouble, fault) for fault, trouble in troubles.items()}
    return drawn({fault: {where: shown(one) for where, one in cells.items()} for fault, cells in rows.items()})


@pytest.mark.parametrize("fault", REQUESTS)
async def test_a_request_that_meets_a_fault(fault: str) -> None:
    assert await row(REQUESTS[fault]) == expected_row(of_request, REQUESTS[fault], fault)


@pytest.mark.parametrize("fault", WEBHOOKS)
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
