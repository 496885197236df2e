"""Metrics for Prometheus: what happens is counted as it happens, what stands is counted when somebody asks.

No label holds a person's number, an attempt's key or any other word that outsiders choose: labels are
names of campaigns and accounts, and words of this program.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily

from runner.errors import InDoubt, NotSent, SendError, TooLate, WebhookRefused
from runner.model.attempt import Attempt
from runner.model.counts import Happening
from runner.model.rounds import series_of
from runner.ports.telemetry import Fact, SpanName
from runner.web.gauges import Standing, gauges

_LATENESS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600)
_LATENCY = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 90)
_COMMITS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30)
_WEBHOOKS = frozenset(
    {
        "settled", "opted out", "seen before", "still live", "asking the provider", "already settled", "noted",
        "unknown call", "unverified", "another account's", "not under way", "conflict", "replied", "reply stored",
        "reply from a stranger", "unproven text", "not from a person's number", "nothing to settle",
    }
)  # fmt: skip
_TOO_MANY = 429
_CLOCK_SET = "clock_set"
_INTENT = "sending"
_OUTCOME = "finished"


@dataclass(slots=True)
class _Open:
    """A piece of work under way."""

    facts: dict[str, Fact]

    def note(self, **facts: Fact) -> None:
        self.facts.update(facts)


class Metrics:
    """Hears the engine, and gives what it heard in the text format of Prometheus. May be used by any thread.

    `providers` gives the provider of each account. Counters begin at 0 with each start.
    """

    def __init__(self, providers: Mapping[str, str]) -> None:
        self._providers = dict(providers)
        self.turned_at = time.monotonic()
        """when the dispatcher last looked at everything"""
        self.commit_failed = False
        """whether the last transaction could not be committed"""
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        names = self.registry
        self._sent = Counter(
            "outreach_sent", "Requests to contact somebody that were let go: durable intents.",
            ["campaign", "account", "provider"], registry=names,
        )  # fmt: skip
        self._moves = Counter(
            "outreach_moves", "Attempts that came into a state.", ["campaign", "account", "state"], registry=names
        )
        self._outcomes = Counter(
            "outreach_outcomes", "Attempts that ended, by outcome.", ["campaign", "provider", "outcome"], registry=names
        )
        self._lateness = Histogram(
            "outreach_lateness_seconds", "From the instant at which an attempt was due to its durable intent.",
            ["campaign"], buckets=_LATENESS, registry=names,
        )  # fmt: skip
        self._requests = Counter(
            "outreach_requests", "Requests to providers, by how they ended.",
            ["account", "provider", "kind", "result"], registry=names,
        )  # fmt: skip
        self._latency = Histogram(
            "outreach_request_seconds", "How long providers took to answer.",
            ["account", "provider", "kind"], buckets=_LATENCY, registry=names,
        )  # fmt: skip
        self._webhooks = Counter(
            "outreach_webhooks", "Webhooks received, by what they led to.", ["account", "result"], registry=names
        )
        self._webhook_latency = Histogram(
            "outreach_webhook_seconds", "From a webhook's last byte to its durable effect.",
            ["account"], buckets=_LATENCY, registry=names,
        )  # fmt: skip
        self._commits = Histogram(
            "outreach_ledger_commit_seconds", "How long transactions of the ledger took.",
            buckets=_COMMITS, registry=names,
        )  # fmt: skip
        self._failed_commits = Counter(
            "outreach_ledger_commit_errors", "Transactions that could not be committed.", registry=names
        )
        self._clock_steps = Counter("outreach_clock_steps", "How often the machine's clock was set.", registry=names)
        self._lines = Counter(
            "outreach_log_lines", "Log lines of warnings and errors, by event.", ["level", "event"], registry=names
        )

    def exposed(self, standing: Callable[[], Standing]) -> bytes:
        """Give every metric as text, with gauges as they stand now. Blocks while the ledger is counted."""
        now = CollectorRegistry()
        now.register(_Gauges(standing()))
        return generate_latest(self.registry) + generate_latest(now)

    @contextmanager
    def span(self, name: SpanName, **facts: Fact) -> Iterator[_Open]:
        """Measure requests and webhooks; other work is not measured."""
        open_, began = _Open(facts), time.perf_counter()
        error: BaseException | None = None
        try:
            yield open_
        except BaseException as raised:
            error = raised
            raise
        finally:
            seconds = time.perf_counter() - began
            if name == "request":
                self._requested(open_.facts, error, seconds)
            elif name == "webhook":
                self._received(open_.facts, error, seconds)

    def intended(self, attempt: Attempt, now: datetime, took: float) -> None:  # noqa: ARG002 the port's
        """Measure how late an attempt is."""
        late = (now - attempt.due_at).total_seconds()
        self._lateness.labels(series_of(attempt.campaign)).observe(max(0.0, late))

    def committed(self, seconds: float, *, failed: bool) -> None:
        """Measure a transaction."""
        self.commit_failed = failed
        self._commits.observe(seconds)
        if failed:
            self._failed_commits.inc()

    def turned(self) -> None:
        """Note when the dispatcher last looked at everything."""
        self.turned_at = time.monotonic()

    def happened(self, happenings: Iterable[Happening]) -> None:
        """Count what the ledger says has happened."""
        for one in happenings:
            campaign, provider = series_of(one.campaign), self._provider(one.account)
            if one.was:
                self._moves.labels(campaign, one.account, one.kind).inc()
            if one.kind == _INTENT:
                self._sent.labels(campaign, one.account, provider).inc()
            elif one.kind == _OUTCOME:
                self._outcomes.labels(campaign, provider, one.outcome).inc()

    def logged(self, record: logging.LogRecord) -> None:
        """Count a log line by the name of its event."""
        event = getattr(record, "event", "other")
        self._lines.labels(record.levelname.lower(), event).inc()
        if event == _CLOCK_SET:
            self._clock_steps.inc()

    def _requested(self, facts: Mapping[str, Fact], error: BaseException | None, seconds: float) -> None:
        account, kind = str(facts["account"]), str(facts["kind"])
        provider = self._provider(account)
        self._requests.labels(account, provider, kind, _result(facts.get("status"), error)).inc()
        if not isinstance(error, TooLate):
            self._latency.labels(account, provider, kind).observe(seconds)

    def _received(self, facts: Mapping[str, Fact], error: BaseException | None, seconds: float) -> None:
        account = str(facts["account"])
        # Whoever can reach the receiver chooses the account in the URL.
        account = account if account in self._providers else "unknown"
        self._webhooks.labels(account, _led_to(str(facts.get("result", "")), error)).inc()
        self._webhook_latency.labels(account).observe(seconds)

    def _provider(self, account: str) -> str:
        return self._providers.get(account, "unknown")


class _Gauges:
    """A collector of gauges that were counted already."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield from gauges(self._standing)


def _result(status: Fact | None, error: BaseException | None) -> str:
    """Give the class of a request's end: `2xx` and the like, or the error."""
    if isinstance(status, int):
        return str(status) if status == _TOO_MANY else f"{status // 100}xx"
    if isinstance(error, TooLate):
        return "too_late"
    if isinstance(error, NotSent):
        return "not_sent"
    if isinstance(error, InDoubt):
        return "in_doubt"
    return "refused" if isinstance(error, SendError) else "failed"


def _led_to(result: str, error: BaseException | None) -> str:
    """Give the word for what a webhook led to; of several the first."""
    if isinstance(error, WebhookRefused):
        return "refused"
    if error is not None:
        return "failed"
    first = result.removeprefix("waited for its call: ").partition(", ")[0]
    return first.replace(" ", "_").replace("'", "") if first in _WEBHOOKS else "other"
