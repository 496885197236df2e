"""How hard to try, as people write it: lists of waits, outcomes with rules of their own, conditions, last starts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from runner.cli.show import long_form
from runner.model.campaign import Campaign
from runner.model.outcome import Outcome
from runner.model.retry import OutcomeRetry, Retry
from tests.building import campaign

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def retry(**given: Any) -> Retry:
    found = campaign(retry=given).steps[0].retry
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2h", (2 * HOUR,)), (["30m", "2h", "1d"], (30 * MINUTE, 2 * HOUR, DAY)), (["90s"], (timedelta(seconds=90),)),
        ("PT2H", (2 * HOUR,)), ("0s", (timedelta(0),)),
    ],
)  # fmt: skip
def test_waits(written: Any, expected: tuple[timedelta, ...]) -> None:
    assert retry(after=written).after == expected
    assert retry(on={"busy": written}).on == {Outcome.BUSY: OutcomeRetry(after=expected)}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("busy, no_answer", {"busy": {}, "no_answer": {}}),
        (["failed"], {"failed": {}}),
        ({"busy": None, "failed": {"attempts": 2}}, {"busy": {}, "failed": {"attempts": 2}}),
        ({"busy": "5m", "failed": ["1h", "2h"]}, {"busy": {"after": "5m"}, "failed": {"after": ["1h", "2h"]}}),
        ([], {}),
    ],
)
def test_outcomes(written: Any, expected: dict[str, Any]) -> None:
    rules = {Outcome(name): OutcomeRetry.model_validate(rule) for name, rule in expected.items()}
    assert retry(on=written).on == rules
    assert list(retry(on=written).on) == list(rules)


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ({"attempts": 4, "on": ["busy"]}, {"busy": 4, "failed": 0}),
        ({"attempts": 4, "on": {"busy": {"attempts": 2}, "failed": None}}, {"busy": 2, "failed": 4, "voicemail": 0}),
    ],
)
def test_how_many_tries_may_end_in_an_outcome(given: dict[str, Any], limits: dict[str, int]) -> None:
    assert {name: retry(**given).limit_of(Outcome(name)) for name in limits} == limits


RULES: list[dict[str, Any]] = [
    {"retry": "3 times, 2h apart, on busy"},
    {
        "retry": {
            "attempts": 5,
            "after": ["30m", "2h"],
            "on": {"busy": "10m", "voicemail": {"attempts": 2}, "failed": None},
        }
    },
    {"retry": {"attempts": 5, "backoff": 1.5, "at_most": "1d", "jitter": "full", "expires": "3d"}},
    {"retry": {"attempts": 2, "call_twice_in_a_row": True, "best_hours": "spread", "stop_when": "answered"}},
    {"callback": {"tag": "LATER", "at": "when", "times": 0}, "done_when": "tag == 'BOOKED'"},
    {"steps": [{"call": "agent", "until": "2d"}, {"call": "agent", "until": "2026-12-01T18:00"}]},
    {"steps": [{"call": "agent", "until": "2026-12-01T18:00:00+01:00"}]},
]


@pytest.mark.parametrize("rules", RULES)
def test_what_the_ledger_keeps_reads_back_the_same(rules: dict[str, Any]) -> None:
    written = campaign(**rules)
    assert Campaign.model_validate_json(written.model_dump_json(exclude_none=True)) == written
    assert Campaign.model_validate(written.model_dump(mode="json", exclude_none=True)).canonical() == written


@pytest.mark.parametrize("rules", [*RULES, {"retry": {"attempts": 2, "on": []}}])
def test_what_is_shown_means_the_same(rules: dict[str, Any]) -> None:
    written = campaign(**rules)
    shown = YAML(typ="safe", pure=True).load(long_form(written))
    assert Campaign.model_validate(shown).canonical() == written


def test_a_retry_that_an_older_version_wrote_down_is_read() -> None:
    old = {"attempts": 3, "after": "2h", "on": ["no_answer", "busy", "voicemail"]}
    assert retry(**old) == Retry(attempts=3)
    assert Retry(attempts=3).model_dump(mode="json", exclude_none=True).items() >= old.items()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("answered, replied", "outcome in ['answered', 'replied']"),
        (["busy"], "outcome in ['busy']"),
        ("tag == 'BOOKED'", "tag == 'BOOKED'"),
        ("true", "true"),
    ],
)
def test_conditions_of_an_ending(written: Any, expected: str) -> None:
    found = campaign(done_when=written, retry={"attempts": 2, "stop_when": written})
    assert found.done_when == expected
    assert found.steps[0].retry is not None
    assert found.steps[0].retry.stop_when == expected


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2d", 2 * DAY),
        ("2026-12-01T18:00Z", datetime(2026, 12, 1, 18, 0, tzinfo=UTC)),
        ("2026-12-01", datetime.fromisoformat("2026-12-01")),
    ],
)
def test_last_starts(until: str, expected: timedelta | datetime) -> None:
    assert campaign(steps=[{"call": "agent", "until": until}]).steps[0].until == expected


@pytest.mark.parametrize(
    ("given", "message", "help"),
    [
        ({"retry": {"after": []}}, "this list of waits is empty", "write: 2h, or [30m, 2h, 1d]"),
        ({"retry": {"after": ["2h", "soon"]}}, "`soon` is not a duration", "write: 90s, 5m, 2h or 1d"),
        ({"retry": {"on": {"busy": "5x"}}}, "`5x` is not a duration", "write: 90s, 5m, 2h or 1d"),
        ({"retry": {"on": {"no_anser": "2h"}}}, "`no_anser` is not an outcome", "did you mean `no_answer`?"),
        ({"retry": {"stop_when": ["no_anser"]}}, "`no_anser` is not an outcome", "did you mean `no_answer`?"),
        (
            {"steps": [{"call": "agent", "until": "tomorrow at 3pm"}]},
            "`tomorrow at 3pm` is neither a span nor a date and time",
            "write: 2d, or 2026-12-01T18:00",
        ),
    ],
)
def test_what_makes_no_sense_is_said_once(given: dict[str, Any], message: str, help: str) -> None:
    with pytest.raises(ValidationError) as wrong:
        campaign(**given)
    (one,) = wrong.value.errors()
    assert (one["msg"], one["ctx"]["help"]) == (message, help)
