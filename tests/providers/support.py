"""What the tests of the providers share: types of the fixtures, and what a request's body is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from runner.model.handover import Handover
from runner.model.request import Order, Reply, Request, Sent
from runner.model.window import Window

KEY = "0123456789abcdef0123456789abcdef"

Example = Callable[[str], Any]
Answer = Callable[..., Reply]
MakeOrder = Callable[..., Order]
MakeSent = Callable[..., Sent]
MakeHandover = Callable[..., Handover]

ALWAYS = (Window.model_validate({"from": "00:00", "to": "24:00"}),)

UNTOLD: tuple[dict[str, Any], ...] = (
    {"after": ["30m", "2h"]},
    {"on": {"no_answer": "1h", "busy": None, "voicemail": None}},
    {"on": {"no_answer": {"attempts": 2}, "busy": None, "voicemail": None}},
    {"backoff": 2},
    {"jitter": "full"},
    {"best_hours": "spread"},
    {"expires": "3d"},
    {"stop_when": "tag == 'REFUSED'"},
)
"""parts of a retry that no provider's own campaigns know"""


def windows(*texts: str) -> tuple[Window, ...]:
    """Read windows such as `mon-fri 10:00-18:00`, or `10:00-18:00` for every day."""
    found = []
    for text in texts:
        days, _, hours = text.rpartition(" ")
        opens, _, closes = hours.partition("-")
        found.append(Window.model_validate({"from": opens, "to": closes} | ({"days": days} if days else {})))
    return tuple(found)


def body_of(request: Request) -> dict[str, Any]:
    """Give the body that a request must have."""
    assert request.body is not None
    return dict(request.body)


def asked(request: Request | None) -> Request:
    """Give a look-up that a provider must have."""
    assert request is not None
    return request
