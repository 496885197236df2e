"""The proof by stops: a runner that sleeps while another one takes its ledger over sends nothing when it wakes up."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from tests.faults.woken import Wakings, one_waking
from tests.proofs.proof import Figure, Proof, Share

_SMALL = (2, 3)
"""rounds that stop a runner with intents that are durable, and right before a request"""
_ROUNDS = int(os.environ.get("OUTREACH_WAKINGS", "100"))
_SIDE_BY_SIDE = 5
"""rounds at once, each with a ledger, a sandbox and runners of its own: most of a round is the waiting for a lease"""


def prove(share: Share) -> Figure:
    """Stop, take over and wake up, round after round."""
    small = share is Share.SMALL
    seeds = _SMALL if small else range(_ROUNDS)
    with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
        found = sum(pool.map(lambda seed: one_waking(seed, people=6 if small else 15), seeds), Wakings())
    # A runner that was stopped with nothing to do proves nothing.
    is_harsh = found.met * 2 > found.rounds
    return Figure(said=found.said, holds=found.holds and is_harsh)


PROOFS = (
    Proof(
        name="woken",
        promise="A runner that is stopped at any instant, and wakes up after another one has taken its ledger over,"
        " sends nothing any more and ends; nobody is dialled twice for one attempt, and nobody is lost.",
        run=prove,
    ),
)
