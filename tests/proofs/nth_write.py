"""The proof by failing writes: the ledger fails at its Nth write, N = 1, 2, 3 ..., and no request leaves unannounced."""

from __future__ import annotations

import asyncio
import logging

from tests.faults.nth_write import Failure, Toll, failed
from tests.proofs.proof import Figure, Proof, Share

_AT_ONCE = 5
_SOME: tuple[tuple[Failure, int], ...] = (
    (Failure.FULL, 1),
    (Failure.FULL, 24),
    (Failure.STAYS_FULL, 40),
    (Failure.IO_ERROR, 60),
    (Failure.LOCKED, 7),
    (Failure.LIED, 4),
    (Failure.LIED, 6),
    (Failure.FULL, 100_000),
)
"""what a small share tries; the last is never reached, so it shows that an untouched run is sound"""


def prove(share: Share) -> Figure:
    """Fail some writes, or all there are in every way."""
    level = logging.getLogger("runner").level
    logging.getLogger("runner").setLevel(logging.CRITICAL)
    try:
        toll, last = asyncio.run(_some() if share is Share.SMALL else _all())
    finally:
        logging.getLogger("runner").setLevel(level)
    found = toll.found
    said = (
        f"{toll.runs:,} runs, {toll.struck:,} of them with a failed write ({last}), {toll.requests:,} requests:"
        f" {len(toll.unannounced)} without a durable intent; after a second run {len(found.lost)} lost,"
        f" {len(found.twice)} attempts dialled twice, {len(found.held_elsewhere('revmo'))} held where there is a read"
        f" side, {len(found.held_at('revmo'))} at revmo, which has none"
    )
    return Figure(said="; ".join([said, *toll.wrong[:5]]), holds=not toll.wrong and toll.struck > 0)


async def _some() -> tuple[Toll, str]:
    tolls = await asyncio.gather(*(failed(how, at) for how, at in _SOME))
    return sum(tolls, Toll()), "a small share"


async def _all() -> tuple[Toll, str]:
    """Go on with N in each way until the failures of a whole batch were never reached."""
    toll, ends = Toll(), []
    for how in Failure:
        at = 1
        while True:
            batch = await asyncio.gather(*(failed(how, at + step) for step in range(_AT_ONCE)))
            toll = sum(batch, toll)
            at += _AT_ONCE
            if not any(one.struck for one in batch):
                break
        ends.append(f"{how} up to write {at - _AT_ONCE - 1}")
    return toll, ", ".join(ends)


PROOFS = (
    Proof(
        name="nth-write",
        promise="Whichever write of the ledger fails, and however, no request leaves without a durable intent;"
        " after a plain second run nobody is lost and nobody was dialled twice.",
        run=prove,
    ),
)
