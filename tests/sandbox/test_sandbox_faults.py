"""Every fault as it befalls a real client: connections refused, answers late, broken, huge, elsewhere, of another age."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.errors import UsageWrong
from runner.sandbox.fault_plans import FaultPlan, read_plan, read_plan_file
from runner.sandbox.faults import Fault, Faults
from runner.sandbox.options import read_mischief, read_shares, with_switches
from runner.sandbox.settings import PROVIDERS, Mischief, Settings

ANA = "+12025550101"


async def befalls(sandbox: Any, *faults: dict[str, Any]) -> None:
    assert await sandbox.post("/_sandbox/faults", list(faults)) == {"faults": len(faults)}


async def test_connections_are_reset_before_anything_is_read(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    await befalls(sandbox, {"kind": "refuse", "times": 2})

    outcomes = []
    for _ in range(3):
        async with httpx.AsyncClient(base_url=sandbox.url, trust_env=False, headers=sandbox.http.headers) as fresh:
            try:
                reply = await fresh.post(dialling["revox"].path, json=dialling["revox"].body)
                outcomes.append(str(reply.status_code))
            except (httpx.ReadError, httpx.ConnectError, httpx.WriteError, httpx.RemoteProtocolError) as error:
                outcomes.append(type(error).__name__)

    assert outcomes[2] == "200"
    assert "200" not in outcomes[:2]
    assert len(await sandbox.dials()) == 1
    assert [seen["path"] for seen in await sandbox.get("/_sandbox/requests")] == [dialling["revox"].path]
    assert await sandbox.get("/_sandbox/faults") == [{"kind": "refuse", "provider": "", "struck": 2}]


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_a_slow_answer_comes_in_full(serve: Any, dialling: Any, provider: str) -> None:
    sandbox = await serve()
    path, body = dialling[provider].path, dialling[provider].body
    await befalls(sandbox, {"kind": "slow", "seconds": 0.2})

    began = time.monotonic()
    reply = await sandbox.http.post(path, json=body)

    assert time.monotonic() - began >= 0.2
    assert reply.is_success
    assert reply.json()
    assert len(await sandbox.dials()) == 1


async def test_a_client_that_gives_up_on_a_slow_answer_was_served(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    path, body = dialling["movoice"].path, dialling["movoice"].body
    await befalls(sandbox, {"kind": "slow"})

    with pytest.raises(httpx.ReadTimeout):
        await sandbox.http.post(path, json=body, timeout=0.1)

    assert len(await sandbox.dials()) == 1


async def test_a_hang_can_end(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    path, body = dialling["revmo"].path, dialling["revmo"].body
    await befalls(sandbox, {"kind": "hang_after", "seconds": 0.1})

    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        await sandbox.http.post(path, json=body)

    assert len(await sandbox.dials()) == 1


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_an_answer_is_cut_in_half(serve: Any, dialling: Any, provider: str) -> None:
    sandbox = await serve()
    path, body = dialling[provider].path, dialling[provider].body
    await befalls(sandbox, {"kind": "malformed"})

    reply = await sandbox.http.post(path, json=body)

    assert reply.is_success
    with pytest.raises(json.JSONDecodeError):
        reply.json()
    assert len(await sandbox.dials()) == 1


@pytest.mark.parametrize(("fault", "status", "dials"), [({}, 200, 0), ({"status": 502, "effect": True}, 502, 1)])
async def test_a_page_is_answered(serve: Any, dialling: Any, fault: Any, status: int, dials: int) -> None:
    sandbox = await serve()
    path, body = dialling["revring"].path, dialling["revring"].body
    await befalls(sandbox, {"kind": "html"} | fault)

    reply = await sandbox.http.post(path, json=body)

    assert (reply.status_code, reply.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert reply.text.startswith("<!doctype html>")
    assert len(await sandbox.dials()) == dials


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("follow", [False, True])
async def test_a_redirect_leads_to_a_place_that_counts(serve: Any, dialling: Any, status: int, follow: Any) -> None:
    sandbox = await serve()
    path, body = dialling["revmo"].path, dialling["revmo"].body
    await befalls(sandbox, {"kind": "redirect", "status": status})

    reply = await sandbox.http.post(path, json=body, follow_redirects=follow)
    landings = await sandbox.get("/_sandbox/landings")

    if follow:
        turned = "GET" if status in {301, 302} else "POST"
        assert [(one["method"], one["provider"], one["has_body"]) for one in landings] == [
            (turned, "revmo", turned == "POST")
        ]
    else:
        assert (reply.status_code, reply.headers["location"], landings) == (status, "/_sandbox/landing/revmo", [])
    assert await sandbox.dials() == []
    await sandbox.post("/_sandbox/reset", None)
    assert await sandbox.get("/_sandbox/landings") == []


async def test_a_huge_answer_is_still_one(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    path, body = dialling["revox"].path, dialling["revox"].body
    await befalls(sandbox, {"kind": "big"})

    reply = await sandbox.http.post(path, json=body)

    assert len(reply.content) > 10_000_000
    assert reply.json()["call"]["to_phone_number"] == ANA
    assert len(await sandbox.dials()) == 1


async def test_retry_after_has_three_forms(serve: Any) -> None:
    sandbox = await serve()
    fault = {"kind": "status", "status": 429, "seconds": 30}
    forms = ("delta", "date", "garbage")
    await befalls(sandbox, *(fault | {"retry_after": form} for form in forms))

    delta, date, garbage = [
        (await sandbox.http.get("/revox/auth-status")).headers["retry-after"] for _ in range(len(forms))
    ]

    assert delta == "30"
    ahead = parsedate_to_datetime(date) - sandbox.world.clock.now()
    assert timedelta(seconds=25) < ahead <= timedelta(seconds=30)
    assert not garbage.isdecimal()
    assert (await sandbox.http.get("/revox/auth-status")).status_code == 200


async def test_revrings_other_generation_dials_again_and_keeps_no_metadata(serve: Any) -> None:
    sandbox = await serve()
    body = {"agentId": "a", "toNumber": ANA, "fromNumber": "+12025550190", "metadata": {"attempt_id": "att-1"}}
    await befalls(sandbox, {"kind": "wrong_generation", "times": 1})

    first = (await sandbox.post("/revring/calls", body, 201, **{"Idempotency-Key": "k"}))["data"]
    second = (await sandbox.post("/revring/calls", body, 201, **{"Idempotency-Key": "k"}))["data"]

    assert (first["metadata"], second["metadata"]) == (None, {"attempt_id": "att-1"})
    assert [dial["reference"] for dial in await sandbox.dials()] == ["att-1", "att-1"]


async def test_a_fault_of_generations_spares_providers_that_have_one(serve: Any, dialling: Any) -> None:
    sandbox = await serve()
    await befalls(sandbox, {"kind": "wrong_generation"})

    assert (await sandbox.http.post(dialling["revmo"].path, json=dialling["revmo"].body)).is_success
    assert (await sandbox.get("/_sandbox/faults"))[0]["struck"] == 0


async def test_a_plan_of_the_start_strikes_and_comes_back_after_a_reset(serve: Any) -> None:
    sandbox = await serve(faults=(Fault(kind="status", status=503),))

    first = (await sandbox.http.get("/revox/auth-status")).status_code
    second = (await sandbox.http.get("/revox/auth-status")).status_code
    await sandbox.post("/_sandbox/reset", None)
    third = (await sandbox.http.get("/revox/auth-status")).status_code

    assert (first, second, third) == (503, 200, 503)


async def test_the_same_seed_deals_out_the_same_faults() -> None:
    def struck(seed: int) -> list[bool]:
        faults = Faults(0)
        faults.plan((Fault(kind="status", share=0.3, times=None),), seed=seed)
        return [faults.meet("revox", "/call") is not None for _ in range(200)]

    assert struck(7) == struck(7) != struck(8)
    assert 35 <= sum(struck(7)) <= 85


async def test_a_request_that_hangs_ends_with_the_sandbox(serve: Any) -> None:
    faults = Faults(0)
    hanging = asyncio.create_task(faults.hang())
    await asyncio.sleep(0.01)
    assert not hanging.done()

    faults.release()

    await asyncio.wait_for(hanging, 1)


def test_a_plan_is_read_from_yaml(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(
        "seed: 11\nfaults:\n  - kind: drop_after\n    provider: revox\n    path: /call$\n    share: 0.05\n"
        "  - {kind: status, status: 429, retry_after: date, seconds: 2.5, times: 3}\n"
    )

    plan = read_plan_file(file)

    assert plan.seed == 11
    first, second = plan.faults
    assert (first.kind, first.provider, first.share, first.times) == ("drop_after", "revox", 0.05, None)
    assert first.path is not None
    assert first.path.pattern == "/call$"
    assert (second.status, second.retry_after, second.seconds, second.times) == (429, "date", 2.5, 3)
    file.write_text("- kind: drop_before\n")
    assert read_plan_file(file) == FaultPlan(faults=(Fault(kind="drop_before"),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: drop_after\n", "a plan of faults is a list"),
        ("- [\n", "is no YAML"),
        ("faults: []\ncolour: red\n", "a plan of faults has no `colour`"),
        ("seed: soon\nfaults: []\n", "`soon` is no seed"),
        ("- kind: explode\n", "there is no fault `explode`"),
    ],
)
def test_a_file_that_is_no_plan_is_said(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text(text)

    with pytest.raises(UsageWrong) as wrong:
        read_plan_file(file)

    assert message in wrong.value.message
    assert wrong.value.help


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageWrong, match="cannot read"):
        read_plan_file(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "refuse", "provider": "revox"}, "a connection is refused before it says to whom it goes"),
        ({"kind": "wrong_generation", "provider": "revmo"}, "`revmo` has one generation alone"),
        ({"kind": "redirect", "status": 200}, "`200` redirects nobody"),
        ({"kind": "slow", "seconds": -1}, "`-1` are no seconds of a fault"),
        ({"kind": "slow", "seconds": True}, "`True` are no seconds of a fault"),
        ({"kind": "status", "retry_after": "never"}, "there is no retry_after `never`"),
    ],
)
def test_a_fault_that_cannot_be_is_said(fault: Any, message: str) -> None:
    with pytest.raises(UsageWrong) as wrong:
        read_plan([fault])

    assert wrong.value.message == message


@pytest.mark.parametrize(("kind", "status"), [("status", 500), ("html", 200), ("redirect", 307)])
def test_a_fault_without_a_status_has_the_one_of_its_kind(kind: Any, status: int) -> None:
    (planned,) = read_plan([{"kind": kind}]).faults

    assert planned == Fault(kind=kind)
    assert planned.answered == status
    assert Fault(kind=kind, status=308).answered == 308


def test_options_of_a_command_line_are_read() -> None:
    settings = with_switches(
        Settings(),
        ["revmo.slash=301", "revring.concurrency=2", "revring.idempotency=false", "movoice.signature_prefix=sha256="],
    )
    settings = with_switches(settings, ["revring.agents=a,b", "revox.page_base=1", "revox.post_processing_seconds=1.5"])

    assert settings.revmo.slash == "301"
    assert (settings.revring.concurrency, settings.revring.idempotency) == (2, False)
    assert settings.movoice.signature_prefix == "sha256="
    settings = with_switches(settings, ["revox.webhook_waits=1, 2.5", "revmo.webhook_waits="])
    assert (settings.revox.webhook_waits, settings.revmo.webhook_waits) == ((1.0, 2.5), ())
    assert settings.revring.agents == ("a", "b")
    assert (settings.revox.page_base, settings.revox.post_processing_seconds) == (1, 1.5)
    assert read_shares(["drop_after=0.05"]) == (Fault(kind="drop_after", share=0.05, times=None),)
    assert read_mischief(["lost=0.1", "late_seconds=5"]) == Mischief(lost=0.1, late_seconds=5)


@pytest.mark.parametrize(
    ("read", "word", "message"),
    [
        ("switch", "revmo.slash", "`revmo.slash` sets nothing"),
        ("switch", "twilly.slash=301", "there is no provider `twilly`"),
        ("switch", "revmo.colour=red", "there is no switch `colour`"),
        ("switch", "revmo.slash=302", "`302` is no slash"),
        ("switch", "revox.webhook_waits=1,soon", "`soon` is no number for webhook_waits"),
        ("switch", "revring.concurrency=many", "`many` is no number for concurrency"),
        ("switch", "revring.concurrency=-1", "`-1` is no number for concurrency"),
        ("switch", "revring.idempotency=perhaps", "`perhaps` is no idempotency"),
        ("share", "explode=0.1", "there is no fault `explode`"),
        ("share", "drop_after=2", "`2.0` is no share"),
        ("share", "drop_after=some", "`some` is no number for drop_after"),
        ("mischief", "eaten=0.1", "webhooks have no option `eaten`"),
        ("mischief", "lost=2", "`2.0` is no share of lost webhooks"),
    ],
)
def test_an_option_that_means_nothing_is_said(read: str, word: str, message: str) -> None:
    readers: dict[str, Callable[[list[str]], object]] = {
        "switch": lambda words: with_switches(Settings(), words),
        "share": read_shares,
        "mischief": read_mischief,
    }

    with pytest.raises(UsageWrong) as wrong:
        readers[read]([word])

    assert wrong.value.message == message
    assert wrong.value.help
