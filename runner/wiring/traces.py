"""Traces for OpenTelemetry: what became of each attempt, over restarts and retries, by OTLP over HTTP.

The ids of an attempt's trace and of its first span come from what the log calls it, so that whoever sees a part of
it, at whatever time, adds to the same trace, and a retry links to the try before it. Nothing of it
is stored. Needs the extra `tracing`. No span holds a number, an attempt's key, a name, a URL's query
or a body.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import datetime
from typing import Final, Self

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from runner import __version__
from runner.model.attempt import ENDED, Attempt, AttemptState, attempt_key
from runner.model.counts import Happening
from runner.ports.telemetry import Fact, SpanName, bound_ids, ids_of, pseudonyms_here

_FLUSH_MILLIS: Final = 3_000
_ENDED: Final = frozenset(state.value for state in ENDED)
_SETTLED: Final = _ENDED | {AttemptState.HELD.value}
_SHOWN_IDS: Final = ("campaign", "attempt", "handover", "account", "provider", "provider_id")
_FACT_NAMES: Final = {"method": "http.request.method", "status": "http.response.status_code"}


class WantedIds(RandomIdGenerator):
    """Gives random ids, unless certain ones are wanted in this thread."""

    def __init__(self) -> None:
        self._wanted = threading.local()

    @contextmanager
    def wanting(self, trace: int, span: int) -> Iterator[None]:
        """Give these ids to the span that is started inside."""
        self._wanted.ids = (trace, span)
        try:
            yield
        finally:
            self._wanted.ids = None

    def generate_trace_id(self) -> int:
        """Give the id of a trace."""
        ids: tuple[int, int] | None = getattr(self._wanted, "ids", None)
        return ids[0] if ids else super().generate_trace_id()

    def generate_span_id(self) -> int:
        """Give the id of a span."""
        ids: tuple[int, int] | None = getattr(self._wanted, "ids", None)
        return ids[1] if ids else super().generate_span_id()


class Traces:
    """Hears the engine, and hands spans to an exporter. May be used by any thread.

    `wall` gives for an instant of the engine's clock the instant of the machine's, in nanoseconds since 1970.
    """

    def __init__(self, exporter: SpanExporter, wall: Callable[[datetime], int]) -> None:
        self._wall = wall
        self._ids = WantedIds()
        self._provider = TracerProvider(resource=_resource(), id_generator=self._ids)
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("outreach-runner", __version__)

    @classmethod
    def exporting(cls, wall: Callable[[datetime], int]) -> Self:
        """Send spans where the OTEL_* variables say."""
        return cls(OTLPSpanExporter(), wall)

    def close(self) -> None:
        """Send what is left, for a few seconds at most."""
        self._provider.force_flush(_FLUSH_MILLIS)
        self._provider.shutdown()

    @contextmanager
    def span(self, name: SpanName, **facts: Fact) -> Iterator[_Noted]:
        """Trace a piece of work; one about an attempt becomes a part of its trace."""
        noted, began, error = _Noted(dict(facts)), time.time_ns(), ""
        try:
            yield noted
        except BaseException as raised:
            error = type(raised).__name__
            raise
        finally:
            # The dispatcher turns every few seconds, mostly without a find.
            if name != "release" or noted.facts.get("attempts") or error:
                self._add(name, bound_ids(), noted.facts, (began, time.time_ns()), error)

    def intended(self, attempt: Attempt, now: datetime, took: float) -> None:
        """Trace the intent of an attempt."""
        ended = time.time_ns()
        late = max(0.0, (now - attempt.due_at).total_seconds())
        self._add("intent", ids_of(attempt), {"lateness_seconds": late}, (ended - int(took * 1e9), ended), "")

    def committed(self, seconds: float, *, failed: bool) -> None:
        """Hear nothing: transactions serve many attempts at once."""

    def turned(self) -> None:
        """Hear nothing."""

    def happened(self, happenings: Iterable[Happening]) -> None:
        """Trace how attempts were settled, and those that ended as a whole."""
        for one in happenings:
            if one.was and one.kind in _SETTLED:
                at = self._wall(one.at)
                facts: dict[str, Fact] = {"state": one.kind, "outcome": one.outcome}
                self._add("settle", _ids_of(one), facts, (at, at), "")
                if one.kind in _ENDED and one.sent_at is not None:
                    self._add_whole(one, self._wall(one.sent_at), at)

    def _add_whole(self, one: Happening, began: int, ended: int) -> None:
        """Add the span of an attempt from its intent to its end, over whatever lay between."""
        links, shown = [], _shown(one.attempt)
        if one.number > 1 and shown:
            before = _shown(attempt_key(one.campaign, one.contact, one.step, one.number - 1))
            links.append(Link(self._context_of(before), {"outreach.link": "the try before"}))
        facts: dict[str, Fact] = {
            "step": one.step,
            "number": one.number,
            "channel": one.channel,
            "outcome": one.outcome,
        }
        with self._ids.wanting(*_ids(shown)) if shown else nullcontext():
            span = self._tracer.start_span(
                "attempt", Context(), links=links, attributes=_attributes(_ids_of(one), facts), start_time=began
            )
        span.end(max(began, ended))

    def _add(
        self, name: str, ids: Mapping[str, str], facts: Mapping[str, Fact], times: tuple[int, int], error: str
    ) -> None:
        kinds = {"request": SpanKind.CLIENT, "webhook": SpanKind.SERVER}
        attributes = _attributes(ids, facts)
        if error:
            attributes["error.type"] = error
        span = self._tracer.start_span(
            name, self._parent(ids.get("attempt", "")), kinds.get(name, SpanKind.INTERNAL), attributes,
            start_time=times[0],
        )  # fmt: skip
        if error:
            span.set_status(Status(StatusCode.ERROR))
        span.end(times[1])

    def _parent(self, attempt: str) -> Context:
        if not attempt:
            return Context()
        return set_span_in_context(NonRecordingSpan(self._context_of(attempt)), Context())

    def _context_of(self, attempt: str) -> SpanContext:
        """Give where an attempt's own span stands, whoever wrote it or will."""
        trace, span = _ids(attempt)
        decision = self._provider.sampler.should_sample(None, trace, "attempt").decision
        sampled = decision is Decision.RECORD_AND_SAMPLE
        flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
        return SpanContext(trace, span, is_remote=True, trace_flags=flags)


class _Noted:
    """A piece of work under way."""

    def __init__(self, facts: dict[str, Fact]) -> None:
        self.facts = facts

    def note(self, **facts: Fact) -> None:
        self.facts.update(facts)


def _ids(attempt: str) -> tuple[int, int]:
    """Give the ids of an attempt's trace and of its own span, by what the log calls it."""
    digest = hashlib.sha256(b"outreach-trace:" + attempt.encode()).digest()
    return int.from_bytes(digest[:16], "big"), int.from_bytes(digest[16:24], "big")


def _shown(attempt_key: str) -> str:
    return pseudonyms_here().log_id(attempt_key)


def _ids_of(one: Happening) -> dict[str, str]:
    return {"campaign": one.campaign, "attempt": _shown(one.attempt), "account": one.account}


def _attributes(ids: Mapping[str, str], facts: Mapping[str, Fact]) -> dict[str, Fact]:
    found: dict[str, Fact] = {f"outreach.{name}": ids[name] for name in _SHOWN_IDS if ids.get(name)}
    return found | {_FACT_NAMES.get(name, f"outreach.{name}"): value for name, value in facts.items() if value != ""}


def _resource() -> Resource:
    """Name this service, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES do."""
    told = Resource.create()
    if not str(told.attributes.get(SERVICE_NAME, "")).startswith("unknown_service"):
        return told
    return told.merge(Resource({SERVICE_NAME: "outreach-runner"}))
