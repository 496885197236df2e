"""What must come of each fault, worked out from what it proves: the rule against which the cells are held."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from tests.faults.cells import Cell, Column

Proof = Literal["accepted", "again", "refused", "paused", "doubt"]

_THROUGH = "the sequence is through"
_UNASKED = "may have been placed, and this provider cannot be asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """What one fault proves to us, and what was true all the while."""

    proof: Proof
    dialled: bool = False
    """the first request took effect"""
    arrived: bool = True
    """the first request reached the provider"""
    words: str = ""
    """what the provider answered, where the attempt ends or the campaign is paused for it"""


RULINGS: Mapping[str, Ruling] = {
    "none": Ruling(proof="accepted", dialled=True),
    "nobody listens": Ruling(proof="again", arrived=False),
    "connection reset before it was read": Ruling(proof="doubt", arrived=False),
    "closed before it took effect": Ruling(proof="doubt"),
    "closed after it took effect": Ruling(proof="doubt", dialled=True),
    "closed after it took effect, and lists lag behind": Ruling(proof="doubt", dialled=True),
    "no answer after it took effect": Ruling(proof="doubt", dialled=True),
    "slow answer": Ruling(proof="accepted", dialled=True),
    "429 with Retry-After": Ruling(proof="again"),
    "429 with a date": Ruling(proof="again"),
    "429 without": Ruling(proof="again"),
    "400": Ruling(proof="refused", words="400: `no`"),
    "404": Ruling(proof="refused", words="404: `no`"),
    "401": Ruling(proof="paused", words="401: `no`"),
    "402": Ruling(proof="paused", words="402: `no`"),
    "a redirect": Ruling(proof="paused", words="307: `sandbox fault`"),
    "303 after it took effect": Ruling(proof="doubt", dialled=True),
    "408": Ruling(proof="doubt"),
    "409": Ruling(proof="doubt"),
    "500 without effect": Ruling(proof="doubt"),
    "500 with effect": Ruling(proof="doubt", dialled=True),
    "503 with Retry-After": Ruling(proof="doubt"),
    "200 without an id": Ruling(proof="doubt", dialled=True),
    "malformed JSON": Ruling(proof="doubt", dialled=True),
    "a page of HTML": Ruling(proof="doubt"),
    "an answer of 10 MB": Ruling(proof="doubt", dialled=True),
    "the answer of another generation": Ruling(proof="accepted", dialled=True),
}
"""what each fault of a dial request proves; no webhook comes to anybody's help"""


def of_request(column: Column, fault: str) -> Cell:
    """Say what must come of a fault that befalls the request that dials."""
    ruling = RULINGS[fault]
    match ruling.proof:
        case "refused":
            return _cell(0, 1, "failed", "failed", f"{column.provider} answered {ruling.words}")
        case "paused":
            reason = f"account {column.provider}: {column.provider} answered {ruling.words}"
            return _cell(0, 1, "pending", "", reason)
        case "doubt" if not column.readable:
            return _cell(int(ruling.dialled), int(ruling.arrived), "held", "", _UNASKED)
    outcome = "answered" if column.readable else "unknown"
    # What was not dialled the first time is sent once more, as soon as that is proved.
    requests = int(ruling.arrived) + int(not ruling.dialled)
    return _cell(1, requests, "completed", outcome, f"{outcome}: {_THROUGH}")


def of_webhooks(column: Column, fault: str) -> Cell:
    """Say what must come of mischief with webhooks: the outcome, unless it never comes and cannot be asked for."""
    outcome = "unknown" if fault == "never" and not column.readable else "answered"
    return _cell(1, 1, "completed", outcome, f"{outcome}: {_THROUGH}")


def _cell(dials: int, requests: int, state: str, outcome: str, reason: str) -> Cell:
    return Cell(dials=dials, requests=requests, state=state, outcome=outcome, reason=reason, followed=0)
