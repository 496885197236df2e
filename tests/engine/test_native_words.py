"""Webhooks about people who were handed over: the only try ends them, any other has the campaign looked at."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.inbox import UNKNOWN_CALL, Inbox
from runner.engine.journal import Journal
from runner.engine.native_words import ASKING
from runner.errors import InDoubt
from runner.ledger.store import Store
from tests.building import NOON, account, apply, contact, dump, phone, standing, states
from tests.engine.native_server import AGENT, NativeBench, native_bench, native_campaign

SIGNED = account("revring", webhook_secret="env:HOOKS")
UNSIGNED = account("revring")
PEOPLE = tuple(contact(number) for number in range(3))
THRICE = "3 times, 2h apart"


async def handed(store: Store, journal: Journal, *, retry: str = "never", paying: Any = SIGNED) -> NativeBench:
    """Give a bench whose three people were handed over; nobody was called yet, and rows stay as they are."""
    made = native_bench(store, journal, paying=paying)
    made.server.busy = False
    apply(store, native_campaign(retry=retry), PEOPLE, paying)
    await made.once()
    return made


async def hears(bench: NativeBench, body: dict[str, Any], token: str = "secret") -> str:
    """Have the engine receive a webhook."""
    made = bench.engine
    inbox = Inbox(made.journal, made.accounts, made.reconciliation, made.clock, lambda _: "secret")
    return (await inbox.receive("revring", token, {}, json.dumps(body).encode())).result


def post_call(number: int, **changes: Any) -> dict[str, Any]:
    """Give RevRing's record of an ended call of the first campaign."""
    plain: dict[str, Any] = {
        "id": f"call-{number}", "direction": "OUTBOUND", "status": "COMPLETED", "toNumber": phone(number),
        "campaignId": "camp_0", "summary": "They will come.", "endedAt": "2026-01-05T17:00:30Z",
    }  # fmt: skip
    return {name: value for name, value in (plain | changes).items() if value is not None}


def started(number: int) -> dict[str, Any]:
    call = {"id": f"call-{number}", "toNumber": phone(number), "campaignId": "camp_0"}
    return {"event": "call.started", "call": call}


def facts(bench: NativeBench, number: int = 0) -> tuple[str, str, str, int | None]:
    """Give (state, outcome, summary, calls) of a person's attempt."""
    row = bench.engine.attempt(number)
    return row["state"], row["outcome"], row["summary"], row["calls"]


def look_at(bench: NativeBench) -> timedelta:
    """Give how far ahead the next look at the campaign is."""
    (record,) = bench.handovers()
    assert record.poll_at is not None
    return record.poll_at - bench.engine.clock.at


async def test_the_end_of_the_only_try_ends_the_person(store: Store, journal: Journal) -> None:
    bench = await handed(store, journal)

    assert await hears(bench, post_call(0)) == "settled"
    assert facts(bench) == ("finished", "answered", "They will come.", 1)
    assert bench.engine.attempt()["provider_id"] == "call-0"
    assert standing(store) == {phone(0): "completed", phone(1): "pending", phone(2): "pending"}


async def test_of_several_tries_the_rows_tell_which_was_the_last(store: Store, journal: Journal) -> None:
    """A call that nobody answered is not the end of a person whom the provider calls again."""
    bench = await handed(store, journal, retry=THRICE)
    missed = post_call(0, status="FAILED", errorMessage="no answer: the callee did not pick up", summary=None)
    assert look_at(bench) > timedelta(minutes=1)

    assert await hears(bench, missed) == ASKING
    assert facts(bench) == ("accepted", "", "", 1)
    assert look_at(bench) == timedelta(seconds=5)

    bench.server.run().people[phone(0)].update(status="retry_wait", attempts=1)
    bench.engine.clock.forward(timedelta(seconds=5))
    await bench.once()
    assert facts(bench)[0] == "accepted"
    assert standing(store)[phone(0)] == "retry"


async def test_what_the_webhook_knows_besides_is_kept_when_the_rows_end_the_person(
    store: Store, journal: Journal
) -> None:
    """Rows tell an outcome and an id alone; words and recording come from the webhook, which waits for them."""
    bench = await handed(store, journal, retry=THRICE)
    missed = post_call(0, id="call-x", status="FAILED", errorMessage="no answer: the callee did not pick up")
    await hears(bench, missed | {"summary": "The first try."})
    assert await hears(bench, post_call(0, sentiment="positive")) == ASKING

    row = {"status": "completed", "outcome": "answered", "attempts": 2, "lastCallId": "call-0"}
    bench.server.run().people[phone(0)].update(row)
    bench.engine.clock.forward(timedelta(hours=3))
    await bench.once()

    assert facts(bench)[:2] == ("finished", "answered")
    assert facts(bench)[3] == 2
    kept = json.loads(dump(store)["results"][0][-1])
    assert "They will come." in (facts(bench)[2], kept.get("summary"))
    assert dump(store)["results"][0][3] == "positive"
    assert dump(store)["quarantine"] == [], "the word of the earlier try waits for nothing more"


async def test_a_call_that_began_is_shown(store: Store, journal: Journal) -> None:
    bench = await handed(store, journal)

    assert await hears(bench, started(1)) == "still live"
    assert standing(store)[phone(1)] == "calling"
    assert facts(bench, 1) == ("accepted", "", "", 1)


async def test_a_person_who_wants_no_more_calls_gets_none_whatever_tries_are_left(
    store: Store, journal: Journal
) -> None:
    bench = await handed(store, journal, retry=THRICE)

    assert await hears(bench, post_call(0, doNotCallRequested=True)) == ASKING
    assert [row["phone"] for row in store.all("suppressions")] == [phone(0)]


async def test_an_opt_out_that_comes_after_the_end_still_holds(store: Store, journal: Journal) -> None:
    bench = await handed(store, journal)
    await hears(bench, post_call(0))

    assert await hears(bench, post_call(0, id="call-later", doNotCallRequested=True)) == "opted out"
    assert [row["phone"] for row in store.all("suppressions")] == [phone(0)]


@pytest.mark.parametrize(
    "body",
    [post_call(0, campaignId="camp_other"), post_call(9), post_call(0, campaignId="camp_other", doNotCallRequested=True)],
    ids=["another campaign", "nobody of ours", "an opt-out of another campaign"],
)  # fmt: skip
async def test_calls_of_others_stay_unknown(store: Store, journal: Journal, body: dict[str, Any]) -> None:
    bench = await handed(store, journal)
    before = states(store), standing(store), look_at(bench)

    assert await hears(bench, body) == UNKNOWN_CALL
    assert (states(store), standing(store), look_at(bench)) == before
    assert store.all("suppressions") == []


async def test_without_the_campaigns_id_it_is_only_a_reason_to_look(store: Store, journal: Journal) -> None:
    """Somebody may have called this number from the provider's own pages."""
    bench = await handed(store, journal)

    assert await hears(bench, post_call(0, campaignId=None)) == ASKING
    assert facts(bench)[0] == "accepted"


async def test_unproven_words_settle_nothing_and_are_heard_so_often(store: Store, journal: Journal) -> None:
    bench = await handed(store, journal, paying=UNSIGNED)
    for count in range(9):
        assert await hears(bench, post_call(0, id=f"call-{count}"), token="") == ASKING
        heard = look_at(bench) == timedelta(seconds=5)
        assert heard is (count < 6)
        store._connection.execute("UPDATE handovers SET poll_at = poll_at + 600000000")

    assert facts(bench) == ("accepted", "", "", None)
    assert standing(store)[phone(0)] == "pending"


async def test_a_campaign_of_many_is_not_read_anew_for_each_call(store: Store, journal: Journal) -> None:
    bench = await handed(store, journal, retry=THRICE)
    store._connection.execute("UPDATE handovers SET people = 10000, poll_at = poll_at + 3600000000")
    for number in range(3):
        await hears(bench, post_call(number))

    assert look_at(bench) == timedelta(seconds=105)


async def test_before_the_answer_to_the_request_it_waits(store: Store, journal: Journal) -> None:
    """Some providers dial before they answer who created the campaign."""
    bench = native_bench(store, journal, paying=SIGNED)
    bench.server.busy = False
    apply(store, native_campaign(), PEOPLE, SIGNED)
    (fresh,) = (await bench.look()).fresh
    assert await hears(bench, post_call(0)) == ASKING

    await bench.native.begin(fresh)
    row = {"status": "completed", "outcome": "answered", "attempts": 1, "lastCallId": "call-0"}
    bench.server.run().people[phone(0)].update(row)
    bench.engine.clock.forward(timedelta(minutes=2))
    await bench.once()
    assert facts(bench)[:3] == ("finished", "answered", "They will come.")


async def test_a_held_handover_remembers_of_which_campaign_it_was_told(store: Store, journal: Journal) -> None:
    bench = native_bench(store, journal, paying=SIGNED)
    bench.server.after["create"] = [InDoubt("lost")]
    apply(store, native_campaign(agents={"agent": {**AGENT, "reference": "header"}}), PEOPLE, SIGNED)
    await bench.until_done()
    assert bench.handover_states() == ["held"]

    assert await hears(bench, post_call(0)) == ASKING
    (record,) = bench.handovers()
    assert (record.state, record.native_id) == ("held", "camp_0")
    assert bench.engine.clock.at > NOON
