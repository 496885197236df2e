"""What a command that runs for long says on the way: lines for people, or lines of the log where programs read it."""

from __future__ import annotations

import logging
from contextlib import suppress
from contextvars import ContextVar

import click

from runner.ports.telemetry import named

log = logging.getLogger("outreach.said")

_IN_LOG: ContextVar[bool] = ContextVar("said_in_log", default=False)


def say_in_log() -> None:
    """From here on, say everything in lines of the log, whatever its level."""
    _IN_LOG.set(True)
    log.setLevel(logging.INFO)


def say(sentence: str, event: str = "said") -> None:
    """Print to stderr if anybody still reads it: a reader that is gone must not keep the engine from stopping."""
    if _IN_LOG.get():
        log.info("%s", sentence, extra=named(event))
        return
    with suppress(OSError):
        click.echo(sentence, err=True)
