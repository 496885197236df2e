"""The small share of the proof by stops."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.proof import Share
from tests.proofs.woken import prove

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks at processes by /proc")


@pytest.mark.fault("F24")
def test_runners_that_wake_up() -> None:
    figure = prove(Share.SMALL)

    assert figure.holds, figure.said
