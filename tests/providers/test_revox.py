"""Revox: the request for a call key for key in both generations, receipts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from runner.errors import FilesWrong, InDoubt, Rejected, UsageWrong
from runner.providers.revox import Revox, RevoxD
from tests.providers.support import Answer, Example, MakeOrder, body_of

REVOX = Revox()
REVOX_D = RevoxD()
ASSISTANT = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
RETRY = {
    "calling_windows": [
        {"calling_window_end_time": "17:00", "calling_window_start_time": "9am", "retry_delay_seconds": "7200"}
    ],
    "max_retry_attempts": "3",
    "timezone": "America/New_York",
}


def test_the_key() -> None:
    assert REVOX.auth_headers("sk_1") == {"Authorization": "Bearer sk_1"}


@pytest.mark.parametrize("provider", [REVOX, REVOX_D])
def test_the_example_of_a_call(example: Example, order: MakeOrder, provider: Any) -> None:
    wanted = example("revox.call.create.request")
    request = provider.build(
        order(
            agent_id=ASSISTANT,
            from_number="+12025550190",
            variables=wanted["prompt_variables"],
            options={name: wanted[name] for name in ("metadata", "concurrency", "skip_calling_window")},
        )
    )

    assert (request.method, request.path) == ("POST", "/call")
    assert json.dumps(request.body) == json.dumps(wanted)


def test_every_variable_is_a_text(order: MakeOrder) -> None:
    variables = {"s": "a", "n": 2, "f": 1.5, "t": True, "none": None, "list": ["é", 1], "map": {"a": 1}}
    body = body_of(REVOX.build(order(variables=variables)))

    assert body["prompt_variables"] == {
        "s": "a", "n": "2", "f": "1.5", "t": "true", "none": "", "list": '["é",1]', "map": '{"a":1}',
    }  # fmt: skip


def test_stamps_of_a_call(order: MakeOrder, key: str) -> None:
    request = REVOX.build(order(options={"metadata": {"run": "1"}, "skip_calling_window": "true"}))
    stamped = REVOX.stamp(request, key, in_body=True)

    assert body_of(stamped)["metadata"] == {"run": "1", "attempt_id": key}
    assert list(body_of(stamped)) == list(body_of(request))
    assert body_of(request)["metadata"] == {"run": "1"}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"name": "x"}, "name"),
        ({"own_rules": True}, "own_rules"),
        ({"call_retry_config": RETRY}, "call_retry_config"),
        ({"max_concurrent_calls": 1}, "max_concurrent_calls"),
    ],
)
def test_options_of_native_delivery(order: MakeOrder, options: Any, named: Any) -> None:
    with pytest.raises(FilesWrong) as wrong:
        REVOX.build(order(options=options))

    assert wrong.value.diagnostics[0].path == f"options.{named}"


def test_no_texts(order: MakeOrder) -> None:
    with pytest.raises(UsageWrong):
        REVOX.build(order(channel="text"))
    with pytest.raises(UsageWrong):
        REVOX.options_model("text")


@pytest.mark.parametrize(
    "options",
    [
        {"scheduled_at": "2026-01-05T15:00:00"},
        {"scheduled_at": "1767625200"},
        {"scheduled_at": "tomorrow"},
        {"metadata": {"a": ["b"]}},
        {"max_concurrent_calls": 0},
        {"call_retry_config": {"calling_windows": [], "max_retry_attempts": 1}},
        {"call_retry_config": {**RETRY, "max_retry_attempts": 0}},
        {"call_retry_config": {**RETRY, "extra": 1}},
        {"concurrency": {"max": 1}},
        {"prompt_variables": {}},
    ],
)
def test_options_that_revox_does_not_take(options: Any) -> None:
    with pytest.raises(ValidationError):
        REVOX.options_model("call").model_validate(options)


def test_receipts(example: Example, answer: Answer) -> None:
    assert REVOX.read_receipt(answer(example("revox.call.create.response"))).provider_id == "call_0001"
    with pytest.raises(Rejected, match="invalid request"):
        REVOX.read_receipt(answer(example("revox.error"), status=400))
    bodies: list[Any] = [
        {"success": True}, {"call": {}}, {"call": {"id": None}}, {"id": "call_1"},
        example("revox.campaign.response.gen_A_seed"),
    ]  # fmt: skip
    for body in bodies:
        with pytest.raises(InDoubt):
            REVOX.read_receipt(answer(body))
