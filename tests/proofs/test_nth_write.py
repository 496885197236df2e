"""The small share of the proof by failing writes, and its witness, which must see a request without an intent."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runner.engine.delivery import Delivery
from tests.faults.nth_write import Failure, failed
from tests.proofs.nth_write import prove
from tests.proofs.proof import Share


def test_failing_writes() -> None:
    figure = prove(Share.SMALL)

    assert figure.holds, figure.said


def test_the_witness_sees_a_request_that_left_before_its_intent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Requests that leave with their claim alone, as a runner would send that writes down only what was done."""

    async def hasty(self: Delivery, claimed: Any) -> None:
        await asyncio.gather(*(self._send(work, float("inf")) for work in claimed), return_exceptions=True)

    monkeypatch.setattr(Delivery, "_deliver", hasty)
    monkeypatch.setattr("tests.faults.nth_write._SECONDS", 3)
    toll = asyncio.run(failed(Failure.FULL, 100_000))

    assert toll.unannounced
