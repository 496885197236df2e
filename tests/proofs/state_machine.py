"""Proof: whatever happens to the engine, in whichever order, the promises hold after each step."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proofs.proof import Figure, Proof, Share
from tests.rehearsal.machine import Runner

EXAMPLES, STEPS = int(os.environ.get("OUTREACH_EXAMPLES", "20000")), 50
_SECONDS = 60 * float(os.environ.get("OUTREACH_MINUTES", "inf"))
"""how long pieces are begun; the figure says how many examples that gave"""
_SMALL_EXAMPLES, _SMALL_STEPS = 25, 30
_PIECE = 500
"""examples of one process; each piece has a seed of its own"""
_SELDOM = (20_000, 20, 50)
"""how seldom garbage is collected: little of it lies in circles"""
_ROOT = Path(__file__).resolve().parents[2]


def proof(share: Share) -> Figure:
    """Run pieces of the machine in processes of their own, as many at once as there are processors."""
    pieces = [(_SMALL_EXAMPLES, _SMALL_STEPS, 0)]
    if share is Share.FULL:
        pieces = [(_PIECE, STEPS, seed) for seed in range(EXAMPLES // _PIECE)]
    until = time.monotonic() + _SECONDS
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = pool.map(lambda piece: _in_a_process(piece) if time.monotonic() < until else None, pieces)
        done = [(piece, one) for piece, one in zip(pieces, found, strict=True) if one is not None]
    failed = [(piece, output) for piece, (code, output) in done if code]
    for (_, _, seed), output in failed:
        sys.stdout.write(f"--- seed {seed}\n{output}\n")
    examples, asked = (sum(piece[0] for piece in some) for some in ([piece for piece, _ in done], pieces))
    of = "" if examples == asked else f" of {asked:,}, in the time there was"
    said = f"{examples:,} examples{of}, of up to {pieces[0][1]} steps; {len(failed)} of {len(done)} pieces with a violation"
    return Figure(said=said, holds=bool(done) and not failed)


PROOFS = (
    Proof(
        name="state-machine",
        promise="Crashes, faults, edits, opt-outs and webhooks in any order break none of the promises of a campaign.",
        run=proof,
    ),
)


def run_machine(examples: int, steps: int, seed: int) -> None:
    """Run examples of the state machine that depend on the seed alone; raises what it finds, shrunk."""
    gc.freeze()
    gc.set_threshold(*_SELDOM)
    Runner._hypothesis_internal_use_seed = seed  # what `hypothesis.seed` sets on a test
    run_state_machine_as_test(
        Runner,
        settings=settings(
            max_examples=examples, stateful_step_count=steps, deadline=None, database=None,
            phases=[Phase.generate, Phase.shrink], suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip


def _in_a_process(piece: tuple[int, int, int]) -> tuple[int, str]:
    examples, _, seed = piece
    command = [sys.executable, "-m", "tests.proofs.state_machine", *map(str, piece)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False)
    verdict = "a violation" if done.returncode else "nothing"
    sys.stderr.write(f"{examples} examples of seed {seed}: {verdict}\n")
    return done.returncode, (done.stdout + done.stderr)[-20_000:]


if __name__ == "__main__":
    run_machine(*map(int, sys.argv[1:4]))
