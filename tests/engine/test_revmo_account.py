"""A Revmo account: at `calls_remaining` 0 everything that calls through it pauses; its callbacks settle calls."""

from __future__ import annotations

import hmac
from typing import Any

import pytest

from runner.engine.inbox import Inbox
from runner.engine.journal import Journal
from runner.errors import WebhookRefused
from runner.ledger.store import Store
from runner.model.callback import CallbackShape
from runner.model.http_api import Signature
from tests.building import ALWAYS, NOON, Bench, account, apply, bench, campaign, contact, reply, standing

AGENT = "revmo/QUdFTlQtMDAwMQ=="
REVMO = account("revmo")


@pytest.fixture
def engine(store: Store, journal: Journal) -> Bench:
    return bench(store, journal, REVMO)


def took(*remaining: Any) -> list[Any]:
    """Answer calls one after the other; None leaves the number out."""
    return [
        reply({"result": "Ok", "external_id": f"rv-{at}-{left}"} | ({} if left is None else {"calls_remaining": left}))
        for at, left in enumerate(remaining)
    ]


async def one_by_one(engine: Bench, of: str = "renewals") -> int:
    """Place due calls one at a time as long as the campaign may; give how many."""
    placed = 0
    while engine.campaign_state(of)[0] == "active":
        claimed = await engine.claim(1, of)
        if not claimed:
            return placed
        await engine.delivery.deliver(claimed)
        placed += 1
    return placed


@pytest.mark.parametrize("zero", [0, "0", 0.0])
async def test_at_zero_the_campaign_pauses_and_goes_on_when_resumed(engine: Bench, zero: Any) -> None:
    apply(engine.store, campaign(agent=AGENT, windows=ALWAYS), [contact(number) for number in range(5)], REVMO)
    engine.transport.dials = took(1, zero, 7, "6", None)

    assert await one_by_one(engine) == 2
    assert engine.campaign_state() == ("paused", "account revmo: no calls remain")
    assert sorted(standing(engine.store).values()) == ["completed", "completed", "pending", "pending", "pending"]
    assert engine.store.resume("renewals", NOON)
    assert await one_by_one(engine) == 3
    assert engine.campaign_state() == ("active", "")
    assert len(engine.transport.sent) == 5
    assert set(standing(engine.store).values()) == {"completed"}, "without callbacks nobody can say more"


@pytest.mark.parametrize("left", [None, "", "unique_call_identifier", 3, "3", True, -0.5, [0]])
async def test_a_number_that_is_not_zero_or_is_none_pauses_nothing(engine: Bench, left: Any) -> None:
    apply(engine.store, campaign(agent=AGENT, windows=ALWAYS), [contact(0)], REVMO)
    engine.transport.dials = took(left)
    assert await one_by_one(engine) == 1
    assert engine.campaign_state() == ("active", "")


async def test_every_other_campaign_that_calls_through_the_account_pauses_too(store: Store, journal: Journal) -> None:
    spare = account("revmo", name="spare")
    engine = bench(store, journal, REVMO, spare)
    texts = {"agent": None, "agents": {"anna": AGENT}, "steps": [{"text": "anna", "message": "Hello."}]}
    apply(store, campaign(agent=AGENT, windows=ALWAYS), [contact(0)], REVMO)
    apply(store, campaign(campaign="others", agent=AGENT, windows=ALWAYS), [contact(1)], REVMO)
    apply(store, campaign(campaign="elsewhere", agent=AGENT, windows=ALWAYS), [contact(2)], spare)
    apply(store, campaign(campaign="texts", windows=ALWAYS, **texts), [contact(3)], REVMO)
    engine.transport.dials = took(0)
    await engine.deliver()

    states = {name: engine.campaign_state(name)[0] for name in ("renewals", "others", "elsewhere", "texts")}
    assert states == {"renewals": "paused", "others": "paused", "elsewhere": "active", "texts": "active"}


@pytest.mark.parametrize("secrets", ["token", "older token", "token newer"])
async def test_a_signed_callback_of_the_told_form_settles_its_call(
    store: Store, journal: Journal, secrets: str
) -> None:
    form = CallbackShape.model_validate(
        {
            "id": "call.sid",
            "outcome": "call.state",
            "outcomes": {"machine": "voicemail"},
        }
    )
    rule = Signature(scheme="hmac-sha256", header="X-Revmo-Signature", prefix="sha256=")
    signing = account("revmo", webhook_secret="env:REVMO_SECRET", callback=form, webhook_signature=rule)
    engine = bench(store, journal, signing)
    inbox = Inbox(journal, engine.accounts, engine.reconciliation, engine.clock, lambda _: secrets)
    apply(store, campaign(agent=AGENT, windows=ALWAYS), [contact(0)], signing)
    engine.transport.dials = took(5)
    await engine.deliver()
    body = b'{"call": {"sid": "rv-0-5", "state": "machine"}}'
    digest = hmac.new(b"token", body, "sha256").hexdigest()
    for forged in ("", digest, "sha256=", f"sha256={digest[:-1]}{'0' if digest[-1] != '0' else '1'}"):
        with pytest.raises(WebhookRefused):
            await inbox.receive("revmo", "", {"x-revmo-signature": forged}, body)
    assert set(standing(store).values()) == {"calling"}

    taken = await inbox.receive("revmo", "", {"x-revmo-signature": f"sha256={digest}"}, body)
    assert taken.result == "settled"
    assert engine.attempt()["outcome"] == "voicemail"
