"""Each short form, what it stands for, and what is said when it cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from runner.model import shorthand as s
from runner.model.outcome import Outcome

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OUTCOMES = ", ".join(outcome.value for outcome in Outcome)


def window(opens: int, closes: int, *days: str) -> dict[str, Any]:
    return {"days": list(days or WEEK), "from": opens, "to": closes}


READ: list[tuple[Callable[[Any], Any], Any, Any]] = [
    (s.read_days, "mon-fri", WEEK[:5]),
    (s.read_days, "Monday to Friday", WEEK[:5]),
    (s.read_days, "fri-mon", ("mon", "fri", "sat", "sun")),
    (s.read_days, "sun, mon", ("mon", "sun")),
    (s.read_days, ["wed", "Tues"], ("tue", "wed")),
    (s.read_days, "daily", WEEK),
    (s.read_days, "every day", WEEK),
    (s.read_days, "weekdays, sun", ("mon", "tue", "wed", "thu", "fri", "sun")),
    (s.read_days, "weekends", ("sat", "sun")),
    (s.read_days, "mon–wed", WEEK[:3]),
    (s.read_days, "tue-tue", ("tue",)),
    (s.read_windows, "mon-fri 10:00-18:00", [window(600, 1080, *WEEK[:5])]),
    (s.read_windows, "10:00-18:00", [window(600, 1080)]),
    (s.read_windows, "mon, wed 9am-5:30pm", [window(540, 1050, "mon", "wed")]),
    (s.read_windows, "sat 10:00 to 24:00", [window(600, 1440, "sat")]),
    (s.read_windows, "fri 22:00 – 02:00", [window(1320, 120, "fri")]),
    (s.read_windows, "mon 9:00-12:00; mon 14:00-18:00", [window(540, 720, "mon"), window(840, 1080, "mon")]),
    (s.read_windows, ["sat 9:00-12:00", {"from": "1:00"}], [window(540, 720, "sat"), {"from": "1:00"}]),
    (s.read_windows, {"from": "1:00"}, [{"from": "1:00"}]),
    (s.read_windows, 7, 7),
    (s.read_retry, "never", {"attempts": 1}),
    (s.read_retry, "once", {"attempts": 1}),
    (s.read_retry, "twice, 1d apart", {"attempts": 2, "after": timedelta(days=1)}),
    (s.read_retry, "3 times", {"attempts": 3}),
    (s.read_retry, "3 times, every 2h", {"attempts": 3, "after": timedelta(hours=2)}),
    (s.read_retry, "1 time, 90s later", {"attempts": 1, "after": timedelta(seconds=90)}),
    (
        s.read_retry,
        "3 times, 2h apart, on no_answer, busy and voicemail",
        {"attempts": 3, "after": timedelta(hours=2), "on": ["no_answer", "busy", "voicemail"]},
    ),
    (s.read_retry, "3 times on busy", {"attempts": 3, "on": ["busy"]}),
    (s.read_retry, {"attempts": 2}, {"attempts": 2}),
    (s.read_outcomes, "no_answer or busy", ["no_answer", "busy"]),
    (s.read_outcomes, ["busy"], ["busy"]),
    (s.read_outcomes, 7, 7),
    (s.read_when, "no_answer, busy", "previous.outcome in ['no_answer', 'busy']"),
    (s.read_when, ["busy"], "previous.outcome in ['busy']"),
    (s.read_when, "call.tag == 'CALLBACK'", "call.tag == 'CALLBACK'"),
    (s.read_when, "true", "true"),
    (s.read_when, None, None),
    (s.read_agent, "movoice/agent_1", {"provider": "movoice", "id": "agent_1"}),
    (s.read_agent, "revmo/QUdF/TlQ=", {"provider": "revmo", "id": "QUdF/TlQ="}),
    (s.read_agent, {"id": "x"}, {"id": "x"}),
    (s.read_contacts, "people.csv", {"file": "people.csv"}),
    (s.read_contacts, [{"phone": "x"}], {"inline": [{"phone": "x"}]}),
    (s.read_contacts, {"file": "x"}, {"file": "x"}),
    (s.read_variable, "{{ contact.name }}", {"value": "{{ contact.name }}"}),
    (s.read_variable, {"value": "1", "type": "number"}, {"value": "1", "type": "number"}),
]

_WINDOW = "write days and hours: mon-fri 09:00-18:00"
_RETRY = "write: 3 times, 2h apart   (or: never)"
_AGENT = "write provider/id, for example revox/asst_8f2c"
_DAY = "write: mon tue wed thu fri sat sun, mon-fri or daily"
REFUSED: list[tuple[Callable[[Any], Any], Any, str, str]] = [
    (s.read_days, "monday-fryday", "`fryday` is not a day", _DAY),
    (s.read_days, "", "`` is not a day", _DAY),
    (s.read_days, "mon,", "`` is not a day", _DAY),
    (s.read_days, "mon-tue-wed", "`mon-tue-wed` is not a day or a span of days", "write: mon-fri, or mon, wed, fri"),
    (s.read_days, [], "a window names at least one day", "write: mon-fri, or daily"),
    (s.read_windows, "mon-fri", "`mon-fri` is not a window", _WINDOW),
    (s.read_windows, "mon-fri 25:00-26:00", "`mon-fri 25:00-26:00` is not a window", _WINDOW),
    (s.read_windows, "mon-fri 10-18", "`mon-fri 10-18` is not a window", _WINDOW),
    (s.read_windows, "mon-fri 10:00", "`mon-fri 10:00` is not a window", _WINDOW),
    (s.read_windows, "mon 9:00-12:00;", "`` is not a window", _WINDOW),
    (s.read_windows, "moon 9:00-12:00", "`moon` is not a day", _DAY),
    (s.read_retry, "sometimes", "`sometimes` is not a retry rule", _RETRY),
    (s.read_retry, "3", "`3` is not a retry rule", _RETRY),
    (s.read_retry, "3 times, soon", "`3 times, soon` is not a retry rule", _RETRY),
    (s.read_retry, "3 times, 2h, 3h", "`3 times, 2h, 3h` is not a retry rule", _RETRY),
    (s.read_retry, "-3 times", "`-3 times` is not a retry rule", _RETRY),
    (s.read_retry, "3 times, on noanswer", "`noanswer` is not an outcome", "did you mean `no_answer`?"),
    (s.read_outcomes, "xyz", "`xyz` is not an outcome", f"one of: {OUTCOMES}"),
    (s.read_outcomes, ["voice_mail"], "`voice_mail` is not an outcome", "did you mean `voicemail`?"),
    (s.read_when, "noanswer", "`noanswer` is not an outcome", "did you mean `no_answer`?"),
    (s.read_agent, "movoice", "`movoice` is not an agent", _AGENT),
    (s.read_agent, "movoice/", "`movoice/` is not an agent", _AGENT),
    (s.read_agent, "/agent_1", "`/agent_1` is not an agent", _AGENT),
    (s.read_agent, "https://x/y", "`https://x/y` is not an agent", _AGENT),
]


@pytest.mark.parametrize(("read", "short", "long"), READ, ids=[f"{row[0].__name__} {row[1]}" for row in READ])
def test_short_forms(read: Callable[[Any], Any], short: Any, long: Any) -> None:
    assert read(short) == long


@pytest.mark.parametrize(
    ("read", "short", "message", "help"), REFUSED, ids=[f"{row[0].__name__} {row[1]}" for row in REFUSED]
)
def test_what_is_said_about_the_others(read: Callable[[Any], Any], short: Any, message: str, help: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        read(short)
    assert refused.value.context == {"message": message, "help": help}
    assert refused.value.message() == message
    assert refused.value.type == "C10"


def test_reading_what_was_read_changes_nothing() -> None:
    for read, short, _ in READ:
        if read in {s.read_days, s.read_windows, s.read_retry, s.read_outcomes, s.read_when}:
            assert read(read(short)) == read(short)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    for read in (s.read_days, s.read_windows, s.read_retry, s.read_outcomes, s.read_when, s.read_agent):
        try:
            read(text)
        except PydanticCustomError as refused:
            assert refused.context
            assert refused.context["message"]
            assert refused.context["help"]
