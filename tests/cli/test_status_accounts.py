"""What `outreach status` says of accounts that are not used freely, for people and machines."""

from __future__ import annotations

import json
import re
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runner.cli.main import run
from runner.ledger.store import Store
from runner.rules.breaker import Breaker, BreakerState, Slowdown
from runner.rules.health import AccountHealth
from tests.building import account, apply, campaign, contact

NOW = datetime(2099, 1, 5, 17, 0, tzinfo=UTC)
PAGE = Path(__file__).parents[2] / "docs" / "machine-formats.md"


@pytest.fixture(autouse=True)
def ill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a ledger in which one account is ill, one was told to wait, and one is well again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outreach.yaml").write_text("ledger: sqlite:///ledger.db\n", encoding="utf-8")
    store = Store.open(tmp_path / "ledger.db")
    apply(store, campaign(), [contact(0)], account())
    opened = Breaker(state=BreakerState.OPEN, reason="5 sends in a row failed", since=NOW, retry_at=NOW)
    store.lanes.put_health("main", AccountHealth(breaker=opened))
    store.lanes.put_health("slow", AccountHealth(slowdown=Slowdown(NOW + timedelta(minutes=1), 1)))
    store.lanes.put_health("well", AccountHealth())
    store.close()


def test_people_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "account main is not used: 5 sends in a row failed, tried again at 17:00:00 UTC" in said
    assert "account slow waits: the provider asked to wait, tried again at 17:01:00 UTC" in said
    assert "well" not in said


def test_machines_are_told_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--format", "json"]) == 0
    accounts = json.loads(capsys.readouterr().out)["accounts"]
    assert accounts == [
        {
            "account": "main", "state": "open", "reason": "5 sends in a row failed", "since": "2099-01-05T17:00:00Z",
            "until": "2099-01-05T17:00:00Z",
        },
        {
            "account": "slow", "state": "slowed", "reason": "the provider asked to wait", "since": None,
            "until": "2099-01-05T17:01:00Z",
        },
    ]  # fmt: skip
    documented = set(re.findall(r"`accounts\[\]\.(\w+)`", PAGE.read_text("utf-8")))
    assert documented == set(accounts[0])


def test_resuming_has_the_ill_accounts_of_a_campaign_looked_at_now(capsys: pytest.CaptureFixture[str]) -> None:
    opened = Breaker(state=BreakerState.OPEN, reason="5 sends in a row failed", since=NOW, retry_at=NOW)
    with closing(Store.open(Path("ledger.db"))) as store:
        store.lanes.put_health("movoice", AccountHealth(breaker=opened))
    assert run(["resume", "renewals"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "renewals is not paused",
        "account movoice waits no longer: the next run or serve asks its provider, then lets one call through",
    ]
    with closing(Store.open(Path("ledger.db"))) as store:
        health = store.lanes.health()
    read_at = health["movoice"].breaker.retry_at
    assert read_at is not None
    assert read_at < NOW
    assert health["main"].breaker.retry_at == NOW, "which is none of the campaign's"
    assert health["slow"].slowdown is not None, "who is asked to wait waits"


def test_resuming_everything_ends_the_waits_too_and_says_where_each_account_stands(
    capsys: pytest.CaptureFixture[str],
) -> None:
    states = {
        BreakerState.OPEN: "waits no longer: the next run or serve asks its provider, then lets one call through",
        BreakerState.PROBING: "is just being asked whether it answers; one call goes first then",
        BreakerState.HALF_OPEN: "answers again, and lets one call through first",
        BreakerState.TRYING: "is just being tried by one call",
    }
    for state, said in states.items():
        ill = Breaker(state=state, reason="5 sends in a row failed", since=NOW, retry_at=NOW, trial=1)
        with closing(Store.open(Path("ledger.db"))) as store:
            store.lanes.put_health("movoice", AccountHealth(breaker=ill))
        assert run(["pause", "--all"]) == 0
        assert run(["resume", "--all"]) == 0
        assert capsys.readouterr().out.splitlines()[-1] == f"account movoice {said}"
        with closing(Store.open(Path("ledger.db"))) as store:
            retry_at = store.lanes.health()["movoice"].breaker.retry_at
        assert retry_at is not None
        assert (retry_at < NOW) is (state is BreakerState.OPEN)
    assert set(states) == set(BreakerState) - {BreakerState.CLOSED}
