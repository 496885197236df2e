"""The sandbox itself: keys, the truth about dials, requests, people, reset, and faults that really befall."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from runner.sandbox.settings import PROVIDERS, MovoiceSwitches, RevoxSwitches, RevringSwitches

ANA = "+12025550101"
PEOPLE = tuple(f"+12025550{n}" for n in range(100, 110))
UNAUTHORIZED = {
    "revmo": {"result": "Error", "error": "unauthorized"},
    "revring": {"error": "unauthorized"},
    "revox": {"error": "unauthorized"},
    "movoice": {"error": "unauthorized"},
}


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_key_that_is_missing_or_malformed_is_refused(
    serve: Any, dialling: Any, key: str, provider: str
) -> None:
    sandbox = await serve()
    path, body = dialling[provider].path, dialling[provider].body
    other = "Authorization" if provider == "revring" else "x-api-key"
    headers = [{}, {"Authorization": ""}, {"Authorization": "Bearer"}, {"Authorization": f"Basic {key}"}]
    headers += [{"Authorization": key}, {"Authorization": "Bearer two words"}, {"x-api-key": "two words"}]
    headers += [{other: key if other == "x-api-key" else f"Bearer {key}"}]

    async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False) as stranger:
        replies = [await stranger.post(path, json=body, headers=one) for one in headers]

    assert {reply.status_code for reply in replies} == {401}
    assert all(reply.json() == UNAUTHORIZED[provider] for reply in replies)
    assert await sandbox.dials() == []


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_only_the_keys_it_was_started_with_open_it(serve: Any, dialling: Any, key: str, provider: str) -> None:
    path, body = dialling[provider].path, dialling[provider].body
    closed = await serve(api_keys=("another",))
    opened = await serve(api_keys=("another", key))

    assert (await closed.http.post(path, json=body)).status_code == 401
    assert (await opened.http.post(path, json=body)).is_success
    assert (len(await closed.dials()), len(await opened.dials())) == (0, 1)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_dial_is_recorded_when_it_is_placed_and_its_outcome_when_it_ended(
    serve: Any, dialling: Any, provider: str
) -> None:
    sandbox = await serve(ring_seconds=(0.05, 0.06), script={ANA: ("no_answer",)})
    path, body = dialling[provider].path, dialling[provider].body
    before = sandbox.world.clock.now()

    assert (await sandbox.http.post(path, json=body, headers={"Idempotency-Key": "att-1"})).is_success
    (placed,) = await sandbox.dials()
    assert not sandbox.world.idle()
    await sandbox.ended()
    (ended,) = await sandbox.dials()

    assert set(placed) == {"provider", "kind", "to", "at", "reference", "id", "outcome"}
    assert (placed["provider"], placed["kind"], placed["to"]) == (provider, "call", ANA)
    assert (placed["reference"], placed["outcome"], ended["outcome"]) == ("att-1", None, "no_answer")
    assert placed["at"].endswith("Z")
    assert timedelta(0) <= datetime.fromisoformat(placed["at"]) - before + timedelta(milliseconds=1)


@pytest.mark.parametrize("provider", ["revmo", "revring", "revox"])
async def test_the_attempt_in_the_metadata_beats_the_header(serve: Any, dialling: Any, provider: str) -> None:
    sandbox = await serve()
    path, body = dialling[provider].path, dialling[provider].body

    await sandbox.http.post(path, json=body | {"metadata": {"attempt_id": "m"}}, headers={"Idempotency-Key": "h"})

    assert [dial["reference"] for dial in await sandbox.dials()] == ["m"]


async def _outcomes(sandbox: Any, dialling: Any) -> list[tuple[str, str, str | None]]:
    for request in dialling.values():
        await asyncio.gather(*(sandbox.http.post(request.path, json=request.to(phone)) for phone in PEOPLE))
    await sandbox.ended()
    return sorted((dial["provider"], dial["to"], dial["outcome"]) for dial in await sandbox.dials())


async def test_the_same_seed_gives_the_same_outcomes_and_another_one_others(serve: Any, dialling: Any) -> None:
    one, same, other = [await serve(seed=seed) for seed in (11, 11, 12)]

    outcomes = await _outcomes(one, dialling)

    assert len(outcomes) == 40
    assert await _outcomes(same, dialling) == outcomes
    assert await _outcomes(other, dialling) != outcomes
    await one.post("/_sandbox/reset", None)
    assert await _outcomes(one, dialling) == outcomes


async def test_named_people_follow_a_script_given_while_it_runs(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    path, body = dialling["revox"].path, dialling["revox"].body
    await sandbox.post("/_sandbox/people", {ANA: ["no_answer", "answered"]})

    for _ in range(3):
        await sandbox.post(path, body)
    await sandbox.ended()

    assert [dial["outcome"] for dial in await sandbox.dials()] == ["no_answer", "answered", "answered"]


async def test_requests_are_logged_without_credentials(serve: Any, dialling: Any, key: str) -> None:
    sandbox = await serve()
    path, body = dialling["revring"].path, dialling["revring"].body
    await sandbox.post(path, body, 201, **{"X-Trace": "1"})
    await sandbox.http.get("/revring/calls?toNumber=%2B12025550101")
    await sandbox.http.post("/movoice/call", content=b"not json")

    first, second, third = await sandbox.get("/_sandbox/requests")

    assert (first["method"], first["path"], first["body"], first["status"]) == ("POST", path, body, 201)
    assert first["headers"]["x-trace"] == "1"
    assert not {"authorization", "x-api-key"} & set(first["headers"])
    assert key not in str([first, second, third])
    assert (second["query"], second["body"], second["status"]) == ("toNumber=%2B12025550101", None, 200)
    assert (third["body"], third["status"]) == ("not json", 400)


async def test_reset_forgets_everything(serve: Any, dialling: Any) -> None:
    sandbox = await serve(ring_seconds=(20.0, 30.0))
    path, body = dialling["revring"].path, dialling["revring"].body
    headers = {"Idempotency-Key": "k"}
    created = (await sandbox.post(path, body, 201, **headers))["data"]
    await sandbox.post("/_sandbox/faults", [{"kind": "status", "status": 503}])

    assert await sandbox.post("/_sandbox/reset", None) == {"reset": True}

    assert sandbox.world.idle()
    assert sandbox.world.next_event_at() is None
    assert await sandbox.dials() == []
    assert await sandbox.get("/_sandbox/requests") == []
    assert (await sandbox.http.get(f"/revring/calls/{created['id']}")).status_code == 404
    again = (await sandbox.post(path, body, 201, **headers))["data"]
    assert again["id"] != created["id"]
    assert (await sandbox.get("/revring/analytics/active"))["data"]["activeCalls"] == 1


async def test_the_clock_can_be_read(serve: Any) -> None:
    sandbox = await serve(speed=30.0)

    clock = await sandbox.get("/_sandbox/clock")

    assert clock["speed"] == 30.0
    assert abs(datetime.fromisoformat(clock["now"]) - sandbox.world.clock.now()) < timedelta(minutes=2)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize(("kind", "dials"), [("drop_before", 0), ("drop_after", 1)])
async def test_a_dropped_request_is_really_dropped(
    serve: Any, dialling: Any, provider: str, kind: Any, dials: Any
) -> None:
    sandbox = await serve()
    path, body = dialling[provider].path, dialling[provider].body
    await sandbox.post("/_sandbox/faults", [{"kind": kind, "provider": provider, "path": "call"}])

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await sandbox.http.post(path, json=body)

    assert len(await sandbox.dials()) == dials
    assert [(seen["fault"], seen["status"]) for seen in await sandbox.get("/_sandbox/requests")] == [(kind, None)]
    assert (await sandbox.http.post(path, json=body)).is_success


async def test_a_request_that_hangs_takes_effect_and_is_never_answered(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    path, body = dialling["revmo"].path, dialling["revmo"].body
    await sandbox.post("/_sandbox/faults", [{"kind": "hang_after"}])

    with pytest.raises(httpx.ReadTimeout):
        await sandbox.http.post(path, json=body, timeout=0.1)

    assert len(await sandbox.dials()) == 1
    await sandbox.ended()


async def test_a_dropped_idempotent_call_is_found_again_by_its_key(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    path, body = dialling["revring"].path, dialling["revring"].body
    await sandbox.post("/_sandbox/faults", [{"kind": "drop_after"}])

    with pytest.raises(httpx.TransportError):
        await sandbox.http.post(path, json=body, headers={"Idempotency-Key": "k"})
    again = await sandbox.http.post(path, json=body, headers={"Idempotency-Key": "k"})

    assert again.status_code == 200
    assert [dial["id"] for dial in await sandbox.dials()] == [again.json()["data"]["id"]]


@pytest.mark.parametrize(
    ("fault", "status", "text", "dials"),
    [
        ({"status": 503}, 503, '{"error":"sandbox fault"}', 0),
        ({"status": 500, "effect": True}, 500, '{"error":"sandbox fault"}', 1),
        ({"status": 429, "headers": {"Retry-After": "2"}, "body": {"error": "slow"}}, 429, '{"error":"slow"}', 0),
        ({"status": 200, "body": "<html>", "effect": True}, 200, "<html>", 1),
    ],
)
async def test_a_status_can_be_answered_instead(
    serve: Any, dialling: Any, fault: Any, status: Any, text: Any, dials: Any
) -> None:
    sandbox = await serve()
    path, body = dialling["movoice"].path, dialling["movoice"].body
    await sandbox.post("/_sandbox/faults", [{"kind": "status"} | fault])

    reply = await sandbox.http.post(path, json=body)

    assert (reply.status_code, reply.text) == (status, text)
    assert reply.headers.get("retry-after") == fault.get("headers", {}).get("Retry-After")
    assert len(await sandbox.dials()) == dials


async def test_faults_strike_where_and_as_often_as_planned(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    plan = [{"kind": "status", "status": 502, "provider": "revox", "path": "/call$", "times": 2}]
    await sandbox.post("/_sandbox/faults", plan)

    statuses = [
        (await sandbox.http.post(dialling[name].path, json=dialling[name].body)).status_code
        for name in ("revmo", "revox", "revox", "revox")
    ]

    assert statuses == [200, 502, 502, 200]


async def test_faults_strike_their_share_of_requests(serve: Any) -> None:
    sandbox = await serve()
    await sandbox.post("/_sandbox/faults", [{"kind": "status", "share": 0.3}])

    statuses = [(await sandbox.http.get("/revox/auth-status")).status_code for _ in range(100)]

    assert 15 <= statuses.count(500) <= 45
    assert set(statuses) == {200, 500}


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        ("people", {ANA: ["asleep"]}, f"`{ANA}` names the unknown outcome `asleep`"),
        ("people", {ANA: "answered"}, f"the script of `{ANA}` is no list"),
        ("people", [], "the body is no JSON object"),
        ("webhooks", {"twilly": {"url": "http://127.0.0.1/"}}, "there is no provider `twilly`"),
        ("webhooks", {"revmo": {}}, "the webhooks of `revmo` have no url"),
        (
            "webhooks",
            {"revmo": {"url": "https://example.com/x"}},
            "the sandbox sends webhooks to this machine only, not to `https://example.com/x`",
        ),
        ("faults", {}, "a plan of faults is a list"),
        ("faults", ["drop"], "a fault is an object"),
        ("faults", [{"kind": "explode"}], "there is no fault `explode`"),
        ("faults", [{"kind": "status", "code": 1}], "a fault has no `code`"),
        ("faults", [{"kind": "status", "status": 99}], "`99` is no status of a fault"),
        ("faults", [{"kind": "status", "share": 2}], "`2` is no share"),
        ("faults", [{"kind": "status", "times": 0}], "`0` is no times of a fault"),
        ("faults", [{"kind": "status", "provider": "x"}], "there is no provider `x`"),
        ("faults", [{"kind": "status", "headers": {"a": 1}}], "a fault's headers are an object of strings"),
    ],
)
async def test_what_the_sandbox_cannot_be_told_is_said(serve: Any, path: str, body: Any, message: Any) -> None:
    sandbox = await serve()

    assert (await sandbox.post(f"/_sandbox/{path}", body, 400))["error"] == message


async def test_a_pattern_that_is_none_is_said(serve: Any) -> None:
    sandbox = await serve()

    answer = await sandbox.post("/_sandbox/faults", [{"kind": "status", "path": "("}], 400)

    assert answer["error"].startswith("`(` is no pattern for a path")


@pytest.mark.parametrize(
    ("provider", "switches", "path"),
    [
        ("revring", RevringSwitches(list_lag_seconds=60.0), "/revring/calls"),
        ("revox", RevoxSwitches(list_lag_seconds=60.0), "/revox/call"),
        ("movoice", MovoiceSwitches(list_lag_seconds=60.0), "/movoice/calls"),
    ],
)
async def test_lists_lag_behind_as_long_as_they_are_switched_to(
    serve: Any, dialling: Any, provider: str, switches: Any, path: str
) -> None:
    sandbox = await serve(standing=True, **{provider: switches})
    began = sandbox.world.clock.now()
    assert (await sandbox.http.post(dialling[provider].path, json=dialling[provider].body)).is_success
    found = []
    for seconds in (0, 59, 61):
        await sandbox.passes(began + timedelta(seconds=seconds))
        listed = await sandbox.get(path, **({"page": 0, "page_size": 10} if provider == "revox" else {}))
        found.append(len(listed.get("data", listed.get("calls"))))

    assert found == [0, 0, 1]
    assert len(await sandbox.dials()) == 1


async def test_elsewhere_is_nothing(serve: Any) -> None:
    sandbox = await serve()

    for path in ("/", "/calls", "/revmo", "/_sandbox/nothing", "/revring/nothing", "//"):
        reply = await sandbox.http.get(sandbox.url + path)
        assert (reply.status_code, reply.headers["content-type"]) == (404, "application/json")
