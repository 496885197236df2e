"""The truth of the sandbox: every call and text, when it was really dialled, and how it ended."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from runner.sandbox.agenda import Agenda, Entry
from runner.sandbox.call import Attempt, Call, Stage
from runner.sandbox.clock import SandboxClock
from runner.sandbox.faults import Faults
from runner.sandbox.lines import Lines
from runner.sandbox.people import Kind, People
from runner.sandbox.requests_log import RequestsLog
from runner.sandbox.settings import Settings
from runner.sandbox.webhooks import Webhooks

Watcher = Callable[[Call], None]
"""told when a call was picked up and when a dial of it is over"""

_opened: ContextVar[list[Call] | None] = ContextVar("opened", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dial:
    """One person dialled once."""

    provider: str
    kind: Kind
    to: str
    at: datetime
    reference: str
    id: str
    outcome: str | None
    """None until it ended"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """One request that followed a redirect of the sandbox."""

    at: datetime
    method: str
    provider: str
    has_body: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a request asks for, in the words that all providers share."""

    provider: str
    kind: Kind = "call"
    to: str
    agent: str
    reference: str
    body: Mapping[str, Any]
    talk_limit: float | None = None
    """longest talk in seconds"""


class World:
    """Places calls and texts, lets them happen, and remembers all of it.

    Calls are placed inside a running event loop; ``close`` ends everything that is under way.
    """

    def __init__(self, settings: Settings, clock: SandboxClock) -> None:
        self.settings = settings
        self.clock = clock
        self.people = People(settings)
        self.faults = Faults(settings.seed if settings.faults_seed is None else settings.faults_seed, settings.faults)
        self.requests = RequestsLog()
        self.serving = 0
        """requests that are not answered yet; one that hangs on purpose does not count"""
        self.landings: list[Landing] = []
        """requests that followed a redirect of the sandbox, oldest first"""
        self._agenda = Agenda(clock)
        self.webhooks = Webhooks(settings, clock, self._agenda)
        self._watchers: dict[str, Watcher] = {}
        self._on_reset: list[Callable[[], None]] = []
        self._calls: dict[str, dict[str, Call]] = {}
        self._dialled: list[tuple[Call, Attempt]] = []
        # an id never comes twice, not even after a reset or a new start
        self._epoch = clock.now().isoformat()
        self._numbers = itertools.count(1)

    def watch(self, provider: str, watcher: Watcher, on_reset: Callable[[], None]) -> None:
        """Tell a face what happens to its calls, and when everything is forgotten."""
        self._watchers[provider] = watcher
        self._on_reset.append(on_reset)

    def new_id(self, what: str) -> str:
        """Give 32 hexadecimal digits that never come twice; the same seed and start give the same ones."""
        name = f"{self.settings.seed}\x1f{self._epoch}\x1f{what}\x1f{next(self._numbers)}"
        return blake2b(name.encode(), digest_size=16).hexdigest()

    def open(self, asked: Asked, *, id: str) -> Call:
        """Write down a new call or text that nobody launched yet."""
        now = self.clock.now()
        call = Call(
            provider=asked.provider,
            kind=asked.kind,
            id=id,
            to=asked.to,
            agent=asked.agent,
            reference=asked.reference,
            created_at=now,
            updated_at=now,
            asked=asked.body,
            talk_limit=asked.talk_limit,
        )
        self._calls.setdefault(asked.provider, {})[id] = call
        if (opened := _opened.get()) is not None:
            opened.append(call)
        return call

    @contextmanager
    def opening(self) -> Iterator[list[Call]]:
        """Give a list that grows with every call that is opened by what runs inside the block."""
        calls: list[Call] = []
        token = _opened.set(calls)
        try:
            yield calls
        finally:
            _opened.reset(token)

    def launch(self, call: Call, *, at: datetime | None = None, lines: Lines | None = None) -> None:
        """Dial now, or at an instant; with ``lines`` as soon as one is free then."""

        def start() -> None:
            call.next_entry = None
            if lines is None:
                self.dial(call)
            else:
                lines.take(call)

        call.due_at = at
        if at is not None and at > self.clock.now():
            call.stage = Stage.SCHEDULED
            call.next_entry = self._agenda.add(at, start, far=True)
        else:
            start()

    def dial(self, call: Call) -> None:
        """Dial a person now: from here on it is the truth."""
        self._drop_entry(call)
        now = self.clock.now()
        fate = self.people.dial(call.kind, call.to)
        attempt = Attempt(fate=fate, placed_at=now)
        call.attempts.append(attempt)
        call.updated_at = now
        call.stage = Stage.RINGING
        self._dialled.append((call, attempt))
        call.next_entry = self._agenda.add(now + timedelta(seconds=fate.ring_seconds), lambda: self._rung(call))

    def hang_up(self, call: Call) -> None:
        """End a call that rings or talks: answered if somebody had, failed otherwise."""
        self._drop_entry(call)
        if call.last is not None:
            call.last.hung_up = True
        self._end(call, self.clock.now())

    def fail(self, call: Call, error: str) -> None:
        """End a call that nobody was dialled for, for a reason in its provider's words."""
        self._drop_entry(call)
        call.error = error
        call.closed_at = call.updated_at = self.clock.now()
        call.stage = Stage.ENDED
        self._over(call)

    def later(self, at: datetime, deed: Callable[[], None], *, far: bool = True) -> Entry:
        """Do something at an instant; ``far`` unless something is under way until then."""
        return self._agenda.add(at, deed, far=far)

    def never(self, entry: Entry) -> None:
        """Take back what was to be done later."""
        self._agenda.remove(entry)

    def cancel(self, call: Call) -> None:
        """Take back a call that nobody was dialled for."""
        self._drop_entry(call)
        call.stage = Stage.CANCELLED
        call.updated_at = call.closed_at = self.clock.now()
        self._over(call)

    def hold(self, call: Call) -> None:
        """Keep a scheduled call until it is launched again."""
        self._drop_entry(call)
        call.stage = Stage.HELD

    def calls(self, provider: str) -> tuple[Call, ...]:
        """Give a provider's calls and texts, oldest first."""
        return tuple(self._calls.get(provider, {}).values())

    def listed(self, provider: str, lag_seconds: float) -> tuple[Call, ...]:
        """Give those of a provider's calls and texts that are old enough to stand in its lists, oldest first."""
        newest = self.clock.now() - timedelta(seconds=lag_seconds)
        return tuple(call for call in self.calls(provider) if call.created_at <= newest)

    def call(self, provider: str, id: str) -> Call | None:
        """Give a call or text by its id; None when there is none."""
        return self._calls.get(provider, {}).get(id)

    def dials(self) -> tuple[Dial, ...]:
        """Give the truth: every dial, in the order in which they were placed."""
        return tuple(
            Dial(
                provider=call.provider,
                kind=call.kind,
                to=call.to,
                at=attempt.placed_at,
                reference=call.reference,
                id=call.id,
                outcome=attempt.outcome,
            )
            for call, attempt in self._dialled
        )

    def idle(self) -> bool:
        """Say whether nothing is under way: no call rings, talks or waits, no request or webhook is being served.

        Calls for later and repetitions of webhooks may remain: see ``next_event_at``.
        """
        return self.serving == 0 and self._agenda.is_quiet() and self.webhooks.is_quiet

    def next_event_at(self) -> datetime | None:
        """Give the next instant at which something happens by itself; None when nothing will."""
        return self._agenda.next_at()

    def waits_for_time(self) -> bool:
        """Whether only time can make anything happen: no request and no webhook is under way."""
        return self.webhooks.is_quiet and not self.serving

    def clock_jumped(self) -> None:
        """Do at once what has come due because the clock was set ahead."""
        self._agenda.clock_jumped()

    def reset(self) -> None:
        """Forget everything that happened since the start, also faults, scripts and webhook targets set since."""
        self._agenda.clear()
        self.webhooks.clear()
        self.faults.clear()
        self.requests.clear()
        self.landings.clear()
        self.people = People(self.settings)
        self._calls.clear()
        self._dialled.clear()
        for forget in self._on_reset:
            forget()

    async def close(self) -> None:
        """End everything that is under way; safe to call twice."""
        self.faults.release()
        await self._agenda.close()
        await self.webhooks.close()

    def _rung(self, call: Call) -> None:
        attempt = call.last
        if attempt is None:
            raise RuntimeError("a call rang that was never dialled")
        fate = attempt.fate
        # planned instants, not the clock's: it may have jumped, and the same seed must give the same lengths
        at = attempt.placed_at + timedelta(seconds=fate.ring_seconds)
        if not fate.connects:
            self._end(call, at)
            return
        talk = fate.talk_seconds if call.talk_limit is None else min(fate.talk_seconds, call.talk_limit)
        attempt.cut_off = talk < fate.talk_seconds
        attempt.answered_at = call.updated_at = at
        call.stage = Stage.TALKING
        ends_at = at + timedelta(seconds=talk)
        call.next_entry = self._agenda.add(ends_at, lambda: self._end(call, ends_at))
        self._watchers[call.provider](call)

    def _end(self, call: Call, at: datetime) -> None:
        call.stage = Stage.ENDED
        call.next_entry = None
        call.updated_at = at
        if (attempt := call.last) is not None:
            attempt.ended_at = at
            picked_up = attempt.answered_at is not None
            attempt.outcome = "failed" if attempt.hung_up and not picked_up else attempt.fate.outcome
        self._over(call)

    def _over(self, call: Call) -> None:
        """Tell the face, which may launch the call again, then give back the lines of the dial that is over."""
        releases, call.releases = call.releases, []
        self._watchers[call.provider](call)
        for release in reversed(releases):
            release()

    def _drop_entry(self, call: Call) -> None:
        if call.next_entry is not None:
            self._agenda.remove(call.next_entry)
            call.next_entry = None
