"""The corpus of URLs, and what the product does with each: refused by its file, or before a byte leaves."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from runner.errors import FilesWrong, Rejected, SendError
from runner.files.project import read_project
from runner.model.project import Account
from runner.model.request import Request
from runner.providers.addresses import guarded_transport
from runner.providers.transport import HttpTransport, Timeouts

CORPUS = Path(__file__).with_name("urls.txt")
KEY = "sk_canary_0123456789"


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileUrl:
    """One line of the corpus."""

    url: str
    what: str
    addresses: tuple[str, ...] = ()
    """what a resolver says of its host; empty when the URL itself is the fault"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """How a URL was refused; empty sentences when it was not."""

    by_file: str = ""
    """what `validate` says, with line and column"""
    by_sender: str = ""
    """what the sender says"""
    asked: int = 0
    """how often a resolver was asked"""


def corpus() -> list[HostileUrl]:
    """Read the corpus."""
    found = []
    for line in CORPUS.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            left, _, what = line.partition("  # ")
            url, _, addresses = left.partition(" -> ")
            found.append(HostileUrl(url=url, what=what, addresses=tuple(addresses.split())))
    return found


def refusal_of(one: HostileUrl) -> Refusal:
    """Give a URL to the file's reader and to the sender."""
    return asyncio.run(_sent(one, _read(one.url)))


def _read(url: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "outreach.yaml"
        file.write_text(f"accounts:\n  team:\n    provider: revox\n    base_url: '{url}'\n", "utf-8")
        try:
            read_project(file, Path(folder), shown="outreach.yaml")
        except FilesWrong as wrong:
            one = wrong.diagnostics[0]
            assert one.span is not None
            return f"{one.file}:{one.span.line}:{one.span.column}: {one.message}"
    return ""


async def _sent(one: HostileUrl, by_file: str) -> Refusal:
    asked = 0

    async def resolve(host: str, port: int) -> Sequence[str]:
        nonlocal asked
        asked += 1
        return one.addresses or ("203.0.113.9",)

    timeouts = Timeouts(connect=0.5, write=0.5, read=0.5, pool=0.5, whole=2.0)
    sender = HttpTransport(lambda _: KEY, timeouts=timeouts, network=partial(guarded_transport, resolve=resolve)())
    account = Account(name="team", provider="revox", base_url=one.url, credential="env:KEY")
    try:
        await sender.send(account, Request(method="POST", path="/call", body={"to": "+12025550143"}))
    except Rejected as refused:
        return Refusal(by_file=by_file, by_sender=refused.message, asked=asked)
    except SendError as error:
        # What cannot even be written as a request is refused too; a host that was not reached was tried.
        is_unwritten = "cannot be written" in error.message or "is not a port" in error.message
        return Refusal(by_file=by_file, by_sender=error.message if is_unwritten else "", asked=asked)
    finally:
        await sender.aclose()
    return Refusal(by_file=by_file)
