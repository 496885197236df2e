"""Where outcomes come from: by asking alone, at the promised times, and by webhook from the first moment on."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.cli.following import how_outcomes_come
from runner.ledger.store import Store
from runner.model.project import POLL_LADDER, Account, Project
from runner.sandbox.server import running
from runner.sandbox.settings import Settings
from runner.schedule.clock import FastClock
from runner.wiring.accounts import (
    SANDBOX_SECRET,
    project_accounts,
    sandbox_accounts,
    sandbox_credential,
    with_providers,
)
from runner.wiring.running import Surroundings, engine
from tests.building import NOON, account, apply, campaign, contact, phone
from tests.e2e.processes import dials, outreach, sandbox_process, status_of

PEOPLE = tuple(contact(number) for number in range(2))
AGENTS: dict[str, dict[str, Any]] = {
    "movoice": {"provider": "movoice", "id": "agent_12345"},
    "revox": {"provider": "revox", "id": "182bd5e5-6e1a-4fe4-a799-aa6d9a6ab26e"},
    "revring": {"provider": "revring", "id": "3c90c3cc-0d44-4b50-8888-8dd25736052a", "from": "+12025550190"},
}


def sentences(*accounts: Account) -> list[str]:
    return list(how_outcomes_come([one.name for one in accounts], with_providers({one.name: one for one in accounts})))


def test_who_can_be_asked_will_be() -> None:
    said = sentences(account("movoice"), account("revox"), account("revring", name="east"))
    assert said == ["no webhooks are received here: east, movoice and revox will be asked how calls and texts ended"]


def test_who_tells_by_webhook_alone_is_named() -> None:
    told, help_line = sentences(account("revmo", webhook_secret="env:X"))
    assert "account revmo tells how calls end by webhook alone" in told
    assert "unknown after 24 h" in told
    assert help_line == "  = help: outreach serve receives them, and then run this beside it"


def test_who_never_tells_is_no_news() -> None:
    assert sentences(account("revmo")) == []
    assert list(how_outcomes_come(["gone"], with_providers({}))) == []


def test_run_alone_says_that_it_asks_and_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOLLOWING_KEY", "k")
    with sandbox_process(tmp_path) as url:
        (tmp_path / "outreach.yaml").write_text(
            f'accounts:\n  movoice: {{provider: movoice, base_url: "{url}/movoice/v1", allow_loopback: true, credential: env:FOLLOWING_KEY,'
            " poll: [0.3s, 1s, 2s, 4s, 8s, 16s]}\n",
            "utf-8",
        )
        (tmp_path / "visits.yaml").write_text(
            "campaign: visits\npurpose: transactional\nagent: movoice/agent_12345\nwindows: daily 00:00-24:00\n"
            f'timezone: America/New_York\ncontacts: [{{phone: "{phone(0)}"}}]\n',
            "utf-8",
        )
        done = outreach("run", "--yes", "visits.yaml", cwd=tmp_path)
        assert "no webhooks are received here: movoice will be asked" in done.stderr, done.stderr
        assert len(dials(url)) == 1
        (one,) = status_of(tmp_path)
        assert sum(one["row_stats"][state] for state in ("completed", "failed")) == 1


@pytest.mark.parametrize("provider", sorted(AGENTS))
async def test_a_call_that_nobody_tells_about_is_asked_for_at_the_promised_times_and_then_unknown(
    tmp_path: Path, provider: str
) -> None:
    """The whole engine over a sandbox with real sockets, on a clock that runs a day in seconds."""
    ledger = tmp_path / "ledger.db"
    store = Store.open(ledger)
    rules = campaign(agent=None, agents={"a": AGENTS[provider]})
    apply(store, rules, PEOPLE, account(provider))
    store.close()
    clock = FastClock(NOON, 600.0)
    two_days = (172_800.0, 172_800.0)
    async with running(Settings(ring_seconds=two_days, webhook_share=0.0), clock) as sandbox:
        pointed = {
            name: replace(one, poll=POLL_LADDER)
            for name, one in sandbox_accounts(project_accounts(Project()), sandbox.url).items()
        }
        surroundings = Surroundings(
            clock=clock, accounts=pointed, credential=sandbox_credential, sandbox=sandbox, sandbox_url=sandbox.url
        )
        async with engine(ledger, surroundings) as parts:
            await parts.run(until_done=True)
            rows = [dict(row) for row in parts.store._connection.execute("SELECT * FROM attempts ORDER BY id")]
        async with httpx.AsyncClient(trust_env=False) as http:
            log = (await http.get(f"{sandbox.url}/_sandbox/requests")).json()
            placed = (await http.get(f"{sandbox.url}/_sandbox/dials")).json()
    assert len(placed) == len(rows) == 2
    assert [(row["state"], row["outcome"]) for row in rows] == [("finished", "unknown")] * 2
    for row in rows:
        sent = datetime.fromtimestamp(row["sent_at"] / 1e6, UTC)
        asked = [
            datetime.fromisoformat(one["at"]) - sent
            for one in log
            if (one["method"] == "GET" and row["provider_id"] in one["path"])
            or (one["path"].endswith("/batch-get") and row["provider_id"] in one["body"]["ids"])
        ]
        late = [at - due for at, due in zip(asked, POLL_LADDER, strict=True)]
        assert all(timedelta(0) <= one < timedelta(minutes=2) * 5 for one in late), late


async def test_a_webhook_right_after_the_start_finds_the_rules_of_its_campaign(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    store = Store.open(ledger)
    apply(store, campaign(), PEOPLE[:1])
    store._connection.execute("UPDATE attempts SET state = 'accepted', provider_id = 'call-1', sent_at = due_at")
    store.close()
    accounts = {"movoice": account("movoice", webhook_secret="sandbox:webhook")}
    surroundings = Surroundings(clock=FastClock(NOON, 1.0), accounts=accounts, credential=sandbox_credential)
    said = json.dumps({"event_type": "call.completed", "call_id": "call-1"}).encode()
    async with (
        engine(ledger, surroundings, listen=("127.0.0.1", 0)) as parts,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        url = f"{parts.receiver_url}/webhooks/movoice/{SANDBOX_SECRET}"
        assert (await http.post(url, content=said)).json() == {"result": "settled"}
