"""RevRing's native campaigns over a real socket: windows, tries, pace, lines, the do-not-call list, and every refusal."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.sandbox.settings import RevringSwitches, Target
from runner.sandbox.wire import instant

ANA, SAM, TOM, EVE = "+12025550101", "+12025550102", "+12025550103", "+12025550104"
FROM = "+12025550190"
NEVER = datetime(2026, 4, 1, tzinfo=UTC)
NOON = datetime(2026, 3, 3, 17, tzinfo=UTC)
"""of the standing clock: a Tuesday in New York"""

CAMPAIGN: dict[str, Any] = {"name": "run-0001", "agentId": "agent-1", "fromNumber": FROM, "callsPerSecond": 10}
RETRY = {"maxAttempts": 3, "retryDelayMinutes": 60, "retryOn": ["no_answer", "busy"]}
WINDOW = {"start": "10:00", "end": "18:00", "timezone": "America/New_York"}
CALL = {"agentId": "agent-1", "toNumber": EVE, "fromNumber": FROM}


def people(*phones: str) -> list[dict[str, Any]]:
    return [{"toNumber": phone, "variables": {"first_name": phone[-2:]}} for phone in phones]


async def made(sandbox: Any, **changes: Any) -> dict[str, Any]:
    answer = await sandbox.post("/revring/v1/campaigns", CAMPAIGN | changes, 201)
    campaign: dict[str, Any] = answer["data"]
    return campaign


async def contacts(sandbox: Any, campaign: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await sandbox.get(f"/revring/campaigns/{campaign['id']}/contacts", **query))["data"]
    return found


async def test_a_campaign_calls_each_number_once_and_tells_its_progress(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("answered",), SAM: ("invalid_number",)})

    created = await made(sandbox, contacts=people(ANA, SAM, ANA), start=True, retryPolicy=RETRY)
    await sandbox.passes(NOON + timedelta(minutes=1))
    read = (await sandbox.get(f"/revring/campaigns/{created['id']}"))["data"]

    assert (created["contactsAdded"], created["duplicatesSkipped"], created["status"]) == (2, 1, "running")
    assert created["retryPolicy"] == RETRY
    assert (read["status"], bool(read["startedAt"]), bool(read["completedAt"])) == ("completed", True, True)
    assert read["progress"] == {
        "total": 2,
        "done": 2,
        "contacts": {"completed": 1, "exhausted": 1},
        "outcomes": {"answered": 1, "failed": 1},
    }
    dials = await sandbox.dials()
    assert [(dial["to"], dial["reference"]) for dial in dials] == [(ANA, ""), (SAM, "")]
    calls = [(await sandbox.get(f"/revring/calls/{dial['id']}"))["data"] for dial in dials]
    assert [call["campaignId"] for call in calls] == [created["id"]] * 2
    assert calls[0]["variables"] == {"first_name": "01"}


async def test_tries_are_spaced_and_end(serve: Any) -> None:
    script = {ANA: ("no_answer", "busy", "no_answer"), SAM: ("no_answer", "answered"), TOM: ("voicemail",)}
    sandbox = await serve(standing=True, script=script)

    campaign = await made(sandbox, contacts=people(ANA, SAM, TOM), start=True, retryPolicy=RETRY)
    await sandbox.passes(NOON + timedelta(minutes=30))
    waiting = await contacts(sandbox, campaign, status="retry_wait")
    await sandbox.passes(NEVER)
    ended = await contacts(sandbox, campaign)

    assert [(contact["toNumber"], contact["outcome"]) for contact in waiting] == [
        (ANA, "no_answer"),
        (SAM, "no_answer"),
    ]
    assert waiting[0]["nextAttemptAt"].startswith("2026-03-03T18:00")
    assert [(contact["status"], contact["outcome"], contact["attempts"]) for contact in ended] == [
        ("exhausted", "no_answer", 3),
        ("completed", "answered", 2),
        ("completed", "voicemail", 1),
    ]
    dials = await sandbox.dials()
    assert [dial["at"][11:16] for dial in dials if dial["to"] == ANA] == ["17:00", "18:00", "19:00"]
    assert ended[0]["lastCallId"] == [dial["id"] for dial in dials if dial["to"] == ANA][-1]


async def test_a_campaign_keeps_to_its_window_in_each_contacts_zone(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("answered",), SAM: ("answered",), TOM: ("answered",)})
    asked = people(ANA, SAM, TOM)
    asked[1]["timezone"] = "America/Los_Angeles"
    asked[2]["timezone"] = "Asia/Tokyo"

    campaign = await made(sandbox, contacts=asked, start=True, callingWindow=WINDOW | {"days": [2, 3]})
    waits = {one["toNumber"]: one["nextAttemptAt"] for one in await contacts(sandbox, campaign)}
    await sandbox.passes(NEVER)

    assert waits[SAM] == "2026-03-03T18:00:00.000Z"  # 10:00 there, the same Tuesday
    assert waits[TOM] == "2026-03-04T01:00:00.000Z"  # 10:00 there, on Wednesday
    assert [(dial["to"], dial["at"][:16]) for dial in await sandbox.dials()] == [
        (ANA, "2026-03-03T17:00"),
        (SAM, "2026-03-03T18:00"),
        (TOM, "2026-03-04T01:00"),
    ]


async def test_a_retry_that_leaves_the_window_waits_for_the_next_one(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("busy", "answered")})

    await made(
        sandbox,
        contacts=people(ANA),
        start=True,
        callingWindow=WINDOW | {"end": "12:30"},
        retryPolicy=RETRY,
    )
    await sandbox.passes(NEVER)

    assert [dial["at"][:16] for dial in await sandbox.dials()] == ["2026-03-03T17:00", "2026-03-04T15:00"]


async def test_a_campaign_keeps_to_its_pace_and_its_start(serve: Any) -> None:
    sandbox = await serve(standing=True)
    at = NOON + timedelta(minutes=10)

    await made(sandbox, contacts=people(ANA, SAM, TOM), start=True, startAt=instant(at), callsPerSecond=0.5)
    assert sandbox.world.idle()
    await sandbox.passes(NEVER)

    assert [dial["at"] for dial in await sandbox.dials()] == [
        instant(at + timedelta(seconds=seconds)) for seconds in (0, 2, 4)
    ]


async def test_a_campaign_shares_lines_and_gives_way_to_direct_calls(serve: Any) -> None:
    sandbox = await serve(standing=True, ring_seconds=(60.0, 61.0), revring=RevringSwitches(concurrency=2))

    campaign = await made(sandbox, contacts=people(ANA, SAM, TOM), start=True, maxConcurrency=1)
    await sandbox.passes(NOON + timedelta(seconds=1))
    first = [dial["to"] for dial in await sandbox.dials()]
    await sandbox.post("/revring/calls", CALL, 201)
    queued = (await sandbox.post("/revring/calls", CALL | {"toNumber": "+12025550105"}, 201))["data"]
    sandbox.hang_up((await sandbox.dials())[0])
    second = [dial["to"] for dial in await sandbox.dials()]
    sandbox.hang_up((await sandbox.dials())[1])
    await sandbox.passes(NOON + timedelta(seconds=2))

    assert first == [ANA]
    assert queued["status"] == "QUEUED"
    assert second == [ANA, EVE, "+12025550105"]
    assert [dial["to"] for dial in await sandbox.dials()][3:] == [SAM]
    assert (await contacts(sandbox, campaign, status="dialing"))[0]["toNumber"] == SAM


async def test_who_must_not_be_called_is_skipped_also_when_listed_meanwhile(serve: Any) -> None:
    sandbox = await serve(standing=True, revring=RevringSwitches(do_not_call=(ANA,)), script={SAM: ("no_answer",)})

    campaign = await made(sandbox, contacts=people(ANA, SAM), start=True, retryPolicy=RETRY)
    await sandbox.passes(NOON + timedelta(minutes=1))
    await sandbox.post("/revring/do-not-call", {"numbers": [SAM]}, 201)
    await sandbox.passes(NEVER)

    assert [(one["status"], one["outcome"], one["attempts"]) for one in await contacts(sandbox, campaign)] == [
        ("skipped", "do_not_call", 0),
        ("skipped", "do_not_call", 1),
    ]
    assert [dial["to"] for dial in await sandbox.dials()] == [SAM]
    assert len(await contacts(sandbox, campaign, outcome="do_not_call")) == 2


async def test_pause_lets_running_calls_finish_and_start_goes_on(serve: Any) -> None:
    sandbox = await serve(standing=True, ring_seconds=(60.0, 61.0), script={ANA: ("no_answer",)})
    campaign = await made(sandbox, contacts=people(ANA, SAM), start=True, maxConcurrency=1, retryPolicy=RETRY)
    path = f"/revring/campaigns/{campaign['id']}"

    paused = (await sandbox.post(f"{path}/pause", None))["data"]["status"]
    await sandbox.passes(NOON + timedelta(hours=5))
    dials = [dial["to"] for dial in await sandbox.dials()]
    started = (await sandbox.post(f"{path}/start", None))["data"]["status"]
    cancelled = (await sandbox.post(f"{path}/cancel", None))["data"]["status"]
    await sandbox.passes(NEVER)

    assert (paused, started, cancelled) == ("paused", "running", "canceled")
    assert dials == [ANA]
    # the retry was due and is placed before the other one; it finishes although the campaign is cancelled
    assert len(await sandbox.dials()) == 2
    assert {one["status"] for one in await contacts(sandbox, campaign)} == {"exhausted", "canceled"}


@pytest.mark.parametrize(
    ("steps", "refused", "error"),
    [
        ([], "pause", "invalid_transition"),
        (["start"], "start", "invalid_transition"),
        (["start", "pause"], "pause", "invalid_transition"),
        (["cancel"], "cancel", "invalid_transition"),
        (["cancel"], "start", "invalid_transition"),
        (["cancel"], "contacts", "campaign_closed"),
        (["cancel"], "PATCH", "campaign_closed"),
        (["start"], "DELETE", "campaign_active"),
        (["start", "pause"], "DELETE", "campaign_active"),
    ],
)
async def test_what_the_status_forbids_is_a_conflict(serve: Any, steps: Any, refused: str, error: str) -> None:
    sandbox = await serve(standing=True)
    campaign = await made(sandbox, contacts=people(ANA), callingWindow=WINDOW | {"start": "13:00"})
    path = f"/revring/campaigns/{campaign['id']}"
    for step in steps:
        await sandbox.post(f"{path}/{step}", None)

    if refused.isupper():
        reply = await sandbox.http.request(refused, path, json={"name": "other"})
    else:
        reply = await sandbox.http.post(f"{path}/{refused}", json={"contacts": people(SAM)})

    assert (reply.status_code, reply.json()["error"]) == (409, error)
    assert reply.json()["message"]


async def test_settings_change_until_the_next_dial(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("answered",)})
    campaign = await made(sandbox, contacts=people(ANA), start=True, callingWindow=WINDOW | {"start": "15:00"})
    path = f"/revring/campaigns/{campaign['id']}"

    changed = (await sandbox.http.patch(path, json={"callingWindow": WINDOW, "name": "new"})).json()["data"]
    await sandbox.passes(NOON + timedelta(minutes=1))

    assert (changed["name"], changed["callingWindow"], changed["callsPerSecond"]) == ("new", WINDOW, 10)
    assert [dial["at"][:16] for dial in await sandbox.dials()] == ["2026-03-03T17:00"]


async def test_contacts_are_added_in_chunks_and_duplicates_skipped(serve: Any) -> None:
    sandbox = await serve(standing=True)
    campaign = await made(sandbox)
    path = f"/revring/campaigns/{campaign['id']}"
    many = people(*(f"+1202{5550000 + at}" for at in range(10_000)))

    empty = await sandbox.post(f"{path}/start", None, 400)
    added = (await sandbox.post(f"{path}/contacts", {"contacts": many}, 201))["data"]
    again = (await sandbox.post(f"{path}/contacts", {"contacts": many[:2] + people("+447700900123")}, 201))["data"]
    too_many = await sandbox.post(f"{path}/contacts", {"contacts": [*many, many[0]]}, 400)
    page = await sandbox.get(f"{path}/contacts", page=21, pageSize=500)

    assert empty == {"error": "no_contacts"}
    assert added == {"contactsAdded": 10_000, "duplicatesSkipped": 0}
    assert again == {"contactsAdded": 1, "duplicatesSkipped": 2}
    assert too_many["error"] == "invalid_body"
    assert (page["total"], len(page["data"]), page["hasNextPage"]) == (10_001, 1, False)
    assert (await sandbox.http.get(f"{path}/contacts?pageSize=501")).status_code == 400


async def test_campaigns_are_listed_and_removed_and_their_calls_kept(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("answered",)})
    done = await made(sandbox, contacts=people(ANA), start=True)
    draft = await made(sandbox, name="draft")
    await sandbox.passes(NOON + timedelta(minutes=1))

    listed = await sandbox.get("/revring/campaigns")
    completed = await sandbox.get("/revring/campaigns", status="completed,canceled")
    removed = await sandbox.http.delete(f"/revring/campaigns/{done['id']}")

    assert [one["id"] for one in listed["data"]] == [draft["id"], done["id"]]
    assert [one["id"] for one in completed["data"]] == [done["id"]]
    assert removed.status_code == 200
    assert (await sandbox.http.get(f"/revring/campaigns/{done['id']}")).status_code == 404
    assert len((await sandbox.get("/revring/calls"))["data"]) == 1


async def test_a_campaign_is_exported_as_a_table(serve: Any) -> None:
    sandbox = await serve(standing=True, script={ANA: ("answered",), SAM: ("busy",)})
    campaign = await made(sandbox, contacts=people(ANA, SAM), start=True)
    await sandbox.passes(NOON + timedelta(minutes=1))

    reply = await sandbox.http.get(f"/revring/campaigns/{campaign['id']}/export")
    ana, sam = csv.DictReader(io.StringIO(reply.text))

    assert reply.headers["content-type"].startswith("text/csv")
    assert (ana["number"], ana["status"], ana["outcome"], ana["attempts"]) == (ANA, "completed", "answered", "1")
    assert (ana["var.first_name"], ana["lastCall.status"]) == ("01", "COMPLETED")
    assert ana["extraction.outcome"] in {"BOOKED", "REFUSED", "CALLBACK"}
    assert (sam["outcome"], sam["extraction.outcome"]) == ("busy", "")


async def test_each_call_of_a_campaign_is_told_with_its_campaign(serve: Any, receiver: Any) -> None:
    sandbox = await serve(webhooks={"revring": Target(url=receiver.url)}, script={ANA: ("no_answer",)})

    campaign = await made(sandbox, contacts=people(ANA), start=True)
    (webhook,) = await receiver.arrived(1)

    assert (webhook.body["campaignId"], webhook.body["toNumber"]) == (campaign["id"], ANA)


@pytest.mark.parametrize(
    "change",
    [
        {"name": ""},
        {"fromNumber": "anonymous"},
        {"contacts": [{"toNumber": "0202"}]},
        {"contacts": [{"toNumber": ANA, "timezone": "Mars/Base"}]},
        {"contacts": [{"toNumber": ANA, "metadata": {}}]},
        {"contacts": {}},
        {"callingWindow": {"start": "9:00", "end": "18:00", "timezone": "UTC"}},
        {"callingWindow": WINDOW | {"timezone": "Mars/Base"}},
        {"callingWindow": WINDOW | {"days": [7]}},
        {"callingWindow": WINDOW | {"days": []}},
        {"retryPolicy": {"maxAttempts": 11}},
        {"retryPolicy": {"retryDelayMinutes": 0}},
        {"retryPolicy": {"retryOn": ["answered"]}},
        {"callsPerSecond": 0.05},
        {"callsPerSecond": 11},
        {"maxConcurrency": 0},
        {"voicemailStrategy": "never"},
        {"startAt": "soon"},
        {"start": "yes"},
        {"webhookUrl": "https://example.test"},
    ],
)
async def test_a_wrong_campaign_is_refused_and_nobody_is_dialled(serve: Any, change: Any) -> None:
    sandbox = await serve()

    answer = await sandbox.post("/revring/campaigns", CAMPAIGN | {"contacts": people(ANA), "start": True} | change, 400)

    assert answer["error"] == "invalid_body"
    assert answer["details"]
    assert await sandbox.dials() == []
    assert (await sandbox.get("/revring/campaigns"))["total"] == 0


async def test_a_campaign_of_an_unknown_agent_or_without_contacts_is_refused(serve: Any) -> None:
    sandbox = await serve(revring=RevringSwitches(agents=("known",)))

    assert await sandbox.post("/revring/campaigns", CAMPAIGN, 404) == {"error": "agent_not_found"}
    started = CAMPAIGN | {"agentId": "known", "start": True}
    assert await sandbox.post("/revring/campaigns", started, 400) == {"error": "no_contacts"}


@pytest.mark.parametrize(("attempts", "dials"), [(1, 1), (3, 3)])
async def test_tries_of_a_campaign_without_a_policy_are_switched(serve: Any, attempts: int, dials: int) -> None:
    sandbox = await serve(standing=True, revring=RevringSwitches(default_attempts=attempts), script={ANA: ("busy",)})

    await made(sandbox, contacts=people(ANA), start=True)
    await sandbox.passes(NEVER)

    assert len(await sandbox.dials()) == dials
