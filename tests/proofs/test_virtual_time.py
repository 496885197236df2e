"""A small share of the proof `virtual-time`."""

from __future__ import annotations

from tests.proofs.proof import Share
from tests.proofs.virtual_time import PROOFS


def test_the_same_seed_gives_the_same_ledger() -> None:
    figure = PROOFS[0].run(Share.SMALL)
    assert figure.holds, figure.said
