"""RevRing: the request of its page key for key, stamps, receipts and refusals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from runner.errors import FilesWrong, InDoubt, Rejected, Throttled
from runner.providers.replies import OptedOut
from runner.providers.revring import Revring, RevringSeed
from tests.providers.support import Answer, Example, MakeOrder, body_of

REVRING = Revring()
SEED = RevringSeed()
AGENT = "3c90c3cc-0d44-4b50-8888-8dd25736052a"
CALL_ID = "a3c18021-192f-465e-87b5-5af428f29e81"
FROM = "+12025550190"


def test_the_request_of_its_page_is_built_key_for_key(order: MakeOrder) -> None:
    request = REVRING.build(
        order(
            agent_id=AGENT,
            phone="+12025550101",
            from_number=FROM,
            options={"callerIdName": "Acme Support", "skipQueue": "false"},
        )
    )

    assert (request.method, request.path) == ("POST", "/calls")
    assert json.dumps(request.body) == json.dumps(
        {
            "agentId": AGENT,
            "toNumber": "+12025550101",
            "fromNumber": FROM,
            "variables": {},
            "callerIdName": "Acme Support",
            "skipQueue": False,
        }
    )
    assert REVRING.auth_headers("rr_key") == {"x-api-key": "rr_key"}


def test_the_seed_example(example: Example, order: MakeOrder) -> None:
    options = {"callerIdName": "Acme Support", "skipQueue": False}
    request = SEED.build(order(agent_id=AGENT, from_number=FROM, variables={"first_name": "Ana"}, options=options))

    assert json.dumps(request.body) == json.dumps(example("revring.call.create.request.seed"))


def test_the_full_example(example: Example, order: MakeOrder) -> None:
    wanted = example("revring.call.create.request.full")
    own = {"agentId", "toNumber", "fromNumber", "variables", "idempotencyKey"}
    options = {name: value for name, value in wanted.items() if name not in own}
    request = REVRING.build(order(agent_id=AGENT, from_number=FROM, variables={"first_name": "Ana"}, options=options))
    del wanted["idempotencyKey"]

    assert request.body == wanted
    assert list(body_of(request))[:4] == ["agentId", "toNumber", "fromNumber", "variables"]


def test_texts(example: Example, order: MakeOrder) -> None:
    raw = REVRING.build(
        order(
            channel="text",
            agent_id=AGENT,
            from_number=FROM,
            message="Your booking is confirmed for 2 PM.",
            options={"messagingConnectionId": "mc_123"},
        )
    )
    generated = REVRING.build(
        order(channel="text", agent_id=AGENT, options={"smsPrompt": "Confirm politely.", "skipQueue": True})
    )

    assert (raw.method, raw.path) == ("POST", "/messages")
    assert raw.body == {**example("revring.message.send.request.raw"), "agentId": AGENT, "from": FROM}
    assert generated.body == {
        "to": "+12025550101",
        "agentId": AGENT,
        "generate": True,
        "smsPrompt": "Confirm politely.",
    }


def test_a_call_needs_a_number_to_show(order: MakeOrder) -> None:
    with pytest.raises(FilesWrong) as wrong:
        REVRING.build(order())

    assert wrong.value.diagnostics[0].path == "from"


def test_stamps(order: MakeOrder, key: str) -> None:
    call = REVRING.build(order(from_number=FROM, options={"metadata": {"run": 1}, "skipQueue": True}))
    text = REVRING.build(order(channel="text", message="hi"))

    assert body_of(REVRING.stamp(call, key, in_body=True))["metadata"] == {"run": 1, "attempt_id": key}
    assert REVRING.stamp(call, key, in_body=True).headers == {"Idempotency-Key": key}
    assert body_of(call)["metadata"] == {"run": 1}
    assert list(body_of(REVRING.stamp(call, key, in_body=True))) == list(body_of(call))
    assert body_of(REVRING.stamp(call, key, in_body=False)) == call.body
    assert body_of(REVRING.stamp(text, key, in_body=True)) == text.body
    assert "metadata" not in body_of(SEED.stamp(SEED.build(order(from_number=FROM)), key, in_body=True))
    assert SEED.stamp(call, key, in_body=True).headers == {"Idempotency-Key": key}


@pytest.mark.parametrize(
    "options",
    [
        {"callerIdName": ""},
        {"callerIdName": "sixteen letters."},
        {"caller_id_name": "Acme"},
        {"voicemailAction": "beep"},
        {"firstMessageDelayMs": 15001},
        {"beginAfterUserSilenceMs": 499},
        {"environment": "Staging"},
        {"maxDurationSeconds": 9},
        {"startSpeaker": "nobody"},
        {"idempotencyKey": "x"},
    ],
)
def test_options_that_revring_does_not_take(options: Any) -> None:
    with pytest.raises(ValidationError):
        REVRING.options_model("call").model_validate(options)


@pytest.mark.parametrize("name", ["201.queued", "201.initiated"])
def test_receipts_of_calls(example: Example, answer: Answer, name: str) -> None:
    assert (
        REVRING.read_receipt(answer(example(f"revring.call.create.response.{name}"), status=201)).provider_id == CALL_ID
    )


def test_the_receipt_of_a_text(example: Example, answer: Answer) -> None:
    assert REVRING.read_receipt(answer(example("revring.message.response.201"), status=201)).provider_id == "msg_0001"


@pytest.mark.parametrize(
    ("name", "status", "error", "pause"),
    [
        ("call.create.response.400", 400, Rejected, False),
        ("call.create.response.401", 401, Rejected, True),
        ("call.create.response.402", 402, Rejected, True),
        ("call.create.response.404", 404, Rejected, False),
        ("call.create.response.409", 409, OptedOut, False),
        ("call.create.response.429", 429, Throttled, None),
        ("message.response.502", 502, Rejected, False),
        ("call.create.response.400", 409, InDoubt, None),
        ("call.create.response.429", 502, InDoubt, None),
        ("call.create.response.429", 201, InDoubt, None),
    ],
)
def test_refusals(example: Example, answer: Answer, name: str, status: int, error: Any, pause: Any) -> None:
    body = example(f"revring.{name}")
    with pytest.raises(error) as raised:
        REVRING.read_receipt(answer(body, status=status))

    assert type(raised.value) is error
    if status != 201:
        assert body["error"] in raised.value.message
    assert getattr(raised.value, "pause", None) is pause


def test_a_text_that_could_not_be_written_was_not_sent(answer: Answer) -> None:
    with pytest.raises(Rejected):
        REVRING.read_receipt(answer({"error": "generation_failed"}, status=502))


@pytest.mark.parametrize(("characters", "fits"), [(1_600, True), (1_601, False)])
def test_a_text_is_as_long_as_documented(order: MakeOrder, characters: int, fits: bool) -> None:
    long = order(channel="text", message="x" * characters)
    if fits:
        assert body_of(REVRING.build(long))["body"] == "x" * characters
        return
    with pytest.raises(FilesWrong, match="at most 1,600 characters, and this one has 1,601"):
        REVRING.build(long)


def test_metadata_leaves_room_for_the_key(order: MakeOrder, key: str) -> None:
    """What we send is never more than the documented 16 KB, the planted key included."""
    room = 16 * 1024 - 64 - len('{"a": ""}')
    request = REVRING.build(order(from_number="+12025550190", options={"metadata": {"a": "é" * (room // 2)}}))
    sent = body_of(REVRING.stamp(request, key, in_body=True))["metadata"]
    assert len(json.dumps(sent, ensure_ascii=False).encode()) <= 16 * 1024
    with pytest.raises(FilesWrong, match="16 KB"):
        REVRING.build(order(from_number="+12025550190", options={"metadata": {"a": "x" * (room + 1)}}))
