"""Movoice lists that a call ended, and its own record says how: the record is asked for, once for each person."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from runner.engine.accounts import Accounts
from runner.engine.journal import Journal
from runner.engine.native import NativeDelivery
from runner.errors import InDoubt
from runner.ledger.store import Store
from runner.model.project import Account
from runner.model.request import Reply, Request
from runner.providers.registry import provider_for
from tests.building import NOON, account, apply, bench, campaign, contact, phone, reply
from tests.engine.native_server import NativeBench, NativeServer

MOVOICE = account("movoice", plan="business")
PEOPLE = tuple(contact(number) for number in range(3))
NATIVE = campaign(steps=[{"call": "agent", "delivery": "native"}], limits={"concurrency": 3})
BRIEF = {0: "completed", 1: "failed", 2: "failed"}
RECORDS: dict[int, dict[str, Any]] = {
    0: {"status": "completed", "outcome": "BOOKED", "summary": "Friday.", "duration": 45},
    1: {"status": "failed", "reason": "busy"},
    2: {"status": "failed", "reason": "invalid_number"},
}


@dataclass
class Movoice:
    """A server that lists calls without reasons, and tells them in each call's own record."""

    made: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """how often each call's record was asked for"""
    trouble: list[Reply | Exception] = field(default_factory=list)
    """what the next requests for a record meet"""

    async def send(self, account: Account, request: Request) -> Reply:  # noqa: ARG002 the port hands it over
        """Answer one request."""
        path, _, _ = request.path.partition("?")
        now = int(NOON.timestamp())
        if request.method == "POST":
            self.made += 1
            return reply({"batch_id": "b1", "created_at": now})
        if path == "/calls":
            calls = [
                {"call_id": f"c{n}", "recipient_phone": phone(n), "status": status, "created_at": now}
                for n, status in BRIEF.items()
            ]
            return reply({"calls": calls, "total": 3, "offset": 0})
        call = path.rpartition("/")[2]
        self.asked[call] += 1
        if self.trouble:
            met = self.trouble.pop(0)
            if isinstance(met, Exception):
                raise met
            return met
        return reply({"call_id": call, "recipient_phone": phone(int(call[1])), **RECORDS[int(call[1])]})


@pytest.fixture
def server() -> Movoice:
    return Movoice()


@pytest.fixture
def handed(store: Store, journal: Journal, server: Movoice) -> NativeBench:
    apply(store, NATIVE, PEOPLE, MOVOICE)
    made = bench(store, journal, MOVOICE)
    accounts = Accounts({"movoice": MOVOICE}, {"movoice": provider_for(MOVOICE)})
    tools = replace(made.reconciliation, transport=server, accounts=accounts)
    made.reconciliation, made.accounts = tools, accounts
    return NativeBench(engine=made, server=NativeServer(), native=NativeDelivery.over(tools))


def ends(store: Store) -> list[tuple[str, str]]:
    rows = store._connection.execute("SELECT outcome, tag FROM attempts WHERE state = 'finished' ORDER BY phone")
    return [(row["outcome"], row["tag"]) for row in rows]


RIGHT = [("answered", "BOOKED"), ("busy", ""), ("invalid_number", "")]


async def test_each_end_is_the_one_that_the_record_tells(handed: NativeBench, server: Movoice) -> None:
    await handed.until_done()

    assert ends(handed.store) == RIGHT
    assert (server.made, server.asked) == (1, {"c0": 1, "c1": 1, "c2": 1})


@pytest.mark.parametrize("trouble", [InDoubt("no answer came"), reply({}, 500), reply({"call_id": "c0"})])
async def test_a_record_that_is_not_told_now_is_asked_for_again(
    handed: NativeBench, server: Movoice, trouble: Any
) -> None:
    server.trouble = [trouble]
    await handed.until_done()

    assert ends(handed.store) == RIGHT
    assert server.asked == {"c0": 2, "c1": 1, "c2": 1}


async def test_without_a_record_the_list_s_word_is_all_there_is(handed: NativeBench, server: Movoice) -> None:
    server.trouble = [reply({"error": "call not found"}, 404) for _ in range(3)]
    await handed.until_done()

    assert ends(handed.store) == [("answered", ""), ("failed", ""), ("failed", "")]
    assert server.asked == {"c0": 1, "c1": 1, "c2": 1}
