"""What an engine uses of the machine that it runs on: the real ones, unless a rehearsal brings others."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from runner.ledger.store import Store
from runner.ports import Alarm
from runner.schedule.heartbeat import Heartbeat
from runner.web.serving import served


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """How the ledger is opened, what wakes, how requests travel, how the receiver is served."""

    open_store: Callable[[Path], Store] = Store.open
    alarm: Callable[[Any, Callable[[], None]], AbstractAsyncContextManager[Alarm]] = Heartbeat
    """made from the clock and what is to be rung"""
    serve: Callable[[Starlette, str, int], AbstractAsyncContextManager[str]] = served
    network: httpx.AsyncBaseTransport | None = None
    """carries every request in place of real connections"""
    look_again: timedelta = timedelta(seconds=5)
    """how often the ledger is looked at for what other processes wrote"""
    rest: timedelta = timedelta(0)
    """how long the engine rests between two looks at its ledger"""
    keep_lists: timedelta = timedelta(seconds=1)
    """how often suppressions are looked for that the providers' do-not-call lists do not know"""
