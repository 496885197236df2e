"""Which process this is, and whether another one of this machine still lives."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from runner import __version__
from runner.model.lease import Holder

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def this_process() -> Holder:
    """Give this process as the holder of a lease."""
    return Holder(
        host=socket.gethostname(), boot=_boot_id(), pid=os.getpid(), began=_began(os.getpid()), version=__version__
    )


def is_proven_dead(holder: Holder, mine: Holder) -> bool:
    """Whether a holder has certainly ended: only a process of this machine, since its last start, can be looked for.

    A process that merely sleeps or is stopped is alive.
    """
    if (holder.host, holder.boot) != (mine.host, mine.boot):
        return False
    if holder.pid == mine.pid:  # an engine of this very process, or a process that ended before this one began
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    began = _began(holder.pid)
    return bool(holder.began and began) and began != holder.began


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text("ascii").strip()
    except OSError:
        return ""


def _began(pid: int) -> int:
    """Give when a process began, in ticks since the machine's start; 0 where the system does not say."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
        return int(text.rpartition(")")[2].split()[19])
    except (OSError, ValueError, IndexError):
        return 0
