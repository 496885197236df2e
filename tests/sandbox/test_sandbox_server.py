"""The server: bound to this machine, ended cleanly, quick, and usable without a socket of its own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from runner.errors import UsageWrong
from runner.sandbox.clock import WallClock
from runner.sandbox.server import create_app, running
from runner.sandbox.settings import Settings, Target

ROOT = Path(__file__).parents[2]
SERVE = """
import asyncio
from runner.sandbox.clock import WallClock
from runner.sandbox.server import serve_forever
from runner.sandbox.settings import Settings
asyncio.run(serve_forever(Settings(), WallClock(), "127.0.0.1", 0, lambda url: print(url, flush=True)))
"""


async def test_it_leaves_nothing_behind_however_busy_it_was(dialling: Any, key: str) -> None:
    before = asyncio.all_tasks()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    settings = Settings(ring_seconds=(50.0, 60.0), webhooks={"revmo": Target(url="http://127.0.0.1:9/")})

    async with running(settings, WallClock()) as sandbox:
        headers = {"Authorization": f"Bearer {key}", "x-api-key": key}
        async with httpx.AsyncClient(base_url=sandbox.url, headers=headers, trust_env=False) as http:
            for request in dialling.values():
                assert (await http.post(request.path, json=request.body)).is_success
            await http.post("/movoice/call", json=dialling["movoice"].body | {"schedule_at": 4_000_000_000})
            await http.post("/_sandbox/faults", json=[{"kind": "hang_after"}])
            hanging = asyncio.create_task(http.post(request.path, json=request.body))
            await asyncio.sleep(0.05)
            assert not sandbox.world.idle()
            assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == handlers
            await sandbox.world.close()
            with pytest.raises(httpx.TransportError):
                await hanging
        began = time.monotonic()

    assert time.monotonic() - began < 5
    assert asyncio.all_tasks() == before
    async with httpx.AsyncClient(trust_env=False) as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(sandbox.url)


async def test_an_address_that_is_taken_or_empty_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageWrong, match=f"cannot serve on `127.0.0.1:{port}`"):
            async with running(Settings(), WallClock(), port=port):
                pass
    with pytest.raises(UsageWrong, match="an empty host would serve every network"):
        async with running(Settings(), WallClock(), host=""):
            pass


async def test_it_serves_this_machine_only() -> None:
    async with running(Settings(), WallClock()) as sandbox:
        assert sandbox.url.startswith("http://127.0.0.1:")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine speaks no IPv6")
async def test_it_serves_ipv6_when_asked() -> None:
    async with running(Settings(), WallClock(), host="::1") as sandbox, httpx.AsyncClient(trust_env=False) as http:
        reply = await http.get(f"{sandbox.url}/_sandbox/clock")

    assert reply.status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_command_cleanly(number: Any) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error"}
    with subprocess.Popen(
        [sys.executable, "-c", SERVE], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/_sandbox/clock", trust_env=False).status_code == 200
        process.send_signal(number)
        out, err = process.communicate(timeout=10)

    assert (process.returncode, out, err) == (0, "", "")


async def test_the_app_can_be_called_without_a_socket(dialling: Any, key: str) -> None:
    app = create_app(Settings(ring_seconds=(0.001, 0.002), talk_seconds=(0.001, 0.002)), WallClock())
    headers = {"Authorization": f"Bearer {key}", "x-api-key": key}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox", headers=headers) as http:
        for request in dialling.values():
            assert (await http.post(request.path, json=request.body)).is_success
        await http.post("/_sandbox/faults", json=[{"kind": "drop_after"}])
        with pytest.raises(ConnectionAbortedError):
            await http.post(request.path, json=request.body)

    assert len(app.state.world.dials()) == 5
    await app.state.world.close()


async def test_hundreds_of_long_calls_end_in_seconds(serve: Any, dialling: Any) -> None:
    sandbox = await serve(speed=120.0, ring_seconds=(8.0, 25.0), talk_seconds=(20.0, 120.0))
    began = time.monotonic()

    async def caller(number: int) -> None:
        request = list(dialling.values())[number % 4]
        for n in range(50):
            reply = await sandbox.http.post(request.path, json=request.to(f"+1202555{number:02}{n:02}"))
            assert reply.is_success

    await asyncio.gather(*(caller(number) for number in range(8)))
    await sandbox.ended(seconds=20)
    dials = sandbox.world.dials()

    assert len(dials) == 400
    assert all(dial.outcome for dial in dials)
    assert time.monotonic() - began < 15
