"""Who hears the engine: metrics, traces, both or nobody; and the post where others ask."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from runner.errors import LedgerError, OutreachError, UsageWrong
from runner.ledger.counts import Counter
from runner.ledger.store import Store
from runner.model.attempt import Attempt
from runner.model.counts import LedgerCounts
from runner.model.project import Account
from runner.ports.telemetry import SILENT, Fact, Span, SpanName, Telemetry
from runner.schedule.clock import FastClock, SystemClock, VirtualClock
from runner.web.health import Readiness, watch_post
from runner.web.serving import served
from runner.wiring.running import Engine

if TYPE_CHECKING:  # what they bring along is only loaded when somebody measures or traces
    from runner.web.gauges import Standing
    from runner.web.metrics import Metrics
    from runner.wiring.traces import Traces

log = logging.getLogger(__name__)

TOKEN_VARIABLE: Final = "OUTREACH_METRICS_TOKEN"  # noqa: S105 the name of a variable
KEPT_SECONDS: Final = 1.0
"""for how long one count of the ledger serves everybody who asks, and how often events are read"""

_COUNTING_SHARE: Final = 0.05
"""the share of time that counting may take: a commit may have to wait meanwhile"""

EngineClock = SystemClock | FastClock | VirtualClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Observers:
    """Who hears the engine."""

    metrics: Metrics | None = None
    traces: Traces | None = None

    @property
    def telemetry(self) -> Telemetry:
        """Give what the engine speaks to."""
        heard: list[Telemetry] = [one for one in (self.metrics, self.traces) if one is not None]
        if len(heard) > 1:
            return Everybody(heard)
        return heard[0] if heard else SILENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """Where metrics and health are served."""

    host: str
    port: int
    token: str = ""
    is_asked_for: bool = False
    """somebody chose the address: if it is taken nothing runs"""


def observers(
    accounts: Mapping[str, Account], clock: EngineClock, environment: Mapping[str, str], *, measures: bool
) -> Observers:
    """Choose who hears an engine: metrics with `measures`, traces where the environment asks for them.

    Raises UsageWrong for a protocol of traces that is not spoken, OutreachError when what sends them is
    not installed.
    """
    return Observers(
        metrics=_metrics(accounts) if measures else None,
        traces=_traces(clock) if traces_are_wanted(environment) else None,
    )


def traces_are_wanted(environment: Mapping[str, str]) -> bool:
    """Whether the environment asks for traces by `OTEL_TRACES_EXPORTER=otlp`; raise UsageWrong for another protocol."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if "otlp" not in environment.get("OTEL_TRACES_EXPORTER", "").replace(" ", "").split(","):
        return False
    protocol = environment.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or environment.get("OTEL_EXPORTER_OTLP_PROTOCOL")
    if protocol and protocol != "http/protobuf":
        raise UsageWrong(
            f"traces cannot be sent by `{protocol}`", help="export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf"
        )
    return True


@contextmanager
def applying_traced(environment: Mapping[str, str]) -> Iterator[Telemetry]:
    """Trace what a command applies, where the environment asks for traces; send it before the command ends."""
    if not traces_are_wanted(environment):
        yield SILENT
        return
    traces = _traces(SystemClock())
    try:
        yield traces
    finally:
        traces.close()


@asynccontextmanager
async def observed(running: Engine, ledger: Path, by: Observers, post: Post | None = None) -> AsyncIterator[str]:
    """Let the observers follow what the ledger says while an engine runs; give the URL of their post, if any.

    Raises UsageWrong when the post's address was asked for and is taken; one that nobody asked for is gone without.
    """
    if by.metrics is None and by.traces is None:
        yield ""
        return
    async with AsyncExitStack() as stack:
        follower = Follower(Counter(Store.open_read_only(ledger)), by, running)
        stack.callback(follower.close)
        stack.enter_context(_log_lines_counted(by.metrics))
        if by.traces is not None:
            stack.push_async_callback(asyncio.to_thread, by.traces.close)
        following = asyncio.create_task(_follow(follower), name="telemetry")
        stack.push_async_callback(_ended, following, follower)
        yield await _posted(stack, running, follower, by.metrics, post)


class Everybody:
    """Says everything to each of several."""

    def __init__(self, heard: list[Telemetry]) -> None:
        self._heard = heard

    @contextmanager
    def span(self, name: SpanName, **facts: Fact) -> Iterator[Span]:
        """Tell of a piece of work."""
        with ExitStack() as stack:
            yield _Spans([stack.enter_context(one.span(name, **facts)) for one in self._heard])

    def intended(self, attempt: Attempt, now: datetime, took: float) -> None:
        """Tell of an intent."""
        for one in self._heard:
            one.intended(attempt, now, took)

    def committed(self, seconds: float, *, failed: bool) -> None:
        """Tell of a transaction."""
        for one in self._heard:
            one.committed(seconds, failed=failed)

    def turned(self) -> None:
        """Tell of a turn."""
        for one in self._heard:
            one.turned()


class Follower:
    """Reads from the ledger what the observers are told; used by one thread at a time."""

    def __init__(self, counter: Counter, by: Observers, running: Engine) -> None:
        self._counter = counter
        self._by = by
        self._running = running
        self._lock = threading.Lock()
        self._count_again_at = float("-inf")
        self._counts: LedgerCounts | None = None

    def follow(self) -> None:
        """Tell the observers what has happened since; nothing when the ledger cannot be read just now."""
        with self._lock, suppress(LedgerError):
            while happened := self._counter.happenings():
                if self._by.metrics is not None:
                    self._by.metrics.happened(happened)
                if self._by.traces is not None:
                    self._by.traces.happened(happened)

    def standing(self) -> Standing:
        """Give how the runner stands, counted at most once a second, and less often where that takes long."""
        from runner.web.gauges import Standing  # noqa: PLC0415 as above

        self.follow()
        now = self._running.clock.now()
        with self._lock:
            began = time.monotonic()
            if began >= self._count_again_at:
                try:
                    self._counts = self._counter.counts(now)
                except LedgerError:
                    self._counts = None
                ended = time.monotonic()
                self._count_again_at = ended + max(KEPT_SECONDS, (ended - began) / _COUNTING_SHARE)
            counts = self._counts
        metrics = self._by.metrics
        return Standing(
            counts=counts, now=now, full=self._running.pacing.full,
            turned_ago=time.monotonic() - metrics.turned_at if metrics is not None else 0.0,
        )  # fmt: skip

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._counter.close()


class _Spans:
    """One piece of work, as each observer sees it."""

    def __init__(self, spans: list[Span]) -> None:
        self._spans = spans

    def note(self, **facts: Fact) -> None:
        for one in self._spans:
            one.note(**facts)


class _Measures(Protocol):
    def logged(self, record: logging.LogRecord) -> None: ...


class _Count(logging.Handler):
    """Hands log lines to whom counts them."""

    def __init__(self, metrics: _Measures) -> None:
        super().__init__(logging.WARNING)
        self._metrics = metrics

    def emit(self, record: logging.LogRecord) -> None:
        self._metrics.logged(record)


@contextmanager
def _log_lines_counted(metrics: Metrics | None) -> Iterator[None]:
    if metrics is None:
        yield
        return
    handler = _Count(metrics)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


async def _follow(follower: Follower) -> None:
    while True:
        await asyncio.sleep(KEPT_SECONDS)
        await asyncio.to_thread(follower.follow)


async def _ended(following: asyncio.Task[None], follower: Follower) -> None:
    """End the following with a last look."""
    following.cancel()
    with suppress(asyncio.CancelledError):
        await following
    await asyncio.to_thread(follower.follow)


async def _posted(
    stack: AsyncExitStack, running: Engine, follower: Follower, metrics: Metrics | None, post: Post | None
) -> str:
    """Serve the post while the stack stands; give its URL, empty without one."""
    if metrics is None or post is None:
        return ""

    def exposed() -> bytes:
        return metrics.exposed(follower.standing)

    readiness = Readiness(
        lambda: time.monotonic() - metrics.turned_at,
        lambda: running.journal.run(lambda _: None),
        lambda: running.journal.tenure.is_closing,
    )
    app = watch_post(exposed, readiness.reasons, token=post.token, host=post.host)
    try:
        return await stack.enter_async_context(served(app, post.host, post.port))
    except UsageWrong as error:
        if post.is_asked_for:
            raise
        log.warning("%s; metrics are not served", error.message, extra={"event": "metrics_not_served"})
        return ""


def _metrics(accounts: Mapping[str, Account]) -> Metrics:
    from runner.web.metrics import Metrics  # noqa: PLC0415 costs time that `run` need not pay

    return Metrics({name: account.provider for name, account in accounts.items()})


def _traces(clock: EngineClock) -> Traces:
    try:
        from runner.wiring.traces import Traces  # noqa: PLC0415 needs an extra
    except ImportError:
        raise OutreachError(
            "traces are asked for (OTEL_TRACES_EXPORTER), and what sends them is not installed",
            help="pip install 'outreach-runner[tracing]', or unset OTEL_TRACES_EXPORTER",
        ) from None
    return Traces.exporting(lambda at: _on_the_wall(at, clock))


def _on_the_wall(at: datetime, clock: EngineClock) -> int:
    """Give for an instant of the engine's clock when it was by the machine's, in nanoseconds since 1970."""
    ago = (clock.now() - at).total_seconds() / clock.speed
    return time.time_ns() - int(ago * 1e9)
