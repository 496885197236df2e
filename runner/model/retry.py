"""How hard to try: tries, waits between them, what ends them, and calls back at a time that a person named."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer

from runner.model import shorthand
from runner.model.durations import format_duration
from runner.model.fields import Duration, FilePart, PositiveInt
from runner.model.outcome import Outcome

LONGEST_BACKOFF = timedelta(days=1)
"""the longest wait that growing waits come to when `at_most` is absent"""

RETRIED = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.VOICEMAIL)
"""the outcomes that call for another try when `on` is absent"""


def _delays_text(delays: tuple[timedelta, ...]) -> str | list[str]:
    texts = [format_duration(one) for one in delays]
    return texts[0] if len(texts) == 1 else texts


Delays = Annotated[
    tuple[Duration, ...],
    BeforeValidator(shorthand.read_delays),
    PlainSerializer(_delays_text, return_type=str | list[str]),
]
"""waits before the second try, the third and so on; the last one repeats"""


class OutcomeRetry(FilePart):
    """What is different after one outcome."""

    after: Delays | None = None
    """How long to wait after this outcome, the first time, the second and so on; what holds otherwise when absent."""
    attempts: PositiveInt | None = None
    """How many tries may end like this before there is no other one; as many as there are when absent."""


def _retried_text(rules: Mapping[Outcome, OutcomeRetry]) -> list[str] | dict[str, Any]:
    if not any(rule.model_fields_set for rule in rules.values()):
        return [outcome.value for outcome in rules]
    return {outcome.value: rule.model_dump(mode="json", exclude_none=True) for outcome, rule in rules.items()}


class Retry(FilePart):
    """How hard to try: one budget for each contact and step."""

    attempts: PositiveInt = 1
    """How many tries there are in all, the first included."""
    after: Delays = (shorthand.TWO_HOURS,)
    """How long to wait after a try ended before the next one; a list such as `[30m, 2h, 1d]` for each wait its own."""
    on: Annotated[
        dict[Outcome, OutcomeRetry],
        BeforeValidator(shorthand.read_retried),
        PlainSerializer(_retried_text, return_type=list[str] | dict[str, Any]),
    ] = dict.fromkeys(RETRIED, OutcomeRetry())
    """The outcomes that call for another try, or a map from each to its own wait: `{busy: 10m, no_answer: 2h}`."""
    backoff: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] | None = None
    """By what `after` grows from one wait to the next: 2 doubles it."""
    at_most: Duration | None = None
    """The longest wait that `backoff` comes to; one day when absent."""
    jitter: Literal["none", "full"] = "none"
    """`full` waits anything from a minute up to `after`, drawn for each try from its key, so that people spread."""
    call_twice_in_a_row: bool = False
    """Make the second try at once if the first met no human."""
    best_hours: Literal["any", "spread"] = "any"
    """`spread` avoids hours of the day in which the person was tried already, if the windows leave another one."""
    expires: Duration | None = None
    """How long after the step became due anything is tried at all; a later try is not made."""
    stop_when: Annotated[str | None, BeforeValidator(shorthand.read_outcome_condition)] = None
    """End the step's tries if this is true, such as `tag == 'REFUSED'`."""

    def limit_of(self, outcome: Outcome) -> int:
        """Give how many tries may end in an outcome; 0 for one that calls for no other try."""
        rule = self.on.get(outcome)
        return 0 if rule is None else rule.attempts or self.attempts


class Callback(FilePart):
    """A call back at the time that the person named; it is none of the step's tries."""

    tag: str = "CALLBACK"
    """The tag with which the agent says that the person wants to be called back."""
    at: str = "callback_at"
    """The field of the structured output that holds the time, such as `2026-12-01T15:00`."""
    times: Annotated[int, Field(ge=0)] = 1
    """How often a person is called back for each step; 0 for never."""


RetryPolicy = Annotated[Retry, BeforeValidator(shorthand.read_retry)]
