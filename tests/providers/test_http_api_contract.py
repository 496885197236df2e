"""The contract of every provider, held by one that is only declared, over real sockets against an API of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runner.errors import InDoubt, Rejected, SendError, Throttled, WebhookRefused
from runner.files.project import load_project
from runner.model.attempt import attempt_key
from runner.model.channel import Channel
from runner.model.outcome import Observation, Outcome
from runner.model.project import Account, resolve_account
from runner.model.request import Finding, Order, Receipt, Sent
from runner.ports import Provider
from runner.providers.registry import all_providers, provider_for
from runner.providers.transport import HttpTransport, Timeouts
from tests.providers import acme as other
from tests.providers.acme import Acme, Fault

PHONE = "+12025550101"
CHANNELS: tuple[Channel, ...] = ("call", "text")
EVERY_CHANNEL = pytest.mark.parametrize("channel", CHANNELS)
ENDS = {
    "done": Outcome.ANSWERED,
    "rang_out": Outcome.NO_ANSWER,
    "engaged": Outcome.BUSY,
    "machine": Outcome.VOICEMAIL,
    "refused": Outcome.DECLINED,
    "dead_number": Outcome.INVALID_NUMBER,
    "broken": Outcome.FAILED,
}


@dataclass
class Line:
    """One channel of Acme, placed and followed as the engine would."""

    acme: Acme
    transport: HttpTransport
    account: Account
    provider: Provider
    channel: Channel

    def order(self, **changes: Any) -> Order:
        plain = Order(
            campaign="renewals",
            channel=self.channel,
            agent_id="assistant-7",
            phone=PHONE,
            variables={"name": "Zoë", "visits": 2},
            message="See you at 3 PM." if self.channel == "text" else "",
        )
        return replace(plain, **changes)

    async def place(self, key: str, **changes: Any) -> Receipt:
        request = self.provider.stamp(self.provider.build(self.order(**changes)), key, in_body=True)
        return self.provider.read_receipt(await self.transport.send(self.account, request))

    def sent(self, key: str, provider_id: str = "", phone: str = PHONE) -> Sent:
        now = datetime.now(UTC)  # noqa: TID251 real sockets, real time
        return Sent(
            key=key, channel=self.channel, phone=phone, agent_id="assistant-7", campaign="renewals",
            sent_at=now, provider_id=provider_id,
        )  # fmt: skip

    async def follow(self, sent: Sent) -> tuple[list[str], Observation]:
        words: list[str] = []
        for _ in range(10):
            request = self.provider.poll_request(sent)
            assert request is not None
            seen = self.provider.read_poll(sent, await self.transport.send(self.account, request))
            words.append(seen.words["outcome"])
            if seen.is_final:
                return words, seen
        raise AssertionError("it never ended")

    async def find(self, sent: Sent) -> Finding:
        for page in range(9):
            request = self.provider.find_request(sent, page)
            assert request is not None
            finding = self.provider.read_find(sent, await self.transport.send(self.account, request))
            if finding.found or not finding.more:
                return finding
        raise AssertionError("the list never ends")


@asynccontextmanager
async def line(folder: Path, channel: Channel = "call", *, key: str = other.KEY) -> AsyncIterator[Line]:
    with other.running(Acme()) as acme:
        (folder / "outreach.yaml").write_text(
            other.DECLARATION.format(url=acme.url) + "accounts: {acme: {provider: acme, allow_loopback: true}}\n",
            "utf-8",
        )
        project = load_project(folder).project
        account = resolve_account(project, "acme", "default")
        assert account is not None
        transport = HttpTransport(lambda _reference: key, timeouts=Timeouts(read=2.0, whole=5.0))
        try:
            yield Line(acme, transport, account, provider_for(account), channel)
        finally:
            await transport.aclose()


def key_of(number: int) -> str:
    return attempt_key("renewals", PHONE, "call", number)


@EVERY_CHANNEL
async def test_a_request_is_placed_once_and_carries_its_key(tmp_path: Path, channel: Channel) -> None:
    async with line(tmp_path, channel) as one:
        receipt = await one.place(key_of(1))
        (placed,) = one.acme.placed

    assert receipt.provider_id == placed.id
    assert receipt.remaining == 99
    assert placed.body["meta"]["ref"] == key_of(1)
    assert placed.headers["x-request-id"] == key_of(1)
    assert placed.body["to"] == "12025550101"
    assert placed.body["vars"] == {"name": "Zoë", "visits": 2}
    assert "caller" not in placed.body
    assert placed.body.get("words") == ("See you at 3 PM." if channel == "text" else None)


@pytest.mark.parametrize("word", ENDS)
async def test_every_end_is_read_by_asking(tmp_path: Path, word: str) -> None:
    async with line(tmp_path) as one:
        one.acme.ends[PHONE[1:]] = word
        receipt = await one.place(key_of(1))
        words, seen = await one.follow(one.sent(key_of(1), receipt.provider_id))

    assert words == ["queued", "ringing", word]
    assert seen.outcome is ENDS[word]
    assert (seen.provider_id, seen.tag, seen.duration_seconds) == (receipt.provider_id, "BOOKED", 12.5)
    assert (seen.transcript, seen.structured) == ("agent: Hello", {"day": "Monday"})
    assert seen.ended_at is not None


async def test_a_text_is_followed_too(tmp_path: Path) -> None:
    async with line(tmp_path, "text") as one:
        receipt = await one.place(key_of(1))
        _, seen = await one.follow(one.sent(key_of(1), receipt.provider_id))

    assert seen.outcome is Outcome.DELIVERED


@EVERY_CHANNEL
async def test_a_request_whose_answer_was_torn_is_found_on_whatever_page(tmp_path: Path, channel: Channel) -> None:
    async with line(tmp_path, channel) as one:
        for number in range(5):
            await one.place(key_of(number))
        one.acme.faults = [Fault(torn=True, effect=True)]
        with pytest.raises(InDoubt):
            await one.place(key_of(9))
        await one.place(key_of(10))

        finding = await one.find(one.sent(key_of(9)))
        assert finding.provider_id == one.acme.placed[5].id
        _, seen = await one.follow(one.sent(key_of(9), finding.provider_id))
        assert seen.is_final
        assert [placed.body["meta"]["ref"] for placed in one.acme.placed].count(key_of(9)) == 1


@EVERY_CHANNEL
async def test_a_request_that_never_arrived_is_not_found(tmp_path: Path, channel: Channel) -> None:
    async with line(tmp_path, channel) as one:
        for number in range(4):
            await one.place(key_of(number))
        one.acme.faults = [Fault(torn=True)]
        with pytest.raises(InDoubt):
            await one.place(key_of(9))

        finding = await one.find(one.sent(key_of(9)))
        assert not finding.found
        assert not finding.more


async def test_two_attempts_at_one_person_are_told_apart_by_their_keys(tmp_path: Path) -> None:
    async with line(tmp_path) as one:
        receipts = [await one.place(key_of(number)) for number in (1, 2)]
        for number, receipt in zip((1, 2), receipts, strict=True):
            assert (await one.find(one.sent(key_of(number)))).provider_id == receipt.provider_id


@EVERY_CHANNEL
async def test_a_wrong_key_pauses_the_account_and_dials_nobody(tmp_path: Path, channel: Channel) -> None:
    async with line(tmp_path, channel, key="acme-key-wrong") as one:
        with pytest.raises(Rejected, match="this key opens nothing") as refused:
            await one.place(key_of(1))

        assert refused.value.pause
        assert one.acme.placed == []
        with pytest.raises(Rejected, match="401") as asking:
            await one.find(one.sent(key_of(1)))
        assert asking.value.pause


@pytest.mark.parametrize(
    ("status", "kind", "facts"),
    [
        (400, Rejected, {"pause": False, "outcome": "failed"}),
        (404, Rejected, {"pause": False, "outcome": "failed"}),
        (422, Rejected, {"pause": False, "outcome": "failed"}),
        (409, Rejected, {"pause": False, "outcome": "failed"}),
        (410, Rejected, {"pause": False, "outcome": "invalid_number"}),
        (451, Rejected, {"pause": False, "outcome": "opted_out"}),
        (402, Rejected, {"pause": True}),
        (403, Rejected, {"pause": True}),
        (307, Rejected, {"pause": True}),
        (423, Throttled, {"retry_after": 7.0}),
        (429, Throttled, {"retry_after": 7.0}),
        (408, InDoubt, {}),
        (500, InDoubt, {}),
        (503, InDoubt, {}),
    ],
)
async def test_what_an_answer_proves(tmp_path: Path, status: int, kind: type[SendError], facts: Any) -> None:
    body = {"problem": {"code": "no", "detail": "not `today`"}}
    async with line(tmp_path) as one:
        one.acme.faults = [Fault(status=status, body=body, headers={"Retry-After": "7"})]
        with pytest.raises(SendError) as refused:
            await one.place(key_of(1))

    assert type(refused.value) is kind
    assert refused.value.message == f"acme answered {status}: `not  today`"
    assert {name: getattr(refused.value, name) for name in facts} == facts


@pytest.mark.parametrize("body", [b"<html>", {"ok": True}, {"data": {"dial": {"id": ""}}}, [], b""])
async def test_an_accepted_request_without_an_id_is_a_doubt(tmp_path: Path, body: Any) -> None:
    async with line(tmp_path) as one:
        one.acme.faults = [Fault(status=200, body=body, effect=True)]
        with pytest.raises(InDoubt):
            await one.place(key_of(1))

        assert (await one.find(one.sent(key_of(1)))).found


async def test_options_and_the_number_that_people_see_stand_where_they_are_declared(tmp_path: Path) -> None:
    async with line(tmp_path) as one:
        await one.place(key_of(1), options={"priority": 3}, from_number="+12025550190")
        (placed,) = one.acme.placed

    assert placed.body["prio"] == 3
    assert placed.body["caller"] == {"number": "+12025550190"}


async def test_webhooks_prove_themselves_by_acmes_signature(tmp_path: Path) -> None:
    async with line(tmp_path) as one:
        one.acme.ends[PHONE[1:]] = "rang_out"
        await one.place(key_of(1))
        headers, body = await _received(one.acme)
        now = datetime.now(UTC)  # noqa: TID251 real sockets, real time

    (seen,) = one.provider.read_webhook(headers, body)
    assert (seen.provider_id, seen.reference, seen.outcome) == ("dial-1", key_of(1), Outcome.NO_ANSWER)
    assert seen.tag == "BOOKED"
    prove = one.provider.verify_webhook
    assert prove(headers, body, other.SECRET, now)
    assert prove(headers, body, f"new-secret {other.SECRET}", now)
    assert not prove(headers, body + b" ", other.SECRET, now)
    assert not prove(headers, body, "another-secret", now)
    assert not prove(headers, body, other.SECRET, now + timedelta(seconds=301))
    assert not prove({**headers, "x-acme-timestamp": "0"}, body, other.SECRET, now)
    assert not prove({**headers, "x-acme-signature": headers["x-acme-signature"][7:]}, body, other.SECRET, now)
    assert not prove({}, body, other.SECRET, now)
    for wrong in (b"{}", b"[]", b"{", b'{"dial": {"id": "a b"}}'):
        with pytest.raises(WebhookRefused):
            one.provider.read_webhook(headers, wrong)


async def _received(acme: Acme) -> tuple[dict[str, str], bytes]:
    """Send the first dial's webhook over a socket and take it in."""
    told: asyncio.Future[tuple[dict[str, str], bytes]] = asyncio.get_running_loop().create_future()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
        headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in head)}
        told.set_result((headers, await reader.readexactly(int(headers["content-length"]))))
        writer.close()

    headers, body = acme.signed_webhook(acme.placed[0])
    server = await asyncio.start_server(take, "127.0.0.1", 0)
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", server.sockets[0].getsockname()[1])
        head = "".join(f"{name}: {value}\r\n" for name, value in {**headers, "Content-Length": len(body)}.items())
        writer.write(f"POST /webhooks/acme HTTP/1.1\r\n{head}\r\n".encode() + body)
        await writer.drain()
        received = await asyncio.wait_for(told, 5)
        writer.close()
        return received
    finally:
        server.close()


async def test_it_stands_among_the_others_as_one_of_them(tmp_path: Path) -> None:
    async with line(tmp_path) as one:
        providers = all_providers(load_project(tmp_path).project.providers)

    assert list(providers) == ["revmo", "revring", "revox", "movoice", "acme"]
    can = providers["acme"].capabilities
    assert (sorted(can.channels), can.poll, can.find, can.takes_from, can.needs_from) == (
        ["call", "text"], True, "reference", True, False,
    )  # fmt: skip
    assert one.account.credential == "env:ACME_API_KEY"
