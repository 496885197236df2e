"""Webhooks that leave out what asking tells: even a proven one only has the provider asked, and nothing is lost."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.inbox import UNKNOWN_CALL
from runner.engine.journal import Journal
from runner.errors import InDoubt
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.project import POLL_LADDER
from tests.building import Bench, account, apply, bench, campaign, contact, phone, reply, standing

S = AttemptState
ORDER = "call_0001"
REVOX = campaign(agent="revox/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e")
ATTEMPT = {"id": "att_1", "status": "completed", "result": "human", "ended_at": "2026-01-05T17:01:00Z"}
RECORD = {
    "id": ORDER, "status": "completed", "outcome": "interested", "outcome_summary": "Wants a visit on Friday.",
    "calls_count": 2, "last_call_attempt": ATTEMPT, "call_attempts": [ATTEMPT, {"id": "att_0", "status": "completed"}],
}  # fmt: skip
NESTED: dict[str, Any] = {"call": {"id": ORDER, "is_completed": True, "calls_count": 2}, "call_attempt": ATTEMPT}
FLAT = {"call_order_id": ORDER, "call_id": "att_1", "status": "completed", "result": "human", "calls_count": 2}


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    """An engine over Revox, whose webhooks are proved by the token in their address."""
    apply(store, REVOX, (contact(0),))
    built = bench(store, journal, account("revox", webhook_secret="env:X"))
    built.transport.dials = [reply({"call": {"id": ORDER, "status": "initializing"}})]
    return built


async def receive(engine: Bench, content: Any, token: str = "secret") -> str:
    return (await engine.inbox.receive("revox", token, {}, json.dumps(content).encode())).result


def result(engine: Bench) -> tuple[str, str, int]:
    """Give the outcome, the tag and the number of dials that are stored."""
    (row,) = engine.store._connection.execute(
        "SELECT r.outcome, a.tag, r.calls FROM results r JOIN attempts a ON a.id = r.attempt_id"
    )
    return row["outcome"], row["tag"], row["calls"]


@pytest.mark.parametrize("said", [NESTED, FLAT], ids=["nested", "flat"])
async def test_a_proven_webhook_has_the_order_asked_for_and_its_result_kept(engine: Bench, said: Any) -> None:
    await engine.deliver()
    assert await receive(engine, said) == "asking the provider"
    assert engine.state() is S.ACCEPTED
    engine.transport.looks = [reply({"call": RECORD})]
    await engine.ask()
    assert engine.state() is S.FINISHED
    assert result(engine) == ("answered", "interested", 2)


async def test_an_order_that_is_still_worked_on_is_asked_for_again(engine: Bench) -> None:
    """Revox works out the result after the call, and its webhook may come before that."""
    await engine.deliver()
    await receive(engine, NESTED)
    engine.transport.looks = [reply({"call": {**RECORD, "status": "post_processing", "outcome": None}})]
    await engine.ask()
    assert (engine.state(), engine.attempt()["polls"]) == (S.ACCEPTED, 0)
    engine.clock.forward(POLL_LADDER[0])
    engine.transport.looks = [reply({"call": RECORD})]
    await engine.ask()
    assert result(engine) == ("answered", "interested", 2)


async def test_an_early_webhook_has_it_asked_for_too(engine: Bench) -> None:
    engine.transport.gate = asyncio.Event()
    sending = asyncio.create_task(engine.delivery.deliver(await engine.claim()))
    await engine.transport.left.wait()
    assert await receive(engine, NESTED) == UNKNOWN_CALL
    engine.transport.gate.set()
    await sending
    assert engine.state() is S.ACCEPTED
    engine.transport.looks = [reply({"call": RECORD})]
    await engine.ask()
    assert result(engine) == ("answered", "interested", 2)


async def test_a_proven_end_ends_a_doubt_and_is_asked_for(engine: Bench) -> None:
    engine.transport.dials = [InDoubt("no answer came")]
    await engine.deliver()
    said = {**FLAT, "metadata": {"attempt_id": engine.attempt()["key"]}}
    await receive(engine, said)
    assert (engine.state(), engine.attempt()["provider_id"]) == (S.ACCEPTED, ORDER)
    engine.transport.looks = [reply({"call": RECORD})]
    await engine.ask()
    assert result(engine) == ("answered", "interested", 2)


async def test_an_opt_out_that_is_proven_counts_at_once(engine: Bench) -> None:
    await engine.deliver()
    said = {**NESTED, "call": {**NESTED["call"], "outcome": "do_not_contact"}}
    assert await receive(engine, said) == "settled"
    assert standing(engine.store)[phone(0)] == "suppressed"


async def test_when_nobody_answers_the_usual_times_hold(engine: Bench) -> None:
    await engine.deliver()
    await receive(engine, NESTED)
    engine.transport.looks = [reply({}, 500)]
    await engine.ask()
    assert engine.state() is S.ACCEPTED
    due = engine.store.next_ask()
    assert due is not None
    assert due - engine.clock.now() <= timedelta(seconds=90)
