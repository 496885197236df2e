"""Revox's campaigns beyond dialling: changes, rows, reports, exports, launches, and what every number went through."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.sandbox.settings import RevoxSwitches

ANA, SAM, TOM = "+12025550101", "+12025550102", "+12025550103"
NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
NEVER = datetime(2026, 4, 1, tzinfo=UTC)
D = RevoxSwitches(generation="D")
LISTS = ("assignee_ids", "assistant_ids", "campaign_ids", "directions", "from_phone_numbers", "outcomes", "results")
SEARCH: dict[str, Any] = {name: [] for name in (*LISTS, "statuses")} | {"page": 0, "page_size": 50}
RETRIES: dict[str, Any] = {
    "allowed_days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
    "call_twice_in_a_row": True,
    "calling_windows": [
        {"calling_window_start_time": "10:00", "calling_window_end_time": "18:00", "retry_delay_seconds": 3600}
    ],
    "max_retry_attempts": 2,
}
LAUNCH: dict[str, Any] = {
    "mode": "ai_first",
    "selection": {
        "filters": {"assignee_ids": [], "directions": [], "outcomes": [], "results": [], "statuses": []},
        "rows": {"mode": "all_except", "call_ids": []},
    },
}


def campaign(*phones: str, **more: Any) -> dict[str, Any]:
    contacts = [{"to_phone_number": phone, "prompt_variables": {"first_name": phone[-3:]}} for phone in phones]
    return {"assistant_id": "a", "name": "run-0001", "contacts": contacts, **more}


async def made(sandbox: Any, *phones: str, **more: Any) -> str:
    created = (await sandbox.post("/revox/campaigns", campaign(*phones, **more)))["campaign"]
    return f"/revox/campaigns/{created['id']}"


async def stats(sandbox: Any, path: str) -> dict[str, int]:
    found: dict[str, int] = (await sandbox.get(path))["campaign"]["row_stats"]
    return {name: count for name, count in found.items() if count}


async def test_row_stats_follow_every_order(serve: Any) -> None:
    script = {ANA: ("answered",), SAM: ("no_answer", "answered"), TOM: ("busy",)}
    sandbox = await serve(standing=True, revox=D, script=script)
    path = await made(sandbox, ANA, SAM, TOM, call_retry_config=RETRIES | {"call_twice_in_a_row": False})

    before = await stats(sandbox, path)
    await sandbox.post(f"{path}/launch-calls", LAUNCH)
    calling = await stats(sandbox, path)
    await sandbox.passes(NOON + timedelta(minutes=30))
    waiting = await stats(sandbox, path)
    await sandbox.passes(NEVER)

    assert before == {"not_launched": 3, "total": 3}
    assert calling == {"calling": 3, "total": 3}
    assert waiting == {"completed": 1, "retry": 2, "total": 3}
    assert await stats(sandbox, path) == {"completed": 2, "failed": 1, "total": 3}
    assert (await sandbox.get(path))["campaign"]["status"] == "completed"
    assert sorted(dial["to"] for dial in await sandbox.dials()) == [ANA, SAM, SAM, TOM, TOM]


async def test_a_launch_skips_what_is_active_exhausted_or_cancelled(serve: Any) -> None:
    sandbox = await serve(standing=True, revox=D, ring_seconds=(60.0, 61.0), script={ANA: ("busy",)})
    path = await made(sandbox, ANA, SAM, TOM, call_retry_config=RETRIES)
    rows = (await sandbox.get(f"{path}/rows"))["rows"]
    ids = [row["call"]["id"] for row in rows]
    only = LAUNCH | {"selection": LAUNCH["selection"] | {"rows": {"mode": "only", "call_ids": ids[:1]}}}
    await sandbox.post(f"{path}/launch-calls", only)
    await sandbox.passes(NOON + timedelta(minutes=10))
    await sandbox.post(f"/revox/call/{ids[1]}/cancel", None)
    await sandbox.post(
        f"{path}/launch-calls",
        LAUNCH | {"selection": LAUNCH["selection"] | {"rows": {"mode": "only", "call_ids": ids[2:]}}},
    )

    again = await sandbox.post(f"{path}/launch-calls", LAUNCH)

    assert again == {
        "launched": 0,
        "skipped": {"active": 1, "attempts_exhausted": 1, "cancelled": 1},
        "session": None,
    }
    assert [dial["to"] for dial in await sandbox.dials()] == [ANA, ANA, TOM]


async def test_a_launch_can_be_for_later_and_a_speed_dial_has_a_session(serve: Any) -> None:
    sandbox = await serve(standing=True, revox=D, script={ANA: ("answered",), SAM: ("answered",)})
    later, now = await made(sandbox, ANA), await made(sandbox, SAM)
    at = {"scheduled_at": "2026-03-03T20:00:00Z"}

    await sandbox.post(f"{later}/launch-calls", LAUNCH | at)
    session = (await sandbox.post(f"{now}/launch-calls", LAUNCH | {"mode": "speed_dial"}))["session"]
    await sandbox.post(f"{now}/launch-calls", LAUNCH | {"mode": "speed_dial"} | at, 400)
    await sandbox.passes(NEVER)

    assert (session["status"], session["total_targets"]) == ("dialing", 1)
    assert [(dial["to"], dial["at"][11:16]) for dial in await sandbox.dials()] == [(SAM, "17:00"), (ANA, "20:00")]


async def test_an_order_that_was_never_launched_has_no_loop_to_pause(serve: Any) -> None:
    sandbox = await serve(standing=True, revox=D)
    path = await made(sandbox, ANA)
    (row,) = (await sandbox.get(f"{path}/rows"))["rows"]
    call = f"/revox/call/{row['call']['id']}"

    assert await sandbox.post(f"{call}/pause", None) == {"success": False}
    await sandbox.post(f"{call}/resume", None)
    await sandbox.passes(NEVER)

    assert (await sandbox.get(call))["call"]["status"] == "not_launched"
    assert await sandbox.dials() == []


async def test_a_change_reaches_calls_that_are_not_over(serve: Any) -> None:
    sandbox = await serve(standing=True, revox=D, script={ANA: ("answered",)})
    path = await made(sandbox, ANA, call_retry_config=RETRIES | {"timezone": "Asia/Tokyo"})
    await sandbox.post(f"{path}/launch-calls", LAUNCH)

    change = {"name": "new", "call_retry_config": RETRIES | {"timezone": "America/New_York"}, "max_concurrent_calls": 2}
    changed = await sandbox.http.patch(path, json=change | {"from_phone_number": "+12025550177"})
    await sandbox.passes(NOON + timedelta(minutes=5))

    record = changed.json()["campaign"]
    assert (record["name"], record["max_concurrent_calls"]) == ("new", 2)
    assert record["call_retry_config"]["timezone"] == "America/New_York"
    assert [dial["at"][:16] for dial in await sandbox.dials()] == ["2026-03-03T17:00"]
    (row,) = (await sandbox.get(f"{path}/rows"))["rows"]
    assert row["call"]["from_phone_number"] == "+12025550177"
    refused: list[dict[str, Any]] = [{"contacts": []}, {"name": ""}, {"max_concurrent_calls": 0}]
    for wrong in [*refused, {"call_retry_config": {}}]:
        assert (await sandbox.http.patch(path, json=wrong)).status_code == 400


async def test_the_seeds_generation_changes_nothing(serve: Any) -> None:
    sandbox = await serve()
    path = await made(sandbox, ANA)

    assert (await sandbox.http.patch(path, json={"name": "new"})).status_code == 405


async def test_a_removed_campaign_calls_nobody_who_waits_and_running_calls_finish(serve: Any) -> None:
    sandbox = await serve(standing=True, ring_seconds=(60.0, 61.0), script={ANA: ("no_answer",)})
    path = await made(sandbox, ANA, SAM, max_concurrent_calls=1, call_retry_config=RETRIES)

    removed = await sandbox.http.delete(path)
    await sandbox.passes(NEVER)

    assert removed.json() == {"success": True}
    assert (await sandbox.http.get(path)).status_code == 404
    assert (await sandbox.get("/revox/campaigns"))["campaigns"] == []
    assert [(dial["to"], dial["outcome"]) for dial in await sandbox.dials()] == [(ANA, "no_answer")]


async def test_retry_timers_run_on_while_a_campaign_is_paused(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("no_answer", "answered")})
    path = await made(sandbox, ANA, call_retry_config=RETRIES | {"call_twice_in_a_row": False})
    await sandbox.passes(NOON + timedelta(minutes=10))

    await sandbox.post(f"{path}/pause", None)
    await sandbox.passes(NOON + timedelta(hours=3))
    due = (await sandbox.get(f"{path}/rows", page=1, page_size=5))["rows"][0]["call"]["status"]
    await sandbox.post(f"{path}/resume", None)
    await sandbox.passes(NEVER)

    assert due == "queued_for_calling"
    assert [dial["at"][11:16] for dial in await sandbox.dials()] == ["17:00", "20:00"]


async def test_rows_of_the_seeds_generation_are_paged_and_filtered(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("answered",), SAM: ("voicemail",), TOM: ("busy",)})
    path = await made(sandbox, ANA, SAM, TOM)
    await sandbox.passes(NEVER)

    async def rows(**query: Any) -> list[str]:
        found = await sandbox.get(f"{path}/rows", **({"page": 1, "page_size": 10} | query))
        return [row["phone_number"] for row in found["rows"]]

    assert await rows() == [ANA, SAM, TOM]
    assert await rows(page=2, page_size=2) == [TOM]
    assert await rows(result="human") == [ANA]
    assert await rows(result="none") == [TOM]
    assert await rows(result="all", statuses="completed,calling") == [ANA, SAM, TOM]
    assert await rows(statuses="scheduled") == []
    assert await rows(query="102") == [SAM]


async def test_statistics_and_export_tell_of_each_contact(serve: Any) -> None:
    script = {ANA: ("answered",), SAM: ("no_answer",), TOM: ("answered",)}
    sandbox = await serve(standing=True, revox=D, script=script)
    path = await made(sandbox, ANA, SAM, TOM, call_retry_config=RETRIES)
    empty = (await sandbox.get(f"{path}/statistics"))["statistics"]
    await sandbox.post(f"{path}/launch-calls", LAUNCH)
    await sandbox.passes(NEVER)

    told = (await sandbox.get(f"{path}/statistics"))["statistics"]
    export = await sandbox.get(f"{path}/export")
    rows = list(csv.DictReader(io.StringIO(export["csv"])))

    assert (empty["campaign"]["has_activity"], empty["funnel"]["reached"]["pct_of_called"]) == (False, None)
    assert told["effort"] == {"calls_total": 4, "inbound_calls": 0, "outbound_attempts": 4}
    assert (told["funnel"]["called"]["count"], told["funnel"]["reached"]["count"]) == (3, 2)
    assert told["funnel"]["reached"]["pct_of_called"] == 66.7
    assert told["campaign"]["max_attempts_per_contact"] == 2
    assert told["campaign"]["first_activity_at"].startswith("2026-03-03T17:00")
    assert sum(one["count"] for one in told["outcome_breakdown"]) == 3
    leads = told["leads"]["interested"] + told["leads"]["callback_requested"]
    assert len(leads) == told["funnel"]["hot_leads"]["count"]
    assert export["filename"].endswith(".csv")
    assert [(row["phone_number"], row["calls_count"], row["input.first_name"]) for row in rows] == [
        (ANA, "1", "101"),
        (SAM, "2", "102"),
        (TOM, "1", "103"),
    ]


async def test_calls_are_exported_by_a_search(serve: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",), SAM: ("busy",)})
    for phone in (ANA, SAM):
        body = {"phone_number": phone, "assistant_id": "a", "metadata": {"attempt_id": phone[-3:]}}
        await sandbox.post("/revox/call", body)
    await sandbox.ended()

    export = await sandbox.post(
        "/revox/call/export",
        {
            "filters": SEARCH | {"results": ["human"]},
            "include_metadata": True,
            "include_structured_output_fields": True,
        },
    )
    plain = await sandbox.post("/revox/call/export", {"filters": SEARCH})

    (row,) = csv.DictReader(io.StringIO(export["csv"]))
    assert (row["phone_number"], row["metadata.attempt_id"], row["result"]) == (ANA, "101", "human")
    assert row["structured_output.outcome"] in {"BOOKED", "REFUSED", "CALLBACK"}
    assert "metadata.attempt_id" not in plain["csv"]
    refused: list[dict[str, Any]] = [{}, {"filters": {}}, {"filters": SEARCH, "include_metadata": "yes"}]
    for wrong in refused:
        await sandbox.post("/revox/call/export", wrong, 400)


async def test_what_every_number_went_through_is_remembered(serve: Any) -> None:
    switches = RevoxSwitches(do_not_contact=(TOM,))
    sandbox = await serve(standing=True, script={ANA: ("answered",), SAM: ("no_answer",)}, revox=switches)
    path = await made(sandbox, ANA, SAM, call_retry_config=RETRIES)
    await sandbox.passes(NEVER)

    history = (await sandbox.get("/revox/api/calls/phone-history"))["phone_history"]

    assert set(history) == {ANA, SAM, TOM}
    assert history[ANA]["campaigns"] == [{"id": path.rsplit("/", 1)[1], "name": "run-0001"}]
    assert (history[ANA]["count"], history[ANA]["reached_human"]) == (1, True)
    assert (history[SAM]["count"], history[SAM]["reached_human"], history[SAM]["last_outcome"]) == (2, False, None)
    assert history[SAM]["last_called_at"].startswith("2026-03-03T17:00")
    assert history[TOM] == {
        "count": 0,
        "campaigns": [],
        "do_not_contact": True,
        "hot": False,
        "last_called_at": None,
        "last_outcome": None,
        "reached_human": False,
    }


async def test_the_seeds_generation_lists_attempts_without_their_orders(serve: Any, keys: Any) -> None:
    sandbox = await serve(script={ANA: ("answered",), SAM: ("busy",)})
    newest = await serve(revox=D)
    for phone in (ANA, SAM):
        await sandbox.post("/revox/call", {"phone_number": phone, "assistant_id": "a"})
    await sandbox.ended()

    listed = (await sandbox.get("/revox/call", page=0, page_size=10))["calls"]
    second = (await sandbox.get("/revox/call", page=1, page_size=1, statuses="completed,errored"))["calls"]

    assert [attempt["phone_number"] for attempt in listed] == [SAM, ANA]
    assert set(listed[0]) == keys("revox.attempt")
    assert [attempt["phone_number"] for attempt in second] == [ANA]
    assert (await sandbox.get("/revox/call", page=0, page_size=10, statuses="scheduled"))["calls"] == []
    assert (await sandbox.http.get("/revox/call")).status_code == 400
    assert (await newest.http.get("/revox/call?page=0&page_size=10")).status_code == 405


@pytest.mark.parametrize(("generation", "other"), [("A", "not_launched"), ("D", "calling")])
async def test_a_fault_answers_as_the_other_generation_would(serve: Any, generation: Any, other: str) -> None:
    sandbox = await serve(revox=RevoxSwitches(generation=generation), ring_seconds=(20.0, 30.0))
    await sandbox.post("/_sandbox/faults", [{"kind": "wrong_generation", "provider": "revox"}])

    created = (await sandbox.post("/revox/campaigns", campaign(ANA)))["campaign"]

    assert created["row_stats"][other] == 1
    assert ("not_launched" in created["row_stats"]) is (generation == "A")
    assert len(await sandbox.dials()) == (1 if generation == "D" else 0)
