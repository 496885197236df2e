"""Sending: the intent comes first, every error has its proof, and what forbids a call is read last."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from runner.engine.delivery import TRANSPORT_TRIES
from runner.engine.journal import Journal
from runner.errors import CredentialMissing, InDoubt, LedgerUnwritable, NotSent, Rejected, SendError, Throttled
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.outcome import Observation, Outcome
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.ports.telemetry import telling_apart
from runner.providers.replies import OptedOut
from tests.building import (
    NOON,
    Answer,
    Bench,
    account,
    apply,
    bench,
    campaign,
    contact,
    movoice_took,
    phone,
    reply,
    standing,
    states,
)

S = AttemptState
PEOPLE = tuple(contact(number) for number in range(4))
ONE = PEOPLE[:1]


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal)


@pytest.mark.fault("F42")
async def test_an_intent_is_durable_before_the_request_leaves(engine: Bench, path: Path) -> None:
    apply(engine.store, campaign(), PEOPLE)
    seen: list[list[str]] = []

    def look(_: Request) -> None:
        reader = Store.open_read_only(path)
        seen.append([state for *_, state in states(reader)])
        reader.close()

    engine.transport.before = look
    await engine.deliver()
    assert [one.count("sending") >= 1 for one in seen] == [True] * 4
    assert seen[0] == ["sending"] * 4, "one commit for the batch, before its first request"
    assert [state for *_, state in states(engine.store)] == ["accepted"] * 4


async def test_a_request_carries_its_key_and_is_asked_for_later(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    await engine.deliver()
    row = engine.attempt()
    assert row["key"] in engine.transport.sent[0].headers.values()
    assert row["provider_id"] == f"id-{row['key']}"
    assert engine.store.next_ask() == NOON + timedelta(seconds=90)
    assert standing(engine.store) == {phone(0): "calling"}


TABLE: list[tuple[str, Answer, S, timedelta | None, int, str]] = [
    ("not sent", NotSent("the connection was refused"), S.PLANNED, timedelta(seconds=2), 1, "pending"),
    ("throttled", Throttled("slow down", retry_after=30), S.PLANNED, timedelta(seconds=30), 1, "pending"),
    ("throttled for ever", Throttled("slow down", retry_after=1e300), S.PLANNED, timedelta(hours=1), 1, "pending"),
    ("throttled backwards", Throttled("slow down", retry_after=-5), S.PLANNED, timedelta(seconds=1), 1, "pending"),
    ("throttled without a time", Throttled("slow down"), S.PLANNED, timedelta(seconds=2), 1, "pending"),
    ("rejected", Rejected("no such agent"), S.FINISHED, None, 0, "failed"),
    ("do not call", OptedOut("on the list"), S.FINISHED, None, 0, "suppressed"),
    ("bad key", Rejected("unauthorized", pause=True), S.PLANNED, timedelta(0), 0, "pending"),
    ("no key", CredentialMissing("env:NONE is not set"), S.PLANNED, timedelta(0), 0, "pending"),
    ("in doubt", InDoubt("no answer came"), S.IN_DOUBT, None, 0, "calling"),
    ("a surprise", RuntimeError("boom"), S.IN_DOUBT, None, 0, "calling"),
    ("an id is missing", reply({"status": "queued"}), S.IN_DOUBT, None, 0, "calling"),
    ("a server error", reply({}, 500), S.IN_DOUBT, None, 0, "calling"),
    ("a redirect", reply({}, 307), S.PLANNED, timedelta(0), 0, "pending"),
]


@pytest.mark.parametrize(
    ("answer", "state", "due", "tries", "contact_state"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
@pytest.mark.fault("F10")
async def test_each_answer_has_its_consequence(  # noqa: PLR0917 a table
    engine: Bench,
    answer: Answer,
    state: S,
    due: timedelta | None,
    tries: int,
    contact_state: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    apply(engine.store, campaign(), ONE)
    engine.transport.dials = [answer]
    await engine.deliver()
    row = engine.store.assignments([1])[0].attempt
    assert len(engine.transport.sent) == 1
    assert (row.state, row.transport_tries) == (state, tries)
    if due is not None:
        assert row.due_at == NOON + due
    if state is S.IN_DOUBT:
        assert row.poll_at == NOON + timedelta(seconds=120)
    assert standing(engine.store) == {phone(0): contact_state}


@pytest.mark.parametrize("error", [Rejected("unauthorized", pause=True), CredentialMissing("env:NONE is not set")])
async def test_what_fails_for_everybody_pauses_the_campaign_and_says_why(engine: Bench, error: Exception) -> None:
    apply(engine.store, campaign(), ONE)
    engine.transport.dials = [error]
    await engine.deliver()
    assert engine.campaign_state() == ("paused", f"account movoice: {error}")
    assert engine.store.assignments([1])[0].is_paused


async def test_an_account_that_is_gone_pauses_before_anything_is_sent(store: Store, journal: Journal) -> None:
    apply(store, campaign(), ONE, account(name="old"))
    engine = bench(store, journal, account(name="new"))
    await engine.deliver()
    assert engine.transport.sent == []
    assert engine.state() is S.PLANNED
    assert engine.campaign_state() == ("paused", "account old: account `old` is no longer in outreach.yaml")


async def test_the_last_call_of_an_account_pauses_the_campaign(store: Store, journal: Journal) -> None:
    apply(store, campaign(agent="revmo/agent_1"), PEOPLE[:2])
    engine = bench(store, journal, account("revmo", webhook_secret="env:X"))
    engine.transport.dials = [reply({"result": "Ok", "external_id": "1", "calls_remaining": 0})]
    engine.policies.renew(store.campaigns_in_force())
    await engine.delivery.deliver(await engine.claim(1))
    assert engine.campaign_state() == ("paused", "account revmo: no calls remain")


@pytest.mark.parametrize("error", [NotSent("refused"), Throttled("slow down")])
async def test_what_cannot_be_reached_pauses_the_campaign_and_gives_nobody_up(engine: Bench, error: SendError) -> None:
    apply(engine.store, campaign(), ONE)
    engine.transport.dials = [error]
    for _ in range(TRANSPORT_TRIES + 3):
        await engine.deliver()
        engine.clock.forward(timedelta(minutes=20))
    state, reason = engine.campaign_state()
    assert (engine.state(), state) == (S.PLANNED, "paused")
    assert reason.startswith("account ")
    assert reason.endswith(f"{error.message}, {TRANSPORT_TRIES} times in a row")
    assert len(engine.transport.sent) == TRANSPORT_TRIES


async def test_a_request_that_never_left_has_no_instant_of_sending(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    engine.transport.dials = [NotSent("refused")]
    await engine.deliver()
    assert engine.attempt()["sent_at"] is None


@pytest.mark.fault("F35")
async def test_a_suppression_between_claim_and_intent_is_heard(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE[:2])
    claimed = await engine.claim()
    engine.store.suppress(phone(0), "opted out", "call x", NOON)
    await engine.delivery.deliver(claimed)
    assert states(engine.store) == [
        (phone(0), "call", 1, "suppressed"),
        (phone(1), "call", 1, "accepted"),
    ]
    assert standing(engine.store)[phone(0)] == "suppressed"
    assert len(engine.transport.sent) == 1


async def test_a_pause_between_claim_and_intent_is_heard(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    claimed = await engine.claim()
    engine.store.pause("renewals", "by hand", NOON)
    await engine.delivery.deliver(claimed)
    assert engine.transport.sent == []
    assert {state for *_, state in states(engine.store)} == {"planned"}
    assert set(standing(engine.store).values()) == {"pending"}


@pytest.mark.fault("F10")
async def test_a_window_that_closes_between_claim_and_intent_is_seen(engine: Bench) -> None:
    apply(engine.store, campaign(windows="mon-fri 10:00-13:00"), ONE)
    claimed = await engine.claim()
    engine.clock.forward(timedelta(hours=1))
    await engine.delivery.deliver(claimed)
    row = engine.store.assignments([1])[0].attempt
    assert engine.transport.sent == []
    assert (row.state, row.due_at) == (S.PLANNED, NOON + timedelta(hours=22))


async def test_an_end_between_claim_and_intent_expires_the_attempt(engine: Bench) -> None:
    apply(engine.store, campaign(schedule={"end": "2026-01-05T17:30:00Z"}), ONE)
    claimed = await engine.claim()
    engine.clock.forward(timedelta(hours=1))
    await engine.delivery.deliver(claimed)
    assert (engine.state(), standing(engine.store)) == (S.EXPIRED, {phone(0): "failed"})


async def test_somebody_who_opted_out_at_the_provider_is_left_alone_everywhere(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    apply(engine.store, campaign(campaign="reminders"), ONE)
    engine.transport.dials = [OptedOut("on the list"), movoice_took]
    await engine.deliver()
    await engine.deliver(of="reminders")
    assert [state for *_, state in states(engine.store, "reminders")] == ["suppressed"]
    assert len(engine.transport.sent) == 1


async def test_a_rejected_number_is_tried_again_when_the_rules_say_so(engine: Bench) -> None:
    apply(engine.store, campaign(retry="3 times, 2h apart, on failed"), ONE)
    engine.transport.dials = [Rejected("bad request")]
    await engine.deliver()
    assert [(number, state) for _, _, number, state in states(engine.store)] == [(1, "finished"), (2, "planned")]
    assert engine.store.assignments([2])[0].attempt.due_at == NOON + timedelta(hours=2)


@pytest.mark.parametrize(
    "error", [InDoubt("no answer"), Rejected("gone"), NotSent("refused"), Throttled("later"), RuntimeError("boom")]
)
@pytest.mark.fault("F15")
async def test_a_webhook_that_is_faster_than_the_answer_counts(
    engine: Bench, error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    apply(engine.store, campaign(retry="3 times"), ONE)
    engine.transport.dials, engine.transport.gate = [error], asyncio.Event()
    claimed = await engine.claim()
    sending = asyncio.create_task(engine.delivery.deliver(claimed))
    await engine.transport.left.wait()
    assert await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED, provider_id="call-1"))
    engine.transport.gate.set()
    await sending
    row = engine.attempt()
    assert (row["state"], row["outcome"], row["provider_id"]) == ("finished", "answered", "call-1")
    assert len(states(engine.store)) == 1


async def test_an_answer_after_the_webhook_changes_nothing(engine: Bench) -> None:
    apply(engine.store, campaign(), ONE)
    engine.transport.gate = asyncio.Event()
    sending = asyncio.create_task(engine.delivery.deliver(await engine.claim()))
    await engine.transport.left.wait()
    await engine.reconciliation.settle(1, Observation(outcome=Outcome.ANSWERED))
    engine.transport.gate.set()
    await sending
    assert (engine.state(), engine.attempt()["outcome"]) == (S.FINISHED, "answered")


@pytest.mark.parametrize("text", ["{}", "key_{}", "ref{}", "{}: used", "y" * 175 + "{}"])
@pytest.mark.parametrize("status", [400, 401, 429, 500])
@pytest.mark.parametrize("spelled", [str, str.upper, lambda key: str(uuid.UUID(key))])
async def test_a_key_that_a_provider_repeats_is_in_no_reason(
    engine: Bench, status: int, text: str, spelled: Callable[[str], str]
) -> None:
    apply(engine.store, campaign(), ONE)
    key, ours = engine.attempt()["key"], pseudonyms_of(engine.store)
    engine.transport.dials = [reply({"message": text.format(spelled(key))}, status)]
    with telling_apart(ours):
        await engine.deliver()

    said = _said(engine.store).lower().replace("-", "")
    assert "movoice answered" in said
    assert key[:8] not in said
    assert (ours.log_id(key) in said) == (not text.startswith("y"))


@pytest.mark.parametrize("text", ["{}", "call_{}", "ref{}_1"])
async def test_an_id_that_is_made_from_the_key_is_kept_as_it_was_given_and_shown_without(
    engine: Bench, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="runner")
    apply(engine.store, campaign(), PEOPLE[:2])
    key, ours = engine.attempt()["key"], pseudonyms_of(engine.store)
    engine.transport.dials = [reply({"call_id": text.format(key)})]
    with telling_apart(ours):
        await engine.deliver()

    assert text.format(key) in {engine.attempt(0)["provider_id"], engine.attempt(1)["provider_id"]}
    given = text.format(ours.log_id(key))
    assert f'"reason":"the provider gave the id of another attempt: {given}"' in _said(engine.store)
    ids = [getattr(one, "ids", {}).get("provider_id", "") for one in caplog.records]
    assert given in ids


def _said(store: Store) -> str:
    """Give all that the ledger tells of why."""
    rows = store._connection.execute("SELECT detail FROM events UNION ALL SELECT reason FROM campaigns")
    return "\n".join(str(one) for (one,) in rows)


async def test_an_id_that_was_given_before_stops_nothing(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE[:2])
    engine.transport.dials = [reply({"call_id": "same"})]
    await engine.deliver()
    assert [state for *_, state in states(engine.store)] == ["accepted", "accepted"]
    assert sorted([engine.attempt(0)["provider_id"] or "", engine.attempt(1)["provider_id"] or ""]) == ["", "same"]


async def test_a_provider_that_never_tells_ends_as_unknown(store: Store, journal: Journal) -> None:
    apply(store, campaign(agent="revmo/agent_1"), ONE)
    engine = bench(store, journal, account("revmo"))
    engine.transport.dials = [reply({"result": "Ok", "external_id": "1"})]
    await engine.deliver()
    assert (engine.state(), engine.attempt()["outcome"]) == (S.FINISHED, "unknown")
    assert standing(store) == {phone(0): "completed"}


async def test_one_attempt_that_cannot_be_written_leaves_the_others_their_end(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE[:3])
    move, broken = engine.store.move, asyncio.Event()

    def failing(moves: object) -> list[bool]:
        wanted = list(moves)  # type: ignore[call-overload]
        if any(one.new is S.ACCEPTED and one.attempt_id == 1 for one in wanted):
            broken.set()
            raise LedgerUnwritable("the disk is full")
        return move(wanted)

    send, answered = engine.transport.send, asyncio.Event()

    async def slow(account: Account, request: Request) -> Reply:
        if (request.body or {})["recipient_phone"] != phone(0):
            await answered.wait()
        return await send(account, request)

    engine.store.move = failing  # type: ignore[method-assign]
    engine.transport.send = slow  # type: ignore[method-assign]
    sending = asyncio.create_task(engine.deliver())
    await broken.wait()
    await asyncio.sleep(0.05)
    assert not sending.done(), "two answers are still under way"
    answered.set()
    with pytest.raises(LedgerUnwritable):
        await sending
    assert [state for *_, state in states(engine.store)] == ["sending", "accepted", "accepted"]


async def test_no_request_leaves_without_its_intent(engine: Bench) -> None:
    apply(engine.store, campaign(), PEOPLE)
    claimed = await engine.claim()
    engine.store._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(LedgerUnwritable):
        await engine.delivery.deliver(claimed)
    assert engine.transport.sent == []


def test_the_table_covers_every_way_to_fail() -> None:
    tried = {type(row[1]) for row in TABLE}
    assert set(SendError.__subclasses__()) <= tried
