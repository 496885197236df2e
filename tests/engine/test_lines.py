"""How many calls an account lets start: lines are left to others, and who was told to wait waits, all of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.journal import Journal
from runner.engine.lines import COUNT_LASTS, Lines
from runner.errors import Throttled
from runner.ledger.store import Store
from runner.model.attempt import Assignment, Attempt, AttemptState
from runner.model.request import Request
from runner.sandbox.settings import RevringSwitches
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, movoice_took, reply, standing, states
from tests.engine.over_revring import OverRevring, calls, over_revring

LONG: dict[str, Any] = {"ring_seconds": (60.0, 60.0)}
SPARE_ONE = {"spare_lines": 1}


def lines(count: int) -> Any:
    return RevringSwitches(concurrency=count)


async def looks(over: OverRevring, count: int) -> None:
    """Run the loop for as many looks, five seconds apart, with calls that nobody ends."""
    loop = over.engine.dispatcher()
    task = asyncio.create_task(loop.run(until_done=False))
    for _ in range(count):
        await asyncio.sleep(0.15)
        over.engine.clock.forward(COUNT_LASTS)
        loop.wake()
    await asyncio.sleep(0.15)
    loop.stop()
    await asyncio.wait_for(task, 10)


async def test_lines_that_others_use_or_may_need_are_left_alone(store: Store, journal: Journal) -> None:
    of, people = calls(10)
    async with over_revring(store, journal, of, people, setting=SPARE_ONE, revring=lines(6), **LONG) as over:
        others = await over.others_call(3)
        await looks(over, 3)
        assert await over.requests("POST", "/calls") == 3 + 2, "six lines, three in use, one to spare"
        await over.hang_up(others[0])
        await looks(over, 3)
        assert await over.requests("POST", "/calls") == 3 + 3
        placed = (await over.http.get("/_sandbox/dials")).json()
        assert len(placed) == 6, "nobody ever waited in the queue"


async def test_without_the_setting_nobody_counts(store: Store, journal: Journal) -> None:
    of, people = calls(4)
    async with over_revring(store, journal, of, people, revring=lines(2), **LONG) as over:
        await looks(over, 2)
        assert await over.requests("GET", "/analytics/active") == 0
        assert await over.requests("POST", "/calls") == 4


async def test_counting_is_cheap_and_stops_when_nothing_is_due(store: Store, journal: Journal) -> None:
    of, people = calls(3)
    async with over_revring(store, journal, of, people, setting=SPARE_ONE, revring=lines(20), **LONG) as over:
        await looks(over, 6)
        assert await over.requests("POST", "/calls") == 3
        assert 1 <= await over.requests("GET", "/analytics/active") <= 2, "three due calls need no more than a count"


async def test_nothing_starts_while_nobody_says_how_many_lines_are_free(
    store: Store, journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    of, people = calls(3)
    async with over_revring(store, journal, of, people, setting=SPARE_ONE, revring=lines(20), **LONG) as over:
        await over.strike({"kind": "status", "status": 500, "provider": "revring", "path": "active$", "times": 100})
        await looks(over, 3)
        assert await over.requests("POST", "/calls") == 0
        assert sum("no call starts until its free lines are known" in line for line in caplog.messages) == 1
        await over.strike()
        await looks(over, 2)
        assert await over.requests("POST", "/calls") == 3


async def test_a_full_account_keeps_no_other_one_waiting(store: Store, journal: Journal) -> None:
    open_all_day: dict[str, Any] = {"windows": "daily 00:00-24:00", "limits": {"concurrency": 50}}
    full = account("revring", spare_lines=0)
    made = bench(store, journal, full, account("movoice"))
    by_ring = campaign(agent={"provider": "revring", "id": "a", "from": "+12025550190"}, **open_all_day)
    apply(store, by_ring, [contact(0), contact(1)], full)
    other = campaign(campaign="others", agent="movoice/b", **open_all_day)
    apply(store, other, [contact(2), contact(3)], account("movoice"))
    made.policies.renew(store.campaigns_in_force())

    free = made.delivery.lines.free(made.accounts.lines())
    with store.transaction():
        claimed = made.delivery.pacing.release(store, NOON, frozenset(), free).claimed
    assert [work.attempt.account for work in claimed] == ["movoice", "movoice"]
    assert store.accounts_due(NOON) == {"revring"}
    assert store.accounts_due(NOON - timedelta(days=1)) == set()


@given(
    available=st.integers(0, 30),
    spare=st.integers(0, 5),
    flying=st.integers(0, 5),
    during=st.integers(0, 5),
    after=st.integers(0, 5),
)
def test_never_more_start_than_the_count_allows(
    available: int, spare: int, flying: int, during: int, after: int
) -> None:
    """The provider may or may not know of what was on its way while it counted; neither way too many start."""
    pace, some = Lines(), [_call(number) for number in range(15)]
    pace.took(some[:flying])
    pace.begin_count("revring")
    pace.took(some[flying : flying + during])
    pace.end_count("revring", available, spare, NOON)
    pace.took(some[flying + during : flying + during + after])
    free = pace.free({"revring"})["revring"]

    assert flying + during + after + max(free, 0) + spare <= max(available, flying + during + after + spare)


def test_what_was_answered_is_on_its_way_no_more() -> None:
    pace, work = Lines(), _call(0)
    pace.took([work])
    pace.landed(work)
    pace.begin_count("revring")
    pace.end_count("revring", 5, 1, NOON)

    assert pace.free({"revring"}) == {"revring": 4}
    assert pace.to_count({"revring"}, {"revring"}, NOON + timedelta(seconds=4)) == []
    assert pace.next_at({"revring"}) == NOON + COUNT_LASTS
    assert pace.to_count({"revring"}, {"revring"}, NOON + COUNT_LASTS) == ["revring"]
    assert pace.to_count({"revring"}, set(), NOON) == []
    assert pace.free({"revring"}) == {"revring": 0}, "an old count is worth nothing"


async def test_an_account_that_was_told_to_wait_starts_nobody_else(store: Store, journal: Journal) -> None:
    made = bench(store, journal)
    apply(store, campaign(limits={"concurrency": 1}), [contact(number) for number in range(20)], account())
    made.transport.dials = [Throttled("movoice answered 429", retry_after=30), movoice_took]
    at: list[Any] = []
    made.transport.before = lambda request: at.append(made.clock.now()) if request.method == "POST" else None
    made.transport.looks = [reply({"status": "completed"})]
    await in_virtual_time(made)

    assert set(standing(store).values()) == {"completed"}
    assert at[1] == at[0] + timedelta(seconds=30), "no request leaves before the provider said"
    assert len(at) == 21


async def test_busy_lines_are_no_fault_however_often_they_are_busy(store: Store, journal: Journal) -> None:
    """`skipQueue` and one line: every call waits here for its turn, and the campaign is not paused for it."""
    of, people = calls(12, options={"skipQueue": True}, limits={"concurrency": 4})
    async with over_revring(store, journal, of, people, revring=lines(1), odds={"answered": 1.0}) as over:
        await over.run(40)
        requests = await over.requests("POST", "/calls")

        assert set(standing(store).values()) == {"completed"}, over.engine.campaign_state()
        assert over.engine.campaign_state() == ("active", "")
        assert len((await over.http.get("/_sandbox/dials")).json()) == 12
        assert requests < 12 * 5


async def test_twenty_busy_answers_in_a_row_lose_nobody(store: Store, journal: Journal) -> None:
    made = bench(store, journal, account("revring"))
    of, people = calls(1, options={"skipQueue": True})
    apply(store, of, people, account("revring"))
    busy = reply({"error": "concurrency_limit"}, 429)
    made.transport.dials = [*[busy] * 20, reply({"data": {"id": "call-1", "status": "INITIATED"}}, 201)]
    made.transport.looks = [reply({"data": {"status": "COMPLETED"}})]
    await in_virtual_time(made)

    assert made.campaign_state() == ("active", "")
    assert standing(store) == {people[0].key: "completed"}
    assert len(made.transport.sent) == 21
    assert [row[2] for row in states(store)] == [1], "it is one and the same try"


async def in_virtual_time(made: Bench) -> None:
    """Run the loop until done; time passes at once when nothing else happens."""

    def skip(until: Any) -> bool:
        made.clock.at = max(until, made.clock.at)
        return True

    loop = made.dispatcher(idle=skip)
    made.alarm.ring = loop.wake
    await asyncio.wait_for(loop.run(until_done=True), 20)


def _call(number: int) -> Any:
    attempt = Attempt(
        id=number, key=f"{number:032x}", campaign="renewals", contact_id=number, contact_key=str(number),
        phone="+12025550100", zones=(), step="call", number=1, channel="call", provider="revring", account="revring",
        state=AttemptState.CLAIMED, due_at=NOON,
    )  # fmt: skip
    return Assignment(
        attempt=attempt, agent_id="a", request=Request(method="POST", path="/calls"), cells={}, suppression="",
        is_paused=False,
    )  # fmt: skip
