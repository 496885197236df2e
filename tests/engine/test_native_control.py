"""Pause, resume and cancel reach the providers that people were handed over to, and calls that wait in their queues."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.engine.journal import Journal
from runner.errors import InDoubt, NotFound, UsageWrong
from runner.ledger import overview
from runner.ledger.standing import cancel_by_hand, pause_by_hand, resume_after_faults, resume_by_hand
from runner.ledger.store import Store
from runner.model.outcome import Observation, Outcome
from runner.model.request import Request
from tests.building import NOON, account, apply, bench, campaign, contact, phone, reply, standing, states
from tests.engine.native_server import REVRING, Crash, NativeBench, native_bench, native_campaign

PEOPLE = tuple(contact(number) for number in range(4))


@pytest.fixture
async def calling(store: Store, journal: Journal) -> NativeBench:
    """Give a bench whose four people were handed over; nobody was called yet."""
    made = native_bench(store, journal)
    apply(store, native_campaign(), PEOPLE, REVRING)
    await made.once()
    return made


def told(bench: NativeBench) -> tuple[str, str]:
    (record,) = bench.handovers()
    return record.told, record.refused


# ---- pause and resume ----


async def test_a_pause_is_passed_on_and_ended_again(calling: NativeBench) -> None:
    pause_by_hand(calling.store, "renewals", "lunch", NOON)
    await calling.once()
    assert calling.server.sent[-1] == "pause"
    assert told(calling) == ("paused", "")
    assert calling.server.run().status == "paused"

    resume_by_hand(calling.store, "renewals", "", NOON)
    await calling.once()
    assert told(calling) == ("running", "")
    assert calling.server.run().status == "running"

    await calling.until_done()
    assert calling.server.dials == {phone(number): 1 for number in range(4)}


async def test_people_in_a_paused_campaign_wait_for_a_person_not_for_the_runner(calling: NativeBench) -> None:
    """`outreach run` ends then; whoever is being called is still followed to the end of the call."""
    assert calling.store.open_attempts() == 4
    calling.server.run().people[phone(0)].update(status="dialing", attempts=1)
    calling.server.busy = False
    pause_by_hand(calling.store, "renewals", "", NOON)
    await calling.once()
    await calling.once()

    assert standing(calling.store)[phone(0)] == "calling"
    assert calling.store.open_attempts() == 1
    calling.server.run().people[phone(0)].update(status="completed", outcome="answered")
    calling.engine.clock.forward(timedelta(hours=1))
    await calling.once()
    assert calling.store.open_attempts() == 0


async def test_a_paused_campaign_is_never_given_up(calling: NativeBench) -> None:
    pause_by_hand(calling.store, "renewals", "", NOON)
    await calling.once()
    for _ in range(2):
        calling.engine.clock.forward(timedelta(days=30))
        await calling.once()

    assert calling.handover_states() == ["accepted"]


async def test_nobody_is_handed_over_while_paused(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    apply(store, native_campaign(), PEOPLE, REVRING)
    pause_by_hand(store, "renewals", "", NOON)
    await made.once()

    assert made.server.sent == []


async def test_paused_between_create_and_launch_it_is_not_launched(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    apply(store, native_campaign(), PEOPLE, REVRING)

    def paused_meanwhile(verb: str, _request: Request) -> None:
        if verb == "create":  # between two of the journal's transactions, as another process would
            pause_by_hand(store, "renewals", "", NOON)

    made.server.seen = paused_meanwhile
    found = await made.look()
    await made.native.begin(found.fresh[0])
    assert made.server.sent == ["create"]
    assert made.store.open_attempts() == 0

    made.server.seen = lambda _verb, _request: None
    resume_by_hand(store, "renewals", "", NOON)
    await made.until_done()
    assert made.server.sent[:2] == ["create", "start"]


async def test_a_control_request_that_is_lost_is_sent_again(calling: NativeBench) -> None:
    calling.server.before["pause"] = [InDoubt("lost"), InDoubt("lost")]
    pause_by_hand(calling.store, "renewals", "", NOON)
    await calling.once()
    assert told(calling) == ("running", "")
    for _ in range(3):
        calling.engine.clock.forward(timedelta(minutes=15))
        await calling.once()

    assert told(calling) == ("paused", "")


async def test_a_refusal_is_believed_only_if_the_campaign_does_not_heed(calling: NativeBench) -> None:
    """409 to a pause of what is paused already is no refusal."""
    calling.server.run().status = "paused"
    calling.server.before["pause"] = [reply({"error": "invalid_transition"}, 409)]
    pause_by_hand(calling.store, "renewals", "", NOON)
    await calling.once()

    assert told(calling) == ("paused", "")


async def test_a_refusal_is_said_in_the_status(calling: NativeBench) -> None:
    calling.server.before["pause"] = [reply({"error": "no"}, 422)]
    pause_by_hand(calling.store, "renewals", "lunch", NOON)
    await calling.once()
    await calling.once()

    assert told(calling) == ("running", "paused")
    assert calling.server.sent.count("pause") == 1, "it is not asked forever"
    (sums,) = overview.campaigns(calling.store, NOON)
    assert sums.reason == "paused by hand: lunch; revring did not pause the calls that it was handed"


async def test_a_provider_that_has_no_controls_goes_on_and_the_status_says_so(store: Store, journal: Journal) -> None:
    paying = account("movoice")
    made = native_bench(store, journal, paying=paying)
    made.server.before["create"] = [reply({"batch_id": "batch_1", "created_at": "2026-01-05T17:00:00Z"})]
    calls = [{"call_id": f"c{at}", "recipient_phone": phone(at), "status": "completed"} for at in range(2)]
    apply(
        store, native_campaign(agents={"agent": "movoice/agent_1"}, limits={"concurrency": 1}), PEOPLE[:2], paying
    )  # fmt: skip
    await made.once()
    pause_by_hand(store, "renewals", "", NOON)
    await made.once()

    assert told(made) == ("running", "paused")
    (sums,) = overview.campaigns(store, NOON)
    assert sums.reason == "paused by hand; movoice cannot pause the calls that it was handed"
    made.server.before["find"] = [reply({"calls": calls}) for _ in range(4)]
    await made.until_done()
    assert set(standing(store).values()) == {"completed"}


# ---- cancel ----


async def test_cancelled_people_who_were_never_called_are_cancelled(calling: NativeBench) -> None:
    calling.server.run().people[phone(0)].update(status="completed", outcome="answered", attempts=1)
    assert cancel_by_hand(calling.store, "renewals", "", NOON) == 0
    await calling.until_done()

    assert calling.server.sent.count("cancel") == 1
    outcomes = [row[0] for row in calling.store._connection.execute("SELECT outcome FROM attempts ORDER BY id")]
    assert outcomes == ["answered", "cancelled", "cancelled", "cancelled"]
    assert standing(calling.store)[phone(1)] == "failed"
    assert calling.server.dials == {}


async def test_cancelled_somebody_who_was_being_called_may_have_been_reached(calling: NativeBench) -> None:
    calling.server.busy = False
    calling.server.run().people[phone(0)].update(status="retry_wait", attempts=1)
    cancel_by_hand(calling.store, "renewals", "", NOON)
    await calling.until_done()

    outcomes = [row[0] for row in calling.store._connection.execute("SELECT outcome FROM attempts ORDER BY id")]
    assert outcomes == ["unknown", "cancelled", "cancelled", "cancelled"]


async def test_a_handover_that_was_cancelled_stays_so_when_the_campaign_comes_back(calling: NativeBench) -> None:
    calling.server.busy = False
    calling.server.run().people[phone(0)].update(status="dialing", attempts=1)
    cancel_by_hand(calling.store, "renewals", "", NOON)
    await calling.once()
    calling.server.run().status = "running"  # a call is still under way there
    apply(calling.store, native_campaign(), [*PEOPLE, contact(9)], REVRING)
    assert calling.store.campaigns_in_force()[0].is_active
    calling.engine.clock.forward(timedelta(hours=1))
    await calling.once()
    await calling.once()

    assert calling.server.sent.count("cancel") == 1
    assert [one.told for one in calling.handovers()] == ["cancelled", "running"]
    assert list(calling.server.run(1).people) == [phone(9)]


async def test_cancelling_calls_off_what_was_not_sent(store: Store, journal: Journal) -> None:
    apply(store, campaign(), PEOPLE)
    assert cancel_by_hand(store, "renewals", "wrong list", NOON) == 4
    assert cancel_by_hand(store, "renewals", "again", NOON) is None

    assert {state for *_, state in states(store)} == {"cancelled"}
    assert set(standing(store).values()) == {"failed"}
    (sums,) = overview.campaigns(store, NOON)
    assert (sums.status, sums.reason) == ("cancelled", "cancelled by hand: wrong list")


async def test_a_cancelled_handover_that_was_never_launched_calls_nobody(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    apply(store, native_campaign(), PEOPLE, REVRING)
    made.server.before["start"] = [reply({"error": "no"}, 402)]
    await made.once()
    assert made.handover_states() == ["created"]
    cancel_by_hand(store, "renewals", "", NOON)
    await made.until_done()

    assert made.server.run().status == "canceled"
    assert made.server.dials == {}
    assert {state for *_, state in states(store)} == {"finished"}


async def test_cancelled_while_in_doubt_it_is_found_and_called_off(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    apply(store, native_campaign(), PEOPLE, REVRING)
    made.server.after["create"] = [InDoubt("lost")]
    await made.once()
    cancel_by_hand(store, "renewals", "", NOON)
    await made.until_done()

    assert made.server.run().status == "canceled"
    assert made.server.dials == {}


async def test_the_end_of_the_schedule_cancels_at_the_provider(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    made.server.busy = False
    apply(store, native_campaign(schedule={"end": "2026-01-05T18:00:00Z"}), PEOPLE, REVRING)
    await made.once()
    await made.until_done()

    assert made.server.run().status == "canceled"
    assert made.engine.clock.at >= NOON + timedelta(hours=1)


async def test_a_crash_while_cancelling_is_made_good(calling: NativeBench) -> None:
    calling.server.after["cancel"] = [Crash()]
    cancel_by_hand(calling.store, "renewals", "", NOON)
    with pytest.raises(Crash):
        await calling.once()
    await calling.until_done()

    assert told(calling) == ("cancelled", "")
    assert calling.server.dials == {}


async def test_single_calls_under_way_are_called_off_once(store: Store, journal: Journal) -> None:
    """RevRing can take a queued call back; the poll afterwards says what became of it."""
    made = bench(store, journal, REVRING)
    made.transport.dials = [reply({"data": {"id": "call-1", "status": "queued"}}, 201)]
    native = native_bench(store, journal)
    single = campaign(agent=None, agents={"agent": {"provider": "revring", "id": "agent_1", "from": "+12025550199"}})
    apply(store, single, PEOPLE[:1], REVRING)
    await made.deliver()
    assert made.state() == "accepted"
    cancel_by_hand(store, "renewals", "", NOON)

    paths: list[str] = []
    native.server.seen = lambda _verb, request: paths.append(f"{request.method} {request.path}")
    native.server.before["cancel"] = [reply({"success": True})]
    for _ in range(3):
        await native.once()

    assert paths == ["POST /calls/call-1/cancel"]
    assert made.attempt()["poll_at"] is not None


async def test_nothing_follows_an_attempt_of_a_cancelled_campaign(store: Store, journal: Journal) -> None:
    made = bench(store, journal)
    apply(store, campaign(retry="3 times, 1h apart"), PEOPLE[:1])
    await made.deliver()
    cancel_by_hand(store, "renewals", "", NOON)
    await made.reconciliation.settle(1, Observation(outcome=Outcome.NO_ANSWER))

    assert [state for *_, state in states(store)] == ["finished", "cancelled"]
    assert standing(store) == {phone(0): "failed"}


# ---- what a person decides ----


def test_only_faults_of_accounts_end_by_themselves(store: Store) -> None:
    for name in ("by-hand", "by-fault", "both"):
        apply(store, campaign(campaign=name), PEOPLE[:1])
    pause_by_hand(store, "by-hand", "account holder on holiday", NOON)
    store.pause("by-fault", "account movoice: no calls remain", NOON)
    store.pause("both", "account movoice: no calls remain", NOON)
    pause_by_hand(store, "both", "", NOON)

    assert resume_after_faults(store, NOON) == ["by-fault"]
    assert [one.is_active for one in store.campaigns_in_force()] == [False, True, False]


def test_unknown_and_cancelled_campaigns(store: Store) -> None:
    apply(store, campaign(), PEOPLE[:1])
    with pytest.raises(NotFound, match="no campaign `other`"):
        pause_by_hand(store, "other", "", NOON)
    assert not resume_by_hand(store, "renewals", "", NOON)
    cancel_by_hand(store, "renewals", "", NOON)
    assert not pause_by_hand(store, "renewals", "", NOON)
    with pytest.raises(UsageWrong, match="is cancelled"):
        resume_by_hand(store, "renewals", "", NOON)
