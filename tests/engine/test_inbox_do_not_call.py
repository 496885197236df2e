"""Do-not-call lists in step: what arises here is told, what stands there is heard, trouble blocks nobody."""

from __future__ import annotations

import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.do_not_call import DoNotCall
from runner.engine.journal import Journal
from runner.errors import InDoubt, NotSent, OutreachError
from runner.ledger.store import Store
from runner.model.request import Reply, Request
from runner.providers.revring_do_not_call import RevringDoNotCall
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, phone, reply, standing

AGENTS = {"a": {"provider": "revring", "id": "agent_1", "from": "+12025550190"}}
RULES = campaign(agent=None, agents=AGENTS)
PEOPLE = tuple(contact(number) for number in range(4))


class Listing:
    """RevRing's list as a script: numbers that stand there, numbers that are added."""

    def __init__(self, *numbers: str, page: int = 500) -> None:
        self.numbers = list(numbers)
        self.requests: list[Request] = []
        self.page = page
        self.trouble: Exception | None = None

    def __call__(self, request: Request) -> Reply:
        """Answer one request."""
        self.requests.append(request)
        if self.trouble is not None:
            raise self.trouble
        if request.method == "GET":
            number = int(request.path.partition("page=")[2].partition("&")[0])
            shown = self.numbers[(number - 1) * self.page : number * self.page]
            return reply(
                {"data": [{"e164": one, "reason": "", "createdAt": ""} for one in shown], "total": len(self.numbers)}
            )
        wanted: Any = (request.body or {})["numbers"]
        added = [one for one in wanted if one not in self.numbers]
        self.numbers += added
        return reply({"data": {"added": len(added)}}, 201)


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    apply(store, RULES, PEOPLE, account("revring"))
    return bench(store, journal, account("revring"), account("movoice"))


def keeper(engine: Bench, listing: Listing) -> DoNotCall:
    """Build what a new start builds."""
    engine.transport.dials = engine.transport.looks = [listing]
    return DoNotCall(engine.journal, engine.accounts, engine.transport, engine.clock)


def told(listing: Listing) -> list[list[str]]:
    return [one.body["numbers"] for one in listing.requests if one.method == "POST" and one.body]  # type: ignore[misc]


async def test_what_arises_here_is_told_once(engine: Bench) -> None:
    listing = Listing()
    lists = keeper(engine, listing)
    engine.store.suppress(phone(0), "opted out", "call 1", NOON)
    await lists.first_round()
    engine.store.suppress(phone(1), "asked to stop", "text", NOON)
    await lists.round()
    await lists.round()
    await keeper(engine, listing).first_round()
    assert told(listing) == [[phone(0)], [phone(1)]]
    assert sum(one.method == "GET" for one in listing.requests) == 2, "the list is read once a start"


async def test_what_stands_there_is_heard_and_not_told_back(engine: Bench) -> None:
    listing = Listing(phone(2), phone(9))
    await keeper(engine, listing).first_round()
    assert standing(engine.store)[phone(2)] == "suppressed"
    rows = engine.store._connection.execute("SELECT phone, source FROM suppressions ORDER BY phone")
    assert [tuple(row) for row in rows] == [(phone(2), "revring do-not-call"), (phone(9), "revring do-not-call")]
    assert told(listing) == []


async def test_a_long_list_is_read_to_its_end(engine: Bench) -> None:
    numbers = [f"+4479460{number:05d}" for number in range(1_201)]
    listing = Listing(*numbers)
    await keeper(engine, listing).first_round()
    assert len(listing.requests) == 3
    assert engine.store._connection.execute("SELECT COUNT(*) FROM suppressions").fetchone()[0] == 1_201


@pytest.mark.parametrize("trouble", [NotSent("refused"), InDoubt("cut off"), OutreachError("no key")])
async def test_trouble_blocks_nobody_and_is_made_good_at_the_next_start(
    engine: Bench, trouble: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    listing = Listing()
    listing.trouble = trouble
    engine.store.suppress(phone(0), "opted out", "call 1", NOON)
    lists = keeper(engine, listing)
    await lists.first_round()
    await lists.round()
    assert len(listing.requests) == 1, "left alone until the next start"
    listing.trouble = None
    await keeper(engine, listing).first_round()
    assert told(listing) == [[phone(0)]]


async def test_a_slow_list_lets_calling_begin(
    engine: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("runner.engine.do_not_call._FIRST_ROUND_SECONDS", 0.05)
    engine.transport.gate = asyncio.Event()
    engine.store.suppress(phone(0), "opted out", "call 1", NOON)
    await asyncio.wait_for(keeper(engine, Listing()).first_round(), 2)
    assert engine.store.letters.unlisted("revring", 9) == [phone(0)]


async def test_accounts_that_nobody_pays_with_are_not_asked(store: Store, journal: Journal) -> None:
    apply(store, campaign(), PEOPLE, account("movoice"))
    engine = bench(store, journal, account("revring"), account("movoice"))
    store.suppress(phone(0), "opted out", "call 1", NOON)
    listing = Listing()
    await keeper(engine, listing).first_round()
    assert listing.requests == []


async def test_more_than_one_request_holds_is_told_in_parts(engine: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RevringDoNotCall, "most_numbers", 2)
    for number in range(3):
        engine.store.suppress(phone(number), "opted out", "call", NOON + timedelta(seconds=number))
    listing = Listing()
    await keeper(engine, listing).first_round()
    assert told(listing) == [[phone(0), phone(1)], [phone(2)]]


async def test_suppressions_are_told_while_it_runs(engine: Bench) -> None:
    listing = Listing()
    keeping = asyncio.create_task(replace(keeper(engine, listing), every=timedelta(seconds=0.01)).keep())
    await engine.journal.run(lambda ledger: ledger.suppress(phone(3), "asked to stop", "text", NOON))
    async with asyncio.timeout(5):
        while not told(listing):  # noqa: ASYNC110 the script tells nobody
            await asyncio.sleep(0.01)
    keeping.cancel()
    assert told(listing) == [[phone(3)]]


def test_requests_and_answers_are_the_documented_ones() -> None:
    listing = RevringDoNotCall()
    assert listing.list_request(0).path == "/do-not-call?page=1&pageSize=500"
    added = listing.add_request([phone(3)], "asked not to be called")
    assert (added.method, added.path) == ("POST", "/do-not-call")
    assert added.body == {"numbers": [phone(3)], "reason": "asked not to be called"}
    page = listing.read_list(reply({"data": [{"e164": phone(3)}, {"e164": "call me"}, 7], "total": 501}), 0)
    assert (page.numbers, page.more) == ((phone(3),), True)
    assert not listing.read_list(reply({"data": [], "total": 9_000}), 0).more
    for wrong in (reply({"total": 3}), reply({}, 404), Reply(status=200, headers={}, body=b"[]")):
        with pytest.raises(OutreachError):
            listing.read_list(wrong, 0)
    for wrong in (reply({"data": {}}, 201), reply({}, 500)):
        with pytest.raises(OutreachError):
            listing.read_added(wrong)
    assert json.dumps(added.body)


async def test_a_list_that_can_only_be_read_is_heard_and_told_nothing(store: Store, journal: Journal) -> None:
    apply(store, campaign(agent="revox/asst_1"), PEOPLE, account("revox"))
    engine = bench(store, journal, account("revox"))
    store.suppress(phone(2), "asked to stop", "test", NOON)
    seen = {"do_not_contact": True, "count": 3}
    history = {"phone_history": {phone(1): seen, phone(3): {**seen, "do_not_contact": False}}}
    engine.transport.looks = [reply(history)]
    await DoNotCall(engine.journal, engine.accounts, engine.transport, engine.clock).round()

    assert [request.path for request in engine.transport.asked] == ["/calls/phone-history"]
    assert engine.transport.sent == []
    assert {key for key, state in standing(store).items() if state == "suppressed"} == {phone(1), phone(2)}
