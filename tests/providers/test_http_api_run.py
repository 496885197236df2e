"""A provider without code, as people use it: validate, plan, run to the end through the command, on real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.model.attempt import attempt_key
from runner.wiring.running import engine, real_surroundings
from runner.wiring.workspace import open_workspace
from tests.cli.running import Shell
from tests.providers import acme as other
from tests.providers.acme import Acme, Fault

CAMPAIGN = """\
campaign: visits
purpose: transactional
agent: {provider: acme, id: assistant-7, from: "+12025550190", options: {priority: 3}}
contacts: people.csv
windows: daily 00:00-24:00
timezone: UTC
retry: 2 times, 1s apart, on no_answer
steps:
  - call: agent
  - text: agent
    when: busy
    message: "Hello {{ contact.name }}."
variables: {name: "{{ contact.name }}"}
"""
PEOPLE = {"+12025550101": "Ana", "+12025550102": "Bo", "+12025550103": "Cy", "+12025550104": "Di"}
ACCOUNTS = """\
accounts:
  acme:
    provider: acme
    allow_loopback: true
    webhook_secret: env:ACME_WEBHOOK_SECRET
    poll: 0.05s, 0.05s, 0.1s, 0.1s, 0.2s, 1s, 2s, 5s
    settle_after: 0.2s
"""
AT = "2026-12-01T09:00:00Z"


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.setenv("ACME_API_KEY", other.KEY)
    monkeypatch.setenv("ACME_WEBHOOK_SECRET", other.SECRET)
    return Shell(monkeypatch, capsys)


def write_project(folder: Path, url: str) -> None:
    (folder / "campaigns").mkdir()
    (folder / "outreach.yaml").write_text(other.DECLARATION.format(url=url) + ACCOUNTS, "utf-8")
    (folder / "campaigns/visits.yaml").write_text(CAMPAIGN, "utf-8")
    rows = "".join(f"{phone},{name}\n" for phone, name in PEOPLE.items())
    (folder / "campaigns/people.csv").write_text(f"phone,name\n{rows}", "utf-8")


def test_it_validates_and_plans_its_request_exactly(shell: Shell, tmp_path: Path) -> None:
    write_project(tmp_path, "https://api.acme.test/v2")

    assert shell("validate", cwd=tmp_path).code == 0
    done = shell("plan", "--at", AT, "--format", "json", cwd=tmp_path)
    call, text, *_ = done.lines()
    key = attempt_key("visits", "+12025550101", "call", 1)
    assert (call["method"], call["url"], call["status"]) == ("PUT", "https://api.acme.test/v2/dials", "create")
    assert call["headers"] == {
        "Content-Type": "application/json",
        "X-Acme-Key": "env:ACME_API_KEY",
        "X-Tenant": "7",
        "X-Request-Id": key,
    }
    # As text, so that the order of keys and types count.
    assert json.dumps(call["body"]) == json.dumps(
        {
            "to": "12025550101",
            "caller": {"number": "+12025550190"},
            "assistant": "assistant-7",
            "vars": {"name": "Ana"},
            "prio": 3,
            "meta": {"ref": key, "kind": "dial"},
        }
    )
    assert (text["url"], text["body"]["words"]) == ("https://api.acme.test/v2/notes", "Hello Ana.")
    assert other.KEY not in done.out


def test_it_runs_to_the_end(shell: Shell, tmp_path: Path) -> None:
    with other.running(Acme()) as acme:
        write_project(tmp_path, acme.url)
        acme.ends |= {"12025550102": "rang_out", "12025550103": "engaged"}
        # The first request is placed and its answer torn; the second never arrives; the third is for later.
        acme.faults = [Fault(torn=True, effect=True), Fault(torn=True), Fault(status=423, headers={"Retry-After": "1"})]
        done = shell("run", "campaigns", "--yes", "--format", "json", cwd=tmp_path)
        status = shell("status", "--contacts", "--format", "json", cwd=tmp_path)

    (campaign,) = json.loads(status.out)["campaigns"]
    found = {
        person["phone"]: [(one["step"], one["outcome"]) for one in person["attempts"]]
        for person in campaign["contacts"]
    }
    assert done.code in {0, 5}, done.err
    assert campaign["status"] == "completed"
    assert found == {
        "+12025550101": [("call", "answered")],
        "+12025550102": [("call", "no_answer"), ("call", "no_answer")],
        "+12025550103": [("call", "busy"), ("text", "delivered")],
        "+12025550104": [("call", "answered")],
    }
    placed = Counter(one.body["meta"]["ref"] for one in acme.placed)
    assert max(placed.values()) == 1
    assert len(placed) == 6
    ids = [one["provider_id"] for person in campaign["contacts"] for one in person["attempts"]]
    assert sorted(ids) == sorted(one.id for one in acme.placed)
    assert all(one.headers["x-request-id"] == one.body["meta"]["ref"] for one in acme.placed)


def test_a_wrong_key_pauses_it_and_dials_nobody(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACME_API_KEY", "acme-key-wrong")
    with other.running(Acme()) as acme:
        write_project(tmp_path, acme.url)
        done = shell("run", "campaigns", "--yes", "--format", "json", cwd=tmp_path)
        (campaign,) = json.loads(shell("status", "--format", "json", cwd=tmp_path).out)["campaigns"]

    assert done.code == 5
    assert campaign["status"] == "paused"
    assert "this key opens nothing" in campaign["reason"]
    assert acme.placed == []
    assert campaign["row_stats"]["pending"] == len(PEOPLE)


def test_a_missing_key_is_said_before_anything_happens(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ACME_API_KEY")
    write_project(tmp_path, "https://api.acme.test/v2")
    done = shell("run", "campaigns", "--yes", cwd=tmp_path)

    assert done.code == 1
    assert "`env:ACME_API_KEY` is not set" in done.err


def test_the_sandbox_says_that_it_does_not_play_it(shell: Shell, tmp_path: Path) -> None:
    write_project(tmp_path, "https://api.acme.test/v2")
    done = shell("run", "campaigns", "--sandbox", "--yes", cwd=tmp_path)

    assert done.code == 1
    assert "the sandbox does not play `acme`" in done.err


def test_the_schema_of_a_project_knows_it(shell: Shell, tmp_path: Path) -> None:
    write_project(tmp_path, "https://api.acme.test/v2")
    known = json.loads(shell("schema", cwd=tmp_path).out)["$defs"]

    assert list(known["AcmeCallOptions"]["properties"]) == ["priority"]
    assert "acme" in known["AgentMap"]["properties"]["provider"]["enum"]


def test_its_signed_webhooks_settle_and_forged_ones_do_not(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outcomes come by webhook alone: polls are an hour away."""
    with other.running(Acme()) as acme:
        write_project(tmp_path, acme.url)
        patient = (tmp_path / "outreach.yaml").read_text("utf-8").replace("0.05s, 0.05s,", "1h,")
        (tmp_path / "outreach.yaml").write_text(patient, "utf-8")
        assert shell("apply", "campaigns", "--yes", cwd=tmp_path).code == 0
        monkeypatch.chdir(tmp_path)
        answers = asyncio.run(_serve(tmp_path, acme))
        (campaign,) = json.loads(shell("status", "--contacts", "--format", "json", cwd=tmp_path).out)["campaigns"]

    assert answers == [401, 401, 200, 200]
    ended = [one["outcome"] for person in campaign["contacts"] for one in person["attempts"]]
    assert Counter(ended) == {"answered": 1, None: 3}


async def _serve(folder: Path, acme: Acme) -> list[int]:
    """Run the engine until all four are placed, then send webhooks for the first: forged, stale, right, again."""
    workspace = open_workspace(folder, {"ACME_API_KEY": other.KEY, "ACME_WEBHOOK_SECRET": other.SECRET})
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    async with (
        real_surroundings(workspace.accounts, workspace.credential) as surroundings,
        engine(workspace.ledger_path, surroundings, listen=("127.0.0.1", port)) as running,
        httpx.AsyncClient(trust_env=False, timeout=10) as client,
    ):
        task = asyncio.create_task(running.dispatcher.run(until_done=False))
        for _ in range(500):
            if len(acme.placed) == len(PEOPLE):
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.2)  # the answers are written down
        first = acme.placed[0]
        url = f"{running.receiver_url}/webhooks/acme"

        async def send(headers: dict[str, str], body: bytes) -> int:
            return (await client.post(url, content=body, headers=headers)).status_code

        right = acme.signed_webhook(first)
        stale: dict[str, Any] = {**right[0], "X-Acme-Timestamp": "1767625200"}
        answers = [
            await send(*acme.signed_webhook(first, secret="forged")),
            await send(stale, right[1]),
            await send(*right),
            await send(*right),
        ]
        running.dispatcher.stop()
        await task
    return answers
