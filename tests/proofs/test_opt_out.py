"""The small share of the proof of opt-outs, and its judge, which must see a call after one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from runner.engine.delivery import Delivery
from runner.model.attempt import Assignment, AttemptState
from runner.model.move import ContactState, Move
from runner.ports import Ledger
from tests.proofs.opt_out import prove
from tests.proofs.proof import Share


def test_opt_outs() -> None:
    figure = prove(Share.SMALL)

    assert figure.holds, figure.said


def test_an_engine_that_trusts_its_claim_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write intents for whatever was claimed, without another look at what forbids them."""

    def hasty(self: Delivery, ledger: Ledger, claimed: Sequence[Assignment]) -> list[Assignment]:
        now = self.clock.now()
        sending = [
            Move(
                attempt_id=work.attempt.id, old=AttemptState.CLAIMED, new=AttemptState.SENDING, at=now, sent_at=now,
                contact=ContactState.CALLING,
            )
            for work in claimed
        ]  # fmt: skip
        ledger.move(sending)
        return list(claimed)

    monkeypatch.setattr(Delivery, "_intend", hasty)
    figure = prove(Share.SMALL)

    assert not figure.holds
    assert "0 dials after" not in figure.said
