"""What a look costs while nobody waits: calls that are live are not counted, and a webhook seen before wakes nobody."""

from __future__ import annotations

import json
from typing import Any

from runner.engine.journal import Journal
from runner.ledger.store import Store
from tests.building import NOON, account, apply, bench, campaign, contact


async def test_live_calls_are_counted_only_when_somebody_is_due(store: Store, journal: Journal) -> None:
    engine = bench(store, journal)
    apply(store, campaign(), [contact(0)])
    engine.policies.renew(store.campaigns_in_force())
    counted: list[None] = []
    live = store.lanes.live

    def watched(*given: Any) -> Any:
        counted.append(None)
        return live(*given)

    store.lanes.live = watched  # type: ignore[method-assign,assignment]
    assert len(engine.delivery.pacing.release(store, NOON).claimed) == 1
    assert counted
    counted.clear()
    assert engine.delivery.pacing.release(store, NOON).claimed == []
    assert not counted


async def test_a_webhook_that_was_seen_before_wakes_nobody(store: Store, journal: Journal) -> None:
    engine = bench(store, journal, account(webhook_secret="env:X"))
    apply(store, campaign(), [contact(0)])
    await engine.deliver()
    call = engine.attempt()["provider_id"]
    body = json.dumps({"event_type": "call.completed", "call_id": call}).encode()
    before = len(engine.wakes)
    assert (await engine.inbox.receive("movoice", "secret", {}, body)).result == "settled"
    woken = len(engine.wakes)
    assert woken > before
    assert (await engine.inbox.receive("movoice", "secret", {}, body)).result == "seen before"
    assert len(engine.wakes) == woken
