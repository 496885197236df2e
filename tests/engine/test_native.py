"""Native delivery when all goes well: one campaign for many people, each settled by our own rules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.engine.journal import Journal
from runner.engine.native_following import gap
from runner.ledger import overview
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.contact import Contact
from runner.model.project import POLL_LADDER
from tests.building import NOON, account, apply, campaign, claim_due, contact, live_calls, phone, standing, states
from tests.engine.native_server import REVRING, NativeBench, SmallRevring, native_bench, native_campaign

PEOPLE = tuple(contact(number) for number in range(5))


@pytest.fixture
def bench(store: Store, journal: Journal) -> NativeBench:
    return native_bench(store, journal)


def rows(bench: NativeBench, what: str) -> list[object]:
    return [row[0] for row in bench.store._connection.execute(f"SELECT {what} FROM attempts ORDER BY id")]


async def test_everybody_goes_in_one_request(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE, REVRING)
    await bench.once()

    (record,) = bench.handovers()
    (made,) = bench.server.runs
    assert bench.server.sent == ["create", "start"]
    assert made.name == f"renewals {record.key}"
    assert set(made.people) == {phone(number) for number in range(5)}
    assert made.body["contacts"][0]["variables"] == {"name": phone(0)}
    assert (record.state, record.native_id, record.people) == ("accepted", made.id, 5)
    assert [state for _, _, _, state in states(bench.store)] == ["accepted"] * 5
    assert live_calls(bench.store) == {}, "the provider paces them, so they leave our own concurrency alone"


async def test_row_stats_follow_the_provider(bench: NativeBench) -> None:
    bench.server.outcomes[phone(1)] = ("exhausted", "busy", 3)
    apply(bench.store, native_campaign(), PEOPLE[:2], REVRING)
    seen = []
    for _ in range(4):
        await bench.once()
        (sums,) = overview.campaigns(bench.store, bench.engine.clock.now())
        seen.append({state: count for state, count in sums.row_stats.items() if count})
        bench.engine.clock.forward(timedelta(hours=1))

    assert seen == [
        {"total": 2, "pending": 2},
        {"total": 2, "pending": 2},
        {"total": 2, "calling": 2},
        {"total": 2, "completed": 1, "failed": 1},
    ]
    assert bench.handover_states() == ["finished"]
    assert rows(bench, "calls") == [1, 3], "the provider's own dials are kept"


async def test_a_person_who_waits_for_the_providers_next_try_is_shown_as_retry(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE[:1], REVRING)
    await bench.once()
    bench.server.busy = False
    bench.server.run().people[phone(0)].update(status="retry_wait", attempts=2)
    bench.engine.clock.forward(timedelta(hours=1))
    await bench.once()

    assert standing(bench.store) == {phone(0): "retry"}


async def test_the_providers_tries_are_all_there_are(bench: NativeBench) -> None:
    """`retry` is the provider's to carry out, so an outcome that calls for another try leads to none of ours."""
    bench.server.outcomes[phone(0)] = ("exhausted", "no_answer", 3)
    apply(bench.store, native_campaign(retry="3 times, 2h apart"), PEOPLE[:1], REVRING)
    await bench.until_done()

    assert bench.server.run().body["retryPolicy"]["maxAttempts"] == 3
    assert states(bench.store) == [(phone(0), "call", 1, "finished")]
    assert standing(bench.store) == {phone(0): "failed"}
    assert bench.server.dials == {phone(0): 3}


async def test_a_later_step_follows_at_once_whatever_the_windows_here(bench: NativeBench) -> None:
    """Windows bind the provider: people go there as soon as their time has come, also at night."""
    bench.server.outcomes[phone(0)] = ("exhausted", "busy", 1)
    of = native_campaign(
        windows="daily 03:00-04:00",
        steps=[
            {"call": "agent", "delivery": "native"},
            {"call": "agent", "name": "second", "delivery": "native", "when": "busy", "after": "1h"},
        ],
    )
    apply(bench.store, of, PEOPLE[:2], REVRING)
    await bench.until_done()

    assert bench.server.run(0).body["callingWindow"]["start"] == "03:00"
    assert [(step, state) for _, step, _, state in states(bench.store)] == [("call", "finished")] * 2 + [
        ("second", "finished")
    ]
    assert list(bench.server.run(1).people) == [phone(0)]


async def test_more_people_than_one_request_carries(store: Store, journal: Journal) -> None:
    bench = native_bench(store, journal, provider=SmallRevring())
    people = tuple(contact(number) for number in range(8))
    apply(store, native_campaign(), people, REVRING)
    await bench.until_done()

    assert bench.server.sent[:4] == ["create", "add", "add", "start"]
    assert len(bench.server.runs) == 1
    assert bench.server.dials == {phone(number): 1 for number in range(8)}


async def test_whoever_is_called_by_another_campaign_waits(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE[:2], REVRING)
    apply(bench.store, campaign(campaign="other"), PEOPLE[:1])
    live = claim_due(bench.store, "other", 1, NOON, NOON + timedelta(minutes=5))
    await bench.once()

    assert len(live) == 1
    assert list(bench.server.run().people) == [phone(1)]
    assert states(bench.store)[0][3] == "planned"


async def test_steps_that_are_handed_over_are_not_sent_one_by_one(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE, REVRING)

    assert claim_due(bench.store, "renewals", 10, NOON, NOON + timedelta(minutes=5), apart=["call"]) == []


async def test_handovers_share_the_concurrency_of_their_campaign(bench: NativeBench) -> None:
    bench.server.busy = False
    apply(bench.store, native_campaign(limits={"concurrency": 3}), PEOPLE[:2], REVRING)
    await bench.once()
    apply(bench.store, native_campaign(limits={"concurrency": 3}), PEOPLE[:4], REVRING)
    await bench.once()
    apply(bench.store, native_campaign(limits={"concurrency": 3}), PEOPLE, REVRING)
    await bench.once()

    assert [run.body["maxConcurrency"] for run in bench.server.runs] == [3, 1]
    assert [len(run.people) for run in bench.server.runs] == [2, 2]
    bench.server.busy = True
    await bench.until_done()
    assert [len(run.people) for run in bench.server.runs] == [2, 2, 1]
    assert bench.server.dials == {phone(number): 1 for number in range(5)}


async def test_a_pace_is_kept_by_one_handover_at_a_time(bench: NativeBench) -> None:
    bench.server.busy = False
    paced = native_campaign(limits={"spacing": "2s"})
    apply(bench.store, paced, PEOPLE[:1], REVRING)
    await bench.once()
    apply(bench.store, paced, PEOPLE[:2], REVRING)
    await bench.once()

    assert [run.body["callsPerSecond"] for run in bench.server.runs] == [0.5]


async def test_nobody_is_handed_over_before_the_schedule_nears(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(schedule={"start": "2026-01-06T17:00:00Z"}), PEOPLE[:1], REVRING)
    found = await bench.once()

    assert bench.server.sent == []
    assert found.next_at == NOON + timedelta(hours=24) - timedelta(minutes=10)
    bench.engine.clock.at = found.next_at
    await bench.once()
    assert bench.server.run().body["startAt"] == "2026-01-06T17:00:00Z", "ahead, with the start passed on"


async def test_the_gate_still_asks_who_must_not_be_contacted(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE[:2], REVRING)
    bench.store._connection.execute(
        "INSERT INTO suppressions (phone, reason, source, at) VALUES (?, 'asked', 'here', 0)", (phone(0),)
    )
    await bench.once()

    assert list(bench.server.run().people) == [phone(1)]
    assert standing(bench.store)[phone(0)] == "suppressed"


async def test_after_the_schedule_nobody_is_handed_over(bench: NativeBench) -> None:
    of = native_campaign(schedule={"end": "2026-01-05T18:00:00Z"})
    apply(bench.store, of, PEOPLE[:1], REVRING)
    bench.engine.clock.forward(timedelta(hours=2))
    await bench.once()

    assert bench.server.sent == []
    assert rows(bench, "state") == ["expired"]


async def test_a_number_that_the_provider_does_not_list_is_unknown_when_it_is_over(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE[:2], REVRING)
    await bench.once()
    del bench.server.run().people[phone(1)]
    await bench.until_done()

    assert rows(bench, "outcome") == ["answered", "unknown"]


async def test_nothing_new_for_a_week_gives_up(bench: NativeBench) -> None:
    apply(bench.store, native_campaign(), PEOPLE[:1], REVRING)
    await bench.once()
    bench.server.busy = False
    looks = await bench.until_done(most=800)

    assert rows(bench, "outcome") == ["unknown"]
    assert bench.engine.clock.at - NOON >= timedelta(days=7)
    assert looks < 2 * 7 * 24 * 2, "at most one look an hour"


async def test_an_opt_out_reported_by_the_provider_holds_everywhere(bench: NativeBench) -> None:
    bench.server.outcomes[phone(0)] = ("skipped", "do_not_call", 0)
    apply(bench.store, native_campaign(), PEOPLE[:1], REVRING)
    await bench.until_done()

    assert standing(bench.store) == {phone(0): "suppressed"}
    assert bench.store.one("fact", name="none") is None
    assert [row["phone"] for row in bench.store.all("suppressions")] == [phone(0)]


def test_the_wait_between_looks_climbs_to_an_hour() -> None:
    waits = [gap(POLL_LADDER, polls).total_seconds() for polls in range(8)]

    assert waits == [90, 210, 600, 2700, 3600, 3600, 3600, 3600]
    assert gap((timedelta(seconds=2),), 9) == timedelta(seconds=2)


async def test_people_of_several_zones_go_apart_where_the_provider_takes_one(store: Store, journal: Journal) -> None:
    """Revox takes one zone for all: its handovers are made zone by zone, and share the concurrency."""
    paying = account("revox")
    bench = native_bench(store, journal, paying=paying)
    of = native_campaign(
        agents={"agent": {"provider": "revox", "id": "agent_1"}}, timezone="contact", windows="daily 10:00-18:00"
    )
    zones = ("America/New_York", "America/Los_Angeles", "America/New_York")
    people: tuple[Contact, ...] = tuple(contact(at, timezone=zone) for at, zone in enumerate(zones))
    apply(store, of, people, paying)
    found = await bench.look()

    assert [
        ([person.phone for person in one.handover.people], one.handover.people[0].timezone, one.handover.concurrency)
        for one in found.fresh
    ] == [
        ([phone(0), phone(2)], "America/New_York", 5),
        ([phone(1)], "America/Los_Angeles", 8),
    ]
    assert {AttemptState(state) for _, _, _, state in states(store)} == {AttemptState.SENDING}
