"""What holds for every test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from runner.rules.scrub import SECRETS


@pytest.fixture(autouse=True)
def secrets_of_one_test_alone() -> Iterator[None]:
    """Forget the secrets that a test resolved: another test may use such a word for something else."""
    yield
    vars(SECRETS).update(vars(type(SECRETS)()))
