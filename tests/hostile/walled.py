"""Run one command in many folders, in a process that ends as soon as anything reaches for the network or a program."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from runner.cli.main import run

REACHED_OUT = 99
"""the exit code of a process that tried"""

_FORBIDDEN = frozenset({
    "socket.connect", "socket.bind", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg",
    "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.spawn", "urllib.Request", "ftplib.connect",
})  # fmt: skip
_GIT = frozenset({"rev-parse", "status"})


def _wall(event: str, arguments: tuple[object, ...]) -> None:
    """Let git be asked for the commit, and nothing else leave the process."""
    if event == "subprocess.Popen":
        words = [str(one) for one in arguments[1]] if isinstance(arguments[1], (list, tuple)) else [str(arguments[1])]
        if words[0] == "git" and len(_GIT.intersection(words)) == 1:
            return
    elif event not in _FORBIDDEN:
        return
    sys.stderr.write(f"reached out: {event} {arguments!r}\n")
    sys.stderr.flush()
    os._exit(REACHED_OUT)


def main() -> None:
    """Take the command's words, ` -- ` and folders; write a line for each folder: its exit code."""
    at = sys.argv.index("--")
    words, folders = sys.argv[1:at], sys.argv[at + 1 :]
    sys.addaudithook(_wall)
    for folder in folders:
        os.chdir(folder)
        code = run(list(words))
        sys.stderr.write(f"{Path(folder).name}: exit {int(code)}\n")


if __name__ == "__main__":
    main()
