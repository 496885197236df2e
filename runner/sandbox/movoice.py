"""Movoice's face: calls now or later, batches, lists without references, sparse webhooks."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from runner.sandbox.call import Call, Stage
from runner.sandbox.face import bearer, reference_of
from runner.sandbox.lines import Lines
from runner.sandbox.people import draw
from runner.sandbox.webhooks import sign_movoice
from runner.sandbox.wire import Json, Refused, from_unix, is_phone, is_text, is_whole, read_object, unix
from runner.sandbox.world import Asked, World

_REASONS = {
    "no_answer": "no_answer",
    "busy": "busy",
    "declined": "busy",
    "invalid_number": "invalid_number",
    "failed": "network_error",
}
"""our outcome -> documented reason of a failed call"""

_STORE = "https://storage.example.test"


class Movoice:
    """Single calls, batches and the two ways of paging; bodies that are not documented are assumed."""

    name = "movoice"
    bases: tuple[str, ...] = ("/movoice/api/v1", "/movoice/v1", "/movoice")

    def __init__(self, world: World) -> None:
        self._world = world
        self._switches = world.settings.movoice
        world.watch(self.name, self._tell, lambda: None)

    def routes(self) -> list[Route]:
        """Give the endpoints."""
        return [
            Route("/call", self._create, methods=["POST"]),
            Route("/calls", self._list, methods=["GET"]),
            Route("/calls/batch", self._batch, methods=["POST"]),
            Route("/calls/{id}", self._get, methods=["GET"]),
        ]

    def credential(self, headers: Mapping[str, str]) -> str:
        """Give the bearer key."""
        return bearer(headers)

    def refusal(self, status: int) -> Mapping[str, Any]:
        """Give an error body; its codes are assumed."""
        reasons = {401: "unauthorized", 404: "not found", 405: "method not allowed"}
        return {"error": reasons.get(status, "invalid request")}

    async def _create(self, request: Request) -> Response:
        body = await _body(request)
        if not is_phone(body.get("recipient_phone")):
            raise _refused("invalid recipient_phone")
        _check_variables(body)
        if "from_number" in body and not is_phone(body["from_number"]):
            raise _refused("invalid from_number")
        if "max_duration" in body and not is_whole(body["max_duration"], 1):
            raise _refused("invalid max_duration")
        call = self._open(request, body, to=body["recipient_phone"], agent=body["agent_id"])
        self._world.launch(call, at=self._start_of(call, _scheduled_at(body)))
        return Json(_summary(call))

    async def _batch(self, request: Request) -> Response:
        body = await _body(request)
        recipients = body.get("recipients")
        if not isinstance(recipients, list) or not recipients:
            raise _refused("invalid recipients")
        for recipient in recipients:
            if not isinstance(recipient, dict) or not is_phone(recipient.get("phone")):
                raise _refused("invalid phone")
            _check_variables(recipient)
        limit = body.get("concurrency")
        if limit is not None and not is_whole(limit, 1):
            raise _refused("invalid concurrency")
        at = _scheduled_at(body)
        lines = Lines(self._world.dial, limit)
        for recipient in recipients:
            call = self._open(request, recipient, to=recipient["phone"], agent=body["agent_id"])
            self._world.launch(call, at=self._start_of(call, at), lines=lines)
        now = unix(self._world.clock.now())
        batch_id = f"batch_{self._world.new_id('batch')[:12]}"
        return Json({"batch_id": batch_id, "status": "queued", "total": len(recipients), "created_at": now})

    async def _list(self, request: Request) -> Response:
        query = request.query_params
        calls = [call for call in reversed(self._world.calls(self.name)) if _matches(call, query)]
        if "page" in query or "per_page" in query:
            page, size = _number(query, "page", 1, 1), _number(query, "per_page", 20, 1, 100)
            start, paging = (page - 1) * size, {"page": page, "per_page": size}
        else:
            size, start = _number(query, "limit", 20, 1, 100), _number(query, "offset", 0, 0)
            paging = {"limit": size, "offset": start}
        items = [_summary(call, phone=self._switches.list_phone) for call in calls[start : start + size]]
        if self._switches.data_envelope:
            return Json({"data": items, "total": len(calls), **paging})
        return Json({"calls": items, "total": len(calls), **paging})

    async def _get(self, request: Request) -> Response:
        call = self._world.call(self.name, request.path_params["id"])
        if call is None:
            raise Refused(404, {"error": "call not found"})
        return Json({"data": _detail(call)} if self._switches.data_envelope else _detail(call))

    def _open(self, request: Request, body: Mapping[str, Any], *, to: str, agent: str) -> Call:
        asked = Asked(
            provider=self.name,
            to=to,
            agent=agent,
            reference=reference_of(request, body),
            body=body,
            talk_limit=body.get("max_duration"),
        )
        return self._world.open(asked, id=f"call_{self._world.new_id('call')[:16]}")

    def _start_of(self, call: Call, at: datetime | None) -> datetime | None:
        """Give when a scheduled call really starts: up to some seconds late, as documented."""
        if at is None:
            return None
        lag = self._switches.schedule_lag_seconds * draw(self._world.settings.seed, "lag", call.to, at)
        return at + timedelta(seconds=lag)

    def _tell(self, call: Call) -> None:
        if call.stage is Stage.TALKING:
            body = _started(call)
        elif call.answered_at is not None:
            body = _completed(call)
        else:
            body = _failed(call)
        call.delivery = self._world.webhooks.post(self.name, body, after=call.delivery, sign=sign_movoice)


async def _body(request: Request) -> dict[str, Any]:
    body = await read_object(request)
    if body is None:
        raise _refused("invalid JSON body")
    if not is_text(body.get("agent_id"), 1):
        raise _refused("invalid agent_id")
    return body


def _check_variables(body: Mapping[str, Any]) -> None:
    if not isinstance(body.get("variables", {}), dict):
        raise _refused("invalid variables")


def _scheduled_at(body: Mapping[str, Any]) -> datetime | None:
    seconds = body.get("schedule_at")
    if seconds is None:
        return None
    at = from_unix(seconds) if is_whole(seconds, 0) else None
    if at is None:
        raise _refused("invalid schedule_at")
    return at


def _matches(call: Call, query: Mapping[str, str]) -> bool:
    status = query.get("status", "")
    if status not in {"", "completed", "failed", "active"}:
        raise _refused("invalid status")
    if status and status != ("active" if call.is_live else _status(call)):
        return False
    if query.get("agent_id", call.agent) != call.agent:
        return False
    created_at = unix(call.created_at)
    return _number(query, "from", 0, 0) <= created_at <= _number(query, "to", created_at, 0)


def _number(query: Mapping[str, str], name: str, default: int, smallest: int, largest: int = 2**53) -> int:
    text = query.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdecimal() or not smallest <= int(text[:20]) <= largest:
        raise _refused(f"invalid {name}")
    return int(text)


def _status(call: Call) -> str:
    if call.stage is Stage.ENDED:
        return "failed" if call.answered_at is None else "completed"
    return {Stage.RINGING: "initiated", Stage.TALKING: "active", Stage.QUEUED: "queued"}.get(call.stage, "scheduled")


def _summary(call: Call, *, phone: bool = True) -> dict[str, Any]:
    summary = {
        "call_id": call.id,
        "status": _status(call),
        "agent_id": call.agent,
        "recipient_phone": call.to,
        "created_at": unix(call.created_at),
    }
    if not phone:
        del summary["recipient_phone"]
    return summary


def _detail(call: Call) -> dict[str, Any]:
    talk = call.fate.conversation if call.fate and call.stage is Stage.ENDED else None
    detail = {
        **_summary(call),
        "duration": call.seconds or 0,
        "transcript": [{"role": _role(turn.speaker), "text": turn.text} for turn in talk.turns] if talk else [],
        "summary": talk.summary if talk else None,
        "sentiment": talk.sentiment if talk else None,
        "outcome": talk.tag if talk else None,
    }
    if _status(call) == "failed" and call.outcome is not None:
        detail["reason"] = _REASONS[call.outcome]
    return detail


def _role(speaker: str) -> str:
    return "agent" if speaker == "agent" else "user"


def _started(call: Call) -> dict[str, Any]:
    return {
        "event_type": "call.started",
        "call_id": call.id,
        "agent_id": call.agent,
        "direction": "outbound",
        "recipient_phone": call.to,
        "timestamp": unix(call.updated_at),
    }


def _completed(call: Call) -> dict[str, Any]:
    """Write the webhook of a call that was picked up; a machine is not told apart, since there is no word for it."""
    talk = call.fate.conversation if call.fate else None
    return {
        "event_type": "call.completed",
        "call_id": call.id,
        "duration": call.seconds or 0,
        "summary": talk.summary if talk else "Reached an answering machine.",
        "sentiment": talk.sentiment if talk else "neutral",
        "outcome": talk.tag if talk else None,
        "transcript_url": f"{_STORE}/transcripts/{call.id}.json",
        "recording_url": f"{_STORE}/recordings/{call.id}.mp3",
    }


def _failed(call: Call) -> dict[str, Any]:
    return {
        "event_type": "call.failed",
        "call_id": call.id,
        "reason": _REASONS[call.outcome or "failed"],
        "recipient_phone": call.to,
        "timestamp": unix(call.updated_at),
    }


def _refused(reason: str) -> Refused:
    return Refused(400, {"error": reason})
