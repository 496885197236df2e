"""Outcomes of many RevRing calls: one request asks for a hundred, and nobody loses by another one's trouble."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.ports import ManyPolls
from runner.providers.registry import KNOWN
from tests.building import ALWAYS, NOON, account, apply, bench, campaign, contact, reply, standing, states
from tests.engine.over_revring import AGENT, OverRevring, calls, over_revring

ANSWERED: dict[str, Any] = {"odds": {"answered": 1.0}}
FIRST = timedelta(seconds=91)


async def asked(over: OverRevring) -> tuple[int, int]:
    """Count the requests that asked for many calls, and for one."""
    seen = (await over.http.get("/_sandbox/requests")).json()
    many = sum(one["path"].endswith("/calls/batch-get") for one in seen)
    one = sum(one["method"] == "GET" and "/calls/" in one["path"] for one in seen)
    return many, one


async def test_a_hundred_are_asked_for_by_one_request(store: Store, journal: Journal) -> None:
    async with over_revring(store, journal, *calls(130), **ANSWERED) as over:
        await over.deliver()
        await over.ended()
        await over.ask(FIRST)

        assert await asked(over) == (2, 0), "130 calls are two requests"
        assert Counter(standing(store).values()) == {"completed": 130}
        kept = store._connection.execute("SELECT detail FROM results").fetchall()
        assert sum("assistant: " in row["detail"] for row in kept) == 130, "what was said is read from the same answer"


async def test_one_call_is_asked_for_alone(store: Store, journal: Journal) -> None:
    async with over_revring(store, journal, *calls(1), **ANSWERED) as over:
        await over.deliver()
        await over.ended()
        await over.ask(FIRST)

        assert await asked(over) == (0, 1)
        assert standing(store) == {contact(0).key: "completed"}


async def test_the_loop_asks_for_many_at_once(store: Store, journal: Journal) -> None:
    async with over_revring(store, journal, *calls(40), **ANSWERED) as over:
        await over.run()
        many, one = await asked(over)

        assert set(standing(store).values()) == {"completed"}
        assert many >= 1
        assert many + one < 20, f"{many} requests for many calls and {one} for one"


@pytest.mark.parametrize(
    "fault",
    [{"status": 404}, {"status": 400, "body": {"error": "invalid_body"}}, {"status": 500}],
    ids=lambda fault: str(fault["status"]),
)
async def test_calls_that_cannot_be_asked_for_together_are_asked_for_one_by_one(
    store: Store, journal: Journal, fault: dict[str, Any]
) -> None:
    async with over_revring(store, journal, *calls(5), **ANSWERED) as over:
        await over.deliver()
        await over.ended()
        await over.strike({"kind": "status", "provider": "revring", "path": "batch-get$"} | fault)
        await over.ask(FIRST)

        assert await asked(over) == (1, 5)
        assert set(standing(store).values()) == {"completed"}


@pytest.mark.parametrize("fault", [{"kind": "status", "status": 429}, {"kind": "drop_before"}], ids=["429", "dropped"])
async def test_no_answer_about_many_is_not_asked_for_a_hundred_times(
    store: Store, journal: Journal, fault: dict[str, Any]
) -> None:
    async with over_revring(store, journal, *calls(5), **ANSWERED) as over:
        await over.deliver()
        await over.ended()
        await over.strike({"provider": "revring", "path": "batch-get$", "times": 1} | fault)
        await over.ask(FIRST)

        assert (await asked(over))[1] == 0
        assert {row[3] for row in states(store)} == {"accepted"}
        assert {over.engine.attempt(number)["polls"] for number in range(5)} == {1}, "a rung of the ladder was used up"
        await over.ask(timedelta(minutes=5))
        assert set(standing(store).values()) == {"completed"}


async def test_who_is_not_in_the_answer_is_asked_for_again(store: Store, journal: Journal) -> None:
    made = bench(store, journal, account("revring"))
    of, people = calls(3)
    apply(store, of, people, account("revring"))
    made.transport.dials = [reply({"data": {"id": f"call-{number}"}}, 201) for number in range(3)]
    await made.deliver()
    made.transport.dials = [reply({"data": [{"id": "call-1", "status": "COMPLETED"}, {"id": "call-9"}, "noise"]})]
    made.clock.forward(FIRST)
    await made.ask()

    assert Counter(row[3] for row in states(store)) == {"accepted": 2, "finished": 1}
    assert made.transport.sent[-1].path == "/calls/batch-get"
    assert made.transport.asked == []


async def test_texts_are_asked_for_one_by_one(store: Store, journal: Journal) -> None:
    made = bench(store, journal, account("revring"))
    agent = {"provider": "revring", "id": AGENT, "from": "+12025550190"}
    of = campaign(agent=None, agents={"anna": agent}, steps=[{"text": "anna", "message": "Hello."}], windows=ALWAYS)
    apply(store, of, [contact(0), contact(1)], account("revring"))
    made.transport.dials = [reply({"data": {"id": "msg_0"}}, 201), reply({"data": {"id": "msg_1"}}, 201)]
    made.transport.looks = [reply({"data": {"status": "delivered"}})]
    await made.deliver()
    made.clock.forward(FIRST)
    await made.ask()

    assert sorted(request.path for request in made.transport.asked) == ["/messages/msg_0", "/messages/msg_1"]
    assert set(standing(store).values()) == {"completed"}


async def test_groups_hold_no_more_than_the_provider_takes_and_nobody_in_doubt(store: Store, journal: Journal) -> None:
    made = bench(store, journal, account("revring"))
    of, people = calls(7)
    apply(store, of, people, account("revring"))
    numbers = iter(range(7))
    made.transport.dials = [lambda _: reply({"data": {"id": f"call-{next(numbers)}"}}, 201)]
    made.policies.renew(store.campaigns_in_force())
    await made.delivery.deliver(await made.claim(7))
    store._connection.execute("UPDATE attempts SET state = 'in_doubt', provider_id = NULL WHERE id IN (2, 5)")
    due = store.to_ask(NOON + FIRST, 100)
    groups = made.reconciliation.together(due)

    assert sorted(len(group) for group in groups) == [1, 1, 5]
    assert {one.attempt.state for group in groups if len(group) == 1 for one in group} == {AttemptState.IN_DOUBT}
    assert sorted(one.attempt.id for group in groups for one in group) == [1, 2, 3, 4, 5, 6, 7]


def test_the_documented_most_is_kept() -> None:
    many: ManyPolls | None = getattr(KNOWN["revring", ""], "poll_many", None)
    assert many is not None
    assert (many.most, many.channel) == (100, "call")
    assert getattr(KNOWN["revring", "seed"], "poll_many", None) is None, "the oldest generation has no such endpoint"
