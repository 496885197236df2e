"""The proof by kills: the real command is killed at random instants under load, with and without faults of the providers."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.faults.kill_loop import DIALS, Load, Toll, kill_loop
from tests.proofs.proof import Figure, Proof, Share

_LOOPS = 2
"""loops side by side, each with a ledger, a sandbox and a runner of its own"""
_KILLS = int(os.environ.get("OUTREACH_KILLS", "1000"))
_KILLS_EACH = int(os.environ.get("OUTREACH_KILLS_EACH", "40"))
"""kills under each fault of the sandbox"""

FAULTS: Mapping[str, Mapping[str, Any]] = {
    "refuse": {"kind": "refuse"},
    "drop_before": {"kind": "drop_before"},
    "drop_after": {"kind": "drop_after"},
    "hang_after": {"kind": "hang_after", "seconds": 1.0},
    "slow": {"kind": "slow", "seconds": 0.5},
    "500": {"kind": "status"},
    "500 after it took effect": {"kind": "status", "effect": True},
    "429": {"kind": "status", "status": 429, "retry_after": "delta", "seconds": 1.0},
    "malformed": {"kind": "malformed"},
    "html": {"kind": "html"},
    "redirect": {"kind": "redirect"},
    "big": {"kind": "big"},
    "wrong_generation": {"kind": "wrong_generation"},
}
"""every fault of the sandbox, as it befalls a twentieth of all requests"""
_SHARE = 0.05
_SOME = ("drop_after", "500")
ALL_AT_ONCE = "all at once"


def loads() -> dict[str, Load]:
    """Give a load for each fault alone and one for all of them, each at five in a hundred of the requests."""
    alone = {name: _load([fault]) for name, fault in FAULTS.items()}
    return alone | {ALL_AT_ONCE: _load(list(FAULTS.values()))}


def prove(share: Share) -> Figure:
    """Kill a runner whose providers do as they should."""
    if share is Share.SMALL:
        toll = kill_loop(Load(people=15), kills=4, seed=1)
    else:
        with ThreadPoolExecutor(_LOOPS) as loops:
            each = loops.map(lambda seed: kill_loop(Load(), kills=_KILLS // _LOOPS, seed=seed), range(_LOOPS))
            toll = sum(each, Toll())
    # Kills of a runner that does nothing prove nothing.
    is_harsh = share is Share.SMALL or (toll.at_work * 2 > toll.kills >= _KILLS and toll.found.killed_sending > 0)
    return Figure(said=toll.said, holds=toll.holds and is_harsh)


def prove_with_faults(share: Share) -> Figure:
    """Kill a runner while every fault of the sandbox befalls its requests, each alone and then all."""
    chosen = {name: load for name, load in loads().items() if share is Share.FULL or name in _SOME}
    kills, loops = (_KILLS_EACH, _LOOPS) if share is Share.FULL else (2, _LOOPS)
    if share is Share.SMALL:
        chosen = {name: Load(people=8, faults=load.faults) for name, load in chosen.items()}
    with ThreadPoolExecutor(loops) as side_by_side:
        tolls = list(side_by_side.map(lambda load: kill_loop(load, kills=kills, seed=2), chosen.values()))
    whole = sum(tolls, Toll())
    failed = [f"under {name}: {toll.said}" for name, toll in zip(chosen, tolls, strict=True) if not toll.holds]
    said = f"{len(chosen)} plans of faults at {_SHARE:.0%} of the requests; {whole.said}"
    return Figure(said="; ".join([said, *failed]), holds=whole.holds)


def _load(faults: Sequence[Mapping[str, Any]]) -> Load:
    slow = {"kind": "slow", "share": 0.2, "seconds": 0.15, "path": DIALS}
    return Load(people=100, faults=[*({**fault, "share": _SHARE} for fault in faults), slow])


PROOFS = (
    Proof(
        name="kill-loop",
        promise="Killed by SIGKILL at any instant, over and over, the runner dials nobody twice for one attempt and"
        " loses nobody; what it cannot know it looks for, and holds only where the provider cannot be asked.",
        run=prove,
    ),
    Proof(
        name="kill-loop-faults",
        promise="The same while each fault of the sandbox befalls 5 % of all requests, alone and together with all others.",
        run=prove_with_faults,
    ),
)
