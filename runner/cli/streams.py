"""The last gate before anything is printed: no secret that this process has resolved gets through, not in a traceback either."""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath
from types import TracebackType
from typing import Any, BinaryIO, TextIO, cast

from runner.files.diagnostics import visible
from runner.rules.scrub import SECRETS


@contextmanager
def scrubbed_streams() -> Iterator[None]:
    """Take secrets out of all that is written to standard output and error meanwhile."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_scrubbed(one) for one in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def crash_report(error: BaseException, *, with_words: bool) -> str:
    """Write a traceback for a report: what kind of error where in the code, without the values of variables.

    An exception's own words may quote anybody or anything, so they are only given `with_words`; then
    secrets are taken out and control characters made visible.
    """
    lines: list[str] = []
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = [
            f"  at {'/'.join(PurePath(frame.filename).parts[-3:])}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_tb(current.__traceback__)
        ]
        words = f": {visible(SECRETS.scrub(str(current)))}" if with_words and str(current) else ""
        lines = [*frames, f"{type(current).__name__}{words}", *(["which led to", *lines] if lines else [])]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\n".join(lines)


def report_all_crashes() -> None:
    """Have this module say what ends the process, a thread or an object unexpectedly, in place of the interpreter."""
    sys.excepthook = report_crash
    threading.excepthook = _report_thread
    sys.unraisablehook = _report_unraisable


def report_crash(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Stand in for the interpreter's own traceback, which would print whatever an exception says."""
    del kind, trace
    sys.stderr.write(crash_report(error, with_words=sys.stderr.isatty()) + "\n")


def _report_thread(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        report_crash(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _report_unraisable(ignored: sys.UnraisableHookArgs) -> None:
    if ignored.exc_value is not None:
        report_crash(ignored.exc_type, ignored.exc_value, ignored.exc_traceback)


class _Scrubbed:
    """A text stream that writes everything but secrets."""

    def __init__(self, inner: TextIO) -> None:
        self._inner = inner

    def write(self, text: str) -> int:
        self._inner.write(SECRETS.scrub(text))
        return len(text)

    def writelines(self, lines: Any) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> Any:
        """Give the stream of bytes, which has the same gate: click writes there where text cannot be UTF-8."""
        return _ScrubbedBytes(self._inner.buffer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class _ScrubbedBytes:
    """A stream of bytes that writes everything but secrets, which are ASCII."""

    def __init__(self, inner: BinaryIO) -> None:
        self._inner = inner

    def write(self, raw: Any) -> int:
        self._inner.write(SECRETS.scrub(bytes(raw).decode("latin-1")).encode("latin-1"))
        return len(raw)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _scrubbed(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, _Scrubbed) else cast("TextIO", _Scrubbed(stream))
