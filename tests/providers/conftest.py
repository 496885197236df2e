"""What the tests of the providers share: the providers' own documented examples, orders, sent requests."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from runner.model.handover import HandedContact, Handover
from runner.model.request import Order, Reply, Sent
from runner.model.retry import Retry
from tests.providers.support import KEY, Answer, Example, MakeHandover, MakeOrder, MakeSent, windows

EXAMPLES = Path(__file__).parent / "examples"


@pytest.fixture
def example() -> Example:
    return lambda name: json.loads((EXAMPLES / f"{name}.json").read_text())


@pytest.fixture
def key() -> str:
    return KEY


@pytest.fixture
def answer() -> Answer:
    """Build a reply from JSON, text or bytes."""

    def build(body: Any = None, status: int = 200, **headers: str) -> Reply:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Reply(
            status=status, headers={name.replace("_", "-"): value for name, value in headers.items()}, body=raw
        )

    return build


@pytest.fixture
def order() -> MakeOrder:
    def build(**changes: Any) -> Order:
        plain: dict[str, Any] = {
            "campaign": "renewals",
            "channel": "call",
            "agent_id": "agent_1",
            "phone": "+12025550101",
        }
        return Order(**plain | changes)

    return build


@pytest.fixture
def sent() -> MakeSent:
    def build(**changes: Any) -> Sent:
        plain: dict[str, Any] = {
            "key": KEY,
            "channel": "call",
            "phone": "+12025550101",
            "agent_id": "agent_1",
            "campaign": "renewals",
            "sent_at": datetime(2026, 1, 5, 15, 0, tzinfo=UTC),
            "provider_id": "id_1",
        }
        return Sent(**plain | changes)

    return build


@pytest.fixture
def handover() -> MakeHandover:
    """Build a handover that every provider with hours can express."""

    def build(**changes: Any) -> Handover:
        plain: dict[str, Any] = {
            "key": KEY,
            "campaign": "renewals",
            "agent_id": "agent_1",
            "people": (
                HandedContact(phone="+12025550101", variables={"name": "Ana"}, timezone="America/New_York"),
                HandedContact(phone="+12025550102", variables={"name": "Sam"}, timezone="America/New_York"),
            ),
            "windows": windows("10:00-18:00"),
            "timezone": "contact",
            "retry": Retry(attempts=3),
            "concurrency": 5,
        }
        return Handover(**plain | changes)

    return build
