"""Telemetry of a whole run in the sandbox: counted as the sandbox counts, traced to a collector over loopback."""

from __future__ import annotations

import asyncio
import hashlib
import re
import threading
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from runner.errors import OutreachError, UsageWrong
from runner.ledger.forbidden import pseudonyms_of
from runner.ledger.store import Store
from runner.ports.telemetry import SILENT
from runner.wiring import applying
from runner.wiring.running import DialCheck, Engine, engine, own_sandbox
from runner.wiring.telemetry import Post, applying_traced, observed, observers, traces_are_wanted
from runner.wiring.workspace import open_workspace
from tests.e2e.processes import fictional_number, write_project

START = datetime(2026, 4, 6, 13, tzinfo=UTC)
PEOPLE = 15
CAMPAIGN = """\
campaign: april
purpose: informational
agent: movoice/agent_1
contacts: contacts/people.csv
timezone: America/New_York
windows: daily 08:00-20:00
retry: 3 times, every 30m
variables:
  first_name: "{{ contact.name }}"
"""


class Collector:
    """A collector of OTLP over HTTP, which keeps what it was sent."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.bodies: list[bytes] = []
        self.services: set[str] = set()
        kept = self

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.take(body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self._thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self._thread.start()

    def take(self, body: bytes) -> None:
        self.bodies.append(body)
        sent = ExportTraceServiceRequest.FromString(body)
        for resource in sent.resource_spans:
            self.services.update(
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            )
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(5)


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    made = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", made.url)
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    yield made
    made.close()


@dataclass
class Ran:
    """What a run left behind."""

    dials: DialCheck
    metrics: str = ""
    ready: list[int] = field(default_factory=list)


def applied(folder: Path) -> None:
    write_project(folder, [("april.yaml", CAMPAIGN)], people=PEOPLE)
    workspace = open_workspace(folder, {})
    store = Store.open(workspace.ledger_path)
    examined = [applying.examine(workspace.plan(one, START)) for one in workspace.load([])]
    for one in examined:
        applying.apply(workspace, one, store)
    store.close()


@asynccontextmanager
async def watched(folder: Path, *, measures: bool, traces: bool) -> AsyncIterator[tuple[Engine, str]]:
    workspace = open_workspace(folder, {})
    environment = {"OTEL_TRACES_EXPORTER": "otlp"} if traces else {}
    async with own_sandbox(workspace.accounts, seed=3, start=START) as surroundings:
        by = observers(surroundings.accounts, surroundings.clock, environment, measures=measures)
        heard = replace(surroundings, telemetry=by.telemetry)
        post = Post(host="127.0.0.1", port=0) if measures else None
        async with (
            engine(workspace.ledger_path, heard) as running,
            observed(running, workspace.ledger_path, by, post) as url,
        ):
            yield running, url


async def ran(folder: Path, *, measures: bool = True, traces: bool = False) -> Ran:
    applied(folder)
    async with watched(folder, measures=measures, traces=traces) as (running, url), httpx.AsyncClient() as client:
        async with asyncio.timeout(60):
            await running.run(until_done=True)
        found = Ran(dials=await running.check_dials())
        if url:
            found.metrics = (await client.get(f"{url}/metrics")).text
    return found


def summed(text: str, name: str) -> float:
    return sum(float(value) for value in re.findall(rf"^{name}(?:{{.*}})? (\S+)$", text, re.MULTILINE))


async def test_metrics_agree_with_what_the_sandbox_placed(tmp_path: Path) -> None:
    run = await ran(tmp_path)

    assert run.dials.twice == 0
    assert summed(run.metrics, "outreach_sent_total") == run.dials.dials
    assert summed(run.metrics, "outreach_outcomes_total") == run.dials.dials
    assert summed(run.metrics, "outreach_lateness_seconds_count") == run.dials.dials
    sends = summed("\n".join(re.findall('.*kind="send".*', run.metrics)), "outreach_requests_total")
    assert sends == run.dials.dials
    assert summed(run.metrics, "outreach_attempts_due") == 0
    assert summed(run.metrics, "outreach_attempts_live") == 0
    assert summed(run.metrics, "outreach_webhooks_total") > 0
    assert summed(run.metrics, "outreach_ledger_commit_seconds_count") > 0
    assert summed(run.metrics, "outreach_ledger_readable") == 1


async def test_metrics_hold_no_number_no_name_and_no_key(tmp_path: Path) -> None:
    run = await ran(tmp_path)

    assert not re.search("[0-9a-f]{32}", run.metrics)
    assert "Person" not in run.metrics
    for index in range(PEOPLE):
        assert fictional_number(index)[-7:] not in run.metrics


async def test_a_runner_that_is_told_to_stop_is_not_ready_any_more(tmp_path: Path) -> None:
    applied(tmp_path)
    async with watched(tmp_path, measures=True, traces=False) as (running, url), httpx.AsyncClient() as client:
        before = await client.get(f"{url}/readyz")
        running.dispatcher.stop()
        await asyncio.sleep(1.1)
        after = await client.get(f"{url}/readyz")

    assert (before.status_code, before.json()["reasons"]) == (200, [])
    assert (after.status_code, after.json()["reasons"]) == (503, ["it is stopping"])


async def test_every_attempt_is_one_trace_from_intent_to_end(tmp_path: Path, collector: Collector) -> None:
    run = await ran(tmp_path, measures=False, traces=True)

    by_trace: dict[bytes, list[Span]] = defaultdict(list)
    for span in collector.spans:
        by_trace[span.trace_id].append(span)
    attempts = [span for span in collector.spans if span.name == "attempt"]
    assert len(attempts) == run.dials.dials
    assert len({span.trace_id for span in attempts}) == run.dials.dials
    for whole in attempts:
        parts = [span for span in by_trace[whole.trace_id] if span is not whole]
        names = Counter(span.name for span in parts)
        assert (names["intent"], names["settle"]) == (1, 1)
        assert names["request"] >= 1
        assert {span.parent_span_id for span in parts} == {whole.span_id}
        assert whole.parent_span_id == b""
        assert whole.end_time_unix_nano >= whole.start_time_unix_nano
    assert collector.services == {"outreach-runner"}
    assert {"webhook", "release"} <= {span.name for span in collector.spans}


async def test_a_retry_links_to_the_try_before(tmp_path: Path, collector: Collector) -> None:
    await ran(tmp_path, measures=False, traces=True)

    attempts = {span.span_id: span for span in collector.spans if span.name == "attempt"}
    linked = [(span, link) for span in attempts.values() for link in span.links]
    assert linked
    for span, link in linked:
        before = attempts[link.span_id]
        assert before.trace_id == link.trace_id
        assert number_of(before) == number_of(span) - 1


def number_of(span: Span) -> int:
    return int(next(one.value.int_value for one in span.attributes if one.key == "outreach.number"))


async def test_traces_hold_no_number_no_name_and_no_body(tmp_path: Path, collector: Collector) -> None:
    await ran(tmp_path, measures=True, traces=True)

    everything = b"".join(collector.bodies)
    assert collector.spans
    store = Store.open_read_only(open_workspace(tmp_path, {}).ledger_path)
    keys = [row[0] for row in store._connection.execute("SELECT key FROM attempts")]
    shown, by_trace = pseudonyms_of(store), {span.trace_id for span in collector.spans if span.name == "attempt"}
    store.close()
    assert keys
    for key in keys:
        assert key.encode() not in everything
        assert shown.log_id(key).encode() in everything
        assert hashlib.sha256(b"outreach-trace:" + key.encode()).digest()[:16] not in by_trace
        assert hashlib.sha256(b"outreach-trace:" + shown.log_id(key).encode()).digest()[:16] in by_trace
    assert b"Person" not in everything
    assert b"sandbox-key" not in everything
    for index in range(PEOPLE):
        assert fictional_number(index)[-7:].encode() not in everything
    requests = [span for span in collector.spans if span.name == "request"]
    names = {one.key for span in requests for one in span.attributes}
    assert {"http.request.method", "http.response.status_code", "outreach.account"} <= names
    assert not [name for name in names if "url" in name or "body" in name]


def test_an_apply_is_traced_where_the_environment_asks_for_it(collector: Collector) -> None:
    with applying_traced({"OTEL_TRACES_EXPORTER": "otlp"}) as telemetry, telemetry.span("apply", campaigns=2):
        pass

    assert [span.name for span in collector.spans] == ["apply"]


def test_a_collector_that_is_not_there_keeps_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
    with applying_traced({"OTEL_TRACES_EXPORTER": "otlp"}) as telemetry, telemetry.span("apply", campaigns=2):
        pass


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, False),
        ({"OTEL_TRACES_EXPORTER": "none"}, False),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_SDK_DISABLED": "true"}, False),
    ],
)
def test_traces_are_sent_when_the_environment_says_so(environment: dict[str, str], *, wanted: bool) -> None:
    assert traces_are_wanted(environment) is wanted


def test_another_protocol_is_refused() -> None:
    with pytest.raises(UsageWrong, match="`grpc`"):
        traces_are_wanted({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"})


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "runner.wiring.traces", None)

    with (
        pytest.raises(OutreachError, match="not installed") as caught,
        applying_traced({"OTEL_TRACES_EXPORTER": "otlp"}),
    ):
        pass
    assert "outreach-runner[tracing]" in caught.value.help


async def test_with_neither_nothing_is_heard_and_nothing_is_loaded(tmp_path: Path) -> None:
    applied(tmp_path)
    async with watched(tmp_path, measures=False, traces=False) as (running, url):
        assert url == ""
        assert running.dispatcher._delivery.telemetry is SILENT


async def test_a_post_that_is_taken_ends_the_start_only_when_it_was_asked_for(tmp_path: Path) -> None:
    applied(tmp_path)
    workspace = open_workspace(tmp_path, {})
    taken = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    port = int(taken.server_address[1])
    async with own_sandbox(workspace.accounts, seed=3, start=START) as surroundings:
        by = observers(surroundings.accounts, surroundings.clock, {}, measures=True)
        async with engine(workspace.ledger_path, surroundings) as running:
            async with observed(running, workspace.ledger_path, by, Post(host="127.0.0.1", port=port)) as url:
                assert url == ""
            asked = Post(host="127.0.0.1", port=port, is_asked_for=True)
            with pytest.raises(UsageWrong, match="cannot listen"):
                async with observed(running, workspace.ledger_path, by, asked):
                    pass
    taken.server_close()
