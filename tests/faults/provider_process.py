"""A sandbox in a process of its own whose providers repeat webhooks for long: `python -m tests.faults.provider_process SEED FAULTS`.

A runner that is killed all the time misses webhooks; a provider that gives up after four of them would
leave calls open for a day at the one provider that cannot be asked.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys

from runner.sandbox.clock import WallClock
from runner.sandbox.fault_plans import read_plan
from runner.sandbox.server import serve_forever
from runner.sandbox.settings import RevmoSwitches, RevoxSwitches, Settings

_WAITS = (40.0, 60.0, *(100.0,) * 60)
"""seconds before each repetition of a webhook, a hundredth of it in real time"""


def settings(seed: int, faults: str) -> Settings:
    """Give people who answer, are busy or do not pick up, and the faults that a JSON list plans."""
    return Settings(
        seed=seed,
        odds={"answered": 6, "no_answer": 2, "busy": 2},
        webhook_retries=len(_WAITS),
        revmo=RevmoSwitches(webhook_waits=_WAITS, calls_remaining=1_000_000),
        revox=RevoxSwitches(webhook_waits=_WAITS),
        faults=read_plan(json.loads(faults)).faults,
    )


def _announce(url: str) -> None:
    sys.stdout.write(f"sandbox at {url}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # An answer of ten megabytes to a runner that was killed makes a line of every chunk.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    asyncio.run(serve_forever(settings(int(sys.argv[1]), sys.argv[2]), WallClock(), "127.0.0.1", 0, _announce))
