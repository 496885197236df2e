"""The stop for everything: while a file of that name lies beside the ledger, every campaign is paused and nothing leaves."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from runner.ports import Ledger
from runner.ports.telemetry import named

log = logging.getLogger(__name__)

STOP_FILE: Final = "STOP"
"""the file's name, in the ledger's folder"""
WHY: Final = "the file STOP lies beside the ledger"
"""why campaigns are paused then; only a person resumes them"""


@dataclass(frozen=True, slots=True)
class StopFile:
    """Looks for the file inside the transactions that decide what leaves."""

    is_there: Callable[[], bool] = lambda: False

    @classmethod
    def beside(cls, ledger: Path) -> StopFile:
        """Look beside a ledger; what the file holds, and whether it can be read, does not matter."""
        path = os.fspath(ledger.parent / STOP_FILE)
        return cls(lambda: os.path.lexists(path))

    def heed(self, ledger: Ledger, now: datetime) -> None:
        """Pause every campaign that is not, inside the transaction that is open, while the file is there."""
        if not self.is_there():
            return
        for one in ledger.campaigns_in_force():
            if one.is_active:
                ledger.pause(one.name, WHY, now)
                log.warning("campaign %s is paused: %s", one.name, WHY, extra=named("stop_file"))
