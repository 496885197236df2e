"""A webhook's secret that takes its time to be found holds up that webhook, and nothing else."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import replace

import pytest

from runner.engine.journal import Journal
from runner.errors import CredentialMissing, WebhookRefused
from runner.ledger.store import Store
from tests.building import account, bench


async def test_the_loop_turns_while_a_command_is_run_for_a_stranger(store: Store, journal: Journal) -> None:
    built = bench(store, journal, account("revmo", webhook_secret="cmd:slow"))
    at_once, most, lock = [0], [0], threading.Lock()

    def slowly(_: str) -> str:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        time.sleep(1.0)
        with lock:
            at_once[0] -= 1
        return "secret"

    inbox, ticks = replace(built.inbox, secret=slowly), 0
    asking = asyncio.gather(*(inbox.receive("revmo", "guess", {}, b"{}") for _ in range(2)), return_exceptions=True)
    while not asking.done():
        began = time.monotonic()
        await asyncio.sleep(0.01)
        assert time.monotonic() - began < 0.8, "the loop stood still"
        ticks += 1

    assert [type(one) for one in await asking] == [WebhookRefused] * 2
    assert ticks > 10
    assert most == [1], "one thread is enough"


async def test_a_secret_that_is_not_found_is_said_to_the_caller(store: Store, journal: Journal) -> None:
    def fail(_: str) -> str:
        raise CredentialMissing("`cmd:slow` ended with 1")

    inbox = replace(bench(store, journal, account("revmo", webhook_secret="cmd:slow")).inbox, secret=fail)
    with pytest.raises(CredentialMissing):
        await inbox.receive("revmo", "secret", {}, b"{}")
