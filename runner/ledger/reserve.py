"""A reserve of disk space beside the ledger, given up when the disk is full so that outcomes still land."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runner.ports.telemetry import named

log = logging.getLogger(__name__)

RESERVED: Final = 16 * 1024 * 1024
"""bytes: room for some ten thousand outcomes and for the rollback journal of their transactions"""


class Reserve:
    """A file that takes up space while a runner runs. Beside the ledger, since a full disk lets SQLite free no page of its own."""

    def __init__(self, ledger: Path) -> None:
        self._path = ledger.with_name(ledger.name + ".reserve")

    def lay(self) -> bool:
        """Take the space up; whether there is enough."""
        try:
            handle = os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600)
            try:
                _fill(handle)
            finally:
                os.close(handle)
        except OSError as error:
            self.spend()
            log.warning(
                "no space could be reserved beside the ledger (%s): if its disk gets full, outcomes may have to be asked for again",
                error.strerror, extra=named("no_reserve"),
            )  # fmt: skip
            return False
        return True

    def spend(self) -> bool:
        """Give the space up; whether there was any."""
        try:
            self._path.unlink()
        except OSError:
            return False
        return True


@contextmanager
def reserved(ledger: Path) -> Iterator[Reserve]:
    """Keep space beside a ledger while a runner runs."""
    reserve = Reserve(ledger)
    reserve.lay()
    try:
        yield reserve
    finally:
        reserve.spend()


def _fill(handle: int) -> None:
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(handle, 0, RESERVED)
        return
    piece = bytes(1024 * 1024)
    for _ in range(RESERVED // len(piece)):
        os.write(handle, piece)
