"""Pause, resume and cancel under every answer a provider may give, and over a restart: heeded in the end, nobody called twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from runner.engine.journal import Journal
from runner.errors import InDoubt, NotSent
from runner.ledger.standing import cancel_by_hand, pause_by_hand, resume_by_hand
from runner.ledger.store import Store
from runner.model.request import Reply
from tests.building import NOON, apply, contact, phone, reply
from tests.engine.native_server import REVRING, Crash, NativeBench, native_bench, native_campaign

PEOPLE = tuple(contact(number) for number in range(3))
STANDS = {"pause": "paused", "start": "running", "cancel": "canceled"}
TOLD = {"pause": "paused", "start": "running", "cancel": "cancelled"}

TROUBLES: dict[str, BaseException | Reply] = {
    "timed out": InDoubt("no answer in time"),
    "no connection": NotSent("no connection"),
    "500": reply({"error": "internal_error"}, 500),
    "503": reply({"error": "unavailable"}, 503),
    "429": reply({"error": "rate_limited"}, 429),
    "401": reply({"error": "unauthorized"}, 401),
    "html": Reply(status=200, headers={}, body=b"<html>soon</html>"),
    "a redirect": Reply(status=302, headers={"location": "/login"}, body=b""),
    "409": reply({"error": "invalid_transition"}, 409),
    "killed": Crash(),
}


@pytest.fixture
async def second_journal(store: Store) -> AsyncIterator[Journal]:
    """The journal of the process that comes after the crash."""
    async with Journal(store) as running:
        yield running


async def handed(store: Store, journal: Journal, verb: str) -> NativeBench:
    """Give a bench whose people were handed over, and whose campaign stands where `verb` makes a difference."""
    made = native_bench(store, journal)
    made.server.busy = False
    apply(store, native_campaign(), PEOPLE, REVRING)
    await made.once()
    if verb == "start":
        pause_by_hand(store, "renewals", "", NOON)
        await made.once()
    return made


def decide(store: Store, verb: str) -> None:
    if verb == "pause":
        pause_by_hand(store, "renewals", "", NOON)
    elif verb == "start":
        resume_by_hand(store, "renewals", "", NOON)
    else:
        cancel_by_hand(store, "renewals", "", NOON)


@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("verb", STANDS)
async def test_what_a_person_decided_is_heeded_in_the_end(
    store: Store, journal: Journal, second_journal: Journal, verb: str, trouble: str, side: str
) -> None:
    """The trouble meets the order before it takes effect, or its answer after it did; then the runner starts anew."""
    bench = await handed(store, journal, verb)
    decide(store, verb)
    getattr(bench.server, side)[verb] = [TROUBLES[trouble]] * (1 if trouble == "killed" else 2)
    with suppress(Crash):
        await bench.once()

    again = bench.again(second_journal)
    await again.native.recover()
    for _ in range(4):
        await again.once()
        again.engine.clock.forward(timedelta(minutes=1))

    (record,) = again.handovers()
    is_refused = trouble == "409" and side == "before"
    assert bench.server.run().status == (STANDS[verb] if not is_refused else _refused_at(verb, bench))
    assert TOLD[verb] in (record.told, record.refused)
    assert bench.server.sent.count("create") == 1
    assert bench.server.dials == {}


def _refused_at(verb: str, bench: NativeBench) -> str:
    """Give where a campaign stands that did not heed: asked once, the refusal is in the status, and it is not asked forever."""
    assert 1 <= bench.server.sent.count(verb) <= 3
    return {"pause": "running", "start": "paused", "cancel": "running"}[verb]


async def test_decided_anew_while_the_order_is_on_its_way(store: Store, journal: Journal) -> None:
    """Paused and resumed before the provider took the pause: the last word holds."""
    bench = await handed(store, journal, "pause")
    bench.server.before["pause"] = [InDoubt("no answer in time")]
    pause_by_hand(store, "renewals", "", NOON)
    await bench.once()
    resume_by_hand(store, "renewals", "", NOON)
    bench.server.busy = True
    await bench.until_done()

    assert bench.server.dials == {phone(number): 1 for number in range(3)}


async def test_a_pause_whose_answer_was_lost_is_ended_by_a_resume(store: Store, journal: Journal) -> None:
    """The provider paused although we heard nothing; a person resumed before we asked again."""
    bench = await handed(store, journal, "pause")
    bench.server.after["pause"] = [InDoubt("no answer in time")]
    bench.server.before["status"] = [InDoubt("no answer in time")]
    pause_by_hand(store, "renewals", "", NOON)
    await bench.once()
    assert bench.server.run().status == "paused"
    resume_by_hand(store, "renewals", "", NOON)
    bench.server.busy = True
    await bench.until_done()

    assert bench.server.dials == {phone(number): 1 for number in range(3)}


async def test_a_cancellation_that_was_not_heard_yet_outlives_a_campaign_that_comes_back(
    store: Store, journal: Journal
) -> None:
    """Cancelled is for good: whoever is there is not called because somebody else was added here meanwhile."""
    bench = await handed(store, journal, "cancel")
    bench.server.before["cancel"] = [InDoubt("no answer in time")]
    cancel_by_hand(store, "renewals", "", NOON)
    await bench.once()
    apply(store, native_campaign(), [*PEOPLE, contact(9)], REVRING)
    bench.server.busy = True
    bench.server.before["rows"] = [reply({"data": [], "hasNextPage": False})]
    await bench.until_done()

    assert [run.status for run in bench.server.runs] == ["canceled", "completed"]
    assert bench.server.dials == {phone(9): 1}
