"""A small share of the proof `state-machine`."""

from __future__ import annotations

from tests.proofs.proof import Share
from tests.proofs.state_machine import PROOFS


def test_the_promises_hold_whatever_happens() -> None:
    figure = PROOFS[0].run(Share.SMALL)
    assert figure.holds, figure.said
