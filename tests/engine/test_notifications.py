"""Notifications: written with what happened, signed, and silent about people."""

from __future__ import annotations

import re

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from runner.engine.journal import Journal
from runner.engine.settlement import settle
from runner.errors import InDoubt
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.outbox import Outbox
from runner.ledger.standing import pause_by_hand
from runner.ledger.store import Store
from runner.model.notification import Kind
from runner.model.outcome import Observation, Outcome
from runner.ports import Ledger
from runner.schedule.clock import SystemClock
from tests.building import Bench, apply, bench, campaign, phone
from tests.engine.notifying import EVERYTHING, PEOPLE, end, placed, pumping, states, targets, until, waiting
from tests.engine.receiving import OTHER_SECRET, SECRET, receiver


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    made = bench(store, journal)
    # Receivers hold timestamps against the real time.
    made.clock.at = SystemClock().now()
    return made


# ---- what is written, and when ----


async def test_outcomes_and_tags_are_written_with_the_move(engine: Bench) -> None:
    await placed(engine, 4, {"answered": "crm", "tag BOOKED": "crm, team", "tag": "log", "outcome": "all"})
    await end(engine, 0)
    await end(engine, 1, Outcome.NO_ANSWER)
    await end(engine, 2, Outcome.NO_ANSWER, "BOOKED")
    await end(engine, 3, Outcome.ANSWERED, "BOOKED")

    # One thing that happened is told to one target once, however many hooks fit.
    ended = Kind.ATTEMPT_ENDED.value
    assert sorted(waiting(engine.store)) == sorted(
        (ended, target) for target in ("crm", "crm", "crm", "team", "team", "log", "log", "all", "all", "all", "all")
    )


async def test_a_move_that_is_undone_tells_nobody(engine: Bench) -> None:
    await placed(engine, 1, EVERYTHING)

    def fails(ledger: Ledger) -> None:
        work = ledger.find("movoice", engine.attempt(0)["provider_id"], "")
        assert work is not None
        seen = Observation(outcome=Outcome.ANSWERED)
        ledger.move([settle(engine.policies.of("renewals"), work, seen, (), engine.clock.now())])
        assert waiting(engine.store) == [("attempt.ended", "crm")]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        await engine.journal.run(fails)

    assert waiting(engine.store) == []


async def test_a_campaign_without_hooks_writes_nothing(engine: Bench) -> None:
    await placed(engine, 2, None)
    await end(engine, 0)
    pause_by_hand(engine.store, "renewals", "", engine.clock.at)

    assert waiting(engine.store) == []


async def test_hooks_follow_the_revision_in_force(engine: Bench) -> None:
    await placed(engine, 2, {"answered": "crm"})
    apply(engine.store, campaign(on={"answered": "team"}, limits={"concurrency": 2}), PEOPLE[:2])
    await end(engine, 0)
    apply(engine.store, campaign(limits={"concurrency": 2}), PEOPLE[:2])
    await end(engine, 1)

    assert waiting(engine.store) == [("attempt.ended", "team")]


async def test_a_late_tag_is_told_by_itself(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "all", "tag BOOKED": "crm"})
    await end(engine, 0)
    await engine.journal.run(lambda ledger: ledger.letters.fill(engine.attempt(0)["id"], Observation(tag="BOOKED")))
    await engine.journal.run(lambda ledger: ledger.letters.fill(engine.attempt(0)["id"], Observation(tag="OTHER")))

    assert waiting(engine.store) == [("attempt.ended", "all"), ("attempt.tagged", "crm")]


async def test_pauses_say_why(engine: Bench) -> None:
    apply(engine.store, campaign(on={"paused": "team", "doubt_budget": "boss"}), PEOPLE[:1])
    pause_by_hand(engine.store, "renewals", "lunch", engine.clock.at)
    pause_by_hand(engine.store, "renewals", "lunch again", engine.clock.at)
    told = Outbox(engine.store).due("team", engine.clock.at, 9)

    assert [one.reason for one in told] == ["paused by hand: lunch", "paused by hand: lunch again"]
    assert Outbox(engine.store).due("boss", engine.clock.at, 9) == []


async def test_a_spent_doubt_budget_is_told(engine: Bench) -> None:
    engine.transport.dials = [InDoubt("lost")]
    await placed(engine, 4, {"doubt_budget": "boss"})
    (told,) = Outbox(engine.store).due("boss", engine.clock.now(), 9)

    assert (told.kind, told.cause) == (Kind.CAMPAIGN_PAUSED, "doubt_budget")


async def test_the_end_of_a_campaign_is_told_once_for_each_end(engine: Bench) -> None:
    outbox = Outbox(engine.store)
    await placed(engine, 2, {"finished": "team"})
    await end(engine, 0)
    assert outbox.note_finished(engine.clock.at) == 0
    await end(engine, 1, Outcome.NO_ANSWER)
    assert [outbox.note_finished(engine.clock.at) for _ in range(3)] == [1, 0, 0]
    (told,) = outbox.due("team", engine.clock.at, 9)
    assert told.row_stats == {"completed": 1, "failed": 1}

    again = campaign(on={"finished": "team"}, limits={"concurrency": 9})
    apply(engine.store, again, PEOPLE[:2])
    assert outbox.note_finished(engine.clock.at) == 0, "a revision that leaves nothing to do is no new end"
    apply(engine.store, again, PEOPLE[:3])
    assert outbox.note_finished(engine.clock.at) == 0
    await engine.deliver()
    await end(engine, 2)
    assert outbox.note_finished(engine.clock.at) == 1


async def test_a_campaign_without_people_has_no_end(engine: Bench) -> None:
    apply(engine.store, campaign(on={"finished": "team"}), ())

    assert Outbox(engine.store).note_finished(engine.clock.at) == 0


# ---- what a receiver gets ----


async def test_a_receiver_gets_signed_webhooks_without_people_s_data(engine: Bench) -> None:
    await placed(engine, 1, EVERYTHING)
    await end(engine, 0, tag="BOOKED")
    with receiver() as got:
        async with pumping(engine, targets(got)):
            await until(lambda: [state for state, _ in states(engine.store)] == ["sent", "sent"])
        bodies = got.verified()

    by_type = {body["type"]: body for body in bodies}
    ended = by_type["attempt.ended"]["data"]
    assert (ended["campaign"], ended["outcome"], ended["tag"]) == ("renewals", "answered", "BOOKED")
    assert ended["phone"] == pseudonyms_of(engine.store).shown(phone(0))
    assert re.fullmatch(r"\+1\*\*\*0100#[0-9a-f]{8}", ended["phone"])
    assert phone(0) not in str(bodies)
    assert "Tuesday" not in str(bodies)
    assert by_type["campaign.finished"]["data"]["row_stats"] == {"completed": 1}


async def test_personal_targets_get_the_person(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)
    with receiver() as got:
        async with pumping(engine, targets(got, personal=True)):
            await until(lambda: len(got.answered) == 1)
        (body,) = got.verified()

    assert body["data"]["phone"] == body["data"]["contact"] == phone(0)
    assert body["data"]["summary"] == "she will come on Tuesday"


async def test_while_secrets_change_either_proves(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)
    with receiver() as got:
        async with pumping(engine, targets(got, secret=f"{OTHER_SECRET} {SECRET}")):
            await until(lambda: len(got.answered) == 1)

        assert got.verified(SECRET) == got.verified(OTHER_SECRET)
        headers, body = got.raw[0]
        got.raw = [(headers, body.replace(b"answered", b"declined"))]
        with pytest.raises(WebhookVerificationError):
            got.verified()
        got.raw = [(headers | {"webhook-id": "msg_other"}, body)]
        with pytest.raises(WebhookVerificationError):
            got.verified()


async def test_targets_that_cannot_be_sent_to_only_wait(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm, crn"})
    await end(engine, 0)
    with receiver() as got:
        async with pumping(engine, targets(got)):
            await until(lambda: ("waiting", 1) in states(engine.store) and ("sent", 1) in states(engine.store))
    (misspelt,) = [one for one in Outbox(engine.store).standing() if one.target == "crn"]

    assert misspelt.says == "outreach.yaml had no target `crn` when this run began"
    assert misspelt.waiting == 1


@pytest.mark.parametrize("secret", ["whsec_short", "whsec_" + "A" * 8, "not base64!", "whsec_" + "A" * 200])
async def test_secrets_that_sign_nothing_are_named_and_not_shown(engine: Bench, secret: str) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)
    with receiver() as got:
        async with pumping(engine, targets(got, secret=secret)):
            await until(lambda: states(engine.store) == [("waiting", 1)])
        (standing,) = Outbox(engine.store).standing()

    assert got.ids == []
    assert standing.says.startswith("`env:SECRET`: the secret")
    assert secret not in standing.says


async def test_private_addresses_are_not_reached(engine: Bench) -> None:
    await placed(engine, 1, {"outcome": "crm"})
    await end(engine, 0)
    with receiver() as got:
        async with pumping(engine, targets(got, allow_loopback=False)):
            await until(lambda: states(engine.store) == [("waiting", 1)])

        assert got.ids == []
