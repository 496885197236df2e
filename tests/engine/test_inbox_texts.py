"""Texts that people send back: an opt-out holds at once and everywhere, another one is a reply."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.engine.inbox import UNKNOWN_CALL
from runner.engine.journal import Journal
from runner.errors import WebhookRefused
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.campaign import Campaign
from runner.model.outcome import Observation, Outcome
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, phone, reply, standing, states

S = AttemptState
PEOPLE = (contact(0), contact(1))
AGENTS = {"a": {"provider": "revring", "id": "agent_1", "from": "+12025550190"}}


def texts(**changes: Any) -> Campaign:
    steps = [{"text": "a", "message": "Hello"}, {"call": "a", "after": "1d", "when": "previous.outcome != 'replied'"}]
    return campaign(**{"agent": None, "agents": AGENTS, "steps": steps, **changes})


@pytest.fixture
async def engine(store: Store, journal: Journal) -> Bench:
    """An engine over RevRing that has texted two people."""
    apply(store, texts(), PEOPLE)
    apply(store, texts(campaign="later", schedule={"start": "2026-02-02T17:00:00Z"}), PEOPLE)
    built = bench(store, journal, account("revring", webhook_secret="env:X"))
    built.transport.dials = [reply({"data": {"id": f"text-{number}"}}, 201) for number in range(2)]
    await built.deliver()
    return built


def received(body: str, sender: str = phone(0), **facts: str) -> bytes:
    event = {"event": "message_received", "fromNumber": sender, "toNumber": "+12025550190", "body": body}
    return json.dumps({**event, "messageSid": f"SM-{body}", **facts}).encode()


def signed(content: bytes, secret: bytes = b"secret") -> dict[str, str]:
    stamp = str(int(NOON.timestamp()))
    digest = hmac.new(secret, f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
    return {"x-revring-timestamp": stamp, "x-revring-signature": f"v1={digest}"}


async def receive(engine: Bench, content: bytes) -> str:
    return (await engine.inbox.receive("revring", "", signed(content), content)).result


def replies(engine: Bench) -> list[dict[str, Any]]:
    return [dict(row) for row in engine.store._connection.execute("SELECT * FROM replies ORDER BY id")]


async def test_a_stop_holds_in_every_campaign_at_once(engine: Bench) -> None:
    assert await receive(engine, received("STOP")) == "opted out"
    assert standing(engine.store) == {phone(0): "suppressed", phone(1): "calling"}
    assert standing(engine.store, "later") == {phone(0): "suppressed", phone(1): "pending"}
    assert states(engine.store, "later")[0][3] == "suppressed"
    assert engine.attempt()["outcome"] == "opted_out"
    assert engine.store.one("is_suppressed", phone=phone(0)) is not None
    (stored,) = replies(engine)
    assert (stored["phone"], stored["body"], stored["stops"], stored["attempt_id"]) == (phone(0), "STOP", 1, 1)


async def test_a_stop_calls_off_the_next_step_too(engine: Bench) -> None:
    await engine.reconciliation.settle(1, Observation(outcome=Outcome.DELIVERED))
    assert [state for who, *_, state in states(engine.store) if who == phone(0)] == ["finished", "planned"]
    await receive(engine, received("Please stop texting me"))
    assert [state for who, *_, state in states(engine.store) if who == phone(0)] == ["finished", "suppressed"]
    assert (standing(engine.store)[phone(0)], engine.attempt()["outcome"]) == ("suppressed", "delivered")
    reasons = engine.store._connection.execute("SELECT detail FROM events WHERE kind = 'suppressed' AND attempt_id > 0")
    assert all(json.loads(row["detail"])["reason"] == "asked to stop" for row in reasons)


async def test_a_stop_in_the_person_s_language_counts(engine: Bench) -> None:
    assert await receive(engine, received("No me llamen más")) == "opted out"


async def test_a_stop_in_the_campaign_s_language_counts(store: Store, journal: Journal) -> None:
    apply(store, texts(locale="de_DE"), PEOPLE)
    engine = bench(store, journal, account("revring", webhook_secret="env:X"))
    engine.policies.renew(store.campaigns_in_force())
    assert await receive(engine, received("Abmelden")) == "opted out"
    assert await receive(engine, received("Desabonner", phone(1))) == "reply from a stranger"


async def test_a_reply_ends_a_live_text_and_is_kept(engine: Bench) -> None:
    assert await receive(engine, received("Yes, that works")) == "replied"
    assert (engine.attempt()["outcome"], standing(engine.store)[phone(0)]) == ("replied", "completed")
    assert [one["body"] for one in replies(engine)] == ["Yes, that works"]
    said = " ".join(row["detail"] for row in engine.store._connection.execute("SELECT detail FROM events"))
    assert "works" not in said, "events keep no words of the person"


async def test_a_reply_to_a_delivered_text_is_kept_beside_its_outcome(engine: Bench) -> None:
    await engine.reconciliation.settle(1, Observation(outcome=Outcome.DELIVERED))
    assert await receive(engine, received("I am at the bus stop")) == "reply stored"
    assert (engine.attempt()["outcome"], replies(engine)[0]["attempt_id"]) == ("delivered", 1)
    assert standing(engine.store)[phone(0)] == "retry"


async def test_one_text_told_twice_is_one_reply(engine: Bench) -> None:
    assert await receive(engine, received("Yes")) == "replied"
    assert await receive(engine, received("Yes", organizationId="other")) == "seen before"
    assert len(replies(engine)) == 1


@pytest.mark.parametrize("sender", ["", "72345", "+0", "AMAZON", "+1202555010a"])
async def test_what_no_person_sent_changes_nothing(engine: Bench, sender: str) -> None:
    assert await receive(engine, received("STOP", sender)) in {"not from a person's number", "nothing to settle"}
    assert replies(engine) == []


async def test_a_stranger_s_stop_is_kept_for_the_next_campaign(engine: Bench) -> None:
    assert await receive(engine, received("stop", phone(9))) == "opted out"
    apply(engine.store, texts(campaign="next"), (contact(9),))
    assert states(engine.store, "next") == []


async def test_a_forged_text_is_refused(engine: Bench) -> None:
    content = received("STOP")
    with pytest.raises(WebhookRefused):
        await engine.inbox.receive("revring", "", signed(content, b"guess"), content)
    assert replies(engine) == []
    assert standing(engine.store)[phone(0)] == "calling"


async def test_an_unproven_stop_is_heard_for_people_whom_we_contacted_and_nothing_else(
    store: Store, journal: Journal
) -> None:
    apply(store, texts(), PEOPLE)
    engine = bench(store, journal, account("revring"))
    engine.transport.dials = [reply({"data": {"id": f"text-{number}"}}, 201) for number in range(2)]
    await engine.deliver()

    async def unproven(content: bytes) -> str:
        return (await engine.inbox.receive("revring", "", {}, content)).result

    assert await unproven(received("Yes")) == "unproven text"
    assert await unproven(received("STOP", phone(9))) == "unproven text"
    assert (engine.state(), replies(engine)) == (S.ACCEPTED, [])
    assert await unproven(received("STOP")) == "opted out"
    assert (engine.state(), standing(store)[phone(1)]) == (S.ACCEPTED, "calling")
    sources = [row["source"] for row in store._connection.execute("SELECT source FROM suppressions")]
    assert sources == ["unproven text to account revring"]


async def test_a_suppressed_person_gets_no_retry_when_the_call_under_way_ends(engine: Bench) -> None:
    engine.store.suppress(phone(0), "asked to stop", "by hand", NOON)
    assert standing(engine.store)[phone(0)] == "calling"
    await engine.reconciliation.settle(1, Observation(outcome=Outcome.DELIVERED))
    assert (standing(engine.store)[phone(0)], len(states(engine.store))) == ("suppressed", 2)


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, None])
async def test_an_opt_out_during_a_call_holds_like_a_stop(
    store: Store, journal: Journal, outcome: Outcome | None
) -> None:
    apply(store, campaign(retry="3 times, 1h apart, on answered"), PEOPLE)
    apply(store, campaign(campaign="later"), PEOPLE[:1])
    engine = bench(store, journal)
    await engine.deliver()
    ended = await engine.reconciliation.settle(1, Observation(outcome=outcome, opt_out=True))
    assert (ended, engine.attempt()["outcome"]) == ((True, "answered") if outcome else (False, ""))
    assert standing(store)[phone(0)] == ("suppressed" if outcome else "calling")
    assert standing(store, "later") == {phone(0): "suppressed"}
    await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED))
    assert standing(store)[phone(0)] == "suppressed"
    assert [number for _, _, number, _ in states(store)] == [1, 1], "no retry"


@pytest.mark.parametrize("first", ["the opt-out", "the end"])
async def test_whether_an_opt_out_comes_before_the_end_or_after_it_is_the_same(
    store: Store, journal: Journal, first: str
) -> None:
    apply(store, campaign(), PEOPLE[:1])
    engine = bench(store, journal, account(webhook_secret="env:X"))
    engine.transport.dials = [reply({"call_id": "call-1"})]
    await engine.deliver()
    stop = json.dumps({"from": phone(0), "to": "+12025550190", "body": "stop", "id": "SM1"}).encode()
    end = json.dumps({"event_type": "call.completed", "call_id": "call-1"}).encode()
    for content in (stop, end) if first == "the opt-out" else (end, stop):
        await engine.inbox.receive("movoice", "secret", {}, content)
    assert (engine.attempt()["outcome"], standing(store)) == ("answered", {phone(0): "suppressed"})


@pytest.mark.parametrize("tag", ["DO_NOT_CALL", "opt-out", "Opted Out", "dnc", "unsubscribed"])
async def test_an_opt_out_that_the_agent_tagged_holds_like_a_stop(store: Store, journal: Journal, tag: str) -> None:
    apply(store, campaign(retry="3 times, 1h apart, on answered"), PEOPLE[:1])
    apply(store, campaign(campaign="later"), PEOPLE[:1])
    engine = bench(store, journal)
    await engine.deliver()
    assert await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED, tag=tag))
    assert (engine.attempt()["outcome"], engine.attempt()["tag"]) == ("answered", tag), "kept as they came"
    assert standing(store) == standing(store, "later") == {phone(0): "suppressed"}
    assert [number for _, _, number, _ in states(store)] == [1], "no retry"


@pytest.mark.parametrize("tag", ["", "REFUSED", "NOT_INTERESTED", "CALLBACK", "stopped by", "do not call before nine"])
async def test_another_tag_suppresses_nobody(engine: Bench, tag: str) -> None:
    await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED, tag=tag))
    assert engine.store.one("is_suppressed", phone=phone(0)) is None


async def test_an_ask_that_shows_an_opt_out_suppresses_while_the_call_is_live(store: Store, journal: Journal) -> None:
    rules = campaign(agent=None, agents=AGENTS, steps=[{"call": "a"}])
    apply(store, rules, PEOPLE[:1])
    engine = bench(store, journal, account("revring"))
    engine.transport.dials = [reply({"data": {"id": "call-1"}}, 201)]
    await engine.deliver()
    engine.transport.looks = [reply({"data": {"id": "call-1", "status": "COMPLETED", "doNotCallRequested": True}})]
    engine.clock.forward(timedelta(seconds=90))
    await engine.ask()
    assert standing(store) == {phone(0): "suppressed"}


@pytest.mark.parametrize("provider", ["movoice", "revox", "revmo"])
async def test_a_plain_text_webhook_works_for_every_provider(store: Store, journal: Journal, provider: str) -> None:
    engine = bench(store, journal, account(provider, webhook_secret="env:X"))
    content = json.dumps({"from": phone(0), "to": "+12025550190", "body": "stop", "id": "SM1"}).encode()
    assert (await engine.inbox.receive(provider, "secret", {}, content)).result == "opted out"
    other = json.dumps({"event_type": "call.completed", "call_id": "x", "external_id": "x", "status": "x"}).encode()
    if provider == "movoice":
        assert (await engine.inbox.receive(provider, "secret", {}, other)).result == UNKNOWN_CALL


async def test_the_documented_webhook_is_a_reply(engine: Bench) -> None:
    example = Path(__file__).parent.parent / "providers" / "examples" / "revring.webhook.message_received.json"
    assert await receive(engine, example.read_bytes()) == "replied"
    (stored,) = replies(engine)
    assert (stored["phone"], stored["body"], stored["attempt_id"]) == (phone(1), "Yes, that works", 2)
