"""Proof: whatever happens to the engine, in whichever order, the promises hold after each step."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.proofs.proof import Figure, Proof, Share
from tests.rehearsal.machine import Runner

EXAMPLES, STEPS = int(os.environ.get("OUTREACH_EXAMPLES", "20000")), 50
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
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(_in_a_process, pieces))
    failed = [(piece, output) for piece, (code, output) in zip(pieces, done, strict=True) if code]
    for (_, _, seed), output in failed:
        sys.stdout.write(f"--- seed {seed}\n{output}\n")
    examples, steps = sum(piece[0] for piece in pieces), pieces[0][1]
    said = f"{examples:,} examples of up to {steps} steps, {len(failed)} of {len(pieces)} pieces with a violation"
    return Figure(said=said, holds=not failed)


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
