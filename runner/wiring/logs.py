"""Set up logging: short lines for people at a terminal, one JSON object a line for everybody else.

Every line goes to standard error. Control characters are escaped, numbers of people and keys of attempts
masked and secrets taken out. Of an exception its kind and the lines of code are kept: its words may quote anybody.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import PurePath
from typing import Final, TextIO

from runner.errors import UsageWrong
from runner.files.diagnostics import visible
from runner.ports.telemetry import bound_ids, pseudonyms_here, without_keys_here
from runner.report.words import masked_text

FORMATS: Final = ("text", "json")
LEVELS: Final = ("debug", "info", "warning", "error")
VARIABLE: Final = "OUTREACH_LOG"

_OURS: Final = ("runner", "outreach")
_FRAMES: Final = 12
Scrub = Callable[[str], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogChoice:
    """What was asked for; empty where nothing was."""

    form: str = ""
    level: str = ""


def chosen(variable: str) -> LogChoice:
    """Read `OUTREACH_LOG`: a form, a level, or both, such as `json,debug`; raise UsageWrong for any other word."""
    form = level = ""
    for word in variable.replace(",", " ").lower().split():
        if word in FORMATS:
            form = word
        elif word in LEVELS:
            level = word
        else:
            raise UsageWrong(
                f"`{word}` in {VARIABLE} is neither a form nor a level",
                help=f"write a form ({', '.join(FORMATS)}), a level ({', '.join(LEVELS)}) or both: json,info",
            )
    return LogChoice(form=form, level=level)


def set_up(choice: LogChoice, *, stream: TextIO | None = None, scrub: Scrub = str) -> str:
    """Have all logging written to a stream, standard error unless told otherwise; give the form, `text` or `json`.

    Without a form it is text on a terminal and JSON elsewhere. Libraries say warnings alone, whatever
    the level: some would quote headers. `scrub` takes secrets out of what is written.
    """
    out = stream or sys.stderr
    form = choice.form or ("text" if out.isatty() else "json")
    root = logging.getLogger()
    for handler in [one for one in root.handlers if isinstance(one, _Lines)]:
        root.removeHandler(handler)
    handler = _Lines(stream)
    handler.setFormatter(JsonLines(scrub) if form == "json" else TextLines(scrub))
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in _OURS:
        logging.getLogger(name).setLevel((choice.level or "warning").upper())
    return form


class _Lines(logging.StreamHandler[TextIO]):
    """Writes to what standard error is when a line comes; somebody may have put another one there."""

    def __init__(self, stream: TextIO | None) -> None:
        super().__init__(stream)
        self._fixed = stream

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = self._fixed or sys.stderr
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 the library's name
        """Lose a line that nobody reads any more: it must not keep the engine from its work."""


class JsonLines(logging.Formatter):
    """Writes a record as one JSON object of ASCII."""

    def __init__(self, scrub: Scrub = str) -> None:
        super().__init__()
        self._scrub = scrub

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        facts: dict[str, object] = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", record.name),
            "message": self._scrub(_message(record)),
        }
        facts |= {name: self._scrub(value) for name, value in ids_of_record(record).items()}
        if record.exc_info:
            facts |= _crash(record)
        return json.dumps(facts, ensure_ascii=True).replace("\x7f", "\\u007f")


class TextLines(logging.Formatter):
    """Writes a record as a short line for people, as `WARNING: account main: it takes calls again`."""

    def __init__(self, scrub: Scrub = str) -> None:
        super().__init__()
        self._scrub = scrub

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        line = f"{record.levelname}: {visible(self._scrub(_message(record)))}"
        if not record.exc_info:
            return line
        crash = _crash(record)
        frames = "".join(f"\n  at {frame}" for frame in crash["trace"])
        return f"{line}: {crash['error']}{frames}"


def ids_of_record(record: logging.LogRecord) -> Mapping[str, str]:
    """Give the ids that a record carries: those that are bound where it was written, and its own."""
    own: Mapping[str, str] = getattr(record, "ids", {})
    return {**bound_ids(), **own}


def _message(record: logging.LogRecord) -> str:
    """Give what a record says, people and attempts named as in every line of the ledger that is at hand."""
    return masked_text(without_keys_here(_said(record)), pseudonyms_here())


def _said(record: logging.LogRecord) -> str:
    try:
        message = record.getMessage()
    except Exception:  # noqa: BLE001 a line with wrong arguments is still worth reading
        message = str(record.msg)
    return _of_the_loop(message) if record.name == "asyncio" else message


def _of_the_loop(message: str) -> str:
    """Give what the event loop says without the task or the call that it writes out, values and all."""
    first = message.partition("\n")[0]
    return first.partition("(")[0] if first.startswith("Exception in callback") else first


def _crash(record: logging.LogRecord) -> dict[str, str | list[str]]:
    """Give the kind of an exception and the lines of code that led to it, the last ones first to be kept."""
    if not record.exc_info or record.exc_info[1] is None:
        return {"error": "unknown", "trace": []}
    error = record.exc_info[1]
    frames = traceback.extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{'/'.join(PurePath(one.filename).parts[-2:])}:{one.lineno} {one.name}" for one in frames]
    return {"error": type(error).__name__, "trace": places}
