"""One contract for every provider's own campaigns, over real sockets against the sandbox, which shares no code with them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from runner.errors import InDoubt, Rejected, WrongGeneration
from runner.model.handover import HandedContact, Handover, NativeRow, NativeStatus
from runner.model.outcome import Outcome
from runner.model.project import Account
from runner.model.request import Finding, Request
from runner.model.retry import Retry
from runner.ports import NativeCampaigns
from runner.providers.movoice import MovoiceApp
from runner.providers.registry import provider_for
from runner.providers.transport import HttpTransport, Timeouts
from runner.sandbox.clock import WallClock
from runner.sandbox.faults import Fault
from runner.sandbox.server import RunningSandbox, running
from runner.sandbox.settings import MovoiceSwitches, RevoxSwitches, Settings
from tests.providers.support import ALWAYS, KEY

NOON = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)
BASES = {"revring": "/v1", "revox": "/api", "movoice": "/v1"}
WAYS = [("revring", ""), ("revox", "A"), ("revox", "D"), ("movoice", "")]
LISTED = [way for way in WAYS if way[0] != "movoice"]
OUTCOMES = ("answered", "no_answer", "busy", "voicemail", "declined", "invalid_number", "failed")
WORDS: dict[str, dict[str, str]] = {
    "revring": {"invalid_number": "failed"},
    "revox": {},
    "movoice": {
        "declined": "failed",
        "voicemail": "answered",
        **dict.fromkeys(("no_answer", "busy", "invalid_number"), "failed"),
    },
}
"""outcomes that a provider's campaigns have no word for, and what they are told as"""

EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids="-".join)
EVERY_LISTED_WAY = pytest.mark.parametrize("way", LISTED, ids="-".join)


@dataclass
class Desk:
    """Hands over to one provider's sandbox and follows what becomes of it."""

    server: RunningSandbox
    transport: HttpTransport
    account: Account
    native: NativeCampaigns

    async def ask(self, request: Request | None) -> Any:
        assert request is not None
        return await self.transport.send(self.account, request)

    async def create(self, handover: Handover) -> str:
        assert self.native.problem(handover) is None
        return self.native.read_created(await self.ask(self.native.create(handover)))

    async def launch(self, native_id: str) -> bool:
        request = self.native.launch(native_id)
        return True if request is None else self.native.read_done(await self.ask(request))

    async def hand_over(self, handover: Handover) -> str:
        native_id = await self.create(handover)
        assert await self.launch(native_id)
        return native_id

    async def rows(self, native_id: str) -> dict[str, NativeRow]:
        found: dict[str, NativeRow] = {}
        for page in range(20):
            seen = self.native.read_rows(await self.ask(self.native.rows_request(native_id, page)))
            assert not {row.phone for row in seen.rows} & set(found)
            found |= {row.phone: row for row in seen.rows}
            if not seen.has_more:
                return found
        raise AssertionError("the pages never end")

    async def ends(self, native_id: str, count: int) -> dict[str, NativeRow]:
        for _ in range(300):
            rows = await self.rows(native_id)
            if len(rows) == count and all(row.ended for row in rows.values()):
                return rows
            await asyncio.sleep(0.02)
        raise AssertionError(f"it never ended: {rows}")

    async def status(self, native_id: str) -> NativeStatus:
        return self.native.read_status(await self.ask(self.native.status_request(native_id)))

    async def find(self, name: str) -> Finding:
        return self.native.read_find(name, await self.ask(self.native.find_request(name, 0)))

    async def control(self, native_id: str, action: Any) -> bool:
        return self.native.read_done(await self.ask(self.native.control(native_id, action)))

    def fault(self, kind: Any) -> None:
        self.server.world.faults.plan((Fault(kind=kind, provider=self.account.provider, path=None),))


@asynccontextmanager
async def desk(
    way: tuple[str, str], *, key: str = "right", speaks: str = "", speed: float = 30.0, **settings: Any
) -> AsyncIterator[Desk]:
    """Run a sandbox, and a provider pinned to the way's generation; ``speaks`` is another one that answers."""
    name, generation = way
    usual: dict[str, Any] = {
        "ring_seconds": (0.3, 0.6),
        "talk_seconds": (0.6, 0.9),
        "revox": RevoxSwitches(generation="D" if (speaks or generation) == "D" else "A"),
    }
    people = Settings(api_keys=("right",), **usual | settings)
    transport = HttpTransport(lambda _reference: key, timeouts=Timeouts(read=2.0, whole=5.0))
    async with running(people, WallClock(speed, start=NOON)) as server:
        account = Account(
            name="main",
            provider=name,
            base_url=f"{server.url}/{name}{BASES[name]}",
            allow_loopback=True,
            credential="env:KEY",
            generation=generation,
            plan="business" if name == "movoice" else None,
        )
        native = provider_for(account).native
        assert native is not None
        try:
            yield Desk(server, transport, account, native)
        finally:
            await transport.aclose()


def people(count: int) -> tuple[HandedContact, ...]:
    return tuple(
        HandedContact(phone=f"+1202555{number:04}", variables={"name": f"Person {number}"}, timezone="UTC")
        for number in range(100, 100 + count)
    )


def handover(way: tuple[str, str], count: int = 3, **changes: Any) -> Handover:
    name, _ = way
    plain: dict[str, Any] = {
        "key": KEY,
        "campaign": "renewals",
        "agent_id": "3c90c3cc-0d44-4b50-8888-8dd25736052a",
        "people": people(count),
        "windows": ALWAYS,
        "timezone": "contact",
        "retry": Retry(attempts=1),
        "concurrency": 10,
        "per_second": 10.0 if name == "revring" else None,
        "from_number": "" if name == "movoice" else "+12025550190",
        "options": {},
    }
    return Handover(**plain | changes)


@EVERY_WAY
async def test_everybody_is_dialled_once_and_every_end_is_told(way: Any) -> None:
    asked_for = handover(way, len(OUTCOMES))
    script = {person.phone: (outcome,) for person, outcome in zip(asked_for.people, OUTCOMES, strict=True)}
    async with desk(way, script=script) as one:
        rows = await one.ends(await one.hand_over(asked_for), len(OUTCOMES))
        dials = one.server.world.dials()

    assert sorted(dial.to for dial in dials) == sorted(script)
    for phone, (outcome,) in script.items():
        row = rows[phone]
        assert row.ended is not None
        assert row.ended.outcome == Outcome(WORDS[way[0]].get(outcome, outcome))
        assert row.ended.provider_id
        assert (row.calls, row.is_calling) == (1, False)


@EVERY_WAY
async def test_nobody_is_dialled_before_the_launch(way: Any) -> None:
    async with desk(way) as one:
        native_id = await one.create(handover(way))
        await asyncio.sleep(0.1)
        dialled = len(one.server.world.dials())
        if one.native.launch(native_id) is None:
            assert dialled == 3
            return
        assert (dialled, await one.status(native_id)) == (0, NativeStatus.DRAFT)
        assert {row.calls for row in (await one.rows(native_id)).values()} == {0}
        assert await one.launch(native_id)
        await one.ends(native_id, 3)

        assert len(one.server.world.dials()) == 3


@pytest.mark.parametrize("way", [("revring", ""), ("revox", "D")], ids="-".join)
async def test_a_second_launch_changes_nothing(way: Any) -> None:
    async with desk(way) as one:
        native_id = await one.hand_over(handover(way))
        again = await one.launch(native_id)
        await one.ends(native_id, 3)
        after = await one.launch(native_id)
        await asyncio.sleep(0.1)

        assert (again, after) == ((False, False) if way[0] == "revring" else (True, True))
        assert len(one.server.world.dials()) == 3
        assert await one.status(native_id) is NativeStatus.COMPLETED


async def test_chunks_are_added_and_a_chunk_twice_changes_nothing() -> None:
    way = ("revring", "")
    whole = handover(way, 5)
    first, second = (replace(whole, people=whole.people[:3]), replace(whole, people=whole.people[3:]))
    async with desk(way) as one:
        native_id = await one.create(first)
        for _ in range(2):
            assert one.native.read_done(await one.ask(one.native.add(native_id, second)))
        assert await one.launch(native_id)
        await one.ends(native_id, 5)

        assert len(one.server.world.dials()) == 5


@EVERY_WAY
async def test_a_campaign_whose_answer_was_lost_is_found_by_its_name_or_not_at_all(way: Any) -> None:
    asked_for = handover(way)
    async with desk(way) as one:
        await one.create(replace(asked_for, key="f" * 32, people=people(5)[3:]))
        one.fault("drop_after")
        with pytest.raises(InDoubt):
            await one.create(asked_for)
        if one.native.find_request(asked_for.name, 0) is None:
            assert way[0] == "movoice"
            return
        finding = await one.find(asked_for.name)
        assert finding.found
        assert await one.launch(finding.provider_id)
        rows = await one.ends(finding.provider_id, 3)

        assert set(rows) == {person.phone for person in asked_for.people}


@EVERY_LISTED_WAY
async def test_a_campaign_that_never_arrived_is_not_found(way: Any) -> None:
    asked_for = handover(way)
    async with desk(way) as one:
        await one.create(replace(asked_for, key="f" * 32))
        dialled = len(one.server.world.dials())
        one.fault("drop_before")
        with pytest.raises(InDoubt):
            await one.create(asked_for)
        finding = await one.find(asked_for.name)

        assert (finding.found, finding.more) == (False, False)
        assert len(one.server.world.dials()) == dialled


@EVERY_LISTED_WAY
async def test_it_is_paused_resumed_and_cancelled(way: Any) -> None:
    async with desk(way, ring_seconds=(3.0, 3.0), talk_seconds=(1.0, 1.0)) as one:
        native_id = await one.hand_over(handover(way, 6, concurrency=1))
        assert await one.status(native_id) is NativeStatus.RUNNING
        assert await one.control(native_id, "pause")
        assert await one.status(native_id) is NativeStatus.PAUSED
        await asyncio.sleep(0.3)
        paused_with = len(one.server.world.dials())
        await asyncio.sleep(0.3)
        assert len(one.server.world.dials()) == paused_with < 6
        assert await one.control(native_id, "resume")
        assert await one.status(native_id) is NativeStatus.RUNNING
        assert await one.control(native_id, "cancel")
        rows = await one.ends(native_id, 6)

        assert await one.status(native_id) is NativeStatus.CANCELLED
        assert sum(row.calls for row in rows.values()) == len(one.server.world.dials()) < 6
        untouched = [row.ended.outcome for row in rows.values() if row.ended and not row.calls]
        assert untouched
        assert set(untouched) == {Outcome.CANCELLED}


@pytest.mark.parametrize("own_rules", [False, True])
@pytest.mark.parametrize(("pinned", "speaks"), [("A", "D"), ("D", "A")])
async def test_the_other_generation_is_noticed(pinned: str, speaks: str, own_rules: bool) -> None:
    async with desk(("revox", pinned), speaks=speaks) as one:
        with pytest.raises(WrongGeneration) as wrong:
            await one.create(handover(("revox", pinned), own_rules=own_rules))
        await asyncio.sleep(0.1)

        assert wrong.value.pause
        assert wrong.value.is_dialling is (speaks == "A")
        assert len(one.server.world.dials()) == (3 if speaks == "A" else 0)


@EVERY_WAY
async def test_a_wrong_key_pauses_the_account_and_dials_nobody(way: Any) -> None:
    async with desk(way, key="wrong") as one:
        with pytest.raises(Rejected) as refused:
            await one.create(handover(way))

        assert refused.value.pause
        assert one.server.world.dials() == ()


@pytest.mark.parametrize(("way", "count"), [(("revring", ""), 501), (("revox", "A"), 101), (("revox", "D"), 501)])
async def test_every_page_of_people_is_read(way: Any, count: int) -> None:
    start = NOON + timedelta(days=1) if way == ("revox", "A") else None
    async with desk(way) as one:
        native_id = await one.create(handover(way, count, start_at=start))
        rows = await one.rows(native_id)

        assert len(rows) == count
        assert {row.calls for row in rows.values()} == {0}
        assert one.server.world.dials() == ()


@EVERY_LISTED_WAY
async def test_the_providers_own_retries_count_and_never_go_beyond_ours(way: Any) -> None:
    asked_for = handover(way, 2, retry=Retry(attempts=3, after=timedelta(minutes=10)))
    ana, sam = (person.phone for person in asked_for.people)
    async with desk(way, speed=6_000.0, script={ana: ("no_answer", "answered"), sam: ("busy",)}) as one:
        rows = await one.ends(await one.hand_over(asked_for), 2)
        dials = one.server.world.dials()

    assert {phone: (row.calls, row.ended and row.ended.outcome) for phone, row in rows.items()} == {
        ana: (2, Outcome.ANSWERED),
        sam: (3, Outcome.BUSY),
    }
    assert sorted(dial.to for dial in dials) == sorted([ana, ana, sam, sam, sam])


@pytest.mark.parametrize("envelope", [False, True])
async def test_movoices_other_host_is_read_too(envelope: bool) -> None:
    way = ("movoice", "")
    async with desk(way, movoice=MovoiceSwitches(data_envelope=envelope)) as one:
        account = replace(one.account, base_url=one.account.base_url.replace("/v1", "/api/v1"))
        native = MovoiceApp(plan="business").native
        assert native is not None
        other = replace(one, account=account, native=native)
        rows = await other.ends(await other.hand_over(handover(way, 25)), 25)

        assert len(rows) == 25
        assert len(one.server.world.dials()) == 25
