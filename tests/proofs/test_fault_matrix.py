"""The proof of the matrix: a share of it holds, and a test that fails, or is skipped, shows nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.cli.running import REPOSITORY
from tests.proofs.fault_matrix import run
from tests.proofs.proof import Share

_TESTS = """\
import pytest

@pytest.mark.fault("F1")
def test_good():
    pass

@pytest.mark.fault("F2")
@pytest.mark.parametrize("number", [1, 2])
def test_bad(number):
    assert number == 1

@pytest.mark.fault("F3")
@pytest.mark.skip
def test_skipped():
    pass

@pytest.mark.fault("F4")
def test_broken(no_such_fixture):
    pass

def test_of_no_fault():
    pass
"""


def test_a_share_of_it_holds() -> None:
    figure = run(Share.SMALL)

    assert figure.holds, figure.said
    assert figure.said.startswith("3 of 3 faults as expected")


def test_what_fails_or_is_left_out_counts_against_its_fault(tmp_path: Path) -> None:
    (tmp_path / "test_some.py").write_text(_TESTS, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    fault(name)\n", encoding="utf-8")
    counts = tmp_path / "counts.json"
    words = ["-m", "pytest", "-p", "tests.faults.counting", "--faults-to", str(counts), "-n", "2", str(tmp_path)]
    done = subprocess.run([sys.executable, *words], cwd=REPOSITORY, capture_output=True, check=False, timeout=60)

    assert done.returncode == 1
    assert json.loads(counts.read_text("utf-8")) == {
        "passed": {"F1": 1, "F2": 1},
        "failed": {"F2": 1, "F3": 1, "F4": 1},
    }
