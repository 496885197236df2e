"""Webhooks: proof or hint, early or late, once or often, known or not."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.inbox import MOST_UNPROVEN_BYTES, UNKNOWN_CALL, UNVERIFIED
from runner.engine.journal import Journal
from runner.errors import InDoubt, LedgerUnwritable, WebhookRefused
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.outcome import Observation, Outcome
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, dump, phone, reply, standing

S = AttemptState
ONE = (contact(0),)
REVMO = campaign(agent="revmo/agent_1")


def body(**facts: Any) -> bytes:
    return json.dumps(facts).encode()


def revmo_says(engine: Bench, status: str, *, number: int = 0, call: str = "call-1") -> bytes:
    return body(external_id=call, status=status, metadata={"attempt_id": engine.attempt(number)["key"]})


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    """An engine over Revmo, which only webhooks can follow, proved by the token in their URL."""
    apply(store, REVMO, ONE)
    built = bench(store, journal, account("revmo", webhook_secret="env:X"))
    built.transport.dials = [reply({"result": "Ok", "external_id": "call-1"})]
    return built


async def receive(engine: Bench, content: bytes, token: str = "secret", of: str = "revmo") -> str:
    return (await engine.inbox.receive(of, token, {}, content)).result


async def test_a_proven_webhook_settles_once(engine: Bench) -> None:
    await engine.deliver()
    content = revmo_says(engine, "completed")
    assert await receive(engine, content) == "settled"
    before = dump(engine.store)
    assert await receive(engine, content) == "seen before"
    assert await receive(engine, revmo_says(engine, "failed")) == "conflict"
    after = dump(engine.store)
    assert {name for name in before if before[name] != after[name]} == {"inbox", "events"}
    assert engine.attempt()["outcome"] == "answered"


@pytest.mark.fault("F13")
async def test_the_same_webhook_a_hundred_times_at_once_is_one_change(engine: Bench) -> None:
    await engine.deliver()
    content = revmo_says(engine, "completed")
    results = await asyncio.gather(*(receive(engine, content) for _ in range(100)))
    assert sorted(results) == ["seen before"] * 99 + ["settled"]
    assert len(dump(engine.store)["inbox"]) == 1


@pytest.mark.fault("F15")
async def test_a_webhook_may_come_before_the_answer(engine: Bench) -> None:
    engine.transport.gate = asyncio.Event()
    sending = asyncio.create_task(engine.delivery.deliver(await engine.claim()))
    await engine.transport.left.wait()
    assert await receive(engine, revmo_says(engine, "completed")) == "settled"
    engine.transport.gate.set()
    await sending
    assert (engine.state(), engine.attempt()["provider_id"]) == (S.FINISHED, "call-1")


@pytest.mark.parametrize("token", ["", "wrong", "secre", "secret "])
@pytest.mark.fault("F18")
async def test_a_forged_webhook_changes_nothing(engine: Bench, token: str) -> None:
    await engine.deliver()
    before = dump(engine.store)
    with pytest.raises(WebhookRefused) as refused:
        await receive(engine, revmo_says(engine, "completed"), token)
    assert refused.value.status == 401
    after = dump(engine.store)
    assert {name for name in before if before[name] != after[name]} == {"events"}, "counted, and nothing else"
    assert "completed" not in str(after["events"]), "nothing of what it held"


async def test_while_a_secret_is_changed_both_hold(engine: Bench) -> None:
    await engine.deliver()
    object.__setattr__(engine.inbox, "secret", lambda _: "old new")
    assert await receive(engine, revmo_says(engine, "queued"), "old") == "still live"
    assert await receive(engine, revmo_says(engine, "completed"), "new") == "settled"


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"status":"completed"}', b"[" * 5000])
async def test_nonsense_is_refused_and_not_kept(engine: Bench, content: bytes) -> None:
    with pytest.raises(WebhookRefused):
        await receive(engine, content)
    assert dump(engine.store)["inbox"] == []


@pytest.mark.fault("F19")
async def test_a_call_that_nobody_knows_is_kept_and_changes_nothing(engine: Bench) -> None:
    await engine.deliver()
    assert await receive(engine, body(external_id="other", status="completed")) == "unknown call"
    assert engine.state() is S.ACCEPTED


async def test_an_account_that_nobody_knows_is_not_found(engine: Bench) -> None:
    with pytest.raises(WebhookRefused) as refused:
        await receive(engine, b"{}", of="elsewhere")
    assert refused.value.status == 404


@pytest.mark.fault("F18")
async def test_another_account_cannot_settle_a_call(store: Store, journal: Journal) -> None:
    apply(store, REVMO, ONE)
    other = account("revmo", name="other", webhook_secret="env:Y")
    engine = bench(store, journal, account("revmo", webhook_secret="env:X"), other)
    engine.transport.dials = [reply({"result": "Ok", "external_id": "call-1"})]
    await engine.deliver()
    assert await receive(engine, revmo_says(engine, "completed"), of="other") == "another account's"
    assert engine.state() is S.ACCEPTED


async def test_a_call_that_is_still_live_stays_so(engine: Bench) -> None:
    await engine.deliver()
    assert await receive(engine, revmo_says(engine, "in_progress")) == "still live"
    assert engine.state() is S.ACCEPTED


async def test_an_opt_out_counts_even_after_the_text_has_ended(engine: Bench) -> None:
    apply(engine.store, campaign(campaign="later"), ONE)
    await engine.deliver()
    await receive(engine, revmo_says(engine, "completed"))
    assert await receive(engine, revmo_says(engine, "opted_out")) == "opted out"
    assert engine.attempt()["outcome"] == "answered", "the outcome that came first stays"
    assert engine.store.assignments([2])[0].suppression == "opted out"


async def test_an_opt_out_ends_everything(engine: Bench) -> None:
    await engine.deliver()
    assert await receive(engine, revmo_says(engine, "opted_out")) == "settled"
    assert standing(engine.store) == {phone(0): "suppressed"}


async def test_a_ledger_that_fails_takes_nothing_in(engine: Bench) -> None:
    await engine.deliver()
    content = revmo_says(engine, "completed")
    engine.store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerUnwritable):
        await receive(engine, content)
    engine.store._connection.execute("PRAGMA query_only = OFF")
    assert await receive(engine, content) == "settled", "the provider sends it again, and then it counts"


async def test_an_unsigned_webhook_is_a_hint_to_ask(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE)
    engine = bench(store, journal)
    await engine.deliver()
    hint = body(event_type="call.completed", call_id=engine.attempt()["provider_id"])
    assert await receive(engine, hint, of="movoice") == "asking the provider"
    assert engine.state() is S.ACCEPTED
    assert store.next_ask() == NOON
    engine.transport.looks = [reply({"status": "completed"})]
    await engine.ask()
    assert engine.attempt()["outcome"] == "answered"


async def test_a_lie_about_a_call_changes_nothing(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE)
    engine = bench(store, journal)
    await engine.deliver()
    lie = body(event_type="call.failed", call_id=engine.attempt()["provider_id"], reason="busy")
    await receive(engine, lie, of="movoice")
    engine.transport.looks = [reply({"status": "in_progress"})]
    await engine.ask()
    assert engine.state() is S.ACCEPTED


async def test_without_a_secret_and_without_a_read_side_a_webhook_is_kept_as_unverified(
    store: Store, journal: Journal
) -> None:
    apply(store, REVMO, ONE)
    engine = bench(store, journal, account("revmo"))
    engine.transport.dials = [InDoubt("no answer came")]
    await engine.deliver()
    before = dump(store)
    content = revmo_says(engine, "completed")
    taken = await engine.inbox.receive("revmo", "", {}, content)
    assert (taken.result, taken.verified, taken.waits) == (UNVERIFIED, False, True)
    after = dump(store)
    assert {name for name in before if before[name] != after[name]} == {"inbox", "quarantine"}
    (row,) = store._connection.execute("SELECT body, verified, result FROM inbox")
    assert tuple(row) == (content, 0, UNVERIFIED)


async def test_what_nothing_proves_is_kept_only_while_it_is_small(store: Store, journal: Journal) -> None:
    apply(store, REVMO, ONE)
    engine = bench(store, journal, account("revmo"))
    fits = json.dumps({"external_id": "x", "status": "y", "pad": ""}).encode()
    fits = fits.replace(b'""', b'"' + b"x" * (MOST_UNPROVEN_BYTES - len(fits)) + b'"')
    assert len(fits) == MOST_UNPROVEN_BYTES == 65_536
    assert await receive(engine, fits) == UNKNOWN_CALL
    with pytest.raises(WebhookRefused) as refused:
        await receive(engine, fits + b" ")
    assert refused.value.status == 413


@pytest.mark.parametrize("provider", ["revmo", "movoice"])
@pytest.mark.parametrize("has_ended", [False, True])
async def test_an_unproven_opt_out_of_a_person_whom_we_contacted_holds_and_settles_nothing(
    store: Store, journal: Journal, provider: str, *, has_ended: bool
) -> None:
    apply(store, campaign(agent=f"{provider}/agent_1"), ONE)
    apply(store, campaign(campaign="later"), ONE)
    proven = account(provider, webhook_secret="env:X")
    engine = bench(store, journal, proven)
    engine.transport.dials = [reply({"result": "Ok", "external_id": "call-1", "call_id": "call-1"})]
    await engine.deliver()
    if has_ended:
        await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED))
    was = engine.attempt()
    object.__setattr__(proven, "webhook_secret", "")
    word = {"revmo": {"external_id": "call-1", "status": "opted_out"}}.get(provider)
    said = body(**(word or {"call_id": "call-1", "event_type": "call.completed", "outcome": "DO_NOT_CALL"}))
    assert await receive(engine, said, of=provider) == "opted out"
    assert {**engine.attempt(), "updated_at": 0} == {**was, "updated_at": 0}, "nothing of the call itself"
    assert standing(store, "later") == {phone(0): "suppressed"}
    (row,) = store._connection.execute("SELECT source FROM suppressions")
    assert row["source"] == f"unproven webhook to account {provider}"


async def test_a_proven_opt_out_holds_even_for_a_call_that_waits_in_line(store: Store, journal: Journal) -> None:
    apply(store, REVMO, ONE)
    engine = bench(store, journal, account("revmo", webhook_secret="env:X"))
    engine.policies.renew(store.campaigns_in_force())
    assert await receive(engine, revmo_says(engine, "opted_out")) == "opted out"
    assert (engine.state(), standing(store)) == (S.SUPPRESSED, {phone(0): "suppressed"})
    await engine.deliver()
    assert engine.transport.sent == []


def signed(content: bytes, age: timedelta = timedelta(0)) -> dict[str, str]:
    stamp = str(int((NOON - age).timestamp()))
    digest = hmac.new(b"secret", f"{stamp}.".encode() + content, hashlib.sha256).hexdigest()
    return {"x-revring-timestamp": stamp, "x-revring-signature": f"v1={digest}"}


@pytest.mark.fault("F18")
async def test_a_signature_is_proof_while_it_is_fresh(store: Store, journal: Journal) -> None:
    rules = campaign(agent=None, agents={"a": {"provider": "revring", "id": "agent_1", "from": "+12025550190"}})
    apply(store, rules, ONE)
    engine = bench(store, journal, account("revring", webhook_secret="env:X"))
    engine.transport.dials = [reply({"data": {"id": "call-9"}}, 201)]
    await engine.deliver()
    content = body(id="call-9", status="COMPLETED", callStatus="ANSWERED", event="post_call")
    with pytest.raises(WebhookRefused, match="does not hold"):
        await engine.inbox.receive("revring", "", signed(content, timedelta(minutes=20)), content)
    tampered = content.replace(b"call-9", b"call-8")
    with pytest.raises(WebhookRefused, match="does not hold"):
        await engine.inbox.receive("revring", "", signed(content), tampered)
    assert engine.state() is S.ACCEPTED


async def test_hints_never_hurry_a_doubt(store: Store, journal: Journal) -> None:
    """Two unproven webhooks must not turn two early look-ups into proof of absence, and so into a second call."""
    apply(store, campaign(agent="revox/asst_1"), ONE)
    engine = bench(store, journal, account("revox"))
    engine.transport.dials = [InDoubt("no answer")]
    await engine.deliver()
    assert engine.state() is S.IN_DOUBT
    poll_at = engine.attempt()["poll_at"]

    key = engine.attempt()["key"]
    for number in (1, 2):
        call = {"id": "call-1", "to_phone_number": phone(0), "metadata": {"attempt_id": key}, "n": number}
        ended = {"id": "att_1", "status": "completed", "result": "unknown", "ended_at": "2026-01-05T15:00:58.000Z"}
        said = body(call={**call, "is_completed": True, "call_attempts": [ended]}, call_attempt=ended)
        assert (await engine.inbox.receive("revox", "", {}, said)).result == "noted"

    assert (engine.state(), engine.attempt()["poll_at"]) == (S.IN_DOUBT, poll_at)


async def test_a_call_of_another_attempt_is_not_ours(store: Store, journal: Journal) -> None:
    """Found by number and time alone, a call that another attempt owns proves nothing about this one."""
    apply(store, campaign(), (contact(0), contact(1)))
    engine = bench(store, journal)
    engine.transport.dials = [reply({"call_id": "call-1", "status": "initiated"}), InDoubt("no answer")]
    await engine.deliver()
    assert [engine.state(0), engine.state(1)] == [S.ACCEPTED, S.IN_DOUBT]
    listed = {"calls": [{"call_id": "call-1", "recipient_phone": phone(1), "created_at": int(NOON.timestamp())}]}
    engine.transport.looks = [reply(listed)]
    for _ in range(2):
        engine.clock.forward(timedelta(minutes=3))
        await engine.ask()

    assert engine.state(1) is S.PLANNED
    assert engine.attempt(1)["reason"] == "proved absent: it never arrived"
