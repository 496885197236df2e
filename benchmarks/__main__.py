"""Run all measurements, or those that are named: `python -m benchmarks lateness planning`."""

from __future__ import annotations

import platform
import sqlite3
import sys
from collections.abc import Callable

from benchmarks import handing_over, lateness, planning, rules, throughput, windows

ALL: dict[str, Callable[[], None]] = {
    "lateness": lateness.main,
    "planning": planning.main,
    "rules": rules.main,
    "windows": windows.main,
    "throughput": throughput.main,
    "handing_over": handing_over.main,
}


def main() -> None:
    """Run what was asked for."""
    names = sys.argv[1:] or list(ALL)
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {platform.machine()}\n")
    for name in names:
        ALL[name]()
        print()


if __name__ == "__main__":
    main()
