"""Headers of every answer, and names that this machine does not answer to, over real sockets."""

from __future__ import annotations

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runner.engine.inbox import Taken
from runner.errors import WebhookRefused
from runner.web.manners import ALWAYS
from runner.web.receiver import receiver
from runner.web.serving import served


async def _take(account: str, token: str, headers: object, body: bytes) -> Taken:
    if token != "good":
        raise WebhookRefused("no")
    return Taken(result="settled", verified=True)


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello", headers={"Cache-Control": "max-age=1"})


APP = Starlette(routes=[Route("/page", _hello)])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/healthz", 200),
        ("POST", "/webhooks/a/good", 200),
        ("POST", "/webhooks/a/bad", 401),
        ("GET", "/nothing", 404),
        ("PUT", "/healthz", 405),
    ],
)
async def test_every_answer_of_the_receiver_carries_them(method: str, path: str, status: int) -> None:
    async with served(receiver(_take), "127.0.0.1", 0) as url, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.request(method, url + path, content=b"{}" if method == "POST" else None)

    assert answer.status_code == status
    assert {name: answer.headers[name] for name in ALWAYS} == dict(ALWAYS)
    assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1", 200), ("127.0.0.1:8600", 200), ("localhost:1", 200), ("LOCALHOST", 200), ("[::1]:8600", 200),
        ("rebind.acme.example", 421), ("rebind.acme.example:8600", 421), ("127.0.0.1.acme.example", 421),
        ("localhost.acme.example", 421), ("", 421), ("127.0.0.1@acme.example", 421),
    ],
)  # fmt: skip
async def test_only_names_of_this_machine_are_answered(host: str, status: int) -> None:
    async with served(APP, "127.0.0.1", 0) as url, httpx.AsyncClient(trust_env=False) as client:
        answer = await client.get(f"{url}/page", headers={"Host": host})

    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == ("max-age=1" if status == 200 else "no-store")


@pytest.mark.parametrize("path", ["/healthz", "/webhooks/a/good"])
async def test_what_a_proxy_hands_on_has_the_public_name(path: str) -> None:
    async with served(receiver(_take), "127.0.0.1", 0) as url, httpx.AsyncClient(trust_env=False) as client:
        method = "GET" if path == "/healthz" else "POST"
        answer = await client.request(method, url + path, headers={"Host": "hooks.acme.example"})

    assert answer.status_code == 200
