"""Send requests to an address whose answers are far too large, and print by how many KiB the process grew."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from runner.errors import InDoubt
from runner.model.project import Account
from runner.model.request import Request
from runner.providers.transport import HttpTransport

_TRIES = 12


def _most_memory() -> int:
    """Give the most memory that this process ever had in use, in KiB."""
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


async def _swallow(url: str) -> None:
    account = Account(name="main", provider="revring", base_url=url, allow_loopback=True, credential="env:KEY")
    dial = Request(method="POST", path="/calls", body={"toNumber": "+12025550101"})
    sender = HttpTransport(lambda _: "a-key")
    before = 0
    for number in range(_TRIES):
        try:
            await sender.send(account, dial)
        except InDoubt:
            before = before or _most_memory()  # what the first request loads counts for nothing
            print(number, _most_memory() - before, flush=True)  # noqa: T201 read by the test
    await sender.aclose()


if __name__ == "__main__":
    asyncio.run(_swallow(sys.argv[1]))
