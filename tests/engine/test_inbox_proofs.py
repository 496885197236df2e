"""Proofs of webhooks: RevRing's signature vector, whole and spoilt in every way, over a socket and bit by bit."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.engine.journal import Journal
from runner.errors import WebhookRefused
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.web.receiver import receiver
from runner.web.serving import served
from tests.building import Bench, account, apply, bench, campaign, contact, dump, reply

S = AttemptState
EXAMPLES = Path(__file__).parent.parent / "providers" / "examples"
VECTOR = json.loads((EXAMPLES / "revring.webhook.signature_vector.json").read_text("utf-8"))
BODY = VECTOR["raw_body"].encode()
STAMP, SIGNATURE = VECTOR["timestamp"], VECTOR["X-RevRing-Signature"]
HEADERS = {"x-revring-timestamp": STAMP, "x-revring-signature": SIGNATURE}
SIGNED_AT = datetime.fromtimestamp(int(STAMP), UTC)
AGENTS = {"a": {"provider": "revring", "id": "agent_1", "from": "+12025550190"}}


@pytest.fixture
async def engine(store: Store, journal: Journal) -> Bench:
    """An engine over RevRing with the vector's secret, its call placed, at the time of the signature."""
    apply(store, campaign(agent=None, agents=AGENTS), (contact(0),), now=SIGNED_AT)
    built = bench(store, journal, account("revring", webhook_secret="env:X"))
    object.__setattr__(built.inbox, "secret", lambda _: VECTOR["secret"])
    built.transport.dials = [reply({"data": {"id": json.loads(BODY)["id"]}}, 201)]
    built.clock.at = SIGNED_AT
    await built.deliver()
    assert built.state() is S.ACCEPTED
    return built


def everything(engine: Bench) -> dict[str, list[tuple[Any, ...]]]:
    """Give the whole ledger, but for the count of refused webhooks."""
    held = dump(engine.store)
    held["events"] = [row for row in held["events"] if "webhook_refused" not in row]
    return held


async def refused(engine: Bench, headers: dict[str, str], body: bytes) -> bool:
    try:
        await engine.inbox.receive("revring", "", headers, body)
    except WebhookRefused as refusal:
        return refusal.status == 401
    return False


async def test_the_vector_is_proof(engine: Bench) -> None:
    taken = await engine.inbox.receive("revring", "", HEADERS, BODY)
    assert (taken.verified, engine.state()) == (True, S.FINISHED)


@pytest.mark.parametrize("age", [-300, -299, 0, 299, 300])
async def test_it_holds_for_five_minutes(engine: Bench, age: int) -> None:
    engine.clock.at = SIGNED_AT + timedelta(seconds=age)
    assert (await engine.inbox.receive("revring", "", HEADERS, BODY)).verified


@pytest.mark.fault("F18")
async def test_with_any_one_bit_flipped_it_is_none_and_nothing_changes(engine: Bench) -> None:
    before = everything(engine)
    for body in flipped(BODY):
        assert await refused(engine, HEADERS, body), body
    for name, value in HEADERS.items():
        for spoilt in flipped(value.encode()):
            headers = {**HEADERS, name: spoilt.decode("latin-1")}
            assert await refused(engine, headers, BODY), (name, spoilt)
    assert everything(engine) == before
    assert (await engine.inbox.receive("revring", "", HEADERS, BODY)).verified, "the whole one still counts"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-revring-timestamp": STAMP},
        {"x-revring-signature": SIGNATURE},
        {**HEADERS, "x-revring-signature": SIGNATURE.removeprefix("v1=")},
        {**HEADERS, "x-revring-signature": SIGNATURE.replace("v1=", "v2=")},
        {**HEADERS, "x-revring-signature": SIGNATURE[:-1]},
        {**HEADERS, "x-revring-signature": f"{SIGNATURE},{SIGNATURE}"},
        {**HEADERS, "x-revring-timestamp": f"{STAMP}.0"},
        {**HEADERS, "x-revring-timestamp": f" {STAMP}"},
        {**HEADERS, "x-revring-timestamp": "9" * 400},
        {**HEADERS, "x-revring-timestamp": "-1"},
    ],
    ids=[
        "none", "no signature", "no timestamp", "no prefix", "another version", "cut", "twice",
        "a fraction", "a blank", "beyond every calendar", "before all time",
    ],
)  # fmt: skip
async def test_what_is_not_the_signature_is_refused(engine: Bench, headers: dict[str, str]) -> None:
    before = everything(engine)
    assert await refused(engine, headers, BODY)
    assert everything(engine) == before


@pytest.mark.parametrize("how", ["too old", "from the future", "another secret", "one bit", "another body"])
async def test_over_a_socket_a_wrong_one_is_401_and_changes_nothing(engine: Bench, how: str) -> None:
    body = {"one bit": next(flipped(BODY)), "another body": BODY + b" "}.get(how, BODY)
    engine.clock.at += timedelta(seconds={"too old": 301, "from the future": -301}.get(how, 0))
    if how == "another secret":
        object.__setattr__(engine.inbox, "secret", lambda _: "whsec_test_0001")
    before = everything(engine)
    async with (
        served(receiver(engine.inbox.receive), "127.0.0.1", 0) as url,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        answer = await http.post(f"{url}/webhooks/revring", content=body, headers=HEADERS)
    assert (answer.status_code, answer.json()) == (401, {"error": "refused"})
    assert everything(engine) == before
    assert engine.state() is S.ACCEPTED


async def test_while_the_secret_is_changed_the_older_one_still_proves(engine: Bench) -> None:
    object.__setattr__(engine.inbox, "secret", lambda _: f"whsec_newer {VECTOR['secret']}")
    assert (await engine.inbox.receive("revring", "", HEADERS, BODY)).verified


@pytest.mark.fault("F18")
async def test_a_replay_within_its_time_is_heard_once(engine: Bench) -> None:
    await engine.inbox.receive("revring", "", HEADERS, BODY)
    before = everything(engine)
    engine.clock.forward(timedelta(seconds=200))
    assert (await engine.inbox.receive("revring", "", HEADERS, BODY)).result == "seen before"
    assert everything(engine) == before


def flipped(content: bytes) -> Iterator[bytes]:
    for place in range(len(content)):
        for bit in range(8):
            yield content[:place] + bytes([content[place] ^ (1 << bit)]) + content[place + 1 :]
