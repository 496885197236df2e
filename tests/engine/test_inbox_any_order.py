"""The end of a call is a function of the set of what was said about it: not of order, repetition or time of arrival."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.engine.journal import Journal
from runner.ledger.results import export_rows
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.request import Reply
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, phone, reply, standing

EXAMPLES = Path(__file__).parent.parent / "providers" / "examples"
_COUNTER = itertools.count()
FROM = "+12025550190"


@dataclass(frozen=True, kw_only=True)
class Story:
    """Everything that is said about one attempt, and how it must end whatever the order."""

    provider: str
    agent: Mapping[str, Any]
    told: Sequence[bytes]
    dial: Reply
    asked: Reply
    """what the provider answers when it is asked"""
    outcome: str
    contact: str
    facts: Mapping[str, Any]
    """fields of the result"""
    tag: str = ""


def example(name: str, **changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text("utf-8"))
    return {**document, **changes}


def said(*documents: Mapping[str, Any]) -> list[bytes]:
    return [json.dumps(one).encode() for one in documents]


def _revring(**changes: Any) -> list[bytes]:
    ended = example("revring.webhook.post_call", **changes)
    plain = {key: value for key, value in ended.items() if key not in {"summary", "recordingUrl"}}
    return said(
        example("revring.webhook.call_started"), example("revring.webhook.transfer_started"), ended, plain,
        {**ended, "updatedAt": "2026-01-05T15:03:02.000Z"},
    )  # fmt: skip


_RR_ID = example("revring.webhook.post_call")["id"]
_RR_AGENT = {"provider": "revring", "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "from": FROM}
_MV = {"call_id": "call-1"}
_NOBODY_ASKED = reply({}, 500)

STORIES = {
    "movoice": Story(
        provider="movoice", agent={"provider": "movoice", "id": "agent_1"}, dial=reply(_MV), asked=_NOBODY_ASKED,
        told=said(
            {"event_type": "call.started", **_MV},
            {"event_type": "call.completed", **_MV, "summary": "booked", "duration": 61},
            {"event_type": "call.completed", **_MV, "sentiment": "positive", "outcome": "BOOKED"},
            {"event_type": "action.triggered", **_MV, "action_name": "book"},
            {"event_type": "transfer.initiated", **_MV},
        ),
        outcome="answered", tag="BOOKED", contact="completed",
        facts={"summary": "booked", "sentiment": "positive", "duration_seconds": 61.0},
    ),
    "movoice, an opt-out that the agent tagged in one of them": Story(
        provider="movoice", agent={"provider": "movoice", "id": "agent_1"}, dial=reply(_MV), asked=_NOBODY_ASKED,
        told=said(
            {"event_type": "call.started", **_MV},
            {"event_type": "call.completed", **_MV, "summary": "no more"},
            {"event_type": "call.completed", **_MV, "summary": "no more", "outcome": "DO_NOT_CALL"},
        ),
        outcome="answered", tag="DO_NOT_CALL", contact="suppressed", facts={"summary": "no more"},
    ),
    "movoice, a call that failed": Story(
        provider="movoice", agent={"provider": "movoice", "id": "agent_1"}, dial=reply(_MV), asked=_NOBODY_ASKED,
        told=said(
            {"event_type": "call.started", **_MV},
            {"event_type": "call.failed", **_MV, "reason": "busy"},
            {"event_type": "call.failed", **_MV, "reason": "busy", "timestamp": 1},
        ),
        outcome="busy", contact="failed", facts={},
    ),
    "revring": Story(
        provider="revring", agent=_RR_AGENT, dial=reply({"data": {"id": _RR_ID}}, 201), asked=_NOBODY_ASKED,
        told=_revring(), outcome="answered", contact="completed",
        facts={"summary": "Contact confirmed 3 PM.", "hangup_cause": "END_CALL_TOOL"},
    ),
    "revring, an opt-out": Story(
        provider="revring", agent=_RR_AGENT, dial=reply({"data": {"id": _RR_ID}}, 201), asked=_NOBODY_ASKED,
        told=_revring(doNotCallRequested=True), outcome="opted_out", contact="suppressed",
        facts={"summary": "Contact confirmed 3 PM."},
    ),
    "revox, which is asked whatever is said": Story(
        provider="revox", agent={"provider": "revox", "id": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"},
        dial=reply({"call": {"id": "call_0001"}}, 201), asked=reply(example("revox.call.get.response.completed")),
        told=said(
            example("revox.webhook.completed.nested"),
            {**example("revox.webhook.completed.nested"), "event": "again"},
            {"call": {"id": "call_0001", "status": "in_progress"}},
        ),
        outcome="answered", tag="interested", contact="completed", facts={},
    ),
    "revmo": Story(
        provider="revmo", agent={"provider": "revmo", "id": "agent_1"},
        dial=reply({"result": "Ok", "external_id": "call-1"}), asked=_NOBODY_ASKED,
        told=said(
            {"external_id": "call-1", "status": "ringing"},
            {"external_id": "call-1", "status": "completed", "summary": "booked"},
            {"external_id": "call-1", "status": "completed", "tag": "BOOKED", "duration": 12},
            {"external_id": "call-1", "status": "in_progress"},
        ),
        outcome="answered", tag="BOOKED", contact="completed", facts={"summary": "booked", "duration_seconds": 12.0},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(STORIES))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.fault("F14")
def test_the_end_is_a_function_of_the_set(tmp_path: Path, name: str, data: st.DataObject) -> None:
    story = STORIES[name]
    every = range(len(story.told))
    order = [*data.draw(st.permutations(every)), *data.draw(st.lists(st.sampled_from(every), max_size=4))]
    order = data.draw(st.permutations(order))
    early = data.draw(st.integers(0, len(order)))
    path = tmp_path / f"{next(_COUNTER)}.db"
    outcome, person, result, suppressed = asyncio.run(_tell(path, story, [story.told[one] for one in order], early))
    assert (outcome, person) == (story.outcome, story.contact)
    assert {key: getattr(result, key) for key in story.facts} == story.facts
    assert suppressed == (story.contact == "suppressed")


async def _tell(path: Path, story: Story, told: Sequence[bytes], early: int) -> tuple[str, str, Any, bool]:
    """Tell a story to a new ledger, its first words before the answer to the dial; give how it ended."""
    store = Store.open(path)
    store._connection.execute("PRAGMA synchronous = OFF")
    try:
        async with Journal(store) as journal:
            apply(store, campaign(agent=None, agents={"a": dict(story.agent)}), (contact(0),))
            engine = bench(store, journal, account(story.provider, webhook_secret="env:X"))
            engine.transport.dials, engine.transport.looks = [story.dial], [story.asked]
            engine.transport.gate = asyncio.Event()
            sending = asyncio.create_task(engine.delivery.deliver(await engine.claim()))
            await engine.transport.left.wait()
            for content in told[:early]:
                await _receive(engine, story.provider, content)
            engine.transport.gate.set()
            await sending
            for content in told[early:]:
                await _receive(engine, story.provider, content)
            await engine.inbox.settled()
            await engine.ask()
        (row,) = export_rows(store)
        assert row.attempt is not None
        assert engine.state() is AttemptState.FINISHED
        assert len(engine.transport.sent) == 1
        suppressed = store.one("is_suppressed", phone=phone(0)) is not None
        assert row.attempt.tag == story.tag
        return row.attempt.outcome, standing(store)[phone(0)], row.attempt.result, suppressed
    finally:
        store.close()


async def _receive(engine: Bench, provider: str, content: bytes) -> None:
    stamp = str(int(NOON.timestamp()))
    mac = hmac.new(b"secret", f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
    signed = {"x-revring-timestamp": stamp, "x-revring-signature": f"v1={mac}"}
    await engine.inbox.receive(provider, "" if provider == "revring" else "secret", signed, content)
