"""Revmo's face: places calls and starts text threads, and can be asked nothing afterwards."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from runner.sandbox.call import Call, Stage
from runner.sandbox.face import bearer, reference_of
from runner.sandbox.people import Kind
from runner.sandbox.wire import Json, Refused, is_phone, is_text, read_object
from runner.sandbox.world import Asked, World

_STATUSES = {
    "answered": "completed",
    "voicemail": "voicemail",
    "no_answer": "no_answer",
    "busy": "busy",
    "declined": "busy",
    "invalid_number": "failed",
    "failed": "failed",
    "delivered": "delivered",
}
"""our outcome -> status of the callback; assumed, since no callback is documented"""


class Revmo:
    """Both endpoints, with the trailing slash that is documented; what else it answers is switched."""

    name = "revmo"
    bases: tuple[str, ...] = ("/revmo",)

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.revmo
        self._placed = 0
        world.watch(self.name, self._tell, self._forget)

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        routes = [
            Route("/v1/makecall/", self._make_call, methods=["POST"]),
            Route("/v1/startsms/", self._start_sms, methods=["POST"]),
        ]
        if self._switches.slash == "accept":
            routes.append(Route("/v1/makecall", self._make_call, methods=["POST"]))
            routes.append(Route("/v1/startsms", self._start_sms, methods=["POST"]))
        elif self._switches.slash == "301":
            routes.append(Route("/v1/makecall", _add_slash, methods=["POST"]))
            routes.append(Route("/v1/startsms", _add_slash, methods=["POST"]))
        return routes

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the bearer key."""
        return bearer(headers)

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give an error body; its form is assumed."""
        reasons = {401: "unauthorized", 403: "permission denied", 404: "not found", 405: "method not allowed"}
        return _error(reasons.get(status, "invalid request"))

    async def _make_call(self, request: Request) -> Response:
        body = await self._body(request)
        timeout = body.get("initial_silence_timeout", 0)
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or timeout < 0:
            raise _refused("invalid initial_silence_timeout")
        if self._switches.quota_enforced and self._placed >= self._switches.calls_remaining:
            raise Refused(403, _error("no calls remaining"))
        call = self._place("call", request, body)
        self._placed += 1
        return Json({"result": "Ok", "external_id": call.id, **self._quota()})

    async def _start_sms(self, request: Request) -> Response:
        body = await self._body(request)
        if not _is_base64(body["agentId"]):
            raise _refused("invalid agentId")
        if "override" in body and not is_text(body["override"]):
            raise _refused("invalid override")
        if "no_agent" in body and body["no_agent"] not in ("true", "false"):
            raise _refused("invalid no_agent")
        call = self._place("text", request, body)
        return Json({"result": "Ok", self._switches.thread_key: call.id})

    async def _body(self, request: Request) -> dict[str, Any]:
        if not self._switches.permitted:
            raise Refused(403, self.refusal(403))
        return await _read_body(request)

    def _quota(self) -> dict[str, Any]:
        remaining = max(self._switches.calls_remaining - self._placed, 0)
        forms: dict[str, dict[str, Any]] = {
            "string": {"calls_remaining": str(remaining)},
            "int": {"calls_remaining": remaining},
            "absent": {},
        }
        return forms[self._switches.calls_remaining_form]

    def _place(self, kind: Kind, request: Request, body: Mapping[str, Any]) -> Call:
        asked = Asked(
            provider=self.name,
            kind=kind,
            to=body["to"],
            agent=body["agentId"],
            reference=reference_of(request, body),
            body=body,
        )
        what = "call" if kind == "call" else "thread"
        call = self._world.open(asked, id=f"rvm-{what}-{self._world.new_id(what)[:12]}")
        self._world.launch(call)
        return call

    def _tell(self, call: Call) -> None:
        if call.stage is not Stage.ENDED or call.outcome is None:
            return
        body = {
            "external_id": call.id,
            "status": _STATUSES[call.outcome],
            "to": call.to,
            "duration": call.seconds or 0,
            "metadata": call.asked.get("metadata", {}),
        }
        call.delivery = self._world.webhooks.post(self.name, body, after=call.delivery)

    def _forget(self) -> None:
        self._placed = 0


async def _read_body(request: Request) -> dict[str, Any]:
    """Read a body and check what both endpoints require."""
    body = await read_object(request)
    if body is None:
        raise _refused("invalid JSON body")
    if not is_text(body.get("agentId"), 1):
        raise _refused("invalid agentId")
    if not is_phone(body.get("to")):
        raise _refused("invalid phone number")
    if "trigger" in body and not is_text(body["trigger"]):
        raise _refused("invalid trigger")
    if "metadata" in body and not isinstance(body["metadata"], dict):
        raise _refused("invalid metadata")
    return body


async def _add_slash(request: Request) -> Response:
    """Answer a redirect, which turns a POST into a GET wherever it is followed."""
    return RedirectResponse(request.url.path + "/", 301)


def _is_base64(text: str) -> bool:
    try:
        return bool(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return False


def _error(reason: str) -> dict[str, Any]:
    return {"result": "Error", "error": reason}


def _refused(reason: str) -> Refused:
    return Refused(400, _error(reason))
