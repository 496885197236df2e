"""The proof by a storm of webhooks: repeated, in any order, while their receiver is killed and started again."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.e2e.processes import sandbox_process
from tests.faults.webhook_storm import Storm, blow
from tests.proofs.proof import Figure, Proof, Share

_FEW = Storm(webhooks=120, kills=1, a_second=80.0, quiet=100)
_P99_SECONDS = 0.05


def prove(share: Share) -> Figure:
    """Push webhooks; the time of the answers is held to its bound in a full run only, on a quiet machine."""
    storm = Storm() if share is Share.FULL else _FEW
    with tempfile.TemporaryDirectory(prefix="webhooks-") as name:
        folder = Path(name)
        with sandbox_process(folder) as sandbox:
            blown = blow(folder / "project", sandbox, storm)
    in_time = blown.p99 < _P99_SECONDS or share is Share.SMALL
    said = (
        f"{blown.webhooks:,} webhooks in {blown.deliveries:,} deliveries at {storm.a_second:g} a second, the receiver"
        f" killed {blown.kills} times, {blown.retried:,} deliveries tried again: {len(blown.wrong)} lost, applied twice"
        f" or with a wrong outcome; answers in the quiet stretch of {len(blown.quiet):,}: p50 {blown.p50 * 1000:.1f} ms,"
        f" p99 {blown.p99 * 1000:.1f} ms"
    )
    holds = not blown.wrong and in_time and blown.kills == storm.kills
    return Figure(said="; ".join([said, *blown.wrong[:5]]), holds=holds)


PROOFS = (
    Proof(
        name="webhooks",
        promise="A webhook that was answered 2xx is applied once and rightly, however often and in whatever order it"
        " comes and whenever the receiver is killed; 99 of 100 answers come within 50 ms at 200 a second.",
        run=prove,
    ),
)
