"""Native delivery when it goes wrong: created once at most, whatever is lost, refused or killed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from runner.engine.journal import Journal
from runner.errors import CredentialMissing, InDoubt, NotSent
from runner.ledger.store import Store
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.providers.revox import RevoxD
from tests.building import account, apply, contact, phone, reply, standing, states
from tests.engine.native_server import (
    AGENT,
    REVRING,
    Crash,
    NativeBench,
    NativeServer,
    SmallRevring,
    native_bench,
    native_campaign,
)

PEOPLE = tuple(contact(number) for number in range(8))
LOST = InDoubt("the answer was lost")
_KEY_LENGTH = 32


@pytest.fixture
def small(store: Store, journal: Journal) -> NativeBench:
    """Give a bench whose requests carry three people, and eight people who are due."""
    made = native_bench(store, journal, provider=SmallRevring())
    apply(store, native_campaign(), PEOPLE, REVRING)
    return made


@pytest.fixture
async def second_journal(store: Store) -> AsyncIterator[Journal]:
    """The journal of the process that comes after the crash; the first one has nothing waiting then."""
    async with Journal(store) as running:
        yield running


def creates(server: NativeServer) -> int:
    return server.sent.count("create")


def one_dial_each(server: NativeServer, people: int = 8) -> bool:
    return server.dials == {phone(number): 1 for number in range(people)}


# ---- lost replies ----


async def test_a_lost_answer_is_found_again_by_its_name(small: NativeBench) -> None:
    small.server.after["create"] = [LOST]
    await small.once()
    assert small.handover_states() == ["in_doubt"]
    assert {state for *_, state in states(small.store)} == {"in_doubt"}

    await small.until_done()

    assert creates(small.server) == 1
    assert small.handover_states() == ["finished"]
    assert one_dial_each(small.server)


async def test_two_empty_look_ups_prove_it_absent_and_a_new_handover_takes_its_people(small: NativeBench) -> None:
    small.server.before["create"] = [LOST]
    await small.until_done()

    first, second = small.handovers()
    assert [first.state, second.state] == ["absent", "finished"]
    assert first.key != second.key
    assert small.server.sent[:4] == ["create", "find", "find", "create"]
    assert one_dial_each(small.server)


async def test_one_empty_look_up_proves_nothing(small: NativeBench) -> None:
    """The provider's list lags: what the first look-up does not show yet, the second does."""
    small.server.after["create"] = [LOST]
    small.server.before["find"] = [reply({"data": [], "hasNextPage": False})]
    await small.until_done()

    assert creates(small.server) == 1
    assert one_dial_each(small.server)


async def test_failed_look_ups_prove_nothing_and_end_with_a_person(small: NativeBench) -> None:
    small.server.before["create"] = [LOST]
    small.server.before["find"] = [InDoubt("no answer") for _ in range(2000)]
    await small.until_done(most=1500)

    assert small.handover_states() == ["held"]
    assert creates(small.server) == 1
    assert set(standing(small.store).values()) == {"held"}


async def test_without_a_key_in_the_name_a_lost_answer_is_held(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    made.server.after["create"] = [LOST]
    apply(store, native_campaign(agents={"agent": {**AGENT, "reference": "header"}}), PEOPLE[:2], REVRING)
    await made.once()
    made.engine.clock.forward(timedelta(minutes=10))
    await made.once()

    assert made.server.run().name == "renewals"
    assert made.server.sent == ["create"], "it is not looked for: namesakes cannot be told apart"
    assert made.handover_states() == ["held"]
    assert {state for *_, state in states(store)} == {"held"}


@pytest.mark.parametrize("verb", ["add", "start"])
@pytest.mark.parametrize("side", ["before", "after"])
async def test_what_may_be_repeated_is(small: NativeBench, verb: str, side: str) -> None:
    getattr(small.server, side)[verb] = [LOST, reply({"error": "unavailable"}, 503)]
    await small.until_done()

    assert creates(small.server) == 1
    assert one_dial_each(small.server)


# ---- not sent, throttled, refused ----


@pytest.mark.parametrize(
    "error", [NotSent("no connection"), reply({"error": "rate_limited"}, 429)], ids=["not sent", "throttled"]
)
async def test_what_provably_did_not_arrive_goes_again_later(small: NativeBench, error: Reply | Exception) -> None:
    small.server.before["create"] = [error]
    await small.once()
    assert small.handover_states() == ["rejected"]
    assert {state for *_, state in states(small.store)} == {"planned"}

    await small.until_done()

    assert one_dial_each(small.server)
    assert len({one.key for one in small.handovers()}) == 2, "each handover is created by one request at most"


async def test_what_never_arrives_pauses_in_the_end_and_gives_nobody_up(small: NativeBench) -> None:
    small.server.before["create"] = [NotSent("no connection") for _ in range(12)]
    await small.until_done()

    assert small.engine.campaign_state() == ("paused", "account revring: no connection, 12 times in a row")
    assert {state for *_, state in states(small.store)} == {"planned"}
    assert creates(small.server) == 12
    small.store.resume("renewals", small.engine.clock.now())
    await small.until_done()
    assert one_dial_each(small.server)


async def test_one_person_whom_the_provider_refuses_has_failed(store: Store, journal: Journal) -> None:
    made = native_bench(store, journal)
    made.server.before["create"] = [reply({"error": "invalid_body"}, 400)]
    apply(store, native_campaign(), PEOPLE[:1], REVRING)
    await made.once()

    assert standing(store) == {phone(0): "failed"}
    assert made.engine.campaign_state() == ("active", "")


async def test_of_many_refused_nobody_fails_and_the_campaign_says_why(small: NativeBench) -> None:
    small.server.before["create"] = [reply({"error": "invalid_body"}, 400)]
    await small.once()

    assert small.engine.campaign_state() == ("paused", "account revring: revring answered 400: `invalid_body`")
    assert {state for *_, state in states(small.store)} == {"planned"}
    small.store.resume("renewals", small.engine.clock.now())
    await small.until_done()
    assert one_dial_each(small.server)


@pytest.mark.parametrize(
    "error", [reply({}, 401), CredentialMissing("REVRING_API_KEY is not set")], ids=["key refused", "no key"]
)
async def test_an_account_that_is_refused_pauses_and_loses_nobody(small: NativeBench, error: Reply | Exception) -> None:
    small.server.before["create"] = [error]
    await small.once()

    state, reason = small.engine.campaign_state()
    assert (state, reason.startswith("account revring: ")) == ("paused", True)
    assert {state for *_, state in states(small.store)} == {"planned"}


@pytest.mark.parametrize("status", [400, 401, 429, 500])
async def test_the_key_of_a_handover_that_a_provider_repeats_is_in_no_reason(
    small: NativeBench, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(_account: Account, request: Request) -> Reply:
        key = next(value for value in request.headers.values() if len(value) == _KEY_LENGTH)
        return reply({"error": "conflict", "message": f"key_{key.upper()} was used"}, status)

    monkeypatch.setattr(small.server, "send", refuse)
    await small.once()

    (record,) = small.handovers()
    told = small.store._connection.execute("SELECT detail FROM events UNION ALL SELECT reason FROM campaigns")
    said = "\n".join([record.reason, *(str(one) for (one,) in told)])
    assert "`conflict: key_*** was used`" in record.reason
    assert f"key_{record.key.upper()}" not in said


async def test_a_refused_chunk_goes_back_in_line_and_the_others_are_called(small: NativeBench) -> None:
    small.server.before["add"] = [reply({"error": "invalid_body"}, 400)]
    await small.once()
    assert small.engine.campaign_state()[0] == "paused"
    assert small.handover_states() == ["created"]
    assert [state for *_, state in states(small.store)] == ["accepted"] * 3 + ["planned"] * 3 + ["sending"] * 2

    small.store.resume("renewals", small.engine.clock.now())
    await small.until_done()

    assert one_dial_each(small.server)
    assert [len(run.people) for run in small.server.runs] == [5, 3]


async def test_a_paused_campaign_adds_nobody(small: NativeBench) -> None:
    small.server.before["add"] = [reply({}, 401)]
    await small.once()
    sent = list(small.server.sent)
    small.engine.clock.forward(timedelta(hours=1))
    await small.once()

    assert sent == ["create", "add"]
    assert small.server.sent == sent


async def test_whoever_may_be_there_already_is_held_when_adding_is_refused(small: NativeBench) -> None:
    """After a lost reply nobody knows who was in the first request, so a refusal to add proves nothing of them."""
    small.server.after["create"] = [LOST]
    small.server.before["add"] = [reply({"error": "invalid_body"}, 400)]
    await small.once()
    small.engine.clock.forward(timedelta(minutes=10))
    await small.once()

    assert [state for *_, state in states(small.store)] == ["held"] * 3 + ["in_doubt"] * 5
    small.store.resume("renewals", small.engine.clock.now())
    await small.until_done()
    assert small.server.dials == {phone(number): 1 for number in range(8)}
    assert creates(small.server) == 1


async def test_what_the_provider_cannot_express_pauses_instead_of_going_out(store: Store, journal: Journal) -> None:
    """Rules are checked when files are; this is for what changed since, such as another generation of the account."""
    paying = account("revox", generation="D")
    apply(store, native_campaign(agents={"agent": {"provider": "revox", "id": "agent_1"}}), PEOPLE[:2], paying)
    made = native_bench(store, journal, provider=_Refusing(), paying=paying)
    await made.once()

    assert made.server.sent == []
    assert made.engine.campaign_state() == ("paused", "account revox: it has no campaigns that could do this")
    assert {state for *_, state in states(store)} == {"planned"}


class _Refusing(RevoxD):
    """Revox with campaigns that can do nothing."""

    class _Nothing:
        most_people = 10

        def problem(self, _handover: object) -> tuple[str, str]:
            return "it has no campaigns that could do this", "write: delivery: single"

        def add(self, _native_id: str, _handover: object) -> None:
            return None

    native = _Nothing()  # type: ignore[assignment]  # as much of it as is asked


# ---- crashes ----


@pytest.mark.parametrize("verb", ["create", "add", "start", "status", "rows"])
@pytest.mark.parametrize("side", ["before", "after"])
async def test_killed_at_each_request(small: NativeBench, second_journal: Journal, verb: str, side: str) -> None:
    getattr(small.server, side)[verb] = [Crash()]
    with suppress(Crash):
        await small.until_done()
    left = small.again(second_journal)
    await left.native.recover()
    await left.until_done()

    made = [one for one in small.server.runs if one.status != "draft"]
    assert len(made) == 1
    assert one_dial_each(small.server)
    assert set(standing(small.store).values()) == {"completed"}


async def test_killed_between_intent_and_request(small: NativeBench, second_journal: Journal) -> None:
    await small.look()
    assert small.handover_states() == ["sending"]

    left = small.again(second_journal)
    assert await left.native.recover() == 8
    assert small.handover_states() == ["in_doubt"]
    await left.until_done()

    assert small.handover_states() == ["absent", "finished"]
    assert one_dial_each(small.server)


async def test_recovery_leaves_people_of_a_created_handover_where_they_are(
    small: NativeBench, second_journal: Journal
) -> None:
    """The people still to be added are `sending`; they are not in doubt, since adding may be repeated."""
    small.server.before["add"] = [Crash()]
    with suppress(Crash):
        await small.once()
    left = small.again(second_journal)

    assert await left.engine.reconciliation.recover() + await left.native.recover() == 0
    assert [state for *_, state in states(small.store)] == ["accepted"] * 3 + ["sending"] * 5


async def test_somebody_who_must_not_be_contacted_any_more_is_not_added(
    small: NativeBench, second_journal: Journal
) -> None:
    small.server.before["add"] = [Crash()]
    with suppress(Crash):
        await small.once()
    small.store.suppress(phone(7), "opted out", "here", small.engine.clock.now())
    left = small.again(second_journal)
    await left.native.recover()
    await left.until_done()

    assert phone(7) not in small.server.run().people
    assert standing(small.store)[phone(7)] == "suppressed"


# ---- the other generation ----


async def test_a_generation_that_dials_unasked_is_followed_and_nobody_is_handed_over_again(
    store: Store, journal: Journal
) -> None:
    """The account says D, whose campaigns wait for a launch; the answer shows A, which has begun to call."""
    paying = account("revox", generation="D")
    made = native_bench(store, journal, paying=paying)
    stats = {"calling": 0, "completed": 0, "failed": 0, "pending": 2, "retry": 0, "total": 2}
    made.server.before["create"] = [reply({"campaign": {"id": "camp_a", "row_stats": stats}})]
    apply(store, native_campaign(agents={"agent": {"provider": "revox", "id": "agent_1"}}), PEOPLE[:2], paying)
    await made.once()

    (record,) = made.handovers()
    assert (record.state, record.native_id) == ("accepted", "camp_a")
    assert {state for *_, state in states(store)} == {"accepted"}
    assert made.engine.campaign_state()[0] == "paused"
    assert "generation" in made.engine.campaign_state()[1]


async def test_a_handover_that_cannot_be_looked_after_does_not_stop_the_others(small: NativeBench) -> None:
    await small.once()
    small.server.before["status"] = [ZeroDivisionError()]
    await small.until_done()

    assert small.handover_states() == ["finished"]
