"""What the engine says of its own work while it works: to logs, metrics and traces, without knowing any of them.

Ids that are bound by `about` stand in every log line and every span of what is done inside, the
journal's thread included. Nothing here holds a name, a word or a whole phone number of a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, copy_context
from datetime import datetime
from typing import Any, Final, Literal, Protocol, TypeVar

from runner.errors import OutreachError
from runner.model.attempt import Attempt
from runner.model.handed_over import HandoverRecord
from runner.rules.pseudonyms import HIDDEN, UNKEYED, Pseudonyms, without_key

SpanName = Literal["apply", "release", "request", "webhook"]
"""what takes time; an attempt, its intent and its settlement are told by the ledger"""

Fact = str | int | float | bool

_BOUND: ContextVar[Mapping[str, str]] = ContextVar("bound_ids")
_PSEUDONYMS: ContextVar[Pseudonyms] = ContextVar("pseudonyms", default=UNKEYED)
_OWN: ContextVar[Attempt | HandoverRecord | None] = ContextVar("whose_key", default=None)
"""whose key is taken out of what is logged"""
_NOTHING: Final[Mapping[str, str]] = {}
_Error = TypeVar("_Error", bound=OutreachError)


class Span(Protocol):
    """A piece of work under way."""

    def note(self, **facts: Fact) -> None:
        """Add what is known of it by now."""
        ...


class Telemetry(Protocol):
    """Hears of the engine's work. Never raises, never blocks, and is called from any thread."""

    def span(self, name: SpanName, **facts: Fact) -> AbstractContextManager[Span]:
        """Tell of a piece of work from its begin to its end; an exception that leaves it is its failure."""
        ...

    def intended(self, attempt: Attempt, now: datetime, took: float) -> None:
        """Tell that an attempt's intent is durable and its request leaves; writing it took so many seconds."""
        ...

    def committed(self, seconds: float, *, failed: bool) -> None:
        """Tell how long the ledger's writer took for one transaction."""
        ...

    def turned(self) -> None:
        """Tell that the dispatcher has looked at everything once more."""
        ...


class Silence:
    """Telemetry that nobody hears; it is its own span."""

    def span(self, name: SpanName, **facts: Fact) -> AbstractContextManager[Span]:  # noqa: ARG002 nobody listens
        """Give a span that keeps nothing."""
        return _NO_SPAN

    def note(self, **facts: Fact) -> None:
        """Keep nothing."""

    def intended(self, attempt: Attempt, now: datetime, took: float) -> None:
        """Hear nothing."""

    def committed(self, seconds: float, *, failed: bool) -> None:
        """Hear nothing."""

    def turned(self) -> None:
        """Hear nothing."""


SILENT: Final = Silence()
_NO_SPAN: Final[AbstractContextManager[Span]] = nullcontext(SILENT)


class _Ids(Mapping[str, str]):
    """Ids that are worked out, as of where they were given, when somebody reads them: few lines are ever written."""

    def __init__(self, work_out: Callable[[], dict[str, str]]) -> None:
        self._work_out = work_out
        self._given_in = copy_context()
        self._found: dict[str, str] | None = None

    def _known(self) -> dict[str, str]:
        if self._found is None:
            self._found = self._given_in.run(self._work_out)
        return self._found

    def __getitem__(self, name: str) -> str:
        return self._known()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known())

    def __len__(self) -> int:
        return len(self._known())


class _Shown:
    """An attempt's id in a log line, worked out when the line is written."""

    __slots__ = ("_by", "_key")

    def __init__(self, by: Pseudonyms, key: str) -> None:
        self._by = by
        self._key = key

    def __str__(self) -> str:
        return self._by.shown_attempt(self._key)


@contextmanager
def about(of: Attempt | HandoverRecord | None = None, /, **ids: str) -> Iterator[None]:
    """Bind the ids of an attempt or a handover, and further ones, to everything that is logged and traced inside."""
    whose = of if of is not None else _OWN.get()
    before = bound_ids()
    token = _BOUND.set(_Ids(lambda: {**before, **_ids(of, whose, ids)}))
    own = _OWN.set(whose)
    try:
        yield
    finally:
        _OWN.reset(own)
        _BOUND.reset(token)


@contextmanager
def telling_apart(by: Pseudonyms) -> Iterator[None]:
    """Write people by the pseudonyms of a ledger in all that is logged inside, tasks that begin there included."""
    before = _PSEUDONYMS.get()
    _PSEUDONYMS.set(by)
    try:
        yield
    finally:
        # not by a token: what is opened in one task may be closed by another
        _PSEUDONYMS.set(before)


def shown_person(phone: str) -> str:
    """Write a number as logs do: `+1***0143#1a2b3c4d`, and without the pseudonym where no ledger is at hand."""
    return _PSEUDONYMS.get().shown(phone)


def shown_attempt(key: str) -> object:
    """Give an attempt as logs write it, `a1b2c3d4e5f60718`, and as `***` where no ledger is at hand.

    It is worked out when it is written: most log lines never are.
    """
    return _Shown(_PSEUDONYMS.get(), key)


def without_own_key(text: str, of: Attempt | HandoverRecord) -> str:
    """Write an attempt's key as logs do wherever it stands in a text, which a provider may have written.

    That of a handover becomes `***`: nothing is looked up by it.
    """
    return without_key(text, of.key, HIDDEN if isinstance(of, HandoverRecord) else str(shown_attempt(of.key)))


def told_without_key(error: _Error, of: Attempt | HandoverRecord) -> _Error:
    """Take the key of what an error is about out of its sentence, and give the error."""
    error.message = without_own_key(error.message, of)
    return error


def without_keys_here(text: str) -> str:
    """Take the key that is bound here out of a text, and whatever else may be one."""
    own = _OWN.get()
    return _PSEUDONYMS.get().without_keys(without_own_key(text, own) if own is not None else text)


def pseudonyms_here() -> Pseudonyms:
    """Give what tells people and attempts apart in what is logged here."""
    return _PSEUDONYMS.get()


def bound_ids() -> Mapping[str, str]:
    """Give the ids that are bound here."""
    return _BOUND.get(_NOTHING)


def named(event: str, of: Attempt | HandoverRecord | None = None, /, **ids: str) -> dict[str, Any]:
    """Give the `extra` of a log line: its short stable name, and ids beyond those that are bound."""
    whose = of if of is not None else _OWN.get()
    return {"event": event, "ids": _Ids(lambda: _ids(of, whose, ids))}


def ids_of(of: Attempt | HandoverRecord) -> dict[str, str]:
    """Give what tells an attempt, or a handover, from all others.

    The number is masked and the attempt has its log id: its key, and that of a small handover, can be worked out
    from numbers by whoever tries them all. A handover has its number, as `outreach resolve` takes it. Where a
    provider made the key a part of its own id, that id is shown without it; what else has its form is kept.
    """
    if isinstance(of, HandoverRecord):
        found = {"campaign": of.campaign, "handover": str(of.id), "account": of.account, "provider_id": of.native_id}
    else:
        found = {
            "campaign": of.campaign, "attempt": pseudonyms_here().log_id(of.key), "account": of.account,
            "provider": of.provider, "phone": shown_person(of.phone), "provider_id": of.provider_id,
        }  # fmt: skip
    return {name: without_own_key(value, of) for name, value in found.items() if value}


def _ids(
    of: Attempt | HandoverRecord | None, whose: Attempt | HandoverRecord | None, more: Mapping[str, str]
) -> dict[str, str]:
    """Give the ids of what a line is about, and more, without the key that is known where it is written."""
    own = ids_of(of) if of is not None else {}
    return {**own, **(more if whose is None else {name: without_own_key(one, whose) for name, one in more.items()})}
