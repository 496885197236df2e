"""What a ledger asks of where it lies: nobody else may read it, and the file system must be this machine's own.

Locks and syncs do what SQLite needs on local disks alone. Over a network, or in a folder that is
synchronised to elsewhere, two runners may both hold the lock, and what was written may be lost.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Final

from runner.errors import LedgerError

ALLOWED: Final = "OUTREACH_LEDGER_ANYWHERE"
"""an environment variable that, set to 1, allows a ledger on any file system"""
_FOREIGN: Final = frozenset(
    {"9p", "afs", "afpfs", "beegfs", "ceph", "cifs", "coda", "davfs", "drvfs", "gfs2", "glusterfs", "gpfs", "lustre", "ncpfs",
     "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"}
)  # fmt: skip
_OPEN_TO_OTHERS: Final = 0o077
_MOUNT_POINT: Final = 4
_ESCAPE = re.compile(r"\\([0-7]{3})")


def require_private(path: Path) -> None:
    """Raise LedgerError when anybody but the owner may read or write a ledger, or what lies beside it."""
    for file in (path, *(path.with_name(path.name + ending) for ending in ("-journal", "-wal", "-shm"))):
        try:
            found = file.stat().st_mode
        except (FileNotFoundError, NotADirectoryError):
            continue
        mode = stat.S_IMODE(found)
        if stat.S_ISREG(found) and mode & _OPEN_TO_OTHERS:
            raise LedgerError(
                f"others may read or change the ledger: {file} has the mode {mode:04o}", help=f"chmod 600 {file}"
            )


def require_local(path: Path, mounts: str | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Raise LedgerError when a ledger lies on a network or FUSE file system; `mounts` as /proc/self/mountinfo has them.

    Where there is no such table, nothing is known and nothing is refused.
    """
    if (os.environ if environ is None else environ).get(ALLOWED) == "1":
        return
    kind = kind_of(path, mounts if mounts is not None else _mounts())
    if kind in _FOREIGN or kind.partition(".")[0] == "fuse":  # not `fuseblk`, a disk of this machine
        raise LedgerError(
            f"the ledger at {path} lies on a file system of the kind `{kind}`, where locks and syncs cannot be relied on",
            help=f"--ledger sqlite:////var/lib/outreach/ledger.db, on a local disk   (or, at your own risk: {ALLOWED}=1)",
        )


def kind_of(path: Path, mounts: str) -> str:
    """Give the kind of the file system that a path lies on, the innermost and last mounted; empty when nobody knows."""
    place = path.absolute().resolve()
    best, found = -1, ""
    for point, kind in _points(mounts):
        if place.is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), kind
    return found


@lru_cache(maxsize=2)
def _points(mounts: str) -> tuple[tuple[Path, str], ...]:
    """Give where file systems are mounted, with their kinds, in the order of the table."""
    found = []
    for line in mounts.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if dash and len(fields) > _MOUNT_POINT and after.strip():
            point = Path(_ESCAPE.sub(lambda code: chr(int(code[1], 8)), fields[_MOUNT_POINT]))
            found.append((point, after.split(" ")[0]))
    return tuple(found)


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text("utf-8", errors="replace")
    except OSError:
        return ""
