"""A provider that calls again by itself: its calls count as tries of ours, so that the two never multiply."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.ledger.store import Store
from tests.building import Bench, account, apply, bench, campaign, contact, phone, reply, standing

REVOX = campaign(agent="revox/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e", retry="3 times, 1h apart, on no_answer, voicemail")


def ended(calls: Any) -> Any:
    last = {"status": "error", "dial_error": "no_answer", "ended_at": "2026-01-05T17:01:00Z", "result": None}
    return reply({"call": {"id": "order", "status": "completed", "calls_count": calls, "last_call_attempt": last}})


async def place(engine: Bench, order: int, calls: Any) -> None:
    """Let an order be placed and end after so many calls by Revox itself."""
    engine.transport.dials = [reply({"call": {"id": f"order-{order}"}})]
    await engine.deliver()
    engine.clock.forward(timedelta(minutes=2))
    engine.transport.looks = [ended(calls)]
    await engine.ask()
    engine.clock.forward(timedelta(hours=2))


@pytest.mark.parametrize(
    ("calls", "orders"),
    [
        ((1, 1, 1), 3),
        ((2, 1), 2),
        ((3,), 1),
        ((5,), 1),
        ((1, 2), 2),
        ((None, None, None), 3),
        ((0, 0, 0), 3),
        ((2, None), 2),
        ((2, 0), 2),
    ],
)
@pytest.mark.fault("F40")
async def test_no_order_follows_when_the_budget_of_tries_is_used_up(
    store: Store, journal: Journal, calls: tuple[Any, ...], orders: int
) -> None:
    apply(store, REVOX, (contact(0),))
    engine = bench(store, journal, account("revox"))
    for number, dialled in enumerate(calls):
        await place(engine, number, dialled)
    engine.transport.dials = [reply({"call": {"id": "one-too-many"}})]
    await engine.deliver()

    assert len(engine.transport.sent) == orders
    assert standing(store)[phone(0)] == "failed"
