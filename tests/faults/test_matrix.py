"""Each cell of the matrix: at most one dial, and the state that the fault's proof allows."""

from __future__ import annotations

import pytest

from tests.faults.matrix import AGENTS, FAULTS, cell

_HELD_WITHOUT_READ_SIDE = {
    "connection reset before it was read",
    "closed before it took effect",
    "closed after it took effect",
    "no answer after it took effect",
    "500 without effect",
    "500 with effect",
    "malformed JSON",
    "a page of HTML",
    "an answer of 10 MB",
}
"""faults after which nothing proves anything, unless the provider can be asked"""
_PAUSED = {"401", "a redirect"}
"""faults that every other request of the account would meet as well"""


def expected(provider: str, fault: str) -> set[str]:
    """Give the states in which the person may stand."""
    if fault == "400":
        return {"failed"}
    if fault in _PAUSED:
        return {"pending"}
    if fault in _HELD_WITHOUT_READ_SIDE and provider == "revmo":
        # Its status callback is proof too, and it comes when the call was placed.
        return {"held", "completed"}
    return {"completed"}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("provider", AGENTS)
async def test_cell(provider: str, fault: str) -> None:
    """One fault, one person."""
    found = await cell(provider, fault)

    assert found.dials <= 1
    assert found.state in expected(provider, fault), found
    if found.state == "completed":
        assert found.dials == 1
    if fault in _PAUSED:
        assert found.reason.startswith(f"account {provider}: ")
        assert found.dials == 0
