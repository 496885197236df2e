"""Parley: an API that is none of the four, with people, faults and webhooks of the sandbox, and declared in YAML."""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.files.project import load_project
from runner.model.project import Account, resolve_account
from runner.sandbox.call import Call, Stage
from runner.sandbox.face import one_word
from runner.sandbox.people import Kind
from runner.sandbox.wire import Json, Refused, read_object
from runner.sandbox.world import Asked, World

_CARDS = """\
providers:
  parley:
    base_url: {url}/parley/v9
    auth: X-Parley-Key
    call: {{method: PUT, path: /calls, id: made.id, body: {{{body}}}}}
    text: {{method: PUT, path: /texts, id: made.id, body: {{{body}, words: "{{{{ message }}}}"}}}}
    outcomes:
      talked: answered
      rang_out: no_answer
      engaged: busy
      machine: voicemail
      hung_up: declined
      nobody_has_it: invalid_number
      broke: failed
      arrived: delivered
    live: [ringing]
    webhook: {{id: id, reference: mark, outcome: state, signature: {{header: X-Parley-Signature}}}}
"""
_ACCOUNTS = "accounts: {parley: {provider: parley, allow_loopback: true}}\n"
_BODY = 'to: "{{ phone }}", who: "{{ agent }}", mark: "{{ reference }}", facts: "{{ variables }}"'
_READ_SIDE = """\
    poll: {path: "/{{ channel }}s/{{ id }}", outcome: state, tag: tag, summary: summary, duration: seconds, transcript: said}
    find: {path: "/{{ channel }}s?mark={{ reference }}", items: found, id: id, reference: mark}
"""
_STATES = {
    "answered": "talked",
    "no_answer": "rang_out",
    "busy": "engaged",
    "voicemail": "machine",
    "declined": "hung_up",
    "invalid_number": "nobody_has_it",
    "failed": "broke",
    "delivered": "arrived",
}


def declaration(url: str, *, readable: bool = True) -> str:
    """Give the `providers` of an outreach.yaml; without a read side nothing can be asked or found again."""
    text = _CARDS.format(url=url, body=_BODY)
    return (text + _READ_SIDE if readable else text) + _ACCOUNTS


def account(folder: Path, url: str) -> Account:
    """Write an outreach.yaml that declares it, and give its account as campaigns have it."""
    (folder / "outreach.yaml").write_text(declaration(url), "utf-8")
    found = resolve_account(load_project(folder).project, "parley", "default")
    assert found is not None
    return replace(found, name="main")


class Parley:
    """The face of it: PUT places, GET tells, one signed webhook tells the end."""

    name = "parley"
    bases: tuple[str, ...] = ("/parley/v9",)

    def __init__(self, world: World) -> None:
        self._world = world
        world.watch(self.name, self._tell, lambda: None)

    def routes(self) -> list[Route]:
        return [
            Route("/{kind}s", self._place, methods=["PUT"]),
            Route("/{kind}s", self._list, methods=["GET"]),
            Route("/{kind}s/{id}", self._show, methods=["GET"]),
        ]

    def credential(self, headers: Mapping[str, str]) -> str:
        return one_word(headers.get("x-parley-key", ""))

    def refusal(self, status: int) -> Mapping[str, Any]:
        return {"trouble": status}

    async def _place(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        body = await read_object(request)
        if kind not in ("call", "text") or body is None or not {"to", "who", "mark"} <= body.keys():
            raise Refused(422, self.refusal(422))
        asked = Asked(
            provider=self.name,
            kind=cast("Kind", kind),
            to=body["to"],
            agent=body["who"],
            reference=body["mark"],
            body=body,
        )
        call = self._world.open(asked, id=self._world.new_id("parley"))
        self._world.launch(call)
        return Json({"made": {"id": call.id}}, 202)

    async def _list(self, request: Request) -> Response:
        mark = request.query_params.get("mark", "")
        calls = [call for call in self._world.calls(self.name) if call.kind == request.path_params["kind"]]
        return Json({"found": [_record(call) for call in calls if call.reference == mark]})

    async def _show(self, request: Request) -> Response:
        call = self._world.call(self.name, request.path_params["id"])
        if call is None or call.kind != request.path_params["kind"]:
            raise Refused(404, self.refusal(404))
        return Json(_record(call))

    def _tell(self, call: Call) -> None:
        if call.stage is Stage.ENDED:
            call.delivery = self._world.webhooks.post(self.name, _record(call), after=call.delivery, sign=_sign)


def _record(call: Call) -> dict[str, Any]:
    record: dict[str, Any] = {
        "id": call.id,
        "mark": call.reference,
        "state": _STATES.get(call.outcome or "", "ringing"),
    }
    talk = call.fate.conversation if call.fate and call.outcome else None
    if talk is not None:
        record |= {"tag": talk.tag, "summary": talk.summary, "seconds": call.seconds}
        record["said"] = [{"role": turn.speaker, "text": turn.text} for turn in talk.turns]
    return record


def _sign(secret: str, raw: bytes, now: datetime) -> Mapping[str, str]:
    return {"X-Parley-Signature": hmac.new(secret.encode(), raw, "sha256").hexdigest()}
