"""A handover that is held has a way back: a person says what became of it, and nobody is called twice for it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.engine.journal import Journal
from runner.errors import InDoubt, NotFound, UsageWrong
from runner.ledger.resolving import absent_by_hand, created_by_hand
from runner.ledger.standing import cancel_by_hand
from runner.ledger.store import Store
from tests.building import NOON, account, apply, campaign, claim_due, contact, dump, phone, reply, standing, states
from tests.engine.native_server import AGENT, REVRING, NativeBench, native_bench, native_campaign

PEOPLE = tuple(contact(number) for number in range(4))
ONCE_EACH = {phone(number): 1 for number in range(4)}
UNFINDABLE = {"agents": {"agent": {**AGENT, "reference": "header"}}}
"""without a key in its name a campaign in doubt cannot be told from its namesakes"""


async def held(store: Store, journal: Journal, *, arrived: bool) -> NativeBench:
    """Give a bench whose only handover is held, and whether it arrived."""
    made = native_bench(store, journal)
    (made.server.after if arrived else made.server.before)["create"] = [InDoubt("the answer was lost")]
    apply(store, native_campaign(**UNFINDABLE), PEOPLE, REVRING)
    await made.until_done()
    assert made.handover_states() == ["held"]
    assert set(standing(store).values()) == {"held"}
    return made


async def test_what_was_created_is_followed_and_never_created_again(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=True)

    assert created_by_hand(store, "renewals", 1, "camp_0", "seen on their page", NOON) == 4
    assert bench.handover_states() == ["in_doubt"]
    assert set(standing(store).values()) == {"pending"}
    await bench.until_done()

    assert bench.server.sent.count("create") == 1
    assert bench.server.dials == ONCE_EACH
    assert bench.handover_states() == ["finished"]
    assert set(standing(store).values()) == {"completed"}
    assert any("seen on their page" in row[-1] for row in dump(store)["events"])


async def test_what_never_was_is_handed_over_anew(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=False)

    assert absent_by_hand(store, "renewals", 1, "", NOON) == 4
    assert {state for *_, state in states(store)} == {"planned"}
    assert bench.server.sent == ["create"], "a word alone sends nothing"
    await bench.until_done()

    first, second = bench.handovers()
    assert (first.state, second.state) == ("absent", "finished")
    assert first.key != second.key
    assert bench.server.dials == ONCE_EACH


async def test_an_id_that_the_provider_does_not_know_changes_nobody(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=True)
    created_by_hand(store, "renewals", 1, "camp_77", "", NOON)
    await bench.once()

    (record,) = bench.handovers()
    assert (record.state, record.native_id) == ("held", "")
    assert record.reason == "revring knows no campaign `camp_77`"
    assert set(standing(store).values()) == {"held"}
    assert set(bench.server.sent[1:]) == {"status"}, "nothing was added or launched"

    created_by_hand(store, "renewals", 1, "camp_0", "", NOON)
    await bench.until_done()
    assert bench.server.dials == ONCE_EACH


async def test_while_the_provider_does_not_answer_it_stays_in_doubt(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=True)
    bench.engine.clock.forward(timedelta(days=9))
    created_by_hand(store, "renewals", 1, "camp_0", "", bench.engine.clock.now())
    bench.server.before["status"] = [InDoubt("no answer"), reply({}, 500), reply({}, 401), reply({}, 429)]
    for _ in range(4):
        await bench.once()
        assert bench.handover_states() == ["in_doubt"]
        bench.engine.clock.forward(timedelta(hours=1))
    await bench.until_done()

    assert bench.server.dials == ONCE_EACH


async def test_nobody_is_redialled_of_whom_a_proven_webhook_told(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=True)
    store.handovers.heard_of(1, "camp_0", NOON)
    before = dump(store)

    with pytest.raises(UsageWrong, match="told of calls of its campaign `camp_0`") as refused:
        absent_by_hand(store, "renewals", 1, "", NOON)
    assert refused.value.help.endswith("outreach resolve renewals --handover 1 --created camp_0")
    assert dump(store) == before
    assert bench.handover_states() == ["held"]


async def test_back_in_line_the_rules_are_asked_again(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=False)
    store.suppress(phone(0), "asked", "by hand", NOON)
    absent_by_hand(store, "renewals", 1, "", NOON)
    await bench.until_done()

    assert bench.server.dials == {phone(number): 1 for number in range(1, 4)}
    assert standing(store)[phone(0)] == "suppressed"


async def test_of_a_cancelled_campaign_nobody_goes_back_in_line(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=False)
    cancel_by_hand(store, "renewals", "", NOON)
    absent_by_hand(store, "renewals", 1, "", NOON)
    await bench.once()

    assert {state for *_, state in states(store)} == {"cancelled"}
    assert set(standing(store).values()) == {"failed"}
    assert bench.server.sent == ["create"]


async def test_a_cancelled_campaign_that_was_created_is_cancelled_there(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=True)
    cancel_by_hand(store, "renewals", "", NOON)
    created_by_hand(store, "renewals", 1, "camp_0", "", NOON)
    await bench.until_done()

    assert bench.server.run().status == "canceled"
    assert bench.server.dials == {}


async def test_whoever_is_called_by_another_campaign_meanwhile_stays_held_until_the_rows_tell(
    store: Store, journal: Journal
) -> None:
    bench = await held(store, journal, arrived=True)
    apply(store, campaign(campaign="other"), PEOPLE[:1])
    assert len(claim_due(store, "other", 1, NOON, NOON + timedelta(minutes=5))) == 1

    assert created_by_hand(store, "renewals", 1, "camp_0", "", NOON) == 3
    await bench.once()
    assert [state for *_, state in states(store)] == ["held", "accepted", "accepted", "accepted"]
    for _ in range(4):
        bench.engine.clock.forward(timedelta(hours=1))
        await bench.once()

    assert set(standing(store).values()) == {"completed"}
    assert bench.server.dials == ONCE_EACH


async def test_movoice_batches_are_followed_from_the_moment_they_were_sent(store: Store, journal: Journal) -> None:
    paying = account("movoice")
    bench = native_bench(store, journal, paying=paying)
    bench.server.before["create"] = [InDoubt("lost")]
    of = native_campaign(agents={"agent": "movoice/agent_1"}, limits={"concurrency": 1})
    apply(store, of, PEOPLE[:1], paying)
    await bench.until_done()
    assert bench.handover_states() == ["held"], "there is no list of batches"

    created_by_hand(store, "renewals", 1, "batch_1", "", NOON)
    calls = [{"call_id": "c0", "recipient_phone": phone(0), "status": "failed", "reason": "no_answer"}]
    asked: list[str] = []
    bench.server.seen = lambda _verb, request: asked.append(request.path)
    bench.server.before["find"] = [reply({"calls": calls}) for _ in range(6)]
    await bench.until_done()

    assert bench.handovers()[0].native_id == f"batch_1@{int(NOON.timestamp())}"
    assert any(f"from={int(NOON.timestamp()) - 10}" in path for path in asked)
    assert standing(store) == {phone(0): "failed"}


async def test_only_what_waits_for_a_person_can_be_settled_by_one(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=True)
    apply(store, campaign(campaign="other"), PEOPLE[:1])
    for name, number in (("renewals", 9), ("other", 1), ("nowhere", 1)):
        with pytest.raises(NotFound, match=f"{name} has no handover {number}"):
            absent_by_hand(store, name, number, "", NOON)
    created_by_hand(store, "renewals", 1, "camp_0", "", NOON)
    with pytest.raises(UsageWrong, match="is in_doubt, and waits for nobody's word"):
        absent_by_hand(store, "renewals", 1, "", NOON)
    with pytest.raises(UsageWrong, match="is in_doubt, and waits for nobody's word"):
        created_by_hand(store, "renewals", 1, "camp_1", "", NOON)
    assert bench.handover_states() == ["in_doubt"]


async def test_two_handovers_cannot_be_one_campaign(store: Store, journal: Journal) -> None:
    bench = await held(store, journal, arrived=False)
    apply(store, native_campaign(**UNFINDABLE), [*PEOPLE, contact(9)], REVRING)
    await bench.until_done()
    assert bench.handover_states() == ["held", "finished"]

    with pytest.raises(UsageWrong, match="`camp_0` at revring is what handover 2 became"):
        created_by_hand(store, "renewals", 1, "camp_0", "", NOON)
    assert bench.handover_states() == ["held", "finished"]
