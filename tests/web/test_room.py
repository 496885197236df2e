"""Bodies of webhooks take a bounded amount of memory together, and ordinary ones always find room."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.engine.inbox import Taken
from runner.errors import WebhookRefused
from runner.web.receiver import MOST_BYTES, receiver
from runner.web.room import ALWAYS, MOST_HELD, Room
from runner.web.serving import served

_STRANGERS = 40


@given(st.lists(st.lists(st.integers(0, 40), max_size=5), max_size=12))
def test_no_more_is_held_than_allowed_and_all_of_it_is_given_back(bodies: list[list[int]]) -> None:
    ours = Room(most_held=50, always=10)
    with ExitStack() as stack:
        for pieces in bodies:
            take, read = stack.enter_context(ours.lent()), 0
            for piece in pieces:
                before, mine, read = ours.held, max(0, read - 10), read + piece
                try:
                    take(piece)
                except WebhookRefused as refused:
                    assert refused.status == 503
                    assert before + piece > 50, "there was room for it"
                    assert ours.held == before - mine, "given back at once"
                    break
                assert ours.held <= 50
                assert read > 10 or ours.held == before, "what is small always finds room"
    assert ours.held == 0


async def test_large_bodies_that_never_end_keep_out_no_ordinary_webhook(monkeypatch: pytest.MonkeyPatch) -> None:
    room, taken = Room(), list[int]()

    async def receive(account: str, token: str, headers: Mapping[str, str], body: bytes) -> Taken:
        taken.append(len(body))
        return Taken(result="settled", verified=True)

    monkeypatch.setattr("runner.web.receiver.Room", lambda: room)
    async with served(receiver(receive), "127.0.0.1", 0) as url:
        port = int(url.rpartition(":")[2])
        held = await asyncio.gather(*(_posted(port, MOST_BYTES, MOST_BYTES - 1) for _ in range(_STRANGERS)))
        refused = [one for one, _ in held if one.startswith(b"HTTP/1.1 503")]
        assert _STRANGERS - MOST_HELD // (MOST_BYTES - ALWAYS) <= len(refused) < _STRANGERS, "no room for those"
        assert room.held == (_STRANGERS - len(refused)) * (MOST_BYTES - 1 - ALWAYS) <= MOST_HELD
        answer, ordinary = await _posted(port, ALWAYS, ALWAYS)
        assert answer.startswith(b"HTTP/1.1 200")
        for writer in (ordinary, *(one for _, one in held)):
            writer.close()
        async with asyncio.timeout(5):
            while room.held:  # noqa: ASYNC110 nothing tells when a connection was seen to end
                await asyncio.sleep(0.01)
    assert taken == [ALWAYS]


async def _posted(port: int, announced: int, sent: int) -> tuple[bytes, asyncio.StreamWriter]:
    """Send a part of a webhook; give how the answer begins, nothing when there is none for three seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"POST /webhooks/revox HTTP/1.1\r\nHost: x\r\nContent-Length: {announced}\r\n\r\n".encode())
    writer.write(b"x" * sent)
    try:
        async with asyncio.timeout(3):
            return await reader.read(100), writer
    except TimeoutError:
        return b"", writer
