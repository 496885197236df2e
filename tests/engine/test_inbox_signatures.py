"""Signatures whose scheme is only assumed, as Movoice's, and the same when the account says how they are made."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

import pytest

from runner.engine.journal import Journal
from runner.errors import WebhookRefused
from runner.ledger.store import Store
from runner.model.attempt import AttemptState
from runner.model.http_api import Signature
from tests.building import NOON, Bench, account, apply, bench, campaign, contact, reply

S = AttemptState
SAID = json.dumps({"event_type": "call.completed", "call_id": "call-1", "outcome": "BOOKED"}).encode()
AT = str(int(NOON.timestamp()))


def signed(rule: str, *, over: bytes = SAID, secret: bytes = b"secret") -> bytes:
    return hmac.digest(secret, over, rule)


def engine(store: Store, journal: Journal, rule: Signature | None = None) -> Bench:
    """Give an engine over Movoice whose account has a secret."""
    apply(store, campaign(), (contact(0),))
    built = bench(store, journal, account(webhook_secret="env:X", webhook_signature=rule))
    built.transport.dials = [reply({"call_id": "call-1"})]
    return built


async def receive(bench: Bench, headers: dict[str, str], token: str = "") -> str:
    return (await bench.inbox.receive("movoice", token, headers, SAID)).result


async def test_an_assumed_signature_that_holds_is_proof(store: Store, journal: Journal) -> None:
    one = engine(store, journal)
    await one.deliver()
    assert await receive(one, {"x-movoice-signature": signed("sha256").hex()}) == "settled"


@pytest.mark.parametrize(
    "signature",
    [signed("sha512").hex(), signed("sha256", over=AT.encode() + b"." + SAID).hex(), "v1=zz", "of some kind"],
)
async def test_one_made_in_another_way_has_the_call_asked_for(store: Store, journal: Journal, signature: str) -> None:
    one = engine(store, journal)
    await one.deliver()
    assert await receive(one, {"x-movoice-signature": signature}) == "asking the provider"
    assert one.state() is S.ACCEPTED
    one.transport.looks = [reply({"call_id": "call-1", "status": "completed", "outcome": "BOOKED"})]
    await one.ask()
    assert (one.state(), one.attempt()["tag"]) == (S.FINISHED, "BOOKED")


@pytest.mark.parametrize("token", ["wrong", "secre"])
async def test_a_wrong_token_is_forged_whatever_the_header_says(store: Store, journal: Journal, token: str) -> None:
    one = engine(store, journal)
    await one.deliver()
    with pytest.raises(WebhookRefused):
        await receive(one, {"x-movoice-signature": "of some kind"}, token)
    with pytest.raises(WebhookRefused):
        await receive(one, {})
    assert one.state() is S.ACCEPTED


CASES: list[tuple[dict[str, Any], str]] = [
    ({}, signed("sha256").hex()),
    ({"encoding": "base64"}, base64.b64encode(signed("sha256")).decode()),
    ({"prefix": "v1="}, "v1=" + signed("sha256").hex()),
    ({"scheme": "hmac-sha512"}, signed("sha512").hex()),
    ({"scheme": "hmac-sha1", "prefix": "sha1="}, "sha1=" + signed("sha1").hex()),
    ({"over": "timestamp.body", "timestamp": "X-At"}, signed("sha256", over=AT.encode() + b"." + SAID).hex()),
]


@pytest.mark.parametrize("header", ["X-Movoice-Signature", "X-Signed"])
@pytest.mark.parametrize(("rule", "signature"), CASES)
async def test_the_scheme_that_the_account_says_is_proof_and_nothing_else_is(
    store: Store, journal: Journal, rule: dict[str, Any], signature: str, header: str
) -> None:
    told = rule if header == "X-Movoice-Signature" else {**rule, "header": header}
    one = engine(store, journal, Signature.model_validate(told))
    await one.deliver()
    at = {"x-at": AT}
    others = [other for kind, other in CASES if kind != rule] + [signature[:-2] + "AA", ""]
    for other in others:
        with pytest.raises(WebhookRefused):
            await receive(one, {header.lower(): other, **at})
    with pytest.raises(WebhookRefused):
        await receive(one, {"x-elsewhere": signature, **at})
    assert await receive(one, {header.lower(): signature, **at}) == "settled"
