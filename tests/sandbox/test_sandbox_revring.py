"""RevRing's face over a real socket: the checks, idempotency, the queue, what a call record says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from runner.sandbox.settings import RevringSwitches

ANA, SAM, FROM = "+12025550101", "+12025550102", "+12025550190"
CALL = {"agentId": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "toNumber": ANA, "fromNumber": FROM}


async def test_a_call_is_created_and_read_back(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",)})
    asked = CALL | {"variables": {"first_name": "Ana"}, "metadata": {"attempt_id": "att-1"}, "callerIdName": "Acme"}

    created = (await sandbox.post("/revring/calls", asked, 201))["data"]
    await sandbox.ended()
    read = (await sandbox.get(f"/revring/v1/calls/{created['id']}"))["data"]

    assert set(created) == keys("revring.call.created")
    assert (created["status"], created["direction"], created["agentCallerIdName"]) == ("INITIATED", "OUTBOUND", "Acme")
    assert set(read) == keys("revring.call.talked")
    assert (read["status"], read["errorMessage"], read["metadata"]) == ("COMPLETED", None, {"attempt_id": "att-1"})
    assert read["createdAt"] <= read["initiatedAt"] <= read["startedAt"] <= read["endedAt"] == read["updatedAt"]
    assert {item["role"] for item in read["transcript"]} == {"assistant", "user"}


@pytest.mark.parametrize(
    ("outcome", "status", "cause", "error"),
    [
        ("answered", "COMPLETED", {"END_CALL_TOOL", "USER_ENDED"}, {None}),
        ("voicemail", "COMPLETED", {"VOICEMAIL_DETECTED"}, {None}),
        ("no_answer", "FAILED", {None}, {"no answer: the callee did not pick up"}),
        ("busy", "FAILED", {None}, {"call rejected by the callee (busy or declined)"}),
        ("declined", "FAILED", {None}, {"call rejected by the callee (busy or declined)"}),
        ("invalid_number", "FAILED", {None}, {"call rejected (SIP 404: Not Found)"}),
        (
            "failed",
            "FAILED",
            {None},
            {
                "the call could not be completed",
                "no response from the carrier",
                "the line disconnected before the call was answered",
            },
        ),
    ],
)
async def test_each_outcome_is_told_in_its_words(serve: Any, outcome: str, status: Any, cause: Any, error: Any) -> None:
    sandbox = await serve(script={ANA: (outcome,)})

    created = (await sandbox.post("/revring/calls", CALL, 201))["data"]
    await sandbox.ended()
    read = (await sandbox.get(f"/revring/calls/{created['id']}"))["data"]

    assert read["status"] == status
    assert read["hangupCause"] in cause
    assert read["errorMessage"] in error
    assert (read["durationSeconds"] is None) == (status == "FAILED")
    (dial,) = await sandbox.dials()
    assert dial["outcome"] == outcome


async def test_every_wrong_field_is_named_and_nobody_is_dialled(serve: Any) -> None:
    sandbox = await serve()
    wrong: dict[str, list[Any]] = {
        "agentId": ["", 5, None],
        "toNumber": ["12025550101", "+02025550101", "+1 202 555 0101", "+1202555010199999", ANA + "\n", None],
        "fromNumber": ["", "anonymous"],
        "variables": [[], "x", None],
        "callerIdName": ["", "a name of sixteen"],
        "skipQueue": ["true", 1],
        "voicemailAction": ["beep", []],
        "startSpeaker": ["bot"],
        "firstMessageDelayMs": [-1, 15_001, 1.5, True],
        "beginAfterUserSilenceMs": [499],
        "environment": ["Prod", "1st", "a" * 33],
        "firstMessage": ["", "x" * 4001],
        "maxDurationSeconds": [9, 7201],
        "metadata": ["x", {"k": "x" * 17_000}],
        "idempotencyKey": ["", "k" * 201],
        "honorDoNotCall": ["yes"],
    }

    for name, values in wrong.items():
        for value in values:
            answer = await sandbox.post("/revring/calls", CALL | {name: value}, 400)
            assert answer["error"] == "invalid_body", (name, value)
            assert list(answer["details"]["fieldErrors"]) == [name]

    unknown = await sandbox.post("/revring/calls", CALL | {"phone": ANA}, 400)
    assert unknown["details"]["formErrors"] == ["Unrecognized key: phone"]
    missing = await sandbox.post("/revring/calls", {}, 400)
    assert missing["details"]["fieldErrors"] == {name: ["Required"] for name in CALL}
    await sandbox.post("/revring/calls", CALL, 400, **{"Idempotency-Key": "k" * 201})
    assert (await sandbox.http.post("/revring/calls", content=b"{")).json()["error"] == "invalid_body"
    assert await sandbox.dials() == []


async def test_the_longest_values_that_are_allowed_are_taken(serve: Any) -> None:
    sandbox = await serve()
    asked = CALL | {
        "callerIdName": "fifteen letters",
        "firstMessageDelayMs": 15_000,
        "maxDurationSeconds": 10,
        "environment": "staging-2",
        "voicemailAction": "leave_message",
        "idempotencyKey": "k" * 200,
    }

    await sandbox.post("/revring/calls", asked, 201)


async def test_one_key_dials_once_even_at_the_same_time(serve: Any) -> None:
    sandbox = await serve()

    replies = await asyncio.gather(
        *(sandbox.http.post("/revring/calls", json=CALL, headers={"Idempotency-Key": "run:1"}) for _ in range(20))
    )
    again = await sandbox.http.post("/revring/calls", json=CALL | {"idempotencyKey": "run:1"})

    assert sorted(reply.status_code for reply in replies) == [200] * 19 + [201]
    assert again.status_code == 200
    assert len({reply.json()["data"]["id"] for reply in (*replies, again)}) == 1
    (dial,) = await sandbox.dials()
    assert dial["reference"] == "run:1"


async def test_the_key_in_the_body_beats_the_header(serve: Any) -> None:
    sandbox = await serve()
    for n, key in enumerate(["b1", "b1", "b2"]):
        reply = await sandbox.http.post(
            "/revring/calls", json=CALL | {"idempotencyKey": key}, headers={"Idempotency-Key": "same"}
        )
        assert reply.status_code == (201, 200, 201)[n]

    assert len(await sandbox.dials()) == 2


async def test_a_key_is_forgotten_after_a_day_or_when_switched_off(serve: Any) -> None:
    fast = await serve(speed=1_000_000.0)
    headers = {"Idempotency-Key": "k"}
    await fast.post("/revring/calls", CALL, 201, **headers)
    await asyncio.sleep(0.1)
    await fast.post("/revring/calls", CALL, 201, **headers)

    off = await serve(revring=RevringSwitches(idempotency=False))
    await off.post("/revring/calls", CALL, 201, **headers)
    await off.post("/revring/calls", CALL, 201, **headers)
    assert len(await off.dials()) == 2


async def test_calls_over_the_limit_wait_in_line_or_are_refused(serve: Any) -> None:
    sandbox = await serve(revring=RevringSwitches(concurrency=2), ring_seconds=(20.0, 30.0))

    created = [(await sandbox.post("/revring/calls", CALL, 201))["data"] for _ in range(4)]
    refused = await sandbox.post("/revring/calls", CALL | {"skipQueue": True}, 429)
    active = (await sandbox.get("/revring/analytics/active"))["data"]
    cancelled = (await sandbox.post(f"/revring/calls/{created[3]['id']}/cancel", None))["data"]
    before = len(await sandbox.dials())
    await sandbox.post(f"/revring/calls/{created[0]['id']}/end", None, 202)
    promoted = (await sandbox.get(f"/revring/calls/{created[2]['id']}"))["data"]
    await sandbox.post(f"/revring/calls/{created[1]['id']}/end", None, 202)

    assert [call["status"] for call in created] == ["INITIATED", "INITIATED", "QUEUED", "QUEUED"]
    assert refused == {"error": "concurrency_limit"}
    assert active == {"activeCalls": 2, "concurrency": {"active": 2, "limit": 2, "available": 0, "inboundReserve": 0}}
    assert cancelled["status"] == "CANCELED"
    assert before == 2
    dials = await sandbox.dials()
    assert [dial["id"] for dial in dials] == [call["id"] for call in created[:3]]
    assert promoted["status"] == "INITIATED"
    assert promoted["createdAt"] < promoted["initiatedAt"] == dials[2]["at"]


async def test_a_live_call_is_ended_and_only_a_queued_one_cancelled(serve: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",)}, talk_seconds=(20.0, 30.0))
    created = (await sandbox.post("/revring/calls", CALL, 201))["data"]
    path = f"/revring/calls/{created['id']}"

    refused = await sandbox.post(f"{path}/cancel", None, 400)
    await asyncio.sleep(0.1)
    assert (await sandbox.get(path))["data"]["status"] == "ONGOING"
    ending = await sandbox.post(f"{path}/end", {"reason": "changed plans"}, 202)
    late = await sandbox.post(f"{path}/end", {}, 409)
    read = (await sandbox.get(path))["data"]

    assert refused["error"] == "call_not_cancellable"
    assert ending == {"data": {"callId": created["id"], "ending": True}}
    assert late["error"] == "call_not_active"
    assert (read["status"], read["hangupCause"]) == ("COMPLETED", "API_ENDED")
    assert sandbox.world.idle()


async def test_lists_are_filtered_and_paged(serve: Any) -> None:
    sandbox = await serve(speed=1.0)
    ids = [
        (await sandbox.post("/revring/calls", CALL | {"toNumber": phone}, 201))["data"]["id"]
        for phone in (ANA, SAM, ANA)
    ]
    await sandbox.ended()
    created = [(await sandbox.get(f"/revring/calls/{one}"))["data"]["createdAt"] for one in ids]

    async def listed(**query: Any) -> list[str]:
        return [call["id"] for call in (await sandbox.get("/revring/calls", **query))["data"]]

    assert await listed() == ids[::-1]
    assert await listed(sortDir="asc") == ids
    assert await listed(toNumber=ANA, direction="OUTBOUND", agentId=CALL["agentId"]) == [ids[2], ids[0]]
    assert await listed(toNumber="+12025550199") == []
    assert await listed(direction="INBOUND") == []
    assert await listed(status="QUEUED,ONGOING") == []
    assert await listed(status="COMPLETED,FAILED,TRANSFERRED") == ids[::-1]
    assert await listed(createdFrom="2999-01-01T00:00:00Z") == []
    assert await listed(createdTo="2999-01-01T00:00:00Z", createdFrom=created[0]) == ids[::-1]
    assert await listed(sortBy="durationSeconds", q=SAM) == [ids[1]]

    page = await sandbox.get("/revring/calls", page=2, pageSize=2)
    assert {name: page[name] for name in page if name != "data"} == {
        "page": 2,
        "pageSize": 2,
        "total": 3,
        "hasNextPage": False,
    }
    assert [call["id"] for call in page["data"]] == [ids[0]]


@pytest.mark.parametrize(
    "query",
    ["page=0", "pageSize=101", "pageSize=x", "createdFrom=yesterday", "status=DONE", "sortBy=x", "direction=UP"],
)
async def test_a_query_that_makes_no_sense_is_refused(serve: Any, query: str) -> None:
    sandbox = await serve()

    reply = await sandbox.http.get(f"/revring/calls?{query}")

    assert (reply.status_code, reply.json()["error"]) == (400, "invalid_query")


async def test_a_batch_leaves_unknown_ids_out_and_can_be_minimal(serve: Any) -> None:
    sandbox = await serve()
    placed = (await sandbox.post("/revring/calls", CALL, 201))["data"]["id"]
    await sandbox.ended()

    full = (await sandbox.post("/revring/calls/batch-get", {"ids": [placed, "ffffffff-0000-4000-8000-000000000000"]}))[
        "data"
    ]
    minimal = (await sandbox.post("/revring/calls/batch-get", {"ids": [placed], "minimal": True}))["data"]

    assert [call["id"] for call in full] == [placed]
    assert set(full[0]) - set(minimal[0]) == {"transcript", "summary", "metrics", "variables"}
    for ids in ([], ["x"] * 101, "x", [1]):
        await sandbox.post("/revring/calls/batch-get", {"ids": ids}, 400)
    assert (await sandbox.http.get("/revring/calls/unknown")).json() == {"error": "not_found"}


async def test_a_message_is_sent_and_read_back(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("delivered", "failed")})
    asked = {"to": ANA, "agentId": "a", "body": "Your booking is confirmed."}

    sent = [(await sandbox.post("/revring/messages", asked, 201))["data"] for _ in range(2)]
    await sandbox.ended()
    read = [(await sandbox.get(f"/revring/v1/messages/{message['id']}"))["data"] for message in sent]
    listed = await sandbox.get("/revring/messages", agentId="a", status="delivered")

    assert set(sent[0]) == keys("revring.message")
    assert (sent[0]["status"], sent[0]["channel"], sent[0]["body"]) == ("sent", "sms", asked["body"])
    assert [(message["status"], bool(message["errorMessage"])) for message in read] == [
        ("delivered", False),
        ("failed", True),
    ]
    assert [message["id"] for message in listed["data"]] == [sent[0]["id"]]
    assert [dial["kind"] for dial in await sandbox.dials()] == ["text", "text"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"to": "0202"}, "invalid_body"),
        ({"generate": True}, "invalid_body"),
        ({"body": ""}, "invalid_body"),
        ({"body": "x" * 1601}, "invalid_body"),
        ({"toNumber": ANA}, "invalid_body"),
        ({"agentId": None}, "invalid_body"),
    ],
)
async def test_a_wrong_message_is_refused(serve: Any, change: Any, error: Any) -> None:
    sandbox = await serve()

    answer = await sandbox.post("/revring/messages", {"to": ANA, "agentId": "a", "body": "x"} | change, 400)

    assert answer["error"] == error
    assert await sandbox.dials() == []


async def test_agents_and_refused_numbers_are_known(serve: Any) -> None:
    sandbox = await serve(revring=RevringSwitches(agents=("known",), do_not_call=(SAM,), strict_agent_ids=False))

    assert (await sandbox.post("/revring/calls", CALL, 404)) == {"error": "agent_not_found"}
    listed = CALL | {"agentId": "known", "toNumber": SAM}
    assert (await sandbox.post("/revring/calls", listed | {"honorDoNotCall": True}, 409))["error"] == (
        "number_on_do_not_call_list"
    )
    await sandbox.post("/revring/calls", listed, 201)
    assert (await sandbox.post("/revring/messages", {"to": ANA, "body": "x"}, 400)) == {"error": "missing_connection"}
