"""The small share of the proof by kills, and its checker, which must see what it is there for."""

from __future__ import annotations

from typing import Any, get_args

from runner.sandbox.faults import FaultKind
from tests.faults.joining import compared
from tests.proofs.kill_loop import FAULTS, prove, prove_with_faults
from tests.proofs.proof import Share


def test_kills() -> None:
    figure = prove(Share.SMALL)

    assert figure.holds, figure.said


def test_kills_under_faults() -> None:
    figure = prove_with_faults(Share.SMALL)

    assert figure.holds, figure.said


def test_every_fault_of_the_sandbox_is_tried() -> None:
    assert {fault["kind"] for fault in FAULTS.values()} == set(get_args(FaultKind))


def attempt(**changes: Any) -> dict[str, Any]:
    plain = {"key": "k" * 32, "account": "movoice", "state": "finished", "outcome": "answered", "reason": ""}
    return plain | changes


def dial(**changes: Any) -> dict[str, Any]:
    return {"reference": "k" * 32, "id": "call-1", "outcome": "answered"} | changes


DONE = [{"id": 1, "state": "completed"}]


def test_what_is_sound_passes() -> None:
    found = compared([attempt()], DONE, [dial()])

    assert not any((found.twice, found.strangers, found.lost, found.wrong, found.held))


def test_the_checker_sees_every_wrong() -> None:
    assert compared([attempt()], DONE, [dial(), dial(id="call-2")]).twice
    again = [dial(to="+12025550101"), dial(to="+12025550101", reference="l" * 32, outcome="busy")]
    assert compared([attempt(), attempt(key="l" * 32, outcome="busy")], DONE, again).twice
    assert not compared([attempt(), attempt(key="l" * 32, outcome="busy")], DONE, again[::-1]).twice
    assert compared([attempt()], DONE, [dial(reference="")]).strangers
    assert compared([attempt()], DONE, []).lost
    assert compared([attempt(outcome="failed")], DONE, []).lost
    assert compared([attempt(state="in_doubt", outcome="")], DONE, [dial()]).lost
    assert compared([attempt()], [{"id": 1, "state": "calling"}], [dial()]).lost
    assert compared([attempt(outcome="unknown")], DONE, [dial()]).wrong
    held = compared([attempt(state="held", outcome="")], [{"id": 1, "state": "held"}], [dial()])
    assert held.held_at("movoice")
    assert held.held_elsewhere("revmo")
    assert not held.lost
