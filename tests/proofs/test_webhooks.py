"""The small share of the proof by a storm of webhooks, and its judge, which must see what it is there for."""

from __future__ import annotations

from tests.proofs.proof import Share
from tests.proofs.webhooks import prove


def test_a_storm() -> None:
    figure = prove(Share.SMALL)

    assert figure.holds, figure.said
