"""Who works at the command line: written beside everything that a person decides."""

from __future__ import annotations

import getpass
import socket


def operator() -> str:
    """Give the account and the machine, such as `anna@laptop`."""
    return f"{getpass.getuser()}@{socket.gethostname()}"
