"""Named points in the code at which a test has the process killed or stopped, as a power cut or a closed laptop would.

`OUTREACH_CRASH_AT=after_intent` kills the process by SIGKILL the first time it comes there,
`OUTREACH_CRASH_AT=after_intent:3` the third time; `OUTREACH_STOP_AT` stops it by SIGSTOP instead, to be
continued from outside. Without either, a point costs one look at an empty table.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class CrashPoint(StrEnum):
    """Where a process may be killed on purpose."""

    AFTER_CLAIM = "after_claim"
    """attempts are claimed durably, no intent is written"""
    BEFORE_INTENT = "before_intent"
    """inside the transaction that writes intents, before its commit"""
    AFTER_INTENT = "after_intent"
    """intents are durable, no request was begun"""
    BEFORE_POST = "before_post"
    """one request is about to leave"""
    AFTER_POST = "after_post"
    """its answer is here, and nowhere written down"""
    BEFORE_RESULT = "before_result"
    """inside the transaction that writes the answer down, before its commit"""
    AFTER_RESULT = "after_result"
    """the answer is durable"""
    IN_WEBHOOK = "in_webhook"
    """inside the transaction that stores and settles a webhook, before its commit"""
    AFTER_WEBHOOK = "after_webhook"
    """a webhook is durable, its sender is not answered yet"""
    IN_APPLY = "in_apply"
    """between two chunks of a plan that is being written"""
    IN_MIGRATION = "in_migration"
    """inside a step of the schema, before its commit"""
    BEFORE_NOTIFY = "before_notify"
    """what happened is durable, its notification was not sent yet"""
    AFTER_NOTIFY = "after_notify"
    """a notification was taken, and nowhere written down"""


CRASH_VARIABLE: Final = "OUTREACH_CRASH_AT"
STOP_VARIABLE: Final = "OUTREACH_STOP_AT"


def reached(point: CrashPoint) -> None:
    """Say that the code is at a point; kills or stops the process when a test asked for it here."""
    left = _ARMED.get(point)
    if left is None:
        return
    if left[0] > 1:
        _ARMED[point] = (left[0] - 1, left[1])
        return
    del _ARMED[point]
    os.kill(os.getpid(), left[1])


def armed(environment: Mapping[str, str]) -> dict[CrashPoint, tuple[int, signal.Signals]]:
    """Give after how many visits of which point which signal is due; raise ValueError for an unknown point."""
    found = {}
    for variable, number in ((CRASH_VARIABLE, signal.SIGKILL), (STOP_VARIABLE, signal.SIGSTOP)):
        point, _, visits = environment.get(variable, "").partition(":")
        if point:
            found[CrashPoint(point)] = (int(visits or 1), number)
    return found


_ARMED = armed(os.environ)
