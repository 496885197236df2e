"""Recovery at the start: put right what the last runner left behind, and say what was found."""

from __future__ import annotations

from runner.engine.native import NativeDelivery
from runner.engine.reconciliation import Reconciliation
from runner.model.attempt import AttemptState
from runner.model.lease import Recovered
from runner.ports import Ledger


def recover(ledger: Ledger, tools: Reconciliation, native: NativeDelivery, epoch: int) -> Recovered:
    """Put everything right inside the transaction that is open, note it in the events, and give what was found.

    What was claimed was not sent. What was being sent may have been.
    """
    put_back = tools.put_back(ledger)
    in_doubt = tools.doubt(ledger) + native.doubts.recover(ledger)
    doubtful = ledger.in_state(AttemptState.IN_DOUBT) if in_doubt else []
    looked_up = [work.attempt.poll_at for work in doubtful if work.attempt.poll_at is not None]
    found = Recovered(
        epoch=epoch,
        put_back=put_back,
        in_doubt=in_doubt,
        looked_up_at=min(looked_up, default=None),
        waiting_letters=ledger.leases.waiting_letters(),
        handovers=len(ledger.handovers.unfinished()),
    )
    ledger.letters.note(
        tools.clock.now(), None, "recovered", epoch=epoch, put_back=found.put_back, in_doubt=found.in_doubt,
        waiting_letters=found.waiting_letters, handovers=found.handovers,
    )  # fmt: skip
    return found
