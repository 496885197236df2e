"""Every fault of the matrix, F1 to F44, by the tests that carry its name."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.faults.catalogue import FAULTS
from tests.proofs.proof import Figure, Proof, Share

_ROOT = Path(__file__).resolve().parents[2]


def run(share: Share) -> Figure:
    """Run the tests of all faults, or of the first three for a small share, and count the faults that came out as expected."""
    wanted = list(FAULTS) if share is Share.FULL else ["F8", "F19", "F30"]
    with tempfile.TemporaryDirectory() as name:
        counts = Path(name) / "faults.json"
        pick = [] if share is Share.FULL else ["-k", "huge_answer or bound_is_ten_thousand or hard_days"]
        words = ["-m", "pytest", "-p", "tests.faults.counting", "--faults-to", str(counts), "-m", "fault", *pick]
        workers = "2" if share is Share.FULL else "0"
        subprocess.run([sys.executable, *words, "-n", workers, "tests"], cwd=_ROOT, capture_output=True, check=False)
        found = json.loads(counts.read_text("utf-8"))
    good = [one for one in wanted if found["passed"].get(one) and not found["failed"].get(one)]
    bad = [one for one in wanted if one not in good]
    said = f"{len(good)} of {len(wanted)} faults as expected, by {sum(found['passed'].values()):,} tests"
    return Figure(said=said + (f"; not as expected: {', '.join(bad)}" if bad else ""), holds=not bad)


PROOFS = (
    Proof(
        name="fault-matrix",
        promise="Whatever goes wrong in a request, an answer, a webhook, a file, a clock, a disk or a process, what "
        "comes of it is the one thing that [the matrix](faults.md#the-matrix) says.",
        run=run,
    ),
)
