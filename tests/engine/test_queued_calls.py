"""Calls that wait in RevRing's queue: off in time, never dialled outside a window, and nobody lost by it."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.ledger.store import Store
from runner.providers.revring_answers import ERRORS, SET_UP_FAULTS, UNDIALLED, read_call
from runner.sandbox.settings import RevringSwitches
from tests.building import NOON, account, apply, bench, reply, standing, states
from tests.engine.over_revring import OverRevring, calls, over_revring

NARROW = {"windows": "mon-fri 09:00-12:10"}
"""ten minutes are left at noon"""
ONE_LINE: dict[str, Any] = {"revring": RevringSwitches(concurrency=1), "ring_seconds": (60.0, 60.0)}


def polls_at(over: OverRevring, number: int) -> datetime:
    micros = over.engine.attempt(number)["poll_at"]
    return datetime.fromtimestamp(micros / 1e6, NOON.tzinfo)


async def queued(over: OverRevring) -> str:
    """Have one call ring and another one wait; give the id of the one that waits."""
    await over.deliver()
    ids = [str(over.engine.attempt(number)["provider_id"]) for number in range(2)]
    (waiting,) = [one for one in ids if await over.standing(one) == "QUEUED"]
    return waiting


@pytest.mark.fault("F41")
async def test_a_call_that_still_waits_when_the_window_shuts_is_called_off_and_tried_in_the_next(
    store: Store, journal: Journal
) -> None:
    async with over_revring(store, journal, *calls(2, **NARROW), **ONE_LINE) as over:
        waiting = await queued(over)
        await over.ask(timedelta(seconds=90))
        assert await over.standing(waiting) == "QUEUED", "the window is open yet"
        await over.ask(timedelta(minutes=4))
        assert max(polls_at(over, 0), polls_at(over, 1)) == NOON + timedelta(minutes=15)
        assert min(polls_at(over, 0), polls_at(over, 1)) == NOON + timedelta(minutes=10), "asked when it shuts"
        over.engine.clock.at = NOON
        await over.ask(timedelta(minutes=10))

        assert await over.standing(waiting) == "CANCELED"
        assert await over.requests("POST", "/cancel") == 1
        assert len((await over.http.get("/_sandbox/dials")).json()) == 1, "nobody was dialled out of it"
        (row,) = store._connection.execute("SELECT * FROM attempts WHERE number = 2").fetchall()
        assert (row["state"], row["phone"]) == ("planned", _phone_of(store, waiting))
        assert row["due_at"] / 1e6 == (NOON + timedelta(hours=21)).timestamp(), "nine o'clock on the next day"
        assert sorted(standing(store).values()) == ["calling", "retry"]


@pytest.mark.fault("F41")
async def test_the_first_look_is_no_later_than_the_end_of_the_window(store: Store, journal: Journal) -> None:
    made = bench(store, journal, account("revring"))
    of, people = calls(2, windows="mon-fri 09:00-12:01")
    apply(store, of, people, account("revring"))
    made.transport.dials = [
        reply({"data": {"id": "call-0", "status": "QUEUED"}}, 201),
        reply({"data": {"id": "call-1", "status": "INITIATED"}}, 201),
    ]
    await made.deliver()

    times = {made.attempt(number)["provider_id"]: made.attempt(number)["poll_at"] / 1e6 for number in range(2)}
    assert times["call-0"] == (NOON + timedelta(minutes=1)).timestamp()
    assert times["call-1"] == (NOON + timedelta(seconds=90)).timestamp()


async def test_a_call_that_waits_for_somebody_who_opted_out_is_called_off_for_good(
    store: Store, journal: Journal
) -> None:
    async with over_revring(store, journal, *calls(2), **ONE_LINE) as over:
        waiting = await queued(over)
        store.suppress(_phone_of(store, waiting), "opted out", "test", NOON)
        await over.ask(timedelta(seconds=90))

        assert await over.standing(waiting) == "CANCELED"
        assert [row[3] for row in states(store)].count("planned") == 0
        assert sorted(standing(store).values()) == ["calling", "suppressed"]


@pytest.mark.fault("F41")
async def test_a_call_that_was_dialled_meanwhile_is_followed(store: Store, journal: Journal) -> None:
    """The look said queued, and the request to call it off came too late: 400."""
    made = bench(store, journal, account("revring"))
    apply(store, *calls(1, **NARROW), account("revring"))
    made.transport.dials = [
        reply({"data": {"id": "call-0", "status": "QUEUED"}}, 201),
        reply({"error": "call_not_cancellable"}, 400),
    ]
    made.transport.looks = [
        reply({"data": {"id": "call-0", "status": "QUEUED"}}),
        reply({"data": {"id": "call-0", "status": "COMPLETED"}}),
    ]
    await made.deliver()
    made.clock.forward(timedelta(minutes=11))
    await made.ask()
    assert made.state().value == "accepted"
    made.clock.forward(timedelta(minutes=30))
    await made.ask()
    assert set(standing(store).values()) == {"completed"}
    assert [request.path for request in made.transport.sent] == ["/calls", "/calls/call-0/cancel"]


async def test_a_lost_answer_to_calling_off_is_asked_for_again_soon(store: Store, journal: Journal) -> None:
    made = bench(store, journal, account("revring"))
    apply(store, *calls(1, **NARROW), account("revring"))
    made.transport.dials = [
        reply({"data": {"id": "call-0", "status": "QUEUED"}}, 201), reply({}, 500),
        reply({"data": {"id": "call-0", "status": "CANCELED"}}),
    ]  # fmt: skip
    made.transport.looks = [reply({"data": {"id": "call-0", "status": "QUEUED"}})]
    await made.deliver()
    made.clock.forward(timedelta(minutes=20))
    await made.ask()
    assert made.attempt()["poll_at"] / 1e6 <= (made.clock.now() + timedelta(minutes=1)).timestamp()
    made.clock.forward(timedelta(minutes=1))
    await made.ask()
    assert [(row[2], row[3]) for row in states(store)] == [(1, "finished"), (2, "planned")]


@pytest.mark.parametrize("error", sorted(SET_UP_FAULTS))
async def test_a_fault_of_the_set_up_pauses_the_campaign_and_loses_nobody(
    store: Store, journal: Journal, error: str
) -> None:
    failing = RevringSwitches(fails_with=error)
    async with over_revring(store, journal, *calls(20, limits={"concurrency": 2}), revring=failing) as over:
        await over.run()

        assert over.engine.campaign_state() == (
            "paused", f"account revring: calls fail because of `{error}`"
        )  # fmt: skip
        failed = [row for row in states(store) if row[3] == "finished"]
        assert 1 <= len(failed) <= 4, "the campaign did not burn through its people"
        assert set(standing(store).values()) == {"pending", "retry"}
        assert len([row for row in states(store) if row[3] == "planned"]) == 20, "everybody still has a try"
        assert (await over.http.get("/_sandbox/dials")).json() == []


async def test_a_call_that_found_no_line_in_four_hours_is_tried_again(store: Store, journal: Journal) -> None:
    async with over_revring(store, journal, *calls(1), revring=RevringSwitches(fails_with="concurrency_limit")) as over:
        await over.deliver()
        await over.ended()
        await over.ask(timedelta(seconds=90))

        assert over.engine.campaign_state() == ("active", "")
        assert [(row[2], row[3]) for row in states(store)] == [(1, "finished"), (2, "planned")]


async def test_who_is_never_dialled_is_not_tried_for_ever(store: Store, journal: Journal) -> None:
    never = RevringSwitches(fails_with="concurrency_limit")
    async with over_revring(store, journal, *calls(1), revring=never) as over:
        await over.run()

        assert [row[2] for row in states(store)] == list(range(1, 13))
        assert set(standing(store).values()) == {"failed"}


@pytest.mark.parametrize("error", sorted(ERRORS))
def test_each_documented_error_says_whether_anybody_was_dialled(error: str) -> None:
    seen = read_call({"id": "c", "status": "FAILED", "errorMessage": error})

    assert seen.outcome == ERRORS[error]
    assert seen.is_undialled is (error in {"concurrency_limit", *SET_UP_FAULTS})
    assert seen.set_up_fault == (error if error in SET_UP_FAULTS else "")
    live = read_call({"id": "c", "status": "ONGOING", "errorMessage": error})
    assert (live.is_undialled, live.set_up_fault) == (False, ""), "only the end of a call counts"


def test_the_faults_of_the_set_up_are_documented_errors() -> None:
    assert ERRORS.keys() >= UNDIALLED


def _phone_of(store: Store, provider_id: str) -> str:
    row = store._connection.execute("SELECT phone FROM attempts WHERE provider_id = ?", (provider_id,)).fetchone()
    return str(row["phone"])


async def test_an_opt_out_takes_a_waiting_call_back_at_once(store: Store, journal: Journal) -> None:
    """It need not wait for its next look, which may be hours away."""
    async with over_revring(store, journal, *calls(2), **ONE_LINE) as over:
        waiting = await queued(over)
        loop = over.engine.dispatcher()
        task = asyncio.create_task(loop.run(until_done=False))
        await asyncio.sleep(0.1)
        assert await over.standing(waiting) == "QUEUED"
        store.suppress(_phone_of(store, waiting), "opted out", "test", NOON)
        loop.wake()
        async with asyncio.timeout(5):
            while await over.standing(waiting) != "CANCELED":  # noqa: ASYNC110 the sandbox tells nobody
                await asyncio.sleep(0.02)
            while standing(store)[_phone_of(store, waiting)] != "suppressed":  # noqa: ASYNC110 nor does the ledger
                await asyncio.sleep(0.02)
        loop.stop()
        await asyncio.wait_for(task, 10)
        assert await over.requests("POST", "/cancel") == 1, "it is asked once"
