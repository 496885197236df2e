"""Expressions of `when` and `where`: what they decide, what they refuse, and that cells compare as numbers."""

from __future__ import annotations

import operator
import time
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.rules.cells import Cell
from runner.rules.expressions import (
    Expression,
    ExpressionFailed,
    ExpressionWrong,
    StepResult,
    variable_name,
    when_values,
    where_values,
)

ROW: Mapping[str, Any] = {
    "amount_due": "12.50",
    "paid_so_far": "9",
    "code": "0161",
    "name": "Ann",
    "state": "CA",
    "First Name": "Ann",
    "word": "abc",
    "visits": 3,
    "active": True,
    "flag": "true",
    "tags": ["a", "b"],
    "blank": "",
}


def decide(source: str) -> bool:
    return Expression.compile(source).evaluate(where_values(ROW))


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("amount_due > 0", True),
        ("amount_due > 12.5", False),
        ("amount_due >= 12.5", True),
        ("amount_due == 12.5", True),
        ("amount_due == 12.50", True),
        ("amount_due != 12", True),
        ("0 < amount_due", True),
        ("0 < amount_due < 12.6", True),
        ("amount_due > -5", True),
        ("amount_due > paid_so_far", True),
        ("paid_so_far < amount_due", True),
        ("code == '0161'", True),
        ("code == '161'", False),
        ("code == 161", True),
        ("word == 5", False),
        ("word != 5", True),
        ("name < 'Bob'", True),
        ("name == 'ann'", False),
        ("name | lower == 'ann'", True),
        ("name | upper == 'ANN'", True),
        ("' a ' | trim == 'a'", True),
        ("name | length == 3", True),
        ("amount_due | int == 12", True),
        ("amount_due | float > 12", True),
        ("state in ['CA', 'NY']", True),
        ("state not in ('CA', 'NY')", False),
        ("amount_due in [12.5, 3]", True),
        ("'nn' in name", True),
        ("'a' in tags", True),
        ("contact.state == 'CA'", True),
        ("contact['First Name'] == 'Ann'", True),
        ("visits == 3 and visits > 2", True),
        ("active", True),
        ("active == true", True),
        ("flag == true", True),
        ("flag == false", False),
        ("next_slot", False),
        ("not next_slot", True),
        ("blank", False),
        ("blank == ''", True),
        ("next_slot == ''", True),
        ("next_slot == 'x'", False),
        ("next_slot != 'x'", True),
        ("next_slot == 0", False),
        ("next_slot in ['a']", False),
        ("'a' in next_slot", False),
        ("next_slot | lower == 'a'", False),
        ("next_slot is defined", False),
        ("next_slot is undefined", True),
        ("name is defined and name", True),
        ("next_slot and next_slot > 3", False),
        ("next_slot | default(0) > 1", False),
        ("next_slot | int(5) == 5", True),
        ("state == 'CA' and (amount_due > 100 or name == 'Ann')", True),
        ("true", True),
        ("[]", False),
        ("contact.nobody.name", False),
    ],
)
def test_what_is_decided(source: str, result: bool) -> None:
    assert decide(source) is result


@pytest.mark.parametrize(
    ("source", "message", "column", "length"),
    [
        ("word > 5", "`word` is `abc`, not a number", 1, 4),
        ("state == 'CA' and 5 < word", "`word` is `abc`, not a number", 23, 4),
        ("next_slot > 3", "`next_slot` is empty in this row", 1, 9),
        ("contact.next_slot <= 3", "`next_slot` is empty in this row", 9, 9),
        ("next_slot | int > 3", "`next_slot` is empty in this row", 1, 9),
        ("word | int > 3", "`abc` is not a number", 1, 14),
        ("visits > 'a'", "these values cannot be compared", 1, 12),
    ],
)
def test_what_cannot_be_decided_says_why(source: str, message: str, column: int, length: int) -> None:
    with pytest.raises(ExpressionFailed) as caught:
        decide(source)
    assert (caught.value.message, caught.value.code) == (message, "V06")
    assert (caught.value.column, caught.value.length) == (column, length)


@pytest.mark.parametrize(
    ("source", "code", "message"),
    [
        ("", "V03", "this is empty"),
        ("   ", "V03", "this is empty"),
        ("amount_due >", "V03", "this ends too early"),
        ("amount_due > 0 x", "V03", "`x` is not expected here"),
        ("amount_due = 0", "V03", "`=` is not expected here"),
        ("(a", "V03", "`)` is missing at the end"),
        ("a ? b", "V03", "`?` is not expected here"),
        ("name | lowr", "V04", "there is no filter `lowr` in expressions"),
        ("name | title", "V04", "there is no filter `title` in expressions"),
        ("name is none", "V04", "there is no test `none` in expressions"),
        ("f(x)", "V06", "nothing can be called in an expression"),
        ("name.upper()", "V06", "nothing can be called in an expression"),
        ("range(10)", "V06", "nothing can be called in an expression"),
        ("a + 1 > 2", "V06", "nothing can be worked out in an expression"),
        ("a ~ b", "V06", "nothing can be worked out in an expression"),
        ("9 ** 9 ** 9", "V06", "nothing can be worked out in an expression"),
        ("'a' * 1000000000", "V06", "nothing can be worked out in an expression"),
        ("'%0999999999d' % 1", "V06", "nothing can be worked out in an expression"),
        ("a[b]", "V06", "this is not available in an expression"),
        ("a[0:9]", "V06", "this is not available in an expression"),
        ("a if b else c", "V06", "this is not available in an expression"),
        ("{'a': 1}", "V06", "this is not available in an expression"),
        ("-a", "V06", "this is not available in an expression"),
        ("name.__class__", "V06", "`__class__` is out of reach"),
        ("a" * 5000, "V07", "this expression is too long"),
        ("a" + " and a" * 600, "V07", "this expression is too long"),
        ("(" * 1500 + "a" + ")" * 1500, "V07", "this is nested too deeply"),
    ],
)
def test_what_is_no_expression_is_refused(source: str, code: str, message: str) -> None:
    start = time.process_time()
    with pytest.raises(ExpressionWrong) as caught:
        Expression.compile(source)
    assert (caught.value.code, caught.value.message) == (code, message)
    assert time.process_time() - start < 0.1


def test_a_refused_word_has_its_place() -> None:
    with pytest.raises(ExpressionWrong) as caught:
        Expression.compile("state == 'CA'\nand name | lowr == 'a'")
    assert (caught.value.line, caught.value.column, caught.value.length) == (2, 12, 4)
    assert caught.value.help == "did you mean `lower`?"


def test_the_names_that_an_expression_uses() -> None:
    expression = Expression.compile(
        "call.outcome == 'x' and contact['First Name'] and (a or call.tag | default('')) and b is defined"
    )
    assert expression.names == ("call.outcome", "contact.First Name", "a", "call.tag", "b")
    assert expression.guarded == {"call.tag", "b"}


def test_steps_are_seen_by_name_and_the_last_one_as_previous() -> None:
    done = {"call": StepResult(outcome="no_answer"), "call-2": StepResult(outcome="answered", tag="BOOKED")}
    values = when_values(done, ROW)
    for source, result in [
        ("previous.outcome == 'answered'", True),
        ("previous.outcome in ['no_answer', 'busy']", False),
        ("call.outcome == 'no_answer' and call_2.tag == 'BOOKED'", True),
        ("call.tag", False),
        ("text.outcome == 'delivered'", False),
        ("contact.state == 'CA'", True),
    ]:
        assert Expression.compile(source).evaluate(values) is result, source
    assert variable_name("call-2") == "call_2"
    assert not Expression.compile("previous.outcome == 'answered'").evaluate(when_values({}, ROW))


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**9), max_value=10**9, places=3)
ORDERS = st.sampled_from([operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne])


@given(NUMBERS, NUMBERS, ORDERS)
def test_cells_are_ordered_as_decimals(own: Decimal, other: Decimal, order: Any) -> None:
    assert order(Cell(str(own), "a"), other) == order(own, other)
    assert order(other, Cell(str(own), "a")) == order(other, own)
    if order not in {operator.eq, operator.ne}:
        assert order(Cell(str(own), "a"), Cell(str(other), "b")) == order(own, other)


@given(st.integers(min_value=-(10**12), max_value=10**12), st.integers(min_value=-(10**12), max_value=10**12), ORDERS)
def test_cells_beside_whole_numbers(own: int, other: int, order: Any) -> None:
    assert order(Cell(str(own)), other) == order(own, other)


@given(st.text(max_size=10), st.text(max_size=10))
def test_cells_beside_text_are_text(own: str, other: str) -> None:
    assert (Cell(own) == other) == (own == other)
    assert (Cell(own) < other) == (own < other)
    assert hash(Cell(own)) == hash(own)
    assert {own: 1}[Cell(own)] == 1


@given(st.text(alphabet="ab.|()[]'\" 0<>=!,-_\n+*{}", max_size=40))
def test_any_source_is_decided_or_refused_with_a_place(source: str) -> None:
    error: ExpressionWrong | ExpressionFailed
    try:
        Expression.compile(source).evaluate({"a": "1", "b": "x"})
    except (ExpressionWrong, ExpressionFailed) as caught:
        error = caught
    else:
        return
    lines = source.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.message
