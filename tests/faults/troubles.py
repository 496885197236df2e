"""What goes wrong in the two tables of faults: with the request that dials, and with the webhooks about it."""

from __future__ import annotations

from typing import Any

from runner.sandbox.faults import Fault, FaultKind
from runner.sandbox.settings import Mischief
from tests.faults.cells import DIALS, Trouble


def _dial(kind: FaultKind, *, only: frozenset[str] = frozenset(), **more: Any) -> Trouble:
    """Let a fault befall the first request that dials, and keep webhooks away: nothing but the answer says anything."""
    path = None if kind == "refuse" else DIALS
    return Trouble(faults=(Fault(kind=kind, path=path, **more),), told=False, only=only)


def _status(status: int, **more: Any) -> Trouble:
    return _dial("status", status=status, body={"error": "no"}, **more)


REQUESTS: dict[str, Trouble] = {
    "none": Trouble(told=False),
    "nobody listens": Trouble(told=False, api_opens=0.5),
    "connection reset before it was read": _dial("refuse"),
    "closed before it took effect": _dial("drop_before"),
    "closed after it took effect": _dial("drop_after"),
    "closed after it took effect, and lists lag behind": Trouble(
        faults=(Fault(kind="drop_after", path=DIALS),),
        told=False,
        list_lag=1.0,
        only=frozenset({"revring", "revox", "movoice"}),
    ),
    "no answer after it took effect": _dial("hang_after"),
    "slow answer": _dial("slow", seconds=0.5),
    "429 with Retry-After": _status(429, retry_after="delta", seconds=1.0),
    "429 with a date": _status(429, retry_after="date", seconds=1.0),
    "429 without": _status(429),
    "400": _status(400),
    "404": _status(404),
    "401": _status(401),
    "402": _status(402),
    "a redirect": _dial("redirect"),
    "303 after it took effect": _dial("redirect", status=303, effect=True),
    "408": _status(408),
    "409": _status(409),
    "500 without effect": _status(500),
    "500 with effect": _status(500, effect=True),
    "503 with Retry-After": _status(503, retry_after="delta", seconds=1.0),
    "200 without an id": _dial("status", status=200, body={"ok": True}, effect=True),
    "malformed JSON": _dial("malformed"),
    "a page of HTML": _dial("html"),
    "an answer of 10 MB": _dial("big"),
    "the answer of another generation": _dial("wrong_generation", only=frozenset({"revring", "revox"})),
}
"""faults of the request that dials"""

_LOST_ANSWER = (Fault(kind="drop_after", path=DIALS),)
_HUNG_ANSWER = (Fault(kind="hang_after", path=DIALS),)

WEBHOOKS: dict[str, Trouble] = {
    "told once": Trouble(asked=False),
    "told twice": Trouble(asked=False, mischief=Mischief(duplicated=1.0)),
    "out of order": Trouble(asked=False, mischief=Mischief(reordered=1.0, late_seconds=0.5)),
    "late": Trouble(asked=False, mischief=Mischief(late=1.0, late_seconds=1.0)),
    "before the answer": Trouble(asked=False, mischief=Mischief(early=1.0)),
    "not taken at first": Trouble(asked=False, receiver_opens=0.6),
    "never": Trouble(mischief=Mischief(lost=1.0)),
    "told, and the answer is lost": Trouble(asked=False, faults=_LOST_ANSWER),
    "told, and the answer never comes": Trouble(asked=False, faults=_HUNG_ANSWER),
    "told twice, out of order and late, and the answer is lost": Trouble(
        asked=False, faults=_LOST_ANSWER, mischief=Mischief(duplicated=0.5, reordered=0.5, late=0.5, late_seconds=0.5)
    ),
}
"""what befalls webhooks"""
