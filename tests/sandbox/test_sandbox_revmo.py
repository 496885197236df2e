"""Revmo's face over a real socket."""

from __future__ import annotations

from typing import Any

import pytest

AGENT = "QUdFTlQtMDAwMQ=="
ANA = "+12025550101"
CALL = {"agentId": AGENT, "to": ANA}


async def test_a_call_is_answered_with_its_id_and_the_quota(serve: Any, keys: Any) -> None:
    sandbox = await serve()

    first = await sandbox.post("/revmo/v1/makecall/", CALL | {"metadata": {"attempt_id": "att-1"}, "trigger": "hello"})
    second = await sandbox.post("/revmo/v1/makecall/", CALL)

    assert set(first) == keys("revmo.makecall")
    assert (first["result"], first["calls_remaining"]) == ("Ok", "499")
    assert second["calls_remaining"] == "498"
    assert first["external_id"] != second["external_id"]
    assert [(dial["id"], dial["reference"]) for dial in await sandbox.dials()] == [
        (first["external_id"], "att-1"),
        (second["external_id"], ""),
    ]


async def test_a_text_starts_a_thread(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("delivered",)})

    answer = await sandbox.post("/revmo/v1/startsms/", CALL | {"override": "Hello", "no_agent": "true"})
    await sandbox.ended()

    assert set(answer) == keys("revmo.startsms")
    (dial,) = await sandbox.dials()
    assert (dial["kind"], dial["to"], dial["outcome"]) == ("text", ANA, "delivered")


async def test_what_is_wrong_is_refused_and_nobody_is_dialled(serve: Any) -> None:
    sandbox = await serve()
    wrong = [
        ("makecall", {"to": ANA}),
        ("makecall", {"agentId": AGENT}),
        ("makecall", {"agentId": "", "to": ANA}),
        ("makecall", CALL | {"to": "2025550101"}),
        ("makecall", CALL | {"to": "+0202555"}),
        ("makecall", CALL | {"to": ANA + "\n"}),
        ("makecall", CALL | {"metadata": "x"}),
        ("makecall", CALL | {"initial_silence_timeout": "8000"}),
        ("makecall", [CALL]),
        ("startsms", CALL | {"agentId": "not base64!"}),
        ("startsms", CALL | {"no_agent": True}),
        ("startsms", CALL | {"no_agent": {}}),
        ("startsms", CALL | {"no_agent": "yes"}),
        ("startsms", CALL | {"override": 5}),
    ]

    for path, body in wrong:
        answer = await sandbox.post(f"/revmo/v1/{path}/", body, 400)
        assert set(answer) == {"result", "error"}
        assert answer["result"] == "Error"

    assert await sandbox.dials() == []


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/revmo/v1/makecall", 404),
        ("POST", "/revmo/v1/startsms", 404),
        ("POST", "/revmo/makecall/", 404),
        ("GET", "/revmo/v1/makecall/", 405),
        ("GET", "/revmo/v1/calls/", 404),
    ],
)
async def test_there_is_nothing_to_read_and_no_path_without_its_slash(
    serve: Any, method: str, path: str, status: Any
) -> None:
    sandbox = await serve()

    reply = await sandbox.http.request(method, path, json=CALL if method == "POST" else None)

    assert (reply.status_code, reply.json()["result"]) == (status, "Error")
    assert await sandbox.dials() == []
