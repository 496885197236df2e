"""Revox's face over a real socket: orders and attempts, search, and campaigns of two generations."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.sandbox.settings import RevoxSwitches
from runner.sandbox.wire import instant

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
ASSISTANT = "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"
CALL = {"phone_number": ANA, "assistant_id": ASSISTANT}
LISTS = (
    "assignee_ids",
    "assistant_ids",
    "campaign_ids",
    "directions",
    "from_phone_numbers",
    "outcomes",
    "results",
    "statuses",
)
SEARCH: dict[str, Any] = {name: [] for name in LISTS} | {"page": 0, "page_size": 50}
WINDOW = {"calling_window_start_time": "10:00", "calling_window_end_time": "18:00", "retry_delay_seconds": 7200}
CAMPAIGN: dict[str, Any] = {
    "assistant_id": ASSISTANT,
    "name": "run-0001",
    "contacts": [
        {"to_phone_number": ANA, "prompt_variables": {"first_name": "Ana"}},
        {"to_phone_number": SAM, "prompt_variables": {}},
    ],
}
LAUNCH: dict[str, Any] = {
    "mode": "ai_first",
    "selection": {
        "filters": {"assignee_ids": [], "directions": [], "outcomes": [], "results": [], "statuses": ["not_launched"]},
        "rows": {"mode": "all_except", "call_ids": []},
    },
}


async def test_an_order_is_placed_and_read_back(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",)})
    asked = CALL | {"metadata": {"attempt_id": "att-1"}, "prompt_variables": {"first_name": "Ana"}}

    created = (await sandbox.post("/revox/api/call", asked))["call"]
    await sandbox.ended()
    read = (await sandbox.get(f"/revox/call/{created['id']}"))["call"]

    assert set(created) == keys("revox.order") == set(read)
    assert (created["status"], created["calls_count"], created["last_call_attempt"]) == ("initializing", 0, None)
    assert (read["status"], read["calls_count"], read["is_completed"]) == ("completed", 1, True)
    assert read["metadata"] == {"attempt_id": "att-1"}
    assert read["contact"]["first_name"] == "Ana"
    assert read["outcome"] in {"interested", "not_interested", "requested_callback_later"}
    attempt = read["last_call_attempt"]
    assert [attempt] == read["call_attempts"]
    assert set(attempt) == keys("revox.attempt")
    assert (attempt["status"], attempt["result"]) == ("completed", "human")
    assert attempt["started_at"] <= attempt["answered_at"] <= attempt["ended_at"]
    assert [dial["reference"] for dial in await sandbox.dials()] == ["att-1"]


@pytest.mark.parametrize(
    ("outcome", "status", "result", "dial_error", "end_reason"),
    [
        ("answered", "completed", "human", {None}, {"tool_end_call", "client_initiated"}),
        ("voicemail", "completed", "voicemail", {None}, {"voicemail"}),
        ("no_answer", "error", None, {"no_answer"}, {None}),
        ("busy", "error", None, {"busy"}, {None}),
        ("invalid_number", "error", None, {"number_non_attributed"}, {None}),
        ("declined", "error", None, {None}, {"user_rejected"}),
        ("failed", "error", None, {"temporarily_unavailable", "non_classified_error"}, {None}),
    ],
)
async def test_each_outcome_is_told_in_its_words(
    serve: Any, outcome: str, status: Any, result: Any, dial_error: Any, end_reason: Any
) -> None:
    sandbox = await serve(script={ANA: (outcome,)})

    created = (await sandbox.post("/revox/call", CALL))["call"]
    await sandbox.ended()
    order = (await sandbox.get(f"/revox/call/{created['id']}"))["call"]

    attempt = order["last_call_attempt"]
    assert (order["status"], attempt["status"], attempt["result"]) == ("completed", status, result)
    assert attempt["dial_error"] in dial_error
    assert attempt["end_reason"] in end_reason
    assert (await sandbox.dials())[0]["outcome"] == outcome


async def test_what_is_wrong_is_refused_and_nobody_is_dialled(serve: Any) -> None:
    sandbox = await serve()
    wrong = [
        {"phone_number": ANA},
        {"assistant_id": ASSISTANT},
        CALL | {"phone_number": "2025550101"},
        CALL | {"metadata": {"attempt": 1}},
        CALL | {"metadata": []},
        CALL | {"prompt_variables": {"age": 7}},
        CALL | {"prompt_variables": {"name": None}},
        CALL | {"scheduled_at": "tomorrow"},
        CALL | {"concurrency": {}},
        CALL | {"skip_calling_window": "no"},
        CALL | {"from_phone_number": "anonymous"},
        {"phone_number": ANA, "assistant": {"name": "no prompt"}},
    ]

    for body in wrong:
        assert set(await sandbox.post("/revox/call", body, 400)) == {"error"}
    await sandbox.post("/revox/call", {"phone_number": SAM, "assistant": {"prompt": "Say hello."}})

    assert [dial["to"] for dial in await sandbox.dials()] == [SAM]


async def test_a_search_needs_all_ten_keys(serve: Any) -> None:
    sandbox = await serve()

    for name in SEARCH:
        answer = await sandbox.post("/revox/call/search", {key: SEARCH[key] for key in SEARCH if key != name}, 400)
        assert answer == {"error": f"{name} is required"}
    changes: list[dict[str, Any]] = [{"page": -1}, {"page_size": 0}, {"statuses": "completed"}, {"sort_direction": {}}]
    for change in changes:
        await sandbox.post("/revox/call/search", SEARCH | change, 400)


async def test_a_search_finds_orders_by_number_and_state(serve: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",), SAM: ("busy",)})
    ids = [
        (await sandbox.post("/revox/call", CALL | {"phone_number": phone}))["call"]["id"] for phone in (ANA, SAM, ANA)
    ]
    await sandbox.ended()

    async def found(**change: Any) -> list[str]:
        return [call["id"] for call in (await sandbox.post("/revox/call/search", SEARCH | change))["calls"]]

    assert await found() == ids[::-1]
    assert await found(sort_direction="asc") == ids
    assert await found(to_phone_number=ANA) == [ids[2], ids[0]]
    assert await found(results=["human"], statuses=["completed"], directions=["outbound"]) == [ids[2], ids[0]]
    assert await found(results=["none"]) == [ids[1]]
    assert await found(outcomes=["none"], assistant_ids=[ASSISTANT]) == [ids[1]]
    assert await found(assistant_ids=["another"]) == []
    assert await found(call_ids=[ids[0]]) == [ids[0]]
    assert await found(page=1, page_size=2) == [ids[0]]
    assert (await sandbox.post("/revox/call/search", SEARCH | {"page_size": 1}))["total_count"] == 3


async def test_pages_start_where_the_switch_says(serve: Any) -> None:
    sandbox = await serve(revox=RevoxSwitches(page_base=1))
    await sandbox.post("/revox/call", CALL)

    await sandbox.post("/revox/call/search", SEARCH, 400)
    assert len((await sandbox.post("/revox/call/search", SEARCH | {"page": 1}))["calls"]) == 1


async def test_a_scheduled_order_waits_can_be_paused_resumed_and_cancelled(serve: Any) -> None:
    sandbox = await serve()
    later = instant(sandbox.world.clock.now() + timedelta(hours=1))

    kept, dropped = [
        (await sandbox.post("/revox/call", CALL | {"phone_number": phone, "scheduled_at": later}))["call"]
        for phone in (ANA, SAM)
    ]
    assert (kept["status"], kept["scheduled_at"]) == ("scheduled", later)
    assert sandbox.world.idle()
    assert instant(sandbox.world.next_event_at()) == later

    assert await sandbox.post(f"/revox/call/{kept['id']}/pause", None) == {"success": True}
    assert await sandbox.post(f"/revox/call/{dropped['id']}/cancel", None) == {"success": True}
    assert await sandbox.post(f"/revox/call/{dropped['id']}/cancel", None) == {"success": False}
    assert sandbox.world.next_event_at() is None
    states = [(await sandbox.get(f"/revox/call/{call['id']}"))["call"]["status"] for call in (kept, dropped)]
    assert states == ["paused", "cancelled"]

    assert await sandbox.post(f"/revox/call/{kept['id']}/resume", None) == {"success": True}
    assert instant(sandbox.world.next_event_at()) == later
    assert await sandbox.dials() == []


async def test_a_scheduled_order_is_dialled_at_its_instant(serve: Any) -> None:
    sandbox = await serve(speed=60.0)
    at = sandbox.world.clock.now() + timedelta(seconds=6)

    await sandbox.post("/revox/call", CALL | {"scheduled_at": at.isoformat()})
    assert await sandbox.dials() == []

    (dial,) = await sandbox.dialled(1)
    assert instant(at) <= dial["at"] < instant(at + timedelta(minutes=1))


async def test_a_live_order_is_cancelled(serve: Any) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0), script={ANA: ("no_answer",)})
    created = (await sandbox.post("/revox/call", CALL))["call"]

    await sandbox.post(f"/revox/call/{created['id']}/cancel", None)
    order = (await sandbox.get(f"/revox/call/{created['id']}"))["call"]

    assert (order["status"], order["is_cancelled"], order["is_completed"]) == ("cancelled", True, False)
    assert (await sandbox.dials())[0]["outcome"] == "failed"


async def test_the_seeds_generation_dials_when_a_campaign_is_created(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",), SAM: ("busy",)})

    created = (await sandbox.post("/revox/campaigns", CAMPAIGN))["campaign"]
    dialled = [dial["to"] for dial in await sandbox.dials()]
    await sandbox.ended()
    read = (await sandbox.get(f"/revox/api/campaigns/{created['id']}"))["campaign"]
    rows = await sandbox.get(f"/revox/campaigns/{created['id']}/rows", page=1, page_size=50)

    assert set(created) == keys("revox.campaign.A")
    assert set(created["row_stats"]) == keys("revox.row_stats.A")
    assert created["status"] == "running"
    assert dialled == [ANA, SAM]
    assert read["status"] == "completed"
    assert read["row_stats"] == {"calling": 0, "completed": 1, "failed": 1, "pending": 0, "retry": 0, "total": 2}
    assert set(rows) == {"page", "page_size", "total", "rows"}
    assert [(row["row_index"], row["phone_number"]) for row in rows["rows"]] == [(0, ANA), (1, SAM)]
    assert rows["rows"][0]["input_data"] == {"first_name": "Ana"}
    assert rows["rows"][0]["call"]["campaign"] == {"id": created["id"], "name": "run-0001"}
    assert (await sandbox.http.get(f"/revox/campaigns/{created['id']}/rows")).status_code == 400
    assert (await sandbox.http.post(f"/revox/campaigns/{created['id']}/launch-calls", json=LAUNCH)).status_code == 404
    assert [campaign["id"] for campaign in (await sandbox.get("/revox/campaigns"))["campaigns"]] == [created["id"]]


async def test_the_newest_generation_dials_when_calls_are_launched(serve: Any, keys: Any) -> None:
    sandbox = await serve(revox=RevoxSwitches(generation="D"))
    created = (await sandbox.post("/revox/campaigns", CAMPAIGN))["campaign"]
    path = f"/revox/campaigns/{created['id']}"
    await sandbox.ended()

    assert await sandbox.dials() == []
    assert set(created) == keys("revox.campaign.D")
    assert set(created["row_stats"]) == keys("revox.row_stats.D")
    assert (created["status"], created["row_stats"]["not_launched"]) == ("paused", 2)
    rows = await sandbox.get(f"{path}/rows")
    assert set(rows) == {"rows"}
    assert [row["call"]["status"] for row in rows["rows"]] == ["not_launched", "not_launched"]

    one = LAUNCH | {
        "selection": LAUNCH["selection"] | {"rows": {"mode": "only", "call_ids": [rows["rows"][1]["call"]["id"]]}}
    }
    none = {"active": 0, "attempts_exhausted": 0, "cancelled": 0}
    assert await sandbox.post(f"{path}/launch-calls", one) == {"launched": 1, "skipped": none, "session": None}
    await sandbox.ended()
    assert [dial["to"] for dial in await sandbox.dials()] == [SAM]

    everybody = LAUNCH | {
        "selection": LAUNCH["selection"] | {"filters": LAUNCH["selection"]["filters"] | {"statuses": []}}
    }
    launched = await sandbox.post(f"{path}/launch-calls", everybody)
    assert launched == {"launched": 1, "skipped": none | {"attempts_exhausted": 1}, "session": None}
    assert await sandbox.post(f"{path}/launch-calls", LAUNCH) == {"launched": 0, "skipped": none, "session": None}
    assert [dial["to"] for dial in await sandbox.dials()] == [SAM, ANA]


async def test_a_campaign_keeps_to_its_concurrency_and_stops_when_told(serve: Any) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0))
    contacts = [{"to_phone_number": phone, "prompt_variables": {}} for phone in (ANA, SAM, TOM)]
    campaign = (await sandbox.post("/revox/campaigns", CAMPAIGN | {"contacts": contacts, "max_concurrent_calls": 1}))[
        "campaign"
    ]
    path = f"/revox/campaigns/{campaign['id']}"

    assert (campaign["row_stats"]["calling"], campaign["row_stats"]["pending"]) == (1, 2)
    await sandbox.post(f"{path}/pause", None)
    sandbox.hang_up((await sandbox.dials())[0])
    assert [dial["to"] for dial in await sandbox.dials()] == [ANA]
    assert (await sandbox.get(path))["campaign"]["status"] == "paused"

    await sandbox.post(f"{path}/resume", None)
    assert [dial["to"] for dial in await sandbox.dials()] == [ANA, SAM]
    await sandbox.post(f"{path}/cancel", None)
    sandbox.hang_up((await sandbox.dials())[1])
    read = (await sandbox.get(path))["campaign"]
    assert [dial["to"] for dial in await sandbox.dials()] == [ANA, SAM]
    assert (read["status"], read["is_cancelled"], read["row_stats"]["total"]) == ("completed", True, 3)


async def test_a_wrong_campaign_is_refused_and_nobody_is_dialled(serve: Any) -> None:
    sandbox = await serve()
    contact = CAMPAIGN["contacts"][0]
    config = {"calling_windows": [WINDOW], "max_retry_attempts": 3}
    wrong = [
        CAMPAIGN | {"name": ""},
        {name: CAMPAIGN[name] for name in ("name", "contacts")},
        CAMPAIGN | {"contacts": None},
        CAMPAIGN | {"contacts": [{"to_phone_number": ANA}]},
        CAMPAIGN | {"contacts": [{"prompt_variables": {}}]},
        CAMPAIGN | {"contacts": [contact | {"prompt_variables": {"n": 1}}]},
        CAMPAIGN | {"max_concurrent_calls": 0},
        CAMPAIGN | {"scheduled_at": "soon"},
        CAMPAIGN | {"call_retry_config": {"calling_windows": []}},
        CAMPAIGN | {"call_retry_config": config | {"max_retry_attempts": 0}},
        CAMPAIGN | {"call_retry_config": config | {"calling_windows": [WINDOW | {"retry_delay_seconds": 0}]}},
        CAMPAIGN | {"call_retry_config": config | {"calling_windows": [{}]}},
    ]

    for body in wrong:
        assert set(await sandbox.post("/revox/campaigns", body, 400)) == {"error"}
    assert await sandbox.dials() == []

    newest = await serve(revox=RevoxSwitches(generation="D"))
    await newest.post("/revox/campaigns", CAMPAIGN | {"call_retry_config": config}, 400)
    await newest.post("/revox/campaigns", CAMPAIGN | {"scheduled_at": "2030-01-01T00:00:00Z"}, 400)
    full = config | {"allowed_days": ["monday"], "call_twice_in_a_row": False}
    created = await newest.post("/revox/campaigns", CAMPAIGN | {"call_retry_config": full})
    path = f"/revox/campaigns/{created['campaign']['id']}/launch-calls"
    changes: list[dict[str, Any]] = [{"mode": "now"}, {"mode": []}, {"selection": {}}, {"scheduled_at": 5}]
    for change in changes:
        await newest.post(path, LAUNCH | change, 400)


async def test_the_credential_can_be_checked(serve: Any) -> None:
    sandbox = await serve()

    assert await sandbox.get("/revox/api/auth-status") == {"authenticated": True}
    assert (await sandbox.http.get("/revox/auth-status", headers={"Authorization": ""})).status_code == 401
