"""A small share of the state machine; the proof `state-machine` runs all of it."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.rehearsal.machine import Runner


def test_the_promises_hold_whatever_happens() -> None:
    run_state_machine_as_test(
        Runner,
        settings=settings(
            max_examples=60, stateful_step_count=30, deadline=None, derandomize=True, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
