"""Webhooks out of their order: early ones wait, late ones fill in or contradict for the record, bodies go in time."""

from __future__ import annotations

import asyncio
import json
import logging
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.inbox import KEEP_BODIES, UNKNOWN_CALL
from runner.engine.journal import Journal
from runner.errors import InDoubt, NotSent, SendError, WebhookRefused
from runner.ledger import letters
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.project import POLL_LADDER
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, dump, phone, reply, standing

S = AttemptState
ONE = (contact(0),)
REVMO = campaign(agent="revmo/agent_1")


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    """An engine over Movoice, whose webhooks a token proves, and which can be asked."""
    apply(store, campaign(), ONE)
    built = bench(store, journal, account(webhook_secret="env:X"))
    built.transport.dials = [reply({"call_id": "call-1"})]
    return built


def event(kind: str, **facts: Any) -> bytes:
    return json.dumps({"event_type": f"call.{kind}", "call_id": "call-1", **facts}).encode()


async def receive(engine: Bench, content: bytes, token: str = "secret", of: str = "movoice") -> str:
    return (await engine.inbox.receive(of, token, {}, content)).result


def events(engine: Bench, kind: str) -> list[dict[str, Any]]:
    rows = engine.store._connection.execute("SELECT detail FROM events WHERE kind = ? ORDER BY id", (kind,))
    return [json.loads(row["detail"]) for row in rows]


def inbox(engine: Bench) -> list[tuple[str, bytes]]:
    return [tuple(row) for row in engine.store._connection.execute("SELECT result, body FROM inbox ORDER BY id")]


async def revmo_after(store: Store, journal: Journal, error: SendError) -> Bench:
    """Give an engine over Revmo, which cannot be asked, whose one dial ended so."""
    apply(store, REVMO, ONE)
    engine = bench(store, journal, account("revmo", webhook_secret="env:X"))
    engine.transport.dials = [error]
    await engine.deliver()
    return engine


async def early(engine: Bench, *contents: bytes, token: str = "secret", after: timedelta = timedelta(0)) -> None:
    """Let webhooks come while the answer to the dial is still on its way."""
    engine.transport.gate = asyncio.Event()
    sending = asyncio.create_task(engine.delivery.deliver(await engine.claim()))
    await engine.transport.left.wait()
    for content in contents:
        assert await receive(engine, content, token) == UNKNOWN_CALL
    engine.clock.forward(after)
    engine.transport.gate.set()
    await sending


# Early


@pytest.mark.fault("F15")
async def test_a_webhook_that_is_faster_than_the_id_settles_with_the_answer(engine: Bench) -> None:
    await early(engine, event("completed", summary="booked", outcome="BOOKED"))
    row = engine.attempt()
    assert (row["state"], row["outcome"], row["tag"]) == ("finished", "answered", "BOOKED")
    assert standing(engine.store) == {phone(0): "completed"}
    assert inbox(engine)[0][0] == "waited for its call: settled"
    assert dump(engine.store)["quarantine"] == []


async def test_a_call_that_started_early_stays_live(engine: Bench) -> None:
    await early(engine, event("started"))
    assert engine.state() is S.ACCEPTED
    assert inbox(engine)[0][0] == "waited for its call: still live"


@pytest.mark.fault("F15")
async def test_after_ten_minutes_nobody_waits_any_more(engine: Bench) -> None:
    await early(engine, event("completed"), after=timedelta(minutes=10, seconds=1))
    assert engine.state() is S.ACCEPTED
    assert inbox(engine)[0][0] == UNKNOWN_CALL


async def test_an_unproven_early_webhook_has_the_provider_asked(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE)
    engine = bench(store, journal)
    engine.transport.dials = [reply({"call_id": "call-1"})]
    await early(engine, event("failed", reason="busy"), token="")
    assert (engine.state(), store.next_ask()) == (S.ACCEPTED, NOON)


async def test_an_unproven_early_opt_out_holds_once_its_call_is_known(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE)
    apply(store, campaign(campaign="later"), ONE)
    engine = bench(store, journal)
    engine.transport.dials = [reply({"call_id": "call-1"})]
    await early(engine, event("completed", outcome="DO_NOT_CALL"), token="")
    assert (engine.state(), standing(store, "later")) == (S.ACCEPTED, {phone(0): "suppressed"})


async def test_what_waits_is_heard_when_a_doubt_is_resolved(engine: Bench) -> None:
    engine.transport.dials = [InDoubt("no answer came")]
    await engine.deliver()
    assert await receive(engine, event("completed")) == UNKNOWN_CALL
    found = {"call_id": "call-1", "recipient_phone": phone(0), "created_at": NOON.isoformat()}
    engine.transport.looks = [reply({"calls": [found], "total": 1, "offset": 0})]
    engine.clock.forward(timedelta(seconds=120))
    await engine.ask()
    assert (engine.state(), engine.attempt()["outcome"]) == (S.FINISHED, "answered")


async def test_nobody_else_s_webhook_is_heard(engine: Bench) -> None:
    other = event("completed").replace(b"call-1", b"call-2")
    await early(engine, other)
    assert engine.state() is S.ACCEPTED
    assert [row[0] for row in inbox(engine)] == [UNKNOWN_CALL]


# Unknown


@pytest.mark.fault("F19")
async def test_webhooks_of_unknown_calls_are_kept_within_bounds(engine: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "MOST_WAITING", 5)
    for number in range(12):
        assert await receive(engine, json.dumps({"event_type": "call.completed", "call_id": f"x{number}"}).encode())
    kept = [json.loads(body)["call_id"] for _, body in inbox(engine)]
    assert kept == [f"x{number}" for number in range(7, 12)]
    assert letters.MOST_WAITING == 5
    assert len(dump(engine.store)["quarantine"]) == 5


async def test_what_nothing_proves_is_kept_within_the_same_bounds_and_goes_first(
    store: Store, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(letters, "MOST_WAITING", 5)
    apply(store, campaign(), ONE)
    open_to_all = account()
    engine = bench(store, journal, open_to_all, account(name="proven", webhook_secret="env:X"))
    engine.transport.dials = [reply({"call_id": "call-1"})]
    await engine.deliver()
    proven = json.dumps({"event_type": "call.completed", "call_id": "early"}).encode()
    assert await receive(engine, proven, of="proven") == UNKNOWN_CALL
    for number in range(20):
        assert await receive(engine, event("started", n=number), token="") == "still live"
        assert await receive(engine, event("started", n=number).replace(b"call-1", b"x"), token="") == UNKNOWN_CALL
    assert len(inbox(engine)) == 5
    assert inbox(engine)[0][1] == proven, "a flood of guesses does not push out what is proven"


@pytest.mark.fault("F19")
def test_the_bound_is_ten_thousand() -> None:
    assert letters.MOST_WAITING == 10_000


# Late


@pytest.mark.fault("F17")
async def test_the_first_outcome_stays_and_the_provider_is_asked_for_the_record(engine: Bench) -> None:
    await engine.deliver()
    assert await receive(engine, event("completed")) == "settled"
    engine.transport.looks = [reply({"status": "failed", "reason": "no_answer"})]
    assert await receive(engine, event("failed", reason="busy")) == "conflict"
    await engine.inbox.settled()
    assert events(engine, "conflict") == [{"kept": "answered", "said": "busy"}]
    assert events(engine, "conflict_checked") == [{"provider_says": "no_answer"}]
    assert engine.attempt()["outcome"] == "answered"
    assert len(engine.transport.sent) == 1, "never a new call"


@pytest.mark.fault("F17")
async def test_the_same_contradiction_again_is_no_news(engine: Bench) -> None:
    await engine.deliver()
    await receive(engine, event("completed"))
    for number in range(3):
        await receive(engine, event("failed", reason="busy", timestamp=number))
    await engine.inbox.settled()
    assert len(events(engine, "conflict")) == 1


@pytest.mark.fault("F17")
async def test_a_record_that_cannot_be_asked_for_says_so(engine: Bench) -> None:
    await engine.deliver()
    await receive(engine, event("completed"))
    engine.transport.looks = [NotSent("refused")]
    await receive(engine, event("failed", reason="busy"))
    await engine.inbox.settled()
    assert events(engine, "conflict_checked") == [{"provider_says": "no answer: refused"}]


async def test_a_late_agreeing_word_fills_in_what_was_not_known(engine: Bench) -> None:
    await engine.deliver()
    await receive(engine, event("completed", summary="first"))
    assert await receive(engine, event("completed", summary="second", sentiment="positive")) == "already settled"
    result = dict(engine.store._connection.execute("SELECT * FROM results").fetchone())
    assert (result["sentiment"], json.loads(result["detail"])["summary"]) == ("positive", "first")


async def test_an_unproven_late_word_changes_nothing(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE)
    engine = bench(store, journal)
    engine.transport.dials = [reply({"call_id": "call-1"})]
    engine.transport.looks = [reply({"status": "completed"})]
    await engine.deliver()
    engine.clock.forward(POLL_LADDER[0])
    await engine.ask()
    before = dump(store)
    assert await receive(engine, event("failed", reason="busy"), token="") == "already settled"
    after = dump(store)
    assert {name for name in before if before[name] != after[name]} == {"inbox", "quarantine"}


# A webhook never has a new call placed


async def test_a_proof_of_life_ends_a_doubt(store: Store, journal: Journal) -> None:
    engine = await revmo_after(store, journal, InDoubt("no answer came"))
    live = {"external_id": "call-1", "status": "ringing", "metadata": {"attempt_id": engine.attempt()["key"]}}
    assert await receive(engine, json.dumps(live).encode(), of="revmo") == "still live"
    assert (engine.state(), engine.attempt()["provider_id"]) == (S.ACCEPTED, "call-1")


async def test_what_waits_for_an_id_is_heard_with_the_proof_of_life_that_names_it(
    store: Store, journal: Journal
) -> None:
    engine = await revmo_after(store, journal, InDoubt("no answer came"))
    ended = {"external_id": "call-1", "status": "completed"}
    assert await receive(engine, json.dumps(ended).encode(), of="revmo") == UNKNOWN_CALL
    live = {"external_id": "call-1", "status": "ringing", "metadata": {"attempt_id": engine.attempt()["key"]}}
    assert await receive(engine, json.dumps(live).encode(), of="revmo") == "still live"
    assert (engine.state(), engine.attempt()["provider_id"]) == (S.FINISHED, "call-1")


async def test_a_call_that_was_thought_absent_and_was_placed_is_not_placed_again(
    store: Store, journal: Journal
) -> None:
    engine = await revmo_after(store, journal, NotSent("refused"))
    assert engine.state() is S.PLANNED
    ended = {"external_id": "call-1", "status": "completed", "metadata": {"attempt_id": engine.attempt()["key"]}}
    assert await receive(engine, json.dumps(ended).encode(), of="revmo") == "settled"
    engine.clock.forward(timedelta(hours=1))
    await engine.deliver()
    assert (engine.state(), len(engine.transport.sent)) == (S.FINISHED, 1)


async def test_a_live_call_that_was_thought_absent_is_not_placed_again(store: Store, journal: Journal) -> None:
    engine = await revmo_after(store, journal, NotSent("refused"))
    key = engine.attempt()["key"]
    live = {"external_id": "call-1", "status": "in_progress", "metadata": {"attempt_id": key}}
    assert await receive(engine, json.dumps(live).encode(), of="revmo") == "still live"
    assert (engine.state(), engine.attempt()["provider_id"]) == (S.ACCEPTED, "call-1")
    engine.clock.forward(timedelta(hours=1))
    await engine.deliver()
    assert len(engine.transport.sent) == 1
    ended = {"external_id": "call-1", "status": "completed", "metadata": {"attempt_id": key}}
    assert await receive(engine, json.dumps(ended).encode(), of="revmo") == "settled"


async def test_a_word_about_a_call_that_was_never_sent_is_not_believed(store: Store, journal: Journal) -> None:
    apply(store, REVMO, ONE)
    engine = bench(store, journal, account("revmo", webhook_secret="env:X"))
    engine.policies.renew(store.campaigns_in_force())
    ended = {"external_id": "call-1", "status": "completed", "metadata": {"attempt_id": engine.attempt()["key"]}}
    assert await receive(engine, json.dumps(ended).encode(), of="revmo") == "not under way"
    assert engine.state() is S.PLANNED


async def test_hints_neither_use_up_the_poll_ladder_nor_ask_without_end(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE)
    engine = bench(store, journal)
    engine.transport.dials = [reply({"call_id": "call-1"})]
    await engine.deliver()
    for number in range(30):
        engine.clock.forward(timedelta(seconds=1))
        await receive(engine, event("completed", duration=number), token="")
        await engine.ask()
    assert len(engine.transport.asked) == 6
    assert (engine.state(), engine.attempt()["polls"]) == (S.ACCEPTED, 0)
    assert store.next_ask() == NOON + POLL_LADDER[0]


async def test_hints_prove_no_absence(store: Store, journal: Journal) -> None:
    revox = campaign(agent="revox/182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e")
    apply(store, revox, ONE)
    engine = bench(store, journal, account("revox"))
    engine.transport.dials = [InDoubt("no answer came")]
    await engine.deliver()
    asked_at = store.next_ask()
    hint = {"call": {"id": "order-1", "metadata": {"attempt_id": engine.attempt()["key"]}, "is_completed": True}}
    for number in range(3):
        with_number = {**hint, "call_attempt": {"id": f"a{number}", "status": "completed", "result": "human"}}
        await receive(engine, json.dumps(with_number).encode(), token="", of="revox")
    assert (engine.state(), store.next_ask()) == (S.IN_DOUBT, asked_at)


# Refused


@pytest.mark.fault("F18")
async def test_refused_webhooks_are_counted_once_a_minute(engine: Bench, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    for _ in range(3):
        with pytest.raises(WebhookRefused):
            await receive(engine, event("completed"), token="wrong")
    engine.clock.forward(timedelta(minutes=1))
    with pytest.raises(WebhookRefused):
        await receive(engine, event("completed"), token="wrong")
    assert [one["count"] for one in events(engine, "webhook_refused")] == [1, 3]
    assert inbox(engine) == []


async def test_deep_json_is_refused(engine: Bench) -> None:
    deep = b'{"event_type": "call.completed", "call_id": "call-1", "x": ' + b"[" * 33 + b"]" * 33 + b"}"
    with pytest.raises(WebhookRefused) as refused:
        await receive(engine, deep)
    assert refused.value.status == 400


# Bodies


async def test_bodies_are_forgotten_after_thirty_days_and_still_count_once(engine: Bench) -> None:
    await engine.deliver()
    await receive(engine, event("completed"))
    engine.clock.forward(KEEP_BODIES)
    assert await engine.inbox.tidy() == 0
    await receive(engine, event("started"))
    engine.clock.forward(timedelta(seconds=1))
    assert await engine.inbox.tidy() == 1
    assert [(result, bool(body)) for result, body in inbox(engine)] == [("settled", False), ("already settled", True)]
    assert await receive(engine, event("completed")) == "seen before"
    assert timedelta(days=30) == KEEP_BODIES


async def test_bodies_are_forgotten_while_webhooks_come_without_a_new_start(engine: Bench) -> None:
    await engine.deliver()
    await receive(engine, event("completed"))
    engine.clock.forward(KEEP_BODIES + timedelta(hours=2))
    await receive(engine, event("started"))
    assert [bool(body) for _, body in inbox(engine)] == [False, True]
