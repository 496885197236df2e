"""Metrics and health: counted right, bounded in their labels, answered to those who may ask."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from runner.errors import InDoubt, NotSent, OutreachError, Rejected, TooLate, WebhookRefused
from runner.model.attempt import Attempt, AttemptState
from runner.model.counts import Happening, LaneCounts, LedgerCounts
from runner.ports.telemetry import named
from runner.web.gauges import Standing, limit_word
from runner.web.health import Readiness, watch_post
from runner.web.metrics import Metrics
from runner.web.serving import served

NOON = datetime(2026, 4, 6, 12, tzinfo=UTC)
DOCS = Path(__file__).resolve().parents[2] / "docs" / "observability.md"
NOTHING = Standing(counts=LedgerCounts(), now=NOON)
TOKEN = "a-token-for-tests-alone"


def values(metrics: Metrics, standing: Standing = NOTHING) -> dict[str, float]:
    """Give every sample as Prometheus would read it, by name and labels."""
    text = metrics.exposed(lambda: standing).decode()
    return {
        one.name
        + (
            "{" + ",".join(f"{key}={value}" for key, value in sorted(one.labels.items())) + "}" if one.labels else ""
        ): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


@pytest.fixture
def metrics() -> Metrics:
    return Metrics({"main": "revring", "texts": "movoice"})


def happening(kind: str, was: str = "accepted", **changes: Any) -> Happening:
    return replace(
        Happening(
            id=1, at=NOON, kind=kind, was=was, attempt="ab" * 16, contact="c", campaign="april", step="call", number=1,
            account="main", channel="call", outcome="", sent_at=None,
        ),
        **changes,
    )  # fmt: skip


def request(metrics: Metrics, *, status: int = 0, error: Exception | None = None) -> None:
    try:
        with metrics.span("request", account="main", provider="revring", method="POST", kind="send") as span:
            if error is not None:
                raise error
            span.note(status=status)
    except OutreachError:
        pass


@pytest.mark.parametrize(
    ("status", "error", "result"),
    [
        (201, None, "2xx"),
        (302, None, "3xx"),
        (422, None, "4xx"),
        (429, None, "429"),
        (503, None, "5xx"),
        (0, NotSent("x"), "not_sent"),
        (0, InDoubt("x"), "in_doubt"),
        (0, TooLate("x"), "too_late"),
        (0, Rejected("x", pause=True), "refused"),
        (0, OutreachError("x"), "failed"),
    ],
)
def test_requests_are_counted_by_how_they_ended(
    metrics: Metrics, status: int, error: Exception | None, result: str
) -> None:
    request(metrics, status=status, error=error)

    found = values(metrics)
    assert found[f"outreach_requests_total{{account=main,kind=send,provider=revring,result={result}}}"] == 1
    measured = found.get("outreach_request_seconds_count{account=main,kind=send,provider=revring}", 0)
    assert measured == (0 if isinstance(error, TooLate) else 1)


def receive(metrics: Metrics, account: str, result: str, error: Exception | None = None) -> None:
    try:
        with metrics.span("webhook", account=account) as span:
            if error is not None:
                raise error
            span.note(result=result)
    except OutreachError:
        pass


@pytest.mark.parametrize(
    ("account", "result", "error", "labels"),
    [
        ("main", "settled", None, "account=main,result=settled"),
        ("main", "settled, unknown call", None, "account=main,result=settled"),
        ("main", "waited for its call: opted out", None, "account=main,result=opted_out"),
        ("main", "another account's", None, "account=main,result=another_accounts"),
        ("main", "something +12025550143", None, "account=main,result=other"),
        ("main", "", WebhookRefused("no"), "account=main,result=refused"),
        ("main", "", OutreachError("no"), "account=main,result=failed"),
        ("../../+12025550143", "", WebhookRefused("no such account"), "account=unknown,result=refused"),
    ],
)
def test_webhooks_are_counted_by_words_of_ours_alone(
    metrics: Metrics, account: str, result: str, error: Exception | None, labels: str
) -> None:
    receive(metrics, account, result, error)

    found = {name: value for name, value in values(metrics).items() if name.startswith("outreach_webhooks_total")}
    assert found == {f"outreach_webhooks_total{{{labels}}}": 1}


def test_what_happened_is_counted_by_campaign_and_rounds_with_theirs(metrics: Metrics) -> None:
    metrics.happened(
        [
            happening("sending", "claimed"),
            happening("sending", "claimed", campaign="april@2026-04-06T09:00Z"),
            happening("accepted", "sending"),
            happening("finished", outcome="answered"),
            happening("conflict", ""),
            happening("finished", outcome="busy", account="gone"),
        ]
    )

    found = values(metrics)
    assert found["outreach_sent_total{account=main,campaign=april,provider=revring}"] == 2
    assert found["outreach_outcomes_total{campaign=april,outcome=answered,provider=revring}"] == 1
    assert found["outreach_outcomes_total{campaign=april,outcome=busy,provider=unknown}"] == 1
    assert found["outreach_moves_total{account=main,campaign=april,state=accepted}"] == 1
    assert not [name for name in found if "conflict" in name]


def test_calls_to_one_person_make_no_series_of_their_own(metrics: Metrics) -> None:
    ones = [f"call-{at:012x}" for at in range(50)] + ["text-0123456789ab", "call-centre"]
    metrics.happened([happening("sending", "claimed", campaign=one) for one in ones])
    lanes = tuple(LaneCounts(campaign=one, account="main", due=1) for one in ones)
    standing = replace(
        NOTHING,
        counts=LedgerCounts(lanes=lanes, campaigns=dict.fromkeys(ones, "active"), oldest_due=dict.fromkeys(ones, NOON)),
        full={(one, "main"): f"per_minute: {at}" for at, one in enumerate(ones)},
    )

    found = values(metrics, standing)
    assert found["outreach_sent_total{account=main,campaign=call,provider=revring}"] == 50
    assert found["outreach_attempts_due{account=main,campaign=call}"] == 50
    assert found["outreach_campaigns{campaign=call,state=active}"] == 50
    assert found["outreach_limit_full{account=main,campaign=call,limit=per_minute}"] == 1
    named = {name.partition("campaign=")[2].partition(",")[0].rstrip("}") for name in found if "campaign=" in name}
    assert named == {"call", "text", "call-centre"}


@pytest.mark.parametrize(("late", "bucket"), [(-5.0, "0.1"), (0.3, "0.5"), (45.0, "60.0")])
def test_lateness_is_from_due_to_intent(metrics: Metrics, late: float, bucket: str) -> None:
    attempt = Attempt(
        id=1, key="ab" * 16, campaign="april", contact_id=1, contact_key="c", phone="+12025550143", zones=(), step="call",
        number=1, channel="call", provider="revring", account="main", state=AttemptState.CLAIMED, due_at=NOON,
    )  # fmt: skip

    metrics.intended(attempt, NOON + timedelta(seconds=late), 0.01)

    found = values(metrics)
    counts = [
        (float(re.findall("le=([^}]+)", name)[0]), value)
        for name, value in found.items()
        if "lateness_seconds_bucket" in name
    ]
    assert min(limit for limit, value in counts if value == 1) == float(bucket)


def test_commits_log_lines_and_clock_steps(metrics: Metrics) -> None:
    metrics.committed(0.02, failed=False)
    metrics.committed(0.02, failed=True)
    line = logging.makeLogRecord({"levelname": "WARNING", **named("clock_set")})
    metrics.logged(line)
    metrics.logged(logging.makeLogRecord({"levelname": "ERROR", "msg": "+12025550143"}))

    found = values(metrics)
    assert found["outreach_ledger_commit_seconds_count"] == 2
    assert found["outreach_ledger_commit_errors_total"] == 1
    assert found["outreach_clock_steps_total"] == 1
    assert found["outreach_log_lines_total{event=clock_set,level=warning}"] == 1
    assert found["outreach_log_lines_total{event=other,level=error}"] == 1


FULL = Standing(
    counts=LedgerCounts(
        lanes=(
            LaneCounts(campaign="april", account="main", due=3, live=2, in_doubt=1, held=4),
            LaneCounts(campaign="april@2026-04-06T09:00Z", account="main", due=5),
        ),
        oldest_due={"april": NOON - timedelta(seconds=90)},
        campaigns={"april": "active", "may": "paused"},
        breakers={"texts": "open"},
        webhooks_waiting=2,
        notifications={"waiting": 7, "dead": 1},
        epoch=9,
    ),
    now=NOON,
    full={("april", "main"): "per_minute: 30"},
    turned_ago=1.5,
)


def test_gauges_say_how_the_ledger_stands(metrics: Metrics) -> None:
    found = values(metrics, FULL)

    lanes = {
        word: sum(value for name, value in found.items() if name.startswith(f"outreach_attempts_{word}{{"))
        for word in ("due", "live", "in_doubt", "held")
    }
    assert lanes == {"due": 8, "live": 2, "in_doubt": 1, "held": 4}
    assert found["outreach_oldest_due_seconds{campaign=april}"] == 90
    assert found["outreach_campaigns{campaign=may,state=paused}"] == 1
    assert found["outreach_breaker{account=texts,state=open}"] == 1
    assert found["outreach_breaker{account=main,state=closed}"] == 1
    assert found["outreach_breaker{account=texts,state=closed}"] == 0
    assert found["outreach_limit_full{account=main,campaign=april,limit=per_minute}"] == 1
    assert found["outreach_notifications{state=waiting}"] == 7
    assert found["outreach_lease_epoch"] == 9
    assert found["outreach_dispatcher_turn_age_seconds"] == 1.5


def test_a_ledger_that_cannot_be_read_costs_its_gauges_alone(metrics: Metrics) -> None:
    metrics.committed(0.02, failed=False)

    found = values(metrics, Standing(counts=None, now=NOON))

    assert found["outreach_ledger_readable"] == 0
    assert found["outreach_ledger_commit_seconds_count"] == 1
    assert not [name for name in found if name.startswith("outreach_attempts")]


@pytest.mark.parametrize(
    ("why", "word"),
    [
        ("concurrency: 3", "concurrency"), ("per_second: 0.5", "per_second"), ("per_day: 9", "per_day"),
        ("spacing: 3s", "spacing"), ("ramp, now at 3 in a minute", "ramp"), ("no line is free", "lines"),
        ("the provider asked to wait", "slowed"), ("the breaker is open: 5 failures", "breaker"), ("x: y", "other"),
    ],
)  # fmt: skip
def test_a_limit_has_one_short_word(why: str, word: str) -> None:
    assert limit_word(why) == word


def documented() -> set[str]:
    return set(re.findall(r"^\| `(outreach_\w+)`", DOCS.read_text("utf-8"), re.MULTILINE))


def test_the_documentation_names_every_metric_and_no_other(metrics: Metrics) -> None:
    text = metrics.exposed(lambda: FULL).decode()

    assert set(re.findall(r"^# HELP (\w+) ", text, re.MULTILINE)) == documented()


def test_alert_rules_name_metrics_that_there_are() -> None:
    rules = "\n".join(re.findall(r"```yaml\n(.*?)```", DOCS.read_text("utf-8"), re.DOTALL))

    used = {re.sub("_(bucket|count|sum)$", "", name) for name in re.findall(r"outreach_\w+", rules)}
    assert used
    assert used <= documented()


async def _ready() -> Sequence[str]:
    return []


async def _unready() -> Sequence[str]:
    return ["it is stopping"]


async def ask(path: str, headers: Mapping[str, str], *, token: str = "", reasons: Any = _ready) -> httpx.Response:
    app = watch_post(lambda: b"outreach_info 1\n", reasons, token=token, host="127.0.0.1")
    async with served(app, "127.0.0.1", 0) as url, httpx.AsyncClient(trust_env=False) as client:
        return await client.get(url + path, headers=dict(headers))


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}"}, 200),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "rebound.example"}, 421),
    ],
)
async def test_metrics_are_for_those_who_bring_the_token(headers: dict[str, str], status: int) -> None:
    answer = await ask("/metrics", headers, token=TOKEN)

    assert answer.status_code == status
    assert ("outreach_info" in answer.text) is (status == 200)
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("host", ["localhost:1", "127.0.0.1", "[::1]:9"])
async def test_a_loopback_name_is_answered(host: str) -> None:
    assert (await ask("/metrics", {"Host": host})).status_code == 200


async def test_health_needs_no_token() -> None:
    assert (await ask("/healthz", {}, token=TOKEN)).json() == {"ok": True}
    assert (await ask("/readyz", {}, token=TOKEN)).json() == {"ready": True, "reasons": []}


async def test_who_is_not_ready_says_why() -> None:
    answer = await ask("/readyz", {}, reasons=_unready)

    assert answer.status_code == 503
    assert answer.json() == {"ready": False, "reasons": ["it is stopping"]}


async def _writes() -> None:
    return None


async def _hangs() -> None:
    await asyncio.sleep(60)


async def _fails() -> None:
    raise OutreachError("disk /secret/place is full")


@pytest.mark.parametrize(
    ("turned_ago", "write", "is_stopping", "reasons"),
    [
        (1.0, _writes, False, []),
        (31.0, _writes, False, ["it has not looked at the ledger for 31 s"]),
        (1.0, _writes, True, ["it is stopping"]),
        (1.0, _fails, False, ["the ledger cannot be written (OutreachError)"]),
        (1.0, _hangs, False, ["the ledger cannot be written within 0.05 s"]),
    ],
)
async def test_a_runner_is_ready_when_it_turns_and_can_write(
    turned_ago: float, write: Any, is_stopping: bool, reasons: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runner.web.health.WRITE_SECONDS", 0.05)
    readiness = Readiness(lambda: turned_ago, write, lambda: is_stopping)

    assert list(await readiness.reasons()) == reasons


async def test_many_who_ask_at_once_cause_one_look() -> None:
    looks = []

    async def write() -> None:
        looks.append(time.monotonic())

    readiness = Readiness(lambda: 0.0, write, lambda: False)
    await asyncio.gather(*(readiness.reasons() for _ in range(50)))

    assert len(looks) == 1
