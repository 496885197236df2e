"""One contract for every provider, over real sockets against the sandbox, which shares no code with them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from runner.errors import InDoubt, OutreachError, Rejected, Throttled
from runner.model.attempt import attempt_key
from runner.model.channel import Channel
from runner.model.json import Json
from runner.model.outcome import Observation, Outcome
from runner.model.project import PROVIDER_NAMES, Account
from runner.model.request import Finding, Order, Receipt, Sent
from runner.ports import Provider
from runner.providers.registry import KNOWN, provider_for
from runner.providers.transport import HttpTransport, Timeouts
from runner.sandbox.clock import WallClock
from runner.sandbox.faults import Fault
from runner.sandbox.server import RunningSandbox, running
from runner.sandbox.settings import RevoxSwitches, RevringSwitches, Settings, Target
from tests import parley

PHONE = "+12025550101"
SECRET = "whsec_canary"
AGENTS = {"revmo": "QUdFTlQtMDAwMQ==", "revring": "3c90c3cc-0d44-4b50-8888-8dd25736052a"}
WAYS: list[tuple[str, str, Channel]] = [
    ("revmo", "", "call"),
    ("revmo", "", "text"),
    ("revring", "", "call"),
    ("revring", "", "text"),
    ("revring", "seed", "call"),
    ("revring", "seed", "text"),
    ("revox", "A", "call"),
    ("revox", "D", "call"),
    ("movoice", "", "call"),
    ("movoice", "app", "call"),
    ("parley", "", "call"),
    ("parley", "", "text"),
]
"""parley is declared, and none of the four"""
ASKED = [way for way in WAYS if way[0] != "revmo"]
SILENT = [("revring", "", "text"), ("revring", "seed", "text")]
"""ways that have no webhooks"""
WITHOUT_KEYS = [("revring", "", "text")]
"""ways whose lists do not show the key, though another channel's do"""
OUTCOMES = ("answered", "no_answer", "busy", "voicemail", "declined", "invalid_number", "failed")
WORDS: dict[str, dict[str, str]] = {
    "revmo": {"declined": "busy", "invalid_number": "failed"},
    "revring": {"declined": "busy"},
    "revox": {},
    "movoice": {"declined": "busy", "voicemail": "answered"},
    "parley": {},
}
"""outcomes that a provider has no word for, and what they are told as"""

EVERY_WAY = pytest.mark.parametrize("way", WAYS, ids="-".join)
EVERY_WAY_TO_ASK = pytest.mark.parametrize("way", ASKED, ids="-".join)


@dataclass
class Line:
    """One way to reach people, with its sandbox: places attempts and follows them as the engine would."""

    server: RunningSandbox
    transport: HttpTransport
    account: Account
    provider: Provider
    channel: Channel

    def order(self, **changes: Any) -> Order:
        variables: dict[str, Json] = {"name": "Zoë", "visits": 2}
        plain = Order(
            campaign="renewals",
            channel=self.channel,
            agent_id=AGENTS.get(self.account.provider, "agent_12345"),
            phone=PHONE,
            from_number="+12025550190" if self.provider.capabilities.takes_from else "",
            variables=variables,
            message="See you at 3 PM." if self.channel == "text" else "",
        )
        return replace(plain, **changes)

    async def place(self, key: str, *, in_body: bool = True, **changes: Any) -> Receipt:
        request = self.provider.stamp(self.provider.build(self.order(**changes)), key, in_body=in_body)
        return self.provider.read_receipt(await self.transport.send(self.account, request))

    def sent(self, key: str, provider_id: str = "", phone: str = PHONE) -> Sent:
        return Sent(
            key=key,
            channel=self.channel,
            phone=phone,
            agent_id=self.order().agent_id,
            campaign="renewals",
            sent_at=self.server.world.clock.now(),
            provider_id=provider_id,
        )

    async def idle(self) -> None:
        for _ in range(300):
            if self.server.world.idle():
                return
            await asyncio.sleep(0.02)
        raise AssertionError("the sandbox never rests")

    async def follow(self, sent: Sent) -> Observation:
        for _ in range(200):
            request = self.provider.poll_request(sent)
            assert request is not None
            seen = self.provider.read_poll(sent, await self.transport.send(self.account, request))
            if seen.is_final:
                return seen
            await asyncio.sleep(0.02)
        raise AssertionError("it never ended")

    async def find(self, sent: Sent) -> Finding:
        for page in range(5):
            request = self.provider.find_request(sent, page)
            assert request is not None
            finding = self.provider.read_find(sent, await self.transport.send(self.account, request))
            if finding.found or not finding.more:
                return finding
        raise AssertionError("the list never ends")

    def fault(self, kind: Any, **more: Any) -> None:
        self.server.world.faults.plan((Fault(kind=kind, provider=self.account.provider, **more),))


@asynccontextmanager
async def line(way: tuple[str, str, Channel], *, key: str = "right", **settings: Any) -> AsyncIterator[Line]:
    name, generation, channel = way
    # The seed's generation knows no keys, and the sandbox plays it so.
    settings.setdefault("revring", RevringSwitches(idempotency=generation != "seed"))
    people = Settings(
        api_keys=("right",),
        ring_seconds=(0.01, 0.02),
        talk_seconds=(0.02, 0.03),
        revox=RevoxSwitches(generation="D" if generation == "D" else "A"),
        **settings,
    )
    transport = HttpTransport(lambda _reference: key, timeouts=Timeouts(read=2.0, whole=5.0))
    async with running(people, WallClock(), others=(parley.Parley,)) as server:
        account = account_at(server.url, name, generation)
        try:
            yield Line(server, transport, account, provider_for(account), channel)
        finally:
            await transport.aclose()


def account_at(url: str, name: str, generation: str) -> Account:
    if name == "parley":
        with tempfile.TemporaryDirectory() as folder:
            return parley.account(Path(folder), url)
    base = {"revring": "/v1", "revox": "/api", "movoice": "/api/v1" if generation else "/v1"}.get(name, "")
    return Account(
        name="main",
        provider=name,
        base_url=f"{url}/{name}{base}",
        allow_loopback=True,
        credential="env:KEY",
        generation=generation,
    )


def key_of(number: int) -> str:
    return attempt_key("renewals", PHONE, "call", number)


@EVERY_WAY
async def test_a_request_is_placed_once_and_carries_its_key(way: Any) -> None:
    async with line(way) as one:
        receipt = await one.place(key_of(1))
        (dial,) = one.server.world.dials()

    assert receipt.provider_id
    assert (dial.provider, dial.kind, dial.to, dial.reference) == (way[0], way[2], PHONE, key_of(1))
    assert receipt.remaining == (499 if way[0] == "revmo" and way[2] == "call" else None)


@EVERY_WAY_TO_ASK
async def test_every_end_is_read_by_asking(way: Any) -> None:
    outcomes = OUTCOMES if way[2] == "call" else ("delivered", "failed")
    phones = {outcome: f"+120255501{number:02}" for number, outcome in enumerate(outcomes)}
    async with line(way, script={phone: (outcome,) for outcome, phone in phones.items()}) as one:
        for number, (outcome, phone) in enumerate(phones.items()):
            receipt = await one.place(key_of(number), phone=phone)
            if way[2] == "text":
                await one.idle()  # a text is live until the carrier has handed it over
            seen = await one.follow(one.sent(key_of(number), receipt.provider_id, phone))

            assert seen.outcome == Outcome(WORDS[way[0]].get(outcome, outcome))
            assert seen.provider_id == receipt.provider_id
            assert seen.words
            if outcome == "answered":
                assert seen.transcript
                assert seen.summary
                assert seen.duration_seconds is not None


@EVERY_WAY_TO_ASK
@pytest.mark.parametrize("in_body", [True, False], ids=["metadata", "header"])
async def test_a_request_whose_answer_was_lost_is_found(way: Any, in_body: bool) -> None:
    async with line(way) as one:
        one.fault("drop_after", path=None)
        sent = one.sent(key_of(1))
        with pytest.raises(InDoubt):
            await one.place(key_of(1), in_body=in_body)
        finding = await one.find(sent)
        (dial,) = one.server.world.dials()

        assert finding.found
        assert finding.provider_id == dial.id
        seen = await one.follow(replace(sent, provider_id=finding.provider_id))
        assert seen.is_final


@EVERY_WAY_TO_ASK
async def test_a_request_that_never_arrived_is_not_found(way: Any) -> None:
    async with line(way) as one:
        await one.place(key_of(1), phone="+12025550177")
        one.fault("drop_before")
        with pytest.raises(InDoubt):
            await one.place(key_of(2))
        finding = await one.find(one.sent(key_of(2)))

        assert not finding.found
        assert [dial.to for dial in one.server.world.dials()] == ["+12025550177"]


@EVERY_WAY_TO_ASK
async def test_two_attempts_at_one_person_are_told_apart_by_their_keys_or_not_at_all(way: Any) -> None:
    async with line(way) as one:
        receipts = [await one.place(key_of(number)) for number in (1, 2)]
        by_key = one.provider.capabilities.find == "reference" and way not in WITHOUT_KEYS
        for number, receipt in zip((1, 2), receipts, strict=True):
            if by_key:
                assert (await one.find(one.sent(key_of(number)))).provider_id == receipt.provider_id
            else:
                with pytest.raises(InDoubt):
                    await one.find(one.sent(key_of(number)))


@EVERY_WAY
async def test_a_wrong_key_pauses_the_account_and_dials_nobody(way: Any) -> None:
    async with line(way, key="wrong") as one:
        with pytest.raises(Rejected) as refused:
            await one.place(key_of(1))

        assert refused.value.pause
        assert one.server.world.dials() == ()


@EVERY_WAY
@pytest.mark.parametrize("status", [400, 404, 422])
async def test_a_refusal_is_final(way: Any, status: int) -> None:
    async with line(way) as one:
        one.fault("status", status=status, body={"error": "no"})
        with pytest.raises(Rejected) as refused:
            await one.place(key_of(1))

        assert not refused.value.pause


@EVERY_WAY
async def test_not_now_says_when(way: Any) -> None:
    async with line(way) as one:
        one.fault("status", status=429, headers={"Retry-After": "7"})
        with pytest.raises(Throttled) as refused:
            await one.place(key_of(1))

        assert refused.value.retry_after == 7


@EVERY_WAY
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "effect": True},
        {"kind": "status", "status": 503, "effect": False},
        {"kind": "status", "status": 200, "body": "<html>", "effect": True},
        {"kind": "status", "status": 200, "body": {"ok": True}, "effect": True},
    ],
    ids=["500 with effect", "503 without", "html", "no id"],
)
async def test_an_answer_that_proves_nothing_is_a_doubt(way: Any, fault: Any) -> None:
    async with line(way) as one:
        one.fault(**fault)
        with pytest.raises(InDoubt):
            await one.place(key_of(1))

        assert len(one.server.world.dials()) == int(fault["effect"])


@asynccontextmanager
async def receiving(into: list[tuple[dict[str, str], bytes]]) -> AsyncIterator[str]:
    """Take in webhooks on a raw socket: header names in lower case, the body as it came."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
                headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in head)}
                into.append((headers, await reader.readexactly(int(headers["content-length"]))))
                writer.write(b"HTTP/1.1 204 OK\r\nContent-Length: 0\r\n\r\n")
        except (ConnectionError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    finally:
        server.close()


@pytest.mark.parametrize("way", [way for way in WAYS if way not in SILENT], ids="-".join)
async def test_every_end_is_told_by_webhook(way: Any) -> None:
    name, _, channel = way
    outcomes = OUTCOMES if channel == "call" else ("delivered", "failed")
    phones = {outcome: f"+120255501{number:02}" for number, outcome in enumerate(outcomes)}
    told: list[tuple[dict[str, str], bytes]] = []
    script = {phone: (outcome,) for outcome, phone in phones.items()}
    async with receiving(told) as url, line(way, script=script) as one:
        one.server.world.webhooks.aim({name: Target(url=url, secret=SECRET)})
        placed = {}
        for number, (outcome, phone) in enumerate(phones.items()):
            receipt = await one.place(key_of(number), phone=phone)
            placed[receipt.provider_id] = outcome
        await one.idle()
        now = one.server.world.clock.now()
        ends: dict[str, Outcome | None] = {}
        for headers, body in told:
            assert one.provider.verify_webhook(headers, body, SECRET, now) is (name in {"revring", "movoice", "parley"})
            assert not one.provider.verify_webhook(headers, body + b" ", SECRET, now)
            for seen in one.provider.read_webhook(headers, body):
                outcome = placed[seen.provider_id]
                ends[outcome] = seen.outcome or ends.get(outcome)

    untold = {"no_answer", "busy", "declined", "invalid_number", "failed"} if name == "revox" else set()
    assert ends == {
        outcome: None if outcome in untold else Outcome(WORDS[name].get(outcome, outcome)) for outcome in outcomes
    }


def test_every_provider_is_held_to_the_contract_in_every_channel_that_it_has() -> None:
    known = {(type(provider), channel) for provider in KNOWN.values() for channel in provider.capabilities.channels}
    held = {(type(KNOWN[name, generation]), channel) for name, generation, channel in WAYS if name != "parley"}

    assert held == known
    assert {name for name, _, _ in WAYS} == {*PROVIDER_NAMES, "parley"}


@EVERY_WAY
async def test_what_it_says_it_can_do_is_what_it_does(way: Any) -> None:
    async with line(way) as one:
        can, sent = one.provider.capabilities, one.sent(key_of(1), "id_1")

        assert one.channel in can.channels
        assert (one.provider.poll_request(sent) is not None) is can.poll
        assert (one.provider.find_request(sent, 0) is not None) is (can.find != "none")
        if one.channel == "call":
            ids = {(await one.place(key_of(1))).provider_id for _ in range(2)}
            assert len(ids) == len(one.server.world.dials()) == (1 if can.idempotent else 2)
        if can.needs_from and one.channel == "call":
            with pytest.raises(OutreachError):
                await one.place(key_of(2), from_number="")


async def test_revring_places_one_call_for_one_key_however_often_it_is_asked() -> None:
    async with line(("revring", "", "call")) as one:
        receipts = await asyncio.gather(*(one.place(key_of(1)) for _ in range(5)))

        assert len({receipt.provider_id for receipt in receipts}) == 1
        assert len(one.server.world.dials()) == 1


async def test_revring_without_a_free_line_says_not_now() -> None:
    switches = RevringSwitches(concurrency=1)
    async with line(("revring", "", "call"), revring=switches) as one:
        await one.place(key_of(1))
        with pytest.raises(Throttled):
            await one.place(key_of(2), phone="+12025550102", options={"skipQueue": True})

        assert len(one.server.world.dials()) == 1
