"""A small telephony API that is none of the built-in ones, on a real socket, with its own idea of everything."""

from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

KEY = "acme-key-1"
SECRET = "acme-signing-secret"
PAGE = 2
DECLARATION = """\
providers:
  acme:
    base_url: {url}
    auth: X-Acme-Key
    headers: {{X-Tenant: "7"}}
    idempotency_header: X-Request-Id
    call:
      method: PUT
      path: /dials
      body:
        to: "{{{{ phone | replace('+', '') }}}}"
        caller: {{number: "{{{{ from }}}}"}}
        assistant: "{{{{ agent }}}}"
        vars: "{{{{ variables }}}}"
        prio: "{{{{ options.priority }}}}"
        meta: {{ref: "{{{{ reference }}}}", kind: dial}}
      id: data.dial.id
      remaining: data.left
    text:
      method: PUT
      path: /notes
      body:
        to: "{{{{ phone | replace('+', '') }}}}"
        assistant: "{{{{ agent }}}}"
        words: "{{{{ message }}}}"
        vars: "{{{{ variables }}}}"
        meta: {{ref: "{{{{ reference }}}}", kind: note}}
      id: data.note.id
    outcomes:
      done: answered
      rang_out: no_answer
      engaged: busy
      machine: voicemail
      refused: declined
      dead_number: invalid_number
      broken: failed
      handed_over: delivered
    live: [queued, ringing]
    poll:
      path: "/{{{{ channel }}}}s/{{{{ id }}}}"
      outcome: data.status
      tag: data.result
      summary: data.summary
      duration: data.seconds
      transcript: data.turns
      structured: data.answers
      ended_at: data.ended
    find:
      path: "/{{{{ channel }}}}s?page={{{{ page + 1 }}}}"
      items: data
      id: id
      reference: meta.ref
      more: paging.more
    webhook:
      id: dial.id
      reference: dial.ref
      outcome: dial.status
      tag: dial.result
      ended_at: dial.ended
      signature: {{header: X-Acme-Signature, prefix: "sha256=", over: timestamp.body, timestamp: X-Acme-Timestamp}}
    errors: {{409: rejected, 423: throttled, 402: pause, 410: invalid_number, 451: opted_out}}
    error_message: problem.detail
    options: {{priority: {{type: integer, minimum: 1, maximum: 9, description: How soon it is dialled.}}}}
"""
"""how this API is declared in outreach.yaml"""

_BODIES = {
    "dial": {"to", "caller", "assistant", "vars", "prio", "meta"},
    "note": {"to", "assistant", "words", "vars", "meta"},
}


@dataclass
class Placed:
    """One dial or note that Acme took."""

    id: str
    kind: str
    body: dict[str, Any]
    headers: dict[str, str]
    asked: int = 0
    """how often its state was asked for; it goes on a step each time"""


@dataclass
class Fault:
    """How one request is answered otherwise."""

    status: int = 503
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    effect: bool = False
    """the dial is placed all the same"""
    torn: bool = False
    """the answer breaks off in the middle"""


class Acme:
    """What Acme knows; tests read and set it while the server runs in its own thread."""

    def __init__(self) -> None:
        self.placed: list[Placed] = []
        self.ends: dict[str, str] = {}
        """how calls to a number (digits) end; `done` otherwise"""
        self.faults: list[Fault] = []
        self.left = 100
        self.url = ""

    def dials(self) -> list[Placed]:
        return [one for one in self.placed if one.kind == "dial"]

    def status(self, one: Placed) -> str:
        steps = ["queued", "ringing"] if one.kind == "dial" else ["queued"]
        return steps[one.asked] if one.asked < len(steps) else self._end(one)

    def signed_webhook(self, one: Placed, *, secret: str = SECRET) -> tuple[dict[str, str], bytes]:
        """Give the headers and the body of the webhook that tells how a dial ended."""
        status = self._end(one)
        dial = {"id": one.id, "ref": one.body["meta"]["ref"], "status": status, "result": "BOOKED", "ended": _now()}
        body = json.dumps({"event": "dial.ended", "dial": dial}).encode()
        at = str(int(datetime.now(UTC).timestamp()))  # noqa: TID251 a server on its own clock
        digest = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
        return {"X-Acme-Timestamp": at, "X-Acme-Signature": f"sha256={digest}"}, body

    def _end(self, one: Placed) -> str:
        return self.ends.get(one.body["to"], "done") if one.kind == "dial" else "handed_over"

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v2/{kind}s", self._place, methods=["PUT"]),
                Route("/v2/{kind}s", self._list, methods=["GET"]),
                Route("/v2/{kind}s/{id}", self._show, methods=["GET"]),
            ]
        )

    async def _place(self, request: Request) -> Response:
        fault = self.faults.pop(0) if self.faults else None
        if fault is not None and not fault.effect:
            return _faulty(fault)
        kind = request.path_params["kind"]
        body = await request.json()
        refusal = _refusal(request, kind, body)
        if refusal is not None:
            return refusal
        one = Placed(f"{kind}-{len(self.placed) + 1}", kind, body, dict(request.headers))
        self.placed.append(one)
        self.left -= 1
        if fault is not None:
            return _faulty(fault)
        return JSONResponse({"data": {kind: {"id": one.id}, "left": self.left}}, 201)

    async def _list(self, request: Request) -> Response:
        refusal = _unknown_key(request)
        if refusal is not None:
            return refusal
        kind, page = _kind(request), int(request.query_params["page"])
        found = [one for one in self.placed if one.kind == kind]
        items = [{"id": one.id, "to": one.body["to"], "meta": one.body["meta"]} for one in found]
        shown = items[(page - 1) * PAGE : page * PAGE]
        return JSONResponse({"data": shown, "paging": {"more": len(items) > page * PAGE}})

    async def _show(self, request: Request) -> Response:
        refusal = _unknown_key(request)
        if refusal is not None:
            return refusal
        one = next((one for one in self.placed if one.id == request.path_params["id"]), None)
        if one is None:
            return _problem(404, "no_such_dial", "there is no such dial")
        status = self.status(one)
        one.asked += 1
        data: dict[str, Any] = {"status": status}
        if status not in {"queued", "ringing"}:
            data |= {"result": "BOOKED", "summary": "all went well", "seconds": 12.5, "ended": _now()}
            data |= {"turns": [{"role": "agent", "text": "Hello"}], "answers": {"day": "Monday"}}
        return JSONResponse({"data": data})


@contextmanager
def running(acme: Acme) -> Iterator[Acme]:
    """Serve on a free port of this machine, in a thread of its own, until the end of the block."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    config = uvicorn.Config(acme.app(), log_level="critical", access_log=False, lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < deadline, "acme does not start"
        time.sleep(0.005)
    acme.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v2"
    try:
        yield acme
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()


class _Torn(Response):
    """Promises more bytes than it sends, so that the connection is torn in the middle of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 ASGI's own signature
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"100")]})
        await send({"type": "http.response.body", "body": b'{"data', "more_body": False})


def _faulty(fault: Fault) -> Response:
    if fault.torn:
        return _Torn()
    content = fault.body if isinstance(fault.body, bytes) else json.dumps(fault.body).encode()
    return Response(content, fault.status, dict(fault.headers), "application/json")


def _refusal(request: Request, kind: str, body: dict[str, Any]) -> Response | None:
    known = _BODIES.get(kind)
    if known is None or not isinstance(body, dict):
        return _problem(404, "unknown", "there is no such thing")
    if not set(body) <= known or not {"to", "assistant", "meta"} <= set(body):
        return _problem(422, "bad_body", f"these keys do not fit: {sorted(body)}")
    if not str(body["to"]).isdecimal() or not isinstance(body.get("prio", 5), int):
        return _problem(422, "bad_value", "to is digits, and prio a number")
    return _unknown_key(request)


def _unknown_key(request: Request) -> Response | None:
    if request.headers.get("x-acme-key") != KEY:
        return _problem(401, "bad_key", "this key opens nothing")
    if request.headers.get("x-tenant") != "7":
        return _problem(400, "no_tenant", "which tenant?")
    return None


def _kind(request: Request) -> str:
    """Acme shows dials under `calls` and notes under `texts` too."""
    kind = str(request.path_params["kind"])
    return {"call": "dial", "text": "note"}.get(kind, kind)


def _problem(status: int, code: str, detail: str) -> Response:
    return JSONResponse({"problem": {"code": code, "detail": detail}}, status)


def _now() -> str:
    return datetime.now(UTC).isoformat()  # noqa: TID251 a server on its own clock
