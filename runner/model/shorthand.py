"""The short forms of a campaign file, each read into its one long form.

A short form reads like a sentence (`3 times, 2h apart, on no_answer`); the readers here turn it
into the map that the models validate, and raise a sentence with a line to paste otherwise.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from runner.model.durations import parse_clock_time, parse_duration
from runner.model.fields import wrong
from runner.model.outcome import Outcome

NO_TIME = timedelta(0)
TWO_HOURS = timedelta(hours=2)
DEFAULT_WINDOWS = "mon-fri 10:00-18:00"

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONG_DAYS = {
    "monday": "mon", "tuesday": "tue", "tues": "tue", "wednesday": "wed", "thursday": "thu",
    "thur": "thu", "thurs": "thu", "friday": "fri", "saturday": "sat", "sunday": "sun",
}  # fmt: skip
_DAY_GROUPS = {
    "daily": _DAYS, "every day": _DAYS, "weekdays": _DAYS[:5], "weekends": _DAYS[5:],
}  # fmt: skip
_WINDOW = re.compile(
    r"(?:(?P<days>.*?)\s+)?(?P<from>[\d:]+\s*(?:[ap]\.?m\.?)?)\s*(?:-|–|to)\s*(?P<to>[\d:]+\s*(?:[ap]\.?m\.?)?)",
    re.IGNORECASE,
)
_TIMES = re.compile(r"(\d+)\s+times?|(once)|(twice)", re.IGNORECASE)
_APART = re.compile(r"(?:every\s+)?(.+?)\s*(?:apart|later)?", re.IGNORECASE)
_OUTCOMES = tuple(outcome.value for outcome in Outcome)
_LITERALS = frozenset({"true", "false"})
_OUTCOME_LIST = re.compile(r"[a-z_]+(?:\s*,\s*[a-z_]+)*")

_WINDOW_HELP = "write days and hours: mon-fri 09:00-18:00"
_RETRY_HELP = "write: 3 times, 2h apart   (or: never)"
_AGENT_HELP = "write provider/id, for example revox/asst_8f2c"


def read_days(value: Any) -> Any:
    """Read `mon-fri`, `mon, wed`, `daily` or a list of days into a tuple of days in week order."""
    words = value if isinstance(value, (list, tuple)) else str(value).split(",")
    found: set[str] = set()
    for word in words:
        found.update(_day_span(str(word).strip().lower()))
    if not found:
        raise wrong("a window names at least one day", "write: mon-fri, or daily")
    return tuple(day for day in _DAYS if day in found)


def _day_span(word: str) -> tuple[str, ...]:
    if word in _DAY_GROUPS:
        return _DAY_GROUPS[word]
    ends = [_one_day(part) for part in re.split(r"\s*[-–]\s*|\s+to\s+", word)]
    if len(ends) == 1:
        return (ends[0],)
    if len(ends) != 2:  # noqa: PLR2004
        raise wrong(f"`{word}` is not a day or a span of days", "write: mon-fri, or mon, wed, fri")
    first, last = _DAYS.index(ends[0]), _DAYS.index(ends[1])
    length = (last - first) % 7 + 1
    return tuple(_DAYS[(first + step) % 7] for step in range(length))


def _one_day(word: str) -> str:
    day = _LONG_DAYS.get(word, word)
    if day not in _DAYS:
        raise wrong(f"`{word}` is not a day", "write: mon tue wed thu fri sat sun, mon-fri or daily")
    return day


def read_windows(value: Any) -> Any:
    """Read `mon-fri 10:00-18:00`, several joined by `;`, or a list of them, into long windows."""
    if isinstance(value, str):
        return [_window(part.strip()) for part in value.split(";")]
    if isinstance(value, dict):
        return [value]
    if isinstance(value, (list, tuple)):
        return [_window(item) if isinstance(item, str) else item for item in value]
    return value


def _window(text: str) -> dict[str, Any]:
    match = _WINDOW.fullmatch(text.strip())
    if match is None:
        raise wrong(f"`{text}` is not a window", _WINDOW_HELP)
    try:
        opens, closes = parse_clock_time(match["from"]), parse_clock_time(match["to"])
    except ValueError:
        raise wrong(f"`{text}` is not a window", _WINDOW_HELP) from None
    days = read_days((match["days"] or "daily").rstrip(", "))
    return {"days": list(days), "from": opens, "to": closes}


def read_retry(value: Any) -> Any:
    """Read `3 times, 2h apart, on no_answer, busy` or `never` into the long form."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() in {"never", "no"}:
        return {"attempts": 1}
    head, _, tail = text.partition(" on ")
    times, _, apart = head.rstrip(", ").partition(",")
    long: dict[str, Any] = {"attempts": _times(times.strip(), value)}
    if apart.strip():
        long["after"] = _apart(apart.strip(), value)
    if tail.strip():
        long["on"] = read_outcomes(tail)
    return long


def _times(text: str, whole: str) -> int:
    match = _TIMES.fullmatch(text)
    if match is None:
        raise wrong(f"`{whole}` is not a retry rule", _RETRY_HELP)
    return int(match[1]) if match[1] else 1 if match[2] else 2


def _apart(text: str, whole: str) -> timedelta:
    match = _APART.fullmatch(text)
    try:
        return parse_duration(match[1] if match else text)
    except ValueError:
        raise wrong(f"`{whole}` is not a retry rule", _RETRY_HELP) from None


def read_outcomes(value: Any) -> Any:
    """Read `no_answer, busy and voicemail` or a list of outcomes."""
    if isinstance(value, str):
        words = [word for word in re.split(r"\s*(?:,|\band\b|\bor\b)\s*", value.strip()) if word]
    elif isinstance(value, (list, tuple)):
        words = [str(word) for word in value]
    else:
        return value
    for word in words:
        if word not in _OUTCOMES:
            raise wrong(
                f"`{word}` is not an outcome", _did_you_mean(word, _OUTCOMES) or f"one of: {', '.join(_OUTCOMES)}"
            )
    return words


def read_delays(value: Any) -> Any:
    """Read one span into a list of one; leave a list of them as it is, unless it is empty."""
    if isinstance(value, (list, tuple)) and not value:
        raise wrong("this list of waits is empty", "write: 2h, or [30m, 2h, 1d]")
    return (value,) if isinstance(value, (str, timedelta)) else value


def read_retried(value: Any) -> Any:
    """Read outcomes, or a map from outcomes to a span, spans or a long form, into a map of long forms."""
    if isinstance(value, dict):
        return dict(zip(read_outcomes(list(value)), map(_after, value.values()), strict=True))
    words = read_outcomes(value)
    return {word: {} for word in words} if isinstance(words, list) else words


def _after(rule: Any) -> Any:
    if rule is None:
        return {}
    return {"after": rule} if isinstance(rule, (str, timedelta, list, tuple)) else rule


def read_outcome_condition(value: Any) -> Any:
    """Read a list of outcomes of the attempt that ended into an expression; leave an expression as it is."""
    return _outcome_condition(value, "outcome")


def read_words(value: Any) -> Any:
    """Read `US, DE-BY` or a list of words."""
    return [word.strip() for word in value.split(",") if word.strip()] if isinstance(value, str) else value


def read_when(value: Any) -> Any:
    """Read a list of outcomes of the step before into an expression; leave an expression as it is."""
    return _outcome_condition(value, "previous.outcome")


def _outcome_condition(value: Any, name: str) -> Any:
    is_list = isinstance(value, (list, tuple))
    is_sentence = isinstance(value, str) and _OUTCOME_LIST.fullmatch(value.strip()) and value.strip() not in _LITERALS
    if not is_list and not is_sentence:
        return value
    return f"{name} in {read_outcomes(value)!r}"


def read_agent(value: Any) -> Any:
    """Read `movoice/agent_12345` into the long form."""
    if not isinstance(value, str):
        return value
    provider, slash, agent = value.strip().partition("/")
    if not slash or not provider or not agent or ":" in provider:
        raise wrong(f"`{value}` is not an agent", _AGENT_HELP)
    return {"provider": provider, "id": agent}


def read_backups(step: Any) -> Any:
    """Read `call: [main, spare]` of a step into the agent and its backups."""
    if not isinstance(step, dict):
        return step
    for channel in ("call", "text"):
        names = step.get(channel)
        if not isinstance(names, (list, tuple)):
            continue
        if not names:
            raise wrong(f"`{channel}` names no agent", f"write: {channel}: agent-name")
        if "backups" in step:
            raise wrong(f"`{channel}` names backups, and so does `backups`", "keep one of them")
        step = {**step, channel: names[0], "backups": list(names[1:])}
    return step


def read_variant(value: Any) -> Any:
    """Read a bare weight into the long form."""
    return value if isinstance(value, dict) else {"weight": 1 if value is None else value}


def read_contacts(value: Any) -> Any:
    """Read a file name or a list of people into the long form."""
    if isinstance(value, str):
        return {"file": value}
    if isinstance(value, (list, tuple)):
        return {"inline": list(value)}
    return value


def read_variable(value: Any) -> Any:
    """Read a bare template into the long form."""
    return {"value": value} if isinstance(value, str) else value


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    import difflib  # noqa: PLC0415 only on the way to an error

    found = difflib.get_close_matches(word, known, n=1)
    return f"did you mean `{found[0]}`?" if found else ""
